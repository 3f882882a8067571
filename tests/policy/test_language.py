"""Kinds of resources, comparisons, expressions, ancestors and shadows."""

from __future__ import annotations

import pytest

from gateway.model import Allow, Block, Effect, Facts, Hold, Resource
from gateway.policy.evaluate import evaluate, shadows
from gateway.policy.examples import lineage_of
from gateway.policy.expressions import Expression, ExpressionErred, ExpressionUnclear
from gateway.policy.file import PolicyFileError, parse
from gateway.policy.kinds import Patterns
from gateway.policy.model import Policy
from gateway.vocabulary import known

VOCABULARY = known()
HEAD = """
connections:
  api: {protocol: http, listen: 127.0.0.1:0, upstream: "http://127.0.0.1:1", credential: {token: env:X}}
groups: {dba: {members: [a@example.com]}}
default: hold
rules:
  - {name: all, when: {effects: [read, write]}, then: {allow: true}}
"""


def policy(rule: str) -> Policy:
    return parse(HEAD + rule, "policies.yaml", VOCABULARY)


def judged(rule: str, *resources: Resource, agents: tuple[str, ...] = ("root", "child"), **attributes):
    effects = frozenset({each.effect for each in resources} or {Effect.READ})
    facts = Facts(effects=effects, resources=resources, attributes=attributes)
    made = policy(rule)
    connection = made.targets["api"].connection
    lineage = lineage_of(agents, "m@example.com", frozenset())
    return evaluate(made, lineage, connection, facts), shadows(made, lineage, connection, facts)


def thing(kind: str, name: str, effect: Effect = Effect.WRITE) -> Resource:
    return Resource(kind=kind, name=name, effect=effect)


@pytest.mark.parametrize(
    ("pattern", "kind", "name", "effect", "meant"),
    [
        ("path:/admin/**", "path", "/admin", Effect.READ, True),
        ("path:/admin/**", "path", "/admin/users/7", Effect.READ, True),
        ("path:/admin/**", "path", "/administrators", Effect.READ, False),
        ("path:/admin/*", "path", "/admin/users", Effect.READ, True),
        ("path:/admin/*", "path", "/admin/users/7", Effect.READ, False),
        ("path:/admin/**", "file", "/admin/x", Effect.READ, False),
        ("file:/etc/**", "file", "/", Effect.READ, False),
        ("file:/etc/**", "file", "/", Effect.DESTRUCTIVE, True),
        ("k8s:prod/secrets/*", "k8s", "prod/secrets/db", Effect.READ, True),
        ("k8s:prod/secrets/*", "k8s", "prod/secrets", Effect.READ, True),
        ("k8s:prod/secrets/*", "k8s", "-/secrets", Effect.READ, True),
        ("k8s:prod/secrets/*", "k8s", "dev/secrets/db", Effect.READ, False),
        ("k8s:prod/secrets/*", "k8s", "prod/configmaps/db", Effect.READ, False),
        ("table:public.orders", "table", "orders", Effect.READ, True),
        ("table:public.orders", "sequence", "orders", Effect.READ, False),
        ("orders", "table", "public.orders", Effect.READ, True),
        ("orders", "path", "/orders", Effect.READ, False),
        ("program:rm", "program", "rm", Effect.EXEC, True),
        ("service:nginx", "service", "ngin*", Effect.WRITE, True),
        ("channel:jobs", "channel", "*", Effect.SESSION, True),
        ("jobs", "channel", "*", Effect.SESSION, False),
    ],
)
def test_what_a_pattern_could_mean(pattern, kind, name, effect, meant):
    assert Patterns((pattern,)).could_be(kind, name, effect) == meant


def test_an_allowing_pattern_is_read_exactly():
    patterns = Patterns(("k8s:prod/pods/*", "path:/orders/*"))
    assert patterns.is_exactly("k8s", "prod/pods/web-1")
    assert not patterns.is_exactly("k8s", "prod/pods")
    assert not patterns.is_exactly("k8s", "-/pods")
    assert not patterns.is_exactly("path", "/orders/7/items")


