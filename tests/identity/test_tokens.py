from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import scopes
from gateway.identity.claims import to_payload
from gateway.identity.tokens import TASK_CHARACTERS, TokenRefused
from gateway.model import Effect, Scope
from gateway.policy.credentials import SecretRef
from gateway.policy.model import Agent, ApiPolicy, Group
from tests.identity.house import ADA, BOB, SECRET, D, House, R, W


def refused(error: str, match: str | None = None):
    return pytest.raises(TokenRefused, match=match, check=lambda raised: raised.error == error)


# Root agents


def test_a_root_agent_gets_its_whole_scope_and_its_person(house):
    claims = house.issuer.verify(house.root(task="release 42", origin="127.0.0.1"))
    assert claims.scope == {"orders": {R, W}, "shop": {R}}
    assert str(claims.lineage) == f"{ADA} → release-pipeline"
    assert claims.groups == {"dba"}
    assert (claims.depth_left, claims.expires_at - claims.issued_at) == (2, 3600)
    assert (claims.lineage.chain[0].task, claims.lineage.chain[0].origin) == ("release 42", "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("release-pipeline", "wrong"),
        ("release-pipeline", ""),
        ("release-pipeline", SECRET + "\n"),
        ("release-pipeline", SECRET * 1000),
        ("release-pipeline", "another secret altogether"),
        ("nobody", SECRET),
        ("workload", ""),
        ("workload", SECRET),
        ("", ""),
        ("release-pipeline", "\udcff"),
    ],
)
def test_a_wrong_name_and_a_wrong_secret_are_told_alike(house, name, secret):
    with refused("invalid_client") as raised:
        house.issuer.for_agent(name, secret)
    assert "no agent of policies.yaml has this name and secret" in raised.value.message


def test_an_agent_whose_secret_is_missing_or_empty_admits_nobody(house, monkeypatch, caplog):
    for value in ("", None):
        monkeypatch.setenv("TEST_RELEASE_SECRET", value) if value is not None else monkeypatch.delenv(
            "TEST_RELEASE_SECRET"
        )
        for attempt in ("", SECRET):
            with refused("invalid_client"), caplog.at_level(logging.WARNING):
                house.issuer.for_agent("release-pipeline", attempt)
    assert "TEST_RELEASE_SECRET" in caplog.text
    assert SECRET not in caplog.text


def test_a_secret_is_read_again_each_time(house, monkeypatch):
    monkeypatch.setenv("TEST_RELEASE_SECRET", "rotated")
    with refused("invalid_client"):
        house.root()
    assert house.issuer.for_agent("release-pipeline", "rotated")


def test_a_root_token_never_reaches_further_than_its_agent(house):
    with refused("invalid_scope", "orders:ddl"):
        house.root(scope={"orders": frozenset({R, D})})
    with refused("invalid_scope", "billing:read"):
        house.root(scope={"billing": frozenset({R})})


def test_an_agent_without_scope_gets_no_token(house):
    house.change_agent(scope={})
    with refused("invalid_scope"):
        house.root()


def test_lifetime_is_cut_to_what_policy_allows(house):
    claims = house.issuer.verify(house.root(ttl=10**9))
    assert claims.expires_at - claims.issued_at == 12 * 3600


@pytest.mark.parametrize("ttl", [0, -1, 0.5, float("nan")])
def test_a_lifetime_of_nothing_is_refused(house, ttl):
    with refused("invalid_request", "expires_in"):
        house.root(ttl=ttl)


def test_a_person_may_be_named_only_where_policy_says_so(house):
    assert house.issuer.verify(house.root(person=BOB)).person == BOB
    with refused("invalid_request", "persons"):
        house.root(person="eve@shop.example")
    house.change_agent(persons=("*",))
    assert house.issuer.verify(house.root(person="eve@shop.example")).person == "eve@shop.example"
    for wrong in (
        "eve",
        "eve@shop.example, ada@shop.example",
        "éve@shop.example",
        "e\nve@x.y",
        "a" * 300 + "@x.y",
    ):
        with refused("invalid_request"):
            house.root(person=wrong)


def test_persons_and_groups_do_not_depend_on_case(house):
    claims = house.issuer.verify(house.root(person="BOB@shop.Example"))
    assert (claims.person, claims.groups) == (BOB, {"security"})


@pytest.mark.parametrize(
    "task", ["x" * (TASK_CHARACTERS + 1), "two\nlines", "bell\a", "turn\u202earound", "nul\0"]
)
def test_a_task_is_one_short_readable_line(house, task):
    with refused("invalid_request", "task"):
        house.root(task=task)


def test_a_token_too_long_to_be_carried_is_not_issued(house):
    scope = {f"connection-{n}-{'x' * 40}": frozenset(Effect) for n in range(60)}
    house.change_agent(scope=scope)
    with refused("invalid_request", "too long"):
        house.root()
    assert not house.lineages.links()


# Children


