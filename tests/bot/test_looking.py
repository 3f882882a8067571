"""The slash commands that show, and the Home tab with what it can end."""

from __future__ import annotations

import json
from dataclasses import replace

from bot import home
from bot.card_ids import GRANT_END, HOME_REFRESH, KILL_SESSION, MORE, REASON_INPUT
from bot.workspace.blockkit import Surface
from bot.workspace.client import WorkspaceClient, actions_of, text_of
from bot.workspace.validate import check_view
from gateway.contract import GrantView, Hit, Home, LineageNode, Reach, State, Whoami
from tests.bot.conftest import ANA, GENERAL, SAM, StartBot, answer_to
from tests.bot.examples import OPENED, approval, entry, session
from tests.bot.fake_gateway import FakeGateway

NODES = (
    LineageNode(token_id="t1", parent="", name="release-pipeline", person="maria.lopez@example.com", expires_at=OPENED + 3_600),
    LineageNode(token_id="t2", parent="t1", name="planner", person="maria.lopez@example.com", expires_at=OPENED + 600, sessions=2),
    LineageNode(token_id="t3", parent="t2", name="<!channel>\n└─ root", person="maria.lopez@example.com", expires_at=OPENED - 1, held=1),
    LineageNode(token_id="t9", parent="gone", name="nightly", person="", expires_at=OPENED + 30, revoked=True),
)  # fmt: skip
GRANT = GrantView(
    id="g1", approval="apr-1", connection="orders", effects=("write",), token_id="tok-3", agent="migrator", asked_by="migrator",
    reason="r", starts_at=OPENED, ends_at=OPENED + 1_500, commands=50, used=3, what=Reach.SHAPE,
)  # fmt: skip


def hit(number: int) -> Hit:
    return Hit(
        session="ses-1",
        number=number,
        at=OPENED + number,
        kind="command",
        text=f"UPDATE orders SET n = {number} <!channel> `x`\n-- $1 = 7",
        connection="orders",
        person="maria.lopez@example.com",
        agent="migrator",
        link=f"https://gate.example.com/replay/ses-1?sig=1#e{number}",
    )


def test_the_tree_shows_each_agent_below_the_one_that_started_it() -> None:
    assert home.tree(NODES, OPENED) == (
        "maria.lopez@example.com\n"
        "└─ release-pipeline   (1 h left)\n"
        "   └─ planner   (10 min left, 2 sessions)\n"
        "      └─ <!channel>⟦U+000A⟧└─ root   (over, 1 held)\n"
        "no person: a service stands at the root\n"
        "└─ nightly   (revoked)"
    )


def test_the_home_tab_holds_within_slacks_limits_whatever_there_is() -> None:
    many = Home(
        whoami=Whoami(person="ana.silva@example.com"),
        votes=tuple(approval(f"apr-{number}") for number in range(80)),
        requests=tuple(approval(f"own-{number}", state=State.DENIED) for number in range(80)),
        grants=tuple(replace(GRANT, id=f"g-{number}") for number in range(80)),
        sessions=tuple(session(f"ses-{number}") for number in range(80)),
        lineages=tuple(
            LineageNode(token_id=f"t{number}", parent=f"t{number - 1}" if number else "", name="n" * 200, person="p", expires_at=0)
            for number in range(80)
        ),
    )  # fmt: skip
    made = home.view(many, now=OPENED)
    check_view(json.loads(json.dumps(made)), Surface.HOME)
    words = text_of(made)
    assert all(f"and {80 - most:,} more" in words for most in (12, 8, 10, 40))
    names = [one["block_id"] for one in made["blocks"] if "block_id" in one]
    assert len(set(names)) == len(names)
    said = [one["accessibility_label"] for one in actions_of(made) if one["action_id"] != HOME_REFRESH]
    assert len(set(said)) == len(said) == 12 * 3 + 10 + 12, "no two buttons are heard alike"
    assert "Review: apr-1 migrator on orders" in said


