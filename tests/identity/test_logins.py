from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.identity import logins as module
from gateway.identity.logins import (
    CLOCKS_APART,
    ELSEWHERE,
    LIFETIME,
    OVER,
    LoginRefused,
    Logins,
    Proven,
    Started,
    Wishes,
)
from tests.identity.providers import ADA, Noted, Told

MINE, YOURS = "m" * 43, "y" * 43


class Desk:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        clock = lambda: self.now
        self.known: list[Proven] = []
        self.providers = {"okta": Told(clock), "corp": Told(clock, "corp")}
        self.logins = Logins(
            lambda: self.providers, self.remember, base=lambda: "https://gate.example", clock=clock
        )

    async def remember(self, proven: Proven) -> None:
        self.known.append(proven)

    def begin(self, purpose: Noted) -> str:
        address = self.logins.begin(purpose)
        assert address.startswith("https://gate.example/login/")
        return address.rpartition("/")[2]

    async def going(self, ticket: str, cookie: str = MINE, provider: str = "okta") -> str:
        going = await self.logins.go(ticket, provider, cookie)
        return parse_qs(urlsplit(going.url).query)["state"][0]

    async def back(self, state: str, cookie: str = MINE, provider: str = "okta", **values: str) -> str:
        return await self.logins.finish(provider, state, {"state": state, **values}, cookie)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def refused(awaitable) -> str:
    with pytest.raises(LoginRefused) as refusal:
        await awaitable
    return str(refusal.value)


async def test_a_login_does_what_it_was_for_and_says_so(desk):
    purpose = Noted(code="ABCD")
    ticket = desk.begin(purpose)
    assert desk.logins.purpose(ticket, "") is purpose
    assert await desk.back(await desk.going(ticket)) == f"You are {ADA}."
    assert [(each.person, each.groups) for each in purpose.proven] == [(ADA, {"db-admins"})]
    assert desk.known == purpose.proven


async def test_an_address_and_a_state_are_used_once(desk):
    purpose = Noted()
    ticket = desk.begin(purpose)
    state = await desk.going(ticket)
    await desk.back(state)
    assert await refused(desk.back(state)) == OVER
    assert await refused(desk.going(ticket)) == OVER
    assert len(purpose.proven) == 1


async def test_a_state_is_used_up_by_a_refusal_too_and_the_same_browser_may_go_again(desk):
    purpose = Noted()
    ticket = desk.begin(purpose)
    first = await desk.going(ticket)
    assert await refused(desk.back(first, error="access_denied")) == "You said no."
    assert await refused(desk.back(first)) == OVER
    assert await desk.back(await desk.going(ticket)) == f"You are {ADA}."


async def test_going_again_ends_the_way_that_was_begun(desk):
    ticket = desk.begin(Noted())
    first = await desk.going(ticket)
    second = await desk.going(ticket, provider="corp")
    assert await refused(desk.back(first)) == OVER
    assert await refused(desk.back(second, provider="okta")) == OVER
    assert await desk.back(second, provider="corp")


async def test_the_login_is_its_first_browser_s(desk):
    purpose = Noted()
    ticket = desk.begin(purpose)
    state = await desk.going(ticket)
    assert await refused(desk.going(ticket, YOURS)) == ELSEWHERE
    assert await refused(desk.back(state, YOURS)) == ELSEWHERE
    assert await refused(desk.back(state, "")) == ELSEWHERE
    with pytest.raises(LoginRefused, match="another browser"):
        desk.logins.purpose(ticket, YOURS)
    assert await desk.back(state) == f"You are {ADA}."


async def test_a_provider_that_cannot_be_asked_binds_the_login_to_nobody(desk):
    class Down(Told):
        async def start(self, state: str, wishes: Wishes) -> Started:
            raise LoginRefused("okta cannot be asked.")

    up = desk.providers["okta"]
    desk.providers["okta"] = Down(lambda: desk.now)
    ticket = desk.begin(Noted())
    assert await refused(desk.going(ticket)) == "okta cannot be asked."
    desk.providers["okta"] = up
    state = await desk.going(ticket, YOURS)
    desk.providers["okta"] = Down(lambda: desk.now)
    assert await refused(desk.going(ticket, YOURS)) == "okta cannot be asked."
    assert await refused(desk.back(state, YOURS)) == OVER
    assert await refused(desk.going(ticket, MINE)) == ELSEWHERE
    desk.providers["okta"] = up
    assert await desk.back(await desk.going(ticket, YOURS), YOURS)


async def test_a_login_ends_by_itself(desk):
    ticket = desk.begin(Noted())
    state = await desk.going(ticket)
    desk.now += LIFETIME
    assert await refused(desk.back(state)) == OVER
    assert await refused(desk.going(ticket)) == OVER


