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
from gateway.facts.http.request import OVERRIDES, Request, RequestUnclear, request_of
from gateway.facts.http.words import (
    DELETING,
    DESTROYING,
    READING,
    SECRET,
    VERBS,
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
        "scroll",
    ]
)
"""Last segments under which a POST only asks."""
_PROMETHEUS = re.compile(
    r"/api/v1/(?:query|query_range|query_exemplars|series|labels|format_query|parse_query)$"
)
_HOOKS = frozenset({"webhook", "webhooks", "hook", "hooks"})
_BATCHES = frozenset({"$batch", "batch", "_batch", ":batch", "batchrequests"})
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
        "script",
        "script_fields",
        "scripted_metric",
        "runtime_mappings",
        "sql",
        "statement",
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
_CONTAINERS = re.compile(
    r"(?:databases?|dbs?|schemas?|tables?|collections?|ind(?:ex|exes|ices)|buckets?|volumes?|topics?|queues?"
    r"|clusters?|namespaces?|tenants?|projects?|accounts?|orgs?|organi[sz]ations?|repos?|repositories|subscriptions?"
    r"|environments?|instances?|servers?|droplets?|vms|snapshots?|backups?|zones?|apps?|workspaces?)",
    re.IGNORECASE,
)
"""Deleting one of these loses all that it holds."""
_ACTIONS = frozenset({"action", "do", "op", "operation", "method", "task", "act"})
"""Parameters by which older services name what a GET does."""
_RECORDS = frozenset({"audit", "events", "logs", "log", "history", "activity", "search"})
_DOCUMENT = re.compile(r"(?:[\s,\ufeff]|#[^\n\r]*[\n\r])*(?:query|mutation|subscription|fragment|\{)")
_MUTATION = re.compile(r"\b(?:mutation|subscription)\b")
_DOING = (DESTROYING | DELETING) - {"archive", "trash"} | {
    "exec",
    "execute",
    "eval",
    "run",
    "trigger",
    "deploy",
    "disable",
    "enable",
}
_YES = frozenset({"", "1", "true", "yes", "on"})
_AN_ID = re.compile(r".*[0-9].*|[0-9a-f]{8,}|[A-Za-z0-9_-]{20,}|.*[@:=].*|me|self|current")
_VERSION = re.compile(r"v[0-9.]+", re.IGNORECASE)


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
    effects = sorted(reading.effects - {Effect.UNKNOWN}) or [Effect.UNKNOWN]
    reading.touches("path", request.path, *effects)
    reading.touches("path", request.path.lower(), *effects)  # for servers that take no notice of case
    return reading.facts()


def unclear(why: str) -> Facts:
    """The facts of a request that has no one meaning."""
    return Facts(
        effects=frozenset({Effect.UNKNOWN}), attributes={"http.why_unknown": why[:500]}, complete=False
    )


def _methods(reading: Reading, request: Request, body: Body) -> list[str]:
    """The method, and what a server that honours overrides would take in its place: both count."""
    found = [request.method]
    for name in sorted(OVERRIDES):
        found += request.values(name)
    found += [value for name, value in request.query if name.lower() in {"_method", "method_override"}]
    found += [value for name, value in body.fields if name.lower() == "_method"]
    if body.kind == "json" and isinstance(body.value, dict) and isinstance(body.value.get("_method"), str):
        found.append(body.value["_method"])
    if body.kind == "multipart" and b'name="_method"' in body.data:
        reading.doubt("a form may override the method")
    distinct = list(dict.fromkeys([request.method, *(each.strip().upper() for each in found[1:])]))
    if request.method != request.method.upper():
        reading.doubt("the method is not in capitals")
        distinct.append(request.method.upper())
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
        _graphql_query(reading, request)
        if body.kind:
            _graphql_body(reading, body)
        return
    if body.kind and not (body.kind == "json" and set(request.segments[-1:]) & _ASKING):
        reading.doubt("a request that only asks has a body")
    if _members(body) & _RUNS:
        reading.does(Effect.EXEC)
        reading.doubt("the body holds something that the server runs")
    for name, value in request.query:
        named = set(words(value)) if name.lower() in _ACTIONS and len(value) < 60 else set()
        if (named & VERBS) - READING and not _RECORDS & set(request.segments):
            reading.doubt("by a parameter's name and value the request does something")
    if "jsonrpc" in {name.lower() for name, _ in request.query}:
        reading.doubt("a call stands in the query")
    if not _PROSE & set(request.segments[:-1]):
        last = set(words(request.segments[-1])) if request.segments else set()
        if len(last) <= 3 and last & _DOING:
            reading.doubt("by its name the path does something, whatever the method says")
    if "cgi-bin" in request.segments:
        reading.does(Effect.EXEC)
        reading.doubt("a program behind the path runs")


