"""What SQL statements that differ only in their values have in common.

A value is free in a query or a change of rows, where it is compared, stored or listed: behind an operator of comparison,
in the arithmetic behind one, in a list of IN or VALUES. Everywhere else a constant says what is done (an argument may be
a program, a key of JSON another field, a LIMIT how much), so it stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model import Facts, Shape

FREE = "\1"
LONGEST = 20_000
"""Characters of a text that has a shape: people let go only what they have read."""
STANDS_FOR_A_VALUE = "…"
_OVER_ROWS = frozenset({"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE", "VALUES", "WITH"})
_COMPARING = frozenset(
    "= < > <= >= <> != <=> ~ ~* !~ !~* LIKE ILIKE RLIKE REGEXP BETWEEN".split()  # noqa: SIM905
)
_SIGNS = frozenset({"+", "-"})
_ARITHMETIC = _SIGNS | {"*", "/", "%"}
_INSIDE_AN_OPERAND = _ARITHMETIC | {".", ")", "]"}
_CLAUSES = frozenset(
    """
    AND OR XOR WHERE SET ON USING WHEN THEN ELSE CASE END HAVING SELECT FROM VALUES RETURNING INTO JOIN UNION LIMIT OFFSET
    FETCH FIRST NEXT ORDER GROUP BY INTERVAL OVER WINDOW ROWS RANGE GROUPS TABLESAMPLE PARTITION FOR AS ESCAPE
    """.split()  # noqa: SIM905
)
"""Words behind which another expression begins."""
_NO_OPERAND = _COMPARING | _ARITHMETIC | _CLAUSES | {"", "(", "[", ",", ";"}
"""Behind these an operator has nothing on its left: `~ 5` is no comparison."""
_QUERY = frozenset({"SELECT", "WITH", "TABLE", "VALUES"})
_LISTING = frozenset({"VALUES", "VALUE"})
_LISTS = frozenset({"list", "in"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One token of a text."""

    word: str
    """The same for what is the same to the server: keywords and names without quotes in upper case."""
    shown: str
    value: str = ""
    """For a constant: what kind of value may stand in its place."""
    other: str = ""
    """Such a value, made up."""
    signed: bool = False
    """A sign before it is its own: of text it would make a number."""
    callable: bool = False
    """It may name a function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A text without its free values."""

    key: str
    shown: str
    other: str
    """The same with made-up values."""


def shape(readings: Iterable[Alike], facts: Facts) -> Shape | None:
    """Of a text that is read in so many ways, none of which may differ in more than values."""
    each = list(readings)
    if not each:
        return None
    attributes = (f"{name}={value}" for name, value in sorted(facts.attributes.items()))
    return Shape(
        key="\0\0".join([*(reading.key for reading in each), *attributes]),
        things=facts.resources,
        words=each[0].shown,
        passes=each[0].other,
        stops=f"{each[0].other}; SELECT 1",
    )


def alike(pieces: Iterable[Piece]) -> Alike:
    reader = _Reader()
    for piece in pieces:
        reader.take(piece)
    return Alike(key="\0".join(reader.out), shown=_joined(reader.shown), other=_joined(reader.others))


class _Reader:
    """Goes over the tokens once, and knows inside of what it is."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.shown: list[str] = []
        self.others: list[str] = []
        self._inside: list[str] = []
        """For each open parenthesis: `call`, `list` of VALUES, list of `IN`, or nothing of note."""
        self._calls = 0
        """How many of these are calls."""
        self._compared = [0]
        """In each open parenthesis, and outside of all: the comparisons since this expression began."""
        self._named = [False]
        """Likewise: whether something stands in it that is no constant. `1 = 2` compares nothing of a row."""
        self._before = ""
        self._names = False
        """The token before may name a function."""
        self._closed = ""
        """What the parenthesis was that closed last."""
        self._between = False
        self._over_rows = False
        """The statement is of the kind in which values are free."""
        self._begins = True

    def take(self, piece: Piece) -> None:
        word = piece.word
        if self._begins:
            self._over_rows, self._begins = word in _OVER_ROWS, False
        if word in {"(", "["}:
            self._inside.append("call" if word == "[" else self._opened())
            self._calls += self._inside[-1] == "call"
            self._compared.append(0)
            self._named.append(False)
        elif word in {")", "]"} and self._inside:
            self._closed = self._inside.pop()
            self._calls -= self._closed == "call"
            self._compared.pop()
            self._named.pop()
        if piece.value and self._is_free():
            self._put_free(piece)
        else:
            self._put(word, piece.shown, piece.shown)
        self._went_on(piece)
        self._before, self._names = word, piece.callable
        if word == "AND" and self._between:
            self._before, self._between, self._compared[-1] = "BETWEEN", False, 1

    def _went_on(self, piece: Piece) -> None:
        word = piece.word
        if word == ";":
            self._begins = True
        if word == "BETWEEN":
            self._between = True
        if word in _QUERY and self._inside and self._inside[-1] in _LISTS:
            self._inside[-1] = ""  # `IN (SELECT ...)` lists nothing
        if word in _COMPARING and self._before not in _NO_OPERAND:
            self._compared[-1] += 1 if self._named[-1] else 2
        elif word in _CLAUSES or not (
            piece.value or word in _INSIDE_AN_OPERAND or word in {"(", "["} or _is_name(word)
        ):
            self._compared[-1] = 0
            self._named[-1] = self._named[-1] and word not in _CLAUSES | {",", ";"}
        elif word in {")", "]"} or (not piece.value and _is_name(word)):
            self._named[-1] = True

    def _opened(self) -> str:
        if self._calls:
            return "call"
        if self._before == "IN":
            return "in"
        if self._before in _LISTING:
            return "list"
        if self._before == "," and self._closed == "list" and self.out[-2:-1] == [")"]:
            return "list"
        return "call" if self._names else ""

    def _is_free(self) -> bool:
        if not self._over_rows or self._calls:
            return False
        if self._inside and self._inside[-1] in _LISTS:
            begins = self.out[-2:-1] if self._before in _SIGNS else [self._before]
            return begins in (["("], [","])
        return self._compared[-1] == 1 and self._before in _COMPARING | _ARITHMETIC

    def _put(self, word: str, shown: str, other: str) -> None:
        self.out.append(word)
        self.shown.append(shown)
        self.others.append(other)

    def _put_free(self, piece: Piece) -> None:
        """A sign is the value's own. Lists of IN are as long as they like; a VALUES of other width is another statement."""
        if (
            piece.signed
            and self._before in _SIGNS
            and self.out[-2:-1]
            and self.out[-2] in _COMPARING | {"(", ","}
        ):
            self._drop()
        if self.out[-2:] == [FREE + piece.value, ","] and self._inside[-1:] == ["in"]:
            self._drop()
        else:
            self._put(FREE + piece.value, STANDS_FOR_A_VALUE, piece.other)

    def _drop(self) -> None:
        for each in (self.out, self.shown, self.others):
            del each[-1]


def _joined(words: Iterable[str]) -> str:
    """As a person would write it."""
    text, before = "", "("
    for word in words:
        text += word if before in {"(", "[", "."} or word in {")", "]", ",", ".", ";"} else f" {word}"
        before = word
    return text


def _is_name(word: str) -> bool:
    return word[:1].isalpha() or word[:1] in '_"`@' or not word.isascii()
