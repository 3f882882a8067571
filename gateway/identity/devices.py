"""The device flow (RFC 8628): a terminal shows a short code, a person types it into a browser and logs in there, and the
terminal, which asks meanwhile, gets the person's token.

The token is made when the terminal fetches it, once, and never shown in the browser. Nothing is kept on disk: a
restart ends what was under way, and the terminal begins again.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.identity import scopes
from gateway.identity.failures import network
from gateway.identity.logins import LoginRefused, Proven, Wishes
from gateway.identity.tokens import Issuer, Token, TokenRefused
from gateway.model import Scope
from gateway.policy.model import Policy

LIFETIME = 600.0
INTERVAL = 5
"""Seconds between two questions of a terminal; asked sooner, it has to wait longer each time (RFC 8628 §3.5)."""
UNDER_WAY = 1_000
PER_NETWORK = 20
LOGINS = 5
"""Begun for one terminal: who has a code cannot begin as many as they like."""
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come about, and nothing that looks like something else (RFC 8628 §6.1)."""

_FOREIGN = re.compile(r"[^A-Z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """What a terminal gets: the device's code, which it keeps, and the person's, which it shows."""

    device: str = field(repr=False)
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Device:
    user_code: str
    address: str
    scope: Scope | None
    task: str
    ends: float
    interval: float = INTERVAL
    asked_at: float = 0.0
    proven: Proven | None = None
    logins: int = 0
    """How many were begun for it."""


class Devices:
    """The terminals that wait."""

    def __init__(self, issuer: Issuer, policy: Callable[[], Policy], *, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._policy = policy
        self._clock = clock
        self._waiting: dict[str, _Device] = {}

    def begin(self, address: str, *, scope: Scope | None = None, task: str = "") -> Codes:
        """A terminal at `address` wants to be logged in. Raises `TokenRefused` where too many do."""
        self._sweep()
        near = Counter(network(each.address) for each in self._waiting.values())[network(address)]
        if near >= PER_NETWORK or len(self._waiting) >= UNDER_WAY:
            raise TokenRefused(
                "temporarily_unavailable", "too many logins are under way: try again in a few minutes"
            )
        taken = {each.user_code for each in self._waiting.values()}
        user = next(code for code in iter(_user_code, "") if code not in taken)
        device = secrets.token_urlsafe(32)
        self._waiting[_key(device)] = _Device(
            user_code=user, address=address, scope=scope, task=task, ends=self._clock() + LIFETIME
        )
        return Codes(device=device, user=user)

    def login(self, typed: str) -> TerminalLogin:
        """What to log in for, by the code that a person typed. Raises `LoginRefused`."""
        letters = _FOREIGN.sub("", typed.upper())
        for key, device in self._waiting.items():
            same = secrets.compare_digest(_FOREIGN.sub("", device.user_code), letters)
            if same and device.proven is None and device.ends > self._clock() and device.logins < LOGINS:
                self._waiting[key] = replace(device, logins=device.logins + 1)
                return TerminalLogin(self, key, device)
        raise LoginRefused(
            "No terminal shows this code, or its time is over. Start `countersign login` again."
        )

    def token(self, device_code: str, *, origin: str, key: str = "") -> Token:
        """The token, once somebody has logged in. Raises `TokenRefused` with the words of RFC 8628 §3.5."""
        kept_as, now = _key(device_code), self._clock()
        device = self._waiting.get(kept_as)
        if device is None or device.ends <= now:
            self._waiting.pop(kept_as, None)
            raise TokenRefused("expired_token", "the login was not finished in time: begin again")
        if device.proven is not None:
            del self._waiting[kept_as]
            return self._issuer.for_person(
                device.proven.person, scope=device.scope, task=device.task, origin=origin, key=key
            )
        hasty = now - device.asked_at < device.interval - 1
        interval = device.interval + (INTERVAL if hasty else 0)
        self._waiting[kept_as] = replace(device, asked_at=now, interval=interval)
        if hasty:
            raise TokenRefused("slow_down", f"ask every {interval:g} s at most")
        raise TokenRefused("authorization_pending", "nobody has logged in with the code yet")

    def proven(self, key: str, proven: Proven) -> None:
        """Somebody logged in for a terminal. Raises `LoginRefused` where it no longer waits."""
        device = self._waiting.get(key)
        if device is None or device.proven is not None or device.ends <= self._clock():
            raise LoginRefused("The terminal no longer waits. Start `countersign login` again.")
        self._waiting[key] = replace(device, proven=proven)
        if proven.person not in self._policy().people:
            # The terminal is told as much when it asks for the token.
            raise LoginRefused(
                f"You are {proven.person}, but policies.yaml grants you nothing by a login of your own."
            )

    def _sweep(self) -> None:
        now = self._clock()
        self._waiting = {key: each for key, each in self._waiting.items() if each.ends > now}


class TerminalLogin:
    """The purpose (`gateway.identity.logins.Purpose`) of a login by which a terminal is let in."""

    title = "Log in a terminal"
    wishes = Wishes()

    def __init__(self, devices: Devices, key: str, device: _Device) -> None:
        self._devices = devices
        self._key = key
        wants = scopes.text(device.scope) if device.scope else "all that you may do"
        rows = [("Code", device.user_code), ("Asked from", device.address), ("It may then do", wants)]
        self.details = tuple([*rows, ("It says", device.task)] if device.task else rows)

    async def done(self, proven: Proven) -> str:
        self._devices.proven(self._key, proven)
        return f"Your terminal is logged in as {proven.person}."


def _user_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def _key(device_code: str) -> str:
    return hashlib.sha256(device_code.encode("utf-8", "surrogatepass")).hexdigest()
