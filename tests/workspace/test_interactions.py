from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bot.workspace.client import NotAcknowledgedError, WaitTimeoutError, WorkspaceError, actions_of, text_of
from tests.workspace.conftest import (
    ANA,
    APPROVALS,
    BEN,
    MARIA,
    ack_only,
    actions,
    bolt_app,
    button,
    modal,
    mrkdwn,
    on_socket,
    plain,
    text_input,
)

OPTIONS = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]


class Heard:
    """A bolt app that keeps every interaction it acknowledges."""

    def __init__(self, slack) -> None:
        self.app = bolt_app(slack)
        self.bodies: asyncio.Queue = asyncio.Queue()
        self.answer: dict | None = None

    async def keep(self, ack, body) -> None:
        self.bodies.put_nowait(body)
        await (ack(**self.answer) if self.answer else ack())

    async def next(self) -> dict:
        return await asyncio.wait_for(self.bodies.get(), 30)


@pytest.fixture
def heard(slack) -> Heard:
    one = Heard(slack)
    for action_id in ("a", "s", "o", "c", "m", "u"):
        one.app.action(action_id)(one.keep)
    one.app.view("deny")(one.keep)
    one.app.view_closed("deny")(one.keep)
    one.app.shortcut("ask")(one.keep)
    one.app.shortcut("board")(one.keep)
    return one


async def post_card(slack, *elements, **more) -> dict:
    return (
        await slack.chat_postMessage(
            channel=APPROVALS, text="x", blocks=[actions(*elements, block_id="vote")], **more
        )
    )["message"]


async def open_modal(server, slack, view=None) -> dict:
    trigger = server.workspace.tickets.trigger(ANA)
    return (await slack.views_open(trigger_id=trigger, view=view or modal(text_input())))["view"]


async def test_a_click_says_who_where_and_what(server, slack, people, heard):
    async with on_socket(heard.app, server):
        message = await post_card(slack, button("a", value="v1.x", style="primary"))
        await people.click(message, "a", as_="ana.silva@example.com", channel="approvals")
        body = await heard.next()
    assert body["type"] == "block_actions"
    assert (body["user"]["id"], body["team"]["id"], body["api_app_id"]) == (ANA, "T0DEMO", "A0COUNTERSIGN")
    assert body["container"] == {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": APPROVALS,
        "is_ephemeral": False,
    }
    assert body["message"]["ts"] == message["ts"]
    action = body["actions"][0]
    assert (action["action_id"], action["block_id"], action["value"], action["type"]) == (
        "a",
        "vote",
        "v1.x",
        "button",
    )
    assert body["response_url"].startswith(server.url)
    assert body["trigger_id"]


async def test_selects_menus_and_boxes_say_what_was_chosen(server, slack, people, heard):
    elements = (
        {"type": "static_select", "action_id": "s", "options": OPTIONS, "placeholder": plain("pick")},
        {"type": "overflow", "action_id": "o", "options": OPTIONS},
        {"type": "checkboxes", "action_id": "c", "options": OPTIONS},
        {"type": "users_select", "action_id": "u"},
    )
    async with on_socket(heard.app, server):
        message = await post_card(slack, *elements)
        await people.click(message, "s", as_=ANA, channel="approvals", value="2")
        body = await heard.next()
        assert body["actions"][0]["selected_option"]["value"] == "2"
        assert body["state"]["values"]["vote"]["s"]["selected_option"]["value"] == "2"
        await people.click(message, "o", as_=ANA, channel="approvals", value="1")
        assert (await heard.next())["actions"][0]["selected_option"] == OPTIONS[0]
        await people.click(message, "c", as_=ANA, channel="approvals", value=["1", "2"], values={"s": "1"})
        body = await heard.next()
        assert [one["value"] for one in body["actions"][0]["selected_options"]] == ["1", "2"]
        assert body["state"]["values"]["vote"]["s"]["selected_option"]["value"] == "1"
        await people.click(message, "u", as_=ANA, channel="approvals", value=BEN)
        assert (await heard.next())["actions"][0]["selected_user"] == BEN
        with pytest.raises(WorkspaceError, match="no option"):
            await people.click(message, "s", as_=ANA, channel="approvals", value="3")


async def test_nobody_enters_what_an_element_does_not_let_them(slack, people):
    kinds = ("datepicker", "timepicker", "datetimepicker")
    message = await post_card(slack, *({"type": kind, "action_id": kind} for kind in kinds))
    for kind in kinds:
        for value in ("soon", "2027-1-1", "99", "\u0661\u0662:\u0660\u0660", True, ["x"]):
            with pytest.raises(WorkspaceError, match=kind):
                await people.click(message, kind, as_=ANA, channel="approvals", value=value)


