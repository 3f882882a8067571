"""How policies.yaml says where secrets are, and as whom the gateway logs in; it never holds a secret itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gateway.model import Effect


class SecretMissing(Exception):
    """A secret that the policy refers to cannot be had; the message names its place, never a value."""


class SecretUnavailable(SecretMissing):
    """Its place cannot be asked now: what was there before may still hold."""


Source: TypeAlias = Literal["env", "file", "command", "vault", "aws"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    """Where a secret is found: `env:NAME`, `file:PATH`, `vault:PATH#KEY`, `aws:NAME#KEY` or `command: [...]`."""

    source: Source
    name: str = ""
    """Variable, path, or what its store calls it."""
    key: str = ""
    """Which of the values that a store keeps under that name; "" for all there is."""
    command: tuple[str, ...] = ()
    """A program and its arguments."""

    @property
    def is_local(self) -> bool:
        """Read in no time, whenever it is used."""
        return self.source in {"env", "file"}

    def __str__(self) -> str:
        if self.source == "command":
            return f"the command {self.command[0] if self.command else ''}"
        return f"{self.source}:{self.name}" + (f"#{self.key}" if self.key else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTemplate:
    """What a role that is made for one session may do: what its scope's effects need, and nothing else."""

    schemas: tuple[str, ...] = ()
    """On everything in these it gets the privileges of its effects."""
    member_of: Mapping[Effect, tuple[str, ...]] = field(default_factory=dict)
    """Effect -> roles of the target that it becomes a member of."""
    owner: str = ""
    """Who gets what a session leaves behind; "" for the one that makes the roles."""
    valid: float = 120.0
    """Seconds within which the session has to log in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredential:
    user: str = ""
    password: SecretRef | None = None
    key: SecretRef | None = None
    """A private key."""
    token: SecretRef | None = None
    """A bearer token."""
    roles: RoleTemplate | None = None
    """Where set, `user` makes a role for each session and no session runs as itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRole:
    role_id: SecretRef
    secret_id: SecretRef
    mount: str = "approle"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    role: str
    token: SecretRef
    mount: str


VaultLogin: TypeAlias = SecretRef | AppRole | ServiceAccount
"""A token as it is, or what one is got for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultStore:
    address: str
    auth: VaultLogin
    namespace: str = ""
    ca: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsStore:
    """As AWS's own tools have it where nothing is set."""

    region: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPolicy:
    """Where secrets that are fetched come from, and how old they may get."""

    refresh: float = 300.0
    """Seconds after which one is fetched again."""
    stale: float = 3_600.0
    """Seconds beyond that for which an old one serves while its store cannot be asked."""
    vault: VaultStore | None = None
    aws: AwsStore = field(default_factory=AwsStore)
