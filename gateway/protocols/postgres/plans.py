"""What an answer's rows, copied data and messages go through before a client sees them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.model import Facts
from gateway.protocols.postgres import messages
from gateway.wire import Mask

WITHHELD = "(withheld: answers on this connection are masked)"

_MESSAGE, _DETAIL, _CODE = b"M", b"D", b"C"
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


def mask_report(report: bytes, mask: Mask) -> bytes:
    """A whole ErrorResponse or NoticeResponse with its texts masked; codes, positions and names stay.

    Errors of data and of constraints quote the values that they are about (`Key (email)=(...) already exists`,
    `invalid input syntax for type integer: "..."`), of columns that cannot be told from the message: those
    quotations are withheld.
    """
    fields = messages.read_fields(report, 5, len(report))
    quotes = fields.get(_CODE, b"")[:2] in {b"22", b"23"}
    masked: list[tuple[bytes, bytes]] = []
    for letter, value in fields.items():
        if letter in messages.INVISIBLE_FIELDS:
            masked.append((letter, value))
            continue
        said = value.decode("utf-8", "replace")
        if quotes and letter == _DETAIL:
            said = WITHHELD
        elif quotes and letter == _MESSAGE and fields[_CODE][:2] == b"22":
            said = _QUOTED.sub(f": {WITHHELD}", said)
        masked.append((letter, mask.text(said).replace("\0", "").encode()))
    return messages.write_fields(report[:1], masked)


def mask_notification(notification: bytes, mask: Mask) -> bytes:
    """A whole NotificationResponse with its payload masked."""
    body = messages.Body(notification, 5)
    pid, channel, payload = body.take(4), body.text(), body.text()
    body.end()
    said = mask.text(payload.decode("utf-8", "replace")).replace("\0", "").encode()
    return messages.frame(b"A", pid, channel, b"\0", said, b"\0")
