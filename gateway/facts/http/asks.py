"""Requests that only ask, as far as their method says, and what makes them more than that."""

from __future__ import annotations

import re

from gateway.facts.http import graphql, rpc
from gateway.facts.http.bodies import Body
from gateway.facts.http.methods import ASK_WITH_A_BODY
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.facts.http.secrets import PROSE
from gateway.facts.http.words import DELETING, DESTROYING, READING, VERBS, parts, words
from gateway.model import Effect

_QUESTIONS = """
    _search _msearch _count _mget _field_caps _validate _explain _analyze _termvectors _mtermvectors _rank_eval _search_shards
    _pit _async_search _find _all_docs _changes _bulk_get _revs_diff search searches lookup autocomplete suggest count scroll
    query runquery batchget
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
_SQL_AT = frozenset({"query", "sql", "execute", "exec", "statement", "statements"})
_NAMING = frozenset({"action", "do", "op", "operation", "method", "task", "act", "cmd", "command"})
"""Parameters by which older services name what a GET does."""
_RECORDS = frozenset({"audit", "events", "logs", "log", "history", "activity", "search"})
_OTHER_DEEDS = """
    execute eval exec run trigger deploy undeploy redeploy reload disable enable activate approve reject accept cancel pay submit
    install grant ban unban assign rotate publish unpublish logout unsubscribe restore resume apply create update insert
"""
_DEEDS = (DESTROYING | DELETING | frozenset(_OTHER_DEEDS.split())) - {
    "archive",
    "trash",
    "deleted",
    "deletes",
}
_LABELS = frozenset("stop reset trigger run clear flush kill drop empty drain seal restart".split())  # noqa: SIM905
"""Deeds that also begin the names of things: `stop-sign`, `reset-button`."""


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
            if (words(value) & VERBS) - READING:
                reading.doubt("by a parameter's name and value the request does something")
        elif name.lower() == "jsonrpc":
            reading.doubt("a call stands in the query")
    if names_a_deed(request.segments):
        reading.doubt("by its name the path does something, whatever the method says")
    if "cgi-bin" in request.segments:
        reading.does(Effect.EXEC)
        reading.doubt("a program behind the path runs")


def names_a_deed(segments: tuple[str, ...]) -> bool:
    """Whether the last segment says what is done: `/orders/7/cancel`, `/deleteUser`, and not `/products/stop-sign`."""
    if not segments or PROSE & {segment.lower() for segment in segments[:-1]}:
        return False
    *above, last = segments
    found = parts(last)
    if len(found) > 3 or not (words(last) & _DEEDS):
        return False
    an_item = len(found) > 1 and bool(above) and above[-1].lower().endswith("s")
    return not (an_item and found[0] in _LABELS and last == last.lower())


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
    last = request.segments[-1].rpartition(":")[2].lower() if request.segments else ""
    view = "_view" in request.segments[:-1] and last != "_view"
    prometheus = _PROMETHEUS.search(request.path) and body.kind in {"form", ""}
    if (last in QUESTIONS or view or prometheus) and not runs(reading, request, body):
        reading.does(Effect.READ)
        return True
    return False


def runs(reading: Reading, request: Request, body: Body) -> bool:
    """Whether the request brings something that the server runs: a script, a command, a statement."""
    members = body.members()
    last = request.segments[-1].lower() if request.segments else "query"
    texts = [value for name, value in (*request.query, *members) if name.lower() in {"query", "q"}]
    found = bool(RUN & {name.lower() for name, _ in (*request.query, *members)}) or (
        (last in _SQL_AT or "query" in parts(last)) and any(rpc.says_sql(text) for text in texts)
    )
    if found:
        reading.does(Effect.EXEC)
        reading.doubt("the request holds something that the server runs")
    return found
