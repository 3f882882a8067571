"""The Web API's door: arguments, tokens, scopes, limits and faults, then the method.

Arguments come from the query, a form or a JSON body, and structures may be JSON inside a form.
Every answer is HTTP 200 with "ok", but for 429 and the faults that somebody asked for.
https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.workspace.delivery import Delivery
from bot.workspace.faults import ApiError, Latency, LostAnswer, RateLimited, ServerError
from bot.workspace.limits import Tier
from bot.workspace.records import Channel, Json, Person
from bot.workspace.seed import Token
from bot.workspace.state import Workspace
from bot.workspace.validate import Refused

log = logging.getLogger(__name__)

MOST_LATENCY = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a method: who calls, with what."""

    workspace: Workspace
    delivery: Delivery
    token: Token
    args: Mapping[str, Any]

    def string(self, name: str, *, default: str = "") -> str:
        value = self.args.get(name)
        if value is None:
            return default
        if not isinstance(value, (str, int, float)):
            raise invalid(f"{name} must be a string")
        return str(value)

    def needed(self, name: str, *, missing: str = "invalid_arguments") -> str:
        value = self.string(name)
        if not value:
            raise (
                invalid(f"missing required field: {name}")
                if missing == "invalid_arguments"
                else Refused(missing)
            )
        return value

    def flag(self, name: str) -> bool:
        return self.string(name).lower() in {"true", "1"}

    def number(self, name: str, default: int, *, most: int) -> int:
        value = self.string(name)
        if not value:
            return default
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise Refused("invalid_limit")
        return int(value)

    def structure(self, name: str, *, broken: str) -> Any:
        """A JSON structure, given as such or as a string of JSON; None when absent."""
        value = self.args.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise Refused(broken) from None

    def listed(self, name: str) -> list[str]:
        """A list of strings, given as JSON array or with commas."""
        value = self.args.get(name)
        if isinstance(value, str):
            value = value.split(",")
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise invalid(f"{name} must be a list of strings")
        return [one.strip() for one in value if one.strip()]

    @property
    def me(self) -> Person:
        return self.workspace.people[self.token.user]

    def channel(self, name: str = "channel") -> Channel:
        """The channel named by an argument, if the caller may know of it."""
        channel = self.workspace.channel(self.string(name))
        if channel is None or not self.workspace.may_see(channel, self.token.user):
            raise Refused("channel_not_found")
        return channel

    def person(self, name: str = "user") -> Person:
        person = self.workspace.people.get(self.string(name))
        if person is None:
            raise Refused("user_not_found")
        return person

    def need_scope(self, scope: str) -> None:
        """Raises Refused with missing_scope."""
        if scope not in self.token.scopes:
            raise Refused("missing_scope", needed=scope, provided=",".join(self.token.scopes))


def invalid(why: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {why}"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A row of the table: who may call it, how often, and what it does."""

    name: str
    run: Callable[[Call], Json]
    tier: Tier
    scope: str = ""
    kinds: frozenset[str] = field(default=frozenset({"bot", "user"}))


class WebApi:
    """Answers POST and GET /api/{method}."""

    def __init__(self, workspace: Workspace, delivery: Delivery, methods: tuple[Method, ...]) -> None:
        self._workspace = workspace
        self._delivery = delivery
        self._methods = {method.name: method for method in methods}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        name = request.match_info["method"]
        faults = self._workspace.faults
        late = faults.strike(Latency, target=name)
        if late is not None:
            await asyncio.sleep(min(late.seconds, MOST_LATENCY))
        limited = faults.strike(RateLimited, target=name)
        if limited is not None:
            return too_many(limited.retry_after)
        broken = faults.strike(ServerError, target=name)
        if broken is not None:
            return web.Response(status=broken.status, text="upstream connect error")
        wanted = faults.strike(ApiError, target=name)
        try:
            answer = await self._answer(request, name) if wanted is None else Refused(wanted.error).to_json()
        except Refused as refused:
            answer = refused.to_json()
        except web.HTTPTooManyRequests as too_soon:
            return too_many(int(too_soon.text or "1"))
        if faults.strike(LostAnswer, target=name) is not None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)
        return web.json_response(answer, headers={"X-Slack-Req-Id": secrets.token_hex(8)})

    async def _answer(self, request: web.Request, name: str) -> Json:
        args = await read_args(request)
        method = self._methods.get(name)
        if method is None:
            raise Refused("unknown_method", req_method=name)
        token = self._token(request, args)
        if token.kind not in method.kinds:
            raise Refused("not_allowed_token_type")
        call = Call(workspace=self._workspace, delivery=self._delivery, token=token, args=args)
        if method.scope:
            call.need_scope(method.scope)
        channel = self._workspace.channel(str(args.get("channel", "")))
        wait = self._workspace.limiter.ask(
            token=token.token, method=name, tier=method.tier, channel=channel.id if channel else ""
        )
        if wait:
            raise web.HTTPTooManyRequests(text=str(wait))
        return {"ok": True, **method.run(call)}

    def _token(self, request: web.Request, args: Mapping[str, Any]) -> Token:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not presented:
            given = args.get("token")
            presented = given if isinstance(given, str) else ""
        if not presented:
            raise Refused("not_authed")
        token = self._workspace.token(presented.strip())
        if token is None:
            raise Refused("invalid_auth")
        return token


def too_many(seconds: int) -> web.Response:
    """429 as Slack words it."""
    return web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)}
    )


async def read_args(request: web.Request) -> dict[str, Any]:
    """Query, then form or JSON body over it. Raises Refused for a body that is not what it says."""
    args: dict[str, Any] = dict(request.query)
    if request.method != "POST":
        return args
    if request.content_type == "application/json":
        raw = await request.text()
        try:
            body = json.loads(raw) if raw.strip() else {}
        except (ValueError, RecursionError):
            raise Refused("invalid_json") from None
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        return args | body
    if request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        form = await request.post()
        args |= {key: value for key, value in form.items() if isinstance(value, str)}
    return args
