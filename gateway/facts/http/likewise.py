"""What HTTP requests of one shape have in common: everything but which item of a list is meant.

An id is a number, a UUID, or a long key behind a list's name in the path, or the value of a parameter that is called so;
another one is of the same kind. Names are no ids: `/servers/db-1` is that server. Where an item is a secret or a right, it
stays. The body and all headers that could matter are the same to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

from gateway.facts.http.request import Request
from gateway.model import Effect, Facts, Resource, Shape

_IDS = {
    "{number}": (re.compile(r"[0-9]{1,20}"), "42"),
    "{uuid}": (
        re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
        "6f1c2d3e-0a1b-4c2d-8e3f-001122334455",
    ),
    "{hex}": (re.compile(r"(?=[a-f]*[0-9])[0-9a-f]{16,64}"), "0123456789abcdef"),
}
_PREFIXED = re.compile(r"([a-z]{2,8}_)(?=[A-Za-z]*[0-9])[A-Za-z0-9]{8,64}")
_LIST = re.compile(r"[A-Za-z][A-Za-z_-]*")
_NAMED_AS_ID = re.compile(r"(?:.*_)?id|.*[a-z]I[dD]|page")
_STAYS = frozenset({Effect.EXFIL, Effect.PRIVILEGE, Effect.EXEC, Effect.UNKNOWN})
_SAYS_NOTHING = frozenset(
    """
    content-length user-agent accept accept-encoding accept-language date traceparent tracestate x-request-id
    x-correlation-id idempotency-key
    """.split()  # noqa: SIM905
)
"""Headers that may be others each time."""


def shape(request: Request, facts: Facts) -> Shape | None:
    """What the request has in common with those for other items."""
    free = not facts.effects & _STAYS
    path, other_path = _path(request, free=free)
    query, other_query = _query(request, free=free)
    key = [request.method, path, query, carried(request), sha256(request.body).hexdigest()]
    key += [f"{name}={value}" for name, value in sorted(facts.attributes.items()) if name != "http.path"]
    body = " with the same body" if request.body else ""
    passes = f"{request.method} {other_path}{other_query}{body}"
    return Shape(
        key="\0".join(key),
        things=tuple(_thing(each, request, path) for each in facts.resources),
        words=f"{request.method} {path}{query}{body}",
        passes="" if (path, query) == (other_path, other_query) else passes,
        stops=f"{'GET' if request.method == 'DELETE' else 'DELETE'} {other_path}{other_query}{body}",
    )


def carried(request: Request) -> str:
    """Its headers, but for those that say nothing and those that are not passed on."""
    dropped = _SAYS_NOTHING | {name.lower() for name in request.sanitised}
    kept = sorted(f"{name}: {value}" for name, value in request.headers if name not in dropped)
    return "\n".join(kept)


def _path(request: Request, *, free: bool) -> tuple[str, str]:
    """The path with a word for each id, and with other ids."""
    if not request.segments:
        return request.path, request.path
    shown: list[str] = []
    others: list[str] = []
    before = ""
    for segment in request.segments:
        kind, other = _id(segment) if free and _LIST.fullmatch(before) else ("", "")
        shown.append(kind or segment)
        others.append(other or segment)
        before = segment
    end = "/" if request.path.endswith("/") else ""
    return "/" + "/".join(shown) + end, "/" + "/".join(others) + end


def _query(request: Request, *, free: bool) -> tuple[str, str]:
    shown, others = [], []
    for name, value in request.query:
        kind, other = _id(value) if free and _NAMED_AS_ID.fullmatch(name) else ("", "")
        shown.append(f"{name}={kind or value}")
        others.append(f"{name}={other or value}")
    if not shown:
        return "", ""
    return "?" + "&".join(shown), "?" + "&".join(others)


def _id(text: str) -> tuple[str, str]:
    """What kind of id it is, and another one; "" for what is none."""
    for kind, (pattern, other) in _IDS.items():
        if pattern.fullmatch(text):
            return kind, other
    prefixed = _PREFIXED.fullmatch(text)
    return (f"{prefixed[1]}{{key}}", f"{prefixed[1]}4eC39HqLyjWDarj2") if prefixed else ("", "")


def _thing(thing: Resource, request: Request, path: str) -> Resource:
    """The path itself goes by its ids' kinds, as it is and in lower case."""
    if thing.kind != "path":
        return thing
    known: Iterator[tuple[str, str]] = iter([(request.path, path), (request.path.lower(), path.lower())])
    for name, alike in known:
        if thing.name == name[:500]:
            return Resource(kind=thing.kind, name=alike, effect=thing.effect)
    return thing
