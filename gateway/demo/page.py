"""The workspace's page, used as a browser uses it: what people see, and what they click."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import aiohttp

Message = Mapping[str, Any]


class PageRefused(Exception):
    """The page, or the bot behind it, did not do what was asked; the message says why."""


class NotSeen(Exception):
    """What was waited for did not appear in time."""


class Page:
    """The page's own API, as one program."""

    def __init__(self, http: aiohttp.ClientSession, *, url: str, token: str) -> None:
        """`url` is where `/_control` is; `token` stands for the browser's same-origin request."""
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def messages(self, channel: str, *, thread: str = "") -> list[Message]:
        answer = await self._get("messages", channel=channel, thread_ts=thread)
        return list(answer["messages"])

    async def appears(
        self, channel: str, wanted: Callable[[Message], bool], *, thread: str = "", within: float
    ) -> Message:
        """The newest message of a channel that is `wanted`; waits up to `within` seconds for it."""
        try:
            async with asyncio.timeout(within):
                while True:
                    seq = int((await self._get("changes", after=str(1 << 53)))["seq"])
                    for message in reversed(await self.messages(channel, thread=thread)):
                        if wanted(message):
                            return message
                    await self._get("changes", after=str(seq), wait="20")
        except TimeoutError:
            raise NotSeen(f"nothing of the kind appeared in {channel} within {within:.0f} s") from None

    async def click(self, channel: str, message: Message, action: str, *, person: str) -> None:
        await self._post(
            "actions", {"as": person, "channel": channel, "ts": message["ts"], "action_id": action}
        )

    async def submit(self, *, person: str, values: Mapping[str, str], within: float) -> None:
        """Fill in and submit the modal that opened for `person`, once it has what is to be filled in.

        A modal may open before its bot knows what to ask: it says that it loads, and is replaced.
        """
        try:
            async with asyncio.timeout(within):
                while True:
                    shown = await self._get("views", **{"as": person})
                    if view := _asking(shown["views"], values):
                        break
                    await self._get("changes", after=str(shown["seq"]), wait="1")
        except TimeoutError:
            raise NotSeen("no dialog opened") from None
        await self._post("views/submit", {"as": person, "view_id": view["id"], "values": dict(values)})

    async def connected(self, *, within: float) -> None:
        """Wait until the bot listens."""
        try:
            async with asyncio.timeout(within):
                while not (state := await self._get("state"))["app"]["connections"]:
                    await self._get("changes", after=str(state["seq"]), wait="1")
        except TimeoutError:
            raise NotSeen("the bot did not connect to the workspace") from None

    async def _get(self, route: str, **query: str) -> dict[str, Any]:
        async with self._http.get(f"{self._url}/{route}", params=query, headers=self._headers) as answer:
            return _told(await answer.json())

    async def _post(self, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self._http.post(f"{self._url}/{route}", json=body, headers=self._headers) as answer:
            told = _told(await answer.json())
        if not told.get("acked", True):
            raise PageRefused(f"the bot did not answer: {told.get('why', '')}")
        return told


def whole(message: Message) -> str:
    """Everything that a message says, blocks included, as one text to look for words in."""
    return json.dumps(message, ensure_ascii=False)


def _asking(views: Sequence[Message], inputs: Collection[str]) -> Message | None:
    """The modal on top, where it has all of `inputs`."""
    for view in views[-1:]:
        elements = (block.get("element", {}) for block in view["blocks"])
        if set(inputs) <= {element.get("action_id") for element in elements}:
            return view
    return None


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    if not answer.get("ok"):
        raise PageRefused(str(answer.get("error", "the page refused")))
    return answer
