"""A session's transcript as messages: the root of its thread, batches of entries, and the summary. Pure.

Entries arrive masked. They stand as plain text inside rich text, with the names an auditor searches for in every
message, so that Slack's own search finds the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.blocks import Block, Element, Message, bold, code, date, lines, link, quiet, rich, section, text
from bot.cards import agent_of, tree
from bot.safe_text import escape, inline, literal, show
from gateway.contract import Entry, SessionView

_BLOCK = "countersign-session:"
"""How blocks say which session they tell of: a shortcut on a message is told no more than its blocks."""
ROOT = "countersign_session"
BATCH = "countersign_entries"

ENTRY = 1_500
"""Characters of an entry in a message; a longer one is sent as a file besides."""
BUDGET = 3_500
"""Characters of entries in a message."""
FLOOD = 400
"""More entries than this behind, and they are counted instead of queued."""

MARKS: Mapping[str, str] = {"block": "⛔ ", "hold": "⏳ ", "allow": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some entries as one message."""

    first: int
    last: int
    """The last entry that is dealt with: shown, or counted as left out."""
    text: str
    left_out: int = 0
    long: tuple[Entry, ...] = ()
    """Entries that the message cuts."""


def session_of(blocks: object) -> str:
    """The session that a message with these blocks tells of, or ""."""
    for block in blocks if isinstance(blocks, list) else ():
        name = str(block.get("block_id", "")) if isinstance(block, dict) else ""
        if name.startswith(_BLOCK):
            return name.removeprefix(_BLOCK)
    return ""


def _block_id(session: SessionView) -> str:
    return f"{_BLOCK}{session.id[:64]}"


def root(session: SessionView) -> Message:
    """The message at the top of a session's thread."""
    open_now = session.closed_at is None
    rows: list[Sequence[Element]] = [
        [
            text("● " if open_now else "○ "),
            bold("Session "),
            code(inline(session.id, limit=64)),
            *_state(session),
        ],
        [
            bold(agent_of(session.lineage)),
            text(f" for {inline(session.lineage.person or 'no person', limit=80)} on "),
            bold(inline(session.connection)),
            text(f" · {inline(session.protocol, limit=30)} · from {inline(session.client, limit=60)}"),
        ],
    ]
    if not open_now:
        rows += summary_rows(session)
    rows.append([text("Replay: "), *_replay(session)])
    return Message(
        text=f"Countersign: session {escape(session.id, limit=64)} of {escape(agent_of(session.lineage), limit=80)} "
        f"for {escape(session.lineage.person, limit=80)} on {escape(session.connection, limit=80)}.",
        blocks=(rich(lines(rows), literal(tree(session.lineage)), block_id=_block_id(session)),),
        event=ROOT,
        payload={"session": session.id},
    )


def _state(session: SessionView) -> list[Element]:
    if session.closed_at is None:
        return [text(" · since "), date(session.opened_at)]
    return [text(" · ended "), date(session.closed_at)]


def _replay(session: SessionView) -> list[Element]:
    """Where all of it is read: on the gateway's page where there is one, and at a terminal."""
    command = code(f"countersign replay {inline(session.id, limit=64)}")
    return [link(session.link, "open the transcript"), text(" or "), command] if session.link else [command]


def gather(session: SessionView, entries: Iterable[Entry], *, after: int) -> Batch | None:
    """As many entries as fit a message, and in a flood the number of those that are left out; None for none."""
    drawn: list[str] = []
    long: list[Entry] = []
    room = BUDGET
    first = last = after
    for entry in entries:
        lines_of_entry, cut = draw(entry)
        if drawn and len(lines_of_entry) > room:
            break
        drawn.append(lines_of_entry)
        room -= len(lines_of_entry) + 1
        first = first if first != after else entry.number
        last = entry.number
        if cut:
            long.append(entry)
    if not drawn:
        return None
    left_out = session.entries - last if session.entries - last > FLOOD else 0
    return Batch(
        first=first, last=last + left_out, text="\n".join(drawn), left_out=left_out, long=tuple(long)
    )


