"""A SAML 2.0 identity provider of policies.yaml."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlProvider:
    """A SAML identity provider at which people log in."""

    name: str
    metadata: str
    """Path or address of what it says of itself: its keys, and where it takes requests."""
    entity_id: str = ""
    """Which one, where the metadata describes several."""
    person: str = ""
    """The attribute that is the person's e-mail address; "" is a NameID of that format."""
    groups: str = "groups"
    """The attribute that lists the person's groups."""
    domains: tuple[str, ...]
    """Whose addresses it may vouch for."""
    ca: str = ""
    """A file of certificates to trust in place of the system's, for the address of its metadata."""
