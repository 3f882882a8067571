"""Who is asked and who has voted, as the lines of a card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot import for_a_while, unanswered
from bot.blocks import Element, Faces, bold, date, quiet, text, user, usergroup
from bot.safe_text import inline
from gateway.contract import Approval, AskView, Choice, Vote


def counted(approval: Approval) -> dict[AskView, int]:
    """How many approvals each ask has; a person counts for one ask only, the scarcest first."""
    left = dict.fromkeys(approval.asks, 0)
    approving = [vote for vote in approval.votes if vote.choice is Choice.APPROVE]
    for vote in sorted(approving, key=lambda vote: len(vote.groups)):
        meant = [
            ask
            for ask in approval.asks
            if not {ask.approvers, ask.also or ask.approvers}.isdisjoint({*vote.groups, "*"})
            and left[ask] < ask.quorum
        ]
        if meant:
            left[meant[0]] += 1
    return left


def of_ask(ask: AskView, have: int, faces: Faces) -> Iterator[Element]:
    yield bold("Asks  ")
    yield text(f"{have} of {ask.quorum} from ")
    if ask.approvers in faces.groups:
        yield usergroup(faces.groups[ask.approvers])
    else:
        yield text("any group" if ask.approvers == "*" else inline(ask.approvers, limit=40))
    if ask.step_up is not None:
        yield text(", each with a fresh login")
    if ask.also:
        yield text(" or ")
        yield unanswered.group(ask.also, faces)
    yield quiet(f"  ({inline(ask.rule, limit=60)})")


_CHOICE_WORDS: Mapping[Choice, str] = {
    Choice.APPROVE: "approved",
    Choice.DENY: "denied",
    Choice.KILL: "killed",
}


def of_vote(vote: Vote, faces: Faces) -> Iterator[Element]:
    yield text("✔ " if vote.choice is Choice.APPROVE else "✘ ")
    yield face(vote.person, faces)
    groups = ", ".join(inline(group, limit=40) for group in vote.groups[:3])
    words = f"{_CHOICE_WORDS[vote.choice]}{for_a_while.of_vote(vote)}"
    yield text(f" {words}{f' for {groups}' if groups else ''} ")
    yield date(vote.at)
    if vote.login is not None:
        yield quiet(f" with a login at {inline(vote.login.provider, limit=40)}")
    if vote.reason:
        yield quiet(f" “{inline(vote.reason, limit=120)}”")


def face(person: str, faces: Faces) -> Element:
    """A mention where the person has a Slack user, else the name."""
    user_id = faces.people.get(person)
    return user(user_id) if user_id else text(inline(person, limit=80))
