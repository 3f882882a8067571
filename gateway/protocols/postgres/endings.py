"""How commands end: with what the server says of them, with an error, or with the batch that they were part of.

What follows from an end is done here, and told once the client has the bytes that it came with.
"""

from __future__ import annotations

from typing import Final

from gateway.protocols.column_rules import reads_hidden
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.exchange import FAILED, IDLE, IN_TRANSACTION, Exchange, Kind, Reply
from gateway.protocols.postgres.plans import mask_report
from gateway.wire import CommandAnswered, Event, ProtocolViolation

_CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY"})
_OUTCOME_KEPT: Final = 300
_TOLD: Final[dict[bytes, tuple[str, int]]] = {}
_TOLD_KEPT: Final = 512
_TOLD_LONGEST: Final = 64
STATUSES: Final = frozenset({IDLE, IN_TRANSACTION, FAILED})
_PLACES = frozenset({b"P", b"p", b"q"})


class Endings:
    """The ends of one session's commands. Each method gives what to pass on in place of its message, as in `answers`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.done: list[Event] = []
        """What is to be told once the bytes that are being passed on have been."""

    def suspended(self, reply: Reply, data: bytes, pos: int, end: int) -> None:
        del data, pos, end
        assert reply.portal is not None
        reply.portal.suspended = True
        reply.portal.rows += reply.rows
        self._exchange.expected.popleft()

    def copy_in(self, reply: Reply, data: bytes, pos: int, end: int) -> None:
        """The server reads CopyData now; a Sync that was already sent it will overlook."""
        del reply, data, pos, end
        exchange = self._exchange
        exchange.copying_in = True
        while len(exchange.expected) > 1 and exchange.expected[1].kind is Kind.SYNC:
            del exchange.expected[1]
        exchange.settle()

    def complete(self, reply: Reply, data: bytes, pos: int, end: int) -> bytes | None:
        """CommandComplete, or EmptyQueryResponse."""
        outcome, changed = told(data, pos + 5, end - 1)
        self._exchange.copying_in = False
        if reply.kind is Kind.OWN_QUERY:
            return b""
        if reply.kind is Kind.QUERY:
            reply.outcome = _listed(reply.outcome, outcome)
            reply.rows = reply.earlier = max(reply.rows, reply.earlier + changed)
            reply.place += 1
            return None
        self._exchange.expected.popleft()
        portal = reply.portal
        if portal is not None:
            portal.suspended = False
            portal.rows += reply.rows
        self._over(reply.command_id, outcome, failed=False, copy=reply)
        return None

    def _over(self, command_id: str, outcome: str, *, failed: bool, copy: Reply | None = None) -> None:
        """A command of the extended protocol has ended."""
        portal = self._exchange.open.pop(command_id, None)
        if portal is None:
            return
        masked = dict(portal.plan.masked) if portal.plan is not None else {}
        if copy is not None and copy.copy is not None:
            masked |= copy.copy.masked
        self.done.append(
            CommandAnswered(
                command_id=command_id,
                outcome=outcome,
                rows=max(portal.rows, changed_rows(outcome)),
                failed=failed,
                masked=masked,
                shape=portal.shape(),
            )
        )

    def ready(self, reply: Reply, data: bytes, pos: int, end: int) -> bytes | None:
        status = data[pos + 5] if end - pos == 6 else 0
        if status not in STATUSES:
            raise ProtocolViolation("the server's ReadyForQuery tells no transaction status")
        exchange = self._exchange
        exchange.expected.popleft()
        exchange.stands(status)
        if reply.kind is Kind.OWN_QUERY or reply.hidden:
            exchange.discarding = reply.failed
            return b""
        if reply.kind is Kind.QUERY:
            self._query_over(reply)
        self.settled()
        return None

    def settled(self) -> None:
        """A batch of the client's is over."""
        exchange, names = self._exchange, self._exchange.names
        if names.portals or names.prepared:
            names.settle()
        if exchange.status != IN_TRANSACTION:
            if exchange.open:
                for command_id, portal in list(exchange.open.items()):
                    self._over(command_id, "suspended" if portal.rows else "not executed", failed=False)
            names.portals.clear()

    def _query_over(self, reply: Reply) -> None:
        statement = reply.statement
        if (
            statement is not None
            and not statement.traits.plain
            and not (reply.failed and statement.traits.single)
        ):
            self._exchange.names.run(0, statement)
        masked: dict[str, int] = {}
        if reply.mask is not None:
            plans = reply.plans if reply.copy is None else (*reply.plans, reply.copy)
            for count in [plan.masked for plan in plans]:
                for rule, hits in count.items():
                    masked[rule] = masked.get(rule, 0) + hits
        if reply.command_id:
            self.done.append(
                CommandAnswered(
                    command_id=reply.command_id,
                    outcome=reply.outcome,
                    rows=reply.rows,
                    failed=reply.failed,
                    masked=masked,
                    shape=reply.description,
                )
            )

    # Errors.

    def error(self, reply: Reply | None, data: bytes, pos: int, end: int) -> bytes | None:
        exchange = self._exchange
        report = data[pos:end]
        if reply is not None and not reply.placed:
            report = _without_place(report)
        code = messages.read_fields(report, 5, len(report)).get(b"C", b"").decode("ascii", "replace")
        exchange.copying_in = False
        if reply is None:
            text_mask = exchange.text_mask
            return (
                mask_report(report, text_mask, encoding=exchange.encoding) if text_mask is not None else None
            )
        mask = reply.mask or exchange.text_mask
        if reply.kind is Kind.OWN_QUERY:
            return b""
        if reply.kind is Kind.POISON_QUERY:
            return reply.refusal
        if reply.kind is Kind.TRIAL:
            return self._not_taken(report)
        if reply.kind is Kind.QUERY:
            reply.failed = True
            reply.outcome = _listed(reply.outcome, f"SQLSTATE {code}")
        elif reply.kind is not Kind.SYNC:
            self._batch_failed(reply, code)
            if reply.kind is Kind.POISON:
                return reply.refusal
        if mask is not None:
            hidden = reads_hidden(reply.statement.facts if reply.statement is not None else None, mask)
            masked = mask_report(data[pos:end], mask, encoding=exchange.encoding, reads_hidden=hidden)
            return masked if reply.placed else _without_place(masked)
        return report if len(report) != end - pos else None

    def _not_taken(self, report: bytes) -> bytes | None:
        """The server would not parse a text, and skips up to the Sync. What ends the session the client hears at once."""
        if messages.read_fields(report, 5, len(report)).get(b"V", b"ERROR") != b"ERROR":
            return None
        expected = self._exchange.expected
        while expected[0].kind is Kind.TRIAL:
            expected.popleft().report = report
        return b""

    def _batch_failed(self, failed: Reply, code: str) -> None:
        """The server skips what it has of the batch, up to the Sync; the client's further messages are discarded."""
        exchange = self._exchange
        skipped_query = False
        exchange.names.undo(failed.number)
        while exchange.expected and exchange.expected[0].kind is not Kind.SYNC:
            skipped = exchange.expected.popleft()
            command_id = skipped.command_id
            if not command_id and skipped.portal is not None:
                command_id = skipped.portal.command_id
            if skipped.kind is Kind.QUERY:
                mine = skipped.command_id == failed.command_id
                skipped.outcome, skipped.failed = f"SQLSTATE {code}" if mine else "not run", True
                skipped_query = not mine
                self._query_over(skipped)
            elif command_id:
                if skipped.portal is not None:
                    skipped.portal.rows += skipped.rows
                mine = command_id == failed.command_id
                self._over(command_id, f"SQLSTATE {code}" if mine else "not run", failed=True)
        if exchange.expected:
            # A Sync of the gateway's own ends the Query that it went behind, not what failed before that.
            sync = exchange.expected[0]
            sync.hidden = sync.failed = sync.hidden and skipped_query
        exchange.discarding = not exchange.expected
        exchange.settle()


