"""The control API: what a person does on the page, what a test wants to know, and the faults.

The browser page uses it too, so a vote that a test casts takes the same way as a click. Every
route is under /_control and speaks JSON; a mistake is answered with {"ok": false, "error": "..."}.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.workspace.delivery import Delivery, Outcome
from bot.workspace.faults import FaultError, parse_fault
from bot.workspace.interactions import NOT_ANSWERED, Interactions, NotPossibleError
from bot.workspace.payloads import view_json
from bot.workspace.records import Channel, Json, Message, Person, View
from bot.workspace.seed import Rate
from bot.workspace.state import Workspace

MOST_WAIT = 60.0
HEARTBEAT = 15.0
FILE_SHOWN = 1 << 20


class Control:
    """All routes of /_control."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery
        self._acts = Interactions(workspace, delivery)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_control/state", self._answers(self._state)),
            web.get("/_control/messages", self._answers(self._messages)),
            web.get("/_control/views", self._answers(self._views)),
            web.get("/_control/home", self._answers(self._home)),
            web.get("/_control/changes", self._answers(self._changes)),
            web.get("/_control/deliveries", self._answers(self._deliveries)),
            web.get("/_control/files/{file}", self._answers(self._file)),
            web.get("/_control/stream", self.stream),
            web.post("/_control/messages", self._answers(self._say)),
            web.post("/_control/messages/edit", self._answers(self._edit)),
            web.post("/_control/messages/delete", self._answers(self._delete)),
            web.post("/_control/reactions", self._answers(self._react)),
            web.post("/_control/read", self._answers(self._read)),
            web.post("/_control/members", self._answers(self._join)),
            web.post("/_control/direct", self._answers(self._direct)),
            web.post("/_control/home", self._answers(self._open_home)),
            web.post("/_control/actions", self._answers(self._press)),
            web.post("/_control/views/submit", self._answers(self._submit)),
            web.post("/_control/views/close", self._answers(self._close)),
            web.post("/_control/commands", self._answers(self._command)),
            web.post("/_control/shortcuts", self._answers(self._shortcut)),
            web.get("/_control/faults", self._answers(self._faults)),
            web.post("/_control/faults", self._answers(self._add_fault)),
            web.delete("/_control/faults", self._answers(self._clear_faults)),
            web.post("/_control/sockets", self._answers(self._sockets)),
            web.post("/_control/rate", self._answers(self._rate)),
        ]

    def _answers(
        self, handler: Callable[[web.Request, Json], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                given = await _arguments(request)
                return web.json_response({"ok": True, **await handler(request, given)})
            except (NotPossibleError, FaultError) as error:
                status = error.status if isinstance(error, NotPossibleError) else 400
                return web.json_response({"ok": False, "error": str(error)}, status=status)

        return answer

    # reading

    async def _state(self, _request: web.Request, given: Json) -> Json:
        workspace, seed = self._workspace, self._workspace.seed
        person = self._person(given)
        channels = [
            self._channel_line(one, person)
            for one in workspace.channels.values()
            if workspace.may_see(one, person.id)
        ]
        return {
            "seq": workspace.changes.seq,
            "team": {"id": seed.team.id, "name": seed.team.name},
            "me": person.id,
            "people": [
                {
                    "id": one.id,
                    "name": one.name,
                    "real_name": one.real_name,
                    "title": one.title,
                    "is_bot": one.is_bot,
                    "deleted": one.deleted,
                }
                for one in workspace.people.values()
            ],
            "groups": [{"id": one.id, "handle": one.handle} for one in workspace.groups.values()],
            "channels": channels,
            "app": {
                "id": seed.app.id,
                "name": seed.app.name,
                "bot_user_id": seed.app.bot_user_id,
                "commands": [
                    {"command": one.command, "description": one.description, "usage_hint": one.usage_hint}
                    for one in seed.app.commands
                ],
                "shortcuts": [
                    {"name": one.name, "type": one.type, "callback_id": one.callback_id}
                    for one in seed.app.shortcuts
                ],
                "connections": self._delivery.sockets.count,
                "mode": "http" if self._delivery.request_url else "socket",
            },
            "rate": workspace.limiter.mode,
        }

    async def _messages(self, _request: web.Request, given: Json) -> Json:
        person, channel = self._person(given), self._channel(given)
        if not self._workspace.may_see(channel, person.id):
            raise NotPossibleError(f"{person.name} does not see this channel.", status=403)
        thread = _string(given, "thread_ts")
        shown = [
            self._workspace.shown(one)
            for one in self._workspace.in_channel(channel, user=person.id)
            if (thread in {one.ts, one.thread_ts} if thread else not one.thread_ts or one.broadcast)
        ]
        return {"seq": self._workspace.changes.seq, "channel": channel.id, "messages": shown}

    async def _views(self, _request: web.Request, given: Json) -> Json:
        stack = self._workspace.modals.stack(self._person(given).id)
        shown = [view_json(self._workspace, one) | {"errors": one.errors} for one in stack]
        return {"seq": self._workspace.changes.seq, "views": shown}

    async def _home(self, _request: web.Request, given: Json) -> Json:
        home = self._workspace.modals.homes.get(self._person(given).id)
        shown = view_json(self._workspace, home) if home else None
        return {"seq": self._workspace.changes.seq, "view": shown}

    async def _changes(self, _request: web.Request, given: Json) -> Json:
        """Long poll: notes younger than `after`, waiting up to `wait` seconds."""
        changes = self._workspace.changes
        after, wait = _number(given, "after"), min(_number(given, "wait"), MOST_WAIT)
        found = await changes.wait(int(after), seconds=wait)
        return {
            "seq": changes.seq,
            "lost": changes.lost(int(after)),
            "changes": [one.to_json() for one in found],
        }

    async def _deliveries(self, _request: web.Request, _given: Json) -> Json:
        return {"deliveries": self._delivery.attempts(), "seq": self._workspace.changes.seq}

    async def _file(self, request: web.Request, _given: Json) -> Json:
        file = self._workspace.files.get(request.match_info["file"])
        if file is None or file.content is None:
            raise NotPossibleError("There is no such file.", status=404)
        shown = file.content[:FILE_SHOWN].decode("utf-8", "replace")
        return {"name": file.name, "title": file.title, "content": shown}

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: every note as it happens."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        changes = self._workspace.changes
        seq = changes.seq
        try:
            await response.write(b"event: ready\ndata: {}\n\n")
            while not changes.closed:
                found = await changes.wait(seq, seconds=HEARTBEAT)
                if changes.lost(seq):
                    await response.write(b"event: lost\ndata: {}\n\n")
                seq = changes.seq
                lines = "".join(f"data: {json.dumps(one.to_json())}\n\n" for one in found)
                await response.write((lines or ": still here\n\n").encode())
        except ConnectionError:
            pass
        return response

    # acting

    async def _say(self, _request: web.Request, given: Json) -> Json:
        message = self._acts.say(
            self._person(given),
            self._channel(given),
            _string(given, "text"),
            thread_ts=_string(given, "thread_ts"),
        )
        return {"message": self._workspace.shown(message)}

    async def _edit(self, _request: web.Request, given: Json) -> Json:
        """Somebody changes a message: their own, or as an administrator anybody's."""
        person, message = self._person(given), self._message(given)
        self._workspace.edit(message, by=person.id, text=_string(given, "text"), blocks=[])
        return {"message": self._workspace.shown(message)}

    async def _delete(self, _request: web.Request, given: Json) -> Json:
        """Somebody deletes a message; an ephemeral one is dismissed."""
        self._person(given)
        self._workspace.delete(self._message(given))
        return {}

    async def _react(self, _request: web.Request, given: Json) -> Json:
        person, message, name = self._person(given), self._message(given), _string(given, "name")
        if not name or len(name) > 100:
            raise NotPossibleError("Give the emoji's name.")
        if not self._workspace.react(message, user=person.id, name=name):
            self._workspace.unreact(message, user=person.id, name=name)
        return {}

    async def _read(self, _request: web.Request, given: Json) -> Json:
        person, channel = self._person(given), self._channel(given)
        latest = max(channel.messages, default="")
        if channel.last_read.get(person.id, "") < latest:
            channel.last_read[person.id] = latest
            self._workspace.changes.note("read", channel=channel.id, user=person.id)
        return {}

    async def _join(self, _request: web.Request, given: Json) -> Json:
        person, channel = self._person(given), self._channel(given)
        inviter = _string(given, "inviter")
        if channel.kind in {"im", "mpim"}:
            raise NotPossibleError("Nobody joins direct messages.")
        if channel.kind == "private" and inviter not in channel.members:
            raise NotPossibleError("Somebody in the private channel has to be the inviter.", status=403)
        return {"joined": self._workspace.join(channel, person.id, inviter=inviter)}

    async def _direct(self, _request: web.Request, given: Json) -> Json:
        person, other = self._person(given), self._person({"as": _string(given, "with")})
        channel, _ = self._workspace.direct([person.id, other.id])
        return {"channel": channel.id}

    async def _open_home(self, _request: web.Request, given: Json) -> Json:
        self._acts.open_home(self._person(given))
        return {}

    async def _press(self, _request: web.Request, given: Json) -> Json:
        person = self._person(given)
        container = self._view(given, person) if given.get("view_id") else self._message(given, person)
        outcome = await self._acts.press(
            person,
            container,
            _string(given, "action_id"),
            block_id=_string(given, "block_id"),
            raw=given.get("value"),
            values=_values(given),
        )
        return _told(outcome)

    async def _submit(self, _request: web.Request, given: Json) -> Json:
        person = self._person(given)
        return _told(await self._acts.submit(person, self._view(given, person), _values(given)))

    async def _close(self, _request: web.Request, given: Json) -> Json:
        person = self._person(given)
        view = self._view(given, person)
        return _told(await self._acts.dismiss(person, view, everything=given.get("everything") is True))

    async def _command(self, _request: web.Request, given: Json) -> Json:
        return _told(
            await self._acts.command(self._person(given), self._channel(given), _string(given, "command"))
        )

    async def _shortcut(self, _request: web.Request, given: Json) -> Json:
        person = self._person(given)
        message = self._message(given, person) if given.get("ts") else None
        return _told(await self._acts.shortcut(person, _string(given, "callback_id"), message))

    # faults

    async def _faults(self, _request: web.Request, _given: Json) -> Json:
        return {"faults": self._workspace.faults.to_json()}

    async def _add_fault(self, _request: web.Request, given: Json) -> Json:
        self._workspace.faults.add(parse_fault(given))
        return {"faults": self._workspace.faults.to_json()}

    async def _clear_faults(self, _request: web.Request, _given: Json) -> Json:
        self._workspace.faults.clear()
        return {}

    async def _sockets(self, _request: web.Request, given: Json) -> Json:
        match given.get("do"):
            case "cut":
                return {"connections": self._delivery.sockets.cut_all()}
            case "refresh":
                return {"connections": await self._delivery.sockets.disconnect_all("refresh_requested")}
            case "warning":
                return {"connections": await self._delivery.sockets.disconnect_all("warning")}
            case _:
                raise NotPossibleError("`do` is one of cut, refresh, warning.")

    async def _rate(self, _request: web.Request, given: Json) -> Json:
        mode = _string(given, "mode")
        if mode not in set(Rate):
            raise NotPossibleError(f"`mode` is one of {', '.join(Rate)}.")
        self._workspace.limiter.set_mode(Rate(mode))
        return {}

    # finding

    def _person(self, given: Json) -> Person:
        """Who acts: by id, by user name or by e-mail."""
        name = _string(given, "as") or next(one.id for one in self._workspace.humans())
        for one in self._workspace.people.values():
            if name in {one.id, one.name, one.email} and not one.deleted:
                return one
        raise NotPossibleError(f"There is nobody called {name!r} here.", status=404)

    def _channel(self, given: Json) -> Channel:
        channel = self._workspace.channel(_string(given, "channel"))
        if channel is None:
            raise NotPossibleError(f"There is no channel {_string(given, 'channel')!r}.", status=404)
        return channel

    def _message(self, given: Json, person: Person | None = None) -> Message:
        channel, ts = self._channel(given), _string(given, "ts")
        if ts in channel.messages:
            return channel.messages[ts]
        for one in self._workspace.ephemerals:
            if (
                one.ts == ts
                and one.channel == channel.id
                and (person is None or one.ephemeral_to == person.id)
            ):
                return one
        raise NotPossibleError("That message does not exist (any more).", status=404)

    def _view(self, given: Json, person: Person) -> View:
        view = self._workspace.modals.find(_string(given, "view_id"))
        if view is None or view.owner != person.id:
            raise NotPossibleError("That view is not open (any more).", status=404)
        return view

    def _channel_line(self, channel: Channel, person: Person) -> Json:
        read = channel.last_read.get(person.id, "")
        unread = sum(
            one.ts > read and one.user != person.id and not one.thread_ts for one in channel.messages.values()
        )
        others = [one for one in channel.members if one != person.id]
        return {
            "id": channel.id,
            "name": channel.name,
            "kind": channel.kind,
            "topic": channel.topic,
            "is_member": person.id in channel.members,
            "members": list(channel.members),
            "with": others[0] if channel.kind == "im" and others else "",
            "unread": unread if person.id in channel.members else 0,
            "pins": list(channel.pins),
            "bookmarks": channel.bookmarks,
        }


def _told(outcome: Outcome) -> Json:
    body: Json = {"acked": outcome.acked, "why": outcome.why, "answer": outcome.payload}
    return body if outcome.acked else body | {"notice": NOT_ANSWERED}


async def _arguments(request: web.Request) -> Json:
    if request.method == "GET":
        return dict(request.query)
    raw = await request.text()
    try:
        body = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        raise NotPossibleError("The body must be JSON.") from None
    if not isinstance(body, dict):
        raise NotPossibleError("The body must be a JSON object.")
    return body


def _string(given: Json, name: str) -> str:
    value: Any = given.get(name, "")
    if not isinstance(value, str):
        raise NotPossibleError(f"{name} must be a string.")
    return value


def _number(given: Json, name: str) -> float:
    try:
        return max(0.0, float(given.get(name, 0)))
    except (TypeError, ValueError):
        raise NotPossibleError(f"{name} must be a number.") from None


def _values(given: Json) -> Json:
    values = given.get("values") or {}
    if not isinstance(values, dict):
        raise NotPossibleError("values must be an object.")
    return values
