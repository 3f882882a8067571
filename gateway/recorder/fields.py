"""What the records of a session say, for those who write them and those who read them.

Kinds, in the order of a session: `opened`, then `asked`, `decided`, `answer`, `answered`, `noted` as they happen,
then `closed` and `sealed`. `docs/recording.md` lists the fields of each.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.contract import ActorView, LineageView, SessionView
from gateway.model import Session
from gateway.recorder.chain import Record

SUFFIX = ".rec"
TAIL = 64 * 1024
"""Bytes at the end of a file in which its last two records are looked for."""


def session_fields(session: Session) -> dict[str, Any]:
    """The `session` of an `opened` record."""
    lineage, connection = session.lineage, session.connection
    return {
        "id": session.id,
        "person": lineage.person,
        "chain": [
            {"name": each.name, "token_id": each.token_id, "origin": each.origin, "task": each.task}
            for each in lineage.chain
        ],
        "groups": sorted(lineage.groups),
        "connection": connection.name,
        "protocol": connection.protocol,
        "labels": dict(connection.labels),
        "scope": sorted(session.scope),
        "opened_at": session.opened_at,
        "expires_at": session.expires_at,
        "client": session.client,
    }


def session_view(
    opened: Mapping[str, Any], closed: Mapping[str, Any] | None = None, *, head: str = ""
) -> SessionView:
    """A session from the `session` of its `opened` record and the fields of its `closed` one."""
    end = closed or {}
    return SessionView(
        id=opened["id"],
        connection=opened["connection"],
        protocol=opened["protocol"],
        lineage=LineageView(
            person=opened["person"],
            chain=tuple(
                ActorView(
                    name=each["name"], token_id=each["token_id"], origin=each["origin"], task=each["task"]
                )
                for each in opened["chain"]
            ),
            groups=tuple(opened["groups"]),
        ),
        client=opened["client"],
        opened_at=opened["opened_at"],
        closed_at=end.get("at"),
        commands=end.get("commands", 0),
        blocked=end.get("blocked", 0),
        held=end.get("held", 0),
        masked=end.get("masked", {}),
        entries=end.get("entries", 0),
        close_reason=end.get("reason", ""),
        head=head,
    )


def entries_of(record: Record) -> int:
    """How many transcript entries a record makes."""
    match record.kind:
        case "answer" | "sealed":
            return 0
        case "asked" if record.fields["verdict"] == "block":
            return 2
        case _:
            return 1


def sealed_text(session_id: str, head: str, at: float) -> bytes:
    """What the seal signs: whose record it is, the hash of its `closed` record, and when it was sealed."""
    return f"countersign recording\n{session_id}\n{head}\n{float(at)!r}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a file ends, by a look at its last lines alone; `gateway.recorder.read.verify` checks."""

    closed: Mapping[str, Any] | None = None
    """The header of its `closed` record."""
    closed_hash: str = ""
    seal: Mapping[str, Any] | None = None
    """The header of its `sealed` record."""
    head: str = ""
    """Hash of the seal, the last record."""


def ending(path: Path) -> Ending:
    """Raises `OSError`."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL))
        lines = file.read().split(b"\n")[-3:]
    if len(lines) < 2 or lines[-1]:
        return Ending()
    before, last = (_header(line) for line in ([b""] * 3 + lines)[-3:-1])
    if last.get("kind") == "sealed" and before.get("kind") == "closed":
        return Ending(closed=before, closed_hash=_hash(lines[-3]), seal=last, head=_hash(lines[-2]))
    return Ending(closed=last if last.get("kind") == "closed" else None)


def _hash(line: bytes) -> str:
    return hashlib.sha256(line + b"\n").hexdigest()


def _header(line: bytes) -> dict[str, Any]:
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return header if isinstance(header, dict) else {}