def test_a_child_carries_the_whole_chain(house):
    root = house.root()
    mover = house.child(house.child(root), "migrator", task="move", origin="10.0.0.9")
    claims = house.issuer.verify(mover)
    assert str(claims.lineage) == f"{ADA} → release-pipeline → planner → migrator"
    assert claims.lineage.token_ids[0] == house.token_id(root)
    assert claims.groups == {"dba"}


def test_a_child_without_wishes_gets_what_its_parent_has(house):
    root = house.root(ttl=100)
    house.now += 30
    claims = house.issuer.verify(house.child(root))
    assert claims.scope == {"orders": {R, W}, "shop": {R}}
    assert claims.expires_at == house.issuer.verify(root).expires_at


def test_a_child_is_never_wider(house):
    narrow = house.child(house.root(), scope={"orders": frozenset({R})})
    for wider in (
        {"orders": frozenset({R, W})},
        {"shop": frozenset({R})},
        {"orders": frozenset({Effect.UNKNOWN})},
    ):
        with refused("invalid_scope", "planner does not have"):
            house.child(narrow, "migrator", scope=wider)


def test_a_child_never_outlives_its_parent(house):
    root = house.root(ttl=100)
    house.now += 0.75
    claims = house.issuer.verify(house.child(root, ttl=10_000))
    assert claims.expires_at == house.issuer.verify(root).expires_at


def test_a_chain_is_only_so_deep(house):
    second = house.child(house.root())
    third = house.child(second, "migrator")
    with refused("invalid_grant", "as deep as it may be"):
        house.child(third, "deeper")


def test_an_empty_scope_is_no_scope(house):
    with refused("invalid_scope"):
        house.child(house.root(), scope={})


@pytest.mark.parametrize(
    "name", ["", "Planner", "-x", "a b", "a" * 64, "é", "ada@shop.example", "a\n", "../x", "nightly"]
)
def test_a_child_has_a_name_that_cannot_be_mistaken(house, name):
    with refused("invalid_request"):
        house.child(house.root(), name)


def test_the_human_at_the_root_cannot_be_shed(house):
    claims = house.issuer.verify(house.child(house.child(house.root(person=BOB)), "migrator"))
    assert claims.person == BOB


effect_sets = st.frozensets(st.sampled_from(list(Effect)))
random_scopes: st.SearchStrategy[Scope] = st.dictionaries(
    st.sampled_from(["orders", "shop", "billing"]), effect_sets
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(random_scopes, st.floats(300, 20_000), st.floats(0, 50)), min_size=1, max_size=5),
    random_scopes,
)
def test_whatever_is_asked_for_a_child_stays_inside_its_parent(wishes, shrunk_to):
    with TemporaryDirectory() as directory:
        house = House(Path(directory))
        house.change_agent(scope={"orders": frozenset(Effect), "shop": frozenset({R, W})}, max_depth=4)
        token = house.root()
        issued = [token]
        for n, (scope, ttl, pause) in enumerate(wishes):
            house.now += pause
            parent = house.issuer.verify(token)
            whole = bool(scope) and all(scope.values())
            if scopes.excess(parent.scope, scope) or not whole or parent.depth_left == 0:
                with pytest.raises(TokenRefused):
                    house.child(token, f"child-{n}", scope=scope, ttl=ttl)
                continue
            token = house.child(token, f"child-{n}", scope=scope, ttl=ttl)
            issued.append(token)
            child = house.issuer.verify(token)
            assert not scopes.excess(parent.scope, child.scope)
            assert child.expires_at <= parent.expires_at
            assert child.depth_left < parent.depth_left
            assert child.lineage.token_ids[:-1] == parent.lineage.token_ids
            assert child.person == parent.person
        house.change_agent(scope=shrunk_to)
        for each in issued:
            assert not scopes.excess(shrunk_to, house.scope(each))


# What may have changed since


def test_a_token_ends_at_its_time(house):
    token = house.root(ttl=100)
    house.now += 100
    with refused("invalid_grant", "expired"):
        house.issuer.verify(token)


def test_a_token_of_the_future_is_not_valid_yet(house):
    token = house.root()
    house.now -= 60
    with refused("invalid_grant", "clock"):
        house.issuer.verify(token)


def test_scope_shrinks_with_the_policy_and_does_not_grow_with_it(house):
    child = house.child(house.root(), scope={"orders": frozenset({R, W})})
    house.change_agent(scope={"orders": frozenset({R, D}), "billing": frozenset({R})})
    assert house.scope(child) == {"orders": {R}}


def test_a_derived_token_cannot_be_made_from_scope_that_policy_took_away(house):
    root = house.root()
    house.change_agent(scope={"shop": frozenset({R})})
    with refused("invalid_scope", "orders:read"):
        house.child(root, scope={"orders": frozenset({R})})


def test_an_agent_taken_from_the_policy_ends_its_tokens(house):
    child = house.child(house.root())
    house.policy = replace(house.policy, agents={})
    with refused("invalid_grant", "no longer has the agent release-pipeline"):
        house.issuer.verify(child)