async def test_home_revokes_a_grant_and_kills_a_session(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.grants["g1"] = GRANT
    gateway.sessions["ses-1"] = session()
    gateway.nodes = list(NODES)
    gateway.approvals["apr-2"] = approval(
        "apr-2", lineage=replace(approval().lineage, person="ana.silva@example.com")
    )
    async with start_bot():
        await people.wait_for_connections(1)
        await people.open_home(as_=ANA)
        shown = await people.wait_for_home(lambda view: "1 live grant" in text_of(view), as_=ANA)
        words = text_of(shown)
        assert "3 of 50 commands" in words
        assert "commands of this shape" in words
        assert "└─ planner" in words
        assert "Waiting for a decision" in words, "what Ana asked for herself"
        await people.click_in_view(shown, GRANT_END, as_=ANA)
        shown = await people.wait_for_home(lambda view: "0 live grants" in text_of(view), as_=ANA)
        await people.click_in_view(shown, KILL_SESSION, as_=ANA)
        modal = await people.wait_for_view(lambda view: "On whose behalf" in text_of(view), as_=ANA)
        await people.submit(modal, {REASON_INPUT: "enough"}, as_=ANA)
        await people.wait_for(lambda: _killed(gateway), what="the session's end")
    assert gateway.ended[0][0] == "g1"
    assert gateway.killed[0][1].person == "ana.silva@example.com"


async def _killed(gateway: FakeGateway) -> bool:
    return bool(gateway.killed)


async def test_each_command_answers_its_person_alone(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.sessions = {f"ses-{number}": session(f"ses-{number}") for number in range(12)}
    gateway.nodes = list(NODES)
    async with start_bot():
        await people.wait_for_connections(1)
        assert "ses-9" in await answer_to(people, "/sessions")
        assert "ses-11" in await answer_to(people, "/sessions 10")
        assert "└─ planner" in await answer_to(people, "/lineage")
        who = await answer_to(people, "/whoami")
        assert "ana.silva@example.com" in who
        assert "You may be asked on: orders" in who
        assert "/audit search WORDS" in await answer_to(people, "/audit frobnicate")
        for command in ("/sessions", "/lineage", "/whoami", "/audit search x"):
            assert "U0SAM" in await answer_to(people, command, as_=SAM), (
                "a stranger is told why, and nothing else"
            )
        assert await people.messages(GENERAL, as_="U0BEN") == []
    assert gateway.searched == []


async def test_a_search_has_pages_links_and_nothing_that_means_something_to_slack(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.hits = [hit(number) for number in range(12)]
    async with start_bot():
        await people.wait_for_connections(1)
        await gateway.publish(session(commands=1))
        await gateway.log("ses-1", entry(1))
        await people.wait_for(lambda: _noted(gateway), what="the session's thread")
        await people.command(GENERAL, "/audit search a<b & paid", as_=ANA)
        shown = await people.wait_for_message(GENERAL, lambda one: "n = 9" in text_of(one), as_=ANA)
        assert "↵" in text_of(shown), "lines stand in one"
        assert "U+000A" not in text_of(shown)
        links = [part for part in _parts(shown) if part.get("type") == "link"]
        assert {"thread", "transcript"} == {part["text"] for part in links}
        assert any("#e9" in part["url"] for part in links)
        assert not any(part.get("type") == "broadcast" for part in _parts(shown))
        [more] = [one for one in actions_of(shown) if one["action_id"] == MORE]
        await people.click(shown, MORE, as_=ANA, channel=GENERAL)
        await people.wait_for_message(GENERAL, lambda one: "n = 11" in text_of(one), as_=ANA)
    assert more["value"] == "/audit 10 search a<b & paid"
    assert [(each["q"], each["before"]) for each in gateway.searched] == [
        ("a<b & paid", ""),
        ("a<b & paid", "10"),
    ]
    assert {each["person"] for each in gateway.searched} == {"ana.silva@example.com"}


async def test_a_tree_of_the_longest_names_comes_in_pages_that_slack_takes(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.nodes = [
        LineageNode(token_id=f"t{number}", parent=f"t{number - 1}" if number else "", name='"' * 50 + f" {number}.", person="p", expires_at=OPENED)
        for number in range(62)
    ]  # fmt: skip
    seen = 0
    async with start_bot():
        await people.wait_for_connections(1)
        await people.command(GENERAL, "/lineage", as_=ANA)
        while seen < 62:
            shown = await people.wait_for_message(
                GENERAL, lambda one, following=f" {seen}.": following in text_of(one), as_=ANA
            )
            seen += sum(f" {number}." in text_of(shown) for number in range(seen, 62))
            if seen < 62:
                await people.click(shown, MORE, as_=ANA, channel=GENERAL)
        assert not any(one["action_id"] == MORE for one in actions_of(shown))


async def test_an_answer_that_slack_does_not_take_is_said_so(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.hits = [replace(hit(1), link="https://gate.example.com/" + "x" * 3_000)]
    async with start_bot():
        await people.wait_for_connections(1)
        assert "did not take the answer" in await answer_to(people, "/audit search paid")


async def _noted(gateway: FakeGateway) -> bool:
    return bool("thread:ses-1" in gateway.notes and gateway.notes["thread:ses-1"].data.get("ts"))


def _parts(message: object) -> list[dict]:
    found: list[dict] = []
    match message:
        case dict():
            found.append(message)
            for value in message.values():
                found += _parts(value)
        case list():
            for value in message:
                found += _parts(value)
    return found
