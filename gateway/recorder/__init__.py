"""The record of a session: written before anything moves, chained, sealed when the session ends.

One file a session, `YYYY-MM-DD/SESSION.rec`, locked while the session is open. What was asked and what was decided
is with the operating system before the call returns; answers are gathered and go with the next of these, with
`flush`, or when they fill a block. Once a write fails the recording is dead, and so is what depends on it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.contract import Vote
from gateway.model import Resource, Session
from gateway.recorder.chain import ChainBroken, ChainWriter, Record, TornTail, encoded, records
from gateway.recorder.fields import SUFFIX, ending, entries_of, sealed_text, session_fields
from gateway.recorder.lines import asked as fields_asked
from gateway.recorder.lines import opening
from gateway.recorder.remembered import Ended, Known

BLOCK: Final = 64 * 1024
"""Bytes of an answer that are gathered before they are written."""
KNOWN_KEPT: Final = 256
"""Facts whose encoding is remembered for one session."""
UNENDED = "it had not ended"
"""The outcome of a command that the session's end cut off."""
DAYS_LOOKED_BACK = 3
"""Day directories in which recordings that a crash left open are looked for: sessions are shorter than that."""


class RecordingFailed(Exception):
    """A record could not be written. Nothing of the command may move, and the session ends."""


class Recording:
    """The open record of one session."""

    def __init__(
        self,
        descriptor: int,
        writer: ChainWriter,
        *,
        path: Path,
        clock: Callable[[], float],
        sign: Callable[[bytes], bytes],
        key_id: Callable[[], str],
        answer_limit: int,
    ) -> None:
        self.path = path
        self.entries = 0
        """Entries that a reader of the transcript finds by now."""
        self._made = 0
        self._tally = {"allow": 0, "hold": 0, "block": 0}
        self._masked: Counter[str] = Counter()
        self._descriptor = descriptor
        self._writer = writer
        self._clock = clock
        self._sign = sign
        self._key_id = key_id
        self._answer_limit = self._limit = answer_limit
        self._withheld: dict[str, tuple[str, ...]] = {}
        self._dead = ""
        self._known: dict[int, Known] = {}
        self._ended: Ended | None = None
        self._named = ""
        """The command that was asked about last."""
        self._opening: bytes | None = None
        """How records about it begin, where that needs no escaping."""
        self._command = ""
        self._begun: dict[str, None] = {}
        """Commands of whose answer something was written, and that have not ended."""
        self._blocks: list[bytes] = []
        self._gathered = 0
        self._answered = 0
        self._cut = 0

    def opened(self, session: Session) -> None:
        """The first record: whose session this is."""
        self._now("opened", {"session": session_fields(session)})

    def asked(
        self,
        command_id: str,
        *,
        text: str,
        parameters: Sequence[str | None],
        effects: Collection[str],
        resources: Sequence[Resource],
        verdict: str,
        rules: Sequence[str],
        message: str,
        digest: str = "",
        shadow: Sequence[str] = (),
    ) -> None:
        """A command and its verdict (`allow`, `hold`, `block`), as text that may be kept. Raises `RecordingFailed`.

        `digest` is what people decide about, where they are asked. `shadow` names the rules that would have decided
        as well, were they enforced.
        """
        known = self._known.get(id(effects))
        if known is None or not known.says(effects, resources, verdict, rules, message):
            if len(self._known) >= KNOWN_KEPT:
                self._known.clear()
            known = self._known[id(effects)] = Known(effects, resources, verdict, rules, message)
        self._alive()
        self._named, self._opening = command_id, opening(command_id)
        self._writer.frame(
            b"asked",
            self._clock(),
            self._fields_asked(text, parameters, digest, shadow),
            known=known.header(self._writer.number),
        )
        self._tally[verdict] += 1
        self._made += 2 if verdict == "block" else 1
        self.flush()

    def _fields_asked(
        self, text: str, parameters: Sequence[str | None], digest: str, shadow: Sequence[str]
    ) -> bytes:
        """The beginning of the JSON object of such a record."""
        if not digest and not shadow and self._opening is not None:
            try:
                laid = fields_asked(self._opening, text, parameters)
            except UnicodeEncodeError:
                laid = None
            if laid is not None:
                return laid
        fields: dict[str, Any] = {"command": self._named, "text": text, "parameters": parameters}
        if digest:
            fields["digest"] = digest
        if shadow:
            fields["shadow"] = shadow
        return encoded(fields)[:-1]

    def decided(
        self, command_id: str, *, approval_id: str, state: str, votes: Sequence[Vote], reason: str
    ) -> None:
        """Where a held command's approval stands. Raises `RecordingFailed`."""
        self._now(
            "decided",
            {
                "command": command_id,
                "approval": approval_id,
                "state": state,
                "votes": msgspec.to_builtins(votes),
                "reason": reason,
            },
        )

    def withhold(self, command_id: str, shown: tuple[str, ...]) -> None:
        """Of that command's answer nothing is kept but how long it was, and what it shows that the record must not."""
        self._withheld[command_id] = shown

    def answer(self, command_id: str, data: bytes) -> None:
        """Bytes of a command's answer, as the client gets them. Raises `RecordingFailed`."""
        if command_id != self._command:
            self._write_answer()
            self._command = command_id
            self._answered = self._cut = 0
            self._limit = 0 if command_id in self._withheld else self._answer_limit
        room = self._limit - self._answered
        self._answered += len(data)
        if len(data) > room:
            self._cut += len(data) - max(room, 0)
            if room <= 0:
                return
            data = data[:room]
        self._blocks.append(data)
        self._gathered += len(data)
        if self._gathered >= BLOCK:
            self._write_answer()
            self.flush()

    def answered(
        self,
        command_id: str,
        *,
        outcome: str,
        rows: int,
        failed: bool,
        masked: Mapping[str, int],
        shape: bytes,
    ) -> None:
        """A command is over. Written with what comes next, or by `flush`. Raises `RecordingFailed`."""
        if command_id != self._command:
            self._write_answer()
            self._answered = self._cut = 0
        self._alive()
        shown = self._withheld.pop(command_id, None) if self._withheld else None
        end = self._ended
        if end is None or not end.says(outcome, rows, failed, masked, len(shape), self._cut, shown):
            end = self._ended = Ended(outcome, rows, failed, dict(masked), len(shape), self._cut, shown)
        opened = self._opening if command_id == self._named else None
        if opened is None:
            opened = encoded({"command": command_id})[:-1]
        # The shape and the rest of the answer travel as one payload, so that a short answer is one record.
        blocks = self._blocks
        payload = shape + blocks[0] if len(blocks) == 1 else b"".join((shape, *blocks))
        self._writer.frame(b"answered", self._clock(), opened, payload, known=end.encoded)
        self._begun.pop(command_id, None)
        self._command = ""
        blocks.clear()
        self._gathered = self._answered = self._cut = 0
        self._made += 1
        if masked:
            self._masked.update(masked)

    def noted(self, text: str) -> None:
        """Something else that belongs in the record. Raises `RecordingFailed`."""
        self._now("noted", {"text": text})

    def flush(self) -> None:
        """Hand what is gathered to the operating system. Raises `RecordingFailed`."""
        self._alive()
        try:
            self._writer.flush()
            self.entries = self._made
        except OSError as error:
            self._dead = f"{self.path.name} could not be written: {error.strerror}"
            raise RecordingFailed(self._dead) from error

    def close(self, reason: str) -> str:
        """End and seal the record; the hash of its last record. Raises `RecordingFailed`.

        What came of a command that never ended is its answer all the same.
        """
        if self._descriptor < 0:
            return self._writer.head
        try:
            self._write_answer()
            for command_id in list(self._begun):
                self.answered(command_id, outcome=UNENDED, rows=0, failed=True, masked={}, shape=b"")
            tally = self._tally
            self._now(
                "closed",
                {
                    "reason": reason,
                    "entries": self._made + 1,
                    "commands": sum(tally.values()),
                    "blocked": tally["block"],
                    "held": tally["hold"],
                    "masked": self._masked,
                },
            )
            self.seal()
        finally:
            self.abandon()
        return self._writer.head

    def recall(self, record: Record) -> None:
        """Count what an earlier life of this recording wrote."""
        self._made += entries_of(record)
        if record.kind == "asked":
            self._tally[record.fields["verdict"]] += 1
        elif record.kind == "answered":
            self._masked.update(record.fields["masked"])
            self._begun.pop(record.fields["command"], None)
        elif record.kind == "answer":
            self._begun[record.fields["command"]] = None

    def seal(self) -> None:
        """The last record: the gateway's signature over the hash of the one before. Raises `RecordingFailed`."""
        self._alive()
        at = float(self._clock())
        signature = self._sign(sealed_text(self.path.stem, self._writer.head, at))
        self._writer.append("sealed", at, {"key": self._key_id(), "signature": signature.hex()})
        self.flush()

    def abandon(self) -> None:
        """Give the file free as it is."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._dead = self._dead or f"{self.path.name} is closed"

    def _write_answer(self) -> None:
        if not self._blocks:
            return
        payload = b"".join(self._blocks)
        self._blocks.clear()
        self._gathered = 0
        self._frame(b"answer", encoded({"command": self._command}), payload)
        self._begun[self._command] = None

    def _now(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._append(kind, fields)
        self._made += 1
        self.flush()

    def _append(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._alive()
        self._writer.append(kind, self._clock(), fields)

    def _frame(self, kind: bytes, fields: bytes, payload: bytes = b"") -> None:
        self._alive()
        self._writer.frame(kind, self._clock(), fields, payload)

    def _alive(self) -> None:
        if self._dead:
            raise RecordingFailed(self._dead)


class Recorder:
    """Opens recordings below one directory."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float],
        sign: Callable[[bytes], bytes],
        key_id: Callable[[], str],
        answer_limit: int = 16 * 1024 * 1024,
    ) -> None:
        """`sign` seals with the key that `key_id` names; `answer_limit` is the bytes kept of one answer."""
        self.directory = directory
        self._clock = clock
        self._sign = sign
        self._key_id = key_id
        self._answer_limit = answer_limit

    def open(self, session: Session) -> Recording:
        """Begin the record of a session. Raises `RecordingFailed`."""
        day = datetime.fromtimestamp(session.opened_at, UTC).strftime("%Y-%m-%d")
        path = self.directory / day / f"{session.id}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            try:
                descriptor = os.open(path, flags, 0o600)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise RecordingFailed(f"{path.name} could not be begun: {error.strerror}") from error
        recording = self._recording(descriptor, ChainWriter(descriptor), path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            recording.opened(session)
        except (OSError, RecordingFailed) as error:
            os.close(descriptor)
            raise RecordingFailed(f"{path.name} could not be begun: {error}") from error
        return recording

    def recover(self, reason: str) -> list[str]:
        """Close and seal what a crash left open; the ids of those sessions. A torn or broken one is left as it is."""
        days = sorted(each for each in self.directory.glob("[0-9]*-[0-9]*-[0-9]*") if each.is_dir())
        recovered: list[str] = []
        for path in (path for day in days[-DAYS_LOOKED_BACK:] for path in sorted(day.glob(f"*{SUFFIX}"))):
            if self._sealed(path):
                continue
            with contextlib.suppress(ChainBroken, TornTail):
                if self._close_left_open(path, reason):
                    recovered.append(path.stem)
        return recovered

    def _sealed(self, path: Path) -> bool:
        """Whether the file ends with our seal. What an answer's bytes pretend, at the end of the file, is none."""
        end = ending(path)
        if end.seal is None:
            return False
        try:
            text = sealed_text(path.stem, end.closed_hash, end.seal["at"])
            return bool(end.seal["signature"] == self._sign(text).hex())
        except (KeyError, TypeError, ValueError):
            return False

    def _close_left_open(self, path: Path, reason: str) -> bool:
        """Read all of it, then add what is missing; false where nothing is. Raises `ChainBroken`, `TornTail`."""
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        writer = ChainWriter(descriptor)
        recording = self._recording(descriptor, writer, path)
        try:
            kind = ""
            with path.open("rb") as file:
                for record in records(file):
                    recording.recall(record)
                    kind = record.kind
                    writer.go_on(record.hash, record.number + 1)
            if kind == "closed":
                recording.seal()
            elif kind not in {"", "sealed"}:
                recording.close(reason)
            return kind not in {"", "sealed"}
        finally:
            recording.abandon()

    def _recording(self, descriptor: int, writer: ChainWriter, path: Path) -> Recording:
        return Recording(
            descriptor,
            writer,
            path=path,
            clock=self._clock,
            sign=self._sign,
            key_id=self._key_id,
            answer_limit=self._answer_limit,
        )
