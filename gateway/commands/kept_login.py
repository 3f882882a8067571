"""A person's login as this machine keeps it: one token for each gateway, in a file that its owner alone may read."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import time
from pathlib import Path
from typing import Any

from gateway.commands.token_client import Misused

FILE_BYTES = 256 * 1024


def path() -> Path:
    """`$XDG_CONFIG_HOME/countersign/logins.json`, by the XDG Base Directory Specification."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    # What is not absolute is to be ignored there.
    base = Path(home) if home.startswith("/") else Path.home() / ".config"
    return base / "countersign" / "logins.json"


def token(url: str) -> str:
    """The token for the gateway at `url`, "" where there is none that still lasts. Raises `Misused`."""
    kept = _read().get(url.rstrip("/"), {})
    lasts = isinstance(kept.get("expires_at"), int | float) and kept["expires_at"] > time.time()
    return str(kept.get("token", "")) if lasts else ""


def keep(url: str, token: str, *, expires_at: float) -> None:
    """Raises `Misused`."""
    _write({**_read(), url.rstrip("/"): {"token": token, "expires_at": expires_at}})


def forget(url: str) -> None:
    """Raises `Misused`."""
    kept = _read()
    if kept.pop(url.rstrip("/"), None) is not None:
        _write(kept)


def _read() -> dict[str, dict[str, Any]]:
    where = path()
    try:
        with where.open("rb") as file:
            # Of a file that others may have written nobody knows whose login it is.
            status = os.fstat(file.fileno())
            if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
                raise Misused(f"{where} is open to others: log out everywhere, and `chmod 600 {where}`")
            found = json.loads(file.read(FILE_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise Misused(f"{where} cannot be read ({error}): remove it, and log in again") from None
    if not isinstance(found, dict):
        return {}
    return {url: kept for url, kept in found.items() if isinstance(kept, dict)}


def _write(kept: dict[str, dict[str, Any]]) -> None:
    where = path()
    beside = where.with_name(f".{where.name}.{secrets.token_hex(4)}")
    try:
        where.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(where)
        finally:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
    except OSError as error:
        raise Misused(f"{where} cannot be written: {error.strerror}") from None
