from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity import scopes
from gateway.identity.scopes import ScopeMalformed
from gateway.model import Effect, Scope

names = st.sampled_from(["orders", "shop", "billing", "a", "x.y-z_1"])
some_effects = st.frozensets(st.sampled_from(list(Effect)), min_size=1)
any_scope: st.SearchStrategy[Scope] = st.dictionaries(names, some_effects)


@given(any_scope)
def test_every_scope_survives_both_of_its_forms(scope):
    assert scopes.parse(scopes.text(scope)) == scope
    assert scopes.parse_details(json.dumps(scopes.details(scope))) == scope


@given(any_scope, any_scope)
def test_what_two_scopes_share_is_inside_both(one, other):
    common = scopes.within(one, other)
    assert not scopes.excess(one, common)
    assert not scopes.excess(other, common)
    assert common == scopes.within(other, one)


@given(any_scope, any_scope)
def test_excess_is_exactly_what_is_not_shared(outer, inner):
    beyond, common = scopes.excess(outer, inner), scopes.within(outer, inner)
    for name, effects in inner.items():
        assert beyond.get(name, frozenset()) | common.get(name, frozenset()) == effects
        assert not beyond.get(name, frozenset()) & common.get(name, frozenset())


@given(st.text())
def test_any_text_is_a_scope_or_says_what_is_wrong(text):
    try:
        scope = scopes.parse(text)
    except ScopeMalformed:
        return
    assert scopes.parse(scopes.text(scope)) == scope


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["countersign_connection", "read", "orders"]),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["type", "identifier", "actions", "x"]), inner)
    ),
)


@given(json_values)
def test_any_json_is_a_scope_or_says_what_is_wrong(value):
    try:
        scope = scopes.parse_details(json.dumps(value))
    except ScopeMalformed:
        return
    assert scopes.details(scope) or value == []


def test_the_same_connection_twice_means_both():
    assert scopes.parse("orders:read orders:write") == {"orders": {Effect.READ, Effect.WRITE}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("orders", "orders:read,write"),
        ("orders:", "orders:read,write"),
        ("orders:fly", "is no effect"),
        ("orders:read,", "is no effect"),
        ("orders:Read", "is no effect"),
        ("*:read", "cannot be a connection's name"),
        ("../x:read", "cannot be a connection's name"),
        (":read", "cannot be a connection's name"),
        (" ".join(f"c{n}:read" for n in range(101)), "more than 100"),
        ("a" * 9000, "longer than"),
    ],
)
def test_a_malformed_scope_is_refused_with_the_fix(text, says):
    with pytest.raises(ScopeMalformed, match=says.replace("*", r"\*")):
        scopes.parse(text)


GOOD = {"type": "countersign_connection", "identifier": "orders", "actions": ["read"]}


@pytest.mark.parametrize(
    "details",
    [
        "{}",
        "nonsense",
        "[" * 5000,
        json.dumps([{**GOOD, "type": "payment"}]),
        json.dumps([{**GOOD, "locations": ["x"]}]),
        json.dumps([{**GOOD, "actions": []}]),
        json.dumps([{**GOOD, "actions": "read"}]),
        json.dumps([{**GOOD, "actions": [["read"]]}]),
        json.dumps([{**GOOD, "identifier": 7}]),
        '[{"type": "countersign_connection", "identifier": "orders", "identifier": "shop", "actions": ["read"]}]',
    ],
)
def test_details_that_are_not_exactly_ours_are_refused(details):
    with pytest.raises(ScopeMalformed):
        scopes.parse_details(details)
