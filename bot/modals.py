"""The modals: deny with a reason, deny and kill after seeing what that stops, and Review, which ends in Approve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from bot import for_a_while
from bot.blocks import Block, Element, bold, code, divider, lines, quiet, rich, section, text
from bot.card_ids import (
    DENY_VIEW,
    KILL_SESSION_VIEW,
    KILL_VIEW,
    REACH_BLOCK,
    REACH_INPUT,
    REACH_SESSION,
    REACH_SUBTREE,
    REASON_BLOCK,
    REASON_INPUT,
    REVIEW_VIEW,
    ModalState,
)
from bot.cards import agent_of, parameter, tree
from bot.safe_text import inline, literal, oddities, pieces
from gateway.contract import Approval, SessionView, Subtree, Twins, WholeText

View: TypeAlias = dict[str, Any]

PIECE = 2_900
TEXT_PIECES = 3
PARAMETER_PIECES = 1
LONGEST_REASON = 500
NAMED = 12


def plain(words: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": words, "emoji": False}


def modal(title: str, blocks: Sequence[Block], *, callback_id: str, submit: str, state: ModalState) -> View:
    return {
        "type": "modal",
        "title": plain(title),
        "callback_id": callback_id,
        "private_metadata": state.encode(),
        "submit": plain(submit),
        "close": plain("Back"),
        "blocks": list(blocks),
    }


def note(title: str, sentence: str) -> View:
    """A modal that only says something."""
    return {
        "type": "modal",
        "title": plain(title),
        "close": plain("Close"),
        "blocks": [rich(section(text(sentence)))],
    }


def loading(title: str) -> View:
    """What opens at once, since a trigger lives three seconds; it is updated when the gateway has answered."""
    return note(title, "Asking the gateway …")


def deny(state: ModalState) -> View:
    said = rich(section(text("The agent is told that it was denied, with your reason; its session goes on.")))
    return modal("Deny", [said, _reason()], callback_id=DENY_VIEW, submit="Deny", state=state)


def kill(approval: Approval, subtree: Subtree | None, state: ModalState) -> View:
    """Confirm a kill, after the number of what it stops; None where the agent's token has ended already."""
    rows = [
        [
            text("This denies the command, ends its session, and revokes the token of "),
            bold(agent_of(approval.lineage)),
            text("."),
        ],
        *(_stops(subtree) if subtree is not None else ()),
    ]
    blocks = [
        rich(lines(rows)),
        rich(section(bold("On whose behalf")), literal(tree(approval.lineage))),
        _reason(),
    ]
    return modal("Deny and kill", blocks, callback_id=KILL_VIEW, submit="Deny and kill", state=state)


def kill_session(session: SessionView, subtree: Subtree | None, state: ModalState) -> View:
    """Confirm ending a session, alone or with everything below its agent."""
    rows: list[Sequence[Element]] = [
        [
            text("Session "),
            code(inline(session.id, limit=64)),
            text(" of "),
            bold(agent_of(session.lineage)),
            text(" on "),
            bold(inline(session.connection)),
        ],
    ]
    options = [option("End this session only", REACH_SESSION)]
    if subtree is not None:
        rows += _stops(subtree)
        options.append(option("Revoke the agent's token and end everything below it", REACH_SUBTREE))
    reach = {
        "type": "input",
        "block_id": REACH_BLOCK,
        "label": plain("How far"),
        "element": {
            "type": "radio_buttons",
            "action_id": REACH_INPUT,
            "options": options,
            "initial_option": options[0],
        },
    }
    blocks = [
        rich(lines(rows)),
        rich(section(bold("On whose behalf")), literal(tree(session.lineage))),
        reach,
        _reason(),
    ]
    return modal("End a session", blocks, callback_id=KILL_SESSION_VIEW, submit="End it", state=state)


