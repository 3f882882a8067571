from __future__ import annotations

import base64

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.seed import Rate, Seed, Token
from bot.workspace.server import running
from tests.workspace.conftest import ANA, APP_LEVEL, APPROVALS, BEN, BOT, SAM, error_of, post


async def test_arguments_come_from_query_form_json_and_json_in_a_form(server):
    block = '[{"type":"divider"}]'
    for how in (
        {"params": {"channel": APPROVALS, "text": "hi", "blocks": block}},
        {"data": {"channel": APPROVALS, "text": "hi", "blocks": block}},
        {"json": {"channel": APPROVALS, "text": "hi", "blocks": [{"type": "divider"}]}},
    ):
        answer = await post(server, "chat.postMessage", **how)
        assert answer["ok"], answer
        assert answer["message"]["blocks"][0]["type"] == "divider"
        assert answer["message"]["blocks"][0]["block_id"]


async def test_the_token_may_come_as_an_argument(server):
    assert (await post(server, "auth.test", token="", data={"token": BOT}))["user_id"] == "U0COUNTERSIGN"


async def test_tokens_are_checked(server):
    assert (await post(server, "auth.test", token=""))["error"] == "not_authed"
    assert (await post(server, "auth.test", token="xoxb-wrong"))["error"] == "invalid_auth"
    assert (await post(server, "chat.postMessage", token=APP_LEVEL))["error"] == "not_allowed_token_type"
    assert (await post(server, "apps.connections.open"))["error"] == "not_allowed_token_type"
    assert (await post(server, "search.messages"))["error"] == "not_allowed_token_type"


async def test_unknown_methods_and_broken_bodies_are_named(server):
    assert (await post(server, "chat.invent"))["error"] == "unknown_method"
    json_type = {"Content-Type": "application/json"}
    url = server.api_url + "auth.test"
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=b"{", headers=json_type) as answer:
            assert (await answer.json())["error"] == "invalid_json"
        async with session.post(url, data=b"[]", headers=json_type) as answer:
            assert (await answer.json())["error"] == "json_not_object"


async def test_scopes_are_checked_and_the_missing_one_is_named():
    seed = Seed(
        tokens=(Token(token="xoxb-poor", kind="bot", user="U0COUNTERSIGN", scopes=("users:read",)),),
        rate=Rate.OFF,
    )
    async with running(seed) as server:
        poor = AsyncWebClient(token="xoxb-poor", base_url=server.api_url)
        with pytest.raises(SlackApiError) as refused:
            await poor.chat_postMessage(channel=APPROVALS, text="hi")
        assert refused.value.response["error"] == "missing_scope"
        assert refused.value.response["needed"] == "chat:write"
        assert await error_of(poor.conversations_list()) == "missing_scope"
        assert await error_of(poor.conversations_history(channel=APPROVALS)) == "missing_scope"
        assert "email" not in (await poor.users_info(user=ANA))["user"]["profile"]


async def test_an_app_learns_who_it_is(slack):
    answer = await slack.auth_test()
    assert (answer["team_id"], answer["bot_id"]) == ("T0DEMO", "B0COUNTERSIGN")
    assert (await slack.team_info())["team"]["name"] == "Countersign demo"
    assert (await slack.bots_info(bot="B0COUNTERSIGN"))["bot"]["user_id"] == "U0COUNTERSIGN"
    assert await error_of(slack.bots_info(bot="B0NOBODY")) == "bot_not_found"


async def test_people_are_found_by_id_and_by_email(slack):
    assert (await slack.users_info(user=ANA))["user"]["profile"]["email"] == "ana.silva@example.com"
    assert (await slack.users_lookupByEmail(email="BEN.okafor@example.com"))["user"]["id"] == BEN
    assert await error_of(slack.users_lookupByEmail(email="nobody@example.com")) == "users_not_found"
    assert await error_of(slack.users_info(user="U0NOBODY")) == "user_not_found"
    assert len((await slack.users_list())["members"]) == 5


