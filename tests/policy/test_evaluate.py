"""The promises of the policy, each as a sentence that can be said aloud."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Allow, Ask, Block, Effect, Hold, Resource
from gateway.policy.evaluate import Finding, combine, evaluate, outside
from gateway.policy.globs import Globs
from gateway.policy.matching import Deed
from gateway.policy.model import ANYBODY, Allowing, AskedGroup, Blocking, Holding, Policy, Rule, When
from tests.policy.house import (
    AGENT,
    DDL,
    EXFIL,
    READ,
    SESSION,
    SHOP,
    UNKNOWN,
    WRITE,
    chain,
    does,
    on,
    patient,
)

KINDS = {"allow": Allowing(), "hold": Holding(), "block": Blocking()}


def word(verdict) -> str:
    return type(verdict).__name__.lower()


# what matches counts


def test_strictest_wins(policy_of) -> None:
    rules = [
        "- {name: a, when: {effects: [read, write]}, then: {allow: true}}",
        "- {name: h, when: {effects: [write]}, then: {hold: {approvers: dba}}}",
        "- {name: b, when: {effects: [write]}, then: {block: No.}}",
    ]
    for size in (1, 2, 3):
        for some in itertools.permutations(rules, size):
            text = "\n".join(some)
            expected = "block" if "name: b" in text else "hold" if "name: h" in text else "allow"
            assert word(evaluate(policy_of(text), AGENT, SHOP, does(WRITE))) == expected


def test_the_verdict_names_the_rules_that_decided(policy_of) -> None:
    policy = policy_of(
        """
- {name: quiet, when: {effects: [read]}, then: {allow: true}}
- {name: stop, when: {effects: [ddl]}, then: {block: No ddl.}}
- {name: never, when: {connections: shop}, then: {block: Closed today.}}
"""
    )
    verdict = evaluate(policy, AGENT, SHOP, does(READ, DDL))
    assert verdict == Block(rules=("never", "stop"), message="Closed today. No ddl.")


def test_unknown_is_not_no(policy_of) -> None:
    everything = policy_of("- {name: a, then: {allow: true}}", default="block")
    named = policy_of("- {name: a, when: {effects: [read, unknown]}, then: {allow: true}}", default="block")
    for facts in (does(READ, UNKNOWN), does(READ, complete=False)):
        assert word(evaluate(everything, AGENT, SHOP, facts)) == "block"
        assert word(evaluate(named, AGENT, SHOP, facts)) == "allow"
    assert word(evaluate(everything, AGENT, SHOP, does(READ, DDL))) == "allow"


@pytest.mark.parametrize("default", ["hold", "block"])
def test_nothing_matching_never_allows(policy_of, default: str) -> None:
    policy = policy_of("- {name: elsewhere, when: {connections: lab}, then: {allow: true}}", default=default)
    for facts in (does(READ), does(), does(UNKNOWN), does(*Effect)):
        verdict = evaluate(policy, AGENT, SHOP, facts)
        assert word(verdict) == default
        assert verdict.rules == ("default",)


def test_an_erring_rule_blocks(policy_of) -> None:
    policy = policy_of(
        """
- {name: typo, when: {effects: [read], attributes: {sql.has_where: "true"}}, then: {allow: true}}
- {name: reads, when: {effects: [read]}, then: {allow: true}}
"""
    )
    verdict = evaluate(policy, AGENT, SHOP, does(READ, attributes={"sql.has_where": True}))
    assert isinstance(verdict, Block)
    assert verdict.rules == ("typo",)
    assert "sql.has_where, which is true, with a text" in verdict.message


def test_a_rule_that_breaks_in_an_unforeseen_way_blocks_too() -> None:
    broken = Rule(name="broken", when=When(connections=object()), then=Allowing())  # type: ignore[arg-type]
    reads = Rule(name="reads", when=When(), then=Allowing())
    verdict = evaluate(Policy(version="", rules=(reads, broken)), AGENT, SHOP, does(READ))
    assert isinstance(verdict, Block)
    assert verdict.rules == ("broken",)


def test_a_rule_for_another_connection_errs_for_nobody_else(policy_of) -> None:
    policy = policy_of(
        """
