"""PREPARE, EXECUTE, EXECUTE IMMEDIATE, DEALLOCATE: what is prepared counts at once, and again where it runs."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.mysql.assigning import made_of, text_of
from gateway.facts.mysql.grammar import outermost, split
from gateway.facts.mysql.lexer import Token
from gateway.facts.mysql.reading import Reading
from gateway.model import Effect

EXECUTES = "a prepared statement is executed whose text stands elsewhere"


def prepare(reading: Reading, tokens: Sequence[Token]) -> None:
    """`PREPARE name FROM text`."""
    reading.does(Effect.SESSION)
    at = outermost(tokens, "FROM")
    if at is None or len(tokens) < 4:
        reading.doubt("the statement is not known here")
        return
    name = tokens[1].text
    text = _text(reading, tokens[at + 1 :])
    reading.one("sql.prepare", name.lower())
    reading.state.prepare(name, text)
    if text is not None:
        reading.absorb(reading.text(text))


def execute(reading: Reading, tokens: Sequence[Token]) -> None:
    """`EXECUTE name [USING ...]`, `EXECUTE IMMEDIATE text [USING ...]`."""
    reading.does(Effect.SESSION)
    using = outermost(tokens, "USING") or len(tokens)
    for value in split(tokens[using + 1 :]) if using < len(tokens) else ():
        reading.carries("", made_of(reading, value))  # to wherever its placeholder stands
    if len(tokens) > 1 and tokens[1].upper == "IMMEDIATE":
        _run(reading, _text(reading, tokens[2:using]))
        return
    name = tokens[1].text if len(tokens) > 1 else ""
    reading.one("sql.execute", name.lower())
    text = reading.state.prepared.get(name.lower())
    if text is None:
        reading.doubt(EXECUTES)
    else:
        _run(reading, text)


def deallocate(reading: Reading, tokens: Sequence[Token]) -> None:
    reading.does(Effect.SESSION)
    reading.state.prepare(tokens[-1].text, None)


def _run(reading: Reading, text: str | None) -> None:
    if text is not None:
        inner = reading.text(text)
        reading.absorb(inner)
        reading.outputs = inner.outputs


def _text(reading: Reading, tokens: Sequence[Token]) -> str | None:
    text = text_of(reading, tokens)
    if text is None:
        reading.does(Effect.EXEC)
        reading.doubt("the text that is prepared is made at run time")
    return text