async def test_what_cannot_be_done_is_said_in_a_sentence(slack, people):
    message = await post_card(slack, button("a"))
    with pytest.raises(WorkspaceError, match="nothing with the action_id 'b'"):
        await people.click(message, "b", as_=ANA, channel="approvals")
    with pytest.raises(WorkspaceError, match="nobody called 'eve'"):
        await people.click(message, "a", as_="eve", channel="approvals")
    with pytest.raises(WorkspaceError, match="does not exist"):
        await people.click({"ts": "1.000000"}, "a", as_=ANA, channel="approvals")
    with pytest.raises(WorkspaceError, match="not a valid command"):
        await people.command("approvals", "/nothing", as_=ANA)
    with pytest.raises(WorkspaceError, match="no channel"):
        await people.say("nowhere", "x", as_=ANA)
    twice = (
        await slack.chat_postMessage(
            channel=APPROVALS, text="x", blocks=[actions(button("a")), actions(button("a"), block_id="two")]
        )
    )["message"]
    with pytest.raises(WorkspaceError, match="give the block_id"):
        await people.click(twice, "a", as_=ANA, channel="approvals")
    with pytest.raises(NotAcknowledgedError):
        await people.click(twice, "a", as_=ANA, channel="approvals", block_id="two")


async def test_buttons_in_modals_and_home_carry_the_view_and_its_state(server, slack, people, heard):
    async with on_socket(heard.app, server):
        view = await open_modal(server, slack, modal(text_input(), actions(button("a"))))
        await people.click_in_view(view, "a", as_=ANA, values={"reason": "half"})
        body = await heard.next()
        assert body["container"] == {"type": "view", "view_id": view["id"]}
        assert body["view"]["state"]["values"]["why"]["reason"]["value"] == "half"
        await slack.views_publish(user_id=ANA, view={"type": "home", "blocks": [actions(button("a"))]})
        await people.click_in_view(await people.home(as_=ANA), "a", as_=ANA)
        body = await heard.next()
        assert body["view"]["type"] == "home"
        assert "message" not in body


async def test_a_submission_is_answered_by_errors_update_push_and_clear(server, slack, people, heard):
    async with on_socket(heard.app, server):
        view = await open_modal(server, slack)
        heard.answer = {"response_action": "errors", "errors": {"why": "Say more."}}
        answer = await people.submit(view, {"reason": "x"}, as_=ANA)
        assert answer["answer"]["errors"] == {"why": "Say more."}
        assert (await people.views(as_=ANA))[-1]["errors"] == {"why": "Say more."}
        heard.answer = {"response_action": "update", "view": modal(text_input("more"), callback_id="deny")}
        await people.submit(view, {"reason": "x"}, as_=ANA)
        view = await people.wait_for_view(
            lambda one: one["blocks"][0]["element"]["action_id"] == "more", as_=ANA
        )
        assert view["errors"] == {}
        heard.answer = {"response_action": "push", "view": modal(text_input())}
        await people.submit(view, {"more": "x"}, as_=ANA)
        stack = await people.views(as_=ANA)
        assert len(stack) == 2
        with pytest.raises(WorkspaceError, match="not the one that is open"):
            await people.submit(view, {"more": "x"}, as_=ANA)
        heard.answer = {"response_action": "clear"}
        await people.submit(stack[-1], {"reason": "x"}, as_=ANA)
        assert await people.views(as_=ANA) == []


async def test_an_answer_that_slack_rejects_leaves_the_modal_open(server, slack, people, heard):
    async with on_socket(heard.app, server):
        view = await open_modal(server, slack)
        for heard.answer in (
            {"response_action": "errors", "errors": {"elsewhere": "x"}},
            {"response_action": "errors", "errors": {"why": ""}},
            {"response_action": "errors", "errors": {"why": ["x"]}},
            {"response_action": "update", "view": modal({"type": "invented"})},
        ):
            with pytest.raises(NotAcknowledgedError):
                await people.submit(view, {"reason": "x"}, as_=ANA)
        assert len(await people.views(as_=ANA)) == 1


async def test_inputs_are_checked_before_the_app_sees_them(server, slack, people, heard):
    blocks = (
        text_input(min_length=3, max_length=5),
        {"type": "input", "block_id": "n", "optional": True, "label": plain("n"), "element": {"type": "number_input", "action_id": "n", "is_decimal_allowed": False, "min_value": "1", "max_value": "9"}},
        {"type": "input", "block_id": "e", "optional": True, "label": plain("e"), "element": {"type": "email_text_input", "action_id": "e"}},
        {"type": "input", "block_id": "l", "optional": True, "label": plain("l"), "element": {"type": "url_text_input", "action_id": "l"}},
    )  # fmt: skip
    view = await open_modal(server, slack, modal(*blocks))
    for values, wrong in (
        ({"reason": "ab"}, {"why"}),
        ({"reason": "abcdef"}, {"why"}),
        ({"reason": "abc", "n": "x", "e": "x", "l": "ftp://x"}, {"n", "e", "l"}),
        ({"reason": "abc", "n": "0"}, {"n"}),
        ({"reason": "abc", "n": "10"}, {"n"}),
        ({"reason": "abc", "n": "1.5"}, {"n"}),
    ):
        blank = {"n": "", "e": "", "l": ""}
        answer = await people.submit(view, {**blank, **values}, as_=ANA)
        assert set(answer["answer"]["errors"]) == wrong
    with pytest.raises(WorkspaceError, match="no input 'other'"):
        await people.submit(view, {"other": "x"}, as_=ANA)


