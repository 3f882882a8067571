"""Who may ask the API for what: the bot by its credential, operators by theirs.

The bot carries people's clicks, so it may vouch for their Slack groups and keep notes, and what it asks in a person's
name is checked for that person. Operators sit at the gateway's own machine: they may see everything and stop
anything, but to approve they need to be eligible as anybody else.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Awaitable, Callable, Collection
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from aiohttp import web

from gateway.approvals.electorate import groups_of, same
from gateway.approvals.table import ANYBODY
from gateway.policy.model import Holding, Policy

OPERATOR_FILE = "operator.token"

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Caller(Enum):
    """Whose credential a request carries; the value is what votes say they came through."""

    BOT = "slack"
    OPERATOR = "cli"


CALLER = web.RequestKey("CALLER", Caller)
"""Under this key a request says whose it is."""


class Unauthorized(Exception):
    """No credential, or none that is known here."""


class Forbidden(Exception):
    """A credential that is good, but not for this."""


class Credentials:
    """Knows the two credentials by their hashes alone."""

    def __init__(self, *, bot: str, operator: str) -> None:
        """Raises `ValueError` where one is empty or they are the same."""
        if not bot or not operator or bot == operator:
            raise ValueError("the bot and the operators need a credential each, and two different ones")
        self._known = {Caller.BOT: _hash(bot), Caller.OPERATOR: _hash(operator)}

    def caller(self, request: web.Request) -> Caller:
        """Raises `Unauthorized`. Takes the same time for every credential that is wrong."""
        scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
        shown = _hash(credential.strip())
        matching = [caller for caller, known in self._known.items() if hmac.compare_digest(known, shown)]
        if scheme.lower() != "bearer" or not matching:
            raise Unauthorized("this needs the bot's or an operator's credential as bearer token")
        return matching[0]

    def only(self, *callers: Caller) -> Callable[[Handler], Handler]:
        """A handler that only these callers reach; `request[CALLER]` says which."""

        def guarded(handler: Handler) -> Handler:
            async def checked(request: web.Request) -> web.StreamResponse:
                caller = self.caller(request)
                if caller not in callers:
                    raise Forbidden("this credential is not for that")
                request[CALLER] = caller
                return await handler(request)

            return checked

        return guarded


def operator_credential(state: Path) -> str:
    """The operators' credential of a state directory, made on first use, readable by the gateway's user alone."""
    path = state / OPERATOR_FILE
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if credential := path.read_text().strip():
            return credential
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    with os.fdopen(descriptor, "w") as file:
        credential = secrets.token_urlsafe(32)
        file.write(f"{credential}\n")
        file.flush()
        os.fsync(file.fileno())
    return credential


def may_stop(policy: Policy, person: str, vouched: Collection[str], *, accountable: str) -> bool:
    """Whether a person may end a session or revoke a token: an operator, an approver, or who answers for it."""
    if same(person, accountable):
        return True
    mine = groups_of(policy, person, vouched)
    asked = {
        ask.approvers
        for then in (*(rule.then for rule in policy.rules), policy.default)
        if isinstance(then, Holding)
        for ask in then.asks
    }
    return bool(mine & {*policy.operators, *asked}) or (ANYBODY in asked and bool(mine))


def _hash(credential: str) -> bytes:
    return hashlib.sha256(credential.encode("utf-8", "surrogateescape")).digest()
