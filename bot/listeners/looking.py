"""`/sessions`, `/lineage`, `/whoami` and `/audit`: what the gateway lets this person see, seen by them alone."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackClientError

from bot import home, refusals
from bot.blocks import (
    CARD_LIMIT,
    Block,
    Element,
    actions,
    bold,
    button,
    code,
    date,
    lines,
    link,
    quiet,
    rich,
    section,
    size,
    text,
)
from bot.card_ids import AUDIT, LINEAGE, MORE, SESSIONS, WHOAMI
from bot.desk import Click, Desk, Trouble, lazily, only_ack
from bot.people import Unknown
from bot.safe_text import inline, literal
from bot.typed import typed_text
from gateway.contract import Hit, Whoami

LISTED = 10
ROWS = 60
"""Of a tree, where names are not so long that fewer fit."""
LONGEST = 250
"""Characters of a search: with where it goes on they fit into a button."""
KINDS: Mapping[str, str] = {
    "command": "asked",
    "answer": "answered",
    "decision": "decided",
    "notice": "noted",
}

Answer: TypeAlias = list[Block]
Look: TypeAlias = Callable[[Desk, Click, str], Awaitable[Answer]]


def register(app: AsyncApp, desk: Desk) -> None:
    for command in LOOKS:
        app.command(command)(ack=only_ack, lazy=[lazily(desk, look)])
    app.action(MORE)(ack=only_ack, lazy=[lazily(desk, more)])


async def look(desk: Desk, click: Click) -> None:
    """One line in, an answer that only this person sees."""
    command = str(click.body.get("command") or "")
    typed = typed_text(str(click.body.get("text") or ""))
    await _answer(desk, click, command, f" {typed}" if command == AUDIT else typed, replace=False)


async def more(desk: Desk, click: Click) -> None:
    """The next page in place of this one."""
    command, _, argument = str(click.action.get("value") or "").partition(" ")
    await _answer(desk, click, command, argument, replace=True)


async def _answer(desk: Desk, click: Click, command: str, argument: str, *, replace: bool) -> None:
    try:
        blocks = await LOOKS[command](desk, click, argument) if command in LOOKS else []
    except Trouble as trouble:
        blocks = [rich(section(text(refusals.sentence(trouble))))]
    await desk.answer(click, blocks, replace=replace)


async def sessions(desk: Desk, click: Click, argument: str) -> Answer:
    member = await desk.member(click)
    found = await desk.gateway.sessions_of(member.person, await desk.people.vouched(member))
    first = _number(argument)
    if not found[first:]:
        return [rich(section(text("No session that you may see is open.")))]
    rows: list[list[Element]] = [
        [*home.session_line(each), *([text("  "), link(each.link, "transcript")] if each.link else [])]
        for each in found[first : first + LISTED]
    ]
    return [rich(lines(rows)), *_on(SESSIONS, str(first + LISTED), len(found) > first + LISTED)]


async def lineage(desk: Desk, click: Click, argument: str) -> Answer:
    member = await desk.member(click)
    nodes = await desk.gateway.lineages_of(member.person, await desk.people.vouched(member))
    if not nodes:
        return [rich(section(text("No live agent is yours, or at work where you are asked.")))]
    rows = home.tree(nodes, time.time()).split("\n")
    first = _number(argument)
    page = rows[first : first + ROWS]
    while size([rich(literal("\n".join(page)))]) > CARD_LIMIT:
        page = page[: len(page) * 3 // 4]
    after = first + len(page)
    return [rich(literal("\n".join(page))), *_on(LINEAGE, str(after), len(rows) > after)]


async def whoami(desk: Desk, click: Click, _: str) -> Answer:
    """Who one is to the gateway, or why nobody."""
    try:
        member = await desk.member(click)
    except Unknown as nobody:
        return [rich(section(text(nobody.reason)))]
    seen = await desk.gateway.whoami(member.person, await desk.people.vouched(member))
    rows = _about(seen)
    linked = await desk.gateway.linked(click.user)
    if linked is not None:
        rows.append([text(f"Linked by a login at {inline(linked.provider, limit=40)}, "), date(linked.at)])
    return [rich(lines(rows))]


def _about(seen: Whoami) -> list[list[Element]]:
    groups = ", ".join(inline(group, limit=40) for group in seen.groups) or "none"
    asked = ", ".join(inline(each, limit=40) for each in seen.connections[:20]) or "nowhere"
    rows: list[list[Element]] = [
        [text("You are "), bold(inline(seen.person)), text(" to the gateway.")],
        [text(f"Your groups: {groups}")],
        [text(f"You may be asked on: {asked}")],
    ]
    if seen.operator:
        rows.append([text("You are an operator: you see everything, and may end any session.")])
    return rows


async def audit(desk: Desk, click: Click, argument: str) -> Answer:
    """`search WORDS`; `argument` begins with where the page before ended, which is nowhere for the first."""
    before, _, typed = argument.partition(" ")
    verb, _, words = typed.partition(" ")
    words = words.strip()
    if verb != "search" or not words or len(words) > LONGEST:
        return [
            rich(
                section(
                    code(f"{AUDIT} search WORDS"), text("  finds words in the transcripts that you may see")
                )
            )
        ]
    member = await desk.member(click)
    groups = await desk.people.vouched(member)
    found = await desk.gateway.search(words, member.person, groups, before=before, limit=LISTED)
    if not found.hits:
        return [rich(section(text("No transcript that you may see has these words.")))]
    threads = {each.session: await _thread(desk, each.session) for each in found.hits}
    rows = [row for hit in found.hits for row in _hit(hit, threads[hit.session])]
    return [rich(lines(rows)), *_on(AUDIT, f"{found.next} search {words}", bool(found.next))]


def _hit(hit: Hit, thread: str) -> list[list[Element]]:
    where = [link(thread, "thread"), text("  ")] if thread else []
    entry = (
        [link(hit.link, "transcript")]
        if hit.link
        else [code(f"countersign replay {inline(hit.session, limit=64)}")]
    )
    kind = KINDS.get(hit.kind, inline(hit.kind, limit=20))
    return [
        [
            date(hit.at),
            text(f" {inline(hit.agent, limit=60)} for {inline(hit.person, limit=60)} on "),
            bold(inline(hit.connection, limit=60)),
            quiet(f" {kind}  "),
            *where,
            *entry,
        ],
        # An excerpt to know the place by: its lines stand in one, as inline code has to.
        [code(inline(" ↵ ".join(hit.text.splitlines()), limit=200))],
    ]


async def _thread(desk: Desk, session_id: str) -> str:
    """Where a session's thread is in Slack, "" where there is none or Slack does not say."""
    note = await desk.gateway.note(f"thread:{session_id}")
    if note is None or not note.data.get("ts"):
        return ""
    try:
        answer = await desk.client.chat_getPermalink(
            channel=str(note.data["channel"]), message_ts=str(note.data["ts"])
        )
    except (SlackClientError, OSError, TimeoutError):
        return ""
    return str(answer.get("permalink") or "")


def _on(command: str, argument: str, more_there: bool) -> list[Block]:  # noqa: FBT001 - one of two answers
    if not more_there:
        return []
    return [actions(button("More", action_id=MORE, value=f"{command} {argument}"))]


def _number(argument: str) -> int:
    return min(int(argument), 1_000_000) if argument.isascii() and argument.isdigit() else 0


LOOKS: Mapping[str, Look] = {SESSIONS: sessions, LINEAGE: lineage, WHOAMI: whoami, AUDIT: audit}
