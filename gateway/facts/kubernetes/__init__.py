"""What a Kubernetes API request would do, from the request alone.

The request is taken apart as the API server does it; what then counts is verb, group, resource and subresource, never
the method: `exec` over a WebSocket is a GET. A dry run is judged as if it ran.
"""

from __future__ import annotations

from gateway.facts.http.bodies import BodyUnclear
from gateway.facts.http.request import Request
from gateway.facts.kubernetes.info import Info, InfoUnclear, info_of
from gateway.facts.kubernetes.objects import deeds, disagrees, object_of
from gateway.model import Effect, Facts, Resource

__all__ = ["ATTRIBUTES", "read"]

ATTRIBUTES = frozenset(
    {
        "k8s.verb",
        "k8s.group",
        "k8s.version",
        "k8s.resource",
        "k8s.subresource",
        "k8s.namespace",
        "k8s.name",
        "k8s.command",
        "k8s.dry_run",
        "k8s.why_unknown",
        "http.sanitised",
    }
)
"""Every attribute that facts of a Kubernetes request may have; `docs/effects.md` says what each means."""

READS = frozenset({"get", "list", "watch"})
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_OPEN = (
    "",
    "api",
    "apis",
    "version",
    "healthz",
    "livez",
    "readyz",
    "openapi",
    "openid",
    ".well-known",
    "metrics",
)
_PRIVILEGED_GROUPS = frozenset(
    {
        "rbac.authorization.k8s.io",
        "admissionregistration.k8s.io",
        "apiregistration.k8s.io",
        "certificates.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "cert-manager.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "kyverno.io",
        "templates.gatekeeper.sh",
        "constraints.gatekeeper.sh",
        "iam.aws.amazon.com",
        "iam.cnrm.cloud.google.com",
    }
)
_PRIVILEGED = frozenset(
    {
        "networkpolicies",
        "resourcequotas",
        "limitranges",
        "serviceaccounts",
        "poddisruptionbudgets",
        "podsecuritypolicies",
        "priorityclasses",
        "runtimeclasses",
        "securitycontextconstraints",
        "clusterpolicies",
    }
)
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
_SCHEMA = frozenset({"customresourcedefinitions", "storageclasses", "ingressclasses", "csidrivers"})
_EPHEMERAL = frozenset({"events", "leases", "controllerrevisions"})
"""What goes and comes by itself; deleting one loses nothing."""
_QUESTIONS = frozenset(
    {
        "selfsubjectaccessreviews",
        "selfsubjectrulesreviews",
        "selfsubjectreviews",
        "subjectaccessreviews",
        "localsubjectaccessreviews",
    }
)
_PLAIN_PARTS = frozenset({"", "status", "log", "scale", "approval", "resize"})
_IMPERSONATION = ("impersonate-", "x-remote-")


def read(request: Request) -> Facts:
    """The facts of a request. Never raises, never waits."""
    effects: set[Effect] = set()
    doubts: list[str] = []
    attributes: dict[str, str | int | bool] = {"http.sanitised": ", ".join(request.sanitised)}
    resources: tuple[Resource, ...] = ()
    if any(name.startswith(_IMPERSONATION) for name, _ in request.headers):
        effects.add(Effect.PRIVILEGE)
    try:
        info = info_of(request)
    except InfoUnclear as why:
        doubts.append(str(why))
    else:
        attributes |= _attributes(request, info)
        if info.resource:
            _judge(request, info, effects, doubts)
        else:
            _elsewhere(request, effects, doubts)
        kind, name = ("k8s", info.thing) if info.resource else ("path", request.path)
        resources = tuple(Resource(kind=kind, name=name, effect=effect) for effect in sorted(effects))
    if doubts:
        effects.add(Effect.UNKNOWN)
        attributes["k8s.why_unknown"] = "; ".join(dict.fromkeys(doubts))[:500]
    return Facts(
        effects=frozenset(effects),
        resources=resources,
        attributes={key: value for key, value in attributes.items() if value != ""},
        complete=not doubts,
    )


def _attributes(request: Request, info: Info) -> dict[str, str | int | bool]:
    commands = [value for key, value in request.query if key == "command"]
    return {
        "k8s.verb": info.verb,
        "k8s.group": info.group,
        "k8s.version": info.version,
        "k8s.resource": info.resource,
        "k8s.subresource": info.subresource,
        "k8s.namespace": info.namespace,
        "k8s.name": info.name,
        "k8s.command": " ".join(commands)[:1_000],
        "k8s.dry_run": any(key == "dryRun" for key, _ in request.query),
    }


