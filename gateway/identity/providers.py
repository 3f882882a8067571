"""The identity providers of the policy in force, each speaking its own protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.identity.authorities import Authorities
from gateway.identity.logins import Provider
from gateway.identity.oidc import Oidc
from gateway.policy.credentials import SecretRef
from gateway.policy.model import Policy


def providers_of(
    policy: Policy,
    authorities: Authorities,
    *,
    base: str,
    clock: Callable[[], float],
    secret: Callable[[SecretRef], str],
) -> Mapping[str, Provider]:
    """By name. `base` is the address of the gateway's pages, to which they send browsers back."""
    return {
        name: Oidc(
            declared, authorities.of(declared.issuer, ca=declared.ca), base=base, clock=clock, secret=secret
        )
        for name, declared in policy.identity.providers.items()
    }
