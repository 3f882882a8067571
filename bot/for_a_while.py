"""A yes for a while: how it is chosen in a modal, and how cards say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks import Block, Element, bold, code, date, text
from bot.card_ids import (
    COUNT_BLOCK,
    COUNT_INPUT,
    LASTING_BLOCK,
    LASTING_INPUT,
    ROWS_BLOCK,
    ROWS_INPUT,
    WHILE_BLOCK,
    WHILE_INPUT,
)
from bot.safe_text import inline
from gateway.contract import Approval, LastingView, Reach, ShapeView, State, Twins, Vote

ONCE = "once"
SHAPE_SHOWN = 410
"""Characters of each of a shape's texts: the gateway cuts before, since `…` has a meaning in them."""
MINUTE = 60.0
TIMES = tuple(minutes * MINUTE for minutes in (5, 15, 30, 60, 120, 240, 480, 1_440))
COUNTS = (1, 5, 10, 20, 50, 100, 500, 1_000)
MOST_ROWS = 1_000_000_000
MODEST_TIME, MODEST_COUNT = "900", "10"
"""What stands there before anybody chooses."""

WORDS: Mapping[Reach, str] = {
    Reach.CALL: "exactly this again",
    Reach.SHAPE: "commands of this shape",
    Reach.AGENT: "all that these rules hold of this agent",
    Reach.SUBTREE: "the same, and of everything the agent starts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a modal's fields say; nothing chosen is this command, once."""

    reach: Reach | None = None
    seconds: float = 0.0
    commands: int = 0
    rows: int | None = None


ONLY_THIS = Chosen()


def lasts(seconds: float) -> str:
    """`45 s`, `30 min`, `1 h 30 min`"""
    if seconds < MINUTE or seconds % MINUTE:
        return f"{seconds:g} s"
    hours, minutes = divmod(int(seconds // MINUTE), 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))


def fields(offered: LastingView, twins: Twins, *, ready: bool) -> list[Block]:
    """How far, how long, how many; `ready` where the person came for more than the one command."""
    reaches = [_option("Only this command, once", ONCE)]
    reaches += [_option(_reach_words(reach, twins.held.get(reach, 0)), reach.value) for reach in offered.what]
    times = [_option(lasts(each), f"{each:g}") for each in _up_to(TIMES, offered.seconds)]
    counts = [_option(f"{each:,.0f}", f"{each:.0f}") for each in _up_to(COUNTS, offered.commands)]
    return [
        _input(WHILE_BLOCK, "Let go", "radio_buttons", WHILE_INPUT, reaches, reaches[1 if ready else 0]),
        _input(
            LASTING_BLOCK,
            "For a while: at most",
            "static_select",
            LASTING_INPUT,
            times,
            _usual(times, MODEST_TIME),
        ),
        _input(
            COUNT_BLOCK,
            "For a while: commands at most",
            "static_select",
            COUNT_INPUT,
            counts,
            _usual(counts, MODEST_COUNT),
        ),
        _rows_input(offered.rows),
    ]


def chosen(view: Mapping[str, Any]) -> Chosen:
    """What was chosen in a submitted modal."""
    values = (view.get("state") or {}).get("values") or {}

    rows = str(((values.get(ROWS_BLOCK) or {}).get(ROWS_INPUT) or {}).get("value") or "")

    def picked(block: str, action: str) -> str:
        field = (values.get(block) or {}).get(action) or {}
        return str((field.get("selected_option") or {}).get("value") or "")

    reach = picked(WHILE_BLOCK, WHILE_INPUT)
    if reach not in set(Reach):
        return ONLY_THIS
    return Chosen(
        reach=Reach(reach),
        seconds=float(picked(LASTING_BLOCK, LASTING_INPUT)),
        commands=int(picked(COUNT_BLOCK, COUNT_INPUT)),
        rows=int(rows) if rows.isdecimal() else None,
    )


def rows(approval: Approval, twins: Twins) -> Iterator[Sequence[Element]]:
    """What a card says of it: what a yes may be and how many that would release, or what the yeses have made."""
    if approval.state is State.PENDING and approval.lasting is not None:
        may = "; ".join(
            _with_twins(WORDS[reach], twins.held.get(reach, 0)) for reach in approval.lasting.what
        )
        budget = _budget(approval.lasting.commands, approval.lasting.rows)
        upto = f"up to {lasts(approval.lasting.seconds)} and {budget}"
        yield [bold("A yes may be for a while  "), text(f"{upto}: {may}")]
        if Reach.SHAPE in approval.lasting.what and approval.command.alike is not None:
            yield from _of_the_shape(approval.command.alike)
    elif approval.grant == approval.id and approval.settled_at is not None:
        yes = [vote for vote in approval.votes if vote.reach is not None]
        reach = min((vote.reach for vote in yes if vote.reach), key=tuple(Reach).index)
        rows = min((vote.rows for vote in yes if vote.rows is not None), default=None)
        yield [
            bold("For a while  "),
            text(f"{WORDS[reach]}, at most {_budget(min(vote.commands for vote in yes), rows)}, until "),
            date(approval.settled_at + min(vote.seconds for vote in yes)),
        ]
        yield [text(f"It ends sooner with /elevate end {inline(approval.grant, limit=64)}")]


def _of_the_shape(alike: ShapeView) -> Iterator[Sequence[Element]]:
    """What the shape covers; its texts are the agent's own words."""
    if not alike.passes:
        yield [bold("Its shape  "), text("only this, however it is spaced and quoted")]
        return
    yield [bold("Its shape  "), code(_shown(alike.words))]
    yield [text("it lets go, for example, "), code(_shown(alike.passes))]
    yield [text("and never "), code(_shown(alike.stops))]


def _shown(words: str) -> str:
    return inline(words, limit=SHAPE_SHOWN)


def of_vote(vote: Vote) -> str:
    """How far one vote reaches, as its line on a card says it."""
    if vote.reach is None:
        return ""
    return f" for a while ({vote.reach}, {lasts(vote.seconds)}, {_budget(vote.commands, vote.rows)})"


def _budget(commands: int, most_rows: int | None) -> str:
    said = f"{commands:,} commands"
    return said if most_rows is None else f"{said} and {most_rows:,} rows"


def _reach_words(reach: Reach, held: int) -> str:
    return _with_twins(WORDS[reach][0].upper() + WORDS[reach][1:], held)


def _with_twins(words: str, held: int) -> str:
    return f"{words} · {held:,} more held now" if held else words


def _up_to(usual: Sequence[float], most: float) -> list[float]:
    return [*(each for each in usual if each < most), most]


def _usual(options: Sequence[dict[str, Any]], value: str) -> dict[str, Any]:
    """The option of that value, or else the most there is."""
    return next((each for each in options if each["value"] == value), options[-1])


def _option(words: str, value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": words, "emoji": False}, "value": value}


def _rows_input(most: int | None) -> Block:
    """Left empty it is what is offered."""
    hint = f"At most {most:,}." if most is not None else "That come back or are changed; empty for no limit."
    return {
        "type": "input",
        "block_id": ROWS_BLOCK,
        "label": {"type": "plain_text", "text": "For a while: rows at most", "emoji": False},
        "optional": True,
        "hint": {"type": "plain_text", "text": hint, "emoji": False},
        "element": {
            "type": "number_input",
            "action_id": ROWS_INPUT,
            "is_decimal_allowed": False,
            "min_value": "1",
            "max_value": f"{most or MOST_ROWS}",
        },
    }


def _input(
    block_id: str,
    label: str,
    kind: str,
    action_id: str,
    options: Sequence[dict[str, Any]],
    initial: dict[str, Any],
) -> Block:
    return {
        "type": "input",
        "block_id": block_id,
        "label": {"type": "plain_text", "text": label, "emoji": False},
        "element": {
            "type": kind,
            "action_id": action_id,
            "options": list(options),
            "initial_option": initial,
        },
    }
