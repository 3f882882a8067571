"""Small checks that compose into the shape of a JSON value, reporting as Slack does.

A check looks at a value and appends `Problem`s with a JSON pointer; it never raises, whatever it
is given. `blockkit.py` builds the whole of Block Kit out of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and where (RFC 6901 pointer)."""

    message: str
    pointer: str

    def __str__(self) -> str:
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"


Problems = list[Problem]
Check = Callable[[object, str, Problems], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The fields of an object: which exist, which must be there. Others are rejected."""

    fields: Mapping[str, Check]
    required: Collection[str] = ()
    rules: tuple[Check, ...] = field(default=())

    def __call__(self, value: object, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.append(Problem("must provide an object", at))
            return
        for name in self.required:
            if name not in value:
                problems.append(Problem(f"missing required field: {name}", at))
        for name, given in value.items():
            check = self.fields.get(name)
            if check is None:
                problems.append(Problem(f"invalid additional property: {name}", at))
            else:
                check(given, f"{at}/{name}", problems)
        for rule in self.rules:
            rule(value, at, problems)


def string(most: int, *, least: int = 0, pattern: str = "") -> Check:
    """A string of `least` to `most` characters that matches `pattern` as a whole."""
    wanted = re.compile(pattern) if pattern else None

    def check(value: object, at: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.append(Problem("must provide a string", at))
        elif len(value) > most:
            problems.append(Problem(f"must be less than {most + 1} characters", at))
        elif len(value) < least:
            problems.append(Problem(f"must be more than {least - 1} characters", at))
        elif wanted is not None and not wanted.fullmatch(value):
            problems.append(Problem("failed to match the required pattern", at))

    return check


def integer(least: int, most: int) -> Check:
    def check(value: object, at: str, problems: Problems) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            problems.append(Problem("must provide an integer", at))
        elif not least <= value <= most:
            problems.append(Problem(f"must be between {least} and {most}", at))

    return check


def number(value: object, at: str, problems: Problems) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        problems.append(Problem("must provide a number", at))


def boolean(value: object, at: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.append(Problem("must provide a boolean", at))


def anything(value: object, at: str, problems: Problems) -> None:
    """For the places whose content is not ours to judge."""


def one_of(*allowed: str) -> Check:
    def check(value: object, at: str, problems: Problems) -> None:
        if value not in allowed:
            problems.append(Problem(f"must be one of: {', '.join(allowed)}", at))

    return check


def array(item: Check, *, least: int = 0, most: int) -> Check:
    """A list of `least` to `most` items."""

    def check(value: object, at: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.append(Problem("must provide an array", at))
            return
        if len(value) > most:
            problems.append(Problem(f"no more than {most} items allowed", at))
            return
        if len(value) < least:
            problems.append(Problem(f"no fewer than {least} items allowed", at))
        for number_, one in enumerate(value):
            item(one, f"{at}/{number_}", problems)

    return check


def nullable(item: Check) -> Check:
    def check(value: object, at: str, problems: Problems) -> None:
        if value is not None:
            item(value, at, problems)

    return check


def by_type(kinds: Mapping[str, Check], *, what: str) -> Check:
    """An object whose `type` chooses its shape."""

    def check(value: object, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.append(Problem("must provide an object", at))
            return
        kind = value.get("type")
        shape = kinds.get(kind) if isinstance(kind, str) else None
        if shape is None:
            problems.append(Problem(f"unsupported type: {what} {kind!s:.80}", f"{at}/type"))
            return
        shape(value, at, problems)

    return check


def at_least_one(*names: str) -> Check:
    """A rule on an object: one of these fields must be there."""

    def check(value: object, at: str, problems: Problems) -> None:
        if isinstance(value, dict) and not any(name in value for name in names):
            problems.append(Problem(f"missing required field: {' or '.join(names)}", at))

    return check


def not_both(first: str, second: str) -> Check:
    """A rule on an object: these two fields exclude each other."""

    def check(value: object, at: str, problems: Problems) -> None:
        if isinstance(value, dict) and first in value and second in value:
            problems.append(Problem(f"{first} and {second} cannot both be specified", at))

    return check
