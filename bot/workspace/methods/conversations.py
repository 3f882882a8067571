"""conversations.*: channels, their members and what was said in them.

Every kind of conversation has its own scopes (channels, groups, im, mpim).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from bot.workspace.limits import Tier
from bot.workspace.records import Channel, Json, Message
from bot.workspace.state import make_id
from bot.workspace.validate import Refused
from bot.workspace.webapi import Call, Method

FAMILY = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}
KIND = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
NAME = re.compile(r"[a-z0-9_-]{1,80}")


def readable(call: Call, what: str) -> Channel:
    """The channel, if the token's scopes allow reading `what` (read, history) of its kind."""
    channel = call.channel()
    call.need_scope(f"{FAMILY[channel.kind]}:{what}")
    return channel


def page(call: Call, items: Sequence[Json], *, default: int, most: int) -> tuple[list[Json], Json]:
    """One page of items by `cursor` and `limit`, and its response_metadata."""
    limit = call.number("limit", default, most=most)
    cursor = call.string("cursor")
    start = 0
    if cursor:
        try:
            start = int(base64.urlsafe_b64decode(cursor).removeprefix(b"at:"))
        except ValueError:
            start = -1
        if start < 0:
            raise Refused("invalid_cursor")
    end = start + limit
    following = base64.urlsafe_b64encode(b"at:%d" % end).decode() if end < len(items) else ""
    return list(items[start:end]), {"response_metadata": {"next_cursor": following}}


def list_(call: Call) -> Json:
    kinds = call.listed("types") or ["public_channel"]
    for kind in kinds:
        if kind not in KIND:
            raise Refused("invalid_types")
        call.need_scope(f"{FAMILY[KIND[kind]]}:read")
    wanted = {KIND[kind] for kind in kinds}
    found = [
        one.to_slack(seen_by=call.token.user)
        for one in call.workspace.channels.values()
        if one.kind in wanted
        and call.workspace.may_see(one, call.token.user)
        and not (one.archived and call.flag("exclude_archived"))
    ]
    items, meta = page(call, found, default=100, most=1000)
    return {"channels": items, **meta}


def info(call: Call) -> Json:
    return {"channel": readable(call, "read").to_slack(seen_by=call.token.user)}


def members(call: Call) -> Json:
    channel = readable(call, "read")
    items, meta = page(call, [{"id": one} for one in channel.members], default=100, most=1000)
    return {"members": [one["id"] for one in items], **meta}


def _messages(call: Call, channel: Channel, messages: Sequence[Message]) -> Json:
    oldest, latest = call.string("oldest") or "0", call.string("latest")
    inclusive = call.flag("inclusive")

    def inside(ts: str) -> bool:
        if inclusive and ts in {oldest, latest}:
            return True
        return float(ts) > float(oldest) and (not latest or float(ts) < float(latest))

    try:
        chosen = [one for one in messages if inside(one.ts)]
    except ValueError:
        raise Refused("invalid_ts_oldest") from None
    shown = []
    for one in chosen:
        body = call.workspace.shown(one)
        if one.metadata is not None and call.flag("include_all_metadata"):
            body["metadata"] = one.metadata
        if one.ts in channel.pins:
            body["pinned_to"] = [channel.id]
        shown.append(body)
    items, meta = page(call, shown, default=100, most=999)
    more = bool(meta["response_metadata"]["next_cursor"])
    return {"messages": items, "has_more": more, **meta}


def history(call: Call) -> Json:
    channel = readable(call, "history")
    if call.token.user not in channel.members:
        raise Refused("not_in_channel")
    roots = [one for one in channel.messages.values() if not one.thread_ts or one.broadcast]
    return _messages(call, channel, roots[::-1]) | {"pin_count": len(channel.pins)}


def replies(call: Call) -> Json:
    channel = readable(call, "history")
    if call.token.user not in channel.members:
        raise Refused("not_in_channel")
    asked = channel.messages.get(call.needed("ts"))
    if asked is None:
        raise Refused("thread_not_found")
    root = channel.messages.get(asked.thread_ts or asked.ts, asked)
    return _messages(call, channel, [root, *channel.thread(root.ts)])


def open_(call: Call) -> Json:
    name = call.string("channel")
    if name:
        return {"channel": {"id": call.channel().id}}
    users = call.listed("users")
    if not users:
        raise Refused("users_list_not_supplied")
    for user in users:
        person = call.workspace.people.get(user)
        if person is None:
            raise Refused("user_not_found")
        if person.deleted:
            raise Refused("user_disabled")
    call.need_scope("im:write" if len(users) == 1 else "mpim:write")
    channel, new = call.workspace.direct([call.token.user, *users])
    shown = channel.to_slack(seen_by=call.token.user) if call.flag("return_im") else {"id": channel.id}
    return {"channel": shown, **({} if new else {"already_open": True, "no_op": True})}


def create(call: Call) -> Json:
    name = call.string("name").removeprefix("#")
    private = call.flag("is_private")
    call.need_scope("groups:write" if private else "channels:manage")
    if not name:
        raise Refused("invalid_name_required")
    if not NAME.fullmatch(name):
        raise Refused("invalid_name_specials")
    if call.workspace.channel(name) is not None:
        raise Refused("name_taken")
    channel = Channel(
        id=make_id("C"),
        name=name,
        kind="private" if private else "public",
        members=[call.token.user],
        creator=call.token.user,
        created=int(call.workspace.clock()),
    )
    call.workspace.channels[channel.id] = channel
    call.workspace.changes.note("channel", channel=channel.id)
    return {"channel": channel.to_slack(seen_by=call.token.user)}


def invite(call: Call) -> Json:
    channel = call.channel()
    call.need_scope("groups:write" if channel.kind == "private" else "channels:manage")
    if call.token.user not in channel.members:
        raise Refused("not_in_channel")
    users = call.listed("users")
    if not users:
        raise Refused("no_user")
    for user in users:
        if user not in call.workspace.people:
            raise Refused("user_not_found")
        if user == call.token.user:
            raise Refused("cant_invite_self")
        if user in channel.members:
            raise Refused("already_in_channel")
    for user in users:
        call.workspace.join(channel, user, inviter=call.token.user)
    return {"channel": channel.to_slack(seen_by=call.token.user)}


def join(call: Call) -> Json:
    channel = call.channel()
    if channel.kind != "public":
        raise Refused("method_not_supported_for_channel_type")
    call.need_scope("channels:join")
    if channel.archived:
        raise Refused("is_archived")
    new = call.workspace.join(channel, call.token.user)
    shown = channel.to_slack(seen_by=call.token.user)
    return {"channel": shown, **({} if new else {"warning": "already_in_channel"})}


METHODS = (
    Method(name="conversations.list", run=list_, tier=Tier.T2),
    Method(name="conversations.info", run=info, tier=Tier.T3),
    Method(name="conversations.members", run=members, tier=Tier.T4),
    Method(name="conversations.history", run=history, tier=Tier.T3),
    Method(name="conversations.replies", run=replies, tier=Tier.T3),
    Method(name="conversations.open", run=open_, tier=Tier.T3),
    Method(name="conversations.create", run=create, tier=Tier.T2),
    Method(name="conversations.invite", run=invite, tier=Tier.T3),
    Method(name="conversations.join", run=join, tier=Tier.T3),
)
