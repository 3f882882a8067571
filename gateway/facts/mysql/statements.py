"""Each kind of statement, by its first words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from gateway.facts.mysql import assigning, bodies, definitions, prepared
from gateway.facts.mysql.calls import effects_anywhere
from gateway.facts.mysql.changes import stored
from gateway.facts.mysql.grammar import closing, dotted, outermost, split
from gateway.facts.mysql.lexer import Token
from gateway.facts.mysql.queries import EXPRESSIONS
from gateway.facts.mysql.reading import Reading
from gateway.facts.mysql.rows import DML, QUERIES, change_of, is_query, keywords, parsed_or_doubted, query_of
from gateway.facts.mysql.sources import NOTHING, Scope
from gateway.facts.schema import anything
from gateway.model import Effect, Output

_NOT_KNOWN = "the statement is not known here"

_ENDING = r"( WORK)?( AND( NO)? CHAIN)?( NO)?( RELEASE)?"
_SESSION = re.compile(
    "|".join(
        [
            r"BEGIN( WORK)?",
            rf"(COMMIT|ROLLBACK){_ENDING}",
            r"ROLLBACK( WORK)? TO( SAVEPOINT)? \S+",
            r"(RELEASE )?SAVEPOINT \S+",
            r"START TRANSACTION( WITH CONSISTENT SNAPSHOT| READ ONLY| READ WRITE| ,)*",
            r"(UNLOCK|LOCK) TABLES?\b.*",
            r"UNLOCK INSTANCE",
            r"(RE)?SIGNAL\b.*",
            r"GET (CURRENT |STACKED )?DIAGNOSTICS .+",
            r"(CACHE INDEX|LOAD INDEX INTO CACHE) .+",
            r"XA (START|BEGIN|END|PREPARE|RECOVER)\b.*",
        ]
    )
)
"""Statements that change only the session or transaction; one that goes on otherwise is not known."""
_SUBJECTS = """
ALL AUTHORS BINARY BINLOG CHARACTER CHARSET CLIENT_STATISTICS COLLATION COLUMNS CONTRIBUTORS COUNT CREATE DATABASES ENGINE
ENGINES ERRORS EVENTS EXPLAIN EXTENDED FIELDS FULL FUNCTION GLOBAL GRANTS INDEX INDEXES INDEX_STATISTICS KEYS LOCAL LOCALES
LOGS MASTER OPEN PACKAGE PLUGINS PRIVILEGES PROCEDURE PROCESSLIST PROFILE PROFILES QUERY_RESPONSE_TIME RELAYLOG REPLICA
REPLICAS SCHEMAS SESSION SLAVE SLAVES STATUS STORAGE TABLE TABLES TABLE_STATISTICS TRIGGERS USER_STATISTICS VARIABLES
WARNINGS ANALYZE MUTEX PARSE_TREE
"""
_SHOWN = frozenset(_SUBJECTS.split())


def statement(reading: Reading, tokens: Sequence[Token]) -> None:
    """What one statement does; the result columns of a query become the reading's."""
    reading.step()
    words = [token.upper for token in tokens[:4]]
    first = words[0] or ("SELECT" if is_query(tokens) else "")
    reading.verbs[first.lower() or "query"] = None
    effects_anywhere(reading, tokens)
    match [first, *words[1:]]:
        case [word, *_] if word in QUERIES:
            query_of(reading, tokens)
        case [word, *_] if word in DML:
            change_of(reading, tokens)
        case ["EXPLAIN" | "DESCRIBE" | "DESC", *_]:
            _explain(reading, tokens)
        case ["ANALYZE", *_]:
            _analyze(reading, tokens)
        case ["SET", "STATEMENT", *_]:
            _set_statement(reading, tokens)
        case ["SET", *_]:
            assigning.assign(reading, tokens[1:])
        case ["PREPARE", *_]:
            prepared.prepare(reading, tokens)
        case ["EXECUTE", *_]:
            prepared.execute(reading, tokens)
        case ["DEALLOCATE" | "DROP", "PREPARE", *_]:
            prepared.deallocate(reading, tokens)
        case ["SHOW", *_]:
            _show(reading, tokens)
        case ["HELP" | "CHECKSUM" | "CHECK", *_]:
            reading.does(Effect.READ)
        case ["USE", _] if len(tokens) == 2:
            reading.does(Effect.SESSION)
            reading.state.database = tokens[1].text.lower()
        case ["BEGIN", "NOT", *_] | ["IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" | "FOR", *_]:
            reading.does(Effect.EXEC)
            bodies.run(reading, tokens, statement)
        case ["LOCK", "INSTANCE", *_]:
            reading.does(Effect.SESSION, Effect.DESTRUCTIVE)
        case ["XA", "COMMIT" | "ROLLBACK", *_]:
            reading.does(Effect.SESSION, Effect.WRITE)
        case ["DO", *_]:
            _do(reading, tokens)
        case ["CALL", *_]:
            _call(reading, tokens)
        case ["HANDLER", *_]:
            # It reads rows past every view, and no column of them is named.
            reading.does(Effect.READ, Effect.EXFIL)
            reading.touches("table", dotted(tokens[1:]), Effect.READ)
        case ["LOAD", "DATA" | "XML", *_]:
            _load(reading, tokens)
        case _ if _SESSION.fullmatch(_shape(tokens)):
            reading.does(Effect.SESSION)
            for token in tokens:
                if token.kind == "variable" and first != "GET":  # what SIGNAL says is an error's text
                    reading.carries("", reading.state.variable(token.text).sources)
        case _ if definitions.define(reading, tokens):
            if first in {"CREATE", "ALTER"}:
                _defined(reading, tokens)
            definitions.shadow(reading, tokens)
        case _:
            reading.verbs.pop(first.lower() or "query")
            reading.doubt(_NOT_KNOWN)


