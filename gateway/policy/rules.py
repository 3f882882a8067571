"""The sections of the file that decide: rules, the default, and the examples that must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from gateway.model import Effect
from gateway.policy import tree
from gateway.policy.expressions import Expression, ExpressionUnclear
from gateway.policy.globs import Globs, is_glob
from gateway.policy.kinds import SLASHED, Patterns
from gateway.policy.model import (
    ANY_GROUP,
    DEFAULT_RULE,
    Allowing,
    AskedGroup,
    AttributeValue,
    Blocking,
    Comparison,
    Default,
    Example,
    Group,
    Holding,
    MaskPolicy,
    Rule,
    Target,
    Then,
    When,
)
from gateway.policy.reader import Look, suggestion
from gateway.policy.values import effect, given, group, name_is_free, pattern, person
from gateway.policy.vocabulary import Vocabulary

CONDITIONS = (
    "connections",
    "protocols",
    "labels",
    "effects",
    "resources",
    "attributes",
    "agents",
    "persons",
    "groups",
    "ancestors",
    "min_depth",
    "max_depth",
    "where",
)
UNMATCHED = "No rule speaks of this command; a person has to approve it."
OPERATORS = ("gt", "ge", "lt", "le", "ne", "like")
OUTCOMES = ("allow", "hold", "block")
MAX_MESSAGE = 500
MAX_QUORUM = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What rules may refer to."""

    vocabulary: Vocabulary
    targets: Mapping[str, Target]
    groups: Mapping[str, Group]
    masks: Mapping[str, MaskPolicy]


