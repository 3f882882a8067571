"""What a Kubernetes API request would do, from the request alone.

The request is taken apart as the API server does it; what then counts is verb, group, resource and subresource, never
the method: `exec` over a WebSocket is a GET. A dry run is judged as if it ran.
"""

from __future__ import annotations

from gateway.facts.http.bodies import BodyUnclear
from gateway.facts.http.request import Request
from gateway.facts.kubernetes import streams
from gateway.facts.kubernetes.bodies import object_of
from gateway.facts.kubernetes.info import Info, InfoUnclear, info_of
from gateway.facts.kubernetes.reading import ATTRIBUTES, Reading
from gateway.facts.kubernetes.writes import writes
from gateway.model import Effect, Facts

__all__ = ["ATTRIBUTES", "read", "unclear"]

READS = frozenset({"get", "list", "watch"})
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_OPEN_PATHS = """
    api apis version healthz livez readyz openapi openid .well-known metrics swagger.json swagger-2.0.0.json statusz
"""
_OPEN = frozenset(_OPEN_PATHS.split()) | {""}
_INSIDE = frozenset({"logs", "debug", "flagz", "configz"})
_SECRETS = """
    secrets tokens oauthaccesstokens useroauthaccesstokens oauthauthorizetokens oauthclients credentials apikeys kubeconfigs
"""
_SECRET = frozenset(_SECRETS.split())
"""Resources that are credentials, in whatever group."""
_REVIEWS = """
    selfsubjectaccessreviews selfsubjectrulesreviews selfsubjectreviews subjectaccessreviews localsubjectaccessreviews
"""
_QUESTIONS = frozenset(_REVIEWS.split())
"""What is created only to be answered."""
_ASKED = frozenset({"authorization.k8s.io", "authentication.k8s.io"})
_PARTS = frozenset({"", "status", "scale", "log", "ephemeralcontainers", "approval", "resize", "finalize"})
_OF_NODES = frozenset({"metrics", "stats", "spec", "healthz", "log", "configz"})
"""Subresources that a read returns."""
_IMPERSONATION = ("impersonate-", "x-remote-")


def read(request: Request) -> Facts:
    """The facts of a request. Never raises, never waits."""
    reading = Reading(sanitised=request.sanitised)
    if any(name.startswith(_IMPERSONATION) for name, _ in request.headers):
        reading.effects.add(Effect.PRIVILEGE)
    try:
        info = info_of(request)
    except InfoUnclear as why:
        reading.doubt(str(why))
        return reading.facts()
    reading.attributes |= _attributes(request, info)
    if info.resource:
        _judge(request, info, reading)
    else:
        _elsewhere(request, reading)
    if request.header("upgrade") and info.subresource not in streams.STREAMS:
        reading.doubt("the request asks to go on in another protocol")
    kind, name = ("k8s", info.thing) if info.resource else ("path", request.path)
    return reading.facts(kind, name)


def unclear(why: str) -> Facts:
    """The facts of a request that has no one meaning."""
    reading = Reading()
    reading.doubt(why)
    return reading.facts()


def _attributes(request: Request, info: Info) -> dict[str, str | int | bool]:
    found: dict[str, str | int | bool] = {
        "k8s.verb": info.verb,
        "k8s.group": info.group,
        "k8s.version": info.version,
        "k8s.resource": info.resource,
        "k8s.subresource": info.subresource,
        "k8s.namespace": info.namespace,
        "k8s.name": info.name,
        "k8s.dry_run": any(key == "dryRun" for key, _ in request.query) or _dry_by_body(request, info),
    }
    if info.subresource in {"exec", "attach"}:
        found["k8s.command"] = streams.command(request)[:1_000]
        found["k8s.interactive"] = streams.is_interactive(request)
    return found


def _dry_by_body(request: Request, info: Info) -> bool:
    """Deletions have their options in the body."""
    if info.verb not in {"delete", "deletecollection"}:
        return False
    try:
        value = object_of(request)
    except BodyUnclear:
        return False
    return isinstance(value, dict) and bool(value.get("dryRun"))


def _elsewhere(request: Request, reading: Reading) -> None:
    """Paths that are about no resource: discovery, health, metrics."""
    first = request.segments[0] if request.segments else ""
    if request.method not in {"GET", "HEAD"}:
        reading.doubt("a path that is no resource is written to")
    elif first in _OPEN:
        reading.effects.add(Effect.READ)
    elif first in _INSIDE:
        reading.effects |= {Effect.READ, Effect.EXFIL}
    else:
        reading.doubt("the path is none of the API's")


def _judge(request: Request, info: Info, reading: Reading) -> None:
    if streams.judge(request, info, reading):
        return
    if info.resource in _SECRET:
        reading.effects.add(Effect.EXFIL)  # every answer brings the object back, the ones to writes too
    if info.verb in READS:
        reading.effects.add(Effect.READ)
        if info.resource == "nodes" and info.subresource in {"log", "configz"}:
            reading.effects.add(Effect.EXFIL)
        if not _is_known_part(info):
            reading.doubt("the subresource is not known here")
        if request.body:
            reading.doubt("a request that only asks has a body")
    elif info.verb == "create" and info.group in _ASKED and info.resource in _QUESTIONS:
        reading.effects.add(Effect.READ)
    elif info.verb == "create" and info.group in _ASKED and info.resource == "tokenreviews":
        reading.effects |= {Effect.READ, Effect.EXFIL}
    elif info.verb in WRITES:
        writes(request, info, reading)
    else:
        reading.doubt("the verb is not known here")


def _is_known_part(info: Info) -> bool:
    return (
        info.subresource in _PARTS
        or (info.resource == "nodes" and info.subresource in _OF_NODES)
        or info.group.endswith(".metrics.k8s.io")  # where the name of a metric stands in its place
    )
