"""A strict look at one node: asked for what it should be, it answers or notes the fault and where it stands.

After a fault reading goes on with a stand-in value, so that one look finds as many faults as possible; nothing
that was read is used where there was any.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.policy import tree

DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)")
SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
SIZE = re.compile(r"([0-9]{1,12})(KiB|MiB|GiB)?")
BYTES = {None: 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with the file, or doubtful about it. Line and column count from 1."""

    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        """One line, with nothing in it that a terminal would obey."""
        told = f"{self.key}: {self.message}" if self.key else self.message
        return f"{self.line}:{self.column}: " + "".join(
            each if each.isprintable() else f"\\u{ord(each):04x}" for each in told
        )


Place: TypeAlias = tuple[int, int]


def suggestion(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about `word`: the one of `known` that is close, else all of them."""
    names = sorted(set(known))
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold()[:100], folded, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{folded[close[0]]}`?"
    if not names:
        return ""
    return f"; one of: {', '.join(names[:20])}" + (", ..." if len(names) > 20 else "")


@dataclass(slots=True, kw_only=True)
class Look:
    """One node, the path of keys that leads to it, and where faults are noted."""

    node: tree.Node
    path: str
    faults: list[Fault] = field(repr=False)
    places: dict[str, Place] = field(repr=False)
    """Path of keys -> line and column, for what is said about the file later."""
    key: tree.Scalar | None = None
    """The key it stands under, for faults that concern the key."""

    def fault(self, message: str) -> None:
        # Where nothing stands, the parser's place for it is that of whatever comes next.
        absent = isinstance(self.node, tree.Scalar) and self.node.value is None
        at = self.key if absent and self.key is not None else self.node
        self.faults.append(Fault(at.line, at.column, self.path, message))

    def fault_at_key(self, message: str) -> None:
        at = self.key or self.node
        self.faults.append(Fault(at.line, at.column, self.path, message))

    # mappings and lists

    def fields(self, known: Collection[str], *, required: Collection[str] = ()) -> dict[str, Look]:
        """The entries of a mapping whose keys are fixed; unknown and missing ones are faults."""
        found: dict[str, Look] = {}
        for name, look in self._entries().items():
            if name in known:
                found[name] = look
            else:
                look.fault_at_key(f"unknown key `{name[:60]}`{suggestion(name, known)}")
        for name in required:
            if name not in found and isinstance(self.node, tree.Mapping):
                self.fault_at_key(f"`{name}` is missing; add it")
        return found

    def entries(self, what: str) -> dict[str, Look]:
        """The entries of a mapping whose keys are names of the operator's own choosing."""
        found = self._entries()
        for name, look in found.items():
            if not NAME.fullmatch(name):
                look.fault_at_key(
                    f"`{name[:60]}` cannot name {what}; use letters, digits and `-_.@`, at most 100, no blank"
                )
        return found

    def pairs(self) -> dict[str, Look]:
        """The entries of a mapping whose keys may be any text."""
        return self._entries()

    def items(self) -> list[Look]:
        """A list's items; a single value counts as a list of one."""
        match self.node:
            case tree.Sequence(items=items):
                if not items:
                    self.fault("this list is empty; leave the key out instead")
                return [self._below(item, f"{self.path}[{at}]", None) for at, item in enumerate(items)]
            case _:
                return [self]

    def _entries(self) -> dict[str, Look]:
        if not isinstance(self.node, tree.Mapping):
            self.fault(f"this must be a mapping (`key: value`), not {_shown(self.node)}")
            return {}
        found: dict[str, Look] = {}
        for key, value in self.node.entries:
            name = key.value if isinstance(key.value, str) else _plain(key.value)
            look = self._below(value, f"{self.path}.{name}" if self.path else name, key)
            if name == "<<":
                look.fault_at_key(
                    "merge keys are not understood; a policy is written out: repeat the keys here"
                )
            elif name in found:
                look.fault_at_key(
                    f"`{name}` is already there, in line {(found[name].key or found[name].node).line}; remove one of the two"
                )
            else:
                found[name] = look
        return found

    def _below(self, node: tree.Node, path: str, key: tree.Scalar | None) -> Look:
        self.places.setdefault(path, ((key or node).line, (key or node).column))
        return Look(node=node, path=path, faults=self.faults, places=self.places, key=key)

    # single values

    def text(self, *, empty: str = "") -> str:
        """Text that is not blank. `empty` says what to write instead."""
        if isinstance(self.node, tree.Scalar) and isinstance(self.node.value, str):
            if self.node.value.strip():
                return self.node.value
            self.fault(f"this is empty; {empty or 'write something or leave the key out'}")
        elif isinstance(self.node, tree.Scalar) and self.node.value is not None:
            self.fault(f"this must be text, not {_shown(self.node)}; put it in quotes")
        else:
            self.fault(
                f"this must be text, not {_shown(self.node)}; {empty or 'write something or leave the key out'}"
            )
        return ""

    def flag(self) -> bool:
        if isinstance(self.node, tree.Scalar) and isinstance(self.node.value, bool):
            return self.node.value
        self.fault(f"this must be true or false, not {_shown(self.node)}")
        return False

    def integer(self, *, least: int, most: int) -> int:
        value = self.node.value if isinstance(self.node, tree.Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool):
            if least <= value <= most:
                return value
            self.fault(f"{value} is out of range; write a number from {least} to {most}")
        else:
            self.fault(f"this must be a whole number, not {_shown(self.node)}")
        return least

    def duration(self) -> float:
        """`90s`, `15m`, `2h`, `30d`, in seconds."""
        value = self.node.value if isinstance(self.node, tree.Scalar) else None
        parsed = DURATION.fullmatch(value) if isinstance(value, str) else None
        if parsed is None or int(parsed[1]) == 0:
            hint = (
                f"; did you mean `{value}s`?"
                if isinstance(value, int) and not isinstance(value, bool)
                else ""
            )
            self.fault(f"this must be a duration such as 90s, 15m, 2h or 30d, not {_shown(self.node)}{hint}")
            return 1.0
        return int(parsed[1]) * SECONDS[parsed[2]]

    def size(self) -> int:
        """`16MiB`, `64KiB`, or plain bytes."""
        value = self.node.value if isinstance(self.node, tree.Scalar) else None
        parsed = (
            SIZE.fullmatch(str(value))
            if isinstance(value, str | int) and not isinstance(value, bool)
            else None
        )
        if parsed is None or int(parsed[1]) == 0:
            self.fault(
                f"this must be a size such as 64KiB, 16MiB or 1GiB, or a number of bytes, not {_shown(self.node)}"
            )
            return 1
        return int(parsed[1]) * BYTES[parsed[2]]

    def choice(self, known: Collection[str], what: str) -> str:
        """One of `known`; `what` says what they are: "an effect"."""
        value = self.text()
        if value and value not in known:
            self.fault(f"`{value[:60]}` is not {what}{suggestion(value, known)}")
            return ""
        return value

    def each(self, read: Callable[[Look], str]) -> tuple[str, ...]:
        """`read` over the items of a list; the same value twice is a fault."""
        seen: dict[str, None] = {}
        for item in self.items():
            value = read(item)
            if value in seen:
                item.fault(f"`{value}` is already in this list; remove one of the two")
            elif value:
                seen[value] = None
        return tuple(seen)


def _plain(value: str | float | bool | None) -> str:  # noqa: FBT001 - a YAML scalar of any kind
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _shown(node: tree.Node) -> str:
    match node:
        case tree.Sequence():
            return "a list"
        case tree.Mapping():
            return "a mapping"
        case tree.Scalar(value=None):
            return "nothing"
        case tree.Scalar(value=str(text)):
            return f"the text `{text[:40]}`"
        case tree.Scalar(value=value):
            return f"`{_plain(value)}`"
