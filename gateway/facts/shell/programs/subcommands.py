"""Tables of subcommands: the words behind a tool's name, and the effects that they have."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call
from gateway.model import Effect

R = Effect.READ
W = Effect.WRITE
D = Effect.DESTRUCTIVE
P = Effect.PRIVILEGE
X = Effect.EXEC
E = Effect.EXFIL
U = Effect.UNKNOWN

Table = Mapping[str, tuple[Effect, ...]]


def table(*rows: tuple[str, tuple[Effect, ...]]) -> Table:
    return {word: effects for parts, effects in rows for word in parts.split()}


def judge(call: Call, table: Table, *parts: str) -> tuple[Effect, ...]:
    """The longest of the subcommand's parts that the table knows decides; none is unknown."""
    for length in range(min(len(parts), 3), 0, -1):
        key = "/".join(parts[:length])
        if key in table:
            call.add(*table[key])
            return table[key]
    if not parts:
        call.add(R)
    else:
        call.doubt("a subcommand is not known")
    return ()
