"""Programs in a statement: bodies of procedures, triggers and events, and blocks that run at once.

Only their statements are looked for; what stands around them (BEGIN, IF ... THEN, WHILE ... DO, handlers, labels) says
when they run, and counts as if they did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from gateway.facts.mysql.definitions import kind_at
from gateway.facts.mysql.grammar import outermost
from gateway.facts.mysql.lexer import Token
from gateway.facts.mysql.reading import Reading
from gateway.model import Effect

Statement = Callable[[Reading, Sequence[Token]], None]

RUN_AT_ONCE = frozenset({"IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"})
"""MariaDB runs them outside of stored programs too."""
_STARTS = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"})
_OPENS = frozenset({"BEGIN", "CASE", "IF", "LOOP", "WHILE", "REPEAT", "FOR"})
_STEPS = frozenset({"BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "ATOMIC"})
"""Words behind which a statement begins."""
_WAITS = frozenset({"IF", "ELSEIF", "WHILE", "CASE", "WHEN", "UNTIL", "RETURN", "FOR"})
"""Words behind which an expression decides what runs."""
_PASSES = frozenset({"LEAVE", "ITERATE", "OPEN", "CLOSE", "FETCH", "END"})


def is_program(tokens: Sequence[Token]) -> bool:
    """Whether what the statement has begun with may hold semicolons of its own."""
    words = [token.upper for token in tokens[:14]]
    if words[:2] == ["SET", "STATEMENT"]:
        at = next((at for at, token in enumerate(tokens[:60]) if token.upper == "FOR"), None)
        return at is not None and is_program(tokens[at + 1 :])
    if words[:2] == ["BEGIN", "NOT"] or (words and words[0] in RUN_AT_ONCE):
        return True
    return words[:1] in (["CREATE"], ["ALTER"]) and words[kind_at(words)] in _STARTS


def cut(tokens: Sequence[Token]) -> list[list[Token]]:
    """Cut at the semicolons that end statements; programs stay whole up to their END."""
    each: list[list[Token]] = [[]]
    depth = 0
    for at, token in enumerate(tokens):
        if token.is_mark(";") and (depth == 0 or not is_program(each[-1])):
            each.append([])
            depth = 0
            continue
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        depth = max(0, depth + _deepens(token, following, each[-1]))
        each[-1].append(token)
    return [statement for statement in each if statement]


def _deepens(token: Token, following: Token | None, so_far: Sequence[Token]) -> int:
    """How a word changes the number of ENDs that are still to come."""
    if token.upper == "END":
        return -1
    if token.upper not in _OPENS or (so_far and so_far[-1].upper == "END"):
        return 0
    begins = not so_far or so_far[-1].is_mark(";", ":") or so_far[-1].upper in _STEPS
    # Also functions (IF, REPEAT), IF EXISTS, FOR UPDATE, FOR EACH ROW: unless a statement may begin here.
    return int(begins or token.upper in {"BEGIN", "CASE"} or not _is_everyday(token, following))


def _is_everyday(token: Token, following: Token | None) -> bool:
    if token.upper in {"FOR", "LOOP", "WHILE"}:
        return True
    return following is not None and (following.is_mark("(") or following.upper in {"EXISTS", "NOT"})


def body_of(tokens: Sequence[Token]) -> Sequence[Token]:
    """What a CREATE of a program would run."""
    kind = next((at for at, token in enumerate(tokens) if token.upper in _STARTS), len(tokens))
    word = tokens[kind].upper if kind < len(tokens) else ""
    if word == "EVENT":
        at = outermost(tokens[kind:], "DO")
        return tokens[kind + at + 1 :] if at is not None else ()
    if word == "TRIGGER":
        at = outermost(tokens[kind:], "ROW")
        rest = tokens[kind + at + 1 :] if at is not None else ()
        return rest[2:] if rest and rest[0].upper in {"FOLLOWS", "PRECEDES"} else rest
    # RETURNS SET (...), CHARACTER SET ...: types, not statements.
    rest = [
        token
        for before, token in pairwise(tokens[kind:])
        if not (token.upper == "SET" and before.upper in {"RETURNS", "CHARACTER"})
    ]
    at = outermost(rest, *_BODIES)
    return rest[at:] if at is not None else ()


_BODY_WORDS = """
BEGIN RETURN SELECT INSERT UPDATE DELETE REPLACE SET CALL IF CASE WHILE LOOP REPEAT TRUNCATE DROP ALTER CREATE GRANT REVOKE
PREPARE EXECUTE DO WITH KILL RENAME FLUSH LOAD HANDLER
"""
_BODIES = _BODY_WORDS.split()


def run(reading: Reading, tokens: Sequence[Token], statement: Statement) -> None:
    """Reads every statement of a program."""
    for part in _statements(tokens):
        _step(reading, part, statement)


def _statements(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += token.is_mark("(") - token.is_mark(")")
        if token.is_mark(";"):
            parts.append([])
            depth = 0
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _step(reading: Reading, tokens: Sequence[Token], statement: Statement) -> None:
    """One part between semicolons: control words and conditions before a statement, or a statement alone."""
    while tokens:
        word = tokens[0].upper
        if len(tokens) > 1 and tokens[1].is_mark(":") and tokens[0].kind in {"word", "name"}:
            tokens = tokens[2:]
        elif word in {"BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "NOT", "ATOMIC"}:
            tokens = tokens[1:]
        elif word == "DECLARE":
            tokens = _declared(tokens)
        elif word in _PASSES:
            return
        elif word in _WAITS:
            at = outermost(tokens[1:], "THEN", "DO", "WHEN", "LOOP", "END") if word != "RETURN" else None
            end = len(tokens) if at is None else at + 1
            _decided(reading, tokens[1:end], statement)
            tokens = tokens[end:]
        else:
            statement(reading, tokens)
            return


def _declared(tokens: Sequence[Token]) -> Sequence[Token]:
    """What a declaration would run: a handler's statement, a cursor's query, a default."""
    at = outermost(tokens, "SELECT", "WITH", "BEGIN")
    if at is not None:
        return tokens[at:]
    words = [token.upper for token in tokens]
    if "HANDLER" in words[:3] and "FOR" in words:
        kinds = {"SQLEXCEPTION", "SQLWARNING", "FOUND", "SQLSTATE", "VALUE"}
        last = max(
            (at for at, word in enumerate(words[:12]) if word in kinds), default=words.index("FOR") + 1
        )
        behind = last + 2 if words[last] in {"SQLSTATE", "VALUE"} else last + 1
        return tokens[behind:]
    at = outermost(tokens, "DEFAULT")
    return (
        [Token("word", "DO"), *tokens[at + 1 :]][1:] and _computing(tokens[at + 1 :])
        if at is not None
        else ()
    )


def _computing(tokens: Sequence[Token]) -> Sequence[Token]:
    return [Token("word", "SELECT"), *tokens]


def _decided(reading: Reading, tokens: Sequence[Token], statement: Statement) -> None:
    tokens = [token for token in tokens if token.upper not in {"THEN", "DO"}]
    if not tokens:
        return
    before = Effect.READ in reading.effects
    statement(reading, _computing(tokens))
    if not before and not any(token.upper in {"SELECT", "FROM"} for token in tokens):
        reading.effects.discard(Effect.READ)
