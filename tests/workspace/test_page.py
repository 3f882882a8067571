"""The page in a real browser, with a real bolt app behind it."""

from __future__ import annotations

import asyncio
import time

import pytest
from playwright.async_api import expect

from tests.workspace.conftest import (
    ANA,
    APPROVALS,
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
from tests.workspace.seen import browser, page, people, server, visit

__all__ = ("browser", "page", "people", "server")

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CONFIRM = {
    "title": plain("Kill it?"),
    "text": mrkdwn("Stops *2* agents."),
    "confirm": plain("Kill"),
    "deny": plain("Back"),
    "style": "danger",
}
HOSTILE = (
    "<img src=x onerror=document.title='owned'> &lt;!channel&gt; <!channel> `a` ```b``` javascript:alert(1)"
)


async def test_a_click_a_modal_and_a_submission(server, slack, page):
    app = bolt_app(slack)
    submitted: asyncio.Future = asyncio.get_running_loop().create_future()

    async def open_modal(body, client):
        scope = {
            "type": "radio_buttons",
            "action_id": "scope",
            "options": [{"text": plain("One"), "value": "1"}, {"text": plain("All"), "value": "2"}],
        }
        boxes = {
            "type": "checkboxes",
            "action_id": "tell",
            "options": [{"text": plain("Maria"), "value": "m"}],
        }
        blocks = [
            text_input(multiline=True),
            {"type": "input", "block_id": "s", "label": plain("Scope"), "element": scope},
            {"type": "input", "block_id": "t", "label": plain("Tell"), "element": boxes, "optional": True},
        ]
        await client.views_open(trigger_id=body["trigger_id"], view=modal(*blocks))

    async def on_submit(ack, view, client, body):
        await ack()
        submitted.set_result(view["state"]["values"])
        await client.chat_update(
            channel=APPROVALS, ts=ts, text="denied", blocks=[{"type": "section", "text": mrkdwn("Denied")}]
        )

    app.action("gate.deny")(ack=ack_only, lazy=[open_modal])
    app.view("deny")(on_submit)
    ts = (
        await slack.chat_postMessage(
            channel=APPROVALS, text="x", blocks=[actions(button("gate.deny", style="danger"))]
        )
    )["ts"]
    async with on_socket(app, server):
        await visit(page, server)
        await page.get_by_test_id(f"message-{ts}").get_by_test_id("action-gate.deny").click()
        await expect(page.get_by_test_id("modal")).to_be_visible()
        await page.get_by_test_id("modal-submit").click()
        await expect(page.get_by_test_id("error-why")).to_have_text("Please complete this required field.")
        await page.get_by_label("Reason").fill("not\ntoday")
        await page.get_by_label("All").check()
        await page.get_by_role("checkbox", name="Maria").check()
        await page.get_by_test_id("modal-submit").click()
        await expect(page.get_by_test_id("modal")).to_be_hidden()
        values = await asyncio.wait_for(submitted, 90)
        assert values["why"]["reason"]["value"] == "not\ntoday"
        assert values["s"]["scope"]["selected_option"]["value"] == "2"
        assert [one["value"] for one in values["t"]["tell"]["selected_options"]] == ["m"]
        await expect(page.get_by_test_id(f"message-{ts}")).to_contain_text("Denied")
        await expect(page.get_by_test_id("action-gate.deny")).to_have_count(0)


async def test_escape_closes_a_modal_and_keeps_nothing(server, slack, page, people):
    await slack.views_open(trigger_id=server.workspace.tickets.trigger(ANA), view=modal(text_input()))
    await visit(page, server)
    await page.get_by_test_id("action-reason").fill("half")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("modal")).to_be_hidden()
    assert await people.views(as_=ANA) == []


async def test_typing_survives_an_update_of_the_modal(server, slack, page):
    view = (
        await slack.views_open(trigger_id=server.workspace.tickets.trigger(ANA), view=modal(text_input()))
    )["view"]
    await visit(page, server)
    await page.get_by_test_id("action-reason").fill("half a sen")
    note = {"type": "section", "text": mrkdwn("Measured: 3 rows")}
    await slack.views_update(view_id=view["id"], view=modal(note, text_input()))
    await expect(page.get_by_text("Measured: 3 rows")).to_be_visible()
    await expect(page.get_by_test_id("action-reason")).to_have_value("half a sen")
    await expect(page.get_by_test_id("action-reason")).to_be_focused()


