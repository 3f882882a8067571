"""One held command: its approval opens, the client waits, and what people decide becomes a final verdict.

Released only if, at that moment, the token is still good and the policy in force still lets it: an approval
answers the questions that were asked, no others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from gateway.approvals import HoldRefused, Question, Waiting
from gateway.contract import CARD_TEXT, Approval, CommandView, Estimate, ResourceView, State
from gateway.gate import MEASURED_WITHIN, Gate
from gateway.model import Allow, Block, Command, Final, Hold
from gateway.sessions import LiveSession, lineage_view
from gateway.shaping import shape_view
from gateway.store import StoreFailed
from gateway.words import words

VIEW_TEXT = 8_000
"""Characters of a command that a card's view holds; the last 2,000 of a longer one are among them."""
VIEW_PARAMETERS = 100
VIEW_RESOURCES = 50
VIEW_DOUBTS = 500
"""Characters of why it was not read completely."""


class Held:
    """A command of one session that waits for people."""

    def __init__(self, gate: Gate, live: LiveSession, command: Command, verdict: Hold) -> None:
        self.command = command
        self._gate = gate
        self._live = live
        self._verdict = verdict
        self._rows: int | None = None
        self._waiting: Waiting | None = None
        self._left: bool | None = None
        self._task: asyncio.Task[object] | None = None

    def leave(self, *, withdraw: bool) -> None:
        """The client no longer waits: gone and perhaps back, or (`withdraw`) it took the command back."""
        self._left = withdraw
        if self._waiting is not None:
            self._waiting.leave(withdraw=withdraw)
        if self._task is not None:
            self._task.cancel()

    async def settle(self, tell: Callable[[str], None]) -> Final:
        """Wait for the decision. `tell` says something to the waiting client."""
        self._task = asyncio.current_task()
        gate, live, command = self._gate, self._live, self.command
        estimate = await self._estimate()
        self._rows = estimate.rows if estimate is not None else None
        if not self._verdict.asks:
            now = gate.measured(live, command, self._rows, estimate.note if estimate is not None else "")
            if not isinstance(now, Hold):
                return now
            self._verdict = now
        rules = self._verdict.rules
        try:
            waiting = await gate.approvals.hold(self._question(estimate))
        except StoreFailed:
            return Block(rules=rules, message="The gateway cannot keep an approval now, so this cannot run.")
        except HoldRefused as full:
            return Block(rules=rules, message=f"This cannot be held: {full}.")
        self._waiting = waiting
        if self._left is not None:
            waiting.leave(withdraw=self._left)
            raise asyncio.CancelledError
        self._record(waiting.approval, reason="")
        if waiting.approval.state is State.PENDING:
            tell(_held_notice(waiting.approval))
        settled = await waiting.outcome()
        final = self._final(settled)
        if settled.grant not in {"", settled.id}:
            gate.under(live, command, settled.grant, runs=isinstance(final, Allow))
        self._record(settled, reason=settled.reason)
        return final

    def _question(self, estimate: Estimate | None) -> Question:
        """What people are asked, with all that they may look at before they answer."""
        gate, live, command, verdict = self._gate, self._live, self.command, self._verdict
        session, policy = live.session, gate.policy
        shape, key = None, ""
        if verdict.lasting is not None:
            shape, key = gate.likeness(live, command, gate.seen(live, command.facts))
        view = replace(self._view(), alike=shape_view(shape, gate.scrubber))
        return Question(
            session=session,
            digest=view.digest,
            lineage_key=session.lineage.key,
            view=view,
            whole_text=command.text,
            whole_parameters=command.parameters,
            verdict=verdict,
            lineage_view=lineage_view(session.lineage),
            channel=policy.targets[session.connection.name].approvals_channel or policy.slack.approvals,
            estimate=estimate,
            review_required=_out_of_sight(command.text),
            shape=key,
        )

    def _record(self, approval: Approval, *, reason: str) -> None:
        self._live.recording.decided(
            self.command.id,
            approval_id=approval.id,
            state=approval.state,
            votes=approval.votes,
            reason=reason,
        )

    def _final(self, approval: Approval) -> Final:
        verdict = self._verdict
        if approval.state is not State.SPENT:
            return Block(rules=verdict.rules, message=_refusal(approval))
        reason = self._gate.still_valid(self._live.session)
        if reason:
            return Block(rules=("token",), message=reason)
        again = self._gate.judge(self._live, self.command.facts, measured=True, rows=self._rows)
        if isinstance(again, Block):
            return again
        masks = tuple(dict.fromkeys((*verdict.masks, *again.masks)))
        unasked = isinstance(again, Hold) and not set(again.asks) <= set(verdict.asks)
        if unasked or not self._gate.knows_masks(masks):
            return Block(
                rules=again.rules,
                message="What the policy asks for changed while this waited; send the command again.",
            )
        self._gate.released(self._live, self.command, rows=self._rows)
        by = [f"approval:{approval.id}"]
        if approval.grant not in {"", approval.id}:
            by.append(f"grant:{approval.grant}")
        return Allow(rules=(*verdict.rules, *by), masks=masks)

    async def _estimate(self) -> Estimate | None:
        try:
            async with asyncio.timeout(MEASURED_WITHIN):
                return await self._gate.estimate(self._live.session, self.command)
        except TimeoutError:
            return Estimate(note=f"no estimate within {MEASURED_WITHIN:.0f} s")

    def _view(self) -> CommandView:
        """The command as a card may show it. What is cut here is longer than a card may be approved on."""
        command = self.command
        text, parameters, masked = self._gate.scrubbed(command)
        digest = command.digest
        return CommandView(
            text=text if len(text) <= VIEW_TEXT else f"{text[: VIEW_TEXT - 2000]}\n…\n{text[-2000:]}",
            parameters=tuple(
                value[:CARD_TEXT] if value is not None else None for value in parameters[:VIEW_PARAMETERS]
            ),
            effects=tuple(sorted(self._gate.seen(self._live, command.facts).effects)),
            resources=tuple(
                ResourceView(kind=resource.kind, name=resource.name, effect=resource.effect)
                for resource in command.facts.resources[:VIEW_RESOURCES]
            ),
            complete=command.facts.complete,
            unread=self._gate.scrubber.text(command.facts.why_unknown[:VIEW_DOUBTS])[0],
            digest=digest,
            words=words(digest),
            masked=masked,
        )


