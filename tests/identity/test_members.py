from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.approvals.electorate import groups_of
from gateway.identity import members as module
from gateway.identity.tokens import TokenRefused
from gateway.policy.model import Group
from tests.identity.gateway_app import OPERATOR, served
from tests.identity.house import ADA, BOB, HOUR, D, R, W, proven, with_people


@pytest.fixture
def house(house):
    return with_people(house)


def test_a_login_says_who_is_in_a_group_for_a_while(house):
    assert house.current() is house.policy
    proven(house, ADA, "dbas", "other")
    assert house.current().groups["dba"].members == (ADA,)
    assert house.current() is house.current()
    house.now += 12 * HOUR
    assert house.current() is house.policy
    assert not house.store.all(module.TABLE)


def test_the_next_login_at_the_same_provider_replaces_the_word_and_another_s_adds(house):
    proven(house, ADA, "dbas")
    proven(house, ADA, provider="corp")
    assert house.current().groups["dba"].members == (ADA,)
    proven(house, ADA)
    assert house.current().groups["dba"].members == ()


def test_a_provider_that_is_no_longer_declared_has_no_word(house):
    proven(house, ADA, "dbas")
    identity = replace(house.policy.identity, providers={})
    house.policy = replace(house.policy, identity=identity)
    assert house.current() is house.policy


def test_what_groups_it_makes_is_read_at_the_time_of_use(house):
    proven(house, ADA, "staff")
    groups = {**house.policy.groups, "dba": Group(name="dba", claim=("staff",))}
    house.policy = replace(house.policy, groups=groups)
    assert house.current().groups["dba"].members == (ADA,)


def test_a_restart_keeps_the_word(house):
    proven(house, ADA, "dbas")
    house.restart()
    assert house.current().groups["dba"].members == (ADA,)


def test_a_clock_that_was_set_back_believes_nothing_of_what_is_yet_to_come(house):
    proven(house, ADA, "dbas")
    house.now -= HOUR
    assert house.current().groups["dba"].members == ()
    house.now += HOUR
    assert house.current().groups["dba"].members == (ADA,)


def test_what_is_kept_is_bounded(house, monkeypatch):
    monkeypatch.setattr(module, "PEOPLE", 3)
    for number in range(5):
        proven(house, f"p{number}@shop.example", "dbas")
    assert house.current().groups["dba"].members == tuple(f"p{number}@shop.example" for number in (2, 3, 4))
    assert len(house.store.all(module.TABLE)) == 3


def test_who_votes_is_what_the_provider_says_and_not_slack(house):
    """A group with a claim is mentioned in Slack, and no more: being in its user group is no membership."""
    assert groups_of(house.current(), ADA, {"dba", "security"}) == {"security"}
    proven(house, ADA, "dbas")
    assert groups_of(house.current(), ADA, ()) == {"dba"}


def test_a_person_may_do_what_their_grants_say_for_the_shortest_of_their_times(house):
    proven(house, ADA, "dbas")
    proven(house, BOB)
    token = house.issuer.for_person(ADA)
    assert token.claims.scope == {"shop": {R}, "orders": {R, D}}
    assert (token.claims.depth_left, token.claims.expires_at - house.now) == (1, HOUR)
    assert house.issuer.for_person(BOB).claims.scope == {"shop": {R}}
    assert house.issuer.for_person(BOB).claims.depth_left == 2
    session = house.admission.admit("orders", user="x", secret=token.text, client="127.0.0.1")
    assert (session.lineage.person, session.lineage.agent, session.lineage.groups) == (ADA, ADA, {"dba"})
    assert house.admission.still_valid(session) == ""


def test_a_person_s_child_is_inside_and_acts_for_them(house):
    proven(house, ADA, "dbas")
    token = house.issuer.for_person(ADA).text
    child = house.child(token, "planner", scope={"orders": frozenset({R})})
    claims = house.issuer.verify(child)
    assert ([link.name for link in claims.chain], claims.person, claims.depth_left) == (
        [ADA, "planner"],
        ADA,
        0,
    )
    for wider in ({"orders": frozenset({W})}, {"shop": frozenset({W})}):
        with pytest.raises(TokenRefused, match="does not have"):
            house.issuer.derive(token, name="planner", scope=wider)
    with pytest.raises(TokenRefused, match="as deep"):
        house.issuer.derive(child, name="grandchild")


def test_the_token_is_what_the_person_may_do_now(house):
    proven(house, ADA, "dbas")
    token = house.issuer.for_person(ADA).text
    child = house.child(token, "planner")
    proven(house, ADA)  # no longer in the group
    assert house.scope(token) == house.scope(child) == {"shop": {R}}
    house.members.forget(ADA)
    for each in (token, child):
        with pytest.raises(TokenRefused, match="log in again"):
            house.issuer.verify(each)


def test_a_live_session_ends_with_the_login(house):
    proven(house, ADA, "dbas")
    session = house.admission.admit(
        "orders", user="x", secret=house.issuer.for_person(ADA).text, client="127.0.0.1"
    )
    proven(house, ADA)
    assert "groups of ada@shop.example have changed" in house.admission.still_valid(session)
    house.members.forget(ADA)
    assert "log in again" in house.admission.still_valid(session)


async def test_an_operator_ends_a_person_s_logins_everywhere(house):
    proven(house, ADA, "dbas")
    proven(house, ADA, provider="corp")
    proven(house, BOB)
    hers = [house.issuer.for_person(ADA).text for _ in range(2)]
    child = house.child(hers[0], "planner")
    his, agents = house.issuer.for_person(BOB).text, house.root(person=ADA)
    form = {"person": f" {ADA.upper()} ", "reason": "left"}
    async with served(house) as client:
        for headers in ({}, {"Authorization": f"Bearer {hers[0]}"}):
            async with client.post("/v1/people/logout", data=form, headers=headers) as answer:
                assert answer.status == 401
        operator = {"Authorization": f"Bearer {OPERATOR}"}
        async with client.post("/v1/people/logout", data={"person": "x"}, headers=operator) as answer:
            assert answer.status == 400
        async with client.post("/v1/people/logout", data=form, headers=operator) as answer:
            assert len((await answer.json())["revoked"]) == 3
    for each in (*hers, child):
        with pytest.raises(TokenRefused, match="revoked"):
            house.issuer.verify(each)
    assert house.parted == [ADA]
    assert ADA not in house.current().groups["dba"].members
    assert house.issuer.verify(his)
    assert house.issuer.verify(agents)  # that is policies.yaml's to say


def test_who_has_not_logged_in_has_no_token(house):
    with pytest.raises(TokenRefused) as refused:
        house.issuer.for_person(ADA)
    assert refused.value.error == "access_denied"
    with pytest.raises(TokenRefused):
        house.issuer.for_proved_agent(ADA)
    proven(house, ADA)
    with pytest.raises(TokenRefused):  # a key or another issuer's token makes nobody a person
        house.issuer.for_proved_agent(ADA)
    with pytest.raises(TokenRefused):
        house.issuer.for_agent(ADA, "")
