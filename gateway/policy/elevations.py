"""The section of the file that says which elevations may be asked for, of whom, and for how long at most."""

from __future__ import annotations

from gateway.model import Effect
from gateway.policy import tree
from gateway.policy.conditions import Declared
from gateway.policy.globs import Globs, is_glob
from gateway.policy.model import HOUR, Holding, Offer
from gateway.policy.reader import Look, suggestion
from gateway.policy.rules import holding
from gateway.policy.values import effect, given, name_is_free, pattern

DAY_MOST = 24 * HOUR
"""No elevation is longer: what is needed for days is a rule."""


def offers(look: Look, declared: Declared) -> tuple[Offer, ...]:
    if not isinstance(look.node, tree.Sequence):
        look.fault("this must be a list of elevations; begin each with `- name: ...`")
        return ()
    found: list[Offer] = []
    taken: dict[str, int] = {}
    for entry in look.items():
        keys = entry.fields(
            ("name", "connections", "agents", "effects", "longest", "commands", "hold"),
            required=("name", "effects", "hold"),
        )
        name = given(keys, "name", Look.text, "")
        if name and name_is_free(keys["name"], name, taken):
            taken[name] = entry.node.line
        asked = given(keys, "hold", lambda look: holding(look, declared), Holding())
        longest = given(keys, "longest", Look.duration, HOUR)
        if longest > DAY_MOST:
            keys["longest"].fault("an elevation lasts a day at most; what is needed for longer is a rule")
        connections = given(
            keys, "connections", lambda look: look.each(lambda each: _connection(each, declared)), None
        )
        agents = given(keys, "agents", lambda look: look.each(pattern), None)
        found.append(
            Offer(
                name=name,
                effects=frozenset(map(Effect, given(keys, "effects", lambda look: look.each(effect), ()))),
                connections=None if connections is None else Globs(connections),
                agents=None if agents is None else Globs(agents),
                asks=asked.asks,
                message=asked.message,
                within=asked.within,
                longest=longest,
                commands=given(keys, "commands", lambda look: look.integer(least=1, most=1_000_000), 100),
            )
        )
    return tuple(found)


def _connection(look: Look, declared: Declared) -> str:
    name = pattern(look)
    if name and not is_glob(name) and name not in declared.targets:
        look.fault(f"the connection `{name[:60]}` is not declared{suggestion(name, declared.targets)}")
    return name
