"""The slash command, the Home tab, signed HTTP, and what happens to clicks that nobody knows."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import aiohttp
import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.app import running
from bot.card_ids import APPROVE, KILL, REACH_INPUT, REACH_SUBTREE, REASON_INPUT, REVIEW
from bot.settings import Settings
from bot.workspace import seed, server
from bot.workspace.client import WorkspaceClient, actions_of, connected, text_of
from gateway.contract import LinkView
from tests.bot.conftest import ANA, APPROVALS, AUDIT, GENERAL, QUICK, SAM, StartBot, answer_to
from tests.bot.examples import DIRECTORY, approval, entry, session
from tests.bot.fake_gateway import FakeGateway


async def test_the_command_answers_its_person_alone(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals["apr-1"] = approval()
    gateway.sessions["ses-1"] = session(commands=4, held=1)
    async with start_bot():
        await people.wait_for_connections(1)
        assert "apr-1 \n" not in await answer_to(people, "/countersign help")
        assert "apr-1" in await answer_to(people, "/countersign pending")
        assert "4 commands, 1 held" in await answer_to(people, "/countersign sessions")
        assert "countersign replay ses-1" in await answer_to(people, "/countersign session ses-1")
        assert "knows nothing by that id" in await answer_to(people, "/countersign session nope")
        assert "Your groups: dba" in await answer_to(people, "/countersign whoami")
        assert "U0SAM" in await answer_to(people, "/countersign whoami", as_=SAM)
        assert "none of these" in await answer_to(people, "/countersign frobnicate")
        assert "countersign replay ses-1" in await answer_to(people, "/countersign SESSION ses-1")
        for verb, usage in (("session", "session ID"), ("kill", "kill SESSION"), ("KILL", "kill SESSION")):
            said = await answer_to(people, f"/countersign {verb}")
            assert said.endswith(f"Say which: \n/countersign {usage}")
            assert "knows nothing" not in said
        assert "No login is linked to you" in await answer_to(people, "/countersign unlink")
        said = await answer_to(people, "/countersign link")
        assert "Nobody can log in here." in said
        assert "cannot decide" not in said
        assert await people.messages(GENERAL, as_="U0BEN") == []


async def test_a_stranger_gets_no_list(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals["apr-1"] = approval()
    async with start_bot():
        await people.wait_for_connections(1)
        assert "apr-1" not in await answer_to(people, "/countersign pending", as_=SAM)


@pytest.mark.parametrize("reach", ["", REACH_SUBTREE])
async def test_a_session_is_killed_after_its_reach_was_shown(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot, reach: str
) -> None:
    gateway.sessions["ses-1"] = session()
    async with start_bot():
        await people.wait_for_connections(1)
        await people.command(GENERAL, "/countersign kill ses-1", as_=ANA)
        modal = await people.wait_for_view(lambda view: "2 agents, 2 open sessions" in text_of(view), as_=ANA)
        assert gateway.killed == gateway.revoked == []
        values = {REASON_INPUT: "runaway"} | ({REACH_INPUT: reach} if reach else {})
        await people.submit(modal, values, as_=ANA)
        await people.wait_for_message(GENERAL, as_=ANA)
    done = gateway.revoked if reach else gateway.killed
    [(name, request)] = done
    assert name == ("tok-3" if reach else "ses-1")
    assert (request.person, request.reason, request.groups) == ("ana.silva@example.com", "runaway", ("dba",))


async def test_the_home_tab_shows_what_its_person_may_vote_on(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals["apr-1"] = approval()
    gateway.approvals["apr-2"] = approval(
        "apr-2", lineage=replace(approval().lineage, person="ana.silva@example.com")
    )
    gateway.sessions["ses-1"] = session()
    async with start_bot():
        await people.wait_for_connections(1)
        await people.open_home(as_=ANA)
        home = await people.wait_for_home(as_=ANA)
        assert "1 approval" in text_of(home)
        assert "1 open session" in text_of(home)
        assert [one["action_id"] for one in actions_of(home)].count(REVIEW) == 1
        await people.click_in_view(home, REVIEW, as_=ANA)
        modal = await people.wait_for_view(lambda view: "Digest" in text_of(view), as_=ANA)
        await people.submit(modal, as_=ANA)
        await people.wait_for_home(lambda view: "0 approvals" in text_of(view), as_=ANA)
    assert gateway.votes[0][1].opened == "proof-ana.silva@example.com"


async def test_the_home_tab_of_a_stranger_says_why_it_is_empty(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        await people.wait_for_connections(1)
        await people.open_home(as_=SAM)
        assert "U0SAM" in text_of(await people.wait_for_home(as_=SAM))


async def test_a_refusal_from_the_home_tab_is_said_directly(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals["apr-1"] = approval()
    async with start_bot():
        await people.wait_for_connections(1)
        await people.open_home(as_=ANA)
        home = await people.wait_for_home(as_=ANA)
        await people.click_in_view(home, KILL, as_=ANA)
        modal = await people.wait_for_view(lambda view: "would be stopped" in text_of(view), as_=ANA)
        del gateway.approvals["apr-1"]
        await people.submit(modal, as_=ANA)
        direct = await people.direct("U0COUNTERSIGN", as_=ANA)
        await people.wait_for_message(direct, lambda one: "knows nothing" in text_of(one), as_=ANA)


# dispatching without a network in between


def click_of(action_id: str, value: str = "", **more: object) -> dict:
    return {
        "type": "block_actions",
        "user": {"id": ANA, "team_id": "T0DEMO"},
        "team": {"id": "T0DEMO"},
        "trigger_id": f"trigger {action_id} {value}",
        "channel": {"id": APPROVALS},
        "container": {"type": "message", "channel_id": APPROVALS},
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
        **more,
    }


@pytest.mark.parametrize(
    ("action_id", "value"),
    [
        ("some.old.button", "x"),
        ("countersign.approve", "yes"),
        ("countersign.approve", ""),
        ("countersign.review", "v0.a.1.b"),
    ],
)
async def test_a_button_of_an_old_card_is_acknowledged_and_explained(
    people: WorkspaceClient, start_bot: StartBot, action_id: str, value: str
) -> None:
    async with start_bot() as bot:
        request = AsyncBoltRequest(mode="socket_mode", body=click_of(action_id, value))
        assert (await bot.app.async_dispatch(request)).status == 200
        await people.wait_for_message(APPROVALS, lambda one: "another version" in text_of(one), as_=ANA)


async def test_work_that_fails_at_once_does_not_take_the_acknowledgement_with_it(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot() as bot:
        body = click_of("countersign.approve", "v1.nope.1.abcdef12")
        answer = await bot.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        assert answer.status == 200
        await people.wait_for_message(
            APPROVALS, lambda one: "knows nothing by that id" in text_of(one), as_=ANA
        )


async def test_the_same_interaction_is_worked_on_once(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    held = approval()
    gateway.approvals["apr-1"] = held
    async with start_bot() as bot:
        body = click_of("countersign.approve", f"v1.apr-1.1.{held.command.digest[:8]}")
        for _ in range(3):
            request = AsyncBoltRequest(mode="socket_mode", body=body)
            assert (await bot.app.async_dispatch(request)).status == 200
        await bot.desk.finish(within=5)
    assert len(gateway.votes) == 1


async def test_a_click_from_another_workspace_votes_for_nothing(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    held = approval()
    gateway.approvals["apr-1"] = held
    async with start_bot() as bot:
        body = click_of(
            "countersign.approve",
            f"v1.apr-1.1.{held.command.digest[:8]}",
            user={"id": ANA, "team_id": "T0PARTNER"},
        )
        await bot.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        await people.wait_for_message(APPROVALS, lambda one: "another workspace" in text_of(one), as_=ANA)
    assert gateway.votes == []


async def test_slow_work_is_finished_before_the_bot_ends(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    held = approval()
    gateway.approvals["apr-1"] = held
    await people.add_fault("latency", method="users.info", seconds=0.3)
    async with start_bot() as bot:
        body = click_of("countersign.approve", f"v1.apr-1.1.{held.command.digest[:8]}")
        await bot.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
    assert len(gateway.votes) == 1


# signed HTTP

SECRET = "local-signing-secret"


@pytest.fixture
def port(unused_tcp_port: int) -> int:
    return unused_tcp_port


async def test_everything_works_over_signed_http(gateway: FakeGateway, port: int) -> None:
    gateway.directory = DIRECTORY
    app = seed.App(request_url=f"http://127.0.0.1:{port}/slack/events", signing_secret=SECRET)
    async with (
        server.running(seed.Seed(rate=seed.Rate.OFF, app=app)) as slack,
        connected(slack.url, slack.control_token) as people,
    ):
        settings = Settings(
            bot_token="xoxb-local-countersign",
            signing_secret=SECRET,
            gateway_credential="a credential of the bot's own",
            gateway_url=gateway.url,
            slack_api=slack.api_url,
            port=port,
        )
        async with running(settings, timings=QUICK):
            await gateway.publish(approval())
            card = await people.wait_for_message(APPROVALS, lambda one: bool(list(actions_of(one))))
            await people.click(card, "countersign.approve", as_=ANA, channel=APPROVALS)
            await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))
            await _reject_forged(port)
            await people.add_fault("clock_skew", seconds=-600.0)
            with pytest.raises(Exception, match=r"."):
                await people.command(GENERAL, "/countersign help", as_=ANA)
    assert len(gateway.votes) == 1


async def _reject_forged(port: int) -> None:
    """A request that Slack did not sign, and one it did that comes again, do nothing."""
    body = "payload=" + json.dumps(click_of("countersign.approve", "v1.apr-1.1.00000000"))
    url = f"http://127.0.0.1:{port}/slack/events"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession() as http:
        async with http.post(url, data=body, headers=form) as answer:
            assert answer.status == 401
        at = str(int(time.time()))
        forged = SignatureVerifier("another secret").generate_signature(timestamp=at, body=body)
        signed = {**form, "X-Slack-Request-Timestamp": at, "X-Slack-Signature": str(forged)}
        async with http.post(url, data=body, headers=signed) as answer:
            assert answer.status == 401
        async with http.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200
            assert await answer.json() == {"gateway": True, "sockets": None}


async def test_an_audit_thread_and_a_card_do_not_meet(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.sessions["ses-1"] = session(channel="#audit-shop")
    async with start_bot():
        await gateway.log("ses-1", entry(1), commands=1)
        await gateway.publish(approval(channel="#general"))
        await people.wait_for_message(AUDIT, lambda one: "Replay" in text_of(one))
        await people.wait_for_message(GENERAL, lambda one: bool(list(actions_of(one))))
    assert await people.messages(APPROVALS) == []


LOGIN = "https://gate.example.com/login/1"


async def test_a_first_click_gets_the_address_of_a_login_and_then_counts(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.directory = replace(DIRECTORY, login=True)
    async with start_bot():
        await gateway.publish(approval())
        card = await people.wait_for_message(APPROVALS, lambda one: bool(actions_of(one)))
        await people.wait_for_connections(1)
        await people.click(card, APPROVE, as_=SAM, channel=APPROVALS)
        said = await people.wait_for_message(APPROVALS, lambda one: LOGIN in json.dumps(one), as_=SAM)
        assert said["is_ephemeral"]
        assert not any(LOGIN in json.dumps(one) for one in await people.messages(APPROVALS, as_=ANA))
        assert [(one.slack_id, one.email) for one in gateway.wanted] == [(SAM, "sam.chen@example.com")]
        assert gateway.votes == []
        gateway.directory = replace(gateway.directory, people={**DIRECTORY.people, SAM: "sam@corp.example"})
        await people.click(card, APPROVE, as_=SAM, channel=APPROVALS)
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))
    [(_, vote)] = gateway.votes
    assert (vote.person, vote.slack_id) == ("sam@corp.example", SAM)


async def test_the_command_links_and_unlinks(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.directory = replace(DIRECTORY, login=True)
    async with start_bot():
        await people.wait_for_connections(1)
        assert "/countersign link" in await answer_to(people, "/countersign whoami", as_=SAM)
        await people.command(GENERAL, "/countersign link", as_=SAM)
        await people.wait_for_message(GENERAL, lambda one: LOGIN in json.dumps(one), as_=SAM)
        assert await people.messages(GENERAL, as_=ANA) == []
        gateway.directory = replace(gateway.directory, people={**DIRECTORY.people, SAM: "sam@corp.example"})
        gateway.links[SAM] = LinkView(
            slack_id=SAM, team="T0DEMO", person="sam@corp.example", provider="corp", at=1_700_000_000.0
        )
        assert "linked already" in await answer_to(people, "/countersign link", as_=SAM)
        assert "a login at corp" in await answer_to(people, "/countersign whoami", as_=SAM)
        assert "You are not linked to" in await answer_to(people, "/countersign unlink", as_=SAM)
        assert "No login is linked" in await answer_to(people, "/countersign unlink", as_=SAM)


async def test_without_a_provider_nobody_is_offered_a_login(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        await people.wait_for_connections(1)
        assert "adds U0SAM" in await answer_to(people, "/countersign link", as_=SAM)
        assert "Nobody can log in" in await answer_to(people, "/countersign link", as_=ANA)