def _elsewhere(request: Request, effects: set[Effect], doubts: list[str]) -> None:
    """Paths that are about no resource: discovery, health, metrics."""
    first = request.segments[0] if request.segments else ""
    if request.method not in {"GET", "HEAD"}:
        doubts.append("a path that is no resource is written to")
    elif first in _OPEN:
        effects.add(Effect.READ)
    elif first in {"logs", "debug"}:
        effects |= {Effect.READ, Effect.EXFIL}
    else:
        doubts.append("the path is none of the API's")


def _judge(request: Request, info: Info, effects: set[Effect], doubts: list[str]) -> None:
    if info.subresource not in _PLAIN_PARTS:
        if _part(info, effects):
            if info.subresource == "ephemeralcontainers":
                _objects(request, info, effects, doubts)
            return
        doubts.append("the subresource is not known here")
    if info.resource == "secrets" and info.group == "":
        _secrets(info, effects)
    if info.verb in READS:
        effects.add(Effect.READ)
        if request.body and info.verb in READS:
            doubts.append("a request that only asks has a body")
    elif info.resource in _QUESTIONS and info.verb == "create":
        effects.add(Effect.READ)
    elif info.resource == "tokenreviews" and info.verb == "create":
        effects |= {Effect.READ, Effect.EXFIL}
    elif info.verb in WRITES:
        _writes(request, info, effects, doubts)
    else:
        doubts.append("the verb is not known here")


def _secrets(info: Info, effects: set[Effect]) -> None:
    """Every answer brings the object back, the ones to writes too."""
    effects.add(Effect.EXFIL)
    if info.verb not in READS:
        effects.add(Effect.WRITE)


def _part(info: Info, effects: set[Effect]) -> bool:
    """What subresources do that are more than a part of their object; whether this is one."""
    match info.resource, info.subresource:
        case ("pods", "exec" | "attach"):
            effects.add(Effect.EXEC)
        case ("pods", "portforward"):
            effects |= {Effect.EXEC, Effect.EXFIL}
        case (_, "proxy"):
            effects |= {Effect.EXEC, Effect.EXFIL, Effect.UNKNOWN}
        case ("pods", "ephemeralcontainers"):
            effects |= {Effect.READ} if info.verb in READS else {Effect.WRITE, Effect.EXEC}
        case ("pods", "eviction"):
            effects |= {Effect.WRITE, Effect.DESTRUCTIVE}
        case ("pods", "binding"):
            effects |= {Effect.WRITE, Effect.PRIVILEGE}
        case ("serviceaccounts", "token"):
            effects |= {Effect.EXFIL, Effect.PRIVILEGE}
        case ("namespaces", "finalize"):
            effects |= {Effect.WRITE, Effect.DESTRUCTIVE}
        case ("nodes", "metrics" | "stats" | "spec" | "healthz") if info.verb in READS:
            effects.add(Effect.READ)
        case ("nodes", "log" | "configz") if info.verb in READS:
            effects |= {Effect.READ, Effect.EXFIL}
        case _:
            return False
    return True


def _writes(request: Request, info: Info, effects: set[Effect], doubts: list[str]) -> None:
    effects.add(Effect.WRITE)
    if info.group in _PRIVILEGED_GROUPS or info.resource in _PRIVILEGED or info.namespace in _SYSTEM:
        effects.add(Effect.PRIVILEGE)
    if info.resource in _SCHEMA:
        effects.add(Effect.DDL)
    if (
        info.resource in {"namespaces", "nodes"}
        and info.verb in {"create", "update", "patch"}
        and not info.subresource
    ):
        labels = {"metadata"} == _top(request)
        if info.resource == "nodes" and not labels:
            effects.add(Effect.PRIVILEGE)
    if info.verb == "deletecollection" or (info.verb == "delete" and info.resource not in _EPHEMERAL):
        effects.add(Effect.DESTRUCTIVE)
    if info.verb in {"create", "update", "patch"}:
        _objects(request, info, effects, doubts)


def _top(request: Request) -> set[str]:
    try:
        value = object_of(request)
    except BodyUnclear:
        return set()
    return {str(key) for key in value} if isinstance(value, dict) else set()


def _objects(request: Request, info: Info, effects: set[Effect], doubts: list[str]) -> None:
    try:
        value = object_of(request)
        if value is None:
            doubts.append("the object that is to be written is missing")
            return
        effects |= deeds(info, value)
        if why := disagrees(info, value):
            doubts.append(why)
    except BodyUnclear as why_not:
        doubts.append(str(why_not))
