"""Requests that only ask, as far as their method says, and what makes them more than that."""

from __future__ import annotations

import re

from gateway.facts.http import graphql, rpc
from gateway.facts.http.bodies import Body
from gateway.facts.http.methods import ASK_WITH_A_BODY
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.facts.http.segments import names_a_deed
from gateway.facts.http.statements import is_sql, only_selects
from gateway.facts.http.words import CLEAR_DEEDS, EXECUTING, parts, words
from gateway.model import Effect

_QUESTIONS = """
    _search _msearch _count _mget _field_caps _validate _explain _analyze _termvectors _mtermvectors _rank_eval _search_shards
    _pit _async_search _find _all_docs _changes _bulk_get _revs_diff search searches lookup autocomplete suggest count scroll
    query runquery batchget jql
"""
QUESTIONS = frozenset(_QUESTIONS.split())
"""Last segments under which a POST only asks."""
_PROMETHEUS = re.compile(
    r"/api/v1/(?:query|query_range|query_exemplars|series|labels|format_query|parse_query)$"
)
_RUN = """
    cmd command exec execute eval shell script script_fields scripted_metric runtime_mappings sql statement statements
"""
RUN = frozenset(_RUN.split())
"""Members of a body or query that a server runs."""
_STATEMENTS = frozenset({"sql", "statement", "statements"})
_KINDS_OF_SEARCH = frozenset(
    {"multi", "advanced", "full", "text", "vector", "hybrid", "semantic", "quick", "bulk"}
)
_EXPRESSION = re.compile(r"[$%#]\{")
"""What template and expression languages of servers run wherever they find it."""
_NAMING = frozenset({"action", "do", "op", "operation", "method", "mode", "task", "act", "cmd", "command"})
"""Parameters by which older services name what a GET does."""
_RECORDS = frozenset({"audit", "events", "logs", "log", "history", "activity", "search"})


def asks(reading: Reading, request: Request, body: Body) -> None:
    reading.does(Effect.READ)
    if graphql.is_one(request, body):
        graphql.read_query(reading, request)
        if body.kind:
            graphql.read_body(reading, body)
        return
    with_body = request.method in ASK_WITH_A_BODY or (
        body.kind == "json" and not QUESTIONS.isdisjoint(request.segments[-1:])
    )
    if body.kind and not with_body:
        reading.doubt("a request that only asks has a body")
    runs(reading, request, body)
    for name, value in request.query:
        if name == "Action":
            rpc.read_call(reading, "action", value)
        elif name.lower() in _NAMING and len(value) < 60 and not _RECORDS & set(request.segments):
            if words(value) & (CLEAR_DEEDS | EXECUTING) - {"edit"}:
                reading.doubt("by a parameter's name and value the request does something")
        elif name.lower() == "jsonrpc":
            reading.doubt("a call stands in the query")
    if names_a_deed(request.segments):
        reading.doubt("by its name the path does something, whatever the method says")
    if "cgi-bin" in request.segments:
        reading.does(Effect.EXEC)
        reading.doubt("a program behind the path runs")


def only_asks(reading: Reading, request: Request, body: Body) -> bool:
    """Whether a POST is a question, or a call that says itself what it does; the reading then has it all."""
    if graphql.is_one(request, body):
        if {"query", "extensions", "operationName"} & {name for name, _ in request.query}:
            reading.doubt("the GraphQL request stands in the query and in the body")
            graphql.read_query(reading, request)
        graphql.read_body(reading, body)
        return True
    if body.kind == "json" and rpc.is_rpc(body.value):
        rpc.read_request(reading, body.value)
        return True
    if _is_question(request, body) and not runs(reading, request, body):
        reading.does(Effect.READ)
        return True
    return False


def _is_question(request: Request, body: Body) -> bool:
    if body.kind not in {"", "json", "ndjson", "form"}:
        return False
    last = request.segments[-1].rpartition(":")[2].lower() if request.segments else ""
    below = request.segments[-2] if len(request.segments) > 1 else ""
    a_search = parts(last)[-1:] == ("search",) and set(parts(last)[:-1]) <= _KINDS_OF_SEARCH
    if last in QUESTIONS or a_search or below in {"_view", "_explain"}:
        return True
    return bool(_PROMETHEUS.search(request.path) or _statements(request, body))


def _statements(request: Request, body: Body) -> list[str]:
    """Texts that are there to be run as SQL. What only looks like SQL counts where queries go, not in a search box."""
    given = [*request.query, *body.members()]
    found = [value for name, value in given if name.lower() in _STATEMENTS]
    if not request.segments or {"query", "sql"} & set(parts(request.segments[-1].lower())):
        found += [value for name, value in given if name.lower() in {"query", "q"} and is_sql(value)]
    return found


def runs(reading: Reading, request: Request, body: Body) -> bool:
    """Whether the request brings something that the server runs and that is not a plain SELECT: a script, a statement."""
    names = {name.lower() for name, _ in (*request.query, *body.members())}
    an_expression = any(_EXPRESSION.search(text) for pair in request.query for text in pair)
    found = bool(names & RUN - _STATEMENTS) or an_expression
    if found or not all(map(only_selects, _statements(request, body))):
        reading.does(Effect.EXEC)
        reading.doubt("the request holds something that the server runs")
        return True
    return False
