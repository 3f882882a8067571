"""What Kubernetes requests of one shape have in common: everything but the name of the object.

Verb, resource, namespace, parameters and the object itself stay. So does the name of what is no part of a namespace, of a
secret, a right or a definition; a pod that something runs in may be another pod of the same workload only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.facts.http.bodies import BodyUnclear
from gateway.facts.http.likewise import carried
from gateway.facts.http.request import Request
from gateway.facts.kubernetes.bodies import object_of
from gateway.facts.kubernetes.info import Info, InfoUnclear, info_of
from gateway.model import Effect, Facts, Resource, Shape

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_ANY_NAME = frozenset({Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE, Effect.SESSION})
_OF_A_WORKLOAD = re.compile(r"([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)-[bcdf0-9g-z]{6,10}-[bcdf0-9g-z]{5}")
"""A name that a Deployment's ReplicaSet made: no vowels, and no 0, 1 or 3 in the last part."""
_OTHER = "another"


def shape(request: Request, facts: Facts) -> Shape | None:
    """What the request has in common with those for other objects; None where that cannot be told."""
    try:
        info = info_of(request)
        value = object_of(request)
    except (InfoUnclear, BodyUnclear):
        return None
    if not info.resource:
        return None
    name, other = _name(info, facts)
    if name != info.name and any(part == info.name for _, part in request.query):
        name = other = info.name  # a selector says it, too
    told = replace(info, name=name)
    query = "&".join(f"{key}={part}" for key, part in request.query)
    query = f"?{query}" if query else ""
    key = [repr(told), request.method, query, carried(request), _body(info, value, free=name != info.name)]
    key += [f"{each}={said}" for each, said in sorted(facts.attributes.items()) if each != "k8s.name"]
    things = tuple(_thing(each, info, told) for each in facts.resources)
    place = " with the same object" if request.body else ""
    part = f"/{info.subresource}" if info.subresource else ""
    elsewhere = replace(info, name=other, namespace=f"{info.namespace or 'a'}-other")
    return Shape(
        key="\0".join(key),
        things=things,
        words=f"{info.verb} {told.thing}{part}{query}{place}",
        passes=""
        if name == info.name
        else f"{info.verb} {replace(info, name=other).thing}{part}{query}{place}",
        stops=f"{info.verb} {elsewhere.thing}{part}{query}{place}",
    )


def _name(info: Info, facts: Facts) -> tuple[str, str]:
    """The name as far as it stays, and another one."""
    if not info.namespace or info.resource == "namespaces" or not _NAME.fullmatch(info.name):
        return info.name, info.name
    if facts.effects <= _ANY_NAME:
        return "*", _OTHER
    made = _OF_A_WORKLOAD.fullmatch(info.name)
    if made is not None and info.resource == "pods" and facts.effects <= _ANY_NAME | {Effect.EXEC}:
        return f"{made[1]}-*", f"{made[1]}-7d4b9c8f6d-x2x4z"
    return info.name, info.name


def _body(info: Info, value: Any, *, free: bool) -> str:
    """The object, but for its own name where that is the path's."""
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    if free and isinstance(metadata, Mapping) and metadata.get("name") == info.name:
        value = {**value, "metadata": {**metadata, "name": "*"}}
    return json.dumps(value, sort_keys=True, default=repr)


def _thing(thing: Resource, info: Info, told: Info) -> Resource:
    if thing.kind == "k8s" and thing.name == info.thing[:500]:
        return Resource(kind=thing.kind, name=told.thing, effect=thing.effect)
    return thing