def rules(look: Look, declared: Declared) -> tuple[Rule, ...]:
    if not isinstance(look.node, tree.Sequence):
        look.fault("this must be a list of rules; begin each with `- name: ...`")
        return ()
    found: list[Rule] = []
    taken: dict[str, int] = {}
    for entry in look.items():
        keys = entry.fields(("name", "when", "then", "enforce"), required=("name", "then"))
        name = given(keys, "name", Look.text, "")
        if name == DEFAULT_RULE:
            keys["name"].fault("`default` is what the policy's own default is called; choose another name")
        elif name and name_is_free(keys["name"], name, taken):
            taken[name] = entry.node.line
        found.append(
            Rule(
                name=name,
                when=given(keys, "when", lambda look: _when(look, declared), When()),
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


# when


def _when(look: Look, declared: Declared) -> When:
    keys = look.fields(CONDITIONS)
    protocols = declared.vocabulary.protocols

    def protocol(look: Look) -> str:
        return look.choice(protocols, "a protocol")

    def listed_group(look: Look) -> str:
        return group(look, declared.groups)

    def connection(look: Look) -> str:
        return _connection(look, declared.targets)

    effects = given(keys, "effects", lambda look: look.each(effect), None)
    resources = given(keys, "resources", lambda look: look.each(_resource), None)
    in_protocols = given(keys, "protocols", lambda look: look.each(protocol), None)
    in_groups = given(keys, "groups", lambda look: look.each(listed_group), None)
    equal, comparisons = given(
        keys, "attributes", lambda look: _attributes(look, declared.vocabulary), ({}, {})
    )
    return When(
        connections=_globs(given(keys, "connections", lambda look: look.each(connection), None)),
        protocols=None if in_protocols is None else frozenset(in_protocols),
        labels=given(keys, "labels", _labels, {}),
        effects=None if effects is None else frozenset(map(Effect, effects)),
        resources=None if resources is None else Patterns(resources),
        attributes=equal,
        comparisons=comparisons,
        ancestors=_globs(given(keys, "ancestors", lambda look: look.each(pattern), None)),
        max_depth=given(keys, "max_depth", lambda look: look.integer(least=1, most=32), 0),
        where=given(keys, "where", _expression, None),
        agents=_globs(given(keys, "agents", lambda look: look.each(pattern), None)),
        persons=_globs(given(keys, "persons", lambda look: look.each(_persons), None)),
        groups=None if in_groups is None else frozenset(in_groups),
        min_depth=given(keys, "min_depth", lambda look: look.integer(least=1, most=32), 0),
    )


def _globs(patterns: tuple[str, ...] | None) -> Globs | None:
    return None if patterns is None else Globs(patterns)


def _connection(look: Look, targets: Mapping[str, Target]) -> str:
    value = pattern(look)
    if value and not any(map(Globs((value,)).match, targets)):
        if is_glob(value):
            look.fault(
                f"`{value[:60]}` matches no connection; there are: {', '.join(sorted(targets)) or 'none'}"
            )
        else:
            look.fault(f"the connection `{value[:60]}` is not declared{suggestion(value, targets)}")
    return value


def _persons(look: Look) -> str:
    value = pattern(look)
    if value and not is_glob(value):
        return person(look)
    return value.lower()


def _resource(look: Look) -> str:
    value = pattern(look)
    kind, colon, rest = value.partition(":")
    if colon:
        if not kind.isidentifier() or not rest or (kind not in SLASHED and ".." in rest):
            look.fault(
                f"`{value[:60]}` names no resource; write it as in table:public.orders or path:/admin/**"
            )
            return ""
        return value
    if value.startswith(".") or value.endswith(".") or ".." in value:
        look.fault(f"`{value[:60]}` names no resource; write it as in orders, public.orders or audit.*")
        return ""
    return value


def _labels(look: Look) -> dict[str, Globs]:
    return {key: Globs(each.each(pattern)) for key, each in look.entries("a label").items()}


def _expression(look: Look) -> Expression | None:
    text = look.text()
    try:
        return Expression(text) if text else None
    except ExpressionUnclear as unclear:
        look.fault(f"this is no CEL expression that can be judged: {unclear}")
        return None


def _comparisons(look: Look) -> tuple[Comparison, ...]:
    """`{gt: 1, like: "/api/*"}`"""
    found: list[Comparison] = []
    for operator, entry in look.fields(OPERATORS).items():
        match entry.node:
            case tree.Scalar(value=bool() | int() | str() as value) if value != "":
                fits = {"like": isinstance(value, str), "ne": True}.get(
                    operator, isinstance(value, int) and not isinstance(value, bool)
                )
                if not fits:
                    entry.fault("`like` takes a text, gt, ge, lt and le a whole number; write one of these")
                found.append(Comparison(operator=cast("Any", operator), value=value))
            case _:
                entry.fault(
                    "an attribute is compared with a text, a whole number, true or false; write one of these"
                )
    return tuple(found)


def _attributes(
    look: Look, vocabulary: Vocabulary
) -> tuple[dict[str, tuple[AttributeValue, ...]], dict[str, tuple[Comparison, ...]]]:
    found: dict[str, tuple[AttributeValue, ...]] = {}
    compared: dict[str, tuple[Comparison, ...]] = {}
    for name, entry in look.pairs().items():
        if name not in vocabulary.attributes:
            entry.fault_at_key(f"`{name[:60]}` is not an attribute{suggestion(name, vocabulary.attributes)}")
        if isinstance(entry.node, tree.Mapping):
            compared[name] = _comparisons(entry)
            continue
        values: list[AttributeValue] = []
        for item in entry.items():
            match item.node:
                case tree.Scalar(value=bool() | int() | str() as value) if value != "":
                    values.append(value)
                case _:
                    item.fault(
                        "an attribute is compared with a text, a whole number, true or false; write one of these"
                    )
        if len({type(value) for value in values}) > 1:
            entry.fault(
                "these values are of different kinds; write only texts, only numbers, or only true and false"
            )
        found[name] = tuple(values)
    return found, compared


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
            return holding(keys["hold"], declared, masks=masks)
        case _:
            if "mask" in keys:
                keys["mask"].fault_at_key("a blocked command has no answer to mask; remove `mask`")
            return Blocking(message=_message(keys["block"]))


def holding(look: Look, declared: Declared, *, masks: tuple[str, ...] = ()) -> Holding:
    """Who is asked, how many of them, how long, and what they are told."""
    own = Holding()
    keys = look.fields(("approvers", "quorum", "asks", "within", "message"))
    asks: tuple[AskedGroup, ...] = ()
    if "asks" in keys:
        for name in ("approvers", "quorum"):
            if name in keys:
                keys[name].fault_at_key(
                    f"`{name}` and `asks` are two ways to say one thing; move it into `asks`"
                )
        asks = tuple(
            _asked(each.fields(("approvers", "quorum"), required=("approvers",)), declared)
            for each in keys["asks"].items()
        )
        for at, ask in enumerate(asks):
            if ask.approvers and ask.approvers in {other.approvers for other in asks[:at]}:
                keys["asks"].items()[at].fault(
                    f"`{ask.approvers}` is already asked; raise its `quorum` in place of asking twice"
                )
    elif "approvers" in keys:
        asks = (_asked(keys, declared),)
    elif isinstance(look.node, tree.Mapping):
        look.fault_at_key(
            '`approvers` is missing; name the group that is asked, or "*" for any declared group'
        )
    return Holding(
        asks=asks,
        message=given(keys, "message", _message, own.message),
        within=given(keys, "within", Look.duration, own.within),
        masks=masks,
    )


def _asked(keys: Mapping[str, Look], declared: Declared) -> AskedGroup:
    def approvers(look: Look) -> str:
        return ANY_GROUP if getattr(look.node, "value", None) == ANY_GROUP else group(look, declared.groups)

    return AskedGroup(
        approvers=given(keys, "approvers", approvers, ""),
        quorum=given(keys, "quorum", lambda look: look.integer(least=1, most=MAX_QUORUM), 1),
    )


def _mask(look: Look, masks: Mapping[str, MaskPolicy]) -> str:
    value = look.text()
    if value and value not in masks:
        look.fault(f"the mask `{value[:60]}` is not declared under `masks`{suggestion(value, masks)}")
        return ""
    return value


def _message(look: Look) -> str:
    value = look.text(empty="say in a sentence what the one who asked should know")
    if len(value) > MAX_MESSAGE:
        look.fault(
            f"this sentence has {len(value)} characters; {MAX_MESSAGE} are the most that is shown everywhere"
        )
    return value


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
                line=entry.node.line,
                column=entry.node.column,
            )
        )
    return tuple(found)


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
