"""chat.*: posting, updating, deleting, ephemeral and scheduled messages."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.workspace.limits import Tier
from bot.workspace.modals import short_id
from bot.workspace.records import Blocks, Channel, Json, Message
from bot.workspace.state import TS, make_id
from bot.workspace.validate import (
    Refused,
    check_attachments,
    check_blocks,
    check_metadata,
    check_rich_text_stays,
    check_text,
    with_ids,
)
from bot.workspace.webapi import Call, Method

SCHEDULE_DAYS = 120


def target(call: Call) -> Channel:
    """The channel to write to; a person's id means the direct messages with them."""
    name = call.needed("channel", missing="channel_not_found")
    if name in call.workspace.people:
        if call.workspace.people[name].deleted or name == call.token.user:
            raise Refused("channel_not_found")
        channel, _ = call.workspace.direct([call.token.user, name])
        return channel
    channel = call.channel()
    if channel.archived:
        raise Refused("is_archived")
    if call.token.user not in channel.members and "chat:write.public" not in call.token.scopes:
        raise Refused("not_in_channel")
    return channel


def content(call: Call, *, updating: bool, needed: bool = True) -> tuple[str, Blocks, list[Json]]:
    """Text, blocks and attachments, checked; `needed` if an empty message is an error."""
    blocks = call.structure("blocks", broken="invalid_blocks_format") or []
    attachments = call.structure("attachments", broken="invalid_attachments") or []
    markdown = call.string("markdown_text")
    if markdown:
        if blocks or call.args.get("text"):
            raise Refused("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": markdown}]
    if blocks:
        blocks = with_ids(check_blocks(blocks), make_id=short_id)
    if attachments:
        attachments = check_attachments(attachments)
        for one in attachments:
            with_ids(one.get("blocks", []), make_id=short_id)
    text = check_text(
        call.args.get("text"), has_content=bool(blocks or attachments) or not needed, updating=updating
    )
    return text, blocks, attachments


def thread(call: Call, channel: Channel) -> str:
    """The thread to reply in, if any. Raises Refused when it is not the ts of a root message."""
    ts = call.string("thread_ts")
    if not ts:
        return ""
    if not TS.fullmatch(ts):
        raise Refused(
            "invalid_thread_ts",
            response_metadata={"messages": [f"[ERROR] {ts:.40} is not a valid thread_ts"]},
        )
    root = channel.messages.get(ts)
    if root is None or root.thread_ts not in {"", ts}:
        raise Refused("thread_not_found")
    return ts


def own_message(call: Call, *, wrong: str) -> Message:
    """The message named by `ts`, which must be the caller's own. Raises Refused."""
    channel = call.channel()
    message = channel.messages.get(call.needed("ts", missing="message_not_found"))
    if message is None:
        raise Refused("message_not_found")
    if message.user != call.token.user:
        raise Refused(wrong)
    return message


def post_message(call: Call) -> Json:
    channel = target(call)
    text, blocks, attachments = content(call, updating=False)
    metadata: Any = call.structure("metadata", broken="invalid_metadata_format")
    message = call.workspace.post(
        channel,
        call.token.user,
        text,
        blocks=blocks,
        attachments=attachments,
        thread_ts=thread(call, channel),
        broadcast=call.flag("reply_broadcast"),
        metadata=check_metadata(metadata) if metadata is not None else None,
    )
    return {"channel": channel.id, "ts": message.ts, "message": call.workspace.shown(message)}


def update(call: Call) -> Json:
    message = own_message(call, wrong="cant_update_message")
    given = {name for name in ("text", "blocks", "attachments") if call.args.get(name) is not None}
    if call.string("markdown_text"):
        given.add("blocks")
    text, blocks, attachments = content(call, updating=True, needed=not given - {"text"})
    # What is not given stays: blocks go away only with an empty list.
    changes: Json = {}
    if "text" in given:
        changes["text"] = text
    if "blocks" in given:
        check_rich_text_stays(message.blocks, blocks)
        changes["blocks"] = blocks
    if "attachments" in given:
        changes["attachments"] = attachments
    metadata: Any = call.structure("metadata", broken="invalid_metadata_format")
    if metadata is not None:
        changes["metadata"] = check_metadata(metadata)
    call.workspace.edit(message, by=call.token.user, **changes)
    shown = call.workspace.shown(message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def delete(call: Call) -> Json:
    message = own_message(call, wrong="cant_delete_message")
    call.workspace.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def post_ephemeral(call: Call) -> Json:
    channel = target(call)
    user = call.needed("user", missing="user_not_found")
    if user not in call.workspace.people:
        raise Refused("user_not_found")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    text, blocks, attachments = content(call, updating=False)
    message = call.workspace.post_ephemeral(
        channel, user, text, blocks=blocks, attachments=attachments, thread_ts=thread(call, channel)
    )
    return {"message_ts": message.ts}


def get_permalink(call: Call) -> Json:
    channel = call.channel()
    message = channel.messages.get(call.string("message_ts"))
    if message is None:
        raise Refused("message_not_found")
    return {"channel": channel.id, "permalink": call.workspace.permalink(message)}


def schedule(call: Call) -> Json:
    channel = target(call)
    text, blocks, attachments = content(call, updating=False)
    post_at = call.string("post_at")
    if not post_at.isdecimal():
        raise Refused("invalid_time")
    workspace = call.workspace
    delay = int(post_at) - workspace.clock()
    if delay < 0:
        raise Refused("time_in_past")
    if delay > SCHEDULE_DAYS * 86_400:
        raise Refused("time_too_far")
    name, thread_ts, user = make_id("Q"), thread(call, channel), call.token.user

    async def later() -> None:
        await asyncio.sleep(delay)
        if workspace.scheduled.pop(name, None) is not None:
            workspace.post(channel, user, text, blocks=blocks, attachments=attachments, thread_ts=thread_ts)

    workspace.scheduled[name] = {"channel": channel.id, "post_at": int(post_at)}
    call.delivery.spawn(later())
    message = {"type": "delayed_message", "text": text, "bot_id": workspace.seed.app.bot_id, "user": user}
    return {
        "channel": channel.id,
        "scheduled_message_id": name,
        "post_at": int(post_at),
        "message": message,
    }


def delete_scheduled(call: Call) -> Json:
    found = call.workspace.scheduled.get(call.string("scheduled_message_id"))
    if found is None or found["channel"] != call.channel().id:
        raise Refused("invalid_scheduled_message_id")
    del call.workspace.scheduled[call.string("scheduled_message_id")]
    return {}


METHODS = (
    Method(name="chat.postMessage", run=post_message, tier=Tier.POST, scope="chat:write"),
    Method(name="chat.update", run=update, tier=Tier.T3, scope="chat:write"),
    Method(name="chat.delete", run=delete, tier=Tier.T3, scope="chat:write"),
    Method(name="chat.postEphemeral", run=post_ephemeral, tier=Tier.T4, scope="chat:write"),
    Method(name="chat.getPermalink", run=get_permalink, tier=Tier.T4),
    Method(name="chat.scheduleMessage", run=schedule, tier=Tier.T3, scope="chat:write"),
    Method(name="chat.deleteScheduledMessage", run=delete_scheduled, tier=Tier.T3, scope="chat:write"),
)
