"""Sibling approvals as one Slack message: a table, and for each that waits its own Review and Deny. Pure.

Nothing can be approved from here: a row is too small to show a command whole, so each opens its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot import unanswered
from bot.blocks import (
    CARD_LIMIT,
    Block,
    Element,
    Faces,
    Message,
    actions,
    bold,
    button,
    lines,
    quiet,
    rich,
    size,
    text,
    usergroup,
)
from bot.card_ids import DENY, REVIEW
from bot.cards import EVENT, agent_of, estimate_words, outcome, target_of
from bot.safe_text import escape, inline
from bot.votes import counted
from gateway.contract import Approval, State

TEXTS = (110, 60, 30)
"""Characters of each command: fewer where there is no room."""
NONE = "–"


def card(members: Sequence[Approval], faces: Faces) -> Message:
    """The card of a family, in any state of its members; at most `CARD_LIMIT` characters of blocks."""
    members = sorted(members, key=lambda each: (each.opened_at, each.id != each.family, each.id))
    for limit in TEXTS:
        blocks = tuple(_blocks(members, faces, limit))
        if size(blocks) <= CARD_LIMIT:
            break
    waiting = sum(each.state is State.PENDING for each in members)
    return Message(
        text=f"Countersign: {waiting} of {len(members)} requests beside {escape(members[0].id, limit=64)} wait for a decision.",
        blocks=blocks,
        event=EVENT,
        payload={"approval": family_of(members[0]), "version": version_of(members)},
    )


def family_of(approval: Approval) -> str:
    return approval.family or approval.id


def version_of(members: Sequence[Approval]) -> int:
    """Rises with every change of any of them, and with every one that joins."""
    return sum(each.version for each in members)


def _blocks(members: Sequence[Approval], faces: Faces, limit: int) -> Iterator[Block]:
    first, version = members[0], version_of(members)
    block_id = f"countersign:{family_of(first)[:64]}:{version}"
    yield rich(lines(_head(members, faces)), block_id=f"{block_id}:head")
    yield {
        "type": "table",
        "block_id": f"{block_id}:table",
        "column_settings": [{"is_wrapped": True}] * 6,
        "rows": [
            [_cell(each) for each in ("#", "Agent", "Standing", "Votes", "Would touch", "Command")],
            *(_row(number, each, limit) for number, each in enumerate(members, start=1)),
        ],
    }
    for number, each in enumerate(members, start=1):
        if each.state is State.PENDING:
            value = target_of(each).value()
            yield actions(
                button(f"Review {number}", action_id=REVIEW, value=value, style="primary"),
                button(f"Deny {number}", action_id=DENY, value=value),
                block_id=f"countersign:{each.id[:64]}:{each.version}:{number}",
            )


def _head(members: Sequence[Approval], faces: Faces) -> Iterator[Sequence[Element]]:
    first = members[0]
    waiting = [each for each in members if each.state is State.PENDING]
    mark, title = (
        ("⏳", f"{len(waiting)} of {len(members)} wait for a decision")
        if waiting
        else (
            "☑️",
            f"All {len(members)} are settled",
        )
    )
    yield [text(f"{mark} "), bold(title), text(" on "), bold(inline(first.connection))]
    people = dict.fromkeys(each.lineage.person for each in members)
    agents = dict.fromkeys(agent_of(each.lineage) for each in members)
    yield [
        text(", ".join(list(agents)[:5]) + (" and others" if len(agents) > 5 else "")),
        text(" for "),
        text(", ".join(inline(each, limit=60) for each in list(people)[:3])),
    ]
    if first.message:
        yield [quiet(inline(first.message, limit=300))]
    for ask in (waiting[0] if waiting else first).asks[:5]:
        group = faces.groups.get(ask.approvers)
        named = (
            usergroup(group)
            if group
            else text("any group" if ask.approvers == "*" else inline(ask.approvers, limit=40))
        )
        yield [
            bold("Each asks  "),
            text(f"{ask.quorum} from "),
            named,
            quiet(f"  ({inline(ask.rule, limit=60)})"),
        ]
    if waiting:
        soonest = min(waiting, key=lambda each: each.expires_at)
        yield list(unanswered.ahead(soonest, faces))
        yield [quiet("Each is an approval of its own: open it to see all of it, and to approve it.")]


def _row(number: int, approval: Approval, limit: int) -> list[Element]:
    votes = ", ".join(f"{have} of {ask.quorum}" for ask, have in list(counted(approval).items())[:3])
    _, title = outcome(approval)
    by = f" by {inline(approval.settled_by, limit=40)}" if approval.settled_by else ""
    if approval.grant not in {"", approval.id}:
        by += ", under a yes for a while"
    touches = estimate_words(approval.estimate) if approval.estimate is not None else ""
    return [
        _cell(each)
        for each in (
            f"{number}",
            agent_of(approval.lineage),
            f"{title}{by}",
            votes,
            touches[:80],
            inline(approval.command.text, limit=limit),
        )
    ]


def _cell(words: str) -> Element:
    return {"type": "raw_text", "text": words or NONE}
