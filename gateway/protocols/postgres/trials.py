"""What the server makes of a text that nobody here can read: most are slips of the pen, and no SQL to it either.

It is made to parse the text, which runs nothing, and which drivers do unasked all the time. What it refuses has its own
error, and is judged as what it does: nothing. Only a text that the server takes is worth a person's time.
"""

from __future__ import annotations

from gateway.facts.postgres import read
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.exchange import Reply
from gateway.protocols.postgres.statements import Statement

_SYNTAX_ERROR = b"42601"
_NOTHING = read("")


class Trial:
    """One such text, while the server has it."""

    def __init__(
        self, reply: Reply, *, statement: Statement | None = None, raw: bytes = b"", several: bool = False
    ) -> None:
        self.reply = reply
        self.statement = statement
        """What is asked about then; `None` where the Parse is the client's own, and answered like any other."""
        self.raw = raw
        self._several = several

    def refusal(self) -> bytes:
        """The error that the text itself would have got; b"" where the server takes it, or nobody can tell.

        A Parse takes one statement. That it was given more is a syntax error too, and the only one without a place.
        """
        report = self.reply.report
        if not report or not self._several:
            return report
        fields = messages.read_fields(report, 5, len(report))
        return b"" if fields.get(b"C") == _SYNTAX_ERROR and b"P" not in fields else report


def refused(statement: Statement) -> Statement:
    """The same text, with the facts of an empty one."""
    return Statement(query=statement.query, text=statement.text, facts=_NOTHING)