def test_a_lower_max_depth_ends_deeper_chains_and_shortens_others(house):
    root = house.root()
    second = house.child(root)
    third = house.child(second, "migrator")
    house.change_agent(max_depth=2)
    assert house.issuer.verify(second).depth_left == 0
    with refused("invalid_grant", "2 deep"):
        house.issuer.verify(third)


def test_a_person_whom_the_agent_may_no_longer_act_for_ends_the_token(house):
    token = house.root(person=BOB)
    house.change_agent(persons=())
    with refused("invalid_grant", "no longer act for"):
        house.issuer.verify(token)


def test_an_agent_that_must_now_name_a_person_ends_tokens_without_one(house):
    house.change_agent(person="", persons=())
    token = house.root()
    house.change_agent(person=ADA)
    with refused("invalid_grant", "no longer act for"):
        house.issuer.verify(token)


def test_a_child_whose_name_the_policy_now_gives_to_an_agent_is_refused(house):
    child = house.child(house.root())
    house.policy = replace(house.policy, agents={**house.policy.agents, "planner": Agent(name="planner")})
    with refused("invalid_grant", "another name"):
        house.issuer.verify(child)


def test_groups_are_those_of_now(house):
    token = house.root()
    house.policy = replace(house.policy, groups={"night": Group(name="night", members=(ADA,))})
    assert house.issuer.verify(token).groups == {"night"}


def test_a_token_of_another_gateway_is_unknown(house):
    token = house.root()
    house.policy = replace(house.policy, api=ApiPolicy(public_url="https://elsewhere.example"))
    with refused("invalid_grant", "not one that this gateway issued"):
        house.issuer.verify(token)


def test_a_token_that_the_store_does_not_know_is_refused(house):
    token = house.root()
    house.store.tables.clear()
    house.restart()
    with refused("invalid_grant", "revoked"):
        house.issuer.verify(token)


def test_tokens_survive_a_restart(house):
    child = house.child(house.root())
    house.restart()
    assert house.issuer.verify(child).agent == "planner"


def test_tokens_survive_a_rotation_of_keys(house):
    child = house.child(house.root())
    house.keys.rotate(keep=3600)
    assert house.issuer.verify(house.child(child, "migrator")).agent == "migrator"


# Tokens that are signed, and still wrong


def forged(house: House, **changes: object) -> str:
    """Signed by our own key: what a bug elsewhere, or an older version, might have let out."""
    payload = to_payload(house.issuer.own(house.child(house.root())))
    return house.keys.sign({**payload, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-service"},
        {"sub": "eve@shop.example"},
        {"exp": 9_999_999_999},
        {"lineage": []},
        {"depth_left": 99, "act": {}},
        {"authorization_details": [{"type": "all"}]},
    ],
)
def test_a_signature_alone_admits_nothing(house, changes):
    with refused("invalid_grant", "not one that this gateway issued"):
        house.issuer.verify(forged(house, **changes))


def test_the_token_of_another_key_ring_is_unknown(house, tmp_path):
    stranger = House(tmp_path / "stranger")
    with refused("invalid_grant", "not one that this gateway issued"):
        house.issuer.verify(stranger.root())


# Revocation


def test_revoking_a_token_revokes_its_whole_subtree(house):
    root = house.root()
    one, two = house.child(root, "one"), house.child(root, "two")
    below = house.child(one, "below")
    assert set(house.issuer.revoke(one)) == {house.token_id(one), house.token_id(below)}
    for dead in (one, below):
        with refused("invalid_grant", "revoked"):
            house.issuer.verify(dead)
    assert house.issuer.verify(root)
    assert house.issuer.verify(two)


def test_nothing_is_derived_from_a_revoked_token(house):
    root = house.root()
    child = house.child(root)
    house.issuer.revoke(house.token_id(root), by="ada", reason="stop")
    with refused("invalid_grant", "revoked"):
        house.child(child, "migrator")


def test_revoking_what_is_not_ours_does_nothing(house):
    house.root()
    assert house.issuer.revoke("a.b.c") == ()
    assert house.issuer.revoke("nobody") == ()
    assert house.issuer.revoke("") == ()


def test_revocation_survives_a_restart(house):
    token = house.root()
    house.issuer.revoke(token)
    house.restart()
    with refused("invalid_grant", "revoked"):
        house.issuer.verify(token)


def test_who_revoked_is_kept(house):
    token = house.root()
    house.issuer.revoke(token, reason="done")
    link = house.lineages.get(house.token_id(token))
    assert (link.revoked_by, link.reason) == ("release-pipeline", "done")


# Nothing secret


def test_no_secret_is_in_what_is_kept_or_shown(house):
    token = house.issuer.for_agent("release-pipeline", SECRET)
    kept = json.dumps(house.store.tables)
    assert token.text not in repr(token)
    assert token.text not in kept
    assert token.text.rsplit(".", 1)[1] not in kept
    assert SECRET not in kept + json.dumps(jwt.decode(token.text, options={"verify_signature": False}))


def test_an_agent_with_a_secret_in_a_file_is_admitted(house, tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    house.change_agent(secret=SecretRef(source="file", name=str(tmp_path / "secret")))
    assert house.issuer.for_agent("release-pipeline", "from a file")
