"""Everything by which people and workloads come to be known, built in one place from what the gateway already has."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from gateway.api import saml
from gateway.api.devices import DeviceFlow
from gateway.api.login import LoginPages
from gateway.identity.authorities import Authorities, Spawn
from gateway.identity.devices import Devices
from gateway.identity.failures import Failures
from gateway.identity.fetching import Fetch, fetch
from gateway.identity.logins import Logins, Proven
from gateway.identity.members import Members
from gateway.identity.providers import providers_of, saml_of
from gateway.identity.saml import SamlProviders
from gateway.identity.tokens import Issuer
from gateway.identity.workloads import Workloads
from gateway.policy.credentials import SecretRef
from gateway.policy.model import Policy
from gateway.secrets.places import read
from gateway.store import Store


class Identities:
    """`logins`, `workloads` and `devices`, with the pages that go with them."""

    def __init__(
        self,
        issuer: Issuer,
        members: Members,
        failures: Failures,
        store: Store,
        policy: Callable[[], Policy],
        *,
        clock: Callable[[], float],
        spawn: Spawn,
        secret: Callable[[SecretRef], str] = read,
        fetch: Fetch = fetch,
    ) -> None:
        """`policy()` is that of the moment, with what `members` know."""
        authorities = Authorities(fetch, clock=clock, spawn=spawn)
        samls = SamlProviders(store, secret=secret, clock=clock)

        def base() -> str:
            return issuer.name

        async def remember(proven: Proven) -> None:
            members.remember(proven)
            await store.commit()

        self.logins = Logins(
            lambda: providers_of(policy(), authorities, samls, base=base(), clock=clock, secret=secret),
            remember,
            base=base,
            clock=clock,
        )
        self.workloads = Workloads(policy, authorities, issuer, store, clock=clock)
        self.devices = Devices(issuer, policy, clock=clock)
        self._saml = saml.routes(lambda name: saml_of(policy(), samls, name, base=base()))
        self._pages = LoginPages(self.logins, base=base)
        self._terminals = DeviceFlow(self.devices, self.logins, failures, base=base)

    def routes(self) -> list[web.RouteDef]:
        """For `gateway.api.app.build`."""
        return [*self._pages.routes(), *self._terminals.routes(), *self._saml]