- {name: typo, when: {connections: lab, attributes: {sql.has_where: "true"}}, then: {allow: true}}
- {name: reads, when: {effects: [read]}, then: {allow: true}}
"""
    )
    assert word(evaluate(policy, AGENT, SHOP, does(READ, attributes={"sql.has_where": True}))) == "allow"


def test_true_does_not_equal_the_number_one(policy_of) -> None:
    policy = policy_of("- {name: a, when: {attributes: {sql.statements: true}}, then: {allow: true}}")
    assert word(evaluate(policy, AGENT, SHOP, does(READ, attributes={"sql.statements": 1}))) == "block"


# masks


def test_approval_never_unmasks(policy_of) -> None:
    policy = policy_of(
        """
- {name: reads, when: {effects: [read]}, then: {allow: true, mask: pii}}
- {name: writes, when: {effects: [write]}, then: {hold: {approvers: dba}, mask: cards}}
"""
    )
    assert evaluate(policy, AGENT, SHOP, does(READ)).masks == ("pii",)
    assert evaluate(policy, AGENT, SHOP, does(READ, WRITE)).masks == ("cards", "pii")
    # UPDATE ... RETURNING does nothing that `reads` allows, and gives back what `reads` hides.
    assert evaluate(policy, AGENT, SHOP, does(WRITE)).masks == ("cards", "pii")
    assert evaluate(policy, AGENT, SHOP, does(DDL)) == Hold(
        rules=("default",),
        message="No rule speaks of this command; a person has to approve it.",
        asks=(Ask(rule="default", approvers="*"),),
        masks=("pii",),
        expires_in=900.0,
        by_default=True,
    )


def test_masks_of_all_rules_that_allow_are_united(policy_of) -> None:
    policy = policy_of(
        """
- {name: plain, when: {effects: [read]}, then: {allow: true}}
- {name: one, when: {effects: [read]}, then: {allow: true, mask: pii}}
- {name: two, when: {effects: [read]}, then: {allow: true, mask: [cards, pii]}}
- {name: elsewhere, when: {connections: lab}, then: {allow: true, mask: cards}}
"""
    )
    assert evaluate(policy, AGENT, SHOP, does(READ)) == Allow(
        rules=("one", "plain", "two"), masks=("cards", "pii")
    )


# deeds


def test_several_rules_may_allow_a_command_together(policy_of) -> None:
    policy = policy_of(
        """
- {name: reads, when: {effects: [read]}, then: {allow: true}}
- {name: writes, when: {effects: [write]}, then: {allow: true}}
"""
    )
    assert evaluate(policy, AGENT, SHOP, does(READ, WRITE)) == Allow(rules=("reads", "writes"))
    assert word(evaluate(policy, AGENT, SHOP, does(READ, WRITE, DDL))) == "hold"


def test_resources_allow_only_what_they_name(policy_of) -> None:
    policy = policy_of(
        """
