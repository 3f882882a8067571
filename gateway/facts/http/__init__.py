"""What an HTTP request would do, from the request alone.

The method says what kind of deed it is (RFC 9110 §9); paths, override headers, query and body can only add to that.
GraphQL, JSON-RPC and MCP say it themselves. Names are hints: they make a change destructive or privileged, and a name
is never enough to make an unknown call a read.
"""

from __future__ import annotations

from gateway.facts.http.asks import asks
from gateway.facts.http.bodies import Body, BodyUnclear, body_of
from gateway.facts.http.changes import changes
from gateway.facts.http.methods import DESTROYS, READS, WRITES, methods_of
from gateway.facts.http.reading import ATTRIBUTES, Reading
from gateway.facts.http.renamed import renamed
from gateway.facts.http.request import Request, RequestUnclear
from gateway.facts.http.rows import request_of
from gateway.facts.http.secrets import reaches
from gateway.model import Effect, Facts

__all__ = ["ATTRIBUTES", "Request", "RequestUnclear", "read", "request_of", "unclear"]


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
    for method in methods_of(reading, request, body):
        _judge(reading, request, body, method)
    reaches(reading, request)
    renamed(reading, request, body)
    if request.header("upgrade").lower() not in {"", "h2c"}:
        reading.doubt("the request asks to go on in another protocol")
    effects = sorted(reading.effects - {Effect.UNKNOWN}) or [Effect.UNKNOWN]
    reading.touches("path", request.path, *effects)
    reading.touches("path", request.path.lower(), *effects)  # for servers that take no notice of case
    return reading.facts()


def unclear(why: str) -> Facts:
    """The facts of a request that has no one meaning."""
    return Facts(
        effects=frozenset({Effect.UNKNOWN}), attributes={"http.why_unknown": why[:500]}, complete=False
    )


def _judge(reading: Reading, request: Request, body: Body, method: str) -> None:
    if method in DESTROYS:
        reading.does(Effect.WRITE, Effect.DESTRUCTIVE)
    elif method in READS:
        asks(reading, request, body)
    elif method in WRITES:
        changes(reading, request, body, method)
    else:
        reading.doubt("the method is not known here")