def _shape(tokens: Sequence[Token]) -> str:
    return " ".join(token.upper or token.text.replace(" ", "_") or "''" for token in tokens)


def _explain(reading: Reading, tokens: Sequence[Token]) -> None:
    """EXPLAIN shows a plan and runs nothing; EXPLAIN ANALYZE runs."""
    reading.does(Effect.READ)
    at, runs = 1, False
    while at < len(tokens) and tokens[at].upper in {"ANALYZE", "EXTENDED", "PARTITIONS", "FORMAT"}:
        runs = runs or tokens[at].upper == "ANALYZE"
        at += 3 if tokens[at].upper == "FORMAT" else 1
    rest = tokens[at:]
    if rest and rest[0].upper == "INTO" and rest[1:]:
        reading.does(Effect.SESSION)
        rest = rest[2:]
    first = rest[0].upper if rest else ""
    if first == "FOR" and [token.upper for token in rest[1:2]] in (["SCHEMA"], ["DATABASE"]):
        rest, first = rest[3:], rest[3].upper if len(rest) > 3 else ""
    if first == "FOR":
        return
    if first not in DML | QUERIES and not (rest and is_query(rest)):
        reading.touches("table", dotted(rest), Effect.READ)
        return
    inner = reading.inner()
    statement(inner, rest)
    if runs:
        reading.absorb(inner.facts(statements=1))
        return
    # What the server expects to find tells of what is stored.
    reading.resources |= {each: None for each in inner.resources if each.effect is Effect.READ}
    if inner.doubts:
        reading.doubt(next(iter(inner.doubts)))


def _analyze(reading: Reading, tokens: Sequence[Token]) -> None:
    """ANALYZE TABLE keeps statistics; MariaDB's ANALYZE [FORMAT=JSON] runs the statement behind it."""
    words = [token.upper for token in tokens[:4]]
    if "TABLE" in words[1:3] or "TABLES" in words[1:3]:
        reading.does(Effect.WRITE)
        reading.touches(
            "table", dotted(tokens[words.index("TABLE") + 1 :] if "TABLE" in words else ()), Effect.WRITE
        )
        return
    rest = tokens[4:] if words[1:2] == ["FORMAT"] else tokens[1:]
    reading.does(Effect.READ)
    if not rest:
        reading.doubt(_NOT_KNOWN)
        return
    inner = reading.inner()
    statement(inner, rest)
    reading.absorb(inner.facts(statements=1))


def _set_statement(reading: Reading, tokens: Sequence[Token]) -> None:
    halves = assigning.statement_of(tokens)
    if halves is None or not halves[1]:
        reading.doubt(_NOT_KNOWN)
        return
    assigning.assign(reading, halves[0])
    statement(reading, halves[1])


GRANTED = "mysql.global_priv"
"""What SHOW GRANTS tells of: at MariaDB hashes of passwords, too."""


