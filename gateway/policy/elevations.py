"""The section of the file that says which elevations may be asked for, of whom, and for how long at most."""

from __future__ import annotations

from typing import cast

from gateway.model import Effect
from gateway.policy import tree
from gateway.policy.conditions import MOST, Declared, resource, windows
from gateway.policy.globs import Globs, is_glob
from gateway.policy.kinds import Patterns
from gateway.policy.model import HOUR, AskedGroup, Holding
from gateway.policy.offers import Ending, Offer, Revealing, Review, Unasked
from gateway.policy.reader import Look, suggestion
from gateway.policy.rules import asked, holding
from gateway.policy.values import effect, given, group, name_is_free, pattern, person

DAY_MOST = 24 * HOUR
"""No elevation is longer: what is needed for days is a rule."""
COMMANDS_MOST = 1_000_000
OFFER = (
    "name",
    "connections",
    "agents",
    "persons",
    "groups",
    "by_hand",
    "effects",
    "resources",
    "longest",
    "commands",
    "rows",
    "ticket",
    "during",
    "outside",
    "ending",
    "reveal",
    "unasked",
    "break_glass",
    "hold",
)
UNASKED = ("longest", "commands", "rows", "per_day", "agents", "groups", "during", "outside")
REVEAL = ("columns", "detect", "to")
REVIEW = ("approvers", "quorum", "every")
ENDINGS: tuple[Ending, ...] = ("hold", "kill")


def offers(look: Look, declared: Declared) -> tuple[Offer, ...]:
    if not isinstance(look.node, tree.Sequence):
        look.fault("this must be a list of elevations; begin each with `- name: ...`")
        return ()
    taken: dict[str, int] = {}
    return tuple(_offer(entry, declared, taken) for entry in look.items())


def _offer(entry: Look, declared: Declared, taken: dict[str, int]) -> Offer:
    keys = entry.fields(OFFER, required=("name", "effects"))
    name = given(keys, "name", Look.text, "")
    if name and name_is_free(keys["name"], name, taken):
        taken[name] = entry.node.line
    deciding = [each for each in ("hold", "break_glass") if each in keys]
    if len(deciding) != 1 and isinstance(entry.node, tree.Mapping):
        entry.fault_at_key(
            "`hold` and `break_glass` are two offers, not one: people decide before, or look afterwards; split it"
            if deciding
            else "`hold` is missing; say who decides about a request"
        )
    effects = frozenset(map(Effect, given(keys, "effects", lambda look: look.each(effect), ())))
    if "reveal" in keys and Effect.READ not in effects:
        keys["reveal"].fault_at_key("what is shown is read; add `read` to `effects`")
    if "break_glass" in keys and "unasked" in keys:
        keys["unasked"].fault_at_key("where the glass is broken nobody is asked anyway; remove `unasked`")
    deciders = given(keys, "hold", lambda look: holding(look, declared), Holding(asks=()))
    longest = given(keys, "longest", _lasting, HOUR)
    commands = given(keys, "commands", _commands, 100)
    connections = given(
        keys, "connections", lambda look: look.each(lambda each: _connection(each, declared)), None
    )
    resources = given(keys, "resources", lambda look: look.each(resource), None)
    return Offer(
        name=name,
        effects=effects,
        resources=None if resources is None else Patterns(resources),
        connections=None if connections is None else Globs(connections),
        agents=given(keys, "agents", _patterns, None),
        persons=given(keys, "persons", lambda look: Globs(look.each(_person)), None),
        groups=given(keys, "groups", lambda look: _groups(look, declared), None),
        by_hand=given(keys, "by_hand", Look.flag, False),
        ticket=given(keys, "ticket", Look.flag, False),
        during=given(keys, "during", windows, None),
        outside=given(keys, "outside", windows, None),
        hold=deciders,
        longest=longest,
        commands=commands,
        rows=given(keys, "rows", _rows, None),
        ending=cast("Ending", given(keys, "ending", lambda look: look.choice(ENDINGS, "an ending"), "hold")),
        reveal=given(keys, "reveal", lambda look: _revealing(look, declared), None),
        unasked=given(
            keys, "unasked", lambda look: _unasked(look, declared, longest=longest, commands=commands), None
        ),
        break_glass=given(keys, "break_glass", lambda look: _review(look, declared), None),
    )


