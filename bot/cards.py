"""An approval as a Slack message. Pure: the same approval gives the same card.

A card that does not show everything exactly as it would run has no Approve button, only Review. A settled card
has no buttons, and says who decided, when and why. Every text of the agent's stands in rich text, literally.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from bot import elevations, for_a_while, unanswered, votes
from bot.blocks import (
    CARD_LIMIT,
    Block,
    Element,
    Faces,
    Message,
    actions,
    bold,
    button,
    code,
    date,
    lines,
    quiet,
    rich,
    section,
    size,
    text,
)
from bot.card_ids import APPROVE, DENY, FOR_A_WHILE, KILL, REVIEW, Target
from bot.safe_text import Shown, escape, inline, literal, show
from gateway.contract import (
    CARD_TEXT,
    ActorView,
    Approval,
    Choice,
    Estimate,
    LineageView,
    ResourceView,
    State,
    Twins,
)

EVENT = "countersign_card"
NO_TWINS = Twins()
_ABOUT = re.compile(r"countersign:([a-zA-Z0-9_-]{1,64}):[0-9]+:")
PARAMETER = 160
ACTORS_FIRST, ACTORS_LAST = 2, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much of what a peer controls is drawn."""

    command: int
    """Characters of the command."""
    rows: int
    """Parameters, resources, labels, effects, asks and votes, of each."""


ROOMS = (Room(command=CARD_TEXT, rows=12), Room(command=1_200, rows=5), Room(command=400, rows=2))
"""The second and third where the rest of the card leaves no room for the first."""

PARTS = frozenset({"column", "condition"})
"""Kinds of resources that are parts of others."""
EFFECT_MARKS: Mapping[str, str] = {
    "read": "🟢",
    "session": "⚪",
    "write": "🟠",
    "ddl": "🟠",
    "destructive": "🔴",
    "privilege": "🔴",
    "exec": "🔴",
    "exfil": "🔴",
    "unknown": "🟣",
}


def target_of(approval: Approval) -> Target:
    return Target(id=approval.id, version=approval.version, digest=approval.command.digest[:8])


def card(approval: Approval, faces: Faces, twins: Twins = NO_TWINS) -> Message:
    """The card for an approval in any state; at most `CARD_LIMIT` characters of blocks."""
    for room in ROOMS:
        blocks = tuple(_blocks(approval, faces, room, twins))
        if size(blocks) <= CARD_LIMIT:
            break
    return Message(
        text=fallback(approval),
        blocks=blocks,
        event=EVENT,
        payload={"approval": approval.id, "version": approval.version},
    )


def fallback(approval: Approval) -> str:
    """The sentence for notifications: what happened to which approval, never the command."""
    return f"Countersign: approval {escape(approval.id, limit=64)} {_STATE_SENTENCES[approval.state]}."


_STATE_SENTENCES: Mapping[State, str] = {
    State.PENDING: "is waiting for a decision",
    State.APPROVED: "was approved",
    State.SPENT: "was approved and has run",
    State.DENIED: "was denied",
    State.EXPIRED: "expired",
    State.WITHDRAWN: "was withdrawn",
}


def _can_be_read(approval: Approval, command: Shown, room: Room) -> bool:
    """The card shows the whole command and its parameters exactly as they would run."""
    return (
        command.faithful
        and not approval.command.masked
        and len(approval.command.parameters) <= room.rows
        and all(_parameter_is_faithful(value) for value in approval.command.parameters)
    )


def outcome(approval: Approval) -> tuple[str, str]:
    """A mark and a title for the approval's state."""
    match approval.state:
        case State.PENDING | State.SPENT if approval.elevation is not None:
            return elevations.title(approval.elevation, pending=approval.state is State.PENDING)
        case State.PENDING:
            return "⏳", "Waiting for a decision"
        case State.APPROVED if approval.waiting == 0:
            return "✅", "Approved: it runs when the client asks again"
        case State.APPROVED:
            return "✅", "Approved"
        case State.SPENT:
            return "✅", "Approved and released"
        case State.DENIED if any(vote.choice is Choice.KILL for vote in approval.votes):
            return "⛔", "Denied and killed"
        case State.DENIED:
            return "⛔", "Denied"
        case State.EXPIRED:
            return "⌛", "Expired: nobody decided in time"
        case State.WITHDRAWN:
            return "↩️", "Withdrawn"
        case _:
            assert_never(approval.state)


def block_id(approval: Approval, part: str) -> str:
    """Which approval a message is about: a shortcut on it is told no more than its blocks."""
    return f"countersign:{approval.id[:64]}:{approval.version}:{part}"


