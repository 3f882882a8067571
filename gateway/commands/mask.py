"""`countersign mask`: what the policy's masks make of a text; a filter, a stream of rows, or one text explained."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

import orjson

from gateway.commands import mask_filter
from gateway.commands.mask_filter import CHUNK_READ
from gateway.commands.options import policy_option
from gateway.masking.detectors import DETECTORS
from gateway.masking.engine import CompiledMask, Masks
from gateway.masking.explaining import near_misses
from gateway.masking.scanner import Hit
from gateway.masking.stream import StreamMask
from gateway.policy.file import PolicyFileError, load

HELP = "Mask text as a policy's masks do."


class RowUnreadable(Exception):
    """A row that does not say what to mask."""


def options(parser: argparse.ArgumentParser) -> None:
    policy_option(parser)
    parser.add_argument(
        "--mask",
        action="append",
        default=[],
        metavar="NAME",
        help="a mask of the policy; may be repeated; default: all of them",
    )
    parser.add_argument("--jsonl", action="store_true", help="read rows from stdin, write one row for each")
    parser.add_argument(
        "--explain", metavar="TEXT", help="say what is found in TEXT, where, and what becomes of it"
    )
    parser.add_argument("--json", action="store_true", help="with --explain: print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """0: masked. 1: the policy is not in order, or a row was not. 2: not asked rightly."""
    from gateway.vocabulary import known

    try:
        policy = load(arguments.policy, known())
    except PolicyFileError as error:
        print(error, file=sys.stderr)
        return 1
    names = arguments.mask or list(policy.masks)
    if missing := [name for name in names if name not in policy.masks]:
        print(
            f"countersign: no mask {missing[0]!r} in {arguments.policy}; there are: {', '.join(policy.masks) or 'none'}",
            file=sys.stderr,
        )
        return 2
    mask = Masks(policy.masks, key=os.urandom(32)).mask(names)
    if arguments.explain is not None:
        print(_explained(mask, arguments.explain, as_json=arguments.json))
        return 0
    if arguments.jsonl:
        return _rows(mask)
    if arguments.json:
        print(
            "countersign: --json goes with --explain; for texts and their spans as JSON use --jsonl",
            file=sys.stderr,
        )
        return 2
    source = sys.stdin.buffer
    return mask_filter.run(mask, getattr(source, "raw", source), sys.stdout.buffer)


def _rows(mask: CompiledMask) -> int:
    out = sys.stdout.buffer
    failed = 0
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        answer, bad = mask_line(mask, line)
        failed |= bad
        try:
            out.write(answer)
            out.flush()
        except BrokenPipeError:
            return 1
    return failed


def mask_line(mask: CompiledMask, line: bytes) -> tuple[bytes, int]:
    """One row in, one row out, and whether it could not be read; nothing of an unreadable one is repeated."""
    identifier: Any = None
    try:
        try:
            row = json.loads(line)
        except ValueError:
            raise RowUnreadable("the row is not JSON") from None
        except RecursionError:
            raise RowUnreadable("the row is nested too deeply") from None
        if not isinstance(row, dict):
            raise RowUnreadable("the row is not a JSON object")
        identifier = row.get("id")
        text, hits = _masked(mask, _pieces(row))
    except RowUnreadable as error:
        return _dumped({"id": identifier, "error": str(error)}), 1
    spans = [{"start": start, "end": end, "type": name} for start, end, name in hits]
    return _dumped({"id": identifier, "text": text, "spans": spans}), 0


def _dumped(answer: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(answer) + b"\n"
    except TypeError:  # lone surrogates and wide integers: JSON can spell them, this writer cannot
        return json.dumps(answer).encode("ascii") + b"\n"


def _pieces(row: dict[str, Any]) -> list[str]:
    match row:
        case {"text": str(text)}:
            return [text]
        case {"chunks": list(chunks)} if all(isinstance(chunk, str) for chunk in chunks):
            return chunks
        case _:
            raise RowUnreadable('the row has neither "text" nor a list of strings "chunks"')


def _masked(mask: CompiledMask, pieces: Iterable[str]) -> tuple[str, list[Hit]]:
    """The masked text, and the hits in characters of the joined input."""
    stream = StreamMask(mask)
    whole: list[bytes] = []
    out: list[bytes] = []
    for piece in pieces:
        data = piece.encode("utf-8", "surrogatepass")
        whole.append(data)
        size = CHUNK_READ if mask.reads else len(data) or 1
        out += [stream.feed(data[at : at + size]) for at in range(0, len(data), size)]
    out.append(stream.close())
    return b"".join(out).decode("utf-8", "surrogatepass"), in_characters(b"".join(whole), stream.hits)


def in_characters(data: bytes, hits: Iterable[Hit]) -> list[Hit]:
    """Hits in bytes of UTF-8 as hits in characters of the text."""
    if data.isascii():
        return list(hits)
    found: list[Hit] = []
    seen = characters = 0
    for start, end, name in hits:
        begin = characters + len(data[seen:start].decode("utf-8", "surrogatepass"))
        characters = begin + len(data[start:end].decode("utf-8", "surrogatepass"))
        seen = end
        found.append((begin, characters, name))
    return found


def _explained(mask: CompiledMask, text: str, *, as_json: bool) -> str:
    """What is found and what becomes of it, and what was nearly found and why it was left alone."""
    data = text.encode("utf-8", "surrogatepass")
    hits = mask.find(data)
    masked = mask.cover(data, hits).decode("utf-8", "surrogatepass")
    found = [
        {
            "type": name,
            "start": start,
            "end": end,
            "value": text[start:end],
            "becomes": mask.stand_in(data, begin, finish, name).decode("utf-8", "surrogatepass"),
        }
        for (start, end, name), (begin, finish, _) in zip(in_characters(data, hits), hits, strict=True)
    ]
    asked = [DETECTORS[name] for name in mask.detectors if name in DETECTORS]
    left = [
        {"type": miss.detector, "start": start, "end": end, "value": text[start:end], "reason": miss.reason}
        for miss in near_misses(asked, data, hits)
        for start, end, _ in in_characters(data, [(miss.start, miss.end, miss.detector)])
    ]
    if as_json:
        return json.dumps(
            {"text": masked, "found": found, "left": left, "asked": list(mask.detectors)}, indent=2
        )
    lines = [_line(hit, f"->  {hit['becomes']}") for hit in found]
    return "\n".join(
        [
            *(lines or [f"nothing found by {', '.join(mask.detectors) or 'any detector: none is on'}"]),
            *(["", "left alone:"] if left else []),
            *(_line(miss, f": {miss['reason']}") for miss in left),
            "",
            masked,
        ]
    )


def _line(stretch: dict[str, Any], said: str) -> str:
    return f"{stretch['start']:>6}-{stretch['end']:<6} {stretch['type']:<16} {stretch['value']}  {said}"
