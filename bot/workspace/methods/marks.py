"""reactions.*, pins.*, bookmarks.add and search.messages: marks on messages, and finding them."""

from __future__ import annotations

import re

from bot.workspace.limits import Tier
from bot.workspace.records import Channel, Json, Message
from bot.workspace.state import make_id
from bot.workspace.validate import Refused
from bot.workspace.webapi import Call, Method, invalid

EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")
MOST_PINS = 100
SEARCH_PAGE = 100


def _message(call: Call) -> tuple[Channel, Message]:
    channel = call.channel()
    message = channel.messages.get(call.string("timestamp"))
    if message is None:
        raise Refused("message_not_found")
    return channel, message


def reactions_add(call: Call) -> Json:
    _, message = _message(call)
    name = call.string("name").strip(":")
    if not EMOJI.fullmatch(name):
        raise Refused("invalid_name")
    if not call.workspace.react(message, user=call.token.user, name=name):
        raise Refused("already_reacted")
    return {}


def reactions_remove(call: Call) -> Json:
    _, message = _message(call)
    if not call.workspace.unreact(message, user=call.token.user, name=call.string("name").strip(":")):
        raise Refused("no_reaction")
    return {}


def reactions_get(call: Call) -> Json:
    channel, message = _message(call)
    return {"type": "message", "channel": channel.id, "message": call.workspace.shown(message)}


def pins_add(call: Call) -> Json:
    channel, message = _message(call)
    if message.ts in channel.pins:
        raise Refused("already_pinned")
    if len(channel.pins) >= MOST_PINS:
        raise Refused("too_many_pins")
    channel.pins[message.ts] = {
        "type": "message",
        "created": int(call.workspace.clock()),
        "created_by": call.token.user,
        "channel": channel.id,
    }
    call.workspace.changes.note("channel", channel=channel.id)
    return {}


def pins_remove(call: Call) -> Json:
    channel, message = _message(call)
    if channel.pins.pop(message.ts, None) is None:
        raise Refused("no_pin")
    call.workspace.changes.note("channel", channel=channel.id)
    return {}


def pins_list(call: Call) -> Json:
    channel = call.channel()
    items = [
        {**pin, "message": call.workspace.shown(channel.messages[ts])}
        for ts, pin in channel.pins.items()
        if ts in channel.messages
    ]
    return {"items": items}


def bookmarks_add(call: Call) -> Json:
    channel = call.channel("channel_id")
    title, kind, link = call.needed("title"), call.needed("type"), call.string("link")
    if kind != "link" or not link.startswith(("http://", "https://")):
        raise invalid("only bookmarks of type link with an http(s) address")
    bookmark = {
        "id": make_id("Bk"),
        "channel_id": channel.id,
        "title": title,
        "type": kind,
        "link": link,
        "emoji": call.string("emoji") or None,
        "date_created": int(call.workspace.clock()),
    }
    channel.bookmarks.append(bookmark)
    call.workspace.changes.note("channel", channel=channel.id)
    return {"bookmark": bookmark}


def search_messages(call: Call) -> Json:
    query = call.needed("query")
    wanted, channels, people = [], set(), set()
    for word in query.lower().split():
        if word.startswith("in:"):
            channels.add(word[3:].lstrip("#"))
        elif word.startswith("from:"):
            people.add(word[5:].lstrip("@"))
        else:
            wanted.append(word.strip('"'))
    matches = []
    for channel in call.workspace.channels.values():
        if not call.workspace.may_see(channel, call.token.user) or (
            channels and channel.name not in channels
        ):
            continue
        for message in channel.messages.values():
            person = call.workspace.people[message.user]
            if people and person.name not in people:
                continue
            if all(word in message.text.lower() for word in wanted):
                matches.append((channel, message, person.name))
    matches.sort(key=lambda one: one[1].ts, reverse=True)
    count = call.number("count", 20, most=SEARCH_PAGE)
    start = (call.number("page", 1, most=100) - 1) * count
    shown = [
        {
            "iid": f"{channel.id}-{message.ts}",
            "team": call.workspace.seed.team.id,
            "channel": {"id": channel.id, "name": channel.name},
            "type": "message",
            "user": message.user,
            "username": name,
            "ts": message.ts,
            "text": message.text,
            "permalink": call.workspace.permalink(message),
        }
        for channel, message, name in matches[start : start + count]
    ]
    total = len(matches)
    paging = {"count": count, "total": total, "page": start // count + 1, "pages": -(-total // count)}
    return {"query": query, "messages": {"total": total, "paging": paging, "matches": shown}}


METHODS = (
    Method(name="reactions.add", run=reactions_add, tier=Tier.T3, scope="reactions:write"),
    Method(name="reactions.remove", run=reactions_remove, tier=Tier.T2, scope="reactions:write"),
    Method(name="reactions.get", run=reactions_get, tier=Tier.T3, scope="reactions:read"),
    Method(name="pins.add", run=pins_add, tier=Tier.T2, scope="pins:write"),
    Method(name="pins.remove", run=pins_remove, tier=Tier.T2, scope="pins:write"),
    Method(name="pins.list", run=pins_list, tier=Tier.T2, scope="pins:read"),
    Method(name="bookmarks.add", run=bookmarks_add, tier=Tier.T2, scope="bookmarks:write"),
    Method(
        name="search.messages",
        run=search_messages,
        tier=Tier.T2,
        scope="search:read",
        kinds=frozenset({"user"}),
    ),
)