def _changes(reading: Reading, request: Request, body: Body, method: str) -> None:
    if method == "POST" and _only_asks(reading, request, body):
        return
    last = request.segments[-1] if request.segments else ""
    if method == "DELETE" and request.path.lower() in {"/_search/scroll", "/_pit"}:
        reading.does(Effect.SESSION)
        return
    found = {word for segment in request.segments for word in words(segment)}
    quiet = {"post", "publish", "message", "share", "forward", "transfer", "sms"}
    if method == "POST" and not set(words(last)) & _HOOKS:
        quiet |= _HOOKS  # the event that somebody else's hook brings, not the making of one
    reading.does(Effect.WRITE, *hinted(found - quiet))
    if method == "DELETE":
        if not _one_item(request):
            reading.does(Effect.DESTRUCTIVE)
    elif found & DELETING and not (
        set(words(last)) & DELETING and len(request.segments) > 2 and _AN_ID.fullmatch(request.segments[-2])
    ):
        reading.does(Effect.DESTRUCTIVE)
    if last.lower() in _BATCHES:
        reading.doubt("the body holds requests of its own")
        if re.search(rb"\bDELETE\b", body.data, re.IGNORECASE):
            reading.does(Effect.DESTRUCTIVE)
    if last == "_update_by_query" and not _narrow(body.value):
        reading.does(Effect.DESTRUCTIVE)
    for action in _actions(request, body):
        rpc.read_call(reading, "action", action)
    if _members(body) & _RUNS:
        reading.does(Effect.EXEC)
        reading.doubt("the body holds something that the server runs")
    if last == "_bulk":
        _bulk(reading, body)


def _one_item(request: Request) -> bool:
    """Whether a DELETE names one item of a collection, and not a collection, a container or everything."""
    if len(request.segments) < 2:
        return False
    before, last = request.segments[-2:]
    asked = {
        name.lower()
        for name, value in request.query
        if value.lower() in _YES or value in {"*", "all"} or name.lower() == "force"
    }
    if asked & _ALL or any(value in {"*", "_all"} for _, value in request.query):
        return False
    if "*" in last or last.lower() in _ALL or last == "_all" or _VERSION.fullmatch(last):
        return False
    if _CONTAINERS.fullmatch(before) or (len(request.segments) > 2 and request.segments[-3] == "repos"):
        return False
    return bool(_AN_ID.fullmatch(last)) or (before.endswith("s") and not last.endswith("s"))


def _narrow(value: object) -> bool:
    """Whether a search body restricts what it finds."""
    query = value.get("query") if isinstance(value, dict) else None
    return isinstance(query, dict) and bool(query) and "match_all" not in query


def _actions(request: Request, body: Body) -> list[str]:
    """What SOAP, the AWS protocols and their like call the deed."""
    found = [
        value.strip(' "').rpartition("/")[2].rpartition(".")[2].rpartition("#")[2]
        for name in ("soapaction", "x-amz-target")
        for value in request.values(name)
    ]
    found += [value for name, value in (*request.query, *body.fields) if name == "Action"]
    return [each for each in found if each]


def _only_asks(reading: Reading, request: Request, body: Body) -> bool:
    """Whether a POST is a question, or a call that says itself what it does; the reading then has it all."""
    if _is_graphql(request, body):
        if {"query", "extensions", "operationName"} & {name for name, _ in request.query}:
            reading.doubt("the GraphQL request stands in the query and in the body")
            _graphql_query(reading, request)
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
    if body.kind == "graphql":
        return True
    if any(segment.lower().startswith(("graphql", "gql")) for segment in request.segments):
        return bool(body.kind) or any(name in {"query", "extensions", "id"} for name, _ in request.query)
    if any(name == "query" and "{" in value and _MUTATION.search(value) for name, value in request.query):
        return True
    return any(
        isinstance(each, dict) and isinstance(each.get("query"), str) and _DOCUMENT.match(each["query"])
        for each in (body.value if isinstance(body.value, list) else [body.value])
    )


def _graphql_query(reading: Reading, request: Request) -> None:
    found = [value for name, value in request.query if name == "query"]
    names = [value for name, value in request.query if name == "operationName"]
    if len(found) > 1 or len(names) > 1:
        reading.doubt("a parameter stands there twice")
    if (not found and not request.body) or any(name in {"extensions", "id"} for name, _ in request.query):
        reading.doubt("the GraphQL request names a query that stands elsewhere")
    for text in found:
        graphql.read_text(reading, text, names[0] if len(names) == 1 else "")


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
    waiting = [body.value, *body.values]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            names += each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
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
    segments = tuple(segment.lower() for segment in request.segments)
    found = {word for segment in request.segments for word in words(segment)}
    reads_alone = reading.effects <= {Effect.READ, Effect.SESSION, Effect.UNKNOWN}
    prose = _PROSE & set(segments[:-1])
    if secret_file(request.path) or (found & SECRET and not prose) or "meta-data" in segments:
        reading.does(Effect.EXFIL)
    if "actuator" in segments and found & {
        "env",
        "configprops",
        "heapdump",
        "threaddump",
        "logfile",
        "jolokia",
    }:
        reading.does(Effect.EXFIL)
    if segments[:2] in {("debug", "pprof"), ("debug", "vars")}:
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
