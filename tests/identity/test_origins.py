from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.admission import AdmissionRefused
from gateway.api.grants import ACCESS_TOKEN, TOKEN_EXCHANGE
from gateway.identity.origins import ENTERING, TABLE, host_of
from gateway.identity.tokens import TokenRefused
from gateway.policy.identities import Binding
from tests.identity.gateway_app import served
from tests.identity.house import ADA, proven, with_people

HERE, THERE = "10.0.0.7:5432", "203.0.113.9:5432"


def bound(house, *to: str, reuse: str = "refuse") -> None:
    house.change_agent(binding=Binding(to=frozenset(to), reuse=reuse))


def enter(house, token: str, client: str = HERE):
    session = house.admission.admit("orders", user="x", secret=token, client=client)
    house.open.add(session.id)
    return session


def test_a_token_that_is_not_bound_is_used_from_anywhere(house):
    token = house.root()
    enter(house, token)
    enter(house, token, THERE)
    assert not house.told
    assert not house.store.all(TABLE)


def test_a_bound_token_is_where_it_was_used_first(house):
    bound(house, "address")
    token = house.root(origin="192.0.2.1")
    enter(house, token)
    enter(house, token, "10.0.0.7:6000")
    for _ in range(3):
        with pytest.raises(
            AdmissionRefused, match=r"bound, and was used from 203.0.113.9, and first from 10.0.0.7"
        ):
            enter(house, token, THERE)
    enter(house, token)
    (said,) = house.told
    assert f"of release-pipeline for {ADA} is used from 203.0.113.9" in said
    assert "It was refused." in said
    assert token not in said


def test_a_restart_does_not_forget_where(house):
    bound(house, "address")
    token = house.root()
    enter(house, token)
    house.restart()
    with pytest.raises(AdmissionRefused):
        enter(house, token, THERE)


def test_reuse_may_be_told_of_alone(house):
    bound(house, "address", reuse="announce")
    token = house.root()
    enter(house, token)
    for _ in range(3):
        enter(house, token, THERE)
    assert len(house.told) == 1
    assert "let through" in house.told[0]


def test_reuse_may_end_the_token_and_all_below_it(house):
    bound(house, "address", reuse="revoke")
    token = house.root()
    child = house.child(token)
    enter(house, token)
    with pytest.raises(AdmissionRefused):
        enter(house, token, THERE)
    for each in (token, child):
        with pytest.raises(TokenRefused, match="revoked"):
            house.issuer.verify(each)
    link = house.lineages.get(house.token_id(token))
    assert (link.revoked_by, "203.0.113.9" in link.reason) == ("the gateway", True)


def test_a_child_is_bound_for_itself(house):
    bound(house, "address", reuse="revoke")
    token = house.root()
    child = house.child(token)
    enter(house, token)
    enter(house, child, THERE)
    with pytest.raises(AdmissionRefused):
        enter(house, child, HERE)
    assert house.issuer.verify(token)


def test_a_minted_pair_is_bound_as_its_token_is(house):
    bound(house, "address")
    token = house.root()
    pair = house.minted.mint(token)
    enter(house, token)
    with pytest.raises(AdmissionRefused, match="bound"):
        house.admission.admit("orders", user=pair.user, secret=pair.password, client=THERE)


def test_one_session_at_a_time(house):
    bound(house, "session")
    token = house.root()
    first = enter(house, token)
    with pytest.raises(AdmissionRefused, match="second session"):
        enter(house, token)
    enter(house, house.child(token))
    house.open.discard(first.id)
    house.now += ENTERING
    enter(house, token)
    assert len(house.told) == 1


def by_key(house, client: str = HERE):
    session = house.admission.admit_agent("orders", user="release-pipeline", client=client)
    house.open.add(session.id)
    return session


def test_an_agent_that_enters_by_its_key_has_one_session_at_a_time(house):
    """Each time it has a new token, of which none would ever be used twice."""
    bound(house, "session")
    first = by_key(house)
    for _ in range(3):
        with pytest.raises(AdmissionRefused, match="second session"):
            by_key(house, THERE)
    assert len(house.told) == 1
    live = [link for link in house.lineages.links().values() if link.revoked_at is None]
    assert [link.token_id for link in live] == [first.lineage.chain[-1].token_id]
    # A token that was asked for by the secret has its own one.
    enter(house, house.root())
    house.open.discard(first.id)
    house.now += ENTERING
    by_key(house)


def test_reuse_by_key_may_end_the_session_that_is_open(house):
    bound(house, "session", reuse="revoke")
    first = by_key(house)
    with pytest.raises(AdmissionRefused):
        by_key(house, THERE)
    assert house.lineages.revoked(first.lineage.token_ids)


def test_of_two_that_enter_at_once_one_does(house):
    """A session is admitted a moment before it is open."""
    bound(house, "session")
    token = house.root()
    house.admission.admit("orders", user="x", secret=token, client=HERE)
    with pytest.raises(AdmissionRefused, match="second session"):
        house.admission.admit("orders", user="x", secret=token, client=HERE)
    house.now += ENTERING
    house.admission.admit("orders", user="x", secret=token, client=HERE)


def test_a_person_s_token_is_bound_by_any_of_their_grants(house):
    with_people(house)
    everybody, dbas = house.policy.identity.people
    dbas = replace(dbas, binding=Binding(to=frozenset({"address"}), reuse="revoke"))
    house.policy = replace(house.policy, identity=replace(house.policy.identity, people=(everybody, dbas)))
    proven(house, ADA, "dbas")
    token = house.issuer.for_person(ADA).text
    enter(house, token)
    with pytest.raises(AdmissionRefused):
        enter(house, token, THERE)
    assert f"of {ADA} is used from" in house.told[0]


def test_what_was_seen_ends_with_the_token(house):
    bound(house, "address")
    enter(house, house.root(ttl=60))
    house.now += 3_600
    enter(house, house.root())
    assert len(house.store.all(TABLE)) == 1


async def test_a_stolen_token_derives_nothing_and_mints_nothing_elsewhere(house):
    bound(house, "address")
    token = house.root()
    house.origins.used(house.issuer.verify(token), "203.0.113.9", "api")
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "name": "x",
    }
    async with served(house) as client:
        async with client.post("/oauth/token", data=form) as answer:
            assert (answer.status, (await answer.json())["error"]) == (400, "invalid_grant")
        bearer = {"Authorization": f"Bearer {token}"}
        async with client.post("/oauth/minted", headers=bearer) as answer:
            assert answer.status == 401
        async with client.get("/v1/connections", headers=bearer) as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    ("client", "host"),
    [
        ("10.0.0.7:5432", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.7"),
        ("[2001:db8::1]:5432", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_the_host_of_a_client(client, host):
    assert host_of(client) == host