- {name: from-orders, when: {effects: [read], resources: [orders, public.orders]}, then: {allow: true}}
- {name: to-audit, when: {effects: [write], resources: ["audit.*"]}, then: {allow: true}}
""",
        default="block",
    )

    def said(*touched, **more):
        return word(evaluate(policy, AGENT, SHOP, on(*touched, **more)))

    assert said(("orders", READ)) == "allow"
    assert said(("public.orders", READ), ("Audit.Log", WRITE)) == "allow"
    assert said(("secret.orders", READ)) == "block"
    assert said(("orders", READ), ("customers", READ)) == "block"
    assert said(("orders", WRITE), ("audit.log", READ)) == "block"
    assert said(("orders", READ), ("audit.log", WRITE), ("orders", EXFIL)) == "block"
    assert word(evaluate(policy, AGENT, SHOP, does(READ))) == "block", (
        "reading nothing in particular is not orders"
    )


def test_a_function_that_does_more_than_read_is_a_thing_of_its_own(policy_of) -> None:
    rule = "- {{name: a, when: {{effects: [read, destructive], resources: {}}}, then: {{allow: true}}}}"
    facts = on(
        ("orders", READ),
        ("orders", Effect.DESTRUCTIVE),
        more=(Resource(kind="function", name="pg_terminate_backend", effect=Effect.DESTRUCTIVE),),
    )
    assert word(evaluate(policy_of(rule.format("orders")), AGENT, SHOP, facts)) == "hold"
    named = policy_of(rule.format("[orders, pg_terminate_backend]"))
    assert word(evaluate(named, AGENT, SHOP, facts)) == "allow"


def test_columns_and_functions_that_read_need_no_rule_of_their_own(policy_of) -> None:
    policy = policy_of(
        "- {name: a, when: {effects: [read], resources: orders}, then: {allow: true}}", default="block"
    )
    parts = (
        Resource(kind="table", name="orders", effect=READ),
        Resource(kind="column", name="orders.total", effect=READ),
        Resource(kind="function", name="sum", effect=READ),
    )
    assert word(evaluate(policy, AGENT, SHOP, does(READ, resources=parts))) == "allow"


@pytest.mark.parametrize(
    ("pattern", "name", "kind", "expected"),
    [
        ("public.orders", "public.orders", "table", "block"),
        ("public.orders", "ORDERS", "table", "block"),
        ("public.orders", "shop.public.orders", "table", "block"),
        ("orders", "public.orders", "table", "block"),
        ("orders", "orders_archive", "table", "allow"),
        ("public.orders", "audit.orders", "table", "allow"),
        ("audit.*", "orders", "table", "allow"),
        ("audit.*", "audit.log", "table", "block"),
        ("audit.pay*", "payments", "table", "block"),
        ("customers.ssn", "customers.ssn", "column", "block"),
        ("customers.ssn", "public.customers.ssn", "condition", "block"),
        ("customers.ssn", "ssn", "column", "block"),
        ("customers.ssn", "customers.*", "column", "block"),
        ("customers.ssn", "orders.*", "column", "allow"),
        ("*.ssn", "staff.*", "column", "block"),
        ("ssn", "customers.ssn", "column", "allow"),
        ("pg_sleep", "pg_sleep", "function", "block"),
    ],
)
def test_resources_stop_whatever_could_be_meant(policy_of, pattern, name, kind, expected) -> None:
    policy = policy_of(
        f"""
- {{name: b, when: {{resources: "{pattern}"}}, then: {{block: No.}}}}
- {{name: a, when: {{effects: [read]}}, then: {{allow: true}}}}
"""
    )
    assert word(evaluate(policy, AGENT, SHOP, on((name, READ), kind=kind))) == expected


def test_a_command_does_not_become_milder_by_doing_more(policy_of) -> None:
    policy = policy_of(
        "- {name: writes, when: {effects: [write]}, then: {hold: {approvers: dba}}}", default="block"
    )
    assert word(evaluate(policy, AGENT, SHOP, does(EXFIL))) == "block"
    assert word(evaluate(policy, AGENT, SHOP, does(WRITE))) == "hold"
    assert word(evaluate(policy, AGENT, SHOP, does(EXFIL, WRITE))) == "block"


# who


def test_agents_allow_the_whole_chain_and_stop_any_of_it(policy_of) -> None:
    allows = policy_of(
        "- {name: a, when: {agents: [migrator, planner]}, then: {allow: true}}", default="block"
    )
    blocks = policy_of(
        """