async def test_user_groups_have_members(slack):
    groups = (await slack.usergroups_list(include_users=True))["usergroups"]
    assert {one["handle"]: one["users"] for one in groups} == {"dba": [ANA, BEN], "security": [SAM]}
    assert (await slack.usergroups_users_list(usergroup="S0DBA"))["users"] == [ANA, BEN]
    assert await error_of(slack.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"


async def test_listing_pages_with_a_cursor(slack):
    seen, cursor = [], None
    while cursor != "":
        page = await slack.conversations_list(limit=3, cursor=cursor)
        seen += [one["name"] for one in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
    assert seen == ["approvals", "audit-shop", "audit", "general"]
    before_the_first = base64.urlsafe_b64encode(b"at:-2").decode()
    for cursor in ("nonsense!", before_the_first):
        assert await error_of(slack.conversations_list(cursor=cursor)) == "invalid_cursor"


async def test_history_is_newest_first_and_threads_are_replies(slack):
    root = await slack.chat_postMessage(channel="#approvals", text="root")
    await slack.chat_postMessage(channel=APPROVALS, text="reply", thread_ts=root["ts"])
    await slack.chat_postMessage(channel=APPROVALS, text="later")
    history = await slack.conversations_history(channel=APPROVALS)
    assert [one["text"] for one in history["messages"]] == ["later", "root"]
    assert history["messages"][1]["reply_count"] == 1
    thread = await slack.conversations_replies(channel=APPROVALS, ts=root["ts"])
    assert [one["text"] for one in thread["messages"]] == ["root", "reply"]
    newer = await slack.conversations_history(channel=APPROVALS, oldest=root["ts"])
    assert [one["text"] for one in newer["messages"]] == ["later"]
    assert await error_of(slack.conversations_replies(channel=APPROVALS, ts="1.000000")) == "thread_not_found"


async def test_metadata_is_returned_only_when_asked_for(slack):
    metadata = {"event_type": "card", "event_payload": {"id": "a1"}}
    await slack.chat_postMessage(channel=APPROVALS, text="card", metadata=metadata)
    assert "metadata" not in (await slack.conversations_history(channel=APPROVALS))["messages"][0]
    asked = await slack.conversations_history(channel=APPROVALS, include_all_metadata=True)
    assert asked["messages"][0]["metadata"] == metadata


async def test_direct_messages_open_once(slack):
    first = await slack.conversations_open(users=ANA)
    assert (await slack.conversations_open(users=[ANA]))["channel"]["id"] == first["channel"]["id"]
    sent = await slack.chat_postMessage(channel=ANA, text="hello")
    assert sent["channel"] == first["channel"]["id"]
    assert (await slack.conversations_info(channel=sent["channel"]))["channel"]["user"] == ANA


async def test_a_file_takes_three_steps_and_lands_in_the_thread(slack, people):
    root = await slack.chat_postMessage(channel=APPROVALS, text="root")
    sent = await slack.files_upload_v2(
        channel=APPROVALS, thread_ts=root["ts"], content="SELECT 1", filename="a.sql", snippet_type="sql"
    )
    reply = (await slack.conversations_replies(channel=APPROVALS, ts=root["ts"]))["messages"][1]
    assert reply["files"][0]["id"] == sent["file"]["id"]
    assert (await slack.files_info(file=sent["file"]["id"]))["file"]["preview"] == "SELECT 1"
    assert await people.file(sent["file"]["id"]) == "SELECT 1"
    assert (
        await error_of(slack.files_completeUploadExternal(files=[{"id": sent["file"]["id"]}]))
        == "file_not_found"
    )
    too_long = slack.files_getUploadURLExternal(filename="b.sql", length=(1 << 20) + 1, snippet_type="sql")
    assert await error_of(too_long) == "snippet_too_large"


async def test_reactions_pins_and_bookmarks(slack):
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x"))["ts"]
    await slack.reactions_add(channel=APPROVALS, timestamp=ts, name="eyes")
    assert (
        await error_of(slack.reactions_add(channel=APPROVALS, timestamp=ts, name="eyes")) == "already_reacted"
    )
    got = await slack.reactions_get(channel=APPROVALS, timestamp=ts)
    assert got["message"]["reactions"][0]["name"] == "eyes"
    await slack.reactions_remove(channel=APPROVALS, timestamp=ts, name="eyes")
    assert (
        await error_of(slack.reactions_remove(channel=APPROVALS, timestamp=ts, name="eyes")) == "no_reaction"
    )
    await slack.pins_add(channel=APPROVALS, timestamp=ts)
    assert await error_of(slack.pins_add(channel=APPROVALS, timestamp=ts)) == "already_pinned"
    assert (await slack.pins_list(channel=APPROVALS))["items"][0]["message"]["ts"] == ts
    await slack.pins_remove(channel=APPROVALS, timestamp=ts)
    await slack.bookmarks_add(channel_id=APPROVALS, title="Runbook", type="link", link="https://example.com/")


async def test_search_needs_a_user_token_and_finds_by_words_and_channel(server, slack):
    await slack.chat_postMessage(channel=APPROVALS, text="session s-81 by migrator")
    await slack.chat_postMessage(channel="#audit", text="session s-81 again")
    sam = AsyncWebClient(token="xoxp-local-sam", base_url=server.api_url)
    assert (await sam.search_messages(query="s-81"))["messages"]["total"] == 2
    found = await sam.search_messages(query="S-81 in:#audit")
    assert [one["channel"]["name"] for one in found["messages"]["matches"]] == ["audit"]


async def test_members_join_by_invitation(slack, server):
    assert await error_of(slack.conversations_create(name="new")) == "missing_scope"
    assert await error_of(slack.conversations_invite(channel=APPROVALS, users=ANA)) == "missing_scope"
    assert await error_of(slack.conversations_join(channel=APPROVALS)) == "missing_scope"
    assert ANA in (await slack.conversations_members(channel=APPROVALS))["members"]


async def test_channels_are_made_and_filled_with_the_right_scopes():
    token = Token(
        token="xoxb-rich",
        kind="bot",
        user="U0COUNTERSIGN",
        scopes=("channels:manage", "channels:join", "channels:read"),
    )
    async with running(Seed(tokens=(token,), rate=Rate.OFF)) as server:
        slack = AsyncWebClient(token="xoxb-rich", base_url=server.api_url)
        made = (await slack.conversations_create(name="incident-1"))["channel"]["id"]
        assert await error_of(slack.conversations_create(name="incident-1")) == "name_taken"
        assert await error_of(slack.conversations_create(name="Bad Name")) == "invalid_name_specials"
        await slack.conversations_invite(channel=made, users=[ANA, BEN])
        assert await error_of(slack.conversations_invite(channel=made, users=ANA)) == "already_in_channel"
        assert set((await slack.conversations_members(channel=made))["members"]) == {
            "U0COUNTERSIGN",
            ANA,
            BEN,
        }
        assert (await slack.conversations_join(channel=made))["warning"] == "already_in_channel"


async def test_private_channels_are_unknown_to_strangers_and_closed_ones_not_written_to(server, slack):
    server.workspace.channels["C0AUDIT"].kind = "private"
    server.workspace.channels["C0AUDIT"].members.remove("U0COUNTERSIGN")
    server.workspace.channels["C0GENERAL"].members.remove("U0COUNTERSIGN")
    server.workspace.channels["C0AUDITSHOP"].archived = True
    assert await error_of(slack.chat_postMessage(channel="C0AUDIT", text="x")) == "channel_not_found"
    assert await error_of(slack.conversations_info(channel="C0AUDIT")) == "channel_not_found"
    assert await error_of(slack.chat_postMessage(channel="#general", text="x")) == "not_in_channel"
    assert await error_of(slack.conversations_history(channel="C0GENERAL")) == "not_in_channel"
    assert await error_of(slack.chat_postMessage(channel="#audit-shop", text="x")) == "is_archived"
