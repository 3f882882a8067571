"""The identity providers of the policy in force, each speaking its own protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.identity.authorities import Authorities
from gateway.identity.logins import Provider
from gateway.identity.oidc import Oidc
from gateway.identity.saml import Saml, SamlProviders
from gateway.policy.credentials import SecretRef
from gateway.policy.identities import OidcProvider, SamlProvider
from gateway.policy.model import Policy


def providers_of(
    policy: Policy,
    authorities: Authorities,
    samls: SamlProviders,
    *,
    base: str,
    clock: Callable[[], float],
    secret: Callable[[SecretRef], str],
) -> Mapping[str, Provider]:
    """By name. `base` is the address of the gateway's pages, to which they send browsers back."""

    def provider(declared: OidcProvider | SamlProvider) -> Provider:
        match declared:
            case OidcProvider():
                authority = authorities.of(declared.issuer, ca=declared.ca)
                return Oidc(declared, authority, base=base, clock=clock, secret=secret)
            case SamlProvider():
                return samls.of(declared, base=base)

    return {name: provider(declared) for name, declared in policy.identity.providers.items()}


def saml_of(policy: Policy, samls: SamlProviders, name: str, *, base: str) -> Saml | None:
    """The SAML provider of that name; None where there is none."""
    declared = policy.identity.providers.get(name)
    return samls.of(declared, base=base) if isinstance(declared, SamlProvider) else None
