"""A recording as asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/), for players of terminal sessions.

What was asked stands behind a prompt with the verdict it got; answers come in the rhythm in which the client saw them.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from gateway.recorder.chain import ChainBroken, Record, TornTail, records
from gateway.recorder.fields import session_view
from gateway.recorder.visible import visible

Timed: TypeAlias = Callable[[bytes, bytes], Iterable[tuple[float, str, str]]]
"""An answer and its shape -> seconds since it was let through, `o` or `r` (a new size), and the text."""
COLUMNS, ROWS = 120, 40
"""Where no terminal had a size."""
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")


def cast(path: Path, timed: Callable[[str], Timed]) -> Iterator[str]:
    """The lines of the file. `timed(protocol)` reads answers. Raises `ChainBroken`."""
    with path.open("rb") as file:
        told = records(file)
        opened = next(told, None)
        if opened is None or opened.kind != "opened":
            raise ChainBroken(0, "it is not an opening record")
        view = session_view(opened.fields["session"])
        title = f"{view.id} on {view.connection}: {visible(str(view.lineage.chain[-1].name))}"
        events: list[tuple[float, str, str]] = []
        broken: ChainBroken | None = None
        try:
            events.extend(_all(told, timed(view.protocol)))
        except ChainBroken as error:
            broken = error
        events.sort(key=lambda event: event[0])
        sizes = (_SIZE.fullmatch(text) for _, kind, text in events if kind == "r")
        columns, rows = next((map(int, size.groups()) for size in sizes if size), (COLUMNS, ROWS))
        yield json.dumps(
            {"version": 2, "width": columns, "height": rows, "timestamp": int(opened.at), "title": title}
        )
        for seconds, kind, text in events:
            yield json.dumps([round(max(0.0, seconds - opened.at), 3), kind, text])
        if broken is not None:
            raise broken


def _all(told: Iterator[Record], read: Timed) -> Iterator[tuple[float, str, str]]:
    """Answers of commands that run beside one another come each whole, so times are not in order."""
    answers: dict[str, bytes] = {}
    released: dict[str, float] = {}
    with contextlib.suppress(TornTail):
        for record in told:
            yield from _events(record, answers, released, read)
    for command, answer in answers.items():  # the gateway did not live to see them end
        for seconds, kind, text in read(answer, b""):
            yield released.get(command, 0.0) + seconds, kind, text


def _events(
    record: Record, answers: dict[str, bytes], released: dict[str, float], read: Timed
) -> Iterator[tuple[float, str, str]]:
    fields: Any = record.fields
    match record.kind:
        case "asked":
            released[fields["command"]] = record.at
            yield record.at, "o", _line(f"{fields['verdict']}> {visible(fields['text'])}")
            if fields["verdict"] == "block":
                yield record.at, "o", _line(f"countersign: {visible(fields['message'])}")
        case "decided":
            released[fields["command"]] = record.at
            yield record.at, "o", _line(f"countersign: approval {fields['approval']}: {fields['state']}")
        case "answer":
            answers[fields["command"]] = answers.get(fields["command"], b"") + record.payload
        case "answered":
            shape, rest = record.payload[: fields["shape"]], record.payload[fields["shape"] :]
            began = released.pop(fields["command"], record.at)
            for seconds, kind, text in read(answers.pop(fields["command"], b"") + rest, shape):
                yield began + seconds, kind, text
            yield record.at, "o", _line(f"({visible(fields['outcome'])})")
        case "closed":
            yield record.at, "o", _line(f"countersign: {visible(fields['reason'])}")
        case _:
            return


def _line(text: str) -> str:
    return text.replace("\n", "\r\n") + "\r\n"
