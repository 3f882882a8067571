"""What a client is told whose message is refused: SQLSTATE, a sentence, and what would help."""

from __future__ import annotations

from gateway.model import Block, Facts
from gateway.protocols.postgres import messages

CANCELLED = messages.error("57014", "canceling statement due to user request")
FUNCTION_CALL = messages.error(
    "0A000",
    "Function calls outside SQL (the fast-path interface, large objects) do not go through this gateway; "
    "use SELECT with the function's name.",
)


def blocked(verdict: Block, facts: Facts) -> bytes:
    """The operator's sentence where every client shows it, and the rules that decided in the detail."""
    decided = f"Decided by {', '.join(verdict.rules)}." if verdict.rules else ""
    return messages.error(
        "42501",
        verdict.message or "This command is not allowed.",
        detail=" ".join(part for part in (decided, unread(facts)) if part),
        hint="Nothing of it ran; the session goes on.",
    )


def unread(facts: Facts) -> str:
    """Why nobody could tell what a command does: whoever sent it may send another that can be read."""
    return f"What it does is unknown: {facts.why_unknown}." if facts.why_unknown else ""


def too_large(size: int, limit: int) -> bytes:
    return messages.error(
        "54000",
        f"A message of {size} bytes is larger than this gateway judges ({limit}); nothing of it ran.",
        hint="Send large data by COPY, or raise limits: command_bytes in the gateway's policy.",
    )


def name_too_long(limit: int) -> bytes:
    return messages.error("42622", f"A statement or portal has a name longer than {limit} bytes.")


def too_many_names(count: int) -> bytes:
    return messages.error(
        "54000",
        f"This session has as many prepared statements and portals as it may have ({count}).",
        hint="Close those that are not needed, or raise limits: statements in the gateway's policy.",
    )


def too_heavy(limit: int) -> bytes:
    return messages.error(
        "54000",
        f"The prepared statements of this session would come to more than {limit} bytes of text.",
        hint="Close those that are not needed.",
    )
