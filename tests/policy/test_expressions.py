"""CEL in a rule: what is no expression is refused when the file is read, and what gives no answer blocks."""

from __future__ import annotations

import pytest

from gateway.model import Block, Effect, Facts, Resource
from gateway.policy.evaluate import evaluate, shadows
from gateway.policy.expressions import FUNCTIONS, VARIABLES, Expression, ExpressionErred, ExpressionUnclear
from tests.policy.house import AGENT, READ, SHOP, does


def touching(count: int) -> Facts:
    return does(
        READ, resources=tuple(Resource(kind="table", name=f"t{n}", effect=Effect.READ) for n in range(count))
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a +", ""),
        ("", ""),
        ("agnt == 'a'", "did you mean `agent`?"),
        ("agent.startswith('a')", "did you mean `startsWith`?"),
        ("agent.nothing()", "there is no function `nothing`"),
        ("now() > 1", "there is no function `now`"),
        ("true " * 500, "at most 2000 characters"),
        ("(" * 900 + "1" + ")" * 900, ""),
        ("[1].all(a, [1].all(b, [1].all(c, true)))", "2 deep, not 3"),
        ("[1] . all ( a, [1].map(b, [1].filter(c, true)).size() > 0)", "2 deep, not 3"),
        ("resources.exists(r, r.name == ')' && resources.all(s, resources.all(t, true)))", "2 deep, not 3"),
        (r"agent == r'\' || [1].all(a, [1].all(b, [1].all(c, true)))", "2 deep, not 3"),
        (r"agent == '\'' || [1].all(a, [1].all(b, [1].all(c, true)))", "2 deep, not 3"),
    ],
)
def test_what_is_no_expression_is_refused(text, says) -> None:
    with pytest.raises(ExpressionUnclear) as unclear:
        Expression(text)
    assert says in str(unclear.value)


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0 == 1",
        "depth + 9223372036854775807 > 0",
        "agent.matches('(')",
        "attributes['none'] == 1",
        "agents[7] == 'x'",
        "agent * 3 == 'x'",
        "depth",
        "agent",
        "null",
        "resources.map(r, r.name)",
        "resources.exists(r, r.nothing == 1)",
        "'.' in agent",
    ],
)
def test_an_expression_without_an_answer_blocks_and_as_a_shadow_acts_on_nothing(policy_of, text) -> None:
    rule = f'- {{name: w, when: {{where: "{text}"}}, then: {{allow: true}}}}'
    facts = touching(1)
    verdict = evaluate(policy_of(rule), AGENT, SHOP, facts)
    assert isinstance(verdict, Block)
    assert verdict.rules == ("w",)
    assert "The rule w cannot be judged" in verdict.message
    shadow = policy_of(rule[:-1] + ", enforce: false}")
    assert evaluate(shadow, AGENT, SHOP, facts).rules == ("default",)
    assert shadows(shadow, AGENT, SHOP, facts) == ("w",)


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_every_variable_is_there(name) -> None:
    assert Expression(f"{name} == {name}").holds(AGENT, SHOP, touching(1))


def test_strings_and_macros_are_told_apart() -> None:
    assert Expression("agent != '.all(a,.all(b,.all(c,' && [1].all(a, [1].all(b, true))").holds(
        AGENT, SHOP, does(READ)
    )
    assert len(FUNCTIONS) == 12


def test_the_work_of_an_expression_is_bounded() -> None:
    flat = Expression("resources.exists(r, r.name == 'x')")
    nested = Expression("resources.exists(r, resources.exists(s, r.name + s.name == 'x'))")
    assert not flat.holds(AGENT, SHOP, touching(10_000))
    assert not nested.holds(AGENT, SHOP, touching(100))
    for expression, count in ((flat, 10_001), (nested, 101)):
        with pytest.raises(ExpressionErred, match="resources at most"):
            expression.holds(AGENT, SHOP, touching(count))
