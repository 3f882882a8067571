"""Requests that only ask, as far as their method says, and what makes them more than that."""

from __future__ import annotations

import re

from gateway.facts.http import graphql, rpc, xml
from gateway.facts.http.bodies import Body
from gateway.facts.http.calls import is_reading_call
from gateway.facts.http.methods import ASK_WITH_A_BODY, OF_WEBDAV
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.facts.http.segments import names_a_deed, takes_calls
from gateway.facts.http.statements import (
    STATEMENTS_MOST,
    asks_prometheus,
    only_selects,
    statements_of,
    takes_only_statements,
    whole,
)
from gateway.facts.http.vocabulary import CLEAR_DEEDS, EXECUTING
from gateway.facts.http.words import parts, words
from gateway.model import Effect

_QUESTIONS = """
    _search _msearch _count _mget _field_caps _validate _explain _analyze _termvectors _mtermvectors _rank_eval _search_shards
    _pit _async_search _find _all_docs _changes _bulk_get _revs_diff search searches lookup autocomplete suggest count scroll
    query runquery batchget jql
"""
QUESTIONS = frozenset(_QUESTIONS.split())
"""Last segments under which a POST only asks."""
_RUN = """
    cmd command exec execute eval shell script script_fields scripted_metric runtime_mappings
    $where $function $accumulator $out $merge
"""
RUN = frozenset(_RUN.split())
"""Members of a body or query that a server runs."""
_KINDS_OF_SEARCH = frozenset(
    {"multi", "advanced", "full", "text", "vector", "hybrid", "semantic", "quick", "bulk"}
)
_EXPRESSION = re.compile(r"[$%#]\{|\{\{|<%")
"""What template and expression languages of servers run wherever they find it."""
_LOOKUP = re.compile(r"\$\{[^}]{0,40}(?:jndi:|\$\{)", re.IGNORECASE)
"""What loggers of Java look up in whatever they write down: headers and the values of bodies too."""
_SHELL = re.compile(
    r"\$\(|`[^`]+`|[;|&]\s*(?:cat|id|ls|wget|curl|bash|sh|nc|rm|whoami|uname|ping|sleep|python3?|perl|powershell)(?:\s|$)"
)
_SEARCHING = frozenset({"q", "query", "search", "text", "term", "keyword", "filter", "jql", "cql"})
_NAMING = frozenset({"action", "do", "op", "operation", "method", "mode", "task", "act", "cmd", "command"})
"""Parameters by which older services name what a GET does."""
_SIGNED = frozenset({"x-amz-signature", "x-goog-signature", "x-oss-signature", "x-ms-signature"})
"""Parameters of presigned URLs."""
_RECORDS = frozenset({"audit", "events", "logs", "log", "history", "activity", "search"})


def asks(reading: Reading, request: Request, body: Body) -> None:
    reading.does(Effect.READ)
    if graphql.is_one(request, body):
        graphql.read_query(reading, request)
        if body.kind:
            graphql.read_body(reading, body)
    if body.kind and not _may_have_a_body(request, body):
        reading.doubt("a request that only asks has a body")
    if body.kind == "json" and rpc.is_rpc(body.value):
        rpc.read_request(reading, body.value)
    xml.read(reading, body)
    if (
        body.kind in {"other", "multipart", "xml"}
        and not _is_webdav(request, body)
        and not whole(request, body)
    ):
        reading.doubt("what the body asks for is in a form that is not read here")
    runs(reading, request, body)
    for name, value in request.parameters:
        if name == "Action":
            rpc.read_call(reading, "action", value)
        elif name.lower() in _NAMING and len(value) < 60 and not _RECORDS & set(request.segments):
            if words(value) & (CLEAR_DEEDS | EXECUTING) - {"edit"}:
                reading.doubt("by a parameter's name and value the request does something")
        elif name.lower() == "jsonrpc":
            reading.doubt("a call stands in the query")
        elif name.lower() in _SIGNED:
            reading.doubt("the query is signed by somebody, and does what they may")
    if names_a_deed(request.segments):
        reading.doubt("by its name the path does something, whatever the method says")
    if "cgi-bin" in request.segments:
        reading.does(Effect.EXEC)
        reading.doubt("a program behind the path runs")


def _may_have_a_body(request: Request, body: Body) -> bool:
    if request.method in ASK_WITH_A_BODY:
        return True
    if graphql.is_one(request, body):
        return takes_calls(request)
    return body.kind == "json" and not QUESTIONS.isdisjoint(request.segments[-1:])


def _is_webdav(request: Request, body: Body) -> bool:
    return request.method in OF_WEBDAV and xml.is_xml(body)


def only_asks(reading: Reading, request: Request, body: Body) -> bool:
    """Whether a POST is a question, or a call that says itself what it does; the reading then has it all.

    A body that looks like a call is one where calls go. Elsewhere a service may take no notice of it and do what its path
    says: then both count.
    """
    if graphql.is_one(request, body):
        if graphql.names_a_stored_query(request) or {"query", "operationName"} & {
            name for name, _ in request.parameters
        }:
            reading.doubt("the GraphQL request stands in the query and in the body")
            graphql.read_query(reading, request)
        graphql.read_body(reading, body)
        if takes_calls(request):
            return True
    elif body.kind == "json" and rpc.is_rpc(body.value):
        rpc.read_request(reading, body.value)
        if takes_calls(request):
            return True
    if _is_question(request, body) and not runs(reading, request, body):
        reading.does(Effect.READ)
        return True
    return False


def _is_question(request: Request, body: Body) -> bool:
    if request.segments[-1:] == ("git-upload-pack",):
        return request.header("content-type") == "application/x-git-upload-pack-request"  # a clone or fetch
    if body.kind not in {"", "json", "ndjson", "form"}:
        return False
    if names_a_deed(request.segments[:-1]):
        return False
    last = request.segments[-1].rpartition(":")[2].lower() if request.segments else ""
    below = request.segments[-2] if len(request.segments) > 1 else ""
    a_search = parts(last)[-1:] == ("search",) and set(parts(last)[:-1]) <= _KINDS_OF_SEARCH
    if last in QUESTIONS or a_search or below in {"_view", "_explain"}:
        return True
    if request.segments and is_reading_call(request.segments[-1].rpartition(":")[2]):
        return True
    if asks_prometheus(request):
        return True
    return takes_only_statements(request, body) and bool(statements_of(request, body))


def runs(reading: Reading, request: Request, body: Body) -> bool:
    """Whether the request brings something that the server runs and that is not a plain SELECT: a script, a statement."""
    names = {name.lower() for name, _ in (*request.parameters, *body.members())}
    injected = any(
        _EXPRESSION.search(f"{name}={value}") or (name.lower() not in _SEARCHING and _SHELL.search(value))
        for name, value in request.query
    )
    told = "\n".join(value for _, value in (*request.headers, *body.members()))
    found = bool(names & RUN) or injected or _LOOKUP.search(told) is not None
    statements = statements_of(request, body)
    if found or len(statements) > STATEMENTS_MOST or not all(map(only_selects, statements)):
        reading.does(Effect.EXEC)
        reading.doubt("the request holds something that the server runs")
        return True
    return False
