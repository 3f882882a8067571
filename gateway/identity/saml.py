"""Login by SAML 2.0: the gateway as a service provider, for the Web Browser SSO profile begun here.

The browser takes a request to the identity provider in its address or in a form, and brings back a signed assertion in a form. One
that answers no request of ours is refused: a login is always for something that somebody began at the gateway.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping

from gateway.identity import saml_metadata, saml_request, saml_response, saml_signing
from gateway.identity.logins import LoginRefused, Proven, Started, Wishes
from gateway.identity.people import PersonUnclear, person_of
from gateway.identity.saml_metadata import Metadata, MetadataRefused
from gateway.identity.saml_response import CLOCKS_APART, Asserted, Expected, ResponseRefused
from gateway.identity.saml_signing import KeyRefused, Signing
from gateway.identity.saml_source import Sources
from gateway.identity.saml_used import Used
from gateway.policy.credentials import SecretMissing, SecretRef
from gateway.policy.identities import SamlProvider
from gateway.store import Store

EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
GROUPS = 500
"""Groups of one person that are remembered at most; a login with more is refused."""


class Saml:
    """One provider of policies.yaml, as `gateway.identity.logins.Provider`."""

    def __init__(
        self,
        configured: SamlProvider,
        *,
        base: str,
        metadata: Callable[[SamlProvider], Awaitable[Metadata]],
        used: Used,
        secret: Callable[[SecretRef], str],
        clock: Callable[[], float],
    ) -> None:
        """`base` is the address of the gateway's pages; `metadata` raises `MetadataRefused`, `secret` `SecretMissing`."""
        self._secret = secret
        self._configured = configured
        self._base = base
        self._metadata = metadata
        self._used = used
        self._clock = clock

    @property
    def name(self) -> str:
        return self._configured.name

    @property
    def entity_id(self) -> str:
        """What the provider knows the gateway as: the address of its metadata."""
        return f"{self._base}/login/saml/{self.name}"

    @property
    def acs(self) -> str:
        """Where browsers bring assertions."""
        return f"{self._base}/login/back/{self.name}"

    def own_metadata(self) -> bytes:
        """Raises `LoginRefused` where the key that it is to publish cannot be had."""
        signing = self._signing()
        certificate = signing.published if signing is not None else ""
        return saml_metadata.write(entity_id=self.entity_id, acs=self.acs, certificate=certificate)

    async def start(self, state: str, wishes: Wishes) -> Started:
        provider, signing = await self._provider(), self._signing()
        if provider.wants_signed and signing is None:
            raise LoginRefused(
                f"Nobody can log in with {self.name}: it wants signed requests, and policies.yaml has no `key` for it."
            )
        # An NCName cannot begin with a digit.
        request_id = f"_{secrets.token_hex(20)}"
        now = self._clock()
        afresh = "false" if wishes.max_age is None else "true"
        document = saml_request.request(
            request_id=request_id,
            entity_id=self.entity_id,
            acs=self.acs,
            destination=provider.login,
            at=now,
            afresh=afresh,
            context=wishes.acr,
        )
        kept = {"request": request_id, "afresh": afresh, "at": f"{now}"}
        if provider.by_post:
            fields = saml_request.form(document, state=state, signing=signing)
            return Started(url=provider.login, form=fields, kept=kept)
        url = saml_request.address(provider.login, document, state=state, signing=signing)
        return Started(url=url, kept=kept)

    async def finish(self, values: Mapping[str, str], kept: Mapping[str, str]) -> Proven:
        provider = await self._provider()
        expected = Expected(
            issuer=provider.entity_id,
            certificates=provider.certificates,
            audience=self.entity_id,
            acs=self.acs,
            request_id=kept["request"],
        )
        try:
            said = saml_response.asserted(values.get("SAMLResponse", ""), expected, now=self._clock())
        except ResponseRefused as refusal:
            raise LoginRefused(f"{self.name} did not show who you are: {refusal}.") from None
        if kept["afresh"] == "true" and said.at < float(kept["at"]) - CLOCKS_APART:
            raise LoginRefused(f"{self.name} was asked for a fresh login, and did not ask you for one.")
        proven = Proven(
            person=self._person(said),
            groups=self._groups(said),
            provider=self.name,
            at=said.at,
            acr=said.context,
        )
        if not await self._used.first(provider.entity_id, said.id, until=said.ends):
            raise LoginRefused(f"{self.name}'s answer was used before. Begin the login again.")
        return proven

    async def _provider(self) -> Metadata:
        try:
            provider = await self._metadata(self._configured)
        except MetadataRefused as refusal:
            raise LoginRefused(f"Nobody can log in with {self.name}: {refusal}.") from None
        if provider.valid_until is not None and provider.valid_until <= self._clock():
            raise LoginRefused(f"Nobody can log in with {self.name}: its metadata is out of date.")
        return provider

    def _signing(self) -> Signing | None:
        """The key for requests; None where they are not signed."""
        ref = self._configured.key
        if ref is None:
            return None
        try:
            return saml_signing.read(self._secret(ref))
        except (SecretMissing, KeyRefused) as failure:
            raise LoginRefused(f"Nobody can log in with {self.name}: {failure}.") from None

    def _person(self, said: Asserted) -> str:
        """The address, of a domain that the provider may vouch for."""
        attribute = self._configured.person
        if attribute:
            named = set(said.attributes.get(attribute, ()))
        else:
            named = {said.name_id} if said.format == EMAIL_FORMAT else set()
        try:
            return person_of(named, self._configured.domains)
        except PersonUnclear as unclear:
            raise LoginRefused(f"{self.name} {unclear}") from None

    def _groups(self, said: Asserted) -> frozenset[str]:
        groups = frozenset(filter(None, said.attributes.get(self._configured.groups, ())))
        if len(groups) > GROUPS:
            raise LoginRefused(f"{self.name} says that you are in more than {GROUPS:,} groups.")
        return groups


class SamlProviders:
    """The SAML providers of policies.yaml."""

    def __init__(
        self, store: Store, *, secret: Callable[[SecretRef], str], clock: Callable[[], float]
    ) -> None:
        self._secret = secret
        self._clock = clock
        self._used = Used(store, clock=clock)
        self._sources = Sources(clock=clock)

    def of(self, configured: SamlProvider, *, base: str) -> Saml:
        """`base` is the address of the gateway's pages."""
        return Saml(
            configured,
            base=base,
            metadata=self._sources,
            used=self._used,
            secret=self._secret,
            clock=self._clock,
        )
