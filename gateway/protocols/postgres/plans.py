"""What an answer's rows, copied data and messages go through before a client sees them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.model import Facts
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.encodings import codec_of
from gateway.wire import Mask

WITHHELD = "(withheld: answers on this connection are masked)"

_MESSAGE, _DETAIL, _HINT, _CODE, _PLACE, _CONTEXT = b"M", b"D", b"H", b"C", b"P", b"W"
_INNER_QUERY, _INNER_PLACE = b"q", b"p"
_QUOTING = frozenset({_MESSAGE, _CONTEXT})
"""The message, and what the server was doing: `JSON data, line 1: {...`."""
_NAMES = frozenset(bytes((letter,)) for letter in b"sdtcn")
"""Schema, data type, table, column and constraint: RAISE puts there what it likes."""
_NAMES_ALONE = frozenset({b"23", b"26", b"34"})
"""Errors that quote names of constraints, statements and cursors."""
_AUTHORED = frozenset({b"00", b"01", b"P0"})
"""What RAISE says where no other code is given to it."""
_LANGUAGE = b"PL/"
"""How procedural languages begin where the code stands that was running: RAISE cannot change that, as it can all else."""
_QUOTED = re.compile(r'(".*"|: .*)', re.DOTALL)


class Plan(Protocol):
    """How the rows of one result are masked; made from its RowDescription."""

    @property
    def masked(self) -> Mapping[str, int]:
        """Detector or column rule -> how many values it has masked so far."""

    @property
    def idle(self) -> bool:
        """No column of it can hold what has to be hidden."""

    def afresh(self) -> Plan:
        """The same for another result of the same shape, with nothing counted yet."""

    def rows(self, data: bytes, encoding: str = "UTF8") -> bytes:
        """Whole DataRow messages in the client's encoding, masked; the same object where nothing had to be."""


class CopyPlan(Protocol):
    """How the data of one COPY TO STDOUT is masked."""

    @property
    def masked(self) -> Mapping[str, int]: ...

    def data(self, data: bytes) -> bytes:
        """Whole CopyData messages, masked; what is not yet a whole row is kept for the next call."""

    def end(self) -> bytes:
        """What was kept when the data ended."""


PlanRows = Callable[[bytes, Facts, Mask], Plan]
"""From a RowDescription message with the formats of the rows, the command's facts, and the mask."""


class Plans:
    """Plans of results; remembered, since a statement is executed far more often than its columns change."""

    def __init__(self, plan: PlanRows, *, kept: int = 256) -> None:
        self._plan = plan
        self._kept = kept
        self._made: dict[tuple[bytes, int, int], tuple[Facts, Mask, Plan, bool]] = {}

    def rows(self, description: bytes, facts: Facts, mask: Mask) -> Plan:
        """As `plan` makes it."""
        # By identity, which stays theirs as long as facts and mask are kept here too.
        key = (description, id(facts), id(mask))
        known = self._made.get(key)
        if known is None:
            if len(self._made) >= self._kept:
                self._made.clear()
            plan = self._plan(description, facts, mask)
            known = self._made[key] = (facts, mask, plan, plan.idle)
        return known[2] if known[3] else known[2].afresh()


class PlanCopy(Protocol):
    """How copied rows are going to be masked."""

    def __call__(
        self,
        response: bytes,
        text: str,
        facts: Facts,
        mask: Mask,
        *,
        place: int,
        described: bytes,
        encoding: str,
    ) -> CopyPlan:
        """From a CopyOutResponse that answers statement number `place` of `text`, and the facts of that statement.

        `described` is a RowDescription of what is copied, b"" where there is none; `encoding` the client's.
        """


def mask_report(report: bytes, mask: Mask, *, encoding: str = "UTF8", reads_hidden: bool = False) -> bytes:
    """A whole ErrorResponse or NoticeResponse with its texts masked; codes and positions stay.

    Errors of data and of constraints quote the values that they are about (`Key (email)=(...) already exists`,
    `invalid input syntax for type integer: "..."`), of columns that cannot be told from the message: those
    quotations are withheld. So are those of any report that a value of a column that a rule names may have caused
    (`reads_hidden`), unless it says where in the client's own text it is, as those do that reading the text finds.
    What code in the server says then in words of its own (RAISE) is withheld altogether.
    """
    codec = codec_of(encoding)
    fields = messages.read_fields(report, 5, len(report))
    kind = fields.get(_CODE, b"")[:2]
    reached = reads_hidden and not (_PLACE in fields and _CONTEXT not in fields)
    authored = reached and (kind in _AUTHORED or _LANGUAGE in fields.get(_CONTEXT, b""))
    data = kind == b"22" or (reached and kind not in _NAMES_ALONE)
    withheld = {_INNER_QUERY} if reached else set()
    if data or kind == b"23":
        withheld.add(_DETAIL)
    if authored:
        withheld |= {_MESSAGE, _DETAIL, _HINT, *_NAMES}
    masked: list[tuple[bytes, bytes]] = []
    for letter, value in fields.items():
        if letter == _INNER_PLACE and _INNER_QUERY in withheld:
            continue
        if letter in messages.INVISIBLE_FIELDS and letter not in _NAMES:
            masked.append((letter, value))
            continue
        said = _read(value, codec)
        if letter in withheld:
            said = WITHHELD
        elif letter in _QUOTING and data:
            said = _QUOTED.sub(lambda quoted: (": " if quoted[0][0] == ":" else "") + WITHHELD, said)
        masked.append((letter, _written(mask.text(said), codec)))
    return messages.write_fields(report[:1], masked)


def mask_setting(name: str, value: str, mask: Mask, *, reads_hidden: bool) -> bytes | None:
    """A ParameterStatus whose value is masked, since `set_config` puts there what it likes; None where it stays."""
    said = WITHHELD if reads_hidden and name in _FREE_TEXT else mask.text(value)
    return None if said == value else messages.parameter_status(name, said)


_FREE_TEXT = frozenset({"application_name", "search_path"})
"""Settings that are reported and may have any value."""


def mask_notification(notification: bytes, mask: Mask, *, encoding: str = "UTF8") -> bytes:
    """A whole NotificationResponse with its payload masked."""
    codec = codec_of(encoding)
    body = messages.Body(notification, 5)
    pid, channel, payload = body.take(4), body.text(), body.text()
    body.end()
    said = _written(mask.text(_read(payload, codec)), codec)
    return messages.frame(b"A", pid, channel, b"\0", said, b"\0")


def _read(value: bytes, codec: str) -> str:
    """Bytes that the encoding has no letter for stay what they are."""
    return value.decode(codec or "utf-8", "surrogateescape")


def _written(said: str, codec: str) -> bytes:
    return said.replace("\0", "").encode(codec or "utf-8", "surrogateescape")
