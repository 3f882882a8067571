"""Statements that a request brings for a server to run: which texts are any, and whether they only select."""

from __future__ import annotations

import re

from gateway.facts import postgres
from gateway.facts.http.bodies import Body
from gateway.facts.http.request import Request
from gateway.facts.http.words import parts
from gateway.model import Effect

TEXT_MOST = 8_192
STATEMENTS_MOST = 200
_THINGS = (
    "table|database|schema|index|view|user|role|function|procedure|trigger|sequence|type|domain|extension|server|policy|publication"
    "|subscription|column|keyspace|series|measurement|retention|tablespace|event|login|partition|catalog|warehouse|stage|stream|task"
)
_BEGINS = re.compile(
    r"(?>(?:\s|(?>/\*.*?\*/)|--[^\n]*\n|\()*)(?:"
    r"select\s+(?:.*\bfrom\b|[\d'\"(*@$]|[\w.]+\s*\()|with\s+(?:recursive\s+)?\w+\s*(?:\([^)]*\)\s*)?as\b"
    r"|insert\s+(?:\w+\s+)?into\b|replace\s+into\b|merge\s+into\b|update\s+.*\bset\b|delete\s+(?:\S+\s+)?from\b"
    rf"|(?:drop|alter|create)\s+(?:\w+\s+){{0,3}}(?:{_THINGS})\b|truncate\s+\S|(?:grant|revoke)\s+.*\b(?:on|to|from)\b"
    r"|copy\s+.*\b(?:from|to)\b|call\s+[\w.]+\s*\(|exec(?:ute)?\s+(?:[sx]p_|immediate\b|[\w.]+\s*[@('])|do\s+(?:\$|'|language\b)"
    r"|set\s+\S+\s*(?:=|to\b)|vacuum\b|explain\s+(?:analy[sz]e|select|update|delete|insert|with|\()|pragma\s|attach\s+(?:database|')"
    r"|show\s+(?:tables|databases|create|columns|grants|variables|processlist|users|series|measurements|index|schemas|full)\b"
    r"|load\s+(?:data|xml|csv)\b|kill\s+(?:query\s+|connection\s+)?\d|use\s+\S+\s*;?$)",
    re.IGNORECASE | re.DOTALL,
)
"""Statements, and not what people search for: `drop shipping`, `select all that apply`, `update on my order`."""
_DIALECT = re.compile(r"/\*|--|[#\\`;]")
"""What the servers of different makers read differently."""

_STATEMENTS = frozenset({"statement", "statements", "stmt", "stmts"})
_LANGUAGES = frozenset({"sql", "cypher"})
_LANGUAGE_TYPES = _LANGUAGES | {"sparql", "flux", "promql", "kql"}
"""Words in the types of bodies that are nothing but a statement."""
_WRITING = re.compile(
    r"\b(?:delete|drop|create|merge|set|remove|insert|update|alter|kill|grant|revoke|truncate|detach|foreach|call|load|into)\b"
    r"|\|>\s*to\b",
    re.IGNORECASE,
)
"""What no statement of any language has that only looks."""
_SENT_TO = frozenset({"query", "sql", "statement", "statements"})
_PROMETHEUS = re.compile(
    r"/api/v1/(?:query|query_range|query_exemplars|series|labels|format_query|parse_query)$"
)


def is_sql(text: str) -> bool:
    """Whether a text begins like a statement."""
    return _BEGINS.match(text) is not None


def only_selects(text: str) -> bool:
    """Whether a text is one plain SELECT, whichever server reads it, of columns under their own names: masks go by these."""
    if len(text) > TEXT_MOST or _DIALECT.search(text) or not re.match(r"\s*select\s", text, re.IGNORECASE):
        return False
    facts = postgres.read(text)
    return facts.effects == {Effect.READ} and all(
        {source.rpartition(".")[2] for source in each.sources} <= {each.name} for each in facts.outputs or ()
    )


def statements_of(request: Request, body: Body) -> list[str]:
    """Texts that are there to be run. What only looks like a statement counts where they are sent to, not in a search box."""
    where = _takes_statements(request)
    queries = {"query", "q"} if where else set()
    given = [*request.parameters, *body.members()]
    named = {
        name: {name.lower()} & queries | (_LANGUAGES | _STATEMENTS) & set(parts(name))
        for name in {name for name, _ in given}
    }
    found = [
        value
        for name, value in given
        if named[name] & _LANGUAGES
        or (named[name] and (is_sql(value) or (request.segments and _WRITING.search(value))))
        or (where and is_sql(value))
    ]
    return found + whole(request, body)


def whole(request: Request, body: Body) -> list[str]:
    """The body itself, where it is a statement: by its type, or by where it goes and what it says."""
    if body.kind != "other":
        return []
    text = body.data.decode("utf-8", "replace")
    declared = request.header("content-type").partition(";")[0]
    if not _LANGUAGE_TYPES.isdisjoint(parts(declared)):
        return [text]
    told = is_sql(text) or (request.segments and _WRITING.search(text))
    return [text] if told and _takes_statements(request) else []


def _takes_statements(request: Request) -> bool:
    return (bool(_SENT_TO & set(_last(request))) or not request.segments) and not asks_prometheus(request)


def takes_only_statements(request: Request, body: Body) -> bool:
    """Whether a path is that of an endpoint which runs statements and does nothing else, and the request says one alone."""
    return bool(_last(request)) and _SENT_TO.issuperset(_last(request)) and not (body.kind and request.query)


def asks_prometheus(request: Request) -> bool:
    return _PROMETHEUS.search(request.path) is not None


def _last(request: Request) -> tuple[str, ...]:
    return parts(request.segments[-1].lower()) if request.segments else ()