- {name: b, when: {agents: release-*}, then: {block: No.}}
- {name: a, when: {effects: [read]}, then: {allow: true}}
"""
    )
    assert word(evaluate(allows, chain("planner", "migrator"), SHOP, does(READ))) == "allow"
    assert word(evaluate(allows, AGENT, SHOP, does(READ))) == "block", (
        "a child's name is its parent's to choose"
    )
    assert word(evaluate(allows, chain(), SHOP, does(READ))) == "block"
    assert word(evaluate(blocks, AGENT, SHOP, does(READ))) == "block"
    assert word(evaluate(blocks, chain("other"), SHOP, does(READ))) == "allow"


@pytest.mark.parametrize(
    ("condition", "lineage", "expected"),
    [
        ('persons: ["*@example.com"]', AGENT, "allow"),
        ('persons: ["*@example.com"]', chain("a", person="Maria.Lopez@Example.com"), "allow"),
        ("persons: ana.silva@example.com", AGENT, "hold"),
        ('persons: "*"', chain("a", person=""), "hold"),
        ("groups: [dba, security]", chain("a", groups=frozenset({"dba"})), "allow"),
        ("groups: [dba]", AGENT, "hold"),
        ("min_depth: 3", AGENT, "allow"),
        ("min_depth: 4", AGENT, "hold"),
        ("labels: {env: [prod, stage]}", AGENT, "allow"),
        ("labels: {env: dev}", AGENT, "hold"),
        ("labels: {tier: one}", AGENT, "hold"),
        ("connections: sh*", AGENT, "allow"),
        ("protocols: postgres", AGENT, "allow"),
        ("attributes: {sql.has_where: true}", AGENT, "allow"),
        ("attributes: {sql.has_where: false}", AGENT, "hold"),
        ("attributes: {sql.statements: [1, 2]}", AGENT, "allow"),
        ("attributes: {sql.verbs: SELECT}", AGENT, "hold"),
    ],
)
def test_every_condition_that_is_set_must_hold(policy_of, condition, lineage, expected) -> None:
    policy = policy_of(f"- {{name: a, when: {{{condition}}}, then: {{allow: true}}}}")
    facts = does(READ, attributes={"sql.has_where": True, "sql.statements": 1})
    assert word(evaluate(policy, lineage, SHOP, facts)) == expected


# holds


def test_a_hold_collects_every_ask_and_the_shortest_time(policy_of) -> None:
    policy = policy_of(
        """