async def test_closing_tells_the_app_if_it_asked(server, slack, people, heard):
    async with on_socket(heard.app, server):
        view = await open_modal(server, slack, modal(text_input(), notify_on_close=True))
        await people.close_view(view, as_=ANA)
        body = await heard.next()
        assert (body["type"], body["is_cleared"]) == ("view_closed", False)
        assert await people.views(as_=ANA) == []


async def test_shortcuts_carry_the_message(server, slack, people, heard):
    async with on_socket(heard.app, server):
        sent = await people.say("approvals", "look", as_=MARIA)
        await people.shortcut("ask", as_=ANA, channel="approvals", ts=sent["ts"])
        body = await heard.next()
        assert (body["type"], body["message"]["text"]) == ("message_action", "look")
        await people.shortcut("board", as_=ANA)
        assert (await heard.next())["type"] == "shortcut"
        with pytest.raises(WorkspaceError, match="no message shortcut"):
            await people.shortcut("board", as_=ANA, channel="approvals", ts=sent["ts"])


async def test_a_response_url_posts_replaces_and_deletes(server, slack, people, heard):
    async with on_socket(heard.app, server), aiohttp.ClientSession() as session:
        await slack.chat_postEphemeral(channel=APPROVALS, user=ANA, text="x", blocks=[actions(button("a"))])
        message = (await people.messages("approvals", as_=ANA))[0]
        await people.click(message, "a", as_=ANA, channel="approvals")
        body = await heard.next()
        assert body["container"]["is_ephemeral"]
        assert "message" not in body
        url = body["response_url"]
        for answer, seen in (
            ({"replace_original": True, "text": "replaced"}, ["replaced"]),
            ({"text": "only for you"}, ["replaced", "only for you"]),
            ({"delete_original": True}, ["only for you"]),
        ):
            async with session.post(url, json=answer) as said:
                assert said.status == 200
            assert [one["text"] for one in await people.messages("approvals", as_=ANA)] == seen
        async with session.post(url, json={"text": "x", "blocks": [{"type": "invented"}]}) as said:
            assert (said.status, (await said.json())["error"]) == (400, "invalid_blocks")
        async with session.post(url, data=b"{") as said:
            assert said.status == 400
        async with session.post(url, json={"text": "sixth"}) as said:
            assert (said.status, (await said.json())["error"]) == (404, "used_url")
        assert await people.messages("approvals", as_=BEN) == []


async def test_joining_is_an_event_and_needs_an_inviter_in_private(server, slack, people):
    app = bolt_app(slack)
    joined: asyncio.Future = asyncio.get_running_loop().create_future()

    async def on_join(event):
        joined.set_result(event)

    app.event("member_joined_channel")(on_join)
    app.event("message")(ack_only)
    channel = server.workspace.channels["C0AUDIT"]
    channel.kind = "private"
    channel.members.remove("U0SAM")
    async with on_socket(app, server):
        with pytest.raises(WorkspaceError, match="inviter"):
            await people.join("audit", as_="sam.chen")
        with pytest.raises(WorkspaceError, match="does not see"):
            await people.messages("audit", as_="sam.chen")
        await people.join("audit", as_="sam.chen", inviter=ANA)
        event = await asyncio.wait_for(joined, 90)
        assert (event["user"], event["inviter"], event["channel"]) == ("U0SAM", ANA, "C0AUDIT")


async def test_typed_text_becomes_entities_and_is_escaped(server):
    typed = server.interactions.typed
    assert typed("<!channel> & @ana.silva @dba @here #audit me@x.com") == (
        "&lt;!channel&gt; &amp; <@U0ANA> <!subteam^S0DBA|@dba> <!here> <#C0AUDIT|audit> "
        "<mailto:me@x.com|me@x.com>"
    )
    assert typed("see https://e.com/a?b=1&c=2#top") == "see <https://e.com/a?b=1&amp;c=2#top>"


async def test_waiting_ends_with_a_sentence(people):
    with pytest.raises(WaitTimeoutError, match=r"a message in audit did not come within 0.05 s"):
        await people.wait_for_message("audit", timeout=0.05)


async def test_unread_counts_follow_reading(slack, people):
    await slack.chat_postMessage(channel="#audit", text="x")

    async def unread() -> int:
        return {one["name"]: one["unread"] for one in (await people.state(as_=ANA))["channels"]}["audit"]

    assert await unread() == 1
    await people._post("read", channel="audit", **{"as": ANA})
    assert await unread() == 0


async def test_what_a_person_reads_is_easy_to_get_at(slack):
    blocks = [{"type": "section", "text": mrkdwn("Hello *there*")}, actions(button("a"), block_id="b")]
    sent = (await slack.chat_postMessage(channel=APPROVALS, text="fallback", blocks=blocks))["message"]
    assert text_of(sent["blocks"]) == "Hello *there*\nDo it"
    assert [(one["action_id"], one["block_id"]) for one in actions_of(sent)] == [("a", "b")]
