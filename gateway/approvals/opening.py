"""What a held command is, as the approval that opens for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

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


def opened(
    approval_id: str,
    *,
    now: float,
    session: Session,
    digest: str,
    lineage_key: str,
    view: CommandView,
    whole_text: str,
    whole_parameters: Sequence[str | None],
    verdict: Hold,
    lineage_view: LineageView,
    channel: str,
    estimate: Estimate | None,
    review_required: bool,
    elevation: ElevationView | None,
    shape: str,
) -> Live:
    """Nobody waits for it yet."""
    steps = tuple(_steps(verdict.steps, lineage_view, now=now))
    return Live(
        approval=Approval(
            id=approval_id,
            version=1,
            state=State.PENDING,
            command=view,
            lineage=lineage_view,
            session=session.id,
            connection=session.connection.name,
            protocol=session.connection.protocol,
            labels=dict(session.connection.labels),
            message=verdict.message,
            asks=tuple(map(ask_view, verdict.asks)),
            review_required=review_required or needs_review(view, whole_text, whole_parameters),
            estimate=estimate,
            opened_at=now,
            expires_at=now + verdict.expires_in,
            channel=channel,
            elevation=elevation,
            lasting=offered(verdict.lasting, view, shape),
            steps=steps,
            stepped=sum(step.at <= now for step in steps),
        ),
        lineage_key=lineage_key,
        digest=digest,
        text=whole_text,
        parameters=tuple(whole_parameters),
        shape=shape,
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
