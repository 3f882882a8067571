"""Brings interactions, commands and events to the app: over Socket Mode, or signed over HTTP.

The app has three seconds. Events that are not acknowledged come again, with the retry counted;
a click or a command does not: it is lost and the person sees so.
https://docs.slack.dev/apis/events-api and /authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import uuid
from collections import deque
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp

from bot.workspace.faults import ClockSkew, DropAck, Duplicate
from bot.workspace.records import Json
from bot.workspace.sockets import Sockets
from bot.workspace.state import Workspace, make_id

log = logging.getLogger(__name__)

EnvelopeType = Literal["interactive", "slash_commands", "events_api"]
LOGGED = 500
ANSWER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one delivery; `payload` is what the acknowledgement carried."""

    acked: bool
    payload: Json
    why: str = ""
    no_retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One line of the delivery log."""

    envelope_id: str
    type: str
    what: str
    attempt: int
    acked: bool
    why: str


class Delivery:
    """The one way out to the app."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.request_url = workspace.seed.app.request_url
        self.sockets = Sockets(workspace)
        self._log: deque[Attempt] = deque(maxlen=LOGGED)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession()
        self._workspace.on_event = self._event

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        if self._session is not None:
            await self._session.close()

    def attempts(self) -> list[Json]:
        """The delivery log, oldest first."""
        return [asdict(one) for one in self._log]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work of the workspace in the background until it is done or the workspace closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def interact(self, payload: Json) -> Outcome:
        """Deliver an interaction payload, once."""
        form = urlencode({"payload": json.dumps(payload)}).encode()
        return await self._once(
            "interactive", payload, body=form, what=str(payload.get("type")), attempt=0, why=""
        )

    async def command(self, payload: Json) -> Outcome:
        """Deliver a slash command, once."""
        form = urlencode(payload).encode()
        return await self._once(
            "slash_commands", payload, body=form, what=payload["command"], attempt=0, why=""
        )

    def _event(self, event: Json) -> None:
        team, app = self._workspace.seed.team, self._workspace.seed.app
        payload = {
            "token": app.verification_token,
            "team_id": team.id,
            "context_team_id": team.id,
            "context_enterprise_id": None,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": make_id("Ev"),
            "event_time": int(self._workspace.clock()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team.id,
                    "user_id": app.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": make_id("EC"),
        }
        self.spawn(self._until_acked(payload))

    async def _until_acked(self, payload: Json) -> None:
        body = json.dumps(payload).encode()
        what = payload["event"]["type"]
        outcome = await self._once("events_api", payload, body=body, what=what, attempt=0, why="")
        for attempt, pause in enumerate(self._workspace.seed.timings.retry_seconds, start=1):
            if outcome.acked or outcome.no_retry:
                return
            await asyncio.sleep(pause)
            outcome = await self._once(
                "events_api", payload, body=body, what=what, attempt=attempt, why=outcome.why
            )

    async def _once(
        self, kind: EnvelopeType, payload: Json, *, body: bytes, what: str, attempt: int, why: str
    ) -> Outcome:
        envelope_id = str(uuid.uuid4())
        copies = 2 if self._workspace.faults.strike(Duplicate, target=kind) else 1
        if self.request_url:
            outcomes = [await self._by_http(kind, body, attempt=attempt, why=why) for _ in range(copies)]
            outcome = outcomes[0]
        else:
            outcome = await self._by_socket(
                kind, payload, envelope_id, copies=copies, attempt=attempt, why=why
            )
        self._log.append(
            Attempt(
                envelope_id=envelope_id,
                type=kind,
                what=what,
                attempt=attempt,
                acked=outcome.acked,
                why=outcome.why,
            )
        )
        self._workspace.changes.note(
            "delivery", envelope=kind, what=what, acked=outcome.acked, attempt=attempt
        )
        return outcome

    async def _by_socket(
        self, kind: EnvelopeType, payload: Json, envelope_id: str, *, copies: int, attempt: int, why: str
    ) -> Outcome:
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": why}
        connected = self.sockets.count > 0
        answer = await self.sockets.send(
            envelope, copies=copies, seconds=self._workspace.seed.timings.ack_seconds
        )
        if answer is None:
            return Outcome(acked=False, payload={}, why="timeout" if connected else "no_connection")
        return Outcome(acked=True, payload=answer)

    async def _by_http(self, kind: EnvelopeType, body: bytes, *, attempt: int, why: str) -> Outcome:
        headers = {
            "Content-Type": "application/json"
            if kind == "events_api"
            else "application/x-www-form-urlencoded",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            **self._signature(kind, body),
        }
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": why}
        assert self._session is not None, "start() opens it"
        timeout = aiohttp.ClientTimeout(total=self._workspace.seed.timings.ack_seconds)
        try:
            async with self._session.post(
                self.request_url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                text = (await answer.content.read(ANSWER_BYTES)).decode("utf-8", "replace")
                no_retry = answer.headers.get("X-Slack-No-Retry") == "1"
        except TimeoutError:
            return Outcome(acked=False, payload={}, why="http_timeout")
        except aiohttp.ClientError:
            return Outcome(acked=False, payload={}, why="connection_failed")
        if answer.status != 200:
            return Outcome(acked=False, payload={}, why="http_error", no_retry=no_retry)
        if self._workspace.faults.strike(DropAck, target=kind) is not None:
            return Outcome(acked=False, payload={}, why="http_timeout")
        return Outcome(acked=True, payload=_payload(text))

    def _signature(self, kind: EnvelopeType, body: bytes) -> dict[str, str]:
        skew = self._workspace.faults.strike(ClockSkew, target=kind)
        stamp = str(int(self._workspace.clock() + (skew.seconds if skew else 0)))
        secret = self._workspace.seed.app.signing_secret.encode()
        digest = hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a delivery failed", exc_info=task.exception())


def _payload(text: str) -> Json:
    """The body of a 200: a JSON object, or plain text that answers a command."""
    if not text.strip():
        return {}
    try:
        answer = json.loads(text)
    except ValueError:
        return {"text": text}
    return answer if isinstance(answer, dict) else {"text": text}