def about(blocks: object) -> str:
    """The approval that a message with these blocks is about, or ""."""
    for block in blocks if isinstance(blocks, list) else ():
        found = _ABOUT.match(str(block.get("block_id", ""))) if isinstance(block, dict) else None
        if found is not None:
            return found[1]
    return ""


def _blocks(approval: Approval, faces: Faces, room: Room, twins: Twins) -> Iterator[Block]:
    command = show(approval.command.text, limit=room.command)
    # The first block is rich text in every state: Slack refuses to turn rich text into anything else.
    yield rich(lines(_head(approval, faces, room)), block_id=block_id(approval, "head"))
    yield rich(
        section(bold("Elevation" if approval.elevation else "Command"), *_command_marks(approval, command)),
        literal(command.text),
        *_parameters(approval.command.parameters, room),
        block_id=block_id(approval, "command"),
    )
    yield rich(
        section(bold("On whose behalf")),
        literal(tree(approval.lineage)),
        block_id=block_id(approval, "lineage"),
    )
    yield rich(lines(_facts(approval, faces, room, twins)), block_id=block_id(approval, "facts"))
    if approval.state is State.PENDING:
        yield actions(*_buttons(approval, command, room), block_id=block_id(approval, "buttons"))


def _head(approval: Approval, faces: Faces, room: Room) -> Iterator[Sequence[Element]]:
    mark, title = outcome(approval)
    yield [text(f"{mark} "), bold(title)]
    labels = [f"{inline(key, limit=30)}: {inline(value, limit=40)}" for key, value in approval.labels.items()]
    where = " · ".join([inline(approval.protocol, limit=30), *_some(labels, room)])
    by_hand = approval.elevation is not None and approval.elevation.by_hand
    yield [
        bold(inline(approval.lineage.person, limit=80) if by_hand else agent_of(approval.lineage)),
        text(" by hand on " if by_hand else " on "),
        bold(inline(approval.connection)),
        text(f" · {where}"),
    ]
    if approval.state is State.PENDING:
        if approval.message:
            yield [quiet(inline(approval.message, limit=300))]
    else:
        yield list(_settled(approval, faces))
        if approval.reason:
            yield [text("Reason: "), quiet(inline(approval.reason, limit=300))]


def _some(names: Sequence[str], room: Room) -> list[str]:
    """The first names that have room, and how many more there are."""
    more = len(names) - room.rows
    return [*names[: room.rows], f"{more:,} more"] if more > 0 else list(names)


def _touched(resources: Sequence[ResourceView]) -> list[str]:
    """Each thing once, with its effects; the parts of a thing that is there go without saying."""
    names = {one.name for one in resources}
    effects: dict[str, dict[str, None]] = {}
    for one in resources:
        whole, _, _ = one.name.rpartition(".")
        if one.kind not in PARTS or whole not in names:
            effects.setdefault(one.name, {})[one.effect] = None
    return [
        f"{inline(name, limit=70)} ({', '.join(inline(each, limit=20) for each in found)})"
        for name, found in effects.items()
    ]


def _settled(approval: Approval, faces: Faces) -> Iterator[Element]:
    if approval.settled_by:
        yield text("By ")
        yield votes.face(approval.settled_by, faces)
    else:
        yield text("By the gateway")
    if approval.settled_at is not None:
        yield text(" · ")
        yield date(approval.settled_at)


def _command_marks(approval: Approval, shown: Shown) -> Iterator[Element]:
    for remark in shown.remarks():
        yield text(f" · ⚠️ {remark}")
    if approval.command.masked:
        yield text(" · 🔒 secrets or personal data in it are masked here")
    if not approval.command.complete:
        why = f": {inline(approval.command.unread, limit=160)}" if approval.command.unread else ""
        yield text(f" · 🟣 the gateway could not read all of it{why}")


def _parameters(values: Sequence[str | None], room: Room) -> Iterator[Element]:
    if not values:
        return
    shown = [
        f"${number} = {inline(parameter(value), limit=PARAMETER)}"
        for number, value in enumerate(values[: room.rows], start=1)
    ]
    if len(values) > room.rows:
        shown.append(f"⟦… {len(values) - room.rows:,} more parameters not shown …⟧")
    yield section(bold("Bound parameters"))
    yield literal("\n".join(shown))


def parameter(value: str | None) -> str:
    """A bound value on one line, as JSON writes it: no value can look like the end of itself."""
    return "NULL" if value is None else json.dumps(value, ensure_ascii=False)


