"""MySQL's and MariaDB's tokens, for what statements of one shape have in common.

What a text means hangs on the server and on `sql_mode`, so two texts are alike only where they are in every reading. A
number never stands for a string: `email = 0` is true of most texts. Of a placeholder nobody knows which of them it will be.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from gateway.facts import likewise
from gateway.facts.likewise import LONGEST, Alike, Piece
from gateway.facts.mysql.lexer import LexUnclear, Modes, Token, tokens, written
from gateway.facts.mysql.servers import EXECUTABLE, Server, versions
from gateway.model import Facts, Shape

_MODES = [
    Modes(ansi_quotes=ansi, no_backslash_escapes=plain, pipes_as_concat=False)
    for ansi, plain in itertools.product((False, True), repeat=2)
]
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""Not `0x41` and `x'41'`, which are now numbers and now strings."""


def shape(text: str, facts: Facts) -> Shape | None:
    """What the text has in common with those that differ in free values alone; None where that cannot be told."""
    if len(text) > LONGEST or "\0" in text or EXECUTABLE.search(text):
        return None
    try:
        readings = [
            _likeness(tokens(text, version, modes))
            for version in versions(text, tuple(Server))
            for modes in _MODES
        ]
    except LexUnclear:
        return None
    told = [reading for reading in readings if reading is not None]
    return likewise.shape(told, facts) if len(told) == len(readings) else None


def _likeness(found: Sequence[Token]) -> Alike | None:
    if any(token.is_mark("?") for token in found):
        return None
    return likewise.alike(_pieces(found))


def _pieces(found: Sequence[Token]) -> Iterator[Piece]:
    for token in found:
        shown = written([token])
        match token.kind:
            case "string" if token.quote != "N'":
                yield Piece(word=shown, shown=shown, value="text", other="'another'")
            case "string":
                yield Piece(word=f"N{shown}", shown=f"N{shown}")
            case "number" if _NUMBER.fullmatch(token.text):
                yield Piece(word=token.text, shown=shown, value="number", other="42", signed=True)
            case "hint":
                yield Piece(word=f"/*+{token.text}*/", shown=f"/*+{token.text}*/")
            case "word":
                yield Piece(word=token.upper, shown=shown, callable=True)
            case "name":
                yield Piece(word=shown, shown=shown, callable=True)
            case _:
                yield Piece(word=token.text, shown=shown)
