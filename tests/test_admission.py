from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.admission import AdmissionRefused
from gateway.model import Session
from gateway.policy.model import Group
from tests.identity.house import ADA, House, R, W


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def admitted(house: House, token: str, connection: str = "orders", user: str = "whoever") -> Session:
    return house.admission.admit(connection, user=user, secret=token, client="10.1.2.3")


def test_a_token_is_a_password_whatever_the_user_is_called(house):
    token = house.child(house.root(), scope={"orders": frozenset({R})})
    for user in ("planner", "postgres", "", "cs_", "café"):
        session = admitted(house, token, user=user)
        assert session.lineage == house.issuer.verify(token).lineage
        assert session.connection == house.policy.targets["orders"].connection
        assert (session.scope, session.client) == ({R}, "10.1.2.3")
        assert session.opened_at == house.now
        assert session.expires_at == house.issuer.verify(token).expires_at


def test_every_session_has_an_id_of_its_own(house):
    token = house.root()
    assert admitted(house, token).id != admitted(house, token).id


@pytest.mark.parametrize(
    "secret", ["", "hunter2", "a.b.c", "e30.e30.e30", "x" * 100_000, "\udcff", "a.b.c\0"]
)
def test_what_is_no_token_is_refused_in_one_and_the_same_sentence(house, secret):
    with pytest.raises(AdmissionRefused, match="countersign token mint") as refused:
        admitted(house, secret)
    with pytest.raises(AdmissionRefused) as again:
        admitted(house, "something else")
    assert str(refused.value) == str(again.value)


def test_a_connection_outside_the_scope_is_refused_with_what_is_inside(house):
    token = house.child(house.root(), scope={"shop": frozenset({R})})
    with pytest.raises(
        AdmissionRefused, match=r"planner has no scope on orders; it reaches shop.*--scope orders:read"
    ):
        admitted(house, token)


def test_a_refusal_does_not_tell_which_connections_exist(house):
    token = house.child(house.root(), scope={"shop": frozenset({R})})
    messages = set()
    for connection in ("orders", "sredro"):
        with pytest.raises(AdmissionRefused) as refused:
            admitted(house, token, connection)
        messages.add(str(refused.value).replace(connection, "X"))
    assert len(messages) == 1


def test_an_expired_token_is_told_so(house):
    token = house.root(ttl=60)
    house.now += 61
    with pytest.raises(AdmissionRefused, match="expired"):
        admitted(house, token)


def test_a_revoked_ancestor_shuts_the_door(house):
    root = house.root()
    child = house.child(root)
    house.issuer.revoke(root)
    with pytest.raises(AdmissionRefused, match="revoked"):
        admitted(house, child)


def test_admission_grants_what_policy_grants_now(house):
    token = house.root()
    house.change_agent(scope={"orders": frozenset({R})})
    assert admitted(house, token).scope == {R}
    house.change_agent(scope={})
    with pytest.raises(AdmissionRefused, match="nothing any more"):
        admitted(house, token)


def test_a_minted_user_is_challenged_and_admitted_when_proved(house):
    child = house.child(house.root(), scope={"orders": frozenset({R})})
    pair = house.minted.mint(child)
    assert "scram-sha-256" in house.admission.challenge("orders", pair.user)
    session = house.admission.admit_proved("orders", user=pair.user, client="10.1.2.3")
    assert session.lineage.agent == "planner"
    with pytest.raises(AdmissionRefused, match="has no scope on shop"):
        house.admission.admit_proved("shop", user=pair.user, client="10.1.2.3")


def test_a_minted_password_may_also_be_handed_over(house):
    pair = house.minted.mint(house.root())
    assert admitted(house, pair.password, user=pair.user).lineage.agent == "release-pipeline"
    for user, password in ((pair.user, "wrong"), ("cs_" + "a" * 16, pair.password)):
        with pytest.raises(AdmissionRefused, match="not known here"):
            admitted(house, password, user=user)


def test_other_users_are_asked_for_a_token(house):
    assert house.admission.challenge("orders", "planner") is None
    assert house.admission.challenge("nowhere", "cs_" + "a" * 16) is not None


def test_proving_a_user_that_has_ended_admits_nobody(house):
    pair = house.minted.mint(house.root(ttl=60))
    house.now += 60
    with pytest.raises(AdmissionRefused, match="expired"):
        house.admission.admit_proved("orders", user=pair.user, client="")
    with pytest.raises(AdmissionRefused):
        house.admission.admit_proved("orders", user="cs_" + "a" * 16, client="")


# Live sessions


def live(house: House) -> Session:
    return admitted(house, house.child(house.root(), scope={"orders": frozenset({R, W})}))


def test_an_untouched_session_goes_on(house):
    session = live(house)
    assert house.admission.still_valid(session) == ""
    house.restart()
    assert house.admission.still_valid(session) == ""


def test_a_session_ends_with_its_token(house):
    session = live(house)
    house.now = session.expires_at
    assert house.admission.still_valid(session) == "the token has expired"


@pytest.mark.parametrize("link", [0, 1])
def test_a_session_ends_when_any_of_its_chain_is_revoked(house, link):
    session = live(house)
    house.issuer.revoke(session.lineage.token_ids[link], by="ada")
    assert "revoked" in house.admission.still_valid(session)


def test_a_session_ends_when_policy_grants_less_than_it_holds(house):
    session = live(house)
    house.change_agent(scope={"orders": frozenset({R})})
    assert "no longer lets release-pipeline use orders:write" in house.admission.still_valid(session)


def test_a_session_goes_on_when_policy_takes_what_it_does_not_hold(house):
    session = live(house)
    house.change_agent(scope={"orders": frozenset({R, W})})
    assert house.admission.still_valid(session) == ""


def test_a_session_ends_with_its_connection_and_with_its_agent(house):
    session = live(house)
    whole = house.policy
    house.policy = replace(whole, targets={})
    assert "no longer has the connection" in house.admission.still_valid(session)
    house.policy = replace(whole, agents={})
    assert "no longer has the agent" in house.admission.still_valid(session)


def test_a_session_ends_when_the_persons_groups_change(house):
    session = live(house)
    house.policy = replace(
        house.policy, groups={"dba": Group(name="dba"), "late": Group(name="late", members=(ADA,))}
    )
    assert f"groups of {ADA}" in house.admission.still_valid(session)
