"""The numbers of the host keys that the gateway shows and announces, so that an operator can change them with an overlap.

Host keys are derived from the seed, each by its number: nothing of an old one has to be kept, and the first stays what it
was. `DIR/keys/host-keys` has two numbers, the key that is shown and the one that clients are to learn beforehand. They are
the same where none is announced, and both 1 where the file was never written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.identity.private_files import KeysUnsafe, owner_only, write_whole
from gateway.identity.seed import derived

FILE = "host-keys"
OF_A_HOST = "-host"
NEXT = "-next"
"""How purposes of host keys end; the announced one's with this behind it."""
_NUMBERS = re.compile(rb"([1-9][0-9]{0,8}) ([1-9][0-9]{0,8})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    shown: int = 1
    announced: int = 1


def numbers(directory: Path) -> Numbers:
    """What holds now. Raises `KeysUnsafe` where that cannot be known: clients would see a key that nobody chose."""
    path = directory / FILE
    try:
        owner_only(path)
        found = _NUMBERS.fullmatch(path.read_bytes())
    except FileNotFoundError:
        return Numbers()
    if found is None:
        raise KeysUnsafe(
            f"{path} is damaged: restore it from a backup. It has the numbers of two host keys: 1 2"
        )
    return Numbers(shown=int(found[1]), announced=int(found[2]))


def write(directory: Path, chosen: Numbers) -> None:
    """Holds from the gateway's next start."""
    write_whole(directory / FILE, f"{chosen.shown} {chosen.announced}\n".encode(), mode=0o600)


def secrets_of(seed: bytes, chosen: Numbers) -> Callable[[str], bytes]:
    """The 32 bytes for a purpose, with the host keys that were chosen."""

    def secret(purpose: str) -> bytes:
        plain, number = purpose, 1
        if purpose.endswith(OF_A_HOST):
            number = chosen.shown
        elif purpose.endswith(OF_A_HOST + NEXT):
            plain, number = purpose.removesuffix(NEXT), chosen.announced
        return derived(seed, plain if number == 1 else f"{plain}-{number}")

    return secret
