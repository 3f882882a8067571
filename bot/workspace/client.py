"""The control API from Python: act as a person, look, and wait; for tests and the unattended demo.

A `WorkspaceClient` does what the page does, over the same routes. Waiting is long polling for a
condition: nothing here sleeps. Every method raises WorkspaceError when the workspace says no.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

Json = dict[str, Any]
POLL_SECONDS = 20.0


class WorkspaceError(Exception):
    """The workspace refused; the message is its sentence."""


class WaitTimeoutError(WorkspaceError):
    """What was waited for did not come in time."""


class NotAcknowledgedError(WorkspaceError):
    """The app did not acknowledge a click, a submission or a command."""


class WorkspaceClient:
    """One person or test at one workspace; made by `connected`."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    # looking

    async def state(self, *, as_: str = "") -> Json:
        """Team, people, channels with unread counts and the app, as this person sees them."""
        return await self._get("state", **{"as": as_})

    async def messages(self, channel: str, *, as_: str = "", thread_ts: str = "") -> list[Json]:
        """The messages of a channel (or of one thread), oldest first."""
        answer = await self._get("messages", **{"as": as_, "channel": channel, "thread_ts": thread_ts})
        return list(answer["messages"])

    async def views(self, *, as_: str) -> list[Json]:
        """The open modals of a person, the visible one last, each with its `errors`."""
        return list((await self._get("views", **{"as": as_}))["views"])

    async def home(self, *, as_: str) -> Json | None:
        """The published Home tab of a person."""
        view: Json | None = (await self._get("home", **{"as": as_}))["view"]
        return view

    async def deliveries(self) -> list[Json]:
        """What was delivered to the app: type, attempt, whether acknowledged and why not."""
        return list((await self._get("deliveries"))["deliveries"])

    async def file(self, file_id: str) -> str:
        """The text of an uploaded file."""
        return str((await self._get(f"files/{file_id}"))["content"])

    # acting

    async def say(self, channel: str, text: str, *, as_: str, thread_ts: str = "") -> Json:
        """Post a message; returns it."""
        answer = await self._post("messages", channel=channel, text=text, thread_ts=thread_ts, **{"as": as_})
        return dict(answer["message"])

    async def click(
        self,
        message: Mapping[str, Any],
        action_id: str,
        *,
        as_: str,
        channel: str,
        value: object = None,
        values: Mapping[str, Any] | None = None,
        block_id: str = "",
    ) -> Json:
        """Use an element of a message. A button needs no value; a select takes the option's."""
        place = {"channel": channel, "ts": message["ts"]}
        return await self._act(place, action_id, block_id, value, values, as_=as_)

    async def click_in_view(
        self,
        view: Mapping[str, Any],
        action_id: str,
        *,
        as_: str,
        value: object = None,
        values: Mapping[str, Any] | None = None,
        block_id: str = "",
    ) -> Json:
        """Use an element of a modal or of the Home tab."""
        return await self._act({"view_id": view["id"]}, action_id, block_id, value, values, as_=as_)

    async def _act(
        self,
        place: Mapping[str, Any],
        action_id: str,
        block_id: str,
        value: object,
        values: Mapping[str, Any] | None,
        *,
        as_: str,
    ) -> Json:
        element = {"action_id": action_id, "block_id": block_id, "value": value, "values": dict(values or {})}
        return self._acknowledged(await self._post("actions", **place, **element, **{"as": as_}))

    async def submit(
        self, view: Mapping[str, Any], values: Mapping[str, Any] | None = None, *, as_: str
    ) -> Json:
        """Fill in a modal (by action_id, or by block_id and action_id) and submit it.

        The answer's `answer` holds `response_action` and `errors` if the app or the form objected.
        """
        return self._acknowledged(
            await self._post("views/submit", view_id=view["id"], values=dict(values or {}), **{"as": as_})
        )

    async def close_view(self, view: Mapping[str, Any], *, as_: str) -> Json:
        """Close the visible modal."""
        return await self._post("views/close", view_id=view["id"], **{"as": as_})

    async def command(self, channel: str, typed: str, *, as_: str) -> Json:
        """Run a slash command, as `/countersign help`."""
        return self._acknowledged(await self._post("commands", channel=channel, command=typed, **{"as": as_}))

    async def shortcut(self, callback_id: str, *, as_: str, channel: str = "", ts: str = "") -> Json:
        """Run a message shortcut (with `channel` and `ts`) or a global one."""
        return self._acknowledged(
            await self._post("shortcuts", callback_id=callback_id, channel=channel, ts=ts, **{"as": as_})
        )

    async def open_home(self, *, as_: str) -> None:
        """Open the app's Home tab."""
        await self._post("home", **{"as": as_})

    async def join(self, channel: str, *, as_: str, inviter: str = "") -> None:
        await self._post("members", channel=channel, inviter=inviter, **{"as": as_})

    async def direct(self, with_: str, *, as_: str) -> str:
        """The id of the direct messages between two members."""
        return str((await self._post("direct", **{"as": as_, "with": with_}))["channel"])

    async def react(self, channel: str, ts: str, name: str, *, as_: str) -> None:
        """Add a reaction, or take it away if it is there."""
        await self._post("reactions", channel=channel, ts=ts, name=name, **{"as": as_})

    async def edit(self, channel: str, ts: str, text: str, *, as_: str) -> None:
        """Change a message, as an administrator could: the app hears message_changed."""
        await self._post("messages/edit", channel=channel, ts=ts, text=text, **{"as": as_})

    async def delete(self, channel: str, ts: str, *, as_: str) -> None:
        """Delete a message, as an administrator could: the app hears message_deleted."""
        await self._post("messages/delete", channel=channel, ts=ts, **{"as": as_})

    # faults

    async def add_fault(self, kind: str, **fields: Any) -> None:
        """Make something go wrong; see bot/workspace/faults.py for kinds and their fields."""
        await self._post("faults", kind=kind, **fields)

    async def clear_faults(self) -> None:
        await self._call("DELETE", "faults")

    async def sockets(self, do: str) -> int:
        """`cut`, `refresh` or `warning` for all Socket Mode connections; how many there were."""
        return int((await self._post("sockets", do=do))["connections"])

    async def set_rate(self, mode: str) -> None:
        """`off`, `normal` or `strict`."""
        await self._post("rate", mode=mode)

    # waiting

    async def wait_for(
        self, look: Callable[[], Any], *, timeout: float = 90.0, what: str = "the condition"
    ) -> Any:
        """The first truthy result of awaiting `look()`, tried again after every change.

        Raises WaitTimeoutError after `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                # The number is taken before looking, so that no change falls in between.
                seq = (await self._get("changes", after=str(1 << 53)))["seq"]
                while True:
                    found = await look()
                    if found:
                        return found
                    seq = (await self._get("changes", after=str(seq), wait=str(POLL_SECONDS)))["seq"]
        except TimeoutError:
            raise WaitTimeoutError(f"{what} did not come within {timeout:g} s.") from None

    async def wait_for_message(
        self,
        channel: str,
        predicate: Callable[[Json], bool] = lambda _message: True,
        *,
        timeout: float = 90.0,
        as_: str = "",
        thread_ts: str = "",
    ) -> Json:
        """The youngest message of a channel (or thread) that fulfils the predicate."""

        async def look() -> Json | None:
            found = await self.messages(channel, as_=as_, thread_ts=thread_ts)
            return next((one for one in reversed(found) if predicate(one)), None)

        message: Json = await self.wait_for(look, timeout=timeout, what=f"a message in {channel}")
        return message

    async def wait_for_view(
        self, predicate: Callable[[Json], bool] = lambda _view: True, *, as_: str, timeout: float = 90.0
    ) -> Json:
        """The visible modal of a person, once it fulfils the predicate."""

        async def look() -> Json | None:
            views = await self.views(as_=as_)
            return views[-1] if views and predicate(views[-1]) else None

        view: Json = await self.wait_for(look, timeout=timeout, what=f"a modal for {as_}")
        return view

    async def wait_for_no_view(self, *, as_: str, timeout: float = 90.0) -> None:
        """Until no modal is open for this person."""

        async def look() -> bool:
            return not await self.views(as_=as_)

        await self.wait_for(look, timeout=timeout, what=f"the end of {as_}'s modals")

    async def wait_for_home(
        self, predicate: Callable[[Json], bool] = lambda _view: True, *, as_: str, timeout: float = 90.0
    ) -> Json:
        """The Home tab of a person, once it fulfils the predicate."""

        async def look() -> Json | None:
            view = await self.home(as_=as_)
            return view if view is not None and predicate(view) else None

        view: Json = await self.wait_for(look, timeout=timeout, what=f"a Home tab for {as_}")
        return view

    async def wait_for_connections(self, count: int = 1, *, timeout: float = 90.0) -> None:
        """Until the app holds at least this many Socket Mode connections."""

        async def look() -> bool:
            return bool((await self.state())["app"]["connections"] >= count)

        await self.wait_for(look, timeout=timeout, what=f"{count} connections of the app")

    async def wait_for_delivery(self, predicate: Callable[[Json], bool], *, timeout: float = 90.0) -> Json:
        """The first line of the delivery log that fulfils the predicate."""

        async def look() -> Json | None:
            return next((one for one in await self.deliveries() if predicate(one)), None)

        line: Json = await self.wait_for(look, timeout=timeout, what="a delivery")
        return line

    # the wire

    def _acknowledged(self, answer: Json) -> Json:
        if not answer["acked"]:
            raise NotAcknowledgedError(f"{answer['notice']} ({answer['why']})")
        return answer

    async def _get(self, route: str, **query: str) -> Json:
        return await self._call("GET", route, params={key: value for key, value in query.items() if value})

    async def _post(self, route: str, **body: Any) -> Json:
        return await self._call("POST", route, json=body)

    async def _call(self, method: str, route: str, **more: Any) -> Json:
        async with self._session.request(method, f"{self._url}/_control/{route}", **more) as answer:
            text = await answer.text()
        try:
            body = json.loads(text)
        except ValueError:
            raise WorkspaceError(f"{route}: HTTP {answer.status}, {text[:200]}") from None
        if not body.get("ok"):
            raise WorkspaceError(str(body.get("error")))
        return dict(body)


@asynccontextmanager
async def connected(url: str, control_token: str) -> AsyncIterator[WorkspaceClient]:
    """A client of the workspace whose page is at `url`."""
    headers = {"Authorization": f"Bearer {control_token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield WorkspaceClient(session, url)


def actions_of(container: Mapping[str, Any]) -> Iterator[Json]:
    """The interactive elements of a message or view, each with its `block_id` added."""
    for block in container.get("blocks", []):
        elements = [block.get("accessory"), block.get("element"), *block.get("elements", [])]
        for element in elements:
            if isinstance(element, dict) and "action_id" in element:
                yield {**element, "block_id": block.get("block_id", "")}


def text_of(value: object) -> str:
    """All text inside a message, a view or a block, in reading order: what a person would read."""
    match value:
        case dict():
            parts = [
                text_of(one) if key != "text" or not isinstance(one, str) else one
                for key, one in value.items()
                if key in READ
            ]
        case list():
            parts = [text_of(one) for one in value]
        case _:
            parts = []
    return "\n".join(one for one in parts if one)


READ = frozenset(
    {"text", "blocks", "fields", "elements", "accessory", "element", "label", "hint", "title", "rows", "files",
     "attachments", "description", "placeholder", "option", "options", "preview", "child_blocks", "subtitle", "body"}
)  # fmt: skip
