"""SQL that stands in a block of PL/pgSQL, piece by piece, without following its control.

Only the pieces that read as SQL are given: what a block surely holds, never that it holds no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.facts.postgres.tree import Unreadable, constant, parse, scanned

_BEGINNING = """
    alter analyze call cluster comment copy create delete do drop execute explain grant import insert listen lock merge
    notify perform reassign refresh reindex reset revoke security select set truncate update vacuum values with
"""
_BEGINS = frozenset(_BEGINNING.split())
_PARTS = frozenset({";", "begin", "then", "else", "loop"})
_ASSIGNS = frozenset({":=", "="})
_COMPUTES = frozenset(
    {"assert", "case", "continue", "elsif", "exit", "if", "raise", "return", "when", "while"}
)
_PIECES = 500


def statements(body: str) -> Iterator[str]:
    """Every piece of `body` that is a statement, or an expression as `SELECT expression`."""
    try:
        words = scanned(body)
    except Unreadable:
        return
    for piece in _pieces(words)[:_PIECES]:
        found = next((sql for sql in _candidates(piece) if _parses(sql)), None)
        if found is not None:
            yield found


def is_static(body: str) -> bool:
    """Whether the block can be cut into words, and runs no SQL that it makes itself."""
    try:
        words = scanned(body)
    except Unreadable:
        return False
    return bool(words) and "execute" not in (word.lower() for word in words)


def _pieces(words: Sequence[str]) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    for word in words:
        if word.lower() in _PARTS:
            pieces.append([])
        else:
            pieces[-1].append(word)
    return [piece for piece in pieces if piece]


def _candidates(piece: Sequence[str]) -> Iterator[str]:
    """Ways in which a piece may read, the likeliest first."""
    begin = next((at for at, word in enumerate(piece) if word.lower() in _BEGINS), None)
    if begin is not None:
        words = _without_targets(piece[begin:])
        match words[0].lower():
            case "perform":
                yield "SELECT " + " ".join(words[1:])
            case "execute" if len(words) > 1:
                yield _executed(words[1])
            case _:
                yield " ".join(words)
    assigned = next((at for at, word in enumerate(piece) if word in _ASSIGNS), None)
    for at in (assigned, 0 if piece[0].lower() in _COMPUTES else None):
        if at is not None and at + 1 < len(piece):
            yield "SELECT " + " ".join(piece[at + 1 :])


def _executed(word: str) -> str:
    """The text of `EXECUTE 'text'`, "" where it is not written out."""
    try:
        nodes = parse("SELECT " + word)
    except Unreadable:
        return ""
    targets = nodes[0].get("SelectStmt", {}).get("targetList", [])
    return constant(targets[0].get("ResTarget", {}).get("val")) or "" if targets else ""


def _without_targets(words: Sequence[str]) -> list[str]:
    """`SELECT a INTO x, y FROM t` stores in variables: without that part."""
    kept: list[str] = []
    at = 0
    while at < len(words):
        if words[at].lower() == "into" and kept and kept[-1].lower() not in {"insert", "merge"}:
            at += 2 if at + 1 < len(words) and words[at + 1].lower() == "strict" else 1
            at += 1
            while at + 1 < len(words) and words[at] in {",", "."}:
                at += 2
            continue
        kept.append(words[at])
        at += 1
    return kept


def _parses(sql: str) -> bool:
    if not sql:
        return False
    try:
        return bool(parse(sql))
    except Unreadable:
        return False