def _out_of_sight(text: str) -> bool:
    """Whether blanks push a part of it to where nobody looks."""
    return "\n\n\n\n" in text or " " * 80 in text or "\t" * 20 in text


def _held_notice(approval: Approval) -> str:
    asked = " and ".join(f"{ask.quorum} of {ask.approvers}" for ask in approval.asks)
    until = time.strftime("%H:%M:%S UTC", time.gmtime(approval.expires_at))
    return (
        f"Held until a person decides: approval {approval.id} ({approval.command.words}), "
        f"asked of {asked}, until {until}. {approval.message}".rstrip()
    )


def _refusal(approval: Approval) -> str:
    denied = [vote for vote in approval.votes if vote.choice != "approve"]
    match approval.state:
        case State.DENIED:
            who = denied[-1].person if denied else "an approver"
            if not approval.reason:
                return f"Denied by {who} (approval {approval.id})."
            stop = "" if approval.reason.endswith((".", "!", "?")) else "."
            return f"Denied by {who}: {approval.reason}{stop} Approval {approval.id}."
        case State.EXPIRED:
            return (
                f"Nobody decided in time (approval {approval.id}); nothing ran. Send it again to ask again."
            )
        case _:
            why = f": {approval.reason}" if approval.reason else ""
            return f"Withdrawn{why} (approval {approval.id}); nothing ran."