async def test_a_restart_ends_what_was_under_way(desk):
    ticket = desk.begin(Noted())
    state = await desk.going(ticket)
    after = Desk()
    assert await refused(after.back(state)) == OVER
    assert await refused(after.going(ticket)) == OVER


async def test_what_is_under_way_is_bounded_and_the_oldest_goes(desk, monkeypatch):
    monkeypatch.setattr(module, "UNDER_WAY", 3)
    tickets = [desk.begin(Noted()) for _ in range(3)]
    states = [await desk.going(ticket) for ticket in tickets]
    desk.begin(Noted())
    assert await refused(desk.back(states[0])) == OVER
    assert await desk.back(states[1])
    assert len(desk.logins._ways) == 1


async def test_nobody_logs_in_where_there_is_no_provider(desk):
    desk.providers.clear()
    with pytest.raises(LoginRefused, match="no identity provider"):
        desk.begin(Noted())


async def test_a_provider_that_is_no_longer_declared_finishes_nothing(desk):
    ticket = desk.begin(Noted())
    state = await desk.going(ticket)
    del desk.providers["okta"]
    assert "no identity provider okta any more" in await refused(desk.back(state))
    assert "no identity provider okta" in await refused(desk.going(ticket))


@pytest.mark.parametrize("age", [299, 300 + CLOCKS_APART])
async def test_a_login_that_is_fresh_enough_counts(desk, age):
    desk.providers["okta"].answer = {"at": desk.now - age}
    purpose = Noted(Wishes(max_age=300))
    assert await desk.back(await desk.going(desk.begin(purpose)))
    assert desk.providers["okta"].asked == [Wishes(max_age=300)]


@pytest.mark.parametrize(
    ("answer", "wishes", "sentence"),
    [
        ({"at": 1_800_000_000.0 - 361}, Wishes(max_age=300), "fresh login"),
        ({"at": 1_800_000_000.0 + 61}, Wishes(), "yet to come"),
        ({"acr": "pwd"}, Wishes(acr="mfa"), "not as strongly"),
        ({}, Wishes(acr="mfa"), "not as strongly"),
        ({"provider": "corp"}, Wishes(), "Begin the login again"),
    ],
)
async def test_a_provider_that_did_less_than_it_was_asked_is_not_believed(desk, answer, wishes, sentence):
    desk.providers["okta"].answer = answer
    purpose = Noted(wishes)
    ticket = desk.begin(purpose)
    assert sentence in await refused(desk.back(await desk.going(ticket)))
    assert not purpose.proven
    assert not desk.known


async def test_what_a_purpose_refuses_is_told_and_the_address_is_used_up(desk):
    purpose = Noted()
    purpose.refuses = "Ada has no Slack account here."
    ticket = desk.begin(purpose)
    assert await refused(desk.back(await desk.going(ticket))) == "Ada has no Slack account here."
    assert await refused(desk.going(ticket)) == OVER


async def test_of_two_returns_at_once_one_counts(desk):
    purpose = Noted()
    ticket = desk.begin(purpose)
    state = await desk.going(ticket)
    outcomes = await asyncio.gather(*(desk.back(state) for _ in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["LoginRefused"] * 4 + ["str"]
    assert len(purpose.proven) == 1


async def test_of_two_browsers_at_once_one_goes_on(desk):
    ticket = desk.begin(Noted())
    begun = asyncio.Event()

    class Slow(Told):
        async def start(self, state: str, wishes: Wishes) -> Started:
            begun.set()
            await asyncio.sleep(0)
            return await super().start(state, wishes)

    desk.providers["okta"] = Slow(lambda: desk.now)
    mine = asyncio.ensure_future(desk.going(ticket))
    await begun.wait()
    assert await refused(desk.going(ticket, YOURS)) == ELSEWHERE
    assert await desk.back(await mine)


async def test_returns_that_wait_for_their_browser_are_bounded(desk, monkeypatch):
    monkeypatch.setattr(module, "CAME", 2)
    states = [await desk.going(desk.begin(Noted())) for _ in range(4)]
    for state in states[:3]:
        desk.logins.came("okta", state, {"state": state})
    assert await refused(desk.back(states[0])) == OVER
    for state in states[1:]:
        assert await desk.back(state)


async def test_what_a_provider_had_the_browser_post_waits_for_the_browser(desk):
    purpose = Noted()
    state = await desk.going(desk.begin(purpose))
    desk.logins.came("okta", state, {"state": state, "SAMLResponse": "x"})
    assert not purpose.proven
    assert await refused(desk.logins.finish("okta", state, {"state": state}, YOURS)) == ELSEWHERE
    assert await desk.back(state)
    assert desk.providers["okta"].brought == [{"state": state, "SAMLResponse": "x"}]
    for provider, other in (("corp", state), ("okta", "nothing"), ("okta", state)):
        with pytest.raises(LoginRefused, match="used"):
            desk.logins.came(provider, other, {})