def _unasked(look: Look, declared: Declared, *, longest: float, commands: int) -> Unasked:
    """`{longest: 10m, commands: 5, per_day: 3}`: caps are written out, or it would be no more than a rule."""
    keys = look.fields(UNASKED, required=("longest", "commands", "per_day"))
    found = Unasked(
        longest=given(keys, "longest", _lasting, longest),
        commands=given(keys, "commands", _commands, commands),
        rows=given(keys, "rows", _rows, None),
        per_day=given(keys, "per_day", lambda look: look.integer(least=1, most=1_000), 1),
        agents=given(keys, "agents", _patterns, None),
        groups=given(keys, "groups", lambda look: _groups(look, declared), None),
        during=given(keys, "during", windows, None),
        outside=given(keys, "outside", windows, None),
    )
    for key, own, most in (("longest", found.longest, longest), ("commands", found.commands, commands)):
        if key in keys and own > most:
            keys[key].fault(f"this is more than `{key}` of the offer itself; lower it, or raise the other")
    return found


def _revealing(look: Look, declared: Declared) -> Revealing:
    """`{columns: ["*.email"], detect: [phone], to: support}`"""
    keys = look.fields(REVEAL, required=("to",))
    if not keys.keys() & {"columns", "detect"} and isinstance(look.node, tree.Mapping):
        look.fault_at_key("say what is shown: `columns`, `detect`, or both")
    detectors = declared.vocabulary.detectors | {
        custom.name for mask in declared.masks.values() for custom in mask.custom
    }

    def detector(look: Look) -> str:
        return look.choice(detectors, "a detector")

    return Revealing(
        columns=given(keys, "columns", lambda look: look.each(pattern), ()),
        detect=given(keys, "detect", lambda look: look.each(detector), ()),
        to=given(keys, "to", lambda look: _groups(look, declared), frozenset()),
    )


def _review(look: Look, declared: Declared) -> Review:
    """`{approvers: security, quorum: 2, every: 4h}`; two people unless more are asked."""
    keys = look.fields(REVIEW, required=("approvers",))
    found = asked(keys, declared)
    if "quorum" in keys and found.quorum < 2:
        keys["quorum"].fault("two people at least look at a broken glass; write 2 or more, or leave it out")
    every = given(keys, "every", Look.duration, 4 * HOUR)
    if not 60 <= every <= DAY_MOST:
        keys["every"].fault("reminders come once a minute at most and once a day at least")
    return Review(
        asks=(AskedGroup(approvers=found.approvers, quorum=max(found.quorum, 2)),),
        every=min(max(every, 60.0), DAY_MOST),
    )


def _lasting(look: Look) -> float:
    found = look.duration()
    if found > DAY_MOST:
        look.fault("an elevation lasts a day at most; what is needed for longer is a rule")
    return found


def _commands(look: Look) -> int:
    return look.integer(least=1, most=COMMANDS_MOST)


def _rows(look: Look) -> int:
    return look.integer(least=1, most=MOST)


def _patterns(look: Look) -> Globs:
    return Globs(look.each(pattern))


def _person(look: Look) -> str:
    value = pattern(look)
    return person(look) if value and not is_glob(value) else value.lower()


def _groups(look: Look, declared: Declared) -> frozenset[str]:
    return frozenset(look.each(lambda each: group(each, declared.groups)))


def _connection(look: Look, declared: Declared) -> str:
    name = pattern(look)
    if name and not is_glob(name) and name not in declared.targets:
        look.fault(f"the connection `{name[:60]}` is not declared{suggestion(name, declared.targets)}")
    return name
