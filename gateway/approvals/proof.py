"""Proof that a person was shown the whole text of a command before approving it.

Only the gateway can make one: an HMAC over the approval, the person and the digest of what would run, under a key
that outlives a restart. A proof is good for that person and that text alone.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Sequence

from gateway.contract import CARD_TEXT, Approval, CommandView
from gateway.recorder.visible import hides


class ReviewFirst(Exception):
    """The card could not show all of the command: it has to be opened whole before it can be approved."""


def proof_of(key: bytes, approval: Approval, person: str) -> str:
    """The proof, in hex."""
    parts = (approval.id, _person(person), approval.command.digest)
    message = b"".join(len(each := part.encode()).to_bytes(4, "big") + each for part in parts)
    return hmac.digest(key, b"countersign opened\0" + message, "sha256").hex()


def shown_whole(key: bytes, approval: Approval, person: str, proof: str) -> bool:
    return hmac.compare_digest(proof_of(key, approval, person).encode(), proof.encode())


def needs_review(view: CommandView, text: str, parameters: Sequence[str | None]) -> bool:
    """Whether a card cannot show all there is: something is masked, cut, or not to be seen."""
    values = [text, view.text, *(value for value in (*parameters, *view.parameters) if value is not None)]
    length = len(text) + sum(len(value) for value in parameters if value is not None)
    return (
        view.masked
        or length > CARD_TEXT
        or len(view.parameters) != len(parameters)
        or any(hides(value) for value in values)
    )


def _person(person: str) -> str:
    return unicodedata.normalize("NFKC", person).strip().casefold()
