"""The workspace itself: who is in it, what has been said, and what the app hears of it.

Everything happens on one event loop and without awaiting, so a request sees and leaves a
consistent workspace. Rules of single Web API methods are in `methods/`; what a person does is in
`interactions.py`.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from bot.workspace.changes import Changes
from bot.workspace.faults import Faults
from bot.workspace.limits import RateLimiter
from bot.workspace.modals import Modals
from bot.workspace.records import Blocks, Channel, File, Group, Json, Message, Person
from bot.workspace.seed import Seed, Token
from bot.workspace.tickets import Tickets

ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SUBSCRIPTION = {
    "public": "message.channels",
    "private": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}
TS = re.compile(r"\d{1,12}\.\d{6}")


def make_id(prefix: str) -> str:
    """A fresh id in Slack's manner, as C0A1B2C3D4E."""
    return prefix + "0" + "".join(secrets.choice(ID_LETTERS) for _ in range(9))


class Workspace:
    """People, channels and messages of one team with one installed app."""

    def __init__(self, seed: Seed, *, clock: Callable[[], float] = time.time) -> None:
        self.seed = seed
        self.clock = clock
        self.base_url = ""
        self.changes = Changes()
        self.faults = Faults()
        self.limiter = RateLimiter(clock=clock, mode=seed.rate)
        self.tickets = Tickets(
            clock=clock,
            trigger_seconds=seed.timings.trigger_seconds,
            response_url_seconds=seed.timings.response_url_seconds,
        )
        self.modals = Modals(changes=self.changes)
        self.on_event: Callable[[Json], None] = lambda _event: None
        self.people = {
            one.id: Person(
                id=one.id,
                name=one.name,
                real_name=one.real_name,
                email=one.email,
                title=one.title,
                deleted=one.deleted,
                guest=one.guest,
                stranger=one.stranger,
                email_confirmed=one.email_confirmed,
            )
            for one in seed.people
        }
        app = seed.app
        self.people[app.bot_user_id] = Person(
            id=app.bot_user_id, name=app.name.lower(), real_name=app.name, bot_id=app.bot_id
        )
        self.groups = {
            one.id: Group(id=one.id, handle=one.handle, name=one.name, users=list(one.users))
            for one in seed.groups
        }
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.ephemerals: list[Message] = []
        self.scheduled: dict[str, Json] = {}
        self._last_micros = 0
        everybody = [one.id for one in seed.people if not one.deleted]
        for one in seed.channels:
            members = list(one.members) if one.members is not None else list(everybody)
            if one.app_is_member and app.bot_user_id not in members:
                members.append(app.bot_user_id)
            self.channels[one.id] = Channel(
                id=one.id,
                name=one.name,
                kind="private" if one.private else "public",
                members=members,
                creator=members[0] if members else app.bot_user_id,
                created=int(clock()),
                topic=one.topic,
            )

    # finding

    def token(self, presented: str) -> Token | None:
        """The seeded token, compared in constant time."""
        found = None
        for token in self.seed.tokens:
            if hmac.compare_digest(token.token.encode(), presented.encode()):
                found = token
        return found

    def channel(self, name: str) -> Channel | None:
        """A channel by id, by `#name` or by name."""
        if name in self.channels:
            return self.channels[name]
        bare = name.removeprefix("#")
        return next((one for one in self.channels.values() if one.name and one.name == bare), None)

    def bot(self) -> Person:
        return self.people[self.seed.app.bot_user_id]

    def humans(self) -> list[Person]:
        return [one for one in self.people.values() if not one.is_bot and not one.deleted]

    def may_see(self, channel: Channel, user: str) -> bool:
        return channel.kind == "public" or user in channel.members

    def in_channel(self, channel: Channel, *, user: str) -> Iterator[Message]:
        """All messages, with the ephemeral ones that this person sees, oldest first."""
        own = [one for one in self.ephemerals if one.channel == channel.id and one.ephemeral_to == user]
        yield from sorted([*channel.messages.values(), *own], key=lambda one: one.ts)

    # speaking

    def next_ts(self) -> str:
        """A time-stamp that no other message has."""
        self._last_micros = max(self._last_micros + 1, int(self.clock() * 1_000_000))
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def post(
        self,
        channel: Channel,
        user: str,
        text: str,
        *,
        blocks: Blocks | None = None,
        attachments: list[Json] | None = None,
        thread_ts: str = "",
        broadcast: bool = False,
        metadata: Json | None = None,
        files: list[Json] | None = None,
        subtype: str = "",
        extra: Json | None = None,
    ) -> Message:
        """Add a message; the app hears of it if it is subscribed and a member."""
        message = self._message(channel, user, text, blocks=blocks, attachments=attachments, extra=extra)
        message.thread_ts = thread_ts
        message.broadcast = broadcast
        message.metadata = metadata
        message.files = files or []
        message.subtype = subtype or ("thread_broadcast" if broadcast and thread_ts else "")
        channel.messages[message.ts] = message
        if user in self.people and not self.people[user].is_bot:
            channel.last_read[user] = message.ts
        self.changes.note("message", channel=channel.id, ts=message.ts, thread_ts=thread_ts)
        self._tell_of_message(channel, {**self.shown(message), "event_ts": message.ts})
        return message

    def post_ephemeral(
        self,
        channel: Channel,
        to: str,
        text: str,
        *,
        blocks: Blocks | None = None,
        attachments: list[Json] | None = None,
        thread_ts: str = "",
    ) -> Message:
        """A message from the app that one person sees, and nobody after a reload of Slack."""
        message = self._message(
            channel, self.seed.app.bot_user_id, text, blocks=blocks, attachments=attachments, extra=None
        )
        message.ephemeral_to = to
        message.thread_ts = thread_ts
        self.ephemerals.append(message)
        self.changes.note("ephemeral", channel=channel.id, ts=message.ts, user=to, thread_ts=thread_ts)
        return message

    def edit(self, message: Message, *, by: str, **fields: Any) -> None:
        """Change fields of a message (text, blocks, ...) and mark it as edited."""
        before = self.shown(message)
        for name, value in fields.items():
            setattr(message, name, value)
        message.edited = {"user": by, "ts": self.next_ts()}
        self.changes.note("message", channel=message.channel, ts=message.ts, thread_ts=message.thread_ts)
        if not message.ephemeral_to:
            changed = {"message": self.shown(message), "previous_message": before}
            self._tell_of_change(self.channels[message.channel], "message_changed", changed)

    def delete(self, message: Message) -> None:
        """Take a message away."""
        channel = self.channels[message.channel]
        if message.ephemeral_to:
            self.ephemerals.remove(message)
        else:
            del channel.messages[message.ts]
            gone = {"deleted_ts": message.ts, "previous_message": self.shown(message)}
            self._tell_of_change(channel, "message_deleted", gone)
        self.changes.note(
            "deleted",
            channel=channel.id,
            ts=message.ts,
            thread_ts=message.thread_ts,
            user=message.ephemeral_to,
        )

    def shown(self, message: Message) -> Json:
        """The message as everybody gets it, with its thread's counts."""
        body = message.to_slack(self.seed.team.id)
        if not message.thread_ts and not message.ephemeral_to:
            replies = self.channels[message.channel].thread(message.ts)
            if replies:
                body |= {
                    "thread_ts": message.ts,
                    "reply_count": len(replies),
                    "reply_users": list(dict.fromkeys(one.user for one in replies)),
                    "reply_users_count": len({one.user for one in replies}),
                    "latest_reply": replies[-1].ts,
                }
        if message.bot_id:
            body["bot_profile"] = {
                "id": message.bot_id,
                "app_id": message.app_id,
                "name": self.seed.app.name,
                "deleted": False,
                "team_id": self.seed.team.id,
            }
        return body

    def permalink(self, message: Message) -> str:
        link = f"{self.base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
        if message.thread_ts:
            link += f"?thread_ts={message.thread_ts}&cid={message.channel}"
        return link

    def react(self, message: Message, *, user: str, name: str) -> bool:
        """Add a reaction; False when it was there."""
        users = message.reactions.setdefault(name, [])
        if user in users:
            return False
        users.append(user)
        self.changes.note("message", channel=message.channel, ts=message.ts, thread_ts=message.thread_ts)
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        self.tell(
            "reaction_added",
            {
                "type": "reaction_added",
                "user": user,
                "reaction": name,
                "item": item,
                "item_user": message.user,
            },
        )
        return True

    def unreact(self, message: Message, *, user: str, name: str) -> bool:
        """Take a reaction away; False when it was not there."""
        users = message.reactions.get(name, [])
        if user not in users:
            return False
        users.remove(user)
        if not users:
            del message.reactions[name]
        self.changes.note("message", channel=message.channel, ts=message.ts, thread_ts=message.thread_ts)
        return True

    # channels

    def join(self, channel: Channel, user: str, *, inviter: str = "") -> bool:
        """Make somebody a member; False when they were one."""
        if user in channel.members:
            return False
        channel.members.append(user)
        event = {
            "type": "member_joined_channel",
            "user": user,
            "channel": channel.id,
            "channel_type": "C" if channel.kind == "public" else "G",
            "team": self.seed.team.id,
        }
        if inviter:
            event["inviter"] = inviter
        self.changes.note("channel", channel=channel.id)
        self.post(channel, user, f"<@{user}> has joined the channel", subtype="channel_join")
        if self.seed.app.bot_user_id in channel.members:
            self.tell("member_joined_channel", event)
        return True

    def direct(self, users: list[str]) -> tuple[Channel, bool]:
        """The direct conversation of exactly these members, and whether it is new."""
        wanted = set(users)
        for channel in self.channels.values():
            if channel.kind in {"im", "mpim"} and set(channel.members) == wanted:
                return channel, False
        kind = "im" if len(wanted) == 2 else "mpim"
        channel = Channel(
            id=make_id("D" if kind == "im" else "G"),
            name="" if kind == "im" else "mpdm-" + "--".join(self.people[one].name for one in users) + "-1",
            kind="im" if kind == "im" else "mpim",
            members=list(dict.fromkeys(users)),
            creator=users[0],
            created=int(self.clock()),
        )
        self.channels[channel.id] = channel
        self.changes.note("channel", channel=channel.id)
        return channel, True

    # what the app hears

    def tell(self, subscription: str, event: Json) -> None:
        """Send an event to the app if it is subscribed to it."""
        if subscription in self.seed.app.events:
            self.on_event({"event_ts": self.next_ts(), **event})

    def _tell_of_message(self, channel: Channel, event: Json) -> None:
        if self.seed.app.bot_user_id in channel.members:
            kind = {"public": "channel", "private": "group"}.get(channel.kind, channel.kind)
            self.tell(SUBSCRIPTION[channel.kind], {**event, "channel": channel.id, "channel_type": kind})

    def _tell_of_change(self, channel: Channel, subtype: str, what: Json) -> None:
        ts = self.next_ts()
        self._tell_of_message(
            channel, {"type": "message", "subtype": subtype, "hidden": True, "ts": ts, "event_ts": ts, **what}
        )

    def _message(
        self,
        channel: Channel,
        user: str,
        text: str,
        *,
        blocks: Blocks | None,
        attachments: list[Json] | None,
        extra: Json | None,
    ) -> Message:
        speaker = self.people.get(user)
        from_app = speaker is not None and speaker.is_bot
        return Message(
            ts=self.next_ts(),
            channel=channel.id,
            user=user,
            text=text,
            blocks=blocks or [],
            attachments=attachments or [],
            bot_id=self.seed.app.bot_id if from_app else "",
            app_id=self.seed.app.id if from_app else "",
            extra=extra or {},
        )
