"""The object or patch in a body, and whether it is the one that the path speaks of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gateway.facts.http.bodies import BodyUnclear, body_of, json_of
from gateway.facts.http.request import Request
from gateway.facts.kubernetes.info import Info

YAML_MOST = 64 * 1024
_DEEP = 100
_YAML = frozenset({"application/yaml", "application/apply-patch+yaml"})
_OF_ANOTHER_KIND = frozenset({"scale", "eviction", "token", "binding", "bindings", "status", "approval"})


def object_of(request: Request) -> Any:
    """The object or patch in the body, `None` where there is none. Raises `BodyUnclear`."""
    kind = request.header("content-type").partition(";")[0].strip().lower()
    if not request.body:
        return None
    if kind in _YAML:
        if request.header("content-encoding"):
            raise BodyUnclear("the YAML is in a content coding")
        try:
            return json_of(request.body)  # which kubectl sends under that name
        except BodyUnclear:
            return _yaml(request.body)
    if not kind and request.method != "PATCH" and not request.header("content-encoding"):
        return json_of(request.body)  # as the API server takes what does not say what it is
    if not (kind == "application/json" or kind.endswith("+json")):
        raise BodyUnclear("the body is in an encoding that is not read here")
    body = body_of(request)
    if body.kind != "json":
        raise BodyUnclear("the body does not say that it is JSON")
    return body.value


def _yaml(data: bytes) -> Any:
    if len(data) > YAML_MOST or _nesting(data) > _DEEP:
        raise BodyUnclear("the YAML is too long or nests too deep")
    # YAML 1.1, as the API server reads it: `yes` is true there.
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    try:
        return reader.load(data.decode("utf-8"))
    except (YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise BodyUnclear("the YAML cannot be read, or not by all alike") from None


def _nesting(data: bytes) -> int:
    """How deep brackets, and dashes on one line, could nest at most. The reader takes quadratic time for these."""
    deepest = depth = 0
    for each in re.findall(rb"[][{}]", data):
        depth = depth + 1 if each in b"[{" else max(depth - 1, 0)  # a closing one may stand in a string
        deepest = max(deepest, depth)
    return max(deepest, *(len(run) // 2 for run in re.findall(rb"(?:[-?:] )+", data)), 0)


def disagrees(info: Info, value: Any) -> str:
    """Where the object is another one than the path says: the reason, or ""."""
    if not isinstance(value, Mapping):
        return ""
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    if (
        info.namespace
        and info.resource != "namespaces"
        and metadata.get("namespace") not in {None, "", info.namespace}
    ):
        return "the object is of another namespace than the path"
    if info.name and metadata.get("name") not in {None, "", info.name}:
        return "the object has another name than the path"
    kind = value.get("kind")
    if isinstance(kind, str) and info.subresource not in _OF_ANOTHER_KIND and not _is_of(kind, info.resource):
        return "the object is of another kind than the path"
    version = value.get("apiVersion")
    wanted = f"{info.group}/{info.version}" if info.group else info.version
    if (
        isinstance(version, str)
        and not info.subresource
        and version.partition("/")[0] != wanted.partition("/")[0]
    ):
        return "the object is of another group than the path"
    return ""


def _is_of(kind: str, resource: str) -> bool:
    """Whether a kind is spelled as that resource: Policy policies, Ingress ingresses, Endpoints endpoints."""
    singular, plural = kind.lower(), resource.lower()
    return plural in {singular, f"{singular}s", f"{singular}es", f"{singular.removesuffix('y')}ies"}
