"""A Slack user becomes a person by a login: who may, who may not, and what a link is good for."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.contract import (
    Approval,
    Choice,
    Directory,
    LinkOffer,
    LinkRequest,
    LinkView,
    RevokeRequest,
    VoteRequest,
)
from gateway.identity.links import SlackLinks
from gateway.identity.logins import LoginRefused, Wishes
from gateway.policy.model import Slack
from tests.api.conftest import OPERATOR, POLICY

SAM, DANA = "sam@example.com", "dana@example.com"
USER = LinkRequest(slack_id="U2", team="T1", name="Dana")
COOKIE = "c" * 43


class Stand:
    """The routes and the logins behind them."""

    def __init__(self, gate):
        self.gate = gate
        gate.corp.answer = {"person": DANA}

    async def offered(self, user=USER):
        return (await self.gate.call("POST", "/v1/links", body=user, shape=LinkOffer)).url

    async def log_in(self, url):
        going = (await self.gate.logins.go(url.rpartition("/")[2], "corp", COOKIE)).url
        state = parse_qs(urlsplit(going).query)["state"][0]
        return await self.gate.logins.finish("corp", state, {"state": state}, COOKIE)

    async def link(self, user=USER, person=DANA):
        self.gate.corp.answer = {"person": person}
        return await self.log_in(await self.offered(user))

    async def refused(self, user=USER, person=DANA):
        with pytest.raises(LoginRefused) as refusal:
            await self.link(user, person)
        return str(refusal.value)

    async def directory(self):
        return await self.gate.call("GET", "/v1/directory", shape=Directory)

    def journalled(self):
        return [
            (record.kind, record.fields["slack_id"], record.fields["person"])
            for record in self.gate.house.journal.recent()
            if record.kind in {"linked", "unlinked"}
        ]

    def configure(self, **slack):
        self.gate.house.policy = replace(POLICY, slack=Slack(**slack))


@pytest.fixture
async def stand(gate):
    return Stand(gate)


async def test_a_login_ties_a_slack_user_to_the_person_it_shows(stand):
    assert "U2" not in (await stand.directory()).people
    said = await stand.link()
    assert "dana@example.com" in said
    assert (await stand.directory()).people == {"U1": SAM, "U2": DANA}
    view = await stand.gate.call("GET", "/v1/links/U2", shape=LinkView)
    assert (view.person, view.provider, view.team) == (DANA, "corp", "T1")
    assert stand.journalled() == [("linked", "U2", DANA)]
    assert stand.gate.corp.asked == [Wishes(max_age=300.0)]


async def test_the_page_names_the_slack_user_before_anybody_logs_in(stand):
    url = await stand.offered(replace(USER, name="Mallory"))
    details = dict(stand.gate.logins.purpose(url.rpartition("/")[2], "").details)
    assert details["Slack user"] == "Mallory (U2)"
    assert details["Workspace"] == "T1"


async def test_a_link_outlives_a_restart(stand):
    await stand.link()
    house = stand.gate.house
    await house.restart()
    links = SlackLinks(house.store, house.journal, policy=lambda: house.policy, clock=house.clock)
    assert links.people() == {"U1": SAM, "U2": DANA}
    assert links.are("U2", "Dana@example.com")


async def test_whose_address_slack_knows_logs_in_with_that_one(stand):
    """An address sent to somebody else does not make its sender them."""
    mallory = replace(USER, name="Mallory", email="mallory@example.com")
    assert "Slack knows this user as mallory@example.com" in await stand.refused(mallory)
    assert "U2" not in (await stand.directory()).people
    await stand.link(replace(USER, email="Dana@Example.com"))
    assert (await stand.directory()).people["U2"] == DANA


async def test_the_policy_has_the_last_word(stand):
    assert "another Slack user" in await stand.refused(person=SAM)
    assert "U1 is sam@example.com" in await stand.refused(replace(USER, slack_id="U1"))
    await stand.link(replace(USER, slack_id="U1"), SAM)
    await stand.link()
    stand.configure(people={"U9": DANA, "U2": "lee@example.com"})
    assert (await stand.directory()).people == {"U9": DANA, "U2": "lee@example.com", "U1": SAM}
    stand.configure(people={"U9": DANA})
    assert (await stand.directory()).people == {"U9": DANA, "U1": SAM}


async def test_a_linked_slack_user_does_not_become_another_person_without_unlinking(stand):
    await stand.link()
    assert "linked to dana@example.com" in await stand.refused(person="lee@example.com")
    end = RevokeRequest(person=DANA)
    await stand.gate.call("POST", "/v1/links/U2/end", body=end, shape=LinkView)
    await stand.link(person="lee@example.com")
    assert (await stand.directory()).people["U2"] == "lee@example.com"


async def test_a_person_has_one_slack_user_the_one_of_the_last_login(stand):
    await stand.link()
    await stand.link(replace(USER, slack_id="U3"))
    assert (await stand.directory()).people == {"U1": SAM, "U3": DANA}


async def test_a_link_is_ended_by_its_person_and_by_operators(stand):
    await stand.link()
    path = "/v1/links/U2/end"
    other = RevokeRequest(person="lee@example.com")
    assert await stand.gate.refused("POST", path, 403, body=other) == "not_eligible"
    await stand.gate.call("POST", path, body=other, credential=OPERATOR, shape=LinkView)
    assert await stand.gate.refused("POST", path, 404, body=other) == "not_found"
    assert await stand.gate.refused("GET", "/v1/links/U2", 404) == "not_found"
    assert stand.journalled() == [("linked", "U2", DANA), ("unlinked", "U2", DANA)]


async def test_operators_see_all_links_and_nobody_else_does(stand):
    await stand.link()
    await stand.link(replace(USER, slack_id="U3"), "lee@example.com")
    views = await stand.gate.call("GET", "/v1/links", credential=OPERATOR, shape=tuple[LinkView, ...])
    assert {(view.slack_id, view.person, view.ends_at, view.over) for view in views} == {
        ("U2", DANA, None, False),
        ("U3", "lee@example.com", None, False),
    }
    assert await stand.gate.refused("GET", "/v1/links", 403) == "unauthorized"


async def test_a_link_lasts_as_long_as_the_policy_says(stand):
    """From then on that Slack user is nobody, until a login shows again who they are."""
    await stand.link()
    stand.configure(people={"U1": SAM}, link_lasts=3_600.0)
    assert (await stand.directory()).people["U2"] == DANA
    stand.gate.house.now += 3_600
    assert "U2" not in (await stand.directory()).people
    house = stand.gate.house
    links = SlackLinks(house.store, house.journal, policy=lambda: house.policy, clock=house.clock)
    assert not links.are("U2", DANA)
    (view,) = await stand.gate.call("GET", "/v1/links", credential=OPERATOR, shape=tuple[LinkView, ...])
    assert (view.over, view.ends_at) == (True, view.at + 3_600)
    await stand.link()
    assert (await stand.directory()).people["U2"] == DANA
    # A clock that is set back makes no link of a time to come.
    stand.gate.house.now -= 3_000
    assert "U2" not in (await stand.directory()).people


async def test_who_logs_in_where_a_link_is_over_takes_its_place(stand):
    await stand.link()
    stand.configure(people={"U1": SAM}, link_lasts=3_600.0)
    assert "linked to dana@example.com" in await stand.refused(person="lee@example.com")
    stand.gate.house.now += 3_600
    await stand.link(person="lee@example.com")
    assert (await stand.directory()).people["U2"] == "lee@example.com"


async def test_who_is_logged_out_everywhere_has_no_slack_user_any_more(stand):
    await stand.link()
    house = stand.gate.house
    links = SlackLinks(house.store, house.journal, policy=lambda: house.policy, clock=house.clock)
    await links.part("lee@example.com")
    assert links.people() == {"U1": SAM, "U2": DANA}
    await links.part(DANA)
    assert links.people() == {"U1": SAM}
    assert stand.journalled() == [("linked", "U2", DANA), ("unlinked", "U2", DANA)]


async def test_a_vote_counts_only_while_its_slack_user_is_that_person(stand):
    stand.configure(people={})
    held = await stand.gate.house.hold(
        lineage_view=replace(
            (await stand.gate.house.hold("SELECT 2")).approval.lineage, person="x@example.com"
        )
    )
    votes = f"/v1/approvals/{held.approval.id}/votes"
    vote = VoteRequest(person=SAM, choice=Choice.APPROVE, seen_version=1, slack_id="U2")
    assert await stand.gate.refused("POST", votes, 403, body=vote) == "not_eligible"
    await stand.link(person=SAM)
    wrong = replace(vote, slack_id="U3")
    assert await stand.gate.refused("POST", votes, 403, body=wrong) == "not_eligible"
    await stand.gate.call("POST", "/v1/links/U2/end", body=RevokeRequest(person=SAM), shape=LinkView)
    assert await stand.gate.refused("POST", votes, 403, body=vote) == "not_eligible"
    await stand.link(person=SAM)
    await stand.gate.call("POST", votes, body=vote, shape=Approval)


async def test_who_is_known_by_an_address_alone_votes_where_the_policy_lets_them(stand):
    stand.configure(people={"U1": SAM}, match_people_by_email=True)
    house = stand.gate.house
    links = SlackLinks(house.store, house.journal, policy=lambda: house.policy, clock=house.clock)
    assert links.are("U7", "lee@example.com")
    assert not links.are("U7", SAM)
    assert not links.are("U1", "lee@example.com")


@pytest.mark.parametrize("wrong", [{"slack_id": "../x"}, {"slack_id": ""}, {"team": "nobody"}])
async def test_what_is_no_slack_user_is_not_linked(stand, wrong):
    user = replace(USER, **wrong)
    assert await stand.gate.refused("POST", "/v1/links", 400, body=user) == "bad_request"


async def test_links_are_begun_by_the_bot_alone_and_where_people_can_log_in(stand):
    assert (
        await stand.gate.refused("POST", "/v1/links", 403, body=USER, credential=OPERATOR) == "unauthorized"
    )
    stand.gate.providers.clear()
    assert await stand.gate.refused("POST", "/v1/links", 403, body=USER) == "not_eligible"
