"""Scopes: connections and the effects a token may use there, in the three forms they are written in.

A value is `gateway.model.Scope`. As text it is OAuth's `scope`: `orders:read,write shop:read`. As JSON it is
`authorization_details` (RFC 9396): `[{"type": "countersign_connection", "identifier": "orders", "actions": ["read"]}]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gateway.identity.json_strictly import NotJson, read
from gateway.model import Effect, Effects, Scope

DETAILS_TYPE = "countersign_connection"
CONNECTIONS = 100
"""Connections that one scope may name."""
TEXT_CHARACTERS = 8_192

_CONNECTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_DETAIL_KEYS = frozenset({"type", "identifier", "actions"})


class ScopeMalformed(Exception):
    """Text or details that are not a scope; the message names the fix."""


def parse(text: str) -> Scope:
    """`orders:read,write shop:read`; the same connection twice means both. Raises `ScopeMalformed`."""
    if len(text) > TEXT_CHARACTERS:
        raise ScopeMalformed(f"the scope is longer than {TEXT_CHARACTERS} characters: name fewer connections")
    pairs: list[tuple[str, list[str]]] = []
    for part in text.split():
        connection, colon, effects = part.partition(":")
        if not colon or not effects:
            raise ScopeMalformed(
                f"{part!r} names no effects: write it as {connection or 'orders'}:read,write"
            )
        pairs.append((connection, effects.split(",")))
    return _scope(pairs)


def parse_details(text: str) -> Scope:
    """`authorization_details` as they arrive in a form. Raises `ScopeMalformed`."""
    if len(text) > TEXT_CHARACTERS:
        raise ScopeMalformed(f"authorization_details are longer than {TEXT_CHARACTERS} characters")
    try:
        details = read(text.encode("utf-8", "surrogatepass"))
    except NotJson:
        raise ScopeMalformed(
            "authorization_details are not JSON, or an object in them repeats a key"
        ) from None
    return from_details(details)


def from_details(details: Any) -> Scope:
    """A decoded `authorization_details` list. Raises `ScopeMalformed` for what it does not know: RFC 9396 §5."""
    if not isinstance(details, list):
        raise ScopeMalformed("authorization_details must be a list of objects")
    pairs: list[tuple[str, list[str]]] = []
    for detail in details:
        match detail:
            case {"type": str(kind), "identifier": str(connection), "actions": list(actions)} if (
                kind == DETAILS_TYPE
                and detail.keys() == _DETAIL_KEYS
                and all(isinstance(a, str) for a in actions)
            ):
                pairs.append((connection, actions))
            case _:
                raise ScopeMalformed(
                    "each of authorization_details must be exactly "
                    f'{{"type": "{DETAILS_TYPE}", "identifier": CONNECTION, "actions": [EFFECT, ...]}}'
                )
    return _scope(pairs)


def text(scope: Scope) -> str:
    """The short form, sorted: equal scopes give equal text."""
    return " ".join(f"{name}:{','.join(sorted(effects))}" for name, effects in sorted(scope.items()))


def details(scope: Scope) -> list[dict[str, Any]]:
    """RFC 9396's form, sorted."""
    return [
        {"type": DETAILS_TYPE, "identifier": name, "actions": sorted(effects)}
        for name, effects in sorted(scope.items())
    ]


def within(outer: Scope, inner: Scope) -> Scope:
    """What both scopes have: never more than either."""
    common = {name: effects & outer[name] for name, effects in inner.items() if name in outer}
    return {name: effects for name, effects in common.items() if effects}


def excess(outer: Scope, inner: Scope) -> Scope:
    """What `inner` has and `outer` does not; empty exactly when `inner` is a subset."""
    nothing: Effects = frozenset()
    beyond = {name: effects - outer.get(name, nothing) for name, effects in inner.items()}
    return {name: effects for name, effects in beyond.items() if effects}


def _scope(pairs: Iterable[tuple[str, list[str]]]) -> Scope:
    scope: dict[str, Effects] = {}
    for connection, words in pairs:
        if not _CONNECTION.fullmatch(connection):
            raise ScopeMalformed(f"{connection[:80]!r} cannot be a connection's name")
        scope[connection] = scope.get(connection, frozenset()) | frozenset(map(_effect, words))
        if not scope[connection]:
            raise ScopeMalformed(f"{connection} has no effects: name at least one")
    if len(scope) > CONNECTIONS:
        raise ScopeMalformed(f"the scope names more than {CONNECTIONS} connections: name fewer")
    return scope


def _effect(word: str) -> Effect:
    try:
        return Effect(word)
    except ValueError:
        known = ", ".join(Effect)
        raise ScopeMalformed(f"{word[:80]!r} is no effect: use {known}") from None
