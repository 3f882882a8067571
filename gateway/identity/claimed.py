"""What a claim says, where it may stand within another: `kubernetes.io/serviceaccount/name`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SEPARATOR = "/"
VALUES = 1_000
"""Of a list: more groups than anybody is in."""


def texts(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The claim as it is compared: one text, those of a list, or none where there is nothing of the kind.

    A name with a separator may be a claim's own or a way to one. Where it is both, nobody can tell which was meant,
    and it says nothing.
    """
    whole, within = claims.get(path), _within(claims, path.split(SEPARATOR))
    if SEPARATOR in path and whole is not None and within is not None:
        return ()
    return _texts(whole if whole is not None else within)


def _within(claims: Mapping[str, Any], names: list[str]) -> Any:
    value: Any = claims
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    match value:
        case bool():
            return ("true" if value else "false",)
        case str():
            return (value,)
        case int():
            return (str(value),)
        case list():
            return tuple(each for each in value[:VALUES] if isinstance(each, str))
        case _:
            return ()
