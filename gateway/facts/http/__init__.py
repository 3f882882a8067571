"""What an HTTP request would do, from the request alone.

The method says what kind of deed it is (RFC 9110 §9); paths, override headers, query and body can only add to that.
GraphQL, JSON-RPC and MCP say it themselves. Names are hints: they make a change destructive or privileged, and a name
is never enough to make an unknown call a read.
"""

from __future__ import annotations

import re

from gateway.facts.http import graphql, rpc
from gateway.facts.http.bodies import Body, BodyUnclear, body_of
from gateway.facts.http.reading import ATTRIBUTES, Reading
from gateway.facts.http.request import Request, RequestUnclear, request_of
from gateway.facts.http.words import (
    DELETING,
    DESTROYING,
    SECRET,
    hinted,
    secret_file,
    words,
)
from gateway.model import Effect, Facts

__all__ = ["ATTRIBUTES", "Request", "RequestUnclear", "read", "request_of", "unclear"]

READS = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH", "QUERY"})
WRITES = frozenset(
    {
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "MKCOL",
        "COPY",
        "MOVE",
        "PROPPATCH",
        "LOCK",
        "UNLOCK",
        "LINK",
        "UNLINK",
    }
)
DESTROYS = frozenset({"PURGE", "BAN"})
_OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
_ASKING = frozenset(
    [
        "_search",
        "_msearch",
        "_count",
        "_mget",
        "_field_caps",
        "_validate",
        "_explain",
        "_analyze",
        "_termvectors",
        "_mtermvectors",
        "_rank_eval",
        "_sql_translate",
        "_search_shards",
        "_pit",
        "_async_search",
        "search",
        "searches",
        "_find",
        "graphql-voyager",
        "lookup",
        "autocomplete",
        "suggest",
        "count",
    ]
)
"""Last segments under which a POST only asks."""
_PROMETHEUS = re.compile(
    r"/api/v1/(?:query|query_range|query_exemplars|series|labels|format_query|parse_query)$"
)
_BY_QUERY = frozenset({"_delete_by_query"})
_METADATA = re.compile(
    r"169\.254\.169\.254|metadata\.google\.internal|fd00:ec2::254|100\.100\.100\.200", re.IGNORECASE
)
_REACHING = re.compile(
    r"(?:\.\./|\.\.\\|file:|gopher:|dict:|/etc/(?:passwd|shadow)|/proc/self)", re.IGNORECASE
)
_RUNS = frozenset(
    [
        "cmd",
        "command",
        "exec",
        "execute",
        "eval",
        "shell",
        "code",
        "script",
        "sql",
        "statement",
        "query_sql",
        "run",
    ]
)
"""Members of a body or query that a server runs."""
_PROSE = frozenset(
    [
        "docs",
        "doc",
        "documentation",
        "help",
        "wiki",
        "blog",
        "static",
        "assets",
        "news",
        "articles",
        "manual",
        "reference",
        "search",
    ]
)
_ALL = frozenset(["all", "force", "cascade", "recursive", "purge", "everything", "wipe", "drop"])
_YES = frozenset({"", "1", "true", "yes", "on"})
_AN_ID = re.compile(r".*[0-9].*|[0-9a-f]{8,}|[A-Za-z0-9_-]{20,}|.*[@:=].*|me|self|current")


def read(request: Request) -> Facts:
    """The facts of a request. Never raises, never waits."""
    reading = Reading()
    reading.attributes |= {
        "http.method": request.method,
        "http.path": request.path,
        "http.host": request.header("host"),
        "http.content_type": request.header("content-type").partition(";")[0].strip().lower(),
        "http.query_keys": ", ".join(sorted({name for name, _ in request.query}))[:500],
        "http.sanitised": ", ".join(request.sanitised),
    }
    try:
        body = body_of(request)
    except BodyUnclear as why:
        reading.doubt(str(why))
        body = Body(kind="other", data=request.body)
    for method in _methods(reading, request, body):
        _judge(reading, request, body, method)
    _anyway(reading, request)
    for effect in sorted(reading.effects - {Effect.UNKNOWN}) or [Effect.UNKNOWN]:
        reading.touches("path", request.path, effect)
    return reading.facts()


def unclear(why: str) -> Facts:
    """The facts of a request that has no one meaning."""
    return Facts(
        effects=frozenset({Effect.UNKNOWN}), attributes={"http.why_unknown": why[:500]}, complete=False
    )


def _methods(reading: Reading, request: Request, body: Body) -> list[str]:
    """The method, and what a server that honours overrides would take in its place: both count."""
    found = [request.method]
    for name in _OVERRIDES:
        found += request.values(name)
    found += [value for name, value in request.query if name.lower() in {"_method", "method_override"}]
    found += [value for name, value in body.fields if name.lower() == "_method"]
    if body.kind == "json" and isinstance(body.value, dict) and isinstance(body.value.get("_method"), str):
        found.append(body.value["_method"])
    if body.kind == "multipart" and b'name="_method"' in body.data:
        reading.doubt("a form may override the method")
    distinct = list(dict.fromkeys([request.method, *(each.strip().upper() for each in found[1:])]))
    return [each for each in distinct if each] or [request.method]


def _judge(reading: Reading, request: Request, body: Body, method: str) -> None:
    if method in DESTROYS:
        reading.does(Effect.WRITE, Effect.DESTRUCTIVE)
    elif method in READS:
        _asks(reading, request, body)
    elif method in WRITES:
        _changes(reading, request, body, method)
    else:
        reading.doubt("the method is not known here")


