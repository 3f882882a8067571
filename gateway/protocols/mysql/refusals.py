"""What a client is told whose command is refused: error number, SQLSTATE, a sentence, and what would help."""

from __future__ import annotations

from typing import Final

from gateway.model import Block, Facts

Refusal = tuple[int, str, str]
CANCELLED: Final[Refusal] = (1317, "70100", "Query execution was interrupted")
ENDED: Final = (1927, "70100")
NOT_ADMITTED: Final = (1045, "28000")
UNREACHABLE: Final = (1429, "HY000")
"""ER_CONNECT_TO_FOREIGN_DATA_SOURCE, the server's own for a target behind it."""
_UNKNOWN_COMMAND: Final = (1047, "08S01")
_REFUSED: Final = {
    0x0D: "COM_DEBUG",
    0x11: "COM_CHANGE_USER: connect anew to be somebody else",
    0x12: "COM_BINLOG_DUMP",
    0x13: "COM_TABLE_DUMP",
    0x14: "COM_CONNECT_OUT",
    0x15: "COM_REGISTER_SLAVE",
    0x1D: "COM_DAEMON",
    0x1E: "COM_BINLOG_DUMP_GTID",
    0x20: "COM_CLONE",
    0xFA: "COM_STMT_BULK_EXECUTE",
    0xFE: "COM_MULTI",
}
"""Understood, and never passed on: who one is, replication, and what was not negotiated."""


def blocked(verdict: Block, facts: Facts) -> Refusal:
    """The operator's sentence first, since that is what every client shows, and the rules that decided behind it."""
    decided = f"Decided by {', '.join(verdict.rules)}." if verdict.rules else ""
    parts = (verdict.message or "This command is not allowed.", decided, unread(facts))
    return (1142, "42000", " ".join(part for part in parts if part))


def unread(facts: Facts) -> str:
    """Why nobody could tell what a command does: whoever sent it may send another that can be read."""
    return f"What it does is unknown: {facts.why_unknown}." if facts.why_unknown else ""


def command(number: int) -> Refusal:
    name = _REFUSED.get(number, f"the command {number:#04x}")
    return (*_UNKNOWN_COMMAND, f"Not through this gateway: {name}.")


def too_large(size: int, limit: int) -> Refusal:
    return (
        1153,
        "08S01",
        (
            f"A command of at least {size} bytes is larger than this gateway judges ({limit}); nothing of it ran. "
            "Raise limits: command_bytes in the gateway's policy."
        ),
    )


def too_many_statements(count: int) -> Refusal:
    return (
        1461,
        "42000",
        f"This session has as many prepared statements as it may have ({count}): close those that are not needed.",
    )


def too_heavy(limit: int) -> Refusal:
    return (
        1461,
        "42000",
        f"The prepared statements of this session would come to more than {limit} bytes of text.",
    )


def long_data(limit: int) -> Refusal:
    return (
        1105,
        "HY000",
        f"Parameters that came ahead of an execution are longer than {limit} bytes; nothing ran.",
    )


NO_STATEMENT: Final[Refusal] = (
    1243,
    "HY000",
    "Unknown prepared statement handler: nobody prepared it on this session",
)
NO_TYPES: Final[Refusal] = (1210, "HY000", "Incorrect arguments to mysqld_stmt_execute: no types were bound")
NO_CURSOR: Final[Refusal] = (1421, "HY000", "The statement has no open cursor.")
NO_THREAD: Final = "Unknown thread id: {}"
