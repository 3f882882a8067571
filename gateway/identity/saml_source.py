"""Where an identity provider's metadata comes from: a file beside the policy, or an address that is asked now and then.

Keys roll over: a file that was replaced counts from then on, an address is asked again after an hour. While it does
not answer, what it said last goes on to count, for a day.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from gateway.identity import saml_metadata
from gateway.identity.saml_metadata import LARGEST, Metadata, MetadataRefused
from gateway.policy.identities import SamlProvider

ASKED_AGAIN = 3_600.0
"""Seconds for which an address is not asked again."""
COUNTS = 86_400.0
"""Seconds for which what it said counts while it does not answer."""
ANSWER_WITHIN = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    metadata: Metadata
    at: float
    of: object
    """What of the file it was read from, so that another one is noticed."""


class Sources:
    """The metadata of every provider, as it was read last."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[SamlProvider, _Kept] = {}
        self._asking = asyncio.Lock()

    async def __call__(self, provider: SamlProvider) -> Metadata:
        """Raises `MetadataRefused`."""
        if provider.metadata.startswith("file:"):
            return await asyncio.to_thread(self._read, provider)
        async with self._asking:
            return await self._asked(provider)

    def _read(self, provider: SamlProvider) -> Metadata:
        path = Path(provider.metadata.removeprefix("file:"))
        try:
            status = path.stat()
            of = (status.st_ino, status.st_size, status.st_mtime_ns)
            kept = self._kept.get(provider)
            if kept is not None and kept.of == of:
                return kept.metadata
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
        except OSError as error:
            raise MetadataRefused(f"its metadata cannot be read ({error.strerror})") from None
        return self._keep(provider, data, of=of)

    async def _asked(self, provider: SamlProvider) -> Metadata:
        kept = self._kept.get(provider)
        # After a clock that was set back everything is old, rather than new for ever.
        age = self._clock() - kept.at if kept is not None else -1.0
        if kept is not None and 0 <= age < ASKED_AGAIN:
            return kept.metadata
        try:
            return self._keep(provider, await _fetched(provider), of=None)
        except MetadataRefused:
            if kept is None or not 0 <= age < COUNTS:
                raise
            return kept.metadata

    def _keep(self, provider: SamlProvider, data: bytes, *, of: object) -> Metadata:
        metadata = saml_metadata.read(data, entity_id=provider.entity_id)
        self._kept[provider] = _Kept(metadata=metadata, at=self._clock(), of=of)
        return metadata


async def _fetched(provider: SamlProvider) -> bytes:
    try:
        trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=provider.ca) if provider.ca else True
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as http,
            http.get(provider.metadata, ssl=trust, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise MetadataRefused(f"its metadata's address answers with {answer.status}")
            data = bytearray()
            async for chunk in answer.content.iter_any():
                data += chunk
                if len(data) > LARGEST:
                    break
            return bytes(data)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise MetadataRefused(f"its metadata's address does not answer ({type(error).__name__})") from None
