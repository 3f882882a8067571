"""The seed of a gateway's secrets, from which all are made but its signing keys: SSH's host key and authorities, masks, links.

It is made once. A mark beside the keys' directory, not in it, says so for ever and has the seed's digest: where the
seed is missing then, or is another one, the gateway does not start, because every client would find another host and
nobody would have been told. The mark is read before the seed and written after it, and neither is ever replaced, so
processes that begin at once, or are cut at any instant, end with one seed and its mark.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
from pathlib import Path

from gateway.identity.private_files import KeysUnsafe, owner_only, write_first

SEED = "seed"
MARK = "seed.mark"
_BYTES = 32
_LINE = re.compile(rb"([0-9a-f]{64})  .+")
_THEN = (
    "every client then sees a changed host key, targets that trust the gateway's "
    "authority have to be given the new one, and minted passwords and links end"
)
_REMARK = (
    b"# The digest of the seed that this gateway's keys are made from; it tells nothing of them. A gateway that finds this\n"
    b"# file and not that seed does not start.\n"
)
log = logging.getLogger("countersign.keys")


def open_seed(directory: Path) -> bytes:
    """The seed in the directory of the keys, made where there never was one. Raises `KeysUnsafe`."""
    path = directory / SEED
    while True:
        seed, marked = look(directory)
        if seed is None:
            if write_first(path, secrets.token_bytes(_BYTES), mode=0o600):
                log.info("made a new seed: host keys and authorities are new", extra={"file": str(path)})
        elif not marked:
            write_first(mark_of(directory), _marking(seed, path), mode=0o600)
        else:
            return seed


def look(directory: Path) -> tuple[bytes | None, bool]:
    """The seed, where there is one, and whether it is marked; nothing is made.

    Raises `KeysUnsafe` where the seed is not the one that the mark speaks of, or one of them is damaged.
    """
    path, mark = directory / SEED, mark_of(directory)
    digest = _digest(mark)
    seed = _read(path)
    if seed is None:
        if digest is not None:
            raise KeysUnsafe(
                f"{path} is missing, though this gateway had a seed: {mark} says so. Restore it from a backup "
                f"(SHA-256 {digest}), or remove {mark} to begin with new keys knowingly: {_THEN}"
            )
    elif digest is not None and not hmac.compare_digest(hashlib.sha256(seed).hexdigest(), digest):
        raise KeysUnsafe(
            f"{path} is not the seed that this gateway had: {mark} has another digest. Restore the old one from a "
            f"backup (SHA-256 {digest}), or remove {mark} to go on with this one knowingly: {_THEN}"
        )
    elif len(seed) != _BYTES:
        raise KeysUnsafe(
            f"{path} is damaged: restore it from a backup, or remove it to begin with new keys knowingly: {_THEN}"
        )
    return seed, digest is not None


def derived(seed: bytes, purpose: str) -> bytes:
    """The 32 bytes that are for `purpose`, and that nobody can know who does not know the seed."""
    return hmac.digest(seed, purpose.encode(), "sha256")


def mark_of(directory: Path) -> Path:
    """Outside the directory: where all of it is lost, or was never mounted, there is still the mark."""
    return directory.parent / MARK


def _read(path: Path) -> bytes | None:
    try:
        owner_only(path)
    except FileNotFoundError:
        return None
    return path.read_bytes()


def _digest(mark: Path) -> str | None:
    content = _read(mark)
    if content is None:
        return None
    for line in content.splitlines():
        if told := _LINE.fullmatch(line):
            return told[1].decode()
    raise KeysUnsafe(
        f"{mark} is damaged: restore it from a backup, or remove it if the seed is the right one"
    )


def _marking(seed: bytes, path: Path) -> bytes:
    """As `sha256sum --check` takes it where the mark lies."""
    name = os.fsencode(Path(path.parent.name) / path.name)
    return b"%s%s  %s\n" % (_REMARK, hashlib.sha256(seed).hexdigest().encode(), name)
