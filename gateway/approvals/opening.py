"""What people are asked, as the approval that opens for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.approvals.electorate import in_chain
from gateway.approvals.proof import needs_review
from gateway.approvals.releasing import offered
from gateway.approvals.waiting import Live
from gateway.contract import (
    Approval,
    AskView,
    CommandView,
    ElevationView,
    Estimate,
    LineageView,
    State,
    StepUpView,
    StepView,
)
from gateway.model import Ask, Hold, Session, Step, StepKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What people are asked to decide: a held command, or a request for elevation."""

    session: Session
    lineage_key: str
    lineage_view: LineageView
    verdict: Hold
    view: CommandView
    """As a card shows it."""
    digest: str
    """Of exactly what would run."""
    whole_text: str
    whole_parameters: Sequence[str | None] = ()
    channel: str
    estimate: Estimate | None = None
    review_required: bool = False
    elevation: ElevationView | None = None
    """What would be granted; None for a command."""
    shape: str = ""
    """The same for commands that differ in their values alone, "" where nobody can tell."""


def opened(approval_id: str, question: Question, *, now: float) -> Live:
    """The approval of a question, for which nobody waits yet."""
    session, view, verdict = question.session, question.view, question.verdict
    steps = tuple(_steps(verdict.steps, question.lineage_view, now=now))
    return Live(
        approval=Approval(
            id=approval_id,
            version=1,
            state=State.PENDING,
            command=view,
            lineage=question.lineage_view,
            session=session.id,
            connection=session.connection.name,
            protocol=session.connection.protocol,
            labels=dict(session.connection.labels),
            message=verdict.message,
            asks=tuple(map(ask_view, verdict.asks)),
            review_required=question.review_required
            or needs_review(view, question.whole_text, question.whole_parameters),
            estimate=question.estimate,
            opened_at=now,
            expires_at=now + verdict.expires_in,
            channel=question.channel,
            elevation=question.elevation,
            lasting=offered(verdict.lasting, view, question.shape),
            steps=steps,
            stepped=sum(step.at <= now for step in steps),
        ),
        lineage_key=question.lineage_key,
        digest=question.digest,
        text=question.whole_text,
        parameters=tuple(question.whole_parameters),
        shape=question.shape,
    )


def _steps(steps: Sequence[Step], lineage: LineageView, *, now: float) -> Iterator[StepView]:
    """Who may not vote is not called: the next is in their place, and where nobody is left, all are reminded."""
    people = (step.to for step in steps if step.kind is StepKind.CALL and not in_chain(lineage, step.to))
    for step in steps:
        view = StepView(at=now + step.after, kind=step.kind, to=step.to, rule=step.rule)
        if step.kind is not StepKind.CALL:
            yield view
        elif called := next(people, ""):
            yield replace(view, to=called)
        elif step.after > 0:
            yield replace(view, kind=StepKind.REMIND, to="")


def ask_view(ask: Ask) -> AskView:
    step_up = ask.step_up
    return AskView(
        rule=ask.rule,
        approvers=ask.approvers,
        quorum=ask.quorum,
        step_up=StepUpView(max_age=step_up.max_age, acr=step_up.acr) if step_up is not None else None,
    )
