"""Finding things in Slack again: a channel by its name, direct messages with a person, a message by its metadata.

Only messages that this app itself wrote count: any app in a channel can give its messages any metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.outbox import SlackRefused

LOOK_BACK = 900.0
"""Seconds before the first attempt from which a lost message is looked for: clocks differ."""
PAGES = 10
PAGE = 200
NAMES_FOR = 60.0
"""Seconds between two listings of channels when a name is not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A message of ours, by its metadata."""

    event: str
    payload: Mapping[str, str | int]
    since: float
    """Unix seconds before which it cannot have been written."""
    thread_ts: str = ""
    gone: Collection[str] = ()
    """Messages that are not meant, whatever they say."""


class Channels:
    """What is known of channels; names are listed once and again when one is missing."""

    def __init__(self, client: AsyncWebClient, *, bot_user: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._bot_user = bot_user
        self._clock = clock
        self._ids: dict[str, str] = {}
        self._direct: dict[str, str] = {}
        self._listed = float("-inf")

    async def id_of(self, channel: str) -> str:
        """The id of `#name`, `name` or an id. Raises SlackRefused where there is no such channel."""
        name = channel.removeprefix("#")
        if name and name[0] in "CGD" and name.isalnum() and name.isupper():
            return name
        if name not in self._ids and self._clock() - self._listed > NAMES_FOR:
            await self._list()
        if name not in self._ids:
            raise SlackRefused(
                f"channel_not_found (#{name}: create it and invite the app)", "conversations.list"
            )
        return self._ids[name]

    async def direct(self, user_id: str) -> str:
        """The id of the direct messages with a user."""
        if user_id not in self._direct:
            answer = await self._client.conversations_open(users=user_id)
            self._direct[user_id] = answer["channel"]["id"]
        return self._direct[user_id]

    async def find(self, channel: str, sought: Sought) -> str:
        """The ts of our newest message with that metadata, "" where there is none."""
        found = [
            str(message["ts"])
            for message in await self.ours(channel, sought)
            if all(
                message["metadata"]["event_payload"].get(key) == value
                for key, value in sought.payload.items()
            )
        ]
        return max(found, default="")

    async def ours(self, channel: str, sought: Sought) -> list[dict[str, Any]]:
        """Our messages of that event since then, oldest first or newest first as Slack has them."""
        given: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{max(0.0, sought.since - LOOK_BACK):.6f}",
            "include_all_metadata": True,
            "limit": PAGE,
        }
        kept: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(PAGES):
            if sought.thread_ts:
                answer = await self._client.conversations_replies(
                    ts=sought.thread_ts, cursor=cursor or None, **given
                )
            else:
                answer = await self._client.conversations_history(cursor=cursor or None, **given)
            messages: list[dict[str, Any]] = answer.get("messages") or []
            kept += [message for message in messages if self._is_ours(message, sought)]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        return kept

    def _is_ours(self, message: Mapping[str, Any], sought: Sought) -> bool:
        metadata = message.get("metadata") or {}
        return (
            message.get("user") == self._bot_user
            and metadata.get("event_type") == sought.event
            and isinstance(metadata.get("event_payload"), dict)
            and message.get("ts") not in sought.gone
        )

    async def _list(self) -> None:
        cursor = ""
        for _ in range(PAGES):
            answer = await self._client.conversations_list(
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=1000,
                cursor=cursor or None,
            )
            channels: list[dict[str, Any]] = answer.get("channels") or []
            self._ids |= {channel["name"]: channel["id"] for channel in channels}
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        self._listed = self._clock()
