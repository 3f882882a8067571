"""`/elevate`: a person asks for more for an agent they answer for, sees what is granted, ends it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot import refusals
from bot.blocks import Block, Element, bold, code, date, lines, rich, section, text
from bot.card_ids import ELEVATE
from bot.desk import SAID, Click, Desk, Trouble, lazily, only_ack
from bot.safe_text import inline
from gateway.contract import ElevationRequest, RevokeRequest

HELP: Sequence[tuple[str, str]] = (
    ("AGENT CONNECTION EFFECTS TIME REASON", 'ask: fixer shop write 30m "order 7 is stuck"'),
    ("list", "what is granted now"),
    ("end GRANT REASON", "end it now; what runs under it stops"),
)
LISTED = 15
LONGEST = 1_000
_TIME = re.compile(r"(\d{1,6})(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600}
_QUOTES = str.maketrans("“”„«»‘’", '"""""\'\'')
"""Slack's clients turn straight quotes into these while one types."""


class Unclear(Exception):
    """What was typed is no request; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A request as one line says it."""

    agent: str
    connection: str
    effects: tuple[str, ...]
    seconds: float
    reason: str


def register(app: AsyncApp, desk: Desk) -> None:
    app.command(ELEVATE)(ack=only_ack, lazy=[lazily(desk, elevate)])


def read_typed(words: Sequence[str]) -> Typed:
    """Raises Unclear."""
    if len(words) < 5:
        raise Unclear("Say for which agent, on which connection, which effects, how long, and why.")
    agent, connection, effects, lasting, *reason = words
    match = _TIME.fullmatch(lasting)
    if match is None:
        raise Unclear(f"{inline(lasting, limit=40)} is no time: write 90s, 30m or 2h.")
    return Typed(
        agent=agent,
        connection=connection,
        effects=tuple(filter(None, effects.lower().split(","))),
        seconds=float(int(match[1]) * _SECONDS[match[2]]),
        reason=" ".join(reason),
    )


async def elevate(desk: Desk, click: Click) -> None:
    """One line in, an answer that only this person sees."""
    typed = str(click.body.get("text") or "").strip()[:LONGEST].translate(_QUOTES)
    try:
        words = shlex.split(typed)
    except ValueError:
        words = typed.split()
    try:
        match words:
            case [] | ["help"]:
                blocks = _help()
            case ["list"]:
                blocks = await _list(desk, click)
            case ["end", grant, *reason]:
                blocks = await _end(desk, click, grant, " ".join(reason))
            case _:
                blocks = await _ask(desk, click, read_typed(words))
    except Unclear as unclear:
        blocks = [rich(section(text(str(unclear)))), *_help()]
    except Trouble as trouble:
        blocks = [rich(section(text(refusals.sentence(trouble))))]
    await AsyncWebhookClient(click.response_url).send(text=SAID, blocks=blocks, response_type="ephemeral")


def _help() -> list[Block]:
    rows: list[list[Element]] = [[code(f"{ELEVATE} {verb}"), text(f"  {what}")] for verb, what in HELP]
    return [rich(lines(rows))]


async def _ask(desk: Desk, click: Click, typed: Typed) -> list[Block]:
    member = await desk.member(click)
    approval = await desk.gateway.elevate(
        ElevationRequest(
            connection=typed.connection,
            effects=typed.effects,
            seconds=typed.seconds,
            reason=typed.reason,
            person=member.person,
            agent=typed.agent,
        )
    )
    asked = " and ".join(f"{ask.quorum} of {inline(ask.approvers, limit=40)}" for ask in approval.asks)
    return [
        rich(
            lines(
                [
                    [text("Asked: approval "), code(inline(approval.id, limit=64)), text(f", of {asked}.")],
                    [text("You will hear what becomes of it.")],
                ]
            )
        )
    ]


async def _list(desk: Desk, click: Click) -> list[Block]:
    await desk.member(click)
    grants = await desk.gateway.grants()
    if not grants:
        return [rich(section(text("Nothing is elevated now.")))]
    rows: list[list[Element]] = [
        [
            code(inline(grant.id, limit=64)),
            text("  "),
            bold(inline(grant.agent, limit=60)),
            text(
                f" may {inline(', '.join(grant.effects), limit=100)} on {inline(grant.connection, limit=60)} until "
            ),
            date(grant.ends_at),
            text(f" · {grant.used:,} of {grant.commands:,} commands · {inline(grant.asked_by, limit=60)}"),
        ]
        for grant in grants[:LISTED]
    ]
    if len(grants) > LISTED:
        rows.append([text(f"and {len(grants) - LISTED:,} more")])
    return [rich(lines(rows))]


async def _end(desk: Desk, click: Click, grant_id: str, reason: str) -> list[Block]:
    member = await desk.member(click)
    wish = RevokeRequest(person=member.person, reason=reason, groups=tuple(await desk.people.vouched(member)))
    grant = await desk.gateway.end_grant(grant_id, wish)
    return [
        rich(
            section(
                text(
                    f"Ended: {inline(grant.agent, limit=60)} asks again on {inline(grant.connection, limit=60)}."
                )
            )
        )
    ]