def _parameter_is_faithful(value: str | None) -> bool:
    encoded = parameter(value)
    return value is None or (
        len(encoded) <= PARAMETER
        and show(encoded, limit=PARAMETER).faithful
        and not show(value, limit=PARAMETER).hidden
    )


def agent_of(lineage: LineageView) -> str:
    """The agent that asks, as one word of a sentence."""
    return inline(lineage.chain[-1].name, limit=60) if lineage.chain else "a service"


def tree(lineage: LineageView) -> str:
    """Person, then each agent below the one that started it, with what it says it is for."""
    rows = [inline(lineage.person, limit=80) if lineage.person else "no person: a service stands at the root"]
    chain: list[ActorView | None] = list(lineage.chain)
    if len(chain) > ACTORS_FIRST + ACTORS_LAST:
        chain[ACTORS_FIRST:-ACTORS_LAST] = [None]
    for depth, actor in enumerate(chain):
        if actor is None:
            name, task = f"… {len(lineage.chain) - ACTORS_FIRST - ACTORS_LAST} more agents …", ""
        else:
            name, task = inline(actor.name, limit=60), inline(actor.task, limit=100) if actor.task else ""
        rows.append("   " * depth + f"└─ {name}" + (f"   (agent says: {task})" if task else ""))
    return "\n".join(rows)


def _facts(approval: Approval, faces: Faces, room: Room, twins: Twins) -> Iterator[Sequence[Element]]:
    command = approval.command
    effects = [f"{EFFECT_MARKS.get(effect, '🟣')} {inline(effect, limit=20)}" for effect in command.effects]
    yield [bold("Effects  "), text("   ".join(_some(effects, room)) or "none read")]
    if command.resources:
        yield [bold("Touches  "), text(", ".join(_some(_touched(command.resources), room)))]
    if approval.estimate is not None:
        yield [bold("Gateway measured  "), text(estimate_words(approval.estimate))]
    if approval.elevation is not None:
        yield from elevations.rows(approval.elevation, most=room.rows)
    for ask in approval.asks[: room.rows]:
        yield list(votes.of_ask(ask, votes.counted(approval)[ask], faces))
    if len(approval.asks) > room.rows:
        yield [quiet(f"and {len(approval.asks) - room.rows} more asks")]
    for vote in approval.votes[-room.rows :]:
        yield list(votes.of_vote(vote, faces))
    yield from for_a_while.rows(approval, twins)
    yield from _waiting(approval, faces)
    yield [bold("Digest  "), code(inline(command.words, limit=60)), text("  "), code(command.digest[:8])]
    yield [quiet(ids(approval))]


def ids(approval: Approval) -> str:
    """Which approval, and of which session where it is of one."""
    session = f" · session {inline(approval.session, limit=64)}" if approval.session else ""
    return f"Approval {inline(approval.id, limit=64)}{session}"


def _waiting(approval: Approval, faces: Faces) -> Iterator[Sequence[Element]]:
    if approval.state is not State.PENDING:
        return
    yield [bold("Decide before  "), date(approval.expires_at), *_left(approval)]
    yield list(unanswered.ahead(approval, faces))
    if approval.waiting == 0:
        yield [text("The client has left; a retry joins this card.")]
    elif approval.waiting > 1:
        yield [text(f"{approval.waiting:,} clients wait for this same command.")]


def _left(approval: Approval) -> Iterator[Element]:
    minutes = round((approval.expires_at - approval.opened_at) / 60)
    if minutes > 0:
        yield text(f"  ({minutes} min from when it was asked)")


def estimate_words(estimate: Estimate) -> str:
    """The measurement as a sentence, or why there is none."""
    if estimate.rows is None:
        return inline(estimate.note, limit=150) if estimate.note else "no estimate"
    rows = "about 1 row" if estimate.rows == 1 else f"about {estimate.rows:,} rows"
    total = f" of {estimate.total:,}" if estimate.total is not None else ""
    note = f" ({inline(estimate.note, limit=150)})" if estimate.note else ""
    return rows + total + note


def _buttons(approval: Approval, command: Shown, room: Room) -> Iterator[Element]:
    value = target_of(approval).value()
    approve, deny = elevations.choices(approval.elevation)
    if _can_be_read(approval, command, room) and not approval.review_required:
        yield button(approve, action_id=APPROVE, value=value, style="primary")
        yield button("Review", action_id=REVIEW, value=value)
    else:
        yield button("Review to approve", action_id=REVIEW, value=value, style="primary")
    if approval.lasting is not None:
        yield button("For a while …", action_id=FOR_A_WHILE, value=value)
    yield button(deny, action_id=DENY, value=value)
    yield button("Deny and kill", action_id=KILL, value=value, style="danger")
