"""Whether the policy's identity providers and issuers answer now, and whether people can come back from a login there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeAlias

from gateway.identity.authorities import Authorities, Authority
from gateway.identity.fetching import Unavailable, fetch
from gateway.identity.saml_metadata import MetadataRefused
from gateway.identity.saml_source import Sources
from gateway.policy.identities import OidcProvider, SamlProvider
from gateway.policy.model import Policy
from gateway.policy.strengths import wanted
from gateway.policy.values import is_loopback

Answer: TypeAlias = tuple[str, str]
"""What cannot be, and what to do about it; the latter "" where all is well."""


async def answering(policy: Policy) -> list[Answer]:
    """Each provider and issuer, asked as the gateway would ask it."""
    identity = policy.identity
    asked = [
        *(_provider(each) for each in identity.providers.values()),
        *(
            _issuer(f"identity.workloads.{each.name}", each.issuer, keys=each.keys, ca=each.ca)
            for each in identity.workloads.values()
        ),
    ]
    return [*await asyncio.gather(*asked), *([_pages(policy)] if identity.providers else [])]


async def _provider(provider: OidcProvider | SamlProvider) -> Answer:
    what = f"identity.providers.{provider.name}"
    match provider:
        case OidcProvider():
            return await _issuer(what, provider.issuer, ca=provider.ca)
        case SamlProvider():
            try:
                metadata = await Sources(clock=time.time)(provider)
            except MetadataRefused as refusal:
                return f"{what} lets nobody log in: {refusal}", "check `saml`, and what is there"
            if metadata.valid_until is not None and metadata.valid_until <= time.time():
                return f"{what} lets nobody log in: its metadata is out of date", "fetch it anew"
            return (
                f"{what} is {metadata.entity_id}, with {len(metadata.certificates)} signing certificates",
                "",
            )


async def _issuer(what: str, issuer: str, *, keys: str = "", ca: str) -> Answer:
    async with asyncio.TaskGroup() as tasks:

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            tasks.create_task(work)

        authority: Authority = Authorities(fetch, clock=time.time, spawn=spawn).of(issuer, keys=keys, ca=ca)
        try:
            known = await authority.known()
        except Unavailable as failure:
            return f"{what} does not answer: {failure}", "check the address, its certificate and `ca`"
    return f"{what} is {issuer}, with {known} keys", ""


async def too_weak(policy: Policy) -> list[Answer]:
    """Strengths of logins that some yes needs, and that no provider says it knows; one that does not say may know any."""
    needed, providers = wanted(policy), policy.identity.providers.values()
    if not needed or not providers:
        return []
    known = await asyncio.gather(*map(_strengths, providers))
    return [
        (
            f"{key} needs logins with acr {acr}, which none of the identity providers lists as one it supports",
            "compare `step_up` with the provider's acr_values_supported; a yes there can hardly ever count",
        )
        for acr, key in needed.items()
        if all(each is not None and acr not in each for each in known)
    ]


async def _strengths(provider: OidcProvider | SamlProvider) -> frozenset[str] | None:
    """What its discovery document lists; None where it does not say."""
    if isinstance(provider, SamlProvider):
        return None
    async with asyncio.TaskGroup() as tasks:

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            tasks.create_task(work)

        authorities = Authorities(fetch, clock=time.time, spawn=spawn)
        try:
            said = (await authorities.of(provider.issuer, ca=provider.ca).metadata()).get(
                "acr_values_supported"
            )
        except Unavailable:
            return None
    return frozenset(map(str, said)) if isinstance(said, list) else None


def _pages(policy: Policy) -> Answer:
    url = policy.api.public_url
    if url.startswith("https://") or (url.startswith("http://") and is_loopback(url.split("/")[2])):
        return f"people come back from a login to {url}/login/back/NAME", ""
    return (
        f"people on other machines cannot come back from a login{f' to {url}' if url else ''}",
        "put TLS before the API and set api.public_url to its https:// address (docs/operator.md)",
    )