def whole_parts(whole: WholeText) -> tuple[list[str], list[str], int]:
    """Pieces of the text and of the parameters as a modal shows them, and the characters it has no room for."""
    parts, left = pieces(whole.text, size=PIECE, most=TEXT_PIECES)
    values, values_left = pieces(_parameters(whole), size=PIECE, most=PARAMETER_PIECES)
    return parts, values, left + values_left


def _parameters(whole: WholeText) -> str:
    return "\n".join(
        f"${number} = {parameter(value)}" for number, value in enumerate(whole.parameters, start=1)
    )


def review(
    approval: Approval,
    whole: WholeText,
    state: ModalState,
    *,
    elsewhere: str,
    twins: Twins | None = None,
    ready: bool = False,
) -> View:
    """Everything that would run, ending in Approve; for a while where policy lets it and `twins` says of how many.

    `elsewhere` says where the rest is when it does not fit; it is "" where it was put nowhere, and then there is
    no Approve.
    """
    parts, values, left = whole_parts(whole)
    rows: list[Sequence[Element]] = [
        [
            bold(inline(approval.connection)),
            text(f" · {len(whole.text):,} characters, exactly as they would run"),
        ],
        [
            bold("Digest  "),
            code(inline(whole.words, limit=60)),
            text("  "),
            code(inline(whole.digest, limit=64)),
        ],
    ]
    rows += _warnings(approval, whole)
    if approval.command.masked:
        rows.append([text("🔒 Secrets or personal data that the card masks are readable here.")])
    blocks = [rich(lines(rows)), rich(section(bold("On whose behalf")), literal(tree(approval.lineage)))]
    blocks += [rich(literal(part)) for part in parts] or [rich(literal(""))]
    if values:
        blocks += [rich(section(bold("Bound parameters"))), *(rich(literal(part)) for part in values)]
    if left:
        nowhere = (
            f"Read and decide it at a terminal: countersign approvals approve {inline(approval.id, limit=64)}"
        )
        blocks.append(
            rich(section(text(f"⚠️ {left:,} characters do not fit here. "), text(elsewhere or nowhere)))
        )
        if not elsewhere:
            return {**note("Review", ""), "blocks": blocks}
    if approval.lasting is not None and twins is not None:
        blocks += [divider(), *for_a_while.fields(approval.lasting, twins, ready=ready)]
    return modal("Review", blocks, callback_id=REVIEW_VIEW, submit="Approve", state=state)


def _warnings(approval: Approval, whole: WholeText) -> Iterator[Sequence[Element]]:
    """What the card warns of: who comes from the Home tab or from a card of several has not read that card."""
    for remark in oddities(f"{whole.text}\n{_parameters(whole)}"):
        yield [text(f"⚠️ {remark}")]
    if not approval.command.complete:
        why = f": {inline(approval.command.unread, limit=160)}" if approval.command.unread else ""
        yield [text(f"🟣 the gateway could not read all of it{why}")]


def _stops(subtree: Subtree) -> Iterator[Sequence[Element]]:
    agents, sessions = len(subtree.agents), len(subtree.sessions)
    yield [
        text("Its token and everything below it: "),
        bold(
            f"{number(agents, 'agent')}, {number(sessions, 'open session')}, {number(subtree.held, 'held command')}"
        ),
        text(" would be stopped."),
    ]
    if subtree.agents:
        more = f" and {agents - NAMED} more" if agents > NAMED else ""
        yield [quiet(", ".join(inline(name, limit=60) for name in subtree.agents[:NAMED]) + more)]


def number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def option(words: str, value: str) -> dict[str, Any]:
    return {"text": plain(words), "value": value}


def _reason() -> Block:
    return {
        "type": "input",
        "block_id": REASON_BLOCK,
        "optional": True,
        "label": plain("Reason"),
        "hint": plain("The agent and everybody who reads the record see it."),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON_INPUT,
            "multiline": True,
            "max_length": LONGEST_REASON,
        },
    }
