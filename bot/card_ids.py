"""What a card's buttons and a modal's hidden field carry: ids and versions, nothing that gives authority.

What a click may do is decided in the gateway from its own state; a value names the approval, the version of
the card that was seen, and the first eight digits of the digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

APPROVE: Final = "countersign.approve"
DENY: Final = "countersign.deny"
KILL: Final = "countersign.kill"
REVIEW: Final = "countersign.review"
FOR_A_WHILE: Final = "countersign.for_a_while"
HOME_REFRESH: Final = "countersign.refresh"
KILL_SESSION: Final = "countersign.kill_session"
MORE: Final = "countersign.more"
GRANT_ACCESS: Final = "countersign.grant_access"
GRANT_END: Final = "countersign.grant_end"
GRANT_EXTEND: Final = "countersign.grant_extend"
ELEVATE_OFFER: Final = "countersign.elevate_offer"
OPEN_LINK: Final = "countersign.open_link"

DENY_VIEW: Final = "countersign.deny_view"
KILL_VIEW: Final = "countersign.kill_view"
REVIEW_VIEW: Final = "countersign.review_view"
KILL_SESSION_VIEW: Final = "countersign.kill_session_view"
ELEVATE_VIEW: Final = "countersign.elevate_view"

COMMAND: Final = "/countersign"
ELEVATE: Final = "/elevate"
SESSIONS: Final = "/sessions"
LINEAGE: Final = "/lineage"
WHOAMI: Final = "/whoami"
AUDIT: Final = "/audit"
COMMANDS: Final = (COMMAND, ELEVATE, SESSIONS, LINEAGE, WHOAMI, AUDIT)
ASK_ACCESS: Final = "countersign.ask_access"
"""The shortcut on a message."""
REASON_BLOCK: Final = "countersign.reason"
REASON_INPUT: Final = "countersign.reason_input"
REACH_BLOCK: Final = "countersign.reach"
REACH_INPUT: Final = "countersign.reach_input"
REACH_SESSION: Final = "session"
REACH_SUBTREE: Final = "subtree"
WHILE_BLOCK: Final = "countersign.while"
WHILE_INPUT: Final = "countersign.while_input"
LASTING_BLOCK: Final = "countersign.lasting"
LASTING_INPUT: Final = "countersign.lasting_input"
COUNT_BLOCK: Final = "countersign.count"
COUNT_INPUT: Final = "countersign.count_input"
ROWS_BLOCK: Final = "countersign.rows"
ROWS_INPUT: Final = "countersign.rows_input"

LONGEST_VALUE = 300


class OldCard(ValueError):
    """The value is not of this version of the cards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which approval a click is about, as far as the card knew."""

    id: str
    version: int
    digest: str
    """First eight hex digits of the digest."""

    def value(self) -> str:
        return f"v1.{self.id}.{self.version}.{self.digest}"


def read_target(value: str) -> Target:
    """The target in a button's value. Raises OldCard."""
    kind, _, rest = value[:LONGEST_VALUE].partition(".")
    parts = rest.rsplit(".", 2)
    if kind != "v1" or len(parts) != 3 or not parts[0] or not parts[1].isdecimal():
        raise OldCard(value)
    return Target(id=parts[0], version=int(parts[1]), digest=parts[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalState:
    """A modal's private_metadata."""

    target: Target | None = None
    channel: str = ""
    """Where the card is: where a refusal is said."""
    opened: str = ""
    """The gateway's proof that this person opened the whole text."""
    session: str = ""
    token_id: str = ""
    extends: str = ""
    """The grant that should go on."""
    home: bool = False
    """Opened from the Home tab, which is drawn again afterwards."""

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()


def read_modal_state(metadata: str) -> ModalState:
    """The state in a private_metadata. Raises OldCard."""
    try:
        return msgspec.json.decode(metadata, type=ModalState)
    except msgspec.DecodeError:
        raise OldCard(metadata) from None
