"""Statements that have rows as their subject: from tokens to the parser, and from its tree to what they do."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from gateway.facts.mysql.changes import assigned, change
from gateway.facts.mysql.grammar import NotParsed, closing, dotted, outermost, parsed
from gateway.facts.mysql.lexer import Token
from gateway.facts.mysql.queries import EXPRESSIONS, query
from gateway.facts.mysql.reading import Reading
from gateway.facts.mysql.sources import Scope
from gateway.facts.mysql.state import Variable
from gateway.model import Effect

DML = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE"})
QUERIES = frozenset({"SELECT", "WITH", "TABLE", "VALUES"})
_MODIFIERS = frozenset({"IGNORE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED"})
_BEHIND_ROWS = ("ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "INTO", "FOR")
_NOT_PARSED = "the statement cannot be parsed"


def is_query(tokens: Sequence[Token]) -> bool:
    """Whether a query stands behind the parentheses at the beginning."""
    first = next((token for token in tokens if not token.is_mark("(")), None)
    return first is not None and tokens[0].is_mark("(") and first.upper in QUERIES


def query_of(reading: Reading, tokens: Sequence[Token]) -> None:
    if tokens[_verb_at(tokens)].upper in DML:
        change_of(reading, tokens)
        return
    if tokens[0].upper == "TABLE":
        tokens = [*keywords("SELECT * FROM"), *tokens[1:]]
    reading.does(Effect.READ)
    node = parsed_or_doubted(reading, tokens)
    if node is None:
        return
    outputs = query(reading, node, Scope())
    into = _variables(tokens)
    for at, name in enumerate(into):
        plain = not any(output.name == "*" for output in outputs) and at < len(outputs)
        made_of = outputs[at : at + 1] if plain else outputs
        sources = frozenset(source for output in made_of for source in output.sources)
        reading.state.assign(name, Variable(sources=sources))
    reading.outputs = outputs if outputs and not into else None


def _variables(tokens: Sequence[Token]) -> list[str]:
    at = next(
        (
            at
            for at, token in enumerate(tokens[:-1])
            if token.upper == "INTO" and tokens[at + 1].kind == "variable"
        ),
        None,
    )
    names: list[str] = []
    if at is not None:
        for token in tokens[at + 1 :]:
            if token.kind == "variable":
                names.append(token.text)
            elif not token.is_mark(","):
                break
    return names


def _verb_at(tokens: Sequence[Token]) -> int:
    """Where the statement begins behind its WITH clause."""
    if tokens[0].upper != "WITH":
        return 0
    at = 2 if tokens[1:2] and tokens[1].upper == "RECURSIVE" else 1
    while at < len(tokens):
        at += 1
        if at < len(tokens) and tokens[at].is_mark("("):
            at = closing(tokens, at) + 1
        if at + 1 >= len(tokens) or tokens[at].upper != "AS":
            return 0
        at = closing(tokens, at + 1) + 1
        if at >= len(tokens) or not tokens[at].is_mark(","):
            return at if at < len(tokens) else 0
        at += 1
    return 0


def parsed_or_doubted(reading: Reading, tokens: Sequence[Token]) -> exp.Expr | None:
    try:
        if tokens[0].upper == "VALUES":
            end = outermost(tokens, *_BEHIND_ROWS) or len(tokens)
            alias = [Token("mark", ")"), Token("name", "v")]
            tokens = [*keywords("SELECT * FROM ("), *tokens[:end], *alias, *tokens[end:]]
        return parsed(tokens)
    except NotParsed:
        reading.doubt(_NOT_PARSED)
        return None


def keywords(text: str) -> list[Token]:
    return [Token("mark" if word in {"*", "("} else "word", word) for word in text.split()]


def change_of(reading: Reading, tokens: Sequence[Token]) -> None:
    """The clauses that the parser does not know at the end, or does not know well, are read on their own."""
    reading.does(Effect.WRITE)
    at = _verb_at(tokens)
    verb = tokens[at].upper
    if verb == "REPLACE":
        tokens = [*tokens[:at], Token("word", "INSERT"), *tokens[at + 1 :]]
    if verb == "DELETE" and [token.upper for token in tokens[at + 1 : at + 2]] == ["HISTORY"]:
        _history(reading, tokens)
        return
    returning, duplicate = outermost(tokens, "RETURNING"), outermost(tokens, "DUPLICATE")
    end = len(tokens) if returning is None else returning
    conflict = duplicate - 1 if duplicate is not None and tokens[duplicate - 1].upper == "ON" else end
    target, assignments = _insert_set(tokens[at:conflict]) if verb in {"INSERT", "REPLACE"} else ((), ())
    scope = Scope()
    try:
        returned = parsed([*keywords("SELECT"), *tokens[end + 1 :]]).expressions if end < len(tokens) else []
        if target:
            update = parsed([*keywords("UPDATE"), *target, *keywords("SET"), *assignments])
            if not isinstance(update, exp.Update):
                raise NotParsed
            assigned(reading, update, scope)
        else:
            node = parsed(_plain_change(tokens[:conflict], at))
            reading.outputs = change(reading, node, scope, returned) or None
        if conflict < end:
            updates = [*keywords("UPDATE t SET"), *tokens[conflict + 4 : end]]
            name = _inserted(tokens[at:])
            inserted = Scope(relations=[reading.relation(name, "")])
            for each in parsed(updates).expressions:
                column = f"{name}.{each.this.name}".lower()
                reading.carries(column, EXPRESSIONS.gather(reading, each.expression, inserted))
    except NotParsed:
        reading.doubt(_NOT_PARSED)
        if verb in {"UPDATE", "DELETE"}:
            reading.both("sql.where_restricts", value=False)
            reading.does(Effect.DESTRUCTIVE)
    if end < len(tokens):
        reading.does(Effect.READ)


def _history(reading: Reading, tokens: Sequence[Token]) -> None:
    """MariaDB's DELETE HISTORY: what rows once were is lost."""
    reading.does(Effect.DESTRUCTIVE)
    at = outermost(tokens, "FROM")
    if at is not None:
        reading.touches("table", dotted(tokens[at + 1 :]), Effect.DESTRUCTIVE)