- {name: w, when: {effects: [write]}, then: {hold: {approvers: dba, quorum: 2, within: 2h, message: A DBA looks.}}}
- {name: d, when: {effects: [ddl]}, then: {hold: {asks: [{approvers: security}, {approvers: dba}], within: 10m}}}
"""
    )
    assert evaluate(policy, AGENT, SHOP, does(WRITE, DDL)) == Hold(
        rules=("d", "w"),
        message="A DBA looks.",
        asks=(
            Ask(rule="d", approvers="security"),
            Ask(rule="d", approvers="dba"),
            Ask(rule="w", approvers="dba", quorum=2),
        ),
        expires_in=600.0,
    )


def test_the_bare_default_asks_nobody_twice(policy_of) -> None:
    rule = "- {name: w, when: {effects: [write]}, then: {hold: {approvers: dba, within: 2h}}}"
    bare = evaluate(policy_of(rule), AGENT, SHOP, does(WRITE, EXFIL))
    assert (bare.rules, bare.asks, bare.expires_in) == (("w",), (Ask(rule="w", approvers="dba"),), 7200.0)
    own = evaluate(policy_of(rule, default="{hold: {approvers: security}}"), AGENT, SHOP, does(WRITE, EXFIL))
    assert own.asks == (Ask(rule="w", approvers="dba"), Ask(rule="default", approvers="security"))


# scope


def test_outside_the_scope_is_what_it_does_not_name() -> None:
    assert outside(frozenset({READ}), does(READ, SESSION)) == frozenset()
    assert outside(frozenset({READ}), does(READ, WRITE)) == {WRITE}
    assert outside(frozenset(), does(SESSION)) == {SESSION}
    assert outside(frozenset({READ}), does(READ, complete=False)) == {UNKNOWN}
    assert outside(frozenset({READ, UNKNOWN}), does(READ, complete=False)) == frozenset()


# combination, apart from matching

A, B = Deed(READ, "orders"), Deed(WRITE, "orders")
DONE = frozenset({A, B})


@pytest.mark.parametrize("default", [Holding(), Blocking()])
def test_every_combination_of_kinds_of_rules(default) -> None:
    """Each kind of rule × what it covers (all, a part, nothing): every set of up to three against the definition."""
    covers = {"all": DONE, "part": frozenset({A}), "none": frozenset()}
    kinds = list(itertools.product(KINDS, covers))
    strictness = {"allow": 0, "hold": 1, "block": 2}
    for size in range(4):
        for chosen in itertools.combinations(kinds, size):
            findings = [
                Finding(rule=f"{kind}-{cover}", then=KINDS[kind], covers=covers[cover])
                for kind, cover in chosen
            ]
            deciding = [(kind, cover) for kind, cover in chosen if kind != "allow" or cover != "none"]
            complete = any(cover == "all" for _, cover in chosen)
            voices = [kind for kind, _ in deciding]
            if not deciding or not complete:
                voices.append("hold" if isinstance(default, Holding) else "block")
            expected = max(voices, key=strictness.__getitem__)
            assert word(combine(findings, DONE, default)) == expected, chosen


effects = st.frozensets(st.sampled_from(list(Effect)))
rule_bodies = st.tuples(
    effects,
    st.sampled_from([None, Globs(("shop",)), Globs(("lab",))]),
    st.sampled_from([None, Globs(("migrator",)), Globs(("*",))]),
    st.sampled_from(
        [
            Allowing(),
            Allowing(masks=("pii",)),
            Holding(
                asks=(AskedGroup(approvers="dba", quorum=2),), message="Wait.", within=60, masks=("cards",)
            ),
            Holding(),
            Blocking(message="No."),
        ]
    ),
)


def rules_of(bodies) -> tuple[Rule, ...]:
    return tuple(
        Rule(name=f"r{at}", when=When(effects=named or None, connections=where, agents=who), then=then)
        for at, (named, where, who, then) in enumerate(bodies)
    )


@patient
@given(st.lists(rule_bodies, max_size=6), effects, st.randoms(), st.sampled_from([Holding(), Blocking()]))
def test_order_does_not_matter(bodies, done, random, default) -> None:
    policy = Policy(version="", rules=rules_of(bodies), default=default)
    shuffled = list(policy.rules)
    random.shuffle(shuffled)
    facts = does(*done)
    assert evaluate(policy, AGENT, SHOP, facts) == evaluate(
        replace(policy, rules=tuple(shuffled)), AGENT, SHOP, facts
    )


@patient
@given(st.lists(rule_bodies, max_size=5), rule_bodies, effects, effects)
def test_a_stopping_rule_or_a_further_effect_never_makes_the_verdict_milder(
    bodies, more, done, further
) -> None:
    strictness = [Allow, Hold, Block]
    policy = Policy(version="", rules=rules_of(bodies), default=Blocking())
    before = evaluate(policy, AGENT, SHOP, does(*done))
    after = evaluate(policy, AGENT, SHOP, does(*done, *further))
    if done:
        assert strictness.index(type(after)) >= strictness.index(type(before))
    if not isinstance(more[3], Allowing):
        stricter = replace(policy, rules=rules_of([*bodies, more]), default=Holding(asks=ANYBODY))
        loose = replace(policy, default=Holding(asks=ANYBODY))
        assert strictness.index(type(evaluate(stricter, AGENT, SHOP, does(*done)))) >= strictness.index(
            type(evaluate(loose, AGENT, SHOP, does(*done)))
        )


@patient
@given(st.lists(rule_bodies, max_size=5), effects)
def test_what_is_allowed_was_named_effect_by_effect(bodies, done) -> None:
    policy = Policy(version="", rules=rules_of(bodies), default=Holding())
    verdict = evaluate(policy, AGENT, SHOP, does(*done))
    if isinstance(verdict, Allow):
        allowing = [rule for rule in policy.rules if rule.name in verdict.rules]
        assert done
        for effect in done:
            assert any(
                effect in rule.when.effects if rule.when.effects is not None else effect is not UNKNOWN
                for rule in allowing
            )