def _show(reading: Reading, tokens: Sequence[Token]) -> None:
    words = [token.upper for token in tokens[:4]]
    reading.does(Effect.READ)
    if (words[1:2] and words[1] not in _SHOWN) or len(words) < 2:
        reading.doubt(_NOT_KNOWN)
    logs = words[1:2] in (["BINLOG"], ["RELAYLOG"]) and "EVENTS" in words
    if logs or words[1:3] in (["CREATE", "USER"], ["CREATE", "SERVER"]):
        reading.does(Effect.EXFIL)
    if words[1:2] == ["GRANTS"]:
        reading.touches("table", GRANTED, Effect.READ)
    if words[1:3] in (["CREATE", "TABLE"], ["CREATE", "VIEW"]):
        reading.touches("table", dotted(tokens[3:]), Effect.READ)
    if {"WARNINGS", "ERRORS"} & set(words[1:2]):
        # They quote values of the statement before.
        level, code = (Output(name=name, sources=NOTHING) for name in ("level", "code"))
        reading.outputs = (level, code, *anything(["message"]))
    at = outermost(tokens, "WHERE")
    if at is not None and any(token.upper == "SELECT" or token.kind == "variable" for token in tokens[at:]):
        node = parsed_or_doubted(reading, [*keywords("SELECT"), *tokens[at + 1 :]])
        if node is not None:
            EXPRESSIONS.condition(reading, list(node.expressions), Scope())


def _do(reading: Reading, tokens: Sequence[Token]) -> None:
    reading.does(Effect.SESSION)
    node = parsed_or_doubted(reading, [*keywords("SELECT"), *tokens[1:]])
    if node is not None:
        EXPRESSIONS.gather(reading, list(node.expressions), Scope())
        if node.find(exp.Query) is not node:
            reading.does(Effect.READ)


def _call(reading: Reading, tokens: Sequence[Token]) -> None:
    reading.does(Effect.EXEC)
    reading.touches("procedure", dotted(tokens[1:]), Effect.EXEC)
    reading.doubt("a procedure's body cannot be seen")


def _load(reading: Reading, tokens: Sequence[Token]) -> None:
    reading.does(Effect.WRITE, Effect.EXFIL)
    at = outermost(tokens, "TABLE")
    if at is not None:
        reading.touches("table", dotted(tokens[at + 1 :]), Effect.WRITE)


def _defined(reading: Reading, tokens: Sequence[Token]) -> None:
    """What a definition runs, or will: a program's body, the query of a table or a view."""
    inner = reading.inner()
    if bodies.is_program(tokens):
        body = bodies.body_of(tokens)
        if not body and tokens[0].upper == "CREATE" and "SONAME" not in {token.upper for token in tokens}:
            reading.doubt("a program has no body that can be read")
        bodies.run(inner, body, statement)
        inner.effects -= {Effect.READ, Effect.SESSION}
        reading.absorb(inner.facts(statements=1))
        return
    kinds = {token.upper for token in tokens[1:12]}
    at = outermost(tokens, "SELECT", "WITH", "VALUES")
    if at is None:
        at = next(
            (at for at, token in enumerate(tokens) if token.is_mark("(") and is_query(tokens[at:])), None
        )
    if at is None or not kinds & {"TABLE", "VIEW"} or at < 2:
        return
    source = list(tokens[at:])
    if source[0].upper == "WITH" and source[1].upper != "RECURSIVE" and outermost(source, "SELECT") is None:
        return
    if "VIEW" in kinds:
        check = [token.upper for token in source]
        if check[-2:] == ["CHECK", "OPTION"]:
            source = source[: max(place for place, word in enumerate(check) if word == "WITH")]
    statement(inner, source)
    stored(reading, *_created(tokens[:at]), inner.outputs or (), created=True)
    if "VIEW" in kinds:
        inner.effects.discard(Effect.READ)
    reading.absorb(inner.facts(statements=1))
    if "TABLE" in kinds:
        reading.does(Effect.READ, Effect.WRITE)


def _created(tokens: Sequence[Token]) -> tuple[str, list[str]]:
    """The table or view before its query, and the names of a view's columns."""
    at = next((at for at, token in enumerate(tokens) if token.upper in {"TABLE", "VIEW"}), 0) + 1
    while at < len(tokens) and tokens[at].upper in {"IF", "NOT", "EXISTS"}:
        at += 1
    name = dotted(tokens[at:])
    opening = next((at for at in range(at, len(tokens)) if tokens[at].is_mark("(")), len(tokens))
    is_view = any(token.upper == "VIEW" for token in tokens)
    columns = [part[0].text for part in split(tokens[opening + 1 : closing(tokens, opening)]) if part]
    return name, columns if is_view and opening < len(tokens) else []
