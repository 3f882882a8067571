"""While nobody answers: what comes next and how it ends, on the card; and what is said when it comes."""

from __future__ import annotations

from collections.abc import Iterator

from bot.blocks import Element, Faces, Message, bold, date, lines, rich, text, user, usergroup
from bot.elevations import REVIEW
from bot.safe_text import escape, inline
from gateway.contract import Approval, StepKind, StepView

EVENT = "countersign_step"


def ahead(approval: Approval, faces: Faces) -> Iterator[Element]:
    """The next of each kind of step, and the end."""
    yield bold("If nobody answers  ")
    told: set[StepKind] = set()
    for step in approval.steps[approval.stepped :]:
        if step.kind not in told:
            told.add(step.kind)
            yield from _words(step, faces)
            yield date(step.at)
            yield text(" · ")
    yield from ends(approval)


def message(approval: Approval, number: int, faces: Faces) -> Message:
    """The reply in the card's thread for a step that has come; it mentions whom it is for."""
    said = list(_said(approval, approval.steps[number], faces))
    return Message(
        text=f"Countersign: approval {escape(approval.id, limit=64)} still waits for a decision.",
        blocks=(
            rich(
                lines(
                    [
                        said,
                        [
                            text(f"Approval {inline(approval.id, limit=64)}. If nobody answers, "),
                            *ends(approval),
                        ],
                    ]
                )
            ),
        ),
        event=EVENT,
        payload={"approval": approval.id, "step": number},
    )


def ends(approval: Approval) -> Iterator[Element]:
    """A review of what was had already is never over by itself."""
    review = approval.elevation is not None and approval.elevation.how == REVIEW
    yield text("its card is posted anew " if review else "it expires as denied ")
    yield date(approval.expires_at)


def group(name: str, faces: Faces) -> Element:
    """A mention where the group is one of Slack's, else the name."""
    if name in faces.groups:
        return usergroup(faces.groups[name])
    return text("any group" if name == "*" else inline(name, limit=40))


def _person(name: str, faces: Faces) -> Element:
    user_id = faces.people.get(name)
    return user(user_id) if user_id else text(inline(name, limit=80))


def _words(step: StepView, faces: Faces) -> Iterator[Element]:
    match step.kind:
        case StepKind.CALL:
            yield _person(step.to, faces)
            yield text(" is called ")
        case StepKind.ESCALATE:
            yield group(step.to, faces)
            yield text(" may answer, too, from ")
        case StepKind.REMIND:
            yield text("all are reminded ")


def _said(approval: Approval, step: StepView, faces: Faces) -> Iterator[Element]:
    match step.kind:
        case StepKind.CALL:
            yield text("📟 ")
            yield _person(step.to, faces)
            yield text(", you are on call: this waits for a decision.")
        case StepKind.ESCALATE:
            yield text("⏫ ")
            yield group(step.to, faces)
            yield text(", nobody has decided: you may answer, too, from now on.")
        case StepKind.REMIND:
            yield text("⏰ ")
            asked = [name for ask in approval.asks for name in (ask.approvers, ask.also) if name]
            for name in dict.fromkeys(asked):
                yield group(name, faces)
                yield text(" ")
            yield text("this still waits for a decision.")
