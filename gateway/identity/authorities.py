"""Issuers that are trusted: what they say of themselves (OpenID Connect Discovery 1.0), and the keys they sign with now.

Both are asked for when they are first needed, kept, and asked for again before they are old, so that nobody waits for
it. A key that is not known is looked for at once, as an issuer that has just rotated needs, but not more often than
every few seconds, whatever keys tokens name. An issuer that does not answer is believed by what it last said, for a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from gateway.identity.fetching import Ask, Fetch, Unavailable, may_lead
from gateway.identity.foreign import Unverified, fitting, keys_of
from gateway.identity.json_strictly import NotJson, read_object

FRESH = 300.0
"""Seconds for which an answer is used as it is."""
RENEWED = 600.0
"""Until here it is renewed beside its use; after, before."""
STALE = 6 * 3_600.0
"""How long an answer is used when the issuer does not give another."""
AGAIN = 10.0
"""Seconds between two attempts."""
FILE = "file:"

T = TypeVar("T")
Spawn = Callable[[Coroutine[Any, Any, None]], object]

log = logging.getLogger(__name__)


class Kept(Generic[T]):
    """One answer that is kept and renewed."""

    def __init__(self, get: Callable[[], Awaitable[T]], *, clock: Callable[[], float], spawn: Spawn) -> None:
        self._get = get
        self._clock = clock
        self._spawn = spawn
        self._value: T | None = None
        self._at = 0.0
        self._tried_at: float | None = None
        self._failure = ""
        self._asking: asyncio.Event | None = None

    async def get(self) -> T:
        """The answer, new enough. Raises `Unavailable`."""
        age = self._age(self._at)
        if self._value is not None and age <= FRESH:
            return self._value
        if self._value is not None and age <= RENEWED:
            if self._may_ask:
                self._begin()
            return self._value
        await self.renew()
        if self._value is None or self._age(self._at) > STALE:
            raise Unavailable(self._failure or "it was asked a moment ago, and did not answer")
        return self._value

    async def renew(self) -> None:
        """Asks again, unless that has just been done; whoever comes meanwhile waits for the same answer."""
        if self._asking is None and self._may_ask:
            self._begin()
        if self._asking is not None:
            await self._asking.wait()

    @property
    def _may_ask(self) -> bool:
        return self._asking is None and (self._tried_at is None or self._age(self._tried_at) >= AGAIN)

    def _age(self, at: float) -> float:
        # A clock that was set back makes everything old, rather than new for ever.
        age = self._clock() - at
        return age if age >= 0 else float("inf")

    def _begin(self) -> None:
        self._asking = asyncio.Event()
        self._tried_at = self._clock()
        # A task of the gateway's own: whoever asked may hang up, and others wait for the same answer.
        self._spawn(self._ask(self._asking))

    async def _ask(self, asked: asyncio.Event) -> None:
        try:
            self._value = await self._get()
            self._at, self._failure = self._clock(), ""
        except Unavailable as failure:
            self._failure = str(failure)
            log.warning("an issuer cannot be asked: %s", failure)
        finally:
            self._asking = None
            asked.set()


class Authority:
    """One issuer, as policies.yaml names it."""

    def __init__(
        self, issuer: str, *, keys: str, ca: str, fetch: Fetch, clock: Callable[[], float], spawn: Spawn
    ) -> None:
        """`keys` is where its keys are, `file:PATH` or an address; "" to ask the issuer itself."""
        self.issuer = issuer
        self._where = keys
        self._ca = ca
        self._fetch = fetch
        self._metadata: Kept[Mapping[str, Any]] = Kept(self._discover, clock=clock, spawn=spawn)
        self._keys: Kept[tuple[Mapping[str, Any], ...]] = Kept(self._get_keys, clock=clock, spawn=spawn)

    async def metadata(self) -> Mapping[str, Any]:
        """What the issuer says of itself. Raises `Unavailable`."""
        return await self._metadata.get()

    async def keys(self, token: Unverified) -> tuple[Mapping[str, Any], ...]:
        """The keys that may have signed `token`; none where the issuer has none such. Raises `Unavailable`."""
        known = fitting(token, await self._keys.get())
        if known:
            return known
        await self._keys.renew()
        return fitting(token, await self._keys.get())

    async def known(self) -> int:
        """How many keys it signs with now. Raises `Unavailable`."""
        return len(await self._keys.get())

    async def endpoint(self, name: str) -> str:
        """An address that the issuer says it has, of which it may speak. Raises `Unavailable`."""
        address = (await self.metadata()).get(name)
        if not may_lead(self.issuer, address):
            raise Unavailable(f"{self.issuer} names no usable {name} in its metadata")
        return str(address)

    async def ask(self, ask: Ask) -> dict[str, Any]:
        """The issuer's answer to one question. Raises `Unavailable`."""
        return await self._fetch(ask)

    async def _discover(self) -> Mapping[str, Any]:
        url = self.issuer.removesuffix("/") + "/.well-known/openid-configuration"
        said = await self._fetch(Ask(url=url, ca=self._ca))
        if said.get("issuer") != self.issuer:
            raise Unavailable(f"{url} speaks for another issuer than {self.issuer}")
        return said

    async def _get_keys(self) -> tuple[Mapping[str, Any], ...]:
        if self._where.startswith(FILE):
            document = await asyncio.to_thread(_read, Path(self._where.removeprefix(FILE)))
        else:
            url = self._where or await self.endpoint("jwks_uri")
            document = await self._fetch(Ask(url=url, ca=self._ca))
        return keys_of(document)


class Authorities:
    """The issuers that are asked, each once however often policies.yaml is read again."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float], spawn: Spawn) -> None:
        self._fetch = fetch
        self._clock = clock
        self._spawn = spawn
        self._known: dict[tuple[str, str, str], Authority] = {}

    def of(self, issuer: str, *, keys: str = "", ca: str = "") -> Authority:
        """The issuer, as policies.yaml says it is to be asked: `keys` and `ca` are part of whom it means."""
        key = (issuer, keys, ca)
        if key not in self._known:
            self._known[key] = Authority(
                issuer, keys=keys, ca=ca, fetch=self._fetch, clock=self._clock, spawn=self._spawn
            )
        return self._known[key]


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_object(path.read_bytes())
    except (OSError, NotJson) as error:
        raise Unavailable(f"the keys in {path} cannot be read: {error}") from None
