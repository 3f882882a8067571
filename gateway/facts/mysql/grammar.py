"""The seam to the parser (sqlglot): tokens in, tree out, with what it does not know set aside or said in other words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.parser import logger

from gateway.facts.mysql.lexer import Token, written

logger.disabled = True
"""It would write each text that it does not know to stderr."""

DEEPEST = 120
"""Parentheses and CASEs that may stand inside one another: the parser recurses."""
LONGEST_RUN = 150
"""Operators that may follow one another without a comma or parenthesis between them, for the same reason."""
_MODIFIERS = frozenset({"IGNORE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK"})
_SELECT_MODIFIERS = frozenset({"HIGH_PRIORITY", "STRAIGHT_JOIN", "SQL_CACHE", "SQL_NO_CACHE"})
_INTO_ENDS = frozenset(
    {"FROM", "UNION", "EXCEPT", "INTERSECT", "FOR", "LOCK", "LIMIT", "WHERE", "ORDER", "GROUP"}
)
_BEHIND_NAME = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE"})


class NotParsed(Exception):
    """The parser does not know this."""


def parsed(tokens: Sequence[Token]) -> exp.Expr:
    """The tree of one statement; raises `NotParsed`."""
    plain = plainer(tokens)
    _refuse_deep(plain)
    try:
        found = sqlglot.parse(written(plain), dialect="mysql")
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        raise NotParsed from None
    if len(found) != 1 or found[0] is None or isinstance(found[0], exp.Command):
        raise NotParsed
    for name in found[0].find_all(exp.Identifier):
        # However it is spelt and quoted, it is the same name.
        name.set("this", str(name.this).lower())
        name.set("quoted", None)
    return found[0]


def _refuse_deep(tokens: Sequence[Token]) -> None:
    depth = run = 0
    for token in tokens:
        opens = token.is_mark("(") or token.upper == "CASE"
        depth += opens - (token.is_mark(")") or token.upper == "END")
        run = 0 if token.is_mark(",") else run + (token.kind == "mark" or token.upper in _OPERATORS)
        if depth > DEEPEST or (run > LONGEST_RUN and not _is_flat(tokens)):
            raise NotParsed


_OPERATORS = frozenset({"NOT", "AND", "OR", "XOR", "UNION", "BINARY", "IS", "LIKE", "DIV", "MOD", "WHEN"})


def _is_flat(tokens: Sequence[Token]) -> bool:
    """Long lists of alike conditions are everyday; long runs of operators that nest are not."""
    return len(tokens) < 4_000 and not any(
        one.upper == other.upper == "NOT"
        or (one.is_mark("-", "~", "!", "+") and other.is_mark("-", "~", "!", "+"))
        for one, other in pairwise(tokens)
    )


def plainer(tokens: Sequence[Token]) -> list[Token]:
    """Without what says how, not what, and with the servers' own spellings in the parser's."""
    plain: list[Token] = []
    at = 0
    grouped = [False]  # for each open parenthesis: whether GROUP BY was the last clause in it
    while at < len(tokens):
        token, following = tokens[at], _following(tokens, at)
        if (behind := _behind_unsaid(tokens, at, plain)) > at:
            at = behind
        elif grouped[-1] and token.upper in {"ASC", "DESC"}:
            at += 1
        elif (reworded := _reworded(tokens, at, plain)) is not None:
            words, at = reworded
            plain += words
        else:
            if token.is_mark("("):
                grouped.append(False)
            elif token.is_mark(")") and len(grouped) > 1:
                grouped.pop()
            elif token.upper in _CLAUSES:
                grouped[-1] = token.upper == "GROUP" and following.upper == "BY"
            plain.append(token)
            at += 1
    return plain


def _behind_unsaid(tokens: Sequence[Token], at: int, plain: Sequence[Token]) -> int:
    """What follows the words at `at` that only say how; `at` where there are none."""
    following = _following(tokens, at)
    before = plain[-1].upper if plain else ""
    match tokens[at].upper:
        case word if word in _MODIFIERS and before in {"INSERT", "REPLACE", "UPDATE", "DELETE"}:
            return at + 1
        case word if word in _SELECT_MODIFIERS and before in {"SELECT", "DISTINCT", "DISTINCTROW", "ALL"}:
            return at + 1
        case "INTO" if following.upper in {"OUTFILE", "DUMPFILE"} or following.kind == "variable":
            return _behind_into(tokens, at)
        case "LOCK" if following.upper == "IN":
            return at + 4
        case "FOR" if following.upper in {"UPDATE", "SHARE"}:
            return _behind_locking(tokens, at + 2)
        case "FOR" if following.upper == "PORTION":
            return _behind_portion(tokens, at)
        case "FROM" if [t.upper for t in tokens[at + 1 : at + 3]] == ["FIRST", "OVER"]:
            return at + 2
        case "PARTITION" if following.is_mark("(") and _behind_table(plain):
            return closing(tokens, at + 1) + 1
        case "LIMIT" if following.upper == "ROWS":
            return at + 4
        case "ROWS" if following.upper == "EXAMINED":
            return at + 3
    return at


def _reworded(tokens: Sequence[Token], at: int, plain: Sequence[Token]) -> tuple[list[Token], int] | None:
    """What the parser is told in place of the words at `at`, and what follows them; None where it knows them."""
    token, following = tokens[at], _following(tokens, at)
    match token.upper:
        case "MATCH" if following.is_mark("("):
            return [Token("word", "MATCHED")], at + 1
        case "AGAINST" if following.is_mark("("):
            # MATCH (a) AGAINST (b IN BOOLEAN MODE) is made of both, however it compares them.
            last = closing(tokens, at + 1)
            mode = outermost(tokens[at + 2 : last], "IN", "WITH")
            inner = tokens[at + 2 : last if mode is None else at + 2 + mode]
            return [Token("mark", "+"), Token("mark", "("), *plainer(inner), Token("mark", ")")], last + 1
        case "LAST_VALUE" if following.is_mark("("):
            return [Token("word", "NTH_VALUE")], at + 1
        case word if word in _NAMES_HERE and not following.is_mark("("):
            return [Token("name", token.text)], at + 1
        case "COLUMNS" if following.is_mark("(") and plain and plain[-1].kind == "string":
            # Of JSON_TABLE: its columns are made of what goes in, whatever they are called.
            return _COLUMNS, closing(tokens, at + 1) + 1
        case "VALUES" if len(plain) > 1 and plain[-1].is_mark("(") and plain[-2].upper == "AS":
            last = closing(tokens, at - 1)
            rows = [Token("word", "VALUES"), *plainer(tokens[at + 1 : last])]
            return [*_ROWS, *rows, Token("mark", ")"), Token("name", "v")], last
        case "NEXT" | "PREVIOUS" if [t.upper for t in tokens[at + 1 : at + 3]] == ["VALUE", "FOR"]:
            name, behind = _name(tokens, at + 3)
            return [Token("word", "NEXTVAL"), Token("mark", "("), *name, Token("mark", ")")], behind
        case _ if token.is_mark("{") and following.kind == "word":
            return [Token("mark", "(")], at + 2
        case _ if token.is_mark("}"):
            return [Token("mark", ")")], at + 1
    return None


_NAMES_HERE = frozenset(
    {
        "ANTI", "ANY", "ASOF", "CHARSET", "CONNECT_BY_ROOT", "FULL", "GLOB", "ILIKE", "ISNULL", "NOTNULL", "OVERLAPS",
        "PARTITIONED_BY", "QUALIFY", "ROLLBACK", "SEMI", "TABLESAMPLE", "UNCACHE",
    }
)  # fmt: skip
"""Words of other dialects that the parser takes for syntax, and these servers for names."""
_CLAUSES = frozenset({"SELECT", "GROUP", "ORDER", "HAVING", "LIMIT", "WINDOW", "UNION"})
_COLUMNS = [
    Token(kind, text)
    for kind, text in (
        ("word", "COLUMNS"),
        ("mark", "("),
        ("name", "c"),
        ("word", "INT"),
        ("word", "PATH"),
        ("string", "$"),
        ("mark", ")"),
    )
]
_ROWS = [Token("word", "SELECT"), Token("mark", "*"), Token("word", "FROM"), Token("mark", "(")]
_NOTHING = Token("mark", "")


def _following(tokens: Sequence[Token], at: int) -> Token:
    return tokens[at + 1] if at + 1 < len(tokens) else _NOTHING


def _behind_into(tokens: Sequence[Token], at: int) -> int:
    at += 1
    while at < len(tokens) and tokens[at].upper not in _INTO_ENDS and not tokens[at].is_mark(")"):
        at += 1
    return at


def _behind_locking(tokens: Sequence[Token], at: int) -> int:
    if at < len(tokens) and tokens[at].upper == "OF":
        _, at = _name(tokens, at + 1)
        while at < len(tokens) and tokens[at].is_mark(","):
            _, at = _name(tokens, at + 1)
    while at < len(tokens) and tokens[at].upper in {"NOWAIT", "SKIP", "LOCKED", "WAIT"}:
        at += 2 if tokens[at].upper == "WAIT" else 1
    return at


def _behind_portion(tokens: Sequence[Token], at: int) -> int:
    at += 1
    while at < len(tokens) and tokens[at].upper not in {"SET", "WHERE", "ORDER", "LIMIT"}:
        at += 1
    return at


def _name(tokens: Sequence[Token], at: int) -> tuple[list[Token], int]:
    """The dotted name at `at`, and what follows it."""
    start = at
    while at < len(tokens) and tokens[at].kind in {"word", "name"}:
        at += 1
        if at < len(tokens) and tokens[at].is_mark("."):
            at += 1
        else:
            break
    return list(tokens[start:at]), at


def _behind_table(plain: Sequence[Token]) -> bool:
    start = len(plain) - 1
    while start >= 2 and plain[start - 1].is_mark("."):
        start -= 2
    return start >= 1 and plain[start - 1].upper in _BEHIND_NAME


def closing(tokens: Sequence[Token], at: int) -> int:
    """Where the parenthesis closes that opens at `at`."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].is_mark("(") - tokens[place].is_mark(")")
        if depth == 0:
            return place
    return len(tokens) - 1


def split(tokens: Sequence[Token]) -> list[list[Token]]:
    """Cut at the commas outside of parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += token.is_mark("(") - token.is_mark(")")
        if depth == 0 and token.is_mark(","):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def outermost(tokens: Sequence[Token], *words: str) -> int | None:
    """Where one of `words` stands outside of parentheses."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += token.is_mark("(") - token.is_mark(")")
        if depth == 0 and token.upper in words:
            return at
    return None


def dotted(tokens: Sequence[Token]) -> str:
    """The name at the beginning."""
    return "".join(token.text for token in _name(tokens, 0)[0]).rstrip(".").lower()
