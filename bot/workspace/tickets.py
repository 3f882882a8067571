"""Things the workspace hands out that run out: trigger ids and response URLs.

A trigger id lives three seconds and opens one view. A response URL works five times within thirty
minutes. https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

RESPONSE_URL_USES = 5
KEPT_SECONDS = 3600.0


class TicketError(Exception):
    """The trigger or response URL does not work (any more); `code` is Slack's name for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True, kw_only=True)
class Trigger:
    user: str
    issued: float
    from_view: str = ""
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    user: str
    channel: str
    issued: float
    message_ts: str = ""
    thread_ts: str = ""
    uses: int = 0


class Tickets:
    """Issues and redeems; what ran out long ago is forgotten."""

    def __init__(
        self, *, clock: Callable[[], float], trigger_seconds: float, response_url_seconds: float
    ) -> None:
        self._clock = clock
        self._trigger_seconds = trigger_seconds
        self._response_url_seconds = response_url_seconds
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def trigger(self, user: str, *, from_view: str = "") -> str:
        """A fresh trigger id for an interaction of `user`."""
        self._forget()
        name = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._triggers[name] = Trigger(user=user, issued=self._clock(), from_view=from_view)
        return name

    def redeem_trigger(self, name: str) -> Trigger:
        """The trigger, now used up. Raises TicketError."""
        trigger = self._triggers.get(name)
        if trigger is None:
            raise TicketError("invalid_trigger_id")
        if trigger.used:
            raise TicketError("exchanged_trigger_id")
        if self._clock() - trigger.issued > self._trigger_seconds:
            raise TicketError("expired_trigger_id")
        trigger.used = True
        return trigger

    def response_url(self, user: str, channel: str, *, message_ts: str = "", thread_ts: str = "") -> str:
        """The secret part of a fresh response URL."""
        name = secrets.token_urlsafe(18)
        self._urls[name] = ResponseUrl(
            user=user, channel=channel, issued=self._clock(), message_ts=message_ts, thread_ts=thread_ts
        )
        return name

    def redeem_response_url(self, name: str) -> ResponseUrl:
        """The response URL with one more use counted. Raises TicketError."""
        url = self._urls.get(name)
        if url is None:
            raise TicketError("no_such_url")
        if self._clock() - url.issued > self._response_url_seconds:
            raise TicketError("expired_url")
        if url.uses >= RESPONSE_URL_USES:
            raise TicketError("used_url")
        url.uses += 1
        return url

    def _forget(self) -> None:
        oldest = self._clock() - KEPT_SECONDS
        self._triggers = {name: one for name, one in self._triggers.items() if one.issued > oldest}
        self._urls = {name: one for name, one in self._urls.items() if one.issued > oldest}
