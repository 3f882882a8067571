"""What a path and query ask of the Kubernetes API, as the API server itself takes them apart (`RequestInfo`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
_NO = frozenset({"false", "0", "f", "F", "False", "FALSE"})
_NAME = re.compile(r"[a-z0-9A-Z](?:[-a-z0-9A-Z._:@]*[a-z0-9A-Z])?")
_BY_NAME = re.compile(r"(?:^|,)metadata\.name==?([^,!=]+)(?:,|$)")


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
    def is_collection(self) -> bool:
        return bool(self.resource) and not self.name

    @property
    def thing(self) -> str:
        """`prod/secrets/db`; a cluster-wide one has `-` for its namespace."""
        parts = [self.namespace or "-", self.resource]
        return "/".join([*parts, self.name] if self.name else parts)


def info_of(request: Request) -> Info:
    """Raises `InfoUnclear`."""
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
    if not all(_NAME.fullmatch(part) for part in (version, resource)) or len(version) > 63:
        raise InfoUnclear("the path names no resource")
    if verb == "proxy":
        verb, subresource = "get" if request.method in {"GET", "HEAD"} else "create", "proxy"
    return _settled(
        request,
        Info(
            verb=verb,
            group=group,
            version=version,
            namespace=namespace,
            resource=resource,
            name=name,
            subresource=subresource,
        ),
    )


def _settled(request: Request, info: Info) -> Info:
    """Lists, watches and deletions of collections, which the method does not tell."""
    verb, name = info.verb, info.name
    selected = [value for key, value in request.query if key == "fieldSelector"]
    if verb in {"get", "watch"} and not name:
        named = _BY_NAME.search(selected[0]) if len(selected) == 1 else None
        if named is not None:
            name = named[1]
        if verb == "get":
            watches = [value for key, value in request.query if key == "watch"]
            verb = "watch" if any(value not in _NO for value in watches) else "list"
    if verb == "delete" and not name:
        verb = "deletecollection"
    return Info(
        verb=verb,
        group=info.group,
        version=info.version,
        namespace=info.namespace,
        resource=info.resource,
        name=name,
        subresource=info.subresource,
    )
