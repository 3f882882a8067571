from __future__ import annotations

from tests.workspace.conftest import ANA, APPROVALS, MARIA, actions, button, error_of, mrkdwn

RICH = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
}
SECTION = {"type": "section", "text": mrkdwn("x")}


async def test_an_update_keeps_what_it_does_not_name(slack):
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="card", blocks=[SECTION]))["ts"]
    await slack.chat_update(channel=APPROVALS, ts=ts, text="new")
    kept = (await slack.conversations_history(channel=APPROVALS))["messages"][0]
    assert kept["text"] == "new"
    assert kept["blocks"][0]["type"] == "section"
    assert "edited" in kept
    await slack.chat_update(channel=APPROVALS, ts=ts, text="new", blocks=[])
    assert "blocks" not in (await slack.conversations_history(channel=APPROVALS))["messages"][0]


async def test_an_update_refuses_what_slack_refuses(slack, people):
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[RICH]))["ts"]
    assert await error_of(slack.chat_update(channel=APPROVALS, ts=ts, text="y" * 4001)) == "msg_too_long"
    assert (
        await error_of(slack.chat_update(channel=APPROVALS, ts=ts, text="y", blocks=[SECTION]))
        == "block_mismatch"
    )
    await slack.chat_update(channel=APPROVALS, ts=ts, text="y", blocks=[RICH, SECTION])
    assert (
        await error_of(slack.chat_update(channel=APPROVALS, ts="1.000000", text="y")) == "message_not_found"
    )
    hers = await people.say("approvals", "mine", as_=ANA)
    assert (
        await error_of(slack.chat_update(channel=APPROVALS, ts=hers["ts"], text="y")) == "cant_update_message"
    )
    assert await error_of(slack.chat_delete(channel=APPROVALS, ts=hers["ts"])) == "cant_delete_message"


async def test_a_post_is_cut_at_forty_thousand_and_needs_something_to_say(slack):
    sent = await slack.chat_postMessage(channel=APPROVALS, text="y" * 40_001)
    assert len(sent["message"]["text"]) == 40_000
    assert (
        await error_of(slack.api_call("chat.postMessage", json={"channel": APPROVALS, "text": "  "}))
        == "no_text"
    )
    assert await error_of(slack.chat_postMessage(channel="#nowhere", text="x")) == "channel_not_found"


async def test_replies_need_a_root_that_exists(slack):
    root = (await slack.chat_postMessage(channel=APPROVALS, text="root"))["ts"]
    reply = (await slack.chat_postMessage(channel=APPROVALS, text="r", thread_ts=root))["ts"]
    for wrong, said in (
        ("0", "invalid_thread_ts"),
        ("1.000000", "thread_not_found"),
        (reply, "thread_not_found"),
    ):
        assert await error_of(slack.chat_postMessage(channel=APPROVALS, text="r", thread_ts=wrong)) == said


async def test_deleted_messages_are_gone(slack):
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x"))["ts"]
    await slack.chat_delete(channel=APPROVALS, ts=ts)
    assert (await slack.conversations_history(channel=APPROVALS))["messages"] == []
    assert await error_of(slack.chat_delete(channel=APPROVALS, ts=ts)) == "message_not_found"


async def test_an_ephemeral_is_seen_by_one_person_and_cannot_be_updated(slack, people):
    sent = await slack.chat_postEphemeral(channel=APPROVALS, user=ANA, text="psst")
    assert [one["text"] for one in await people.messages("approvals", as_=ANA)] == ["psst"]
    assert await people.messages("approvals", as_=MARIA) == []
    assert (await slack.conversations_history(channel=APPROVALS))["messages"] == []
    ts = sent["message_ts"]
    assert await error_of(slack.chat_update(channel=APPROVALS, ts=ts, text="y")) == "message_not_found"
    assert (
        await error_of(slack.chat_postEphemeral(channel=APPROVALS, user="U0NOBODY", text="x"))
        == "user_not_found"
    )


async def test_permalinks_name_the_message_and_its_thread(slack, server):
    root = (await slack.chat_postMessage(channel=APPROVALS, text="root"))["ts"]
    reply = (await slack.chat_postMessage(channel=APPROVALS, text="r", thread_ts=root))["ts"]
    link = (await slack.chat_getPermalink(channel=APPROVALS, message_ts=reply))["permalink"]
    assert (
        link
        == f"{server.url}/archives/{APPROVALS}/p{reply.replace('.', '')}?thread_ts={root}&cid={APPROVALS}"
    )


async def test_scheduled_messages_are_posted_or_taken_back(slack, people, clock):
    soon = int(clock()) + 1
    assert (
        await error_of(slack.chat_scheduleMessage(channel=APPROVALS, text="x", post_at=soon - 60))
        == "time_in_past"
    )
    gone = await slack.chat_scheduleMessage(channel=APPROVALS, text="never", post_at=soon)
    await slack.chat_deleteScheduledMessage(
        channel=APPROVALS, scheduled_message_id=gone["scheduled_message_id"]
    )
    await slack.chat_scheduleMessage(channel=APPROVALS, text="later", post_at=soon)
    assert (await people.wait_for_message("approvals"))["text"] == "later"
    assert len(await people.messages("approvals")) == 1


async def test_metadata_is_flat_and_small(slack):
    for metadata, said in (
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": [[1]]}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": "y" * 17_000}}, "metadata_too_large"),
    ):
        assert await error_of(slack.chat_postMessage(channel=APPROVALS, text="x", metadata=metadata)) == said


async def test_missing_ids_are_filled_in_and_given_ones_kept(slack):
    sent = await slack.chat_postMessage(
        channel=APPROVALS,
        text="x",
        blocks=[
            actions(
                button("go"), {"type": "button", "text": {"type": "plain_text", "text": "b"}}, block_id="vote"
            )
        ],
    )
    block = sent["message"]["blocks"][0]
    assert block["block_id"] == "vote"
    assert next(one["action_id"] for one in block["elements"]) == "go"
    assert block["elements"][1]["action_id"]
