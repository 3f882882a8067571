"""Logins of people: somebody opens a one-time address, proves to an identity provider who they are, and what the
login was for is done.

A login is begun for a `Purpose` and belongs to the browser that first goes on with it: the browser keeps one random
cookie, and all else stays here. Its state is unguessable, sent to one provider, and used once, whatever comes of it.
Nothing is kept on disk: a restart ends the logins that were under way, and whoever began one begins again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

LIFETIME = 600.0
"""Seconds from the beginning of a login to its end."""
UNDER_WAY = 10_000
"""Logins that may be under way; when there are more, the oldest is forgotten."""
CAME = 100
"""Returns that wait for their browser: each waits for one redirection, so the oldest of more is forgotten."""
CLOCKS_APART = 60.0
"""How far a provider's clock may be from ours, in seconds."""
OVER = "This address is not one of this gateway's, or it has been used, or its time is over. Begin the login again."
ELSEWHERE = "This login was begun in another browser. Go on there, or begin the login again."


class LoginRefused(Exception):
    """Nobody was shown to be anybody; the message is a sentence for the person at the browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How fresh and how strong a login has to be."""

    max_age: float | None = None
    """Seconds since the person last proved themselves to the provider; None is as the provider likes."""
    acr: str = ""
    """The authentication context class (OIDC's `acr`, SAML's AuthnContextClassRef) that it has to have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Who a person was shown to be, by which provider, when and how strongly."""

    person: str
    """The e-mail address, in lower case."""
    groups: frozenset[str]
    """As the provider calls them; policies.yaml says which of its groups that makes."""
    provider: str
    at: float
    """When the person proved it to the provider, by the provider's word; Unix seconds."""
    acr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Where the browser goes, and what has to be at hand when it comes back."""

    url: str
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the browser POSTs there; empty where it just goes."""
    kept: Mapping[str, str] = field(repr=False)


class Provider(Protocol):
    """An identity provider of policies.yaml. Both questions raise `LoginRefused`."""

    @property
    def name(self) -> str:
        """Its name in policies.yaml, and in the address that it sends browsers back to."""
        ...

    async def start(self, state: str, wishes: Wishes) -> Started:
        """A request of the provider's protocol that carries `state` there and back."""
        ...

    async def finish(self, values: Mapping[str, str], kept: Mapping[str, str]) -> Proven:
        """What the browser's return proves: `values` are the parameters it came with, `kept` is what `start` kept."""
        ...


Remember = Callable[[Proven], Awaitable[None]]


class Purpose(Protocol):
    """What a login is for."""

    @property
    def title(self) -> str:
        """For the head of the page: "Log in a terminal"."""
        ...

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        """What the person should look at before they go on: name and value."""
        ...

    @property
    def wishes(self) -> Wishes: ...

    async def done(self, proven: Proven) -> str:
        """Does what the login was for, and says so in a sentence. Raises `LoginRefused`. Called once."""
        ...


