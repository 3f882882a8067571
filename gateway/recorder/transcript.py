"""The readable rendering of a recording: records in, `contract.Entry` out, page by page.

Which records make which entries is `fields.entries_of`. Answers are rendered by the protocol that made them, from
the masked bytes that were recorded. A reader goes on where its last page ended, so following a session costs what
is new in it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from gateway.contract import Entry, SessionView, Transcript
from gateway.recorder.chain import ORIGIN, ChainBroken, Record, TornTail, records
from gateway.recorder.fields import session_view
from gateway.recorder.read import find, summary
from gateway.recorder.visible import visible

ANSWER_BYTES = 256 * 1024
"""Bytes of one answer that are rendered."""
ENTRY_CHARACTERS = 20_000
"""Characters of one entry; what is longer is cut, with a word on how much."""
PAGE = 500
"""Entries of the largest page."""
PAGE_CHARACTERS = 1_000_000
"""A page ends early once its entries hold this many characters."""
UNENDED = "(it has not ended)"
"""Stands below what has come so far of a command."""
FOLLOWED = 256
"""Transcripts whose place is remembered between two pages."""

Render: TypeAlias = Callable[[bytes, bytes], str]
"""(answer, shape) -> readable text; see `gateway.protocols`."""


@dataclass(slots=True, kw_only=True)
class _Place:
    """Where a reader of one recording stands."""

    offset: int = 0
    head: str = ORIGIN
    record: int = 0
    at: float = 0.0
    """When the last record before was written."""
    entry: int = 0
    """Number of the last entry before; entries count from 1."""
    broken: bool = False
    """A record did not hold: nothing behind it can be believed."""
    answers: dict[str, bytes] = field(default_factory=dict)
    """Answers that are not yet complete, by command."""


class Transcripts:
    """Transcripts of the recordings below one directory."""

    def __init__(self, directory: Path, render: Callable[[str], Render], *, followed: int = FOLLOWED) -> None:
        """`render(protocol)` is the renderer of a protocol's answers; `followed` bounds the places remembered."""
        self.directory = directory
        self._render = render
        self._followed = followed
        self._places: OrderedDict[tuple[str, int], _Place] = OrderedDict()

    def page(
        self, session_id: str, *, after: int = 0, limit: int = 100, live: SessionView | None = None
    ) -> Transcript | None:
        """At most `limit` entries with numbers above `after`; None where there is no such recording.

        `next` is the `after` of the page that follows. `live` is the session as the gateway knows it while it is
        open. Blocks on the disk.
        """
        path = find(self.directory, session_id)
        view = live or (summary(path) if path is not None else None)
        if path is None or view is None:
            return None
        place = self._places.pop((session_id, after), None) or _Place()
        entries, everything = self._entries(
            path, view.protocol, place, after=after, limit=max(1, min(limit, PAGE))
        )
        following = max(after, place.entry)
        self._places[session_id, following] = place
        while len(self._places) > self._followed:
            self._places.popitem(last=False)
        if live is None:
            view = replace(view, entries=max(view.entries, following))
        running = tuple(_running(place, self._render(view.protocol))) if everything else ()
        return Transcript(session=view, entries=tuple(entries), next=following, running=running)

    def _entries(
        self, path: Path, protocol: str, place: _Place, *, after: int, limit: int
    ) -> tuple[list[Entry], bool]:
        """The page, and whether it goes up to the recording's end."""
        render = self._render(protocol)
        page: list[Entry] = []
        characters = 0
        for made in _read(path, place, render):
            wanted = [each for each in made if each.number > after]
            page += wanted
            characters += sum(len(each.text) for each in wanted)
            if len(page) >= limit or characters > PAGE_CHARACTERS:
                return page, False
        return page, True


def entries(path: Path, render: Callable[[str], Render]) -> Iterator[Entry]:
    """Every entry of a recording, numbered from 1, as far as its records hold. Raises `ChainBroken` where not.

    What came of commands that have not ended is at the end.
    """
    view = summary(path)
    if view is None:
        raise ChainBroken(0, "it is not an opening record")
    place = _Place()
    for made in _read(path, place, render(view.protocol), strict="strict"):
        yield from made
    yield from _running(place, render(view.protocol))


def _running(place: _Place, render: Render) -> Iterator[Entry]:
    """What has been recorded so far of answers that are not complete. Their entries come once they are."""
    fields = {"outcome": UNENDED, "failed": False, "masked": {}}
    for number, (command, answer) in enumerate(place.answers.items(), start=place.entry + 1):
        yield Entry(
            number=number,
            at=place.at,
            kind="answer",
            command_id=command,
            text=_answer(fields, answer, b"", render),
        )


