"""Objects and patches that a request carries: what they would make of the cluster beyond being written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gateway.facts.http.bodies import BodyUnclear, body_of
from gateway.facts.http.request import Request
from gateway.facts.kubernetes.info import Info
from gateway.model import Effect

STEPS = 100_000
YAML_MOST = 256 * 1024
_YAML = frozenset({"application/yaml", "application/apply-patch+yaml"})
_TRUE_IS_ROOT = frozenset(
    {"privileged", "hostNetwork", "hostPID", "hostIPC", "hostUsers", "allowPrivilegeEscalation"}
)
_PRESENT_IS_ROOT = frozenset({"hostPath", "nodeName", "procMount"})
_HARMLESS_CAPABILITIES = frozenset(
    {"NET_BIND_SERVICE", "CHOWN", "SETUID", "SETGID", "KILL", "AUDIT_WRITE", "FOWNER"}
)
_WITHOUT_A_KIND_OF_ITS_OWN = frozenset(
    {"scale", "eviction", "token", "binding", "bindings", "status", "approval"}
)


def object_of(request: Request) -> Any:
    """The object or patch in the body, `None` where there is none. Raises `BodyUnclear`."""
    kind = request.header("content-type").partition(";")[0].strip().lower()
    if not request.body:
        return None
    if kind in _YAML:
        if request.header("content-encoding"):
            raise BodyUnclear("the YAML is in a content coding")
        return _yaml(request.body)
    if kind and not (kind == "application/json" or kind.endswith("+json")):
        raise BodyUnclear("the body is in an encoding that is not read here")
    body = body_of(request)
    if body.kind != "json":
        raise BodyUnclear("the body does not say that it is JSON")
    return body.value


def _yaml(data: bytes) -> Any:
    if len(data) > YAML_MOST:
        raise BodyUnclear("the YAML is too long")
    try:
        return YAML(typ="safe", pure=True).load(data.decode("utf-8"))
    except (YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise BodyUnclear("the YAML cannot be read, or not by all alike") from None


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
    if (
        isinstance(kind, str)
        and info.subresource not in _WITHOUT_A_KIND_OF_ITS_OWN
        and not _is_of(kind, info.resource)
    ):
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


def deeds(info: Info, value: Any) -> set[Effect]:
    """What the object does beside being written. Raises `BodyUnclear` where it is too much to read."""
    if isinstance(value, list):
        found: set[Effect] = set()
        for operation in value:
            found |= _patch(info, operation)
        return found
    return _walked(info, value)


def _patch(info: Info, operation: Any) -> set[Effect]:
    """One operation of a JSON patch (RFC 6902)."""
    if not isinstance(operation, Mapping) or not isinstance(operation.get("path"), str):
        raise BodyUnclear("an operation of the patch has no path")
    if operation.get("op") not in {"add", "remove", "replace", "test", "move", "copy"}:
        raise BodyUnclear("the patch has an operation that is not known")
    if operation["op"] in {"move", "copy"}:
        raise BodyUnclear("the patch moves parts of the object")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    whole: Any = operation.get("value") if operation["op"] != "remove" else None
    for part in reversed(parts):
        whole = {part: whole}
    return _walked(info, whole)


def _walked(info: Info, value: Any) -> set[Effect]:
    found: set[Effect] = set()
    for path, key, each in _members(value):
        if (key in _TRUE_IS_ROOT and each is not False and (key != "hostUsers" or each is True)) or (
            key in _PRESENT_IS_ROOT and each not in (None, "", "Default")
        ):
            found |= {Effect.PRIVILEGE, Effect.EXEC}
        if key == "capabilities" and isinstance(each, Mapping) and _powerful(each.get("add")):
            found |= {Effect.PRIVILEGE, Effect.EXEC}
        if (
            key in {"seccompProfile", "appArmorProfile"}
            and isinstance(each, Mapping)
            and each.get("type") == "Unconfined"
        ):
            found.add(Effect.PRIVILEGE)
        if path == ("spec",) and key in {"replicas", "minReplicas"} and each in (0, "0", None):
            found.add(Effect.DESTRUCTIVE)
        if key == "$patch" and each in {"delete", "replace"}:
            found.add(Effect.DESTRUCTIVE)
        if path == ("metadata",) and key == "finalizers" and not each:
            found.add(Effect.DESTRUCTIVE)
        if path == ("metadata",) and key == "ownerReferences":
            found.add(Effect.DESTRUCTIVE)
        if (
            info.resource == "nodes"
            and path == ("spec",)
            and (key == "taints" or (key == "unschedulable" and each))
        ):
            found.add(Effect.DESTRUCTIVE)
        if path[:1] == ("rules",) and isinstance(each, list) and key == "verbs" and "*" in each:
            found.add(Effect.PRIVILEGE)
    return found


def _powerful(capabilities: Any) -> bool:
    return isinstance(capabilities, list) and any(
        str(each).upper().removeprefix("CAP_") not in _HARMLESS_CAPABILITIES for each in capabilities
    )


def _members(value: Any) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Every member with the keys above it. Raises `BodyUnclear`."""
    steps = 0
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while waiting:
        path, found = waiting.pop()
        steps += 1
        if steps > STEPS or len(path) > 100:
            raise BodyUnclear("the object is too large to read")
        if isinstance(found, Mapping):
            for key, each in found.items():
                yield path, str(key), each
                if isinstance(each, Mapping | list):
                    waiting.append(((*path, str(key)), each))
        elif isinstance(found, list):
            waiting += [(path, each) for each in found if isinstance(each, Mapping | list)]