def draw(entry: Entry) -> tuple[str, bool]:
    """An entry as lines of text, and whether it was cut."""
    at = datetime.fromtimestamp(entry.at, UTC).strftime("%H:%M:%S")
    shown = show(entry.text, limit=ENTRY)
    rules = f" ({', '.join(inline(rule, limit=60) for rule in entry.rules[:5])})" if entry.rules else ""
    verdict = f" {inline(entry.verdict, limit=20)}{rules}" if entry.verdict else ""
    mark = MARKS.get(entry.verdict, "")
    heading = f"{mark}#{entry.number} {at} {inline(entry.kind, limit=20)}{verdict}"
    body = "\n".join(f"    {line}" for line in shown.text.split("\n")) if shown.text else ""
    return (f"{heading}\n{body}" if body else heading), bool(shown.omitted)


def batch_message(session: SessionView, batch: Batch, *, ends: bool) -> Message:
    """A batch as a reply in the session's thread; with `ends` the summary stands below it."""
    numbers = (
        f"entry {batch.first}" if batch.first == batch.last else f"entries {batch.first} to {batch.last}"
    )
    parts: list[Element] = [section(quiet(_names(session, numbers))), literal(batch.text)]
    if batch.left_out:
        parts.append(
            section(text(f"{batch.left_out:,} more entries are in the recording only: "), *_replay(session))
        )
    blocks: list[Block] = [rich(*parts, block_id=_block_id(session))]
    if ends:
        blocks.append(rich(lines(_end_rows(session))))
    return Message(
        text=f"Countersign: session {escape(session.id, limit=64)}, {numbers}.",
        blocks=tuple(blocks),
        event=BATCH,
        payload={"session": session.id, "first": batch.first, "last": batch.last, "end": int(ends)},
    )


def end_message(session: SessionView, *, last: int) -> Message:
    """The summary as a message of its own, when all entries were posted before the session ended."""
    rows = [[quiet(_names(session, "end"))], *_end_rows(session)]
    return Message(
        text=f"Countersign: session {escape(session.id, limit=64)} ended.",
        blocks=(rich(lines(rows), block_id=_block_id(session)),),
        event=BATCH,
        payload={"session": session.id, "first": last + 1, "last": last, "end": 1},
    )


def summary_rows(session: SessionView) -> list[Sequence[Element]]:
    """What happened in a session, in numbers."""
    masked = ", ".join(
        f"{number:,} {inline(kind, limit=30)}" for kind, number in sorted(session.masked.items())[:12]
    )
    seconds = max(0.0, (session.closed_at or session.opened_at) - session.opened_at)
    rows: list[Sequence[Element]] = [
        [
            text(
                f"{session.commands:,} command{'' if session.commands == 1 else 's'}, {session.held:,} held, {session.blocked:,} blocked, "
                f"in {duration(seconds)} · masked: {masked or 'nothing'}"
            )
        ]
    ]
    if session.close_reason:
        rows.append([text(f"Ended: {inline(session.close_reason, limit=200)}")])
    if session.head:
        rows.append([text("Recording's last hash: "), code(inline(session.head, limit=80))])
    return rows


def _end_rows(session: SessionView) -> list[Sequence[Element]]:
    title = [bold("End of session "), code(inline(session.id, limit=64))]
    return [title, *summary_rows(session), [text("Replay: "), *_replay(session)]]


def _names(session: SessionView, what: str) -> str:
    agent, person = agent_of(session.lineage), inline(session.lineage.person, limit=80)
    return f"{inline(session.id, limit=64)} · {agent} for {person} on {inline(session.connection, limit=80)} · {what}"


def duration(seconds: float) -> str:
    """`2 h 05 min`, `3 min 20 s`, `4.2 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def file_name(session: SessionView, entry: Entry) -> str:
    return f"{session.id[:64]}-entry-{entry.number}.txt"
