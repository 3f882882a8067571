from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.claims import Claims, ClaimsMalformed, Tether, from_payload, to_payload
from gateway.model import Effect

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)


@st.composite
def claims(draw: st.DrawFn) -> Claims:
    length = draw(st.integers(1, 5))
    ends = sorted(draw(st.lists(st.integers(1, 2**40), min_size=length, max_size=length)), reverse=True)
    return Claims(
        person=draw(st.sampled_from(["", "ada@shop.example"])),
        chain=tuple(
            Tether(
                name=draw(names),
                token_id=f"id{n}",
                expires_at=end,
                origin=draw(st.sampled_from(["", "127.0.0.1"])),
                task=draw(st.text(max_size=20)),
            )
            for n, end in enumerate(ends)
        ),
        scope=draw(
            st.dictionaries(
                st.sampled_from(["orders", "shop"]), st.frozensets(st.sampled_from(list(Effect)), min_size=1)
            )
        ),
        groups=draw(st.frozensets(st.sampled_from(["dba", "security"]))),
        depth_left=draw(st.integers(0, 9)),
        issued_at=draw(st.integers(0, 2**40)),
        issuer="http://127.0.0.1:8480",
    )


@given(claims())
def test_what_is_written_is_read_back(said):
    assert from_payload(json.loads(json.dumps(to_payload(said)))) == said


CHAIN = tuple(
    Tether(name=name, token_id=name[0], expires_at=end)
    for name, end in [("root", 9), ("planner", 8), ("mover", 7)]
)
SAID = Claims(
    person="ada@shop.example",
    chain=CHAIN,
    scope={"orders": frozenset({Effect.READ})},
    groups=frozenset(),
    depth_left=0,
    issued_at=1,
    issuer="i",
)


def test_the_actors_nest_with_the_one_who_acts_outermost():
    payload = to_payload(SAID)
    assert payload["sub"] == "ada@shop.example"
    assert payload["act"] == {"sub": "mover", "act": {"sub": "planner", "act": {"sub": "root"}}}
    assert [link["jti"] for link in payload["lineage"]] == ["r", "p", "m"]
    assert payload["jti"] == "m"


def test_without_a_person_the_root_agent_is_the_subject():
    payload = to_payload(Claims(**{**{f: getattr(SAID, f) for f in SAID.__slots__}, "person": ""}))
    assert payload["sub"] == "root"
    assert payload["act"] == {"sub": "mover", "act": {"sub": "planner"}}


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "eve@shop.example"},
        {"person": "eve@shop.example"},
        {"act": {"sub": "mover"}},
        {"jti": "r"},
        {"exp": 9},
        {"aud": "another"},
        {"aud": ["countersign", "another"]},
        {"client_id": "mover"},
        {"depth_left": -1},
        {"depth_left": None},
        {"lineage": []},
        {"lineage": None},
        {"lineage": [{"name": "root", "jti": "r", "exp": 7}]},
        {"authorization_details": None},
        {"cnf": {"jkt": "x"}},
        {"exp": "7"},
        {"nbf": 2},
    ],
)
def test_claims_that_contradict_each_other_are_refused(change):
    payload = {**to_payload(SAID), **change}
    with pytest.raises(ClaimsMalformed):
        from_payload(payload)


@pytest.mark.parametrize("claim", sorted(to_payload(SAID)))
def test_no_claim_may_be_missing(claim):
    payload = to_payload(SAID)
    del payload[claim]
    with pytest.raises(ClaimsMalformed):
        from_payload(payload)


def test_a_child_that_outlives_its_parent_is_refused():
    payload = to_payload(SAID)
    payload["lineage"][2]["exp"] = payload["exp"] = 10
    with pytest.raises(ClaimsMalformed, match="outlives"):
        from_payload(payload)


def test_a_token_above_itself_is_refused():
    payload = to_payload(SAID)
    payload["lineage"][0]["jti"] = "m"
    with pytest.raises(ClaimsMalformed, match="above itself"):
        from_payload(payload)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "jti", "exp", "sub"]), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*to_payload(SAID), "groups", "extra"]), anything, min_size=1))
def test_signed_nonsense_is_refused_and_nothing_else(changes):
    payload = {**to_payload(SAID), **changes}
    try:
        said = from_payload(payload)
    except ClaimsMalformed:
        return
    assert to_payload(said) == payload