def _asks(reading: Reading, request: Request, body: Body) -> None:
    reading.does(Effect.READ)
    if _is_graphql(request, body):
        query = dict(request.query)
        if "query" in query:
            graphql.read_text(reading, query["query"], query.get("operationName", ""))
        elif body.kind:
            _graphql_body(reading, body)
        elif "extensions" in query or "id" in query:
            reading.doubt("the GraphQL request names a query that stands elsewhere")
        return
    if body.kind and request.segments[-1:] and request.segments[-1] not in _ASKING:
        reading.doubt("a request that only asks has a body")
    if not _PROSE & set(request.segments[:-1]):
        last = set(words(request.segments[-1])) if request.segments else set()
        if len(last) <= 2 and last & (
            DESTROYING
            | DELETING
            | {"exec", "execute", "eval", "run", "trigger", "deploy", "disable", "enable"}
        ):
            reading.doubt("by its name the path does something, whatever the method says")
    if "cgi-bin" in request.segments:
        reading.does(Effect.EXEC)
        reading.doubt("a program behind the path runs")


def _changes(reading: Reading, request: Request, body: Body, method: str) -> None:
    if method == "POST" and _only_asks(reading, request, body):
        return
    found = {word for segment in request.segments for word in words(segment)}
    reading.does(
        Effect.WRITE, *hinted(found - {"post", "publish", "message", "share", "forward", "transfer", "sms"})
    )
    last = request.segments[-1] if request.segments else ""
    if method == "DELETE":
        options = {name.lower() for name, value in request.query if value.lower() in _YES}
        if not _AN_ID.fullmatch(last) or options & _ALL or len(request.segments) < 2:
            reading.does(Effect.DESTRUCTIVE)
    elif set(words(last)) & DELETING or last in _BY_QUERY:
        reading.does(Effect.DESTRUCTIVE)
    if _members(body) & _RUNS:
        reading.does(Effect.EXEC)
        reading.doubt("the body holds something that the server runs")
    if last == "_bulk":
        _bulk(reading, body)


def _only_asks(reading: Reading, request: Request, body: Body) -> bool:
    """Whether a POST is a question, or a call that says itself what it does; the reading then has it all."""
    if _is_graphql(request, body):
        _graphql_body(reading, body)
        return True
    if body.kind == "json" and rpc.is_rpc(body.value):
        rpc.read_request(reading, body.value)
        return True
    last = request.segments[-1] if request.segments else ""
    prometheus = _PROMETHEUS.search(request.path) and body.kind in {"form", ""}
    if (last in _ASKING or prometheus) and not _members(body) & _RUNS:
        reading.does(Effect.READ)
        return True
    return False


def _is_graphql(request: Request, body: Body) -> bool:
    if body.kind == "graphql" or (request.segments and request.segments[-1].lower() in {"graphql", "gql"}):
        return True
    first = body.value[0] if isinstance(body.value, list) and body.value else body.value
    return (
        isinstance(first, dict)
        and isinstance(first.get("query"), str)
        and re.match(r"\s*(?:query|mutation|subscription|fragment|\{)", first["query"]) is not None
    )


def _graphql_body(reading: Reading, body: Body) -> None:
    match body.kind:
        case "json":
            graphql.read_request(reading, body.value)
        case "graphql":
            graphql.read_text(reading, body.data.decode("utf-8", "replace"))
        case "form":
            fields = dict(body.fields)
            graphql.read_request(
                reading, {"query": fields.get("query"), "operationName": fields.get("operationName")}
            )
        case _:
            reading.doubt("the GraphQL request is in a form that is not read here")


def _members(body: Body) -> set[str]:
    names = [name for name, _ in body.fields]
    for value in (body.value, *body.values):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                names += each
    return {name.lower() for name in names}


def _bulk(reading: Reading, body: Body) -> None:
    """Elasticsearch's bulk API: actions on lines of their own, documents between them."""
    if body.kind != "ndjson" and not (body.kind == "json" and isinstance(body.value, dict)):
        reading.doubt("the bulk body cannot be read")
        return
    if any(isinstance(each, dict) and set(each) == {"delete"} for each in (*body.values, body.value)):
        reading.does(Effect.DESTRUCTIVE)


def _anyway(reading: Reading, request: Request) -> None:
    """What is true of a request whatever its method."""
    found = {word for segment in request.segments for word in words(segment)}
    reads_alone = reading.effects <= {Effect.READ, Effect.SESSION, Effect.UNKNOWN}
    prose = _PROSE & set(request.segments[:-1])
    if secret_file(request.path) or (found & SECRET and not prose) or "meta-data" in request.segments:
        reading.does(Effect.EXFIL)
    if "actuator" in request.segments and found & {
        "env",
        "configprops",
        "heapdump",
        "threaddump",
        "logfile",
        "jolokia",
    }:
        reading.does(Effect.EXFIL)
    if request.segments[:2] == ("debug", "pprof") or request.segments[:2] == ("debug", "vars"):
        reading.does(Effect.EXFIL)
    if (
        reads_alone
        and found & {"tokens", "token", "apikeys", "keys"}
        and found & {"api", "access", "private", "personal"}
        and found & {"key", "keys", "token", "tokens"}
        and "jwks" not in found
    ):
        reading.does(Effect.EXFIL)
    if _METADATA.search(request.header("host")):
        reading.does(Effect.EXFIL)
    for name, value in request.query:
        if _METADATA.search(value) or _REACHING.search(value):
            reading.does(Effect.EXFIL)
        if name.lower() in _RUNS:
            reading.does(Effect.EXEC)
            reading.doubt("the query holds something that the server runs")
    if request.header("upgrade").lower() not in {"", "h2c"}:
        reading.doubt("the request asks to go on in another protocol")
