"""What records have in common, encoded once: a busy session's commands are judged alike, and end alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway.model import Resource
from gateway.recorder.chain import encoded


class Known:
    """What many commands have in common: facts and verdicts are remembered, so they bring the same objects again."""

    def __init__(
        self,
        effects: Collection[str],
        resources: Sequence[Resource],
        verdict: str,
        rules: Sequence[str],
        message: str,
    ) -> None:
        self._effects = effects
        self._resources = resources
        self._verdict = verdict
        self._rules = rules
        self._message = message
        facts = {"effects": [*effects], "resources": resources}
        judged = {"verdict": verdict, "rules": rules, "message": message}
        self._facts = encoded(facts)[1:-1]
        self._judged = encoded(judged)[1:]
        self._again = b""

    def header(self, number: int) -> bytes:
        """What follows in that of record `number`: the first has all of it, and the others name that one."""
        if self._again:
            return self._again
        self._again = b',"facts":%d,%b' % (number, self._judged)
        return b",".join((b"", self._facts, self._judged))

    def says(
        self,
        effects: Collection[str],
        resources: Sequence[Resource],
        verdict: str,
        rules: Sequence[str],
        message: str,
    ) -> bool:
        return (
            effects is self._effects
            and resources is self._resources
            and rules is self._rules
            and verdict == self._verdict
            and message == self._message
        )


class Ended:
    """How a command ended: like the one before it, more often than not."""

    def __init__(
        self,
        outcome: str,
        rows: int,
        failed: bool,  # noqa: FBT001
        masked: Mapping[str, int],
        shape: int,
        cut: int,
        shown: tuple[str, ...] | None,
    ) -> None:
        self._outcome = outcome
        self._rows = rows
        self._failed = failed
        self._masked = masked
        self._shape = shape
        self._cut = cut
        self._shown = shown
        fields: dict[str, Any] = {
            "outcome": outcome,
            "rows": rows,
            "failed": failed,
            "masked": masked,
            "shape": shape,
        }
        if cut:
            fields["cut"] = cut
        if shown is not None:
            fields["withheld"] = True
            fields["revealed"] = shown
        self.encoded = b"," + encoded(fields)[1:]

    def says(
        self,
        outcome: str,
        rows: int,
        failed: bool,  # noqa: FBT001
        masked: Mapping[str, int],
        shape: int,
        cut: int,
        shown: tuple[str, ...] | None,
    ) -> bool:
        return (
            outcome == self._outcome
            and rows == self._rows
            and failed == self._failed
            and shape == self._shape
            and cut == self._cut
            and shown == self._shown
            and masked == self._masked
        )