@dataclass(frozen=True, slots=True)
class _Way:
    """A login on its way through one provider."""

    ticket: str
    provider: str
    kept: Mapping[str, str] = field(repr=False)
    came: Mapping[str, str] | None = field(default=None, repr=False)
    """What the provider sent by the browser in a POST, until the browser fetches the end of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    purpose: Purpose
    ends: float
    browser: bytes = b""
    """Hash of the cookie of the browser that it belongs to; empty until one goes on with it."""
    state: str = ""
    """Of the way it is on, where it is on one."""


class Logins:
    """The logins that are under way."""

    def __init__(
        self,
        providers: Callable[[], Mapping[str, Provider]],
        remember: Remember,
        *,
        base: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        """`providers()` are those of the policy in force, by name; `base()` is the address of the gateway's pages.

        `remember` is told of everybody who was proven, before what the login was for is done.
        """
        self._providers = providers
        self._remember = remember
        self._base = base
        self._clock = clock
        self._logins: OrderedDict[str, _Login] = OrderedDict()
        self._ways: dict[str, _Way] = {}

    @property
    def providers(self) -> tuple[str, ...]:
        """The names of the providers there are; without one nobody can log in."""
        return tuple(sorted(self._providers()))

    def begin(self, purpose: Purpose) -> str:
        """The address at which one person can do this, once. Raises `LoginRefused` where no provider is declared."""
        if not self.providers:
            raise LoginRefused("policies.yaml has no identity provider, so nobody can log in here.")
        self._sweep()
        while len(self._logins) >= UNDER_WAY:
            self._forget(next(iter(self._logins)))
        ticket = secrets.token_urlsafe(32)
        self._logins[ticket] = _Login(purpose=purpose, ends=self._clock() + LIFETIME)
        return f"{self._base()}/login/{ticket}"

    def purpose(self, ticket: str, cookie: str) -> Purpose:
        """What an address is for. Looking uses nothing up. Raises `LoginRefused`."""
        return self._login(ticket, cookie).purpose

    async def go(self, ticket: str, provider: str, cookie: str) -> Started:
        """Where the browser with this cookie goes to log in; the login is that browser's from now on."""
        before = self._login(ticket, cookie)
        chosen = self._providers().get(provider)
        if chosen is None:
            raise LoginRefused(f"There is no identity provider {provider[:64]}.")
        state = secrets.token_urlsafe(32)
        # The browser is bound before anything is awaited, so that two cannot both be the first.
        self._ways.pop(before.state, None)
        self._logins[ticket] = replace(before, browser=_hash(cookie), state=state)
        try:
            started = await chosen.start(state, before.purpose.wishes)
        except LoginRefused:
            # It never left, and has no cookie yet by which it would be known again.
            if self._login(ticket, cookie).state == state:
                self._logins[ticket] = replace(before, state="")
            raise
        now = self._login(ticket, cookie)
        if now.state != state:
            raise LoginRefused("This login was begun again meanwhile. Go on there.")
        self._ways[state] = _Way(ticket, provider, started.kept)
        return started

    def came(self, provider: str, state: str, values: Mapping[str, str]) -> None:
        """Keeps what a provider had the browser POST, for the `finish` that follows. Raises `LoginRefused`.

        A browser sends no cookie along with what another site has it POST; it does when it then fetches the end.
        """
        way = self._ways.get(state)
        if way is None or way.provider != provider:
            raise LoginRefused(OVER)
        # Put last among those that came, so that the first of them is the oldest.
        del self._ways[state]
        self._ways[state] = replace(way, came=dict(values))
        came = [state for state, way in self._ways.items() if way.came is not None]
        for old in came[:-CAME]:
            del self._ways[old]

    async def finish(self, provider: str, state: str, values: Mapping[str, str], cookie: str) -> str:
        """What has been done, in a sentence. `values` are those of the address. Raises `LoginRefused`."""
        way = self._ways.get(state)
        login = self._logins.get(way.ticket) if way is not None else None
        if way is None or login is None or way.provider != provider or login.ends <= self._clock():
            raise LoginRefused(OVER)
        if not hmac.compare_digest(login.browser, _hash(cookie)):
            raise LoginRefused(ELSEWHERE)
        del self._ways[state]
        chosen = self._providers().get(provider)
        if chosen is None:
            raise LoginRefused(f"There is no identity provider {provider[:64]} any more.")
        proven = await chosen.finish(way.came or values, way.kept)
        _meets(proven, login.purpose.wishes, provider, self._clock())
        # Of two returns that were proved at the same time, one does what it was for.
        if self._logins.pop(way.ticket, None) is None:
            raise LoginRefused(OVER)
        await self._remember(proven)
        return await login.purpose.done(proven)

    def _login(self, ticket: str, cookie: str) -> _Login:
        login = self._logins.get(ticket)
        if login is None or login.ends <= self._clock():
            raise LoginRefused(OVER)
        if login.browser and not hmac.compare_digest(login.browser, _hash(cookie)):
            raise LoginRefused(ELSEWHERE)
        return login

    def _sweep(self) -> None:
        now = self._clock()
        for ticket in [ticket for ticket, login in self._logins.items() if login.ends <= now]:
            self._forget(ticket)

    def _forget(self, ticket: str) -> None:
        self._ways.pop(self._logins.pop(ticket).state, None)


def _meets(proven: Proven, wishes: Wishes, provider: str, now: float) -> None:
    """A provider was asked for so much; that it did as asked is not taken on trust. Raises `LoginRefused`."""
    if proven.provider != provider:
        raise LoginRefused(OVER)
    if proven.at > now + CLOCKS_APART:
        raise LoginRefused(
            f"{provider} says that you logged in at a time that is yet to come: compare the clocks."
        )
    if wishes.max_age is not None and proven.at < now - wishes.max_age - CLOCKS_APART:
        raise LoginRefused(
            f"{provider} did not ask you to prove yourself again, and this needs a fresh login."
        )
    if wishes.acr and proven.acr != wishes.acr:
        raise LoginRefused(f"{provider} logged you in, but not as strongly as this needs ({wishes.acr}).")


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()
