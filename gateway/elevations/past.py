"""What was granted before, as far as the journal's newest files tell: shown to approvers, and counted for bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.approvals.electorate import same
from gateway.elevations.grant import Grant, How, read
from gateway.journal import Journal

KEPT = 5_000
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A grant that began, and its end where it has one."""

    grant: Grant
    ended_at: float | None = None
    why: str = ""


class Past:
    """The newest grants, oldest first."""

    def __init__(self, journal: Journal) -> None:
        """Raises `JournalFailed`."""
        self._all: deque[Granted] = deque(maxlen=KEPT)
        for record in journal.recent():
            if record.kind == "granted":
                self.began(read(record.fields))
            elif record.kind == "grant ended":
                self._ended(record.fields, record.at)

    def began(self, grant: Grant) -> None:
        self._all.append(Granted(grant=grant))

    def ended(self, grant: Grant, why: str, at: float) -> None:
        self._ended({"id": grant.id, "used": grant.used, "rows": grant.rows_used, "why": why}, at)

    def of_person(self, person: str) -> list[Granted]:
        """What a person answers for, or asked for; the newest first."""
        return [
            each
            for each in reversed(self._all)
            if same(each.grant.person, person) or same(each.grant.asked_by, person)
        ]

    def unasked_today(self, template: str, *, person: str, root: str, now: float) -> int:
        """How often a day's bound was used of: by this person, or by this root agent for nobody in particular."""
        return sum(
            1
            for each in self._all
            if each.grant.how is How.UNASKED
            and each.grant.template == template
            and now - DAY < each.grant.starts_at
            and (same(each.grant.person, person) if person else each.grant.root == root)
        )

    def _ended(self, fields: Mapping[str, Any], at: float) -> None:
        for position in range(len(self._all) - 1, -1, -1):
            granted = self._all[position]
            if granted.grant.id == fields["id"]:
                grant = replace(granted.grant, used=int(fields["used"]), rows_used=int(fields.get("rows", 0)))
                self._all[position] = Granted(grant=grant, ended_at=at, why=str(fields["why"]))
                return
