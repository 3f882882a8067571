"""What a path and query ask of the Kubernetes API, as the API server itself takes them apart (`RequestInfo`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gateway.facts.http.request import Request

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_SPECIAL = frozenset({"watch", "proxy"})
_OF_NAMESPACES = frozenset({"status", "finalize"})
_NO = frozenset({"false", "0"})
_RESOURCE = re.compile(r"[a-z0-9](?:[-_a-z0-9.]*[a-z0-9])?")
_BY_NAME = re.compile(r"(?:^|,)metadata\.name==?([^,!=\\]+)(?:,|$)")


class InfoUnclear(Exception):
    """A path that no API server would take, or not for one thing alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """One API request. `resource` is "" where it is about no resource."""

    verb: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def thing(self) -> str:
        """`prod/secrets/db`; a cluster-wide one has `-` for its namespace."""
        parts = [self.namespace or "-", self.resource]
        return "/".join([*parts, self.name] if self.name else parts)


def info_of(request: Request) -> Info:
    """Raises `InfoUnclear`."""
    if ";" in request.target:
        raise InfoUnclear("the query holds a semicolon, for which the API server drops a parameter")
    verb = _VERBS.get(request.method)
    if verb is None:
        raise InfoUnclear("the method is none of the API's")
    segments = request.segments
    if segments[:1] == ("api",) and len(segments) > 2:
        group, version, rest = "", segments[1], segments[2:]
    elif segments[:1] == ("apis",) and len(segments) > 3:
        group, version, rest = segments[1], segments[2], segments[3:]
    else:
        return Info(verb=request.method.lower())
    if rest[0] in _SPECIAL:
        if len(rest) < 2:
            raise InfoUnclear("the path ends behind watch or proxy")
        verb, rest = rest[0], rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACES:
            rest = rest[2:]
    resource, name, subresource = (*rest[:3], "", "")[:3]
    if len(rest) > 3 and "proxy" not in {verb, subresource}:
        raise InfoUnclear("the path goes on behind the subresource")
    if not all(_RESOURCE.fullmatch(part) for part in (version, resource)) or len(version) > 63:
        raise InfoUnclear("the path names no resource")
    return _settled(
        request,
        Info(
            verb=verb,
            group=group,
            version=version,
            namespace=namespace,
            resource=resource,
            name=name,
            subresource="" if verb == "proxy" else subresource,
        ),
    )


def _settled(request: Request, info: Info) -> Info:
    """Lists, watches and deletions of collections, which the method does not tell."""
    if info.name:
        return info
    if info.verb == "delete":
        return replace(info, verb="deletecollection")
    if info.verb != "get":
        return info
    # Of a parameter that stands there twice, the API server takes the first.
    named = _BY_NAME.search(first(request, "fieldSelector") or "")
    return replace(info, verb="watch" if is_on(request, "watch") else "list", name=named[1] if named else "")


def first(request: Request, name: str) -> str | None:
    return next((value for key, value in request.query if key == name), None)


def is_on(request: Request, name: str) -> bool:
    """A boolean parameter, as the API server takes it: anything but `false` and `0` is true, nothing as well."""
    value = first(request, name)
    return value is not None and value.lower() not in _NO