def _read(path: Path, place: _Place, render: Render, *, strict: str = "") -> Iterator[list[Entry]]:
    """The entries of each further record; `place` moves along, and is right whenever the reader stops."""
    if place.broken:
        return
    with path.open("rb") as file:
        file.seek(place.offset)
        try:
            for record in records(file, head=place.head, number=place.record):
                made = [
                    Entry(number=number, at=record.at, **each)
                    for number, each in enumerate(_told(record, place.answers, render), start=place.entry + 1)
                ]
                place.offset, place.head, place.record = record.end, record.hash, record.number + 1
                place.at = record.at
                place.entry += len(made)
                if made:
                    yield made
        except TornTail:
            return  # a record that is being written now, or was never finished
        except ChainBroken as broken:
            if strict:
                raise
            place.broken = True
            place.entry += 1
            text = f"The recording does not hold from here on: {broken}"
            yield [Entry(number=place.entry, at=0.0, kind="notice", text=text)]


def _told(record: Record, answers: dict[str, bytes], render: Render) -> Iterator[dict[str, Any]]:
    """A record's entries, without their numbers and times."""
    fields = record.fields
    match record.kind:
        case "opened":
            yield {"kind": "notice", "text": _cut(visible(_opening(fields["session"])))}
        case "asked":
            common = {
                "command_id": fields["command"],
                "verdict": fields["verdict"],
                "rules": tuple(fields["rules"]),
            }
            yield {"kind": "command", "text": _cut(_command(fields)), **common}
            if fields["verdict"] == "block":
                yield {"kind": "decision", "text": _cut(f"Blocked: {visible(fields['message'])}"), **common}
        case "decided":
            yield {
                "kind": "decision",
                "command_id": fields["command"],
                "verdict": fields["state"],
                "text": _cut(_decision(fields)),
            }
        case "answer":
            known = answers.get(fields["command"], b"")
            answers[fields["command"]] = known + record.payload[: max(0, ANSWER_BYTES - len(known))]
        case "answered":
            known = answers.pop(fields["command"], b"")
            shape, rest = record.payload[: fields["shape"]], record.payload[fields["shape"] :]
            answer = known + rest[: max(0, ANSWER_BYTES - len(known))]
            yield {
                "kind": "answer",
                "command_id": fields["command"],
                "text": _answer(fields, answer, shape, render),
            }
        case "closed":
            yield {"kind": "end", "text": _cut(visible(f"Session ended: {fields['reason']}"))}
        case "sealed":
            return
        case _:
            yield {"kind": "notice", "text": _cut(visible(str(fields.get("text", record.kind))))}


def _opening(session: dict[str, Any]) -> str:
    view = session_view(session)
    who = " → ".join(
        [*([view.lineage.person] if view.lineage.person else []), *(each.name for each in view.lineage.chain)]
    )
    return f"Session {view.id} on {view.connection} ({view.protocol}), from {view.client or 'an unknown address'}: {who}"


def _command(fields: Any) -> str:
    lines = [visible(fields["text"])]
    if fields["parameters"]:
        shown = (
            f"${number} = NULL" if value is None else f"${number} = {visible(value)!r}"
            for number, value in enumerate(fields["parameters"], start=1)
        )
        lines.append(f"-- {', '.join(shown)}")
    if shadow := fields.get("shadow"):
        lines.append(f"-- shadow: {', '.join(map(visible, shadow))} would have decided as well")
    return "\n".join(lines)


def _decision(fields: Any) -> str:
    state = fields["state"]
    votes = ", ".join(
        f"{vote['person']} {vote['choice']}" + (f" ({vote['reason']})" if vote.get("reason") else "")
        for vote in fields["votes"]
    )
    # A denial's reason is that of the vote which denied.
    told = any(vote.get("reason") == fields["reason"] for vote in fields["votes"])
    parts = [f"Approval {fields['approval']}: {state}", votes, "" if told else fields["reason"]]
    return visible("; ".join(part for part in parts if part))


def _answer(fields: Any, answer: bytes, shape: bytes, render: Render) -> str:
    try:
        text = render(answer, shape) if answer else ""
    except Exception as error:  # noqa: BLE001 - the boundary to renderers of bytes that a target chose
        text = f"({len(answer)} bytes that could not be rendered: {type(error).__name__})"
    lines = [_cut(visible(text.rstrip("\n")))] if text.strip() else []
    if fields.get("withheld"):
        shown = ", ".join(map(visible, fields.get("revealed", ())))
        named = f": {shown}" if shown else ""
        lines.append(
            f"(shown unmasked under an elevation{named}; not recorded: {fields.get('cut', 0)} bytes)"
        )
    elif fields.get("cut"):
        lines.append(f"({fields['cut']} further bytes were not recorded)")
    outcome = visible(fields["outcome"])
    if fields["failed"]:
        lines.append(f"failed: {outcome}")
    elif not text.rstrip("\n").endswith(f"\n{outcome}") and text.strip() != outcome:
        lines.append(outcome)  # where the answer does not end in saying so itself
    if fields["masked"]:
        lines.append(
            "masked: " + ", ".join(f"{count} × {visible(name)}" for name, count in fields["masked"].items())
        )
    return "\n".join(lines)


def _cut(text: str) -> str:
    if len(text) <= ENTRY_CHARACTERS:
        return text
    head, tail = text[: ENTRY_CHARACTERS * 3 // 4], text[-ENTRY_CHARACTERS // 4 :]
    return f"{head}\n… {len(text) - len(head) - len(tail)} characters left out …\n{tail}"
