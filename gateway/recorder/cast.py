"""A recording as asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/), for players of terminal sessions.

What was asked stands behind a prompt with the verdict it got; answers come in the rhythm in which the client saw them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from gateway.recorder.chain import ChainBroken, Record, TornTail, records
from gateway.recorder.fields import session_view
from gateway.recorder.visible import visible

Timed: TypeAlias = Callable[[bytes, bytes], Iterable[tuple[float, str, str]]]
"""An answer and its shape -> seconds since it was let through, `o` or `r` (a new size), and the text."""
COLUMNS, ROWS = 120, 40


def cast(path: Path, timed: Callable[[str], Timed]) -> Iterator[str]:
    """The lines of the file. `timed(protocol)` reads answers. Raises `ChainBroken`."""
    answers: dict[str, bytes] = {}
    released: dict[str, float] = {}
    with path.open("rb") as file:
        told = records(file)
        opened = next(told, None)
        if opened is None or opened.kind != "opened":
            raise ChainBroken(0, "it is not an opening record")
        view = session_view(opened.fields["session"])
        title = f"{view.id} on {view.connection}: {visible(str(view.lineage.chain[-1].name))}"
        yield json.dumps(
            {"version": 2, "width": COLUMNS, "height": ROWS, "timestamp": int(opened.at), "title": title}
        )
        read = timed(view.protocol)
        try:
            for record in told:
                for seconds, kind, text in _events(record, answers, released, read):
                    yield json.dumps([round(max(0.0, seconds - opened.at), 3), kind, text])
        except TornTail:
            return


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
