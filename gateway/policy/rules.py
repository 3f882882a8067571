"""The sections of the file that decide: rules, the default, and the examples that must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal, cast

from gateway.model import Lasting, Reach, StepUp
from gateway.policy import reminding, tree
from gateway.policy.conditions import MOST, Declared, conditions
from gateway.policy.model import (
    ANY_GROUP,
    DEFAULT_RULE,
    HOUR,
    Allowing,
    AskedGroup,
    Blocking,
    Default,
    Example,
    Holding,
    MaskPolicy,
    Rule,
    Target,
    Then,
    When,
)
from gateway.policy.moment import NOTHING, Spent
from gateway.policy.reader import Look, suggestion
from gateway.policy.values import given, group, name_is_free, person

UNMATCHED = "No rule speaks of this command; a person has to approve it."
OUTCOMES = ("allow", "hold", "block")
_JOINING = frozenset("\n\u200d")
"""Not printable, and still at home in a sentence: a new line, and what joins emoji."""
RESERVED = frozenset({DEFAULT_RULE, "scope", "connections", "token"})
"""What stands among the rules of a verdict where no rule of the file decided."""
MAX_MESSAGE = 500
MAX_QUORUM = 20
HOLD_KEYS = ("approvers", "quorum", "asks", "within", "message", "step_up", *reminding.KEYS)
REACHES = tuple(reach.value for reach in Reach)
LONGEST_WHILE = 24 * HOUR
"""No yes lasts longer: what is meant for days is a rule."""
MAX_COMMANDS = 1_000_000


def rules(look: Look, declared: Declared) -> tuple[Rule, ...]:
    if not isinstance(look.node, tree.Sequence):
        look.fault("this must be a list of rules; begin each with `- name: ...`")
        return ()
    found: list[Rule] = []
    taken: dict[str, int] = {}
    for entry in look.items():
        keys = entry.fields(("name", "when", "then", "enforce"), required=("name", "then"))
        name = given(keys, "name", Look.text, "")
        if name in RESERVED:
            keys["name"].fault(f"`{name}` is how the gateway names its own decisions; choose another name")
        elif name and name_is_free(keys["name"], name, taken):
            taken[name] = entry.node.line
        found.append(
            Rule(
                name=name,
                when=given(keys, "when", lambda look: conditions(look, declared), When()),
                then=given(keys, "then", lambda look: _then(look, declared), Blocking()),
                enforce=given(keys, "enforce", Look.flag, True),
                line=entry.node.line,
            )
        )
    return tuple(found)


def default(look: Look, declared: Declared) -> Default:
    """`hold`, `block`, `{hold: ...}` or `{block: ...}`; never `allow`."""
    if isinstance(look.node, tree.Mapping):
        then = _then(look, declared)
        if isinstance(then, Allowing):
            look.fault(
                "the default may not allow: what no rule speaks of is held or blocked; write hold or block"
            )
            return Blocking()
        return then
    match look.text():
        case "hold":
            return Holding(message=UNMATCHED)
        case "block":
            return Blocking(message="No rule of the policy allows this command.")
        case "allow":
            look.fault(
                "the default may not allow: what no rule speaks of is held or blocked; write hold or block"
            )
        case "":
            pass
        case other:
            look.fault(f"`{other[:60]}` is no default{suggestion(other, ('hold', 'block'))}")
    return Blocking()


# then


def _then(look: Look, declared: Declared) -> Then:
    keys = look.fields(("allow", "hold", "block", "mask"))
    chosen = [name for name in OUTCOMES if name in keys]
    if len(chosen) != 1:
        if isinstance(look.node, tree.Mapping):
            look.fault_at_key(
                f"one of allow, hold and block is meant, not {' and '.join(chosen)}; split the rule in two"
                if chosen
                else 'say what happens: `allow: true`, `hold: {...}` or `block: "a sentence"`'
            )
        return Blocking()
    masks = given(keys, "mask", lambda look: look.each(lambda each: _mask(each, declared.masks)), ())
    match chosen[0]:
        case "allow":
            if not keys["allow"].flag() and getattr(keys["allow"].node, "value", None) is False:
                keys["allow"].fault(
                    '`allow: false` says nothing; write `block: "a sentence"`, or remove the rule'
                )
            return Allowing(masks=masks)
        case "hold":
            return holding(keys["hold"], declared, masks=masks, also=("for_a_while",))
        case _:
            if "mask" in keys:
                keys["mask"].fault_at_key("a blocked command has no answer to mask; remove `mask`")
            return Blocking(message=_message(keys["block"]))


def holding(
    look: Look, declared: Declared, *, masks: tuple[str, ...] = (), also: tuple[str, ...] = ()
) -> Holding:
    """Who is asked, how many of them, how long, and what they are told; `also` are keys that only commands have."""
    own = Holding()
    keys = look.fields((*HOLD_KEYS, *also))
    asks: tuple[AskedGroup, ...] = ()
    if "asks" in keys:
        for name in ("approvers", "quorum"):
            if name in keys:
                keys[name].fault_at_key(
                    f"`{name}` and `asks` are two ways to say one thing; move it into `asks`"
                )
        asks = tuple(
            asked(each.fields(("approvers", "quorum"), required=("approvers",)), declared)
            for each in keys["asks"].items()
        )
        for at, ask in enumerate(asks):
            if ask.approvers and ask.approvers in {other.approvers for other in asks[:at]}:
                keys["asks"].items()[at].fault(
                    f"`{ask.approvers}` is already asked; raise its `quorum` in place of asking twice"
                )
    elif "approvers" in keys:
        asks = (asked(keys, declared),)
    elif isinstance(look.node, tree.Mapping):
        look.fault_at_key(
            '`approvers` is missing; name the group that is asked, or "*" for any declared group'
        )
    step_up = given(keys, "step_up", _step_up, None)
    within = given(keys, "within", Look.duration, own.within)
    return Holding(
        asks=tuple(replace(ask, step_up=step_up) for ask in asks),
        message=given(keys, "message", _message, own.message),
        within=within,
        masks=masks,
        lasting=given(keys, "for_a_while", _lasting, None),
        steps=reminding.steps(keys, declared, asks, within),
    )


def _lasting(look: Look) -> Lasting | None:
    """`{up_to: 1h, commands: 50, rows: 1000, what: [call, shape]}`"""
    keys = look.fields(("up_to", "commands", "rows", "what"), required=("up_to", "what"))
    longest = given(keys, "up_to", Look.duration, HOUR)
    if longest > LONGEST_WHILE:
        keys["up_to"].fault("a yes lasts a day at most; what is meant for longer is a rule")
    what = given(keys, "what", lambda look: look.each(_reach), ())
    return Lasting(
        what=frozenset(map(Reach, filter(None, what))),
        longest=longest,
        commands=given(keys, "commands", lambda look: look.integer(least=1, most=MAX_COMMANDS), 20),
        rows=given(keys, "rows", lambda look: look.integer(least=1, most=MOST), None),
    )


def _reach(look: Look) -> str:
    return look.choice(REACHES, "a reach")


def asked(keys: Mapping[str, Look], declared: Declared) -> AskedGroup:
    def approvers(look: Look) -> str:
        return ANY_GROUP if getattr(look.node, "value", None) == ANY_GROUP else group(look, declared.groups)

    return AskedGroup(
        approvers=given(keys, "approvers", approvers, ""),
        quorum=given(keys, "quorum", lambda look: look.integer(least=1, most=MAX_QUORUM), 1),
    )


def _step_up(look: Look) -> StepUp:
    keys = look.fields(("max_age", "acr"), required=("max_age",))
    return StepUp(max_age=given(keys, "max_age", Look.duration, 1.0), acr=given(keys, "acr", Look.text, ""))


def _mask(look: Look, masks: Mapping[str, MaskPolicy]) -> str:
    value = look.text()
    if value and value not in masks:
        look.fault(f"the mask `{value[:60]}` is not declared under `masks`{suggestion(value, masks)}")
        return ""
    return value


def _message(look: Look) -> str:
    value = look.text(empty="say in a sentence what the one who asked should know")
    if hidden := next(filter(_is_hidden, value), ""):
        look.fault(f"this sentence has a character that nobody sees, U+{ord(hidden):04X}; remove it")
    if len(value) > MAX_MESSAGE:
        look.fault(
            f"this sentence has {len(value)} characters; {MAX_MESSAGE} are the most that is shown everywhere"
        )
    return value


def _is_hidden(character: str) -> bool:
    return not (character.isprintable() or character in _JOINING)


# examples


def examples(look: Look, declared: Declared, found_rules: tuple[Rule, ...]) -> tuple[Example, ...]:
    if not isinstance(look.node, tree.Sequence):
        look.fault("this must be a list of examples; begin each with `- connection: ...`")
        return ()
    names = {rule.name for rule in found_rules} | {DEFAULT_RULE}

    def rule(look: Look) -> str:
        return look.choice(names, "the name of a rule")

    def listed_group(look: Look) -> str:
        return group(look, declared.groups)

    found: list[Example] = []
    for entry in look.items():
        keys = entry.fields(
            (
                "connection",
                "command",
                "agent",
                "person",
                "groups",
                "session_before",
                "at",
                "estimated_rows",
                "used",
                "expect",
                "rules",
                "masked",
            ),
            required=("connection", "command", "expect"),
        )
        found.append(
            Example(
                connection=given(
                    keys, "connection", lambda look: _declared_connection(look, declared.targets), ""
                ),
                command=given(keys, "command", Look.text, ""),
                agents=given(
                    keys, "agent", lambda look: tuple(each.text() for each in look.items()), ("agent",)
                ),
                person=given(keys, "person", person, ""),
                groups=frozenset(given(keys, "groups", lambda look: look.each(listed_group), ())),
                session_before=given(
                    keys, "session_before", lambda look: tuple(each.text() for each in look.items()), ()
                ),
                expect=cast(
                    "Literal['allow', 'hold', 'block']",
                    given(keys, "expect", lambda look: look.choice(OUTCOMES, "an outcome"), ""),
                ),
                rules=given(keys, "rules", lambda look: look.each(rule), None),
                masked=given(keys, "masked", _columns, None),
                at=given(keys, "at", _instant, None),
                estimated_rows=given(
                    keys, "estimated_rows", lambda look: look.integer(least=0, most=MOST), None
                ),
                used=given(keys, "used", _used, NOTHING),
                line=entry.node.line,
                column=entry.node.column,
            )
        )
    return tuple(found)


def _instant(look: Look) -> float | None:
    """`2026-03-29T02:30+01:00`, as Unix seconds."""
    value = look.text()
    try:
        when = datetime.fromisoformat(value) if value else None
    except ValueError:
        when = None
    if value and (when is None or when.tzinfo is None):
        look.fault(
            f"`{value[:60]}` is no moment; write date, time and offset, as in 2026-03-29T09:30+02:00 or ...Z"
        )
        return None
    return when.timestamp() if when is not None else None


def _used(look: Look) -> Spent:
    """`{commands: 100, rows: 5000}`"""
    keys = look.fields(("commands", "rows"))
    commands, rows = (
        given(keys, name, lambda look: look.integer(least=0, most=MOST), 0) for name in ("commands", "rows")
    )
    return Spent(commands=commands, rows=rows)


def _columns(look: Look) -> tuple[str, ...]:
    """Column names; an empty list says that nothing is masked."""
    if isinstance(look.node, tree.Sequence) and not look.node.items:
        return ()
    return look.each(Look.text)


def _declared_connection(look: Look, targets: Mapping[str, Target]) -> str:
    value = look.text()
    if value and value not in targets:
        look.fault(f"the connection `{value[:60]}` is not declared{suggestion(value, targets)}")
    return value
