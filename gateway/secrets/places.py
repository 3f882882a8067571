"""What every place of secrets offers: a secret as it is now, and for how long at most it may be used."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gateway.policy.credentials import SecretMissing, SecretRef

LONGEST = 64 * 1024
"""Bytes of a secret; nothing that anybody logs in with is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    value: str = field(repr=False)
    good_for: float | None = None
    """Seconds after which its store wants to be asked again."""


class Place(Protocol):
    """Where secrets of one source are fetched."""

    async def fetch(self, ref: SecretRef) -> Found:
        """Raises `SecretMissing` where it has none, and `SecretUnavailable` where it cannot say."""

    async def close(self) -> None: ...


def read(ref: SecretRef) -> str:
    """A secret of the environment or a file as it is now, without one trailing newline. Raises `SecretMissing`."""
    if ref.source == "env":
        value = os.environ.get(ref.name)
        if not value:
            raise SecretMissing(f"set the environment variable {ref.name}")
        return value.removesuffix("\n")
    if ref.source != "file":
        raise SecretMissing(f"{ref} has not been fetched")
    try:
        with Path(ref.name).open("rb") as file:
            content = file.read(LONGEST + 1)
    except OSError as error:
        raise SecretMissing(f"the file {ref.name} cannot be read: {error.strerror}") from None
    return text(content, f"the file {ref.name}")


def text(content: bytes, what: str) -> str:
    """What `what` holds, as a secret. Raises `SecretMissing`."""
    if len(content) > LONGEST:
        raise SecretMissing(f"{what} holds more than {LONGEST // 1024} KiB, which is no secret")
    try:
        value = content.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise SecretMissing(f"{what} cannot be read: it is not UTF-8 text") from None
    if not value:
        raise SecretMissing(f"{what} is empty")
    return value
