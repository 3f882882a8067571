"""Who may speak for whom: policies.yaml by Slack id, by e-mail only where allowed, and never an outsider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.people import KEPT, Member, People, Unknown, Unlinked
from bot.workspace import seed, server
from bot.workspace.client import WorkspaceClient, connected
from bot.workspace.seed import SeedPerson
from gateway.contract import Directory, GroupView
from tests.bot.conftest import ANA, BOT_TOKEN, SAM
from tests.bot.examples import DIRECTORY

TEAM = "T0DEMO"


def outsider(slack_id: str, **what: bool) -> SeedPerson:
    return SeedPerson(
        id=slack_id,
        name=slack_id.lower(),
        real_name=slack_id,
        email=f"{slack_id.lower()}@example.com",
        **what,
    )


OUTSIDERS = (
    outsider("U0GUEST", guest=True),
    outsider("U0GONE", deleted=True),
    outsider("U0STRANGER", stranger=True),
    outsider("U0UNCONFIRMED", email_confirmed=False),
)
BY_EMAIL = replace(DIRECTORY, match_by_email=True)


class House:
    """People over a local workspace, with a directory and a clock that a test sets."""

    def __init__(self, slack: server.Server) -> None:
        self.directory: Directory = DIRECTORY
        self.now = 0.0
        client = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])
        self.people = People(client, self._ask, team=TEAM, clock=lambda: self.now)

    async def _ask(self) -> Directory:
        return self.directory


@pytest.fixture
async def slack() -> AsyncIterator[server.Server]:
    base = seed.Seed(rate=seed.Rate.OFF)
    async with server.running(replace(base, people=(*base.people, *OUTSIDERS))) as running_server:
        yield running_server


@pytest.fixture
async def page(slack: server.Server) -> AsyncIterator[WorkspaceClient]:
    async with connected(slack.url, slack.control_token) as client:
        yield client


@pytest.fixture
def house(slack: server.Server) -> House:
    return House(slack)


async def test_a_slack_id_in_the_policy_is_that_person(house: House) -> None:
    assert await house.people.member(ANA, team=TEAM) == Member(slack_id=ANA, person="ana.silva@example.com")


async def test_an_address_says_nothing_unless_the_policy_allows_it(house: House) -> None:
    with pytest.raises(Unknown, match=SAM):
        await house.people.member(SAM, team=TEAM)
    house.directory = BY_EMAIL
    house.now += KEPT + 1
    assert (await house.people.member(SAM, team=TEAM)).person == "sam.chen@example.com"


async def test_an_address_that_belongs_to_a_mapped_person_is_not_believed_of_another(house: House) -> None:
    house.directory = replace(BY_EMAIL, people={**DIRECTORY.people, "U0OTHER": "sam.chen@example.com"})
    with pytest.raises(Unknown, match="another Slack user"):
        await house.people.member(SAM, team=TEAM)


@pytest.mark.parametrize(
    ("slack_id", "why"),
    [
        ("U0GUEST", "Guests"),
        ("U0GONE", "deactivated"),
        ("U0STRANGER", "not a member"),
        ("U0UNCONFIRMED", "not confirmed"),
        ("U0COUNTERSIGN", "Apps"),
        ("U0NOBODY", "cannot say who you are"),
    ],
)
async def test_outsiders_are_nobody_even_where_addresses_count(house: House, slack_id: str, why: str) -> None:
    house.directory = BY_EMAIL
    with pytest.raises(Unknown, match=why):
        await house.people.member(slack_id, team=TEAM)


@pytest.mark.parametrize("slack_id", ["U0GUEST", "U0GONE", "U0STRANGER"])
async def test_outsiders_are_nobody_even_where_the_policy_names_them(house: House, slack_id: str) -> None:
    house.directory = replace(DIRECTORY, people={slack_id: "ana.silva@example.com"})
    with pytest.raises(Unknown):
        await house.people.member(slack_id, team=TEAM)


async def test_who_comes_from_another_workspace_is_nobody(house: House) -> None:
    with pytest.raises(Unknown, match="another workspace"):
        await house.people.member(ANA, team="T0PARTNER")


async def test_only_groups_that_are_tied_to_slack_are_vouched_for(house: House) -> None:
    ana = await house.people.member(ANA, team=TEAM)
    assert await house.people.vouched(ana) == ("dba",)
    assert await house.people.vouched(replace(ana, slack_id=SAM)) == ()


async def test_a_group_named_by_its_id_is_found(house: House) -> None:
    house.directory = replace(DIRECTORY, groups={"database": GroupView(slack="S0DBA")})
    assert await house.people.vouched(Member(slack_id=ANA, person="ana.silva@example.com")) == ("database",)


@pytest.mark.parametrize("method", ["usergroups.list", "usergroups.users.list"])
async def test_nobody_is_in_a_group_that_cannot_be_read(
    house: House, page: WorkspaceClient, method: str
) -> None:
    await page.add_fault("api_error", method=method, error="missing_scope", times=9)
    assert await house.people.vouched(Member(slack_id=ANA, person="ana.silva@example.com")) == ()


async def test_membership_is_believed_for_a_minute_and_then_asked_again(
    house: House, slack: server.Server
) -> None:
    ana = Member(slack_id=ANA, person="ana.silva@example.com")
    assert await house.people.vouched(ana) == ("dba",)
    next(group for group in slack.workspace.groups.values() if group.handle == "dba").users.remove(ANA)
    house.now = KEPT - 1
    assert await house.people.vouched(ana) == ("dba",)
    house.now = KEPT + 1
    assert await house.people.vouched(ana) == ()


async def test_an_answer_that_failed_is_not_kept(house: House, page: WorkspaceClient) -> None:
    await page.add_fault("server_error", method="users.info")
    with pytest.raises(Unknown, match="try again"):
        await house.people.member(ANA, team=TEAM)
    assert (await house.people.member(ANA, team=TEAM)).person == "ana.silva@example.com"


async def test_a_persons_slack_user_is_found_by_the_policy_then_by_address(house: House) -> None:
    assert await house.people.slack_id("Ana.Silva@example.com") == ANA
    assert await house.people.slack_id("sam.chen@example.com") == ""
    house.directory = BY_EMAIL
    house.now += KEPT + 1
    assert await house.people.slack_id("sam.chen@example.com") == SAM
    assert await house.people.slack_id("u0guest@example.com") == ""
    assert await house.people.slack_id("nobody@example.com") == ""


async def test_a_slack_that_refuses_groups_costs_the_cards_one_call_a_minute(
    house: House, page: WorkspaceClient, slack: server.Server
) -> None:
    await page.add_fault("api_error", method="usergroups.list", error="missing_scope", times=1)
    for _ in range(20):
        faces = await house.people.faces()
        assert faces.groups == {}
        assert faces.people["ana.silva@example.com"] == ANA
    house.now += KEPT + 1
    assert (await house.people.faces()).groups == {"dba": "S0DBA"}


WITH_LOGIN = replace(DIRECTORY, login=True)


async def test_who_is_nobody_yet_may_log_in_where_there_is_a_provider(house: House) -> None:
    house.directory = WITH_LOGIN
    with pytest.raises(Unlinked, match="/countersign link") as nobody:
        await house.people.member(SAM, team=TEAM)
    user = nobody.value.user
    assert (user.slack_id, user.team, user.email) == (SAM, TEAM, "sam.chen@example.com")
    assert user.name


async def test_a_link_begins_and_ends_at_once(house: House) -> None:
    house.directory = WITH_LOGIN
    with pytest.raises(Unlinked):
        await house.people.member(SAM, team=TEAM)
    house.directory = replace(WITH_LOGIN, people={**DIRECTORY.people, SAM: "sam@corp.example"})
    assert (await house.people.member(SAM, team=TEAM)).person == "sam@corp.example"
    house.directory = WITH_LOGIN
    with pytest.raises(Unlinked):
        await house.people.member(SAM, team=TEAM)


@pytest.mark.parametrize("slack_id", ["U0GUEST", "U0GONE", "U0STRANGER", "U0COUNTERSIGN", "U0NOBODY"])
async def test_outsiders_are_not_offered_a_login(house: House, slack_id: str) -> None:
    house.directory = WITH_LOGIN
    for ask in (house.people.member, house.people.described):
        with pytest.raises(Unknown) as refused:
            await ask(slack_id, team=TEAM)
        assert not isinstance(refused.value, Unlinked)
    with pytest.raises(Unknown, match="another workspace"):
        await house.people.described(SAM, team="T0PARTNER")


async def test_an_address_that_slack_has_not_confirmed_is_not_told(house: House) -> None:
    house.directory = WITH_LOGIN
    assert (await house.people.described("U0UNCONFIRMED", team=TEAM)).email == ""