async def test_a_confirm_dialog_stands_before_the_action(server, slack, page, people):
    app = bolt_app(slack)
    app.action("gate.kill")(ack_only)
    await slack.chat_postMessage(
        channel=APPROVALS, text="x", blocks=[actions(button("gate.kill", confirm=CONFIRM))]
    )
    async with on_socket(app, server):
        await visit(page, server)
        await page.get_by_test_id("action-gate.kill").click()
        await expect(page.get_by_test_id("confirm-dialog")).to_contain_text("Stops 2 agents.")
        await page.get_by_test_id("confirm-cancel").click()
        await expect(page.get_by_test_id("confirm-dialog")).to_be_hidden()
        assert not [one for one in await people.deliveries() if one["type"] == "interactive"]
        await page.get_by_test_id("action-gate.kill").click()
        await page.get_by_test_id("confirm-ok").click()
        await people.wait_for_delivery(lambda one: one["type"] == "interactive" and one["acked"])


async def test_a_slash_command_is_offered_and_answered_to_one_person(server, slack, page):
    app = bolt_app(slack)

    async def command(ack, command):
        await ack(f"answer to {command['text']}")

    app.command("/countersign")(command)
    async with on_socket(app, server):
        await visit(page, server)
        await page.get_by_test_id("composer").fill("/cou")
        await expect(page.get_by_test_id("suggest-/countersign")).to_be_visible()
        await page.get_by_test_id("composer").press("Tab")
        await expect(page.get_by_test_id("composer")).to_have_value("/countersign ")
        await page.get_by_test_id("composer").type("approvals")
        await page.get_by_test_id("composer").press("Enter")
        await expect(page.get_by_text("answer to approvals")).to_be_visible()
        await expect(page.get_by_text("Only visible to you")).to_be_visible()
        await page.get_by_test_id("act-as-select").select_option("U0BEN")
        await expect(page.get_by_text("answer to approvals")).to_be_hidden()
        await page.get_by_test_id("act-as-select").select_option(ANA)
        await expect(page.get_by_text("answer to approvals")).to_be_visible()


async def test_messages_and_threads_arrive_live_and_unread_ones_are_counted(server, slack, page):
    await visit(page, server)
    root = (await slack.chat_postMessage(channel=APPROVALS, text="the root"))["ts"]
    await expect(page.get_by_test_id(f"message-{root}")).to_be_visible()
    await slack.chat_postMessage(channel="#audit", text="elsewhere")
    await expect(page.get_by_test_id("channel-audit")).to_contain_text("1")
    await slack.chat_postMessage(channel=APPROVALS, thread_ts=root, text="a reply")
    await page.get_by_test_id(f"thread-{root}").click()
    pane = page.get_by_test_id("thread-pane")
    await expect(pane).to_contain_text("a reply")
    await slack.chat_postMessage(channel=APPROVALS, thread_ts=root, text="another")
    await expect(pane).to_contain_text("another")
    await pane.get_by_test_id("thread-composer").fill("mine")
    await pane.get_by_test_id("thread-composer").press("Enter")
    await expect(pane.get_by_text("mine", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(pane).to_be_hidden()
    await page.get_by_test_id("channel-audit").click()
    await expect(page.get_by_text("elsewhere")).to_be_visible()
    await expect(page.get_by_test_id("channel-audit").locator(".count")).to_have_count(0)


async def test_a_permalink_opens_the_thread(server, slack, page):
    root = (await slack.chat_postMessage(channel="#audit", text="root"))["ts"]
    reply = (await slack.chat_postMessage(channel="C0AUDIT", text="the very reply", thread_ts=root))["ts"]
    link = (await slack.chat_getPermalink(channel="C0AUDIT", message_ts=reply))["permalink"]
    await page.goto(link)
    await expect(page.get_by_test_id("thread-pane")).to_contain_text("the very reply")


async def test_home_is_shown_and_its_buttons_work(server, slack, page, people):
    app = bolt_app(slack)
    app.action("open")(ack_only)

    async def home(event, client):
        view = {
            "type": "home",
            "blocks": [{"type": "header", "text": plain("Waiting for you")}, actions(button("open"))],
        }
        await client.views_publish(user_id=event["user"], view=view)

    app.event("app_home_opened")(home)
    async with on_socket(app, server):
        await visit(page, server)
        await page.get_by_test_id("app-home").click()
        await expect(page.get_by_test_id("home")).to_contain_text("Waiting for you")
        await page.get_by_test_id("action-open").click()
        await people.wait_for_delivery(lambda one: one["type"] == "interactive" and one["acked"])


async def test_an_app_that_does_not_answer_is_said_so(server, slack, page):
    await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[actions(button("a"))])
    await visit(page, server)
    await page.get_by_test_id("action-a").click()
    await expect(page.get_by_test_id("toast")).to_contain_text("did not answer (no_connection)")
    await expect(page.get_by_test_id("action-a")).to_be_enabled()


async def test_hostile_text_stays_text(server, slack, page):
    rich = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": HOSTILE}]}],
    }
    blocks = [
        rich,
        {"type": "section", "text": mrkdwn("``` &lt;!channel&gt; ```\n<javascript:alert(1)|click>")},
        {"type": "header", "text": plain(HOSTILE[:140])},
        {"type": "markdown", "text": f"# {HOSTILE}\n[x](javascript:alert(1))"},
        {
            "type": "section",
            "text": {"type": "plain_text", "text": ":white_check_mark: APPROVED", "emoji": False},
        },
    ]
    ts = (await slack.chat_postMessage(channel=APPROVALS, text=HOSTILE, blocks=blocks))["ts"]
    plain_ts = (
        await slack.chat_postMessage(
            channel=APPROVALS,
            text="&lt;b&gt;bold&lt;/b&gt; <https://example.com/?a=1&amp;b=2|site> *b* _i_ ~s~",
        )
    )["ts"]
    await visit(page, server)
    message = page.get_by_test_id(f"message-{ts}")
    assert HOSTILE in await message.locator(".rich pre").inner_text()
    assert await message.locator(".section pre").inner_text() == " <!channel> "
    assert await message.locator("img").count() == 0
    assert await message.locator("a[href^='javascript']").count() == 0
    await expect(message).to_contain_text(":white_check_mark: APPROVED")
    other = page.get_by_test_id(f"message-{plain_ts}").locator(".text")
    assert await other.inner_text() == "<b>bold</b> site b i s"
    assert await other.locator("a").get_attribute("href") == "https://example.com/?a=1&b=2"
    assert await other.locator("strong, em, s").count() == 3
    assert "owned" not in await page.title()
    await page.get_by_test_id(f"inspect-{ts}").click(force=True)
    await expect(page.get_by_test_id(f"raw-{ts}")).to_contain_text('"rich_text_preformatted"')


