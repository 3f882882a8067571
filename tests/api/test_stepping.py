"""A yes that needs a fresh login: the click alone counts for nothing, and the login casts the vote that was clicked."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.contract import Approval, Choice, LoginView, State, VoteRequest
from gateway.identity.logins import LoginRefused, Wishes
from gateway.model import Ask, StepUp
from tests.api.conftest import OPERATOR

STRONG = "urn:example:strong"
FRESH = StepUp(max_age=300.0, acr=STRONG)
ASKS = (Ask(rule="writes", approvers="dba", step_up=FRESH),)
SAM, DANA, LEE = "sam@example.com", "dana@example.com", "lee@example.com"
COOKIE = "c" * 43


class Stand:
    """One held command that asks for fresh logins, and the votes on it."""

    def __init__(self, gate, approval):
        self.gate = gate
        self.id = approval.id
        gate.corp.answer = {"person": SAM, "acr": STRONG}

    def wish(self, person=SAM, **changes):
        return VoteRequest(**{"person": person, "choice": Choice.APPROVE, "seen_version": 1, **changes})

    async def click(self, person=SAM, *, status=403, credential=None, **changes):
        options = {"credential": credential} if credential else {}
        return await self.gate.call(
            "POST",
            f"/v1/approvals/{self.id}/votes",
            body=self.wish(person, **changes),
            status=status,
            shape=Approval if status == 200 else None,
            **options,
        )

    async def log_in(self, url):
        """Through the provider, as a browser would; what the page says."""
        going = (await self.gate.logins.go(url.rpartition("/")[2], "corp", COOKIE)).url
        state = parse_qs(urlsplit(going).query)["state"][0]
        return await self.gate.logins.finish("corp", state, {"state": state}, COOKIE)

    async def refused(self, url):
        with pytest.raises(LoginRefused) as refusal:
            await self.log_in(url)
        return str(refusal.value)

    def approval(self):
        return self.gate.house.approvals.get(self.id)


@pytest.fixture
async def stand(gate):
    return Stand(gate, (await gate.house.hold(asks=ASKS)).approval)


async def test_the_click_counts_nothing_and_the_login_casts_it(stand):
    offered = await stand.click()
    assert offered.error == "login_first"
    assert offered.url.startswith("https://countersign.example.com/gate/login/")
    assert stand.approval().votes == ()
    said = await stand.log_in(offered.url)
    assert said.startswith("Your yes")
    assert stand.gate.corp.asked == [Wishes(max_age=300.0, acr=STRONG)]
    approval = stand.approval()
    assert approval.state is State.SPENT
    (vote,) = approval.votes
    assert (vote.person, vote.through) == (SAM, "slack")
    assert vote.login == LoginView(provider="corp", at=stand.gate.house.clock(), acr=STRONG)


async def test_the_journal_keeps_the_login_of_the_vote(stand):
    await stand.log_in((await stand.click()).url)
    (settled,) = [each for each in stand.gate.house.journal.recent() if each.kind == "approval"]
    assert settled.fields["approval"]["votes"][0]["login"]["provider"] == "corp"


async def test_an_address_casts_one_vote(stand):
    url = (await stand.click()).url
    await stand.log_in(url)
    assert "used" in await stand.refused(url)


async def test_who_logs_in_has_to_be_who_clicked(stand):
    url = (await stand.click()).url
    stand.gate.corp.answer["person"] = DANA
    assert "sam@example.com clicked" in await stand.refused(url)
    assert stand.approval().votes == ()


async def test_a_login_that_is_old_or_weak_casts_nothing(stand):
    stand.gate.corp.answer["at"] = stand.gate.house.clock() - 400
    assert "fresh login" in await stand.refused((await stand.click()).url)
    stand.gate.corp.answer = {"person": SAM, "acr": "urn:example:weak"}
    assert "not as strongly" in await stand.refused((await stand.click()).url)
    assert stand.approval().votes == ()


async def test_the_vote_is_for_the_version_that_was_clicked(stand):
    url = (await stand.click()).url
    await stand.gate.house.hold(asks=ASKS)
    assert "asks for more" in await stand.refused(url)
    assert stand.approval().state is State.PENDING


async def test_what_was_settled_meanwhile_stays_so(stand):
    url = (await stand.click()).url
    await stand.click(choice=Choice.DENY, status=200)
    assert "already denied" in await stand.refused(url)
    assert stand.approval().state is State.DENIED


async def test_what_lapses_during_the_login_is_not_approved(stand):
    url = (await stand.click()).url
    stand.gate.house.now += 500
    stand.gate.corp.answer["at"] = stand.gate.house.clock()
    late = Stand(stand.gate, (await stand.gate.house.hold("DELETE FROM x", asks=ASKS, within=300)).approval)
    other = (await late.click()).url
    stand.gate.house.now += 301
    assert "expired" in await late.refused(other)
    assert "over" in await stand.refused(url)


async def test_who_left_the_group_meanwhile_casts_nothing(stand):
    url = (await stand.click()).url
    groups = dict(stand.gate.house.policy.groups)
    groups["dba"] = type(groups["dba"])(name="dba", members=(DANA,))
    stand.gate.house.policy = type("P", (), {"groups": groups, "agents": {}, "operators": ()})()
    assert "not in a group" in await stand.refused(url)


async def test_nobody_is_sent_to_log_in_for_a_vote_that_would_not_count(stand):
    assert (await stand.click(LEE)).error == "not_eligible"
    assert (await stand.click(DANA)).error == "not_eligible"
    assert (await stand.click(seen_version=9, status=409)).error == "stale"


async def test_denying_needs_no_login(stand):
    approval = await stand.click(choice=Choice.DENY, status=200)
    assert (approval.state, approval.votes[0].login) == (State.DENIED, None)


async def test_at_a_terminal_it_is_the_same(stand):
    offered = await stand.click(credential=OPERATOR)
    await stand.log_in(offered.url)
    (vote,) = stand.approval().votes
    assert (vote.through, vote.login is not None) == ("cli", True)


async def test_without_a_provider_nobody_can_approve_it(stand):
    stand.gate.providers.clear()
    refusal = await stand.click()
    assert (refusal.error, "no identity provider" in refusal.message) == ("not_eligible", True)


async def test_of_two_rules_the_one_that_wants_a_login_gets_one(gate):
    """A vote that could count for either needs what the stricter one asks."""
    asks = (Ask(rule="a", approvers="dba"), Ask(rule="b", approvers="security", step_up=FRESH))
    held = Stand(gate, (await gate.house.hold(asks=asks)).approval)
    approval = await held.click(status=200)
    assert approval.state is State.PENDING
    offered = await held.click(LEE, seen_version=approval.version)
    gate.corp.answer["person"] = LEE
    await held.log_in(offered.url)
    assert held.approval().state is State.SPENT


async def test_two_strengths_cannot_be_met_by_one_login(gate):
    asks = (
        Ask(rule="a", approvers="dba", step_up=FRESH),
        Ask(rule="b", approvers="*", step_up=StepUp(max_age=60.0, acr="urn:example:other")),
    )
    held = Stand(gate, (await gate.house.hold(asks=asks)).approval)
    assert "needs a fresh login" in await held.refused((await held.click()).url)
    assert gate.corp.asked == [Wishes(max_age=60.0, acr=STRONG)]
    assert held.approval().votes == ()


async def test_the_page_says_for_what_the_yes_is(stand):
    url = (await stand.click()).url
    purpose = stand.gate.logins.purpose(url.rpartition("/")[2], "")
    told = dict(purpose.details)
    assert told["You vote as"] == SAM
    assert told["Command"].startswith("UPDATE orders")
    assert told["In four words"] == stand.approval().command.words
    assert "migrator" in told["Asked by"]
