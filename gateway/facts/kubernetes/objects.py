"""What an object or patch would make of the cluster beyond being written: rights, secrets, loss.

Members are found wherever they stand, so that a pod is judged alike by itself, in the template of any workload, in a
custom resource that wraps one, and as the value of a patch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.facts.http.bodies import BodyUnclear
from gateway.facts.kubernetes.info import Info
from gateway.model import Effect

STEPS = 100_000
OPERATIONS = 1_000
_DEEP = 100
_TRUE = frozenset(
    {
        "privileged",
        "hostNetwork",
        "hostPID",
        "hostIPC",
        "hostProcess",
        "hostUsers",
        "allowPrivilegeEscalation",
    }
)
_PRESENT = frozenset({"hostPath", "hostPort", "flexVolume", "gitRepo", "externalIPs"})
_CAPABILITIES = """
    AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT
"""
_BASELINE_CAPABILITIES = frozenset(_CAPABILITIES.split())
_SYSCTLS = """
    kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start net.ipv4.tcp_syncookies
    net.ipv4.ping_group_range net.ipv4.ip_local_reserved_ports net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout
    net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes
"""
_BASELINE_SYSCTLS = frozenset(_SYSCTLS.split())
_PROFILES = frozenset({"seccompProfile", "appArmorProfile"})
_SECRET_SOURCES = frozenset({"secretKeyRef", "secretRef", "secretName", "serviceAccountToken"})
_COUNTS = frozenset({"replicas", "minReplicas", "parallelism"})
_OWN = frozenset({"spec", "data", "binaryData", "subsets", "webhooks"})


def deeds(info: Info, value: Any) -> set[Effect]:
    """What the object does beside being written. Raises `BodyUnclear` where it is too much to read."""
    if isinstance(value, list):
        if len(value) > OPERATIONS:
            raise BodyUnclear("the patch has too many operations")
        found: set[Effect] = set()
        for operation in value:
            found |= _patch(info, operation)
        return found
    found = _walked(info, value)
    if info.subresource == "scale" and info.verb == "update" and not _replicas(value):
        found.add(Effect.DESTRUCTIVE)  # what is left out is 0
    return found


def _replicas(value: Any) -> Any:
    spec = value.get("spec") if isinstance(value, Mapping) else None
    return spec.get("replicas") if isinstance(spec, Mapping) else None


def _patch(info: Info, operation: Any) -> set[Effect]:
    """One operation of a JSON patch (RFC 6902)."""
    if not isinstance(operation, Mapping) or not isinstance(operation.get("path"), str):
        raise BodyUnclear("an operation of the patch has no path")
    match operation.get("op"):
        case "test":
            return set()
        case "move" | "copy":
            raise BodyUnclear("the patch moves parts of the object")
        case "remove":
            whole: Any = None
        case "add" | "replace":
            whole = operation.get("value")
        case _:
            raise BodyUnclear("the patch has an operation that is not known")
    at = operation["path"]
    parts = [part.replace("~1", "/").replace("~0", "~") for part in at.split("/")[1:]]
    if len(parts) > _DEEP:
        raise BodyUnclear("the object is too large to read")
    for part in reversed(parts):
        whole = {part: whole}
    found = _walked(info, whole)
    if at.startswith("/metadata/finalizers/") and operation["op"] != "add":
        found.add(Effect.DESTRUCTIVE)
    return found


def _walked(info: Info, value: Any) -> set[Effect]:
    found: set[Effect] = set()
    for path, key, each in _members(value):
        if _past_baseline(key, each):
            found |= {Effect.PRIVILEGE, Effect.EXEC}
        if _reads_secrets(path, key, each):
            found.add(Effect.EXFIL)
        if path[-1:] == ("metadata",) and key in {"labels", "annotations"} and isinstance(each, Mapping):
            found |= _marked(each)
        if _loses(info, path, key, each):
            found.add(Effect.DESTRUCTIVE)
        if _chooses_a_node(info, path, key, each):
            found |= {Effect.PRIVILEGE, Effect.EXEC}
    return found


def _past_baseline(key: str, value: Any) -> bool:
    """What the Baseline pod security standard forbids, and privilege escalation where it is asked for."""
    if key in _TRUE:
        return value is not False and value is not None
    if key in _PRESENT:
        return bool(value)
    match key:
        case "procMount":
            return value not in (None, "", "Default")
        case "capabilities":
            return isinstance(value, Mapping) and _beyond(value.get("add"), _BASELINE_CAPABILITIES)
        case "sysctls":
            names = (
                [each.get("name") for each in value if isinstance(each, Mapping)]
                if isinstance(value, list)
                else []
            )
            return any(name not in _BASELINE_SYSCTLS for name in names)
        case "seLinuxOptions":
            return isinstance(value, Mapping) and (
                bool(value.get("user") or value.get("role"))
                or str(value.get("type") or "container_t")
                not in {"container_t", "container_init_t", "container_kvm_t"}
            )
        case _:
            return key in _PROFILES and isinstance(value, Mapping) and value.get("type") == "Unconfined"


def _chooses_a_node(info: Info, path: tuple[str, ...], key: str, value: Any) -> bool:
    """A pod put on a node past the scheduler, or a volume that is a folder of one."""
    if key == "nodeName" and path[-1:] == ("spec",):
        return bool(value) and (info.resource, info.verb) != ("pods", "update")  # which cannot change it
    return info.resource == "persistentvolumes" and path == ("spec",) and key == "local"


def _beyond(capabilities: Any, allowed: frozenset[str]) -> bool:
    return isinstance(capabilities, list) and any(
        str(each).upper().removeprefix("CAP_") not in allowed for each in capabilities
    )


def _reads_secrets(path: tuple[str, ...], key: str, value: Any) -> bool:
    """Secrets as files or variables, and tokens of service accounts that are named or mounted."""
    if key in _SECRET_SOURCES or (key == "serviceAccountName" and value not in (None, "", "default")):
        return path[-1:] != ("tls",)  # an ingress names the certificate it serves
    return key == "secret" and isinstance(value, Mapping) and path[-1:] in {("volumes",), ("sources",)}


def _marked(marks: Mapping[Any, Any]) -> set[Effect]:
    """Labels and annotations that controllers take for orders."""
    found: set[Effect] = set()
    for key, value in marks.items():
        name, text = str(key).lower(), str(value).lower()
        if name.startswith("pod-security.kubernetes.io/") and text != "restricted":
            found.add(Effect.PRIVILEGE)
        if name.startswith(("container.apparmor.", "seccomp.security.")) and text == "unconfined":
            found |= {Effect.PRIVILEGE, Effect.EXEC}
        if name.startswith(("eks.amazonaws.com/role", "iam.gke.io/", "azure.workload.identity/")):
            found.add(Effect.PRIVILEGE)
        if name.endswith("-snippet"):
            found.add(Effect.EXEC)
    return found


def _loses(info: Info, path: tuple[str, ...], key: str, value: Any) -> bool:
    if key == "$patch":
        return value in {"delete", "replace"}
    if path == ("spec",) and key in _COUNTS:
        return value in (0, "0", None)
    if path == ("metadata",) and key == "finalizers":
        return not value
    if key == "$deleteFromPrimitiveList/finalizers" or (key == "$retainKeys" and len(path) < 2):
        return True
    if path == ("metadata",) and key == "ownerReferences":
        return True
    if path == () and key in _OWN:
        return value is None
    if info.resource == "nodes" and path == ("spec",):
        return key == "taints" or (key == "unschedulable" and bool(value))
    return False


def wraps(value: Any) -> bool:
    """Whether a custom resource holds a pod or a whole manifest, of which its controller makes what it likes."""
    return any(
        key in {"containers", "initContainers", "podSpec", "podTemplate"}
        or (isinstance(each, str) and "kind:" in each and "apiVersion:" in each)
        for _, key, each in _members(value)
    )


def _members(value: Any) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Every member with the keys above it. Raises `BodyUnclear`."""
    steps = 0
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while waiting:
        path, found = waiting.pop()
        steps += 1
        if steps > STEPS or len(path) > _DEEP:
            raise BodyUnclear("the object is too large to read")
        if isinstance(found, Mapping):
            for key, each in found.items():
                yield path, str(key), each
                if isinstance(each, Mapping | list):
                    waiting.append(((*path, str(key)), each))
        elif isinstance(found, list):
            waiting += [(path, each) for each in found if isinstance(each, Mapping | list)]