def test_a_kind_stops_its_kind_alone():
    rule = "  - {name: no, when: {resources: ['path:/admin/**']}, then: {block: 'No.'}}"
    assert isinstance(judged(rule, thing("path", "/admin/x"))[0], Block)
    assert isinstance(judged(rule, thing("path", "/orders"))[0], Allow)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("{sql.statements: {gt: 2}}", True),
        ("{sql.statements: {gt: 3}}", False),
        ("{sql.statements: {ge: 3, lt: 4}}", True),
        ("{sql.statements: {ne: 3}}", False),
        ("{http.path: {like: '/api/*'}}", True),
        ("{http.path: {like: '/b*'}}", False),
        ("{http.host: {ne: x}}", False),
    ],
)
def test_attributes_are_compared(condition, holds):
    rule = f"  - {{name: c, when: {{attributes: {condition}}}, then: {{hold: {{approvers: dba}}}}}}"
    verdict, _ = judged(rule, thing("path", "/x"), **{"sql.statements": 3, "http.path": "/api/x"})
    assert isinstance(verdict, Hold) == holds


def test_comparing_kinds_that_differ_blocks():
    rule = "  - {name: c, when: {attributes: {http.path: {gt: 2}}}, then: {hold: {approvers: dba}}}"
    assert isinstance(judged(rule, thing("path", "/x"), **{"http.path": "/x"})[0], Block)


@pytest.mark.parametrize(
    ("depth", "holds"), [(("root",), False), (("root", "child"), True), (("x", "y"), False)]
)
def test_ancestors_are_those_above_the_one_that_asks(depth, holds):
    rule = "  - {name: a, when: {ancestors: [root]}, then: {hold: {approvers: dba}}}"
    assert isinstance(judged(rule, thing("path", "/x"), agents=depth)[0], Hold) == holds


@pytest.mark.parametrize(
    ("agents", "allowed"),
    [
        (("root",), False),
        (("root", "x"), True),
        (("evil", "root", "x"), False),
        (("root", "root-2", "x"), True),
    ],
)
def test_to_allow_every_ancestor_has_to_fit_since_only_the_root_has_proved_its_name(agents, allowed):
    rule = "  - {name: a, when: {effects: [exec], ancestors: [root, 'root-*']}, then: {allow: true}}"
    assert isinstance(judged(rule, thing("path", "/x", Effect.EXEC), agents=agents)[0], Allow) == allowed


def test_max_depth_ends_a_rule():
    rule = "  - {name: d, when: {max_depth: 1}, then: {hold: {approvers: dba}}}"
    assert isinstance(judged(rule, agents=("a",))[0], Hold)
    assert isinstance(judged(rule, agents=("a", "b"))[0], Allow)


def test_an_expression_decides_and_one_that_errs_blocks():
    def where(text):
        return judged(
            f'  - {{name: w, when: {{where: "{text}"}}, then: {{hold: {{approvers: dba}}}}}}',
            thing("path", "/x"),
        )[0]

    assert isinstance(where("resources.exists(r, r.kind == 'path' && r.name == '/x') && depth == 2"), Hold)
    assert isinstance(where("agent == 'root'"), Allow)
    assert isinstance(where("attributes['nothing'] == 1"), Block)
    assert isinstance(where("1 + 1"), Block)


@pytest.mark.parametrize("text", ["a +", "nobody == 1", "x" * 3_000])
def test_an_expression_that_cannot_be_judged_is_no_policy(text):
    with pytest.raises(ExpressionUnclear):
        Expression(text)
    with pytest.raises(PolicyFileError) as refused:
        policy(f"  - {{name: w, when: {{where: \"{text}\"}}, then: {{block: 'No.'}}}}")
    assert refused.value.key == "rules.1.where" or "where" in refused.value.key


def test_an_expression_gives_true_or_false():
    connection = policy("").targets["api"].connection
    with pytest.raises(ExpressionErred):
        Expression("depth").holds(
            lineage_of(("a",), "", frozenset()), connection, Facts(effects=frozenset({Effect.READ}))
        )


def test_a_shadow_is_told_and_acts_on_nothing():
    rule = "  - {name: s, when: {effects: [write]}, then: {block: 'No.'}, enforce: false}"
    verdict, shadowing = judged(rule, thing("path", "/x"))
    assert isinstance(verdict, Allow)
    assert shadowing == ("s",)
    assert judged(rule, thing("path", "/x", Effect.READ))[1] == ()
