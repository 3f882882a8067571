"""What is settled, as far as it is remembered: late clicks and followers hear how it ended."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from gateway.approvals.table import AlreadySettled
from gateway.contract import Approval
from gateway.journal import Journal

KIND = "approval"
"""The journal's kind of record for a settled approval."""
GRANTED = "granted"
"""The journal's kind of record for a grant that began."""
KEPT = 2_000


class NotFound(Exception):
    """There is no such approval, or it was settled long ago."""


class Settled:
    """The newest settled approvals, by id; the journal has them all."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._approvals: OrderedDict[str, Approval] = OrderedDict()

    def __iter__(self) -> Iterator[Approval]:
        """Oldest first."""
        return iter(self._approvals.values())

    def __contains__(self, approval_id: object) -> bool:
        return approval_id in self._approvals

    def recall(self) -> tuple[set[str], set[str]]:
        """Remember what the journal's newest files say; the ids of all approvals, and grants, in them.

        Raises `JournalFailed`.
        """
        journalled: set[str] = set()
        granted: set[str] = set()
        for record in self._journal.recent():
            if record.kind == KIND:
                approval = msgspec.convert(record.fields["approval"], Approval)
                journalled.add(approval.id)
                self._remember(approval)
            elif record.kind == GRANTED:
                granted.add(record.fields["id"])
        return journalled, granted

    async def add(self, approval: Approval) -> None:
        """Into the journal, and remembered. Raises `JournalFailed`."""
        await self._journal.append(KIND, {"approval": msgspec.to_builtins(approval)})
        self._remember(approval)

    def get(self, approval_id: str) -> Approval | None:
        return self._approvals.get(approval_id)

    def gone(self, approval_id: str) -> NotFound | AlreadySettled:
        """Why nothing can be done about an approval that is not open."""
        approval = self._approvals.get(approval_id)
        return (
            AlreadySettled(approval)
            if approval is not None
            else NotFound(f"there is no approval {approval_id}")
        )

    def _remember(self, approval: Approval) -> None:
        self._approvals[approval.id] = approval
        while len(self._approvals) > KEPT:
            self._approvals.popitem(last=False)
