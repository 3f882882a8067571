"""Each kind of statement, by its first words; what the parser does not know is read from its tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.parser import logger

from gateway.facts.mysql import definitions, settings
from gateway.facts.mysql.functions import NOT_CALLS
from gateway.facts.mysql.lexer import Token, written
from gateway.facts.mysql.queries import change, query
from gateway.facts.mysql.reading import Reading
from gateway.model import Effect, Facts, Output

logger.disabled = True
"""It would write each text that it does not know to stderr."""

Text = Callable[[str], Facts]
"""Reads SQL that stands in a string."""
_DML = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE"})
_READS = frozenset({"SHOW", "HELP", "CHECKSUM", "CHECK"})
_SESSION = frozenset(
    {
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "USE",
        "LOCK",
        "UNLOCK",
        "DEALLOCATE",
        "SIGNAL",
        "RESIGNAL",
        "GET",
        "CACHE",
    }
)
_DROPPED_HINTS = frozenset(
    [
        "SQL_NO_CACHE",
        "SQL_CACHE",
        "SQL_CALC_FOUND_ROWS",
        "SQL_SMALL_RESULT",
        "SQL_BIG_RESULT",
        "SQL_BUFFER_RESULT",
        "HIGH_PRIORITY",
        "STRAIGHT_JOIN",
        "LOW_PRIORITY",
        "QUICK",
        "DELAYED",
    ]
)


def statement(reading: Reading, tokens: Sequence[Token], text: Text) -> None:
    """What one statement does."""
    words = [token.upper for token in tokens[:8]]
    while tokens and tokens[0].text == "(" and len(words) > 1:
        if _starts_query(tokens):
            break
        return reading.doubt("the statement is not known here")
    first = words[0] if words else ""
    reading.verbs[first.lower() or "query"] = None
    _expressions(reading, tokens)
    match first:
        case "SELECT" | "VALUES" | "TABLE" | "" | "WITH":
            _query(reading, tokens)
        case _ if first in _DML:
            _change(reading, tokens)
        case "EXPLAIN" | "DESCRIBE" | "DESC":
            _explain(reading, tokens, text)
        case "ANALYZE":
            _analyze(reading, tokens, text)
        case "SET":
            _set(reading, tokens, text)
        case "PREPARE" | "EXECUTE":
            _prepared(reading, tokens, text)
        case "SHOW" if {"CREATE", "USER"} <= set(words[:3]) or words[1:3] in (
            ["BINLOG", "EVENTS"],
            ["RELAYLOG", "EVENTS"],
        ):
            reading.does(Effect.READ, Effect.EXFIL)
        case _ if first in _READS:
            reading.does(Effect.READ)
        case "START" if words[1:2] == ["TRANSACTION"]:
            reading.does(Effect.SESSION)
        case "BEGIN" if words[1:2] == ["NOT"]:
            reading.does(Effect.EXEC)
            reading.doubt("a block of stored code runs")
        case "LOCK" if words[1:2] == ["INSTANCE"]:
            reading.does(Effect.SESSION, Effect.DESTRUCTIVE)
        case "DROP" if words[1:2] == ["PREPARE"]:
            reading.does(Effect.SESSION)
        case _ if first in _SESSION:
            reading.does(Effect.SESSION)
        case "XA":
            reading.does(
                Effect.SESSION, *([Effect.WRITE] if {"COMMIT", "ROLLBACK"} & set(words[1:2]) else [])
            )
        case "DO":
            _do(reading, tokens)
        case "CALL":
            reading.does(Effect.EXEC)
            reading.touches("procedure", _dotted(tokens[1:]), Effect.EXEC)
            reading.doubt("a procedure's body cannot be seen")
        case "HANDLER":
            # It reads rows past every view, and no column of them is named.
            reading.does(Effect.READ, Effect.EXFIL)
            reading.touches("table", _dotted(tokens[1:]), Effect.READ)
        case "LOAD":
            _load(reading, tokens)
        case _ if definitions.define(reading, tokens):
            if first in {"CREATE", "ALTER"}:
                _body(reading, tokens)
        case _:
            reading.doubt("the statement is not known here")
    return None


def _starts_query(tokens: Sequence[Token]) -> bool:
    for token in tokens:
        if token.text != "(":
            return token.upper in {"SELECT", "VALUES", "TABLE", "WITH"}
    return False


def _expressions(reading: Reading, tokens: Sequence[Token]) -> None:
    """Calls, assignments, files and locks, wherever they stand."""
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        before = tokens[at - 1] if at else None
        if following is not None and following.text == "(" and following.kind == "mark":
            if token.kind == "name" or (token.kind == "word" and before is not None and before.text == "."):
                if _is_call(tokens, at):
                    reading.doubt("a function's body cannot be seen")
            elif token.kind == "word" and token.text.lower() not in NOT_CALLS and _is_call(tokens, at):
                reading.calls(token.text)
        if token.text == ":=" and token.kind == "mark":
            reading.does(Effect.SESSION)
        if token.upper == "INTO" and following is not None and following.upper in {"OUTFILE", "DUMPFILE"}:
            reading.does(Effect.EXFIL, Effect.WRITE)
        if token.upper == "INTO" and following is not None and following.kind == "variable":
            reading.does(Effect.SESSION)
        if (token.upper == "FOR" and following is not None and following.upper in {"UPDATE", "SHARE"}) or (
            token.upper == "LOCK" and following is not None and following.upper == "IN"
        ):
            reading.does(Effect.SESSION)
        if token.upper == "PROCEDURE" and at and tokens[0].upper in {"SELECT", "WITH"}:
            reading.doubt("a procedure works on the result")


_NAMED_LIST = frozenset(
    [
        "INTO",
        "TABLE",
        "REFERENCES",
        "INDEX",
        "KEY",
        "AS",
        "VIEW",
        "USER",
        "DATABASE",
        "SCHEMA",
        "EXISTS",
        "JOIN",
        "UPDATE",
        "FROM",
        "ON",
        "PROCEDURE",
        "FUNCTION",
        "TRIGGER",
        "EVENT",
        "SERVER",
        "PARTITION",
        "CONSTRAINT",
        "COLUMN",
        "RECURSIVE",
        "WITH",
    ]
)


def _is_call(tokens: Sequence[Token], at: int) -> bool:
    """Whether what stands before a parenthesis is called, and does not just name a table with its columns."""
    start = at
    while start >= 2 and tokens[start - 1].text == "." and tokens[start - 2].kind in {"word", "name"}:
        start -= 2
    before = tokens[start - 1] if start else None
    if before is None:
        return False
    if before.upper in _NAMED_LIST:
        return False
    behind_with = before.text == "," and tokens[0].upper == "WITH" and _is_cte(tokens, at)
    return (not behind_with and tokens[0].upper not in {"CREATE", "ALTER", "GRANT", "REVOKE"}) or (
        tokens[0].upper == "CREATE" and any(token.upper in {"SELECT", "VALUES"} for token in tokens[:start])
    )


def _is_cte(tokens: Sequence[Token], at: int) -> bool:
    depth = 0
    for place in range(at + 1, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].text if tokens[place].kind == "mark" else "", 0)
        if depth == 0:
            return place + 1 < len(tokens) and tokens[place + 1].upper == "AS"
    return False


def _parsed(reading: Reading, tokens: Sequence[Token]) -> exp.Expr | None:
    try:
        found = sqlglot.parse(written(_plainer(tokens)), dialect="mysql")
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, IndexError):
        reading.doubt("the statement cannot be parsed")
        return None
    if len(found) != 1 or found[0] is None or isinstance(found[0], exp.Command):
        reading.doubt("the statement cannot be parsed")
        return None
    return found[0]


def _plainer(tokens: Sequence[Token]) -> list[Token]:
    """Without what says how, not what: hints, INTO and locking clauses, which `_expressions` has seen."""
    plain: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        following = tokens[at + 1].upper if at + 1 < len(tokens) else ""
        if token.upper in _DROPPED_HINTS and (at == 0 or tokens[at - 1].text not in {".", "AS"}):
            at += 1
        elif token.upper == "INTO" and (
            following in {"OUTFILE", "DUMPFILE"}
            or (at + 1 < len(tokens) and tokens[at + 1].kind == "variable")
        ):
            at += 1
            while at < len(tokens) and tokens[at].upper not in {
                "FROM",
                "UNION",
                "FOR",
                "LOCK",
                "LIMIT",
                "WHERE",
            }:
                at += 1
        elif token.upper == "LOCK" and following == "IN":
            at += 4
        elif token.upper == "FOR" and following in {"UPDATE", "SHARE"}:
            at += 2
            while at < len(tokens) and tokens[at].upper in {"NOWAIT", "SKIP", "LOCKED", "WAIT"}:
                at += 1
        elif (
            token.upper == "PARTITION"
            and following == ""
            and at + 1 < len(tokens)
            and tokens[at + 1].text == "("
            and _behind_table(tokens, at)
        ):
            at = _closing(tokens, at + 1) + 1
        else:
            plain.append(token)
            at += 1
    return plain


def _behind_table(tokens: Sequence[Token], at: int) -> bool:
    start = at - 1
    while start >= 2 and tokens[start - 1].text == ".":
        start -= 2
    return start >= 1 and tokens[start - 1].upper in {"FROM", "JOIN", "INTO", "UPDATE", "TABLE"}


def _closing(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    for place in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].text if tokens[place].kind == "mark" else "", 0)
        if depth == 0:
            return place
    return len(tokens) - 1


def _query(reading: Reading, tokens: Sequence[Token]) -> None:
    if tokens[0].upper == "TABLE":
        name = _dotted(tokens[1:])
        reading.does(Effect.READ)
        reading.touches("table", name, Effect.READ)
        reading.outputs = (Output(name="*", sources=frozenset({f"{name.lower()}.*"})),)
        return
    node = _parsed(reading, tokens)
    if node is None:
        reading.does(Effect.READ)
        if any(
            token.upper in _DML and at and tokens[at - 1].upper != "FOR" for at, token in enumerate(tokens)
        ):
            reading.does(Effect.WRITE)
        return
    if isinstance(node, exp.DML):
        change(reading, node)
        reading.verbs[type(node).__name__.lower()] = None
    else:
        reading.outputs = query(reading, node) or None


def _change(reading: Reading, tokens: Sequence[Token]) -> None:
    reading.does(Effect.WRITE)
    if tokens[0].upper == "REPLACE":
        tokens = [Token("word", "INSERT", tokens[0].start), *tokens[1:]]
    words = [token.upper for token in tokens]
    if tokens[0].upper == "INSERT":
        tokens = _plain_insert(tokens)
    elif tokens[0].upper in {"DELETE", "UPDATE"}:
        tokens = [token for at, token in enumerate(tokens) if not (at == 1 and token.upper == "IGNORE")]
        if "RETURNING" in words:
            reading.does(Effect.READ)
    node = _parsed(reading, tokens)
    if node is None:
        if tokens[0].upper in {"UPDATE", "DELETE"}:
            reading.both("sql.where_restricts", value=False)
            reading.does(Effect.DESTRUCTIVE)
        return
    if isinstance(node, exp.DML):
        change(reading, node)
        returning = node.args.get("returning")
        if returning is not None:
            reading.does(Effect.READ)
            target = node.find(exp.Table)
            table = target.name.lower() if target is not None else ""
            reading.outputs = tuple(
                Output(
                    name="*" if isinstance(each, exp.Star) else each.alias_or_name.lower(),
                    sources=frozenset({f"{table}.*"}),
                    exact=False,
                )
                for each in returning.expressions
            )
    else:
        reading.doubt("the statement cannot be parsed")


def _plain_insert(tokens: Sequence[Token]) -> list[Token]:
    """`INSERT [modifiers] [INTO] t SET a = 1` and its like as sqlglot knows it; conflict clauses say how."""
    plain = [tokens[0]]
    rest = list(tokens[1:])
    while rest and rest[0].upper in {"IGNORE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED"}:
        rest.pop(0)
    if not rest or rest[0].upper != "INTO":
        rest.insert(0, Token("word", "INTO", 0))
    plain += rest
    for at, token in enumerate(plain):
        if token.upper == "ON" and [each.upper for each in plain[at + 1 : at + 3]] == ["DUPLICATE", "KEY"]:
            return plain[:at]
        if token.upper == "SET" and at <= 6:
            return [
                *plain[:at],
                *(
                    Token(kind, text, 0)
                    for kind, text in (("word", "VALUES"), ("mark", "("), ("number", "1"), ("mark", ")"))
                ),
            ]
    return plain


def _inner(tokens: Sequence[Token], text: Text) -> Facts:
    return text(written(list(tokens)))


def _explain(reading: Reading, tokens: Sequence[Token], text: Text) -> None:
    """EXPLAIN shows a plan and runs nothing; EXPLAIN ANALYZE runs."""
    reading.does(Effect.READ)
    at, runs = 1, False
    while at < len(tokens) and tokens[at].upper in {"ANALYZE", "EXTENDED", "PARTITIONS", "FORMAT"}:
        if tokens[at].upper == "FORMAT":
            at += 2
        runs = runs or tokens[at].upper == "ANALYZE"
        at += 1
    first = tokens[at].upper if at < len(tokens) else ""
    if first == "FOR":
        return
    if not (
        first in _DML
        or first in {"SELECT", "WITH", "TABLE", "VALUES"}
        or (at < len(tokens) and tokens[at].text == "(")
    ):
        reading.touches("table", _dotted(tokens[at:]), Effect.READ)
        return
    inner = _inner(tokens[at:], text)
    if runs:
        reading.absorb(inner)
    elif not inner.complete:
        reading.doubt(str(inner.attributes.get("sql.why_unknown", "what is explained cannot be read")))


def _analyze(reading: Reading, tokens: Sequence[Token], text: Text) -> None:
    words = [token.upper for token in tokens[:4]]
    if "TABLE" in words[1:3]:
        reading.does(Effect.WRITE)
        return
    at = 1
    if words[1:2] == ["FORMAT"]:
        at = 4
    reading.does(Effect.READ)
    reading.absorb(_inner(tokens[at:], text))


def _set(reading: Reading, tokens: Sequence[Token], text: Text) -> None:
    words = [token.upper for token in tokens[:5]]
    rest = words[1:]
    if rest[:1] == ["PASSWORD"] or rest[:2] == ["DEFAULT", "ROLE"]:
        reading.does(Effect.PRIVILEGE)
        return
    if rest[:1] == ["ROLE"]:
        reading.does(Effect.PRIVILEGE, Effect.SESSION)
        return
    if rest[:1] == ["RESOURCE"]:
        reading.does(Effect.SESSION)
        return
    if "TRANSACTION" in rest[:2]:
        reading.does(Effect.PRIVILEGE if rest[0] == "GLOBAL" else Effect.SESSION)
        return
    if rest[:1] == ["STATEMENT"]:
        at = next((at for at, token in enumerate(tokens) if token.upper == "FOR"), len(tokens))
        _assignments(reading, tokens[2:at])
        reading.absorb(_inner(tokens[at + 1 :], text))
        return
    if rest[:1] == ["NAMES"] or rest[:2] == ["CHARACTER", "SET"] or rest[:1] == ["CHARSET"]:
        value = tokens[3 if rest[:1] == ["CHARACTER"] else 2 :]
        name = value[0].text if value else ""
        reading.does(Effect.SESSION)
        if not settings.charset_reads_alike(name):
            reading.doubt("a character set decides how later texts are cut")
        return
    _assignments(reading, tokens[1:])


def _assignments(reading: Reading, tokens: Sequence[Token]) -> None:
    for part in _split(tokens):
        scope, at = "", 0
        if part and part[0].upper in {"GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"}:
            scope, at = part[0].upper, 1
        name = part[at].text if at < len(part) else ""
        equals = next(
            (place for place, token in enumerate(part) if token.text in {"=", ":="} and token.kind == "mark"),
            None,
        )
        if equals is None:
            reading.doubt("an assignment cannot be read")
            continue
        value = part[equals + 1 :]
        if any(token.upper == "SELECT" for token in value):
            _subqueries(reading, value)
        if name.startswith("@") and not name.startswith("@@"):
            reading.does(Effect.SESSION)
            continue
        if name.startswith("@@"):
            scope_name, dot, rest = name[2:].partition(".")
            if not dot and scope_name.upper() in {"GLOBAL", "SESSION", "PERSIST", "PERSIST_ONLY", "LOCAL"}:
                rest = part[at + 2].text if at + 2 < len(part) else ""
                dot = "."
            scope, name = (scope_name.upper(), rest) if dot else ("", scope_name)
        elif equals > at + 1:
            name = part[equals - 1].text
        word = (
            value[0].text
            if len(value) == 1 and value[0].kind in {"word", "string", "number", "name"}
            else None
        )
        effects = settings.effects_of(name, scope, word)
        reading.does(*effects)
        if Effect.UNKNOWN in effects:
            reading.doubt("a setting decides how later texts are read")
        reading.touches("setting", name, *sorted(effects - {Effect.SESSION} or effects))


def _subqueries(reading: Reading, tokens: Sequence[Token]) -> None:
    node = _parsed(reading, [Token("word", "SELECT", 0), *tokens])
    if node is not None:
        query(reading, node)


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "mark":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if token.text == "," and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts


def _prepared(reading: Reading, tokens: Sequence[Token], text: Text) -> None:
    """What is prepared counts at once; a text that is made at run time is in doubt."""
    words = [token.upper for token in tokens]
    reading.does(Effect.SESSION)
    if words[:2] == ["EXECUTE", "IMMEDIATE"]:
        source = tokens[2:]
        using = next((at for at, word in enumerate(words) if word == "USING"), None)
        source = tokens[2:using] if using is not None else source
    elif words[0] == "PREPARE":
        reading.attributes["sql.prepare"] = tokens[1].text.lower() if len(tokens) > 1 else ""
        at = next((at for at, word in enumerate(words) if word == "FROM"), len(tokens))
        source = tokens[at + 1 :]
    else:
        reading.attributes["sql.execute"] = tokens[1].text.lower() if len(tokens) > 1 else ""
        reading.doubt("a prepared statement is executed whose text stands elsewhere")
        return
    if len(source) == 1 and source[0].kind == "string":
        reading.absorb(text(source[0].text))
    else:
        reading.does(Effect.EXEC)
        reading.doubt("the text that is prepared is made at run time")


def _do(reading: Reading, tokens: Sequence[Token]) -> None:
    node = _parsed(reading, [Token("word", "SELECT", 0), *tokens[1:]])
    reading.does(Effect.SESSION)
    if node is not None:
        query(reading, node)


def _load(reading: Reading, tokens: Sequence[Token]) -> None:
    words = [token.upper for token in tokens]
    if words[1:2] == ["INDEX"]:
        reading.does(Effect.SESSION)
        return
    reading.does(Effect.WRITE, Effect.EXFIL)
    if "TABLE" in words:
        reading.touches("table", _dotted(tokens[words.index("TABLE") + 1 :]), Effect.WRITE)


def _body(reading: Reading, tokens: Sequence[Token]) -> None:
    """What a definition takes from tables: CREATE TABLE ... SELECT, CREATE VIEW."""
    at = next(
        (at for at, token in enumerate(tokens) if token.upper in {"SELECT", "WITH", "VALUES"} and at > 1),
        None,
    )
    kinds = {token.upper for token in tokens[1:10]}
    if at is None or kinds & {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE", "USER", "ROLE"}:
        return
    while at and tokens[at - 1].text == "(":
        at -= 1
    source = list(tokens[at:])
    while source and source[-1].text == ")" and sum((t.text == "(") - (t.text == ")") for t in source) < 0:
        source.pop()
    view = "VIEW" in kinds
    inner = Reading()
    if view:
        source = _without_check(source)
    node = _parsed(inner, source)
    if node is not None:
        query(inner, node)
    reading.absorb(inner.facts(statements=1))
    if "TABLE" in kinds:
        reading.does(Effect.READ, Effect.WRITE)


def _without_check(tokens: list[Token]) -> list[Token]:
    words = [token.upper for token in tokens]
    if words[-2:] == ["CHECK", "OPTION"]:
        at = max(at for at, word in enumerate(words) if word == "WITH")
        return tokens[:at]
    return tokens


def _dotted(tokens: Sequence[Token]) -> str:
    """The name at the beginning."""
    parts: list[str] = []
    for at, token in enumerate(tokens):
        if at % 2 == 0 and token.kind in {"word", "name"}:
            parts.append(token.text)
        elif not (at % 2 == 1 and token.text == "."):
            break
    return ".".join(parts)
