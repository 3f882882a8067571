"""What a protocol is told of a role that is made for one session at its target, and how it says that it failed."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model import Effects


class RoleFailed(Exception):
    """A role cannot be made or dropped; the message tells no credential, and what the target said only by its code."""


class LoginNotTaken(RoleFailed):
    """The target did not let in who makes the roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role of the target's own, for one session."""

    name: str
    password: str = field(repr=False)
    effects: Effects
    """Those of the session's scope."""
    schemas: tuple[str, ...] = ()
    """Where it gets the privileges that its effects need."""
    member_of: tuple[str, ...] = ()
    """Roles of the target that it is a member of."""
    valid: float
    """Seconds within which it has to log in."""
    comment: str = ""
    """Whose it is, for people who look around at the target."""
