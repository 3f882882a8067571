"""The one ordering: decide, record, hold, record, release, mask, record.

Synchronous where nobody has to be waited for. What a wire asks is answered with a verdict that is already
recorded; where recording fails, `RecordingFailed` ends the session and nothing moves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol

from gateway.approvals import Approvals
from gateway.contract import Estimate
from gateway.elevations.grants import Grants
from gateway.lending import Lending, Shaper, lend
from gateway.masking.engine import CompiledMask, Masks
from gateway.masking.scrub import Scrubber
from gateway.model import (
    Allow,
    Block,
    Command,
    Connection,
    Facts,
    Final,
    Hold,
    Reveal,
    Session,
    Shape,
    Verdict,
)
from gateway.policy.budgets import Budgets
from gateway.policy.evaluate import counting, hinging, judge, outside, shadows
from gateway.policy.model import Policy
from gateway.policy.moment import EVERYTHING, Moment, Spent
from gateway.recorder import Recorder, RecordingFailed
from gateway.sessions import LiveSession, Sessions
from gateway.wire import CommandAnswered

VERDICTS_KEPT = 4_096
"""Verdicts remembered for one session before it starts afresh."""

MEASURED_FIRST = "How many rows this would touch is asked of the target first."
MEASURED_WITHIN = 1.0
"""Seconds that the target has to say how much a command would touch."""

Estimator = Callable[[Session, Command], Awaitable[Estimate | None]]


class Meters(Protocol):
    """What the gate counts, for operators."""

    @property
    def judged(self) -> dict[str, int]:
        """How many commands got each verdict."""

    def session_opened(self) -> None: ...
    def session_closed(self) -> None: ...
    def recording_failed(self) -> None: ...
    def masked(self, counts: Mapping[str, int]) -> None: ...


class Gate:
    """Judges every command of every session."""

    def __init__(
        self,
        policy: Policy,
        *,
        mask_key: bytes,
        approvals: Approvals,
        recorder: Recorder,
        sessions: Sessions,
        still_valid: Callable[[Session], str],
        estimate: Estimator,
        shaper: Shaper,
        grants: Grants,
        budgets: Budgets,
        announce: Callable[[str, str], None],
        meters: Meters,
        clock: Callable[[], float],
    ) -> None:
        """`still_valid(session)` says why a session may not go on, or ""; `announce(level, text)` tells operators."""
        self._mask_key = mask_key
        self.approvals = approvals
        self._recorder = recorder
        self.sessions = sessions
        self.still_valid = still_valid
        self.estimate = estimate
        self._grants = grants
        self._lending = Lending(grants, shaper)
        self._budgets = budgets
        self._announce = announce
        self._meters = meters
        self._tally = meters.judged
        self._clock = clock
        self.adopt(policy)

    def adopt(self, policy: Policy) -> None:
        """From the next command on, this policy decides."""
        masks = Masks(policy.masks, key=self._mask_key)
        self.policy, self._masks, self.scrubber = policy, masks, Scrubber(masks)
        self._made: dict[tuple[tuple[str, ...], Reveal | None], CompiledMask] = {}
        self._shadowed = not all(rule.enforce for rule in policy.rules)
        self._of_the_moment = any(rule.when.is_of_the_moment for rule in policy.rules)
        self._budgeted = any(rule.when.budget is not None for rule in policy.rules)

    def open(self, session: Session, *, kill: Callable[[str], None]) -> LiveSession:
        """Begin a session's recording. Raises `RecordingFailed`."""
        live = LiveSession(
            session=session,
            recording=self._recorder.open(session),
            kill=kill,
            channel=self.audit_channel(session.connection.name),
        )
        self._meters.session_opened()
        self.sessions.add(live)
        return live

    def audit_channel(self, connection: str) -> str:
        """Where transcripts of a connection's sessions go, now."""
        target = self.policy.targets.get(connection)
        return (target.audit_channel if target is not None else "") or self.policy.slack.audit

    def ask(self, live: LiveSession, command: Command) -> Verdict:
        """The verdict on `command`, recorded. Raises `RecordingFailed`."""
        verdict, seen = self._judged(live, command.facts)
        if live.lapsed:
            verdict = Block(rules=("elevation",), message=live.lapsed)
        elif isinstance(verdict, Hold) and verdict.asks:
            verdict = self._lending.elevated(self.policy, live, command, verdict, seen)
        elif self._grants.revealing and isinstance(verdict, Allow):
            verdict = self._lending.revealed(self.policy, live, command, verdict, seen)
        text, parameters, _ = self.scrubbed(command)
        kind = _KINDS[type(verdict)]
        live.recording.asked(
            command.id,
            text=text,
            parameters=parameters,
            effects=seen.effects,
            resources=command.facts.resources,
            verdict=kind,
            rules=verdict.rules,
            message="" if isinstance(verdict, Allow) else verdict.message,
            digest=command.digest if isinstance(verdict, Hold) else "",
            shadow=self._shadows(live, seen) if self._shadowed else (),
        )
        live.commands += 1
        if isinstance(verdict, Block):
            live.blocked += 1
        elif isinstance(verdict, Hold):
            live.held += 1
        else:
            self.released(live, command)
        self._tally[kind] += 1
        self.sessions.touch(live)
        return verdict

    def measured(self, live: LiveSession, command: Command, rows: int | None, note: str = "") -> Verdict:
        """The verdict on a command that hung on how much it would touch, recorded; `rows` is None where nobody can tell."""
        verdict, seen = self._judged(live, command.facts, measured=True, rows=rows)
        if isinstance(verdict, Hold):
            verdict = self._lending.elevated(self.policy, live, command, verdict, seen)
        elif self._grants.revealing and isinstance(verdict, Allow):
            verdict = self._lending.revealed(self.policy, live, command, verdict, seen)
        expects = (
            f"the target gave no estimate{f' ({note})' if note else ''}" if rows is None else f"{rows} rows"
        )
        decided = {"allow": "Allowed", "hold": "Held", "block": "Blocked"}[_KINDS[type(verdict)]]
        live.recording.noted(f"Measured: {expects}. {decided} by {', '.join(verdict.rules)}.")
        if isinstance(verdict, Allow):
            self.released(live, command, rows=rows)
        return verdict

    def judge(
        self, live: LiveSession, facts: Facts, *, measured: bool = False, rows: int | None = None
    ) -> Verdict:
        """What the policy in force says; `rows` is what the target expects, once that was `measured`."""
        return self._judged(live, facts, measured=measured, rows=rows)[0]

    def seen(self, live: LiveSession, facts: Facts) -> Facts:
        """The facts as the policy in force sees them: with `exfil` where its masks would be got past."""
        return self._judged(live, facts)[1]

    def released(self, live: LiveSession, command: Command, *, rows: int | None = None) -> None:
        """The command goes on, and counts for the budgets that it takes of."""
        if not self._budgeted:
            return
        moment = self._moment(live, rows)
        session, connection = live.session, self._connection(live)
        rules = counting(self.policy, session.lineage, connection, self.seen(live, command.facts), moment)
        if rules:
            live.counting[command.id] = rules
            self._budgets.count(self.policy, rules, session.lineage, self._clock(), Spent(commands=1))

    def _judged(
        self, live: LiveSession, facts: Facts, *, measured: bool = False, rows: int | None = None
    ) -> tuple[Verdict, Facts]:
        """Verdict and facts; remembered for facts that come again, where the moment does not matter."""
        if self._of_the_moment:
            return self._decide(live.session, facts, self._moment(live, rows), measured=measured)
        if live.policy_version != self.policy.version or len(live.verdicts) > VERDICTS_KEPT:
            live.verdicts.clear()
            live.policy_version = self.policy.version
        known = live.verdicts.get(id(facts))
        if known is not None:
            return known[1]
        decided = self._decide(live.session, facts, Moment(), measured=True)
        live.verdicts[id(facts)] = (facts, decided)
        return decided

    def _moment(self, live: LiveSession, rows: int | None = None) -> Moment:
        now = self._clock()
        spent = self._budgets.spent(self.policy, live.session.lineage, now) if self._budgeted else {}
        return Moment(at=now, rows=rows, spent=spent)

    def _connection(self, live: LiveSession) -> Connection:
        """As the policy in force labels it."""
        target = self.policy.targets.get(live.session.connection.name)
        return target.connection if target is not None else live.session.connection

    def _shadows(self, live: LiveSession, facts: Facts) -> tuple[str, ...]:
        moment = self._moment(live) if self._of_the_moment else Moment()
        return shadows(self.policy, live.session.lineage, self._connection(live), facts, moment)

    def under(self, live: LiveSession, command: Command, grant_id: str, *, runs: bool) -> None:
        """A command that waited was let go under a grant; does it run, or was that too late?"""
        if runs:
            lend(live, command, self.seen(live, command.facts), grant_id)
        else:
            self._grants.done(grant_id, 0)

    def likeness(self, live: LiveSession, command: Command, seen: Facts) -> tuple[Shape | None, str]:
        """What a command has in common with others that may be let go with it, and by which key they are known."""
        return self._lending.likeness(live, command, seen)

    def _decide(
        self, session: Session, facts: Facts, moment: Moment, *, measured: bool
    ) -> tuple[Verdict, Facts]:
        target = self.policy.targets.get(session.connection.name)
        if target is None:
            message = f"The connection {session.connection.name} is closed."
            return Block(rules=("connections",), message=message), facts
        verdict, facts = judge(self.policy, session.lineage, target.connection, facts, moment)
        beyond = outside(session.scope, facts)
        if not beyond:
            hanging = (
                ()
                if measured or isinstance(verdict, Allow)
                else hinging(self.policy, session.lineage, target.connection, facts, moment)
            )
            if hanging and (isinstance(verdict, Hold) or set(verdict.rules) <= set(hanging)):
                return _to_measure(hanging), facts
            return verdict, facts
        if isinstance(verdict, Block):
            return replace(verdict, rules=("scope", *verdict.rules)), facts
        message = (
            f"This token does not reach that far: {', '.join(sorted(beyond))} on {target.connection.name} "
            "is outside its scope."
        )
        return Block(rules=("scope",), message=message), facts

    def mask(self, verdict: Final) -> CompiledMask:
        names, reveal = (verdict.masks, verdict.reveal) if isinstance(verdict, Allow) else ((), None)
        mask = self._made.get((names, reveal))
        if mask is None:
            mask = self._made[names, reveal] = self._masks.mask(names, reveal)
        return mask

    def knows_masks(self, names: tuple[str, ...]) -> bool:
        return all(name in self.policy.masks for name in names)

    def scrubbed(self, command: Command) -> tuple[str, tuple[str | None, ...], bool]:
        """Text and parameters as they may be kept and shown, and whether anything had to be masked."""
        text, masked = self.scrubber.text(command.text)
        if not command.parameters:
            return text, (), masked
        parameters: list[str | None] = []
        for value in command.parameters:
            shown, hit = self.scrubber.text(value) if value is not None else (None, False)
            parameters.append(shown)
            masked = masked or hit
        return text, tuple(parameters), masked

    def answered(self, live: LiveSession, event: CommandAnswered) -> None:
        live.recording.answered(
            event.command_id,
            outcome=event.outcome,
            rows=event.rows,
            failed=event.failed,
            masked=event.masked,
            shape=event.shape,
        )
        if live.elevated and (grant_id := live.elevated.pop(event.command_id, "")):
            self._grants.done(grant_id, event.rows)
        if live.counting and (rules := live.counting.pop(event.command_id, ())):
            spent = Spent(rows=event.rows)
            self._budgets.count(self.policy, rules, live.session.lineage, self._clock(), spent)
        if event.masked:
            live.masked.update(event.masked)
            self._meters.masked(event.masked)
        self.sessions.touch(live)

    def unrecorded(self, live: LiveSession, failure: RecordingFailed) -> None:
        self._meters.recording_failed()
        self._announce(
            "error", f"Recording of session {live.session.id} failed ({failure}); the session was ended."
        )

    def close(self, live: LiveSession, reason: str) -> None:
        for grant_id in live.elevated.values():
            self._grants.done(grant_id, EVERYTHING.rows)
        live.elevated.clear()
        for rules in live.counting.values():
            # Nobody saw how many rows came before the end: as many as there are.
            self._budgets.count(self.policy, rules, live.session.lineage, self._clock(), EVERYTHING)
        try:
            head = live.recording.close(reason)
        except RecordingFailed as failure:
            self.unrecorded(live, failure)
            head = ""
        self._meters.session_closed()
        self.sessions.remove(live, reason=reason, head=head)


def _to_measure(rules: tuple[str, ...]) -> Hold:
    """A hold that asks nobody but the target: see `gateway.holding`."""
    return Hold(rules=rules, message=MEASURED_FIRST, asks=(), expires_in=MEASURED_WITHIN)


_KINDS: dict[type, str] = {Allow: "allow", Hold: "hold", Block: "block"}
