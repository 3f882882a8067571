"""What a statement does wherever it stands in it: calls of functions, assignments, files, locks."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.mysql.functions import MORE, NOT_CALLS
from gateway.facts.mysql.lexer import Token
from gateway.facts.mysql.reading import Reading
from gateway.facts.mysql.state import Variable
from gateway.model import Effect

_NAMING = """
INTO TABLE REFERENCES INDEX KEY AS VIEW USER DATABASE SCHEMA EXISTS UPDATE PROCEDURE FUNCTION TRIGGER EVENT SERVER
PARTITION CONSTRAINT COLUMN RECURSIVE WITH
"""
_BEFORE_NAMES = frozenset(_NAMING.split())
"""Words behind which a name names a table or the like, and a parenthesis lists its columns. Behind ON (of a join), FROM
(in TRIM, EXTRACT, SUBSTRING) and JOIN it is called.
"""
_INSERTING = frozenset({"INSERT", "REPLACE", "IGNORE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED"})
"""Of these words alone an INSERT's beginning is made whose table stands without INTO."""
_ASSIGNING = frozenset({"CALL", "LOAD", "GET"})
"""Statements after which a variable that they name may hold something else."""
_DEFINING = frozenset({"CREATE", "ALTER", "GRANT", "REVOKE"})


def effects_anywhere(reading: Reading, tokens: Sequence[Token]) -> None:
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else _NOTHING
        if following.is_mark("(") and token.kind in {"word", "name"} and _is_call(tokens, at):
            _call(reading, tokens, at)
        if token.is_mark(":="):
            reading.does(Effect.SESSION)
        if token.kind == "variable" and (following.is_mark(":=") or tokens[0].upper in _ASSIGNING):
            reading.state.forget(token.text)
            if tokens[0].upper == "GET":
                # The diagnostics of a statement quote the values that it read.
                reading.state.assign(token.text, Variable(sources=frozenset({"*"})))
        match token.upper:
            case "INTO" if following.upper in {"OUTFILE", "DUMPFILE"}:
                reading.does(Effect.EXFIL, Effect.WRITE)
            case "INTO" if following.kind == "variable":
                reading.does(Effect.SESSION)
                reading.state.forget(following.text)
            case "FOR" if following.upper in {"UPDATE", "SHARE"}:
                reading.does(Effect.SESSION)
            case "LOCK" if following.upper == "IN":
                reading.does(Effect.SESSION)
            case "NEXT" if following.upper == "VALUE":
                reading.calls("nextval")
            case "PREVIOUS" if following.upper == "VALUE":
                reading.calls("lastval")
            case "PROCEDURE" if at and tokens[0].upper in {"SELECT", "WITH"}:
                reading.doubt("a procedure works on the result")


_NOTHING = Token("mark", "")


def _call(reading: Reading, tokens: Sequence[Token], at: int) -> None:
    token = tokens[at]
    qualified = at > 0 and tokens[at - 1].is_mark(".")
    if token.kind == "name" or qualified:
        reading.doubt("a function's body cannot be seen")
        reading.touches("function", token.text, Effect.UNKNOWN)
        if not qualified and token.text.lower() in MORE:
            reading.calls(token.text)  # in quotes it is still the server's own
    elif token.text.lower() not in NOT_CALLS:
        reading.calls(token.text)


def _is_call(tokens: Sequence[Token], at: int) -> bool:
    """Whether what stands before a parenthesis is called, and does not just name a table with its columns."""
    start = at
    while start >= 2 and tokens[start - 1].is_mark(".") and tokens[start - 2].kind in {"word", "name"}:
        start -= 2
    if not start or tokens[start - 1].upper in _BEFORE_NAMES or tokens[start - 1].is_mark(")"):
        return False
    if tokens[0].upper in _DEFINING or all(each.upper in _INSERTING for each in tokens[:start]):
        return False
    return not (tokens[start - 1].is_mark(",") and tokens[0].upper == "WITH" and _is_cte(tokens, at))


def _is_cte(tokens: Sequence[Token], at: int) -> bool:
    """`, name (a, b) AS (`: the columns of a further WITH query, among which no parenthesis stands."""
    place = at + 2
    while place < len(tokens) and not tokens[place].is_mark("(", ")"):
        place += 1
    rest = tokens[place : place + 3]
    return len(rest) == 3 and rest[0].is_mark(")") and rest[1].upper == "AS" and rest[2].is_mark("(")
