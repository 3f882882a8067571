"""How the rows of a result are masked, made from its column definitions; remembered, since statements come again and again."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import Facts
from gateway.protocols.mysql import charsets
from gateway.protocols.mysql.charsets import Charset
from gateway.protocols.mysql.columns import NOT_NULL, Column, read_column
from gateway.protocols.mysql.packets import HEADER
from gateway.protocols.mysql.row_mask import RowMask, becomes_null, rules_for
from gateway.wire import Mask

_LARGEST_KEPT = 16 * 1024
"""Bytes of definitions that are remembered: a statement may name thousands of columns at length."""
_FLAGS_BEFORE_END = 5
"""Where a definition's flags are: two bytes, then the decimals and a filler of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    head: bytes
    """What comes before the rows, as the client gets it: where all values of a column become NULL it may be that."""
    mask: RowMask


class Plans:
    """Those of one session."""

    def __init__(self, *, kept: int = 256) -> None:
        self._kept = kept
        self._made: dict[tuple[bytes, bool, str, int, int], tuple[Facts, Mask, Plan]] = {}

    def plan(self, head: bytes, facts: Facts, mask: Mask, *, in_binary: bool, labels: str) -> Plan:
        """From the packets before the rows: the number of columns, their definitions and an EOF, all of them whole."""
        # By identity, which stays theirs as long as facts and mask are kept here too.
        key = (head, in_binary, labels, id(facts), id(mask))
        known = self._made.get(key)
        if known is not None:
            return known[2]
        made = _plan(head, facts, mask, in_binary=in_binary, labels=charsets.named(labels))
        if len(head) <= _LARGEST_KEPT:
            if len(self._made) >= self._kept:
                self._made.clear()
            self._made[key] = (facts, mask, made)
        return made


def definitions(head: bytes) -> list[tuple[int, int]]:
    """Where the payloads of the definitions are, in packets such as `Plans.plan` gets."""
    found: list[tuple[int, int]] = []
    pos = 0
    while pos < len(head):
        end = pos + HEADER + int.from_bytes(head[pos : pos + 3], "little")
        found.append((pos + HEADER, end))
        pos = end
    return found[1:-1]


def columns_of(head: bytes, labels: Charset) -> tuple[Column, ...]:
    return tuple(read_column(head[start:end], labels) for start, end in definitions(head))


def _plan(head: bytes, facts: Facts, mask: Mask, *, in_binary: bool, labels: Charset) -> Plan:
    columns = columns_of(head, labels)
    rules = rules_for(columns, facts, mask)
    shown = bytearray(head)
    for (_, end), column, rule in zip(definitions(head), columns, rules, strict=True):
        if becomes_null(column, rule):
            shown[end - _FLAGS_BEFORE_END] &= 0xFF ^ NOT_NULL
    return Plan(head=bytes(shown), mask=RowMask(columns, rules, mask, in_binary=in_binary))
