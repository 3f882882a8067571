"""How long recordings are kept: deleted once they are older than the policy keeps them, never while required.

A recording's age counts from its last record. An open one is never deleted. What was deleted, and a policy that
keeps recordings for a shorter time than before or than is required, is told to whoever called, to be journalled
and announced.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import orjson

from gateway.recorder.fields import SUFFIX
from gateway.recorder.read import being_written, days

TOLD = "retention.json"
"""What the last pass was told, beside the recordings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one pass did."""

    deleted: tuple[str, ...]
    """Session ids."""
    reports: tuple[str, ...]
    """What operators should know."""


def sweep(
    directory: Path, *, keep: float, required: float, now: float, kept_before: float | None = None
) -> Swept:
    """Delete recordings older than `keep` seconds, and none younger than `required`. Blocks on the disk.

    What the pass before was told is kept beside the recordings, so that a change is reported once, over a restart
    too; `kept_before` says otherwise what its `keep` was.
    """
    reports: list[str] = []
    before = _before(directory)
    told = {"keep": keep, "required": required}
    kept_before = before.get("keep") if kept_before is None else kept_before
    if keep < required:
        if told != before:
            reports.append(
                f"retention.recordings ({_days(keep)}) is shorter than retention.required ({_days(required)}): "
                "recordings are kept for the required time"
            )
        keep = required
    if kept_before is not None and keep < kept_before:
        reports.append(f"recordings are now kept for {_days(keep)}; it was {_days(kept_before)}")
    if told != before and directory.is_dir():
        (directory / TOLD).write_bytes(orjson.dumps(told))
    deleted: list[str] = []
    for day in days(directory):
        for path in sorted(day.glob(f"*{SUFFIX}")):
            try:
                if now - path.stat().st_mtime > keep and not _open(path):
                    path.unlink()
                    deleted.append(path.stem)
            except OSError as error:
                reports.append(f"the recording of session {path.stem} could not be deleted: {error.strerror}")
        with contextlib.suppress(OSError):
            day.rmdir()
    return Swept(deleted=tuple(deleted), reports=tuple(reports))


def _before(directory: Path) -> dict[str, float]:
    """What the pass before was told; empty where there was none, or what is kept of it is not readable."""
    try:
        told = orjson.loads((directory / TOLD).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return told if isinstance(told, dict) else {}


def _open(path: Path) -> bool:
    with path.open("rb") as file:
        return being_written(file)


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:g} d"