def _without_place(report: bytes) -> bytes:
    """An ErrorResponse without the position that it names."""
    fields = messages.read_fields(report, 5, len(report))
    return messages.write_fields(report[:1], [(k, v) for k, v in fields.items() if k not in _PLACES])


def told(data: bytes, start: int, end: int) -> tuple[str, int]:
    """What CommandComplete says, and how many rows were changed by that; most say what others have said.

    An EmptyQueryResponse says nothing: `end` is before `start`.
    """
    outcome = data[start:end] if start < end else b""  # compiled, a slice may not end before it begins
    known = _TOLD.get(outcome)
    if known is None:
        text = outcome.decode("utf-8", "replace") or "EMPTY"
        known = (text, changed_rows(text))
        if len(outcome) <= _TOLD_LONGEST:
            if len(_TOLD) >= _TOLD_KEPT:
                _TOLD.clear()
            _TOLD[outcome] = known
    return known


def changed_rows(outcome: str) -> int:
    """What CommandComplete says was changed, or copied: `INSERT 0 5`, `UPDATE 3`."""
    word, _, rest = outcome.partition(" ")
    if word not in _CHANGING:
        return 0
    count = rest.rpartition(" ")[2]
    return int(count) if count.isdecimal() else 0


def _listed(outcomes: str, outcome: str) -> str:
    """The outcomes of several statements in one text, as far as anybody reads them."""
    if not outcomes:
        return outcome
    return f"{outcomes}; {outcome}" if len(outcomes) < _OUTCOME_KEPT else outcomes
