"""Truths of conditions, and comparisons whose truth is the same for every row."""

from __future__ import annotations

import math
from enum import Enum


class Truth(Enum):
    ALL = "all"
    NONE = "none"
    EITHER = "either"
    SOME = "some"


OPPOSITE = {Truth.ALL: Truth.NONE, Truth.NONE: Truth.ALL}
_HUGE = 999_999_999


def both(one: Truth, other: Truth) -> Truth:
    for truth in (Truth.NONE, Truth.SOME, Truth.EITHER):
        if truth in {one, other}:
            return truth
    return Truth.ALL


def fixed(operator: str, one: float | str, other: float | str) -> Truth:
    if type(one) is not type(other):
        one, other = str(one), str(other)
    match operator:
        case "=":
            held = one == other
        case "<>":
            held = one != other
        case "<" | "<=" | ">" | ">=" if isinstance(one, float) and isinstance(other, float):
            held = {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]
        case _:
            return Truth.EITHER
    return Truth.ALL if held else Truth.NONE


def never_fails(operator: str, value: float | str, *, key: bool, sized: bool) -> bool:
    """Whether no row fails the comparison with `value` of a row's key, or of something never negative (`sized`)."""
    if isinstance(value, str):
        return key and value in {"", "(0,0)"} and operator in {"<>", ">", ">="}
    if abs(value) == math.inf:
        return operator == "<>" or operator in ({"<", "<="} if value > 0 else {">", ">="})
    if not sized and not key:
        return False
    match operator:
        case ">" | "<>":
            return value < 0 if sized else value <= 0
        case ">=":
            return value <= 0 if sized else value <= 1
        case "<" | "<=":
            return value >= _HUGE
        case _:
            return False
