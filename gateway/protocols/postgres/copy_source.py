"""What a COPY TO STDOUT reads, as a query that only has to be described to tell its columns.

COPY announces how many columns it sends, and neither their names nor their types. `SELECT * FROM` the relation, or the
query that is copied, is prepared just before it, in the same transaction: what locks the relation for the one locks
it for the other. The relation's name and the query are cut out of the text as they are written there; what was cut
out must parse to what the COPY itself parsed to, or nothing is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.facts.postgres.tree import Node, Unreadable, parse, strings, words


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySource:
    """`query` is never executed."""

    query: bytes
    placed: bool
    """What stands in `query` stands at the same place in the text: positions in an error mean the same."""


def copied_out(text: str, place: int = 0) -> Node | None:
    """The fields of the `CopyStmt` that is statement number `place` of `text`, if it sends rows to the client."""
    try:
        statements = parse(text)
    except Unreadable:
        return None
    node = statements[place].get("CopyStmt") if place < len(statements) else None
    return None if node is None or node.get("is_from") or "filename" in node else node


def copy_source(text: str) -> CopySource | None:
    """The query for a text that is one COPY TO STDOUT; None for any other, and where it cannot be made out."""
    copy = copied_out(text)
    if copy is None:
        return None
    data = text.encode()
    tokens = words(text)
    while tokens and data[slice(*tokens[0])] == b";":
        tokens.pop(0)
    said = [data[start:end].lower() for start, end in tokens]
    if said[:1] != [b"copy"] or len(said) < 4:
        return None
    if "query" in copy:
        return _of_query(copy, data, tokens, said)
    first = 2 if said[1] == b"binary" else 1
    behind = next((at for at in range(first, len(said)) if said[at] in {b"(", b"to"}), first)
    if behind == first:
        return None
    relation = data[tokens[first][0] : tokens[behind - 1][1]]
    query = b"SELECT * FROM " + relation
    meant = _parsed(query).get("fromClause", [{}])[0].get("RangeVar", {})
    return CopySource(query=query, placed=False) if _name(meant) == _name(copy["relation"]) else None


def _of_query(copy: Node, data: bytes, tokens: list[tuple[int, int]], said: list[bytes]) -> CopySource | None:
    depth = 0
    for at in range(1, len(said)):
        depth += (said[at] == b"(") - (said[at] == b")")
        if depth == 0:
            break
    else:
        return None
    before, inner = data[: tokens[1][1]], data[tokens[1][1] : tokens[at][0]]
    query = bytes(byte if byte == 10 else 32 for byte in before) + inner
    try:
        same = parse(query.decode()) == [copy["query"]]
    except Unreadable:
        return None
    return CopySource(query=query, placed=True) if same else None


def _parsed(query: bytes) -> Node:
    try:
        statements = parse(query.decode())
    except Unreadable:
        return {}
    found: Node = statements[0].get("SelectStmt", {}) if len(statements) == 1 else {}
    return found


def _name(relation: Node) -> tuple[str, ...]:
    return tuple(relation.get(part, "") for part in ("catalogname", "schemaname", "relname"))


def listed(copy: Node) -> list[str]:
    """The column list of a COPY, as the server reads it."""
    return strings(copy.get("attlist"))