def _insert_set(tokens: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]]:
    """The table and the assignments of INSERT ... SET; nothing where it is written otherwise."""
    at = outermost(tokens, "SET", "VALUES", "VALUE", "SELECT", "WITH", "TABLE")
    if at is None or tokens[at].upper != "SET":
        return (), ()
    table = [token for token in tokens[1:at] if token.upper not in {*_MODIFIERS, "INTO"}]
    return table, tokens[at + 1 :]


def _inserted(tokens: Sequence[Token]) -> str:
    """The table that INSERT names."""
    at = next((at for at in range(1, len(tokens)) if tokens[at].upper not in {*_MODIFIERS, "INTO"}), 1)
    return dotted(tokens[at:])


def _plain_change(tokens: Sequence[Token], at: int) -> list[Token]:
    plain = list(tokens[:at])
    verb = tokens[at].upper
    value = outermost(tokens[at:], "VALUE", "VALUES", "SELECT", "WITH", "TABLE") if verb == "INSERT" else None
    if value is not None and tokens[at + value].upper != "VALUE":
        value = None
    for place, token in enumerate(tokens[at:]):
        before = plain[-1].upper if plain else ""
        if place == value:
            plain.append(Token("word", "VALUES"))
        elif token.upper in _MODIFIERS | {"QUICK"} and before in {*DML, *_MODIFIERS}:
            continue
        else:
            plain.append(token)
    if verb == "INSERT" and len(plain) > at + 1 and plain[at + 1].upper != "INTO":
        plain.insert(at + 1, Token("word", "INTO"))
    if verb == "DELETE":
        return _without_star(plain)
    alias = next(
        (place for place, token in enumerate(plain) if token.upper == "AS" and plain[place - 1].is_mark(")")),
        None,
    )
    if verb == "INSERT" and alias is not None and outermost(plain[at:], "SELECT", "WITH", "TABLE") is None:
        # `VALUES (...) AS new (a, b)` only names what ON DUPLICATE KEY UPDATE speaks of.
        return plain[:alias]
    return plain


def _without_star(tokens: Sequence[Token]) -> list[Token]:
    """`DELETE t.* FROM ...` is `DELETE t FROM ...`."""
    end = outermost(tokens, "WHERE") or len(tokens)
    starred = {at for at in range(1, end) if tokens[at].is_mark("*") and tokens[at - 1].is_mark(".")}
    return [token for at, token in enumerate(tokens) if at not in starred and at + 1 not in starred]
