"""Requests that change objects: rights, guards, schema, loss, and what the object itself says."""

from __future__ import annotations

from gateway.facts.http.bodies import BodyUnclear
from gateway.facts.http.request import Request
from gateway.facts.kubernetes import objects
from gateway.facts.kubernetes.bodies import disagrees, object_of
from gateway.facts.kubernetes.info import Info
from gateway.facts.kubernetes.reading import Reading
from gateway.model import Effect

_GROUPS = """
    rbac.authorization.k8s.io admissionregistration.k8s.io apiregistration.k8s.io certificates.k8s.io
    flowcontrol.apiserver.k8s.io authentication.k8s.io authorization.k8s.io policy.networking.k8s.io
    cert-manager.io kyverno.io templates.gatekeeper.sh constraints.gatekeeper.sh security.istio.io projectcalico.org
    crd.projectcalico.org cilium.io iam.aws.amazon.com iam.cnrm.cloud.google.com
    authorization.openshift.io oauth.openshift.io security.openshift.io user.openshift.io
"""
_GUARDING_GROUPS = frozenset(_GROUPS.split())
_RESOURCES = """
    networkpolicies resourcequotas limitranges serviceaccounts podsecuritypolicies priorityclasses runtimeclasses
    securitycontextconstraints
"""
_GUARDS = frozenset(_RESOURCES.split())
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
_SCHEMA = frozenset({"customresourcedefinitions", "storageclasses", "ingressclasses", "csidrivers"})
_PASSING = frozenset({"events", "leases", "controllerrevisions"})
"""What goes and comes by itself; deleting one loses nothing."""
_PARTS = frozenset({"", "status", "scale", "approval", "resize"})
"""Subresources that are a part of their object and no more."""
_CHANGING = frozenset({"create", "update", "patch"})


def writes(request: Request, info: Info, reading: Reading) -> None:
    effects = reading.effects
    effects.add(Effect.WRITE)
    if info.group in _GUARDING_GROUPS or info.resource in _GUARDS or info.namespace in _SYSTEM:
        effects.add(Effect.PRIVILEGE)
    if info.resource in _SCHEMA:
        effects.add(Effect.DDL)
    match info.resource, info.subresource:
        case "pods", "ephemeralcontainers":
            effects.add(Effect.EXEC)
        case ("pods", "eviction") | ("namespaces", "finalize"):
            effects.add(Effect.DESTRUCTIVE)
            return
        case ("pods", "binding") | ("bindings", _):
            effects.add(Effect.PRIVILEGE)
            return
        case "serviceaccounts", "token":
            effects |= {Effect.EXFIL, Effect.PRIVILEGE}
            return
        case _, part if part not in _PARTS:
            reading.doubt("the subresource is not known here")
    if info.verb == "deletecollection" or (info.verb == "delete" and info.resource not in _PASSING):
        effects.add(Effect.DESTRUCTIVE)
    if info.verb in _CHANGING:
        try:
            _object(request, info, reading)
        except BodyUnclear as why:
            reading.doubt(str(why))


def _object(request: Request, info: Info, reading: Reading) -> None:
    """Raises `BodyUnclear`."""
    value = object_of(request)
    if value is None:
        reading.doubt("the object that is to be written is missing")
        return
    reading.effects |= objects.deeds(info, value)
    if why := disagrees(info, value):
        reading.doubt(why)
    if _is_custom(info.group) and objects.wraps(value):
        reading.doubt("a controller makes pods or other objects of it")
    if info.resource == "nodes" and not info.subresource and not _plain_for_a_node(value):
        reading.effects.add(Effect.PRIVILEGE)


def _is_custom(group: str) -> bool:
    return "." in group and not group.endswith(".k8s.io")


def _plain_for_a_node(value: object) -> bool:
    """Labels and annotations, or whether pods may be put there: cordon is destructive, uncordon nothing more."""
    if not isinstance(value, dict):
        return False
    spec = value.get("spec", {})
    return (
        value.keys() <= {"metadata", "spec"} and isinstance(spec, dict) and spec.keys() <= {"unschedulable"}
    )
