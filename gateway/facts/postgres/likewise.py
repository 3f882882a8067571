"""What statements that differ only in their values have in common.

A value is free in a query or a change of rows, where it is compared, stored or listed: behind an operator of
comparison or arithmetic, LIKE or BETWEEN, in a list of IN or VALUES. Everywhere else a constant says what is done (an
argument may be a program, a key of JSON another field, a LIMIT how much), so it stays. libpg_query's own fingerprint
will not do: it takes `f(a, b)` for `f(b, a)`.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

_scanner: Any = import_module("postgast.scan")
_errors: Any = import_module("postgast.errors")

FREE = "\1"
LONGEST = 100_000
"""Characters of a text that has a shape."""
_OVER_ROWS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "WITH"})
_BEFORE_VALUES = frozenset(
    {
        "=",
        "<",
        ">",
        "<=",
        ">=",
        "<>",
        "!=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "||",
        "~",
        "~*",
        "!~",
        "!~*",
        "LIKE",
        "ILIKE",
        "BETWEEN",
    }
)
_CONSTANT = re.compile(r"[0-9]|[$.][0-9]|(?:[A-Za-z]|[Uu]&)?'")
_BEFORE_SIGNS = _BEFORE_VALUES | {"(", ","}
_QUOTES = frozenset("'\"$")
_LISTING = frozenset({"IN", "VALUES"})
_CALLABLE = frozenset({0, 1, 3})
"""Kinds of keywords that may name a function: none at all, unreserved, and type or function."""


def likeness(text: str) -> str:
    """The same for texts that differ in free values alone; "" where that cannot be told."""
    if len(text) > LONGEST or "\0" in text:
        return ""
    try:
        data = text.encode()
        tokens = _scanner.scan(text).tokens
    except (UnicodeEncodeError, _errors.PgQueryError):
        return ""
    reader = _Reader()
    for token in tokens:
        word = data[token.start : token.end].decode()
        if word[:2] not in {"--", "/*"}:
            reader.take(word, constant=_is_constant(word), names=token.keyword_kind in _CALLABLE)
    return "\0".join(reader.out)


def _is_constant(word: str) -> bool:
    """A number, a quoted string or a bound parameter; dollar-quoted text is what programs are written in."""
    return _CONSTANT.match(word) is not None


class _Reader:
    """Goes over the tokens once, and knows inside of what it is."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._inside: list[str] = []
        """For each open parenthesis: `call`, `list`, or nothing of note."""
        self._before = ""
        self._names = False
        """The token before may name a function."""
        self._closed = ""
        """What the parenthesis was that closed last."""
        self._between = False
        self._over_rows = False
        """The statement is of the kind in which values are free."""
        self._begins = True

    def take(self, word: str, *, constant: bool, names: bool) -> None:
        upper = word.upper() if word.isascii() else word
        if self._begins:
            self._over_rows, self._begins = upper in _OVER_ROWS, False
        if word == "(":
            self._inside.append(self._opened())
        elif word == ")":
            self._closed = self._inside.pop() if self._inside else ""
        if constant and self._is_free():
            self._put_free()
        else:
            self.out.append(upper if _QUOTES.isdisjoint(word) else word)
        if word == ";":
            self._begins = True
        if upper == "BETWEEN":
            self._between = True
        elif upper == "AND":
            self._before = "BETWEEN" if self._between else "AND"
            self._between, self._names = False, False
            return
        self._before, self._names = (
            upper,
            names and (word[0].isalpha() or word[0] in '_"' or not word.isascii()),
        )

    def _opened(self) -> str:
        if "call" in self._inside:
            return "call"
        if self._before in _LISTING:
            return "list"
        if self._before == "," and self._closed == "list" and self.out[-2:-1] == [")"]:
            return "list"
        return "call" if self._names else ""

    def _is_free(self) -> bool:
        if not self._over_rows or "call" in self._inside:
            return False
        listed = bool(self._inside) and self._inside[-1] == "list" and self._before in {"(", ","}
        return listed or self._before in _BEFORE_VALUES

    def _put_free(self) -> None:
        """A sign is the value's own. Lists of IN are as long as they like; a VALUES of other width is another statement."""
        if self.out[-1:] in (["-"], ["+"]) and self.out[-2:-1] and self.out[-2] in _BEFORE_SIGNS:
            del self.out[-1]
        in_list = self.out[-2:] == [FREE, ","] and self._listed_by_in()
        if in_list:
            del self.out[-1]
        else:
            self.out.append(FREE)

    def _listed_by_in(self) -> bool:
        at = len(self.out) - 1
        while at > 0 and self.out[at] in {FREE, ","}:
            at -= 1
        return self.out[at] == "(" and at > 0 and self.out[at - 1] == "IN"
