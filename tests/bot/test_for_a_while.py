"""A yes for a while: on the card, in the modal, and as a vote."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.app import running
from bot.blocks import Faces
from bot.card_ids import COUNT_INPUT, FOR_A_WHILE, LASTING_INPUT, REVIEW, ROWS_INPUT, WHILE_INPUT
from bot.cards import card
from bot.for_a_while import chosen, fields, lasts
from bot.workspace import server
from bot.workspace.client import WorkspaceClient, actions_of, text_of
from bot.workspace.validate import check_blocks
from gateway.contract import Choice, LastingView, Reach, ShapeView, State, Twins, Vote
from gateway.model import Lasting
from tests.bot.conftest import ANA, APPROVALS, QUICK, StartBot, held, settings_for
from tests.bot.examples import OPENED, approval
from tests.bot.fake_gateway import FakeGateway
from tests.bot.test_folded import block_of

ALL = LastingView(what=tuple(Reach), seconds=3_600.0, commands=50)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (90, "90 s"), (300, "5 min"), (3_600, "1 h"), (5_400, "1 h 30 min"), (86_400, "24 h")],
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert lasts(seconds) == words


def test_what_is_offered_ends_at_what_policy_says() -> None:
    offered = LastingView(what=(Reach.SHAPE,), seconds=600.0, commands=7, rows=50)
    reach, time, count, rows = (block["element"] for block in fields(offered, Twins(), ready=True))
    assert [each["value"] for each in reach["options"]] == ["once", "shape"]
    assert reach["initial_option"]["value"] == "shape"
    assert [each["value"] for each in time["options"]] == ["300", "600"]
    assert [each["value"] for each in count["options"]] == ["1", "5", "7"]
    assert rows["max_value"] == "50"


def test_a_modal_without_the_fields_is_about_one_command() -> None:
    assert chosen({}).reach is None
    assert chosen({"state": {"values": {}}}).reach is None


def test_a_card_says_what_was_agreed_and_until_when() -> None:
    def vote(person: str, reach: Reach, seconds: float, commands: int, rows: int | None = None) -> Vote:
        return Vote(
            person=person,
            choice=Choice.APPROVE,
            at=OPENED,
            reach=reach,
            seconds=seconds,
            commands=commands,
            rows=rows,
        )

    settled = approval(
        state=State.SPENT,
        lasting=ALL,
        grant="apr-1",
        settled_at=OPENED,
        settled_by="ben",
        votes=(vote("ana", Reach.SUBTREE, 600, 9), vote("ben", Reach.SHAPE, 1_800, 5, 40)),
    )
    shown = card(settled, Faces())
    words = text_of({"blocks": list(shown.blocks)})
    assert "commands of this shape, at most 5 commands and 40 rows, until" in words
    assert "/elevate end apr-1" in words
    assert "for a while (subtree, 10 min, 9 commands)" in words


def of_shape(words: str, passes: str, stops: str) -> str:
    asked = approval(lasting=ALL)
    alike = ShapeView(words=words, passes=passes, stops=stops)
    shown = card(replace(asked, command=replace(asked.command, alike=alike)), Faces())
    check_blocks(list(shown.blocks))
    return text_of({"blocks": list(shown.blocks)})


def test_a_card_says_what_a_shape_lets_go_and_what_not() -> None:
    words = of_shape(
        "DELETE FROM t WHERE id = …", "DELETE FROM t WHERE id = 42", "DELETE FROM t WHERE id = 42; SELECT 1"
    )
    assert "Its shape  DELETE FROM t WHERE id = …" in words.replace("\n", "")
    assert "for example, DELETE FROM t WHERE id = 42" in words.replace("\n", "")
    assert "never DELETE FROM t WHERE id = 42; SELECT 1" in words.replace("\n", "")
    assert "however it is spaced and quoted" in of_shape(
        "systemctl stop nginx", "", "systemctl stop nginx; id"
    )


def test_a_shape_of_hostile_text_is_shown_and_does_nothing() -> None:
    words = of_shape("<!channel> `x`\n*Approved by ana*\u202e <@U0ANA>…", "a\u200bb", "c" * 5_000)
    assert not {"\u202e", "\u200b"} & set(words)
    assert "\n*Approved by ana*" not in words
    assert "c" * 1_000 not in words


async def test_ana_lets_a_shape_go_after_seeing_what_that_releases(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.twins["apr-1"] = Twins(held={Reach.SHAPE: 2, Reach.AGENT: 3})
    async with start_bot():
        await people.wait_for_connections(1)
        await gateway.publish(approval(lasting=ALL))
        shown = await people.wait_for_message(APPROVALS, lambda one: "Approve" in text_of(one))
        assert "A yes may be for a while" in text_of(shown)
        await people.click(shown, FOR_A_WHILE, as_=ANA, channel=APPROVALS)
        modal = await people.wait_for_view(lambda view: "Digest" in text_of(view), as_=ANA)
        assert "Commands of this shape · 2 more held now" in text_of(modal)
        assert "3 more held now" in text_of(modal)
        said = {WHILE_INPUT: "shape", LASTING_INPUT: "1800", COUNT_INPUT: "10", ROWS_INPUT: "200"}
        await people.submit(modal, said, as_=ANA)
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))
    [(_, vote)] = gateway.votes
    assert (vote.reach, vote.seconds, vote.commands, vote.rows) == (Reach.SHAPE, 1_800.0, 10, 200)
    assert vote.opened == "proof-ana.silva@example.com"


async def test_review_is_about_the_one_command_unless_more_is_chosen(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.twins["apr-1"] = Twins()
    async with start_bot():
        await people.wait_for_connections(1)
        await gateway.publish(approval(lasting=ALL))
        shown = await people.wait_for_message(APPROVALS, lambda one: "Approve" in text_of(one))
        await people.click(shown, REVIEW, as_=ANA, channel=APPROVALS)
        await people.submit(
            await people.wait_for_view(lambda view: "Digest" in text_of(view), as_=ANA), as_=ANA
        )
        await people.wait_for_message(APPROVALS, lambda one: "released" in text_of(one))
    assert gateway.votes[0][1].reach is None


async def test_without_an_offer_there_is_no_button(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        await gateway.publish(approval())
        shown = await people.wait_for_message(APPROVALS, lambda one: "Approve" in text_of(one))
    assert FOR_A_WHILE not in [one["action_id"] for one in actions_of(shown)]


async def test_the_gateway_releases_the_twins(gate, slack: server.Server, people: WorkspaceClient) -> None:
    lasting = Lasting(what=frozenset(Reach), longest=3_600.0, commands=50)
    async with running(settings_for(gate, slack), timings=QUICK):
        await people.wait_for_connections(1)
        waiting = [
            await held(
                gate, f"UPDATE orders SET status = 'paid' WHERE id = {order}", lasting=lasting, shape="paid"
            )
            for order in (1, 2, 3)
        ]
        shown = await people.wait_for_message(APPROVALS, lambda one: "3 of 3 wait" in text_of(one))
        await people.click(shown, REVIEW, as_=ANA, channel=APPROVALS, block_id=block_of(shown, "Review 1"))
        modal = await people.wait_for_view(lambda view: "2 more held now" in text_of(view), as_=ANA)
        await people.submit(modal, {WHILE_INPUT: "shape"}, as_=ANA)
        outcomes = [await asyncio.wait_for(each.outcome(), 10) for each in waiting]
        await people.wait_for_message(APPROVALS, lambda one: "All 3 are settled" in text_of(one))
    assert [each.state for each in outcomes] == [State.SPENT] * 3
    assert {each.grant for each in outcomes} == {waiting[0].approval.id}