async def test_every_block_that_an_app_may_send_is_drawn(server, slack, page):
    now = int(time.time())
    option = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]
    blocks = [
        {"type": "section", "text": mrkdwn(f"<@{ANA}> in <#C0AUDIT> with <!subteam^S0DBA> <!date^{now}^{{date_pretty}} at {{time}}|then>"), "accessory": {"type": "overflow", "action_id": "o", "options": option}},
        {"type": "section", "fields": [mrkdwn("*a*\nb"), plain("c")]},
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn(":lock: locked"), {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "a chart"}]},
        {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "the chart", "title": plain("Chart")},
        {"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "user", "user_id": ANA}, {"type": "text", "text": "\u23f3 :x: bold", "style": {"bold": True}}, {"type": "emoji", "name": "eyes"}, {"type": "link", "url": "https://example.com", "text": "there"}]},
            {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "item"}]}]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "quoted"}]},
        ]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "id"}], [{"type": "raw_text", "text": "4711"}]], "column_settings": [{"align": "right"}]},
        {"type": "markdown", "text": "## Title\n- point\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```sql\nSELECT 1\n```"},
        actions({"type": "static_select", "action_id": "s", "options": option, "placeholder": plain("Pick one")}, {"type": "datepicker", "action_id": "d"}),
        text_input("free"),
    ]  # fmt: skip
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=blocks))["ts"]
    await visit(page, server)
    message = page.get_by_test_id(f"message-{ts}")
    for words in (
        "@Ana Silva in #audit with @dba today at",
        "a chart",
        "Chart",
        "item",
        "quoted",
        "4711",
        "Title",
        "SELECT 1",
        "locked",
        ":x: bold",
    ):
        await expect(message).to_contain_text(words)
    assert await message.locator(".unknown").count() == 0
    assert await message.locator(".blocks svg.emoji").count() == 3
    await expect(message.get_by_test_id("action-s")).to_contain_text("Pick one")
    await message.get_by_test_id("action-o").click()
    await expect(message.get_by_test_id("option-2")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(message.get_by_test_id("option-2")).to_be_hidden()


async def test_every_control_has_a_name(server, slack, page):
    await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[actions(button("a"))])
    await slack.views_open(trigger_id=server.workspace.tickets.trigger(ANA), view=modal(text_input()))
    await visit(page, server)
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea")].filter((one) =>
             !one.getAttribute("aria-label") && !one.textContent.trim() && !one.labels?.length).map((one) => one.outerHTML)"""
    )
    assert nameless == []
