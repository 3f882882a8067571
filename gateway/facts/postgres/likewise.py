"""PostgreSQL's tokens, for what statements of one shape have in common.

libpg_query's own fingerprint will not do: it takes `f(a, b)` for `f(b, a)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from gateway.facts import likewise
from gateway.facts.likewise import LONGEST, Alike, Piece
from gateway.model import Facts, Shape

_scanner: Any = import_module("postgast.scan")
_errors: Any = import_module("postgast.errors")

_CONSTANT = re.compile(r"[0-9]|[$.][0-9]|(?:[A-Za-z]|[Uu]&)?'")
"""A number, a quoted string or a bound parameter; dollar-quoted text is what programs are written in."""
_DIGITS = frozenset("0123456789.")
_QUOTES = frozenset("'\"$")
_CALLABLE = frozenset({0, 1, 3})
"""Kinds of keywords that may name a function: none at all, unreserved, and type or function."""


def shape(text: str, facts: Facts, parameters: Sequence[str | None] = ()) -> Shape | None:
    """What the text has in common with those that differ in free values alone; None where that cannot be told."""
    found = likeness(text, parameters)
    return likewise.shape([found], facts) if found is not None else None


def likeness(text: str, parameters: Sequence[str | None] = ()) -> Alike | None:
    """A bound parameter that is not free stays with its value, and so does NULL."""
    if len(text) > LONGEST or "\0" in text:
        return None
    try:
        data = text.encode()
        tokens = _scanner.scan(text).tokens
    except (UnicodeEncodeError, _errors.PgQueryError):
        return None
    return likewise.alike(_pieces(data, tokens, parameters))


def _pieces(data: bytes, tokens: Any, parameters: Sequence[str | None]) -> Iterator[Piece]:
    bound = {f"${number}": value for number, value in enumerate(parameters, 1)}
    for token in tokens:
        word = data[token.start : token.end].decode()
        if word[:2] in {"--", "/*"}:
            continue
        if word in bound:
            yield _parameter(word, bound[word])
            continue
        constant = _CONSTANT.match(word) is not None
        yield Piece(
            word=word.upper() if word.isascii() and _QUOTES.isdisjoint(word) else word,
            shown=word,
            value="value" if constant else "",
            other="'another'" if word.endswith("'") else "42",
            signed=word[:1] in _DIGITS,
            callable=token.keyword_kind in _CALLABLE
            and (word[0].isalpha() or word[0] in '_"' or not word.isascii()),
        )


def _parameter(word: str, value: str | None) -> Piece:
    return Piece(word=f"{word}={value!r}", shown=word, value="" if value is None else "value", other=word)
