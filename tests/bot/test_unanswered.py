"""While nobody answers: the card says what comes next, and its thread says it when it has come, once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.blocks import Faces
from bot.cards import card
from bot.unanswered import message
from bot.workspace.client import WorkspaceClient, text_of
from gateway.contract import AskView, ElevationView, State, StepKind, StepView
from tests.bot.conftest import APPROVALS, StartBot
from tests.bot.examples import OPENED, approval
from tests.bot.fake_gateway import FakeGateway

STEPS = (
    StepView(at=OPENED, kind=StepKind.CALL, to="ana.silva@example.com"),
    StepView(at=OPENED + 240, kind=StepKind.CALL, to="ben.okafor@example.com"),
    StepView(at=OPENED + 480, kind=StepKind.REMIND),
    StepView(at=OPENED + 600, kind=StepKind.ESCALATE, to="security", rule="writes-need-a-dba"),
    StepView(at=OPENED + 720, kind=StepKind.REMIND),
)
FACES = Faces(people={"ben.okafor@example.com": "U0BEN"}, groups={"security": "S0SECURITY"})


def words(blocks) -> str:
    return " ".join(text_of({"blocks": list(blocks)}).split())


def test_the_card_says_what_comes_next_and_how_it_ends() -> None:
    shown = words(card(approval(steps=STEPS, stepped=1), FACES).blocks)
    said = shown[shown.index("If nobody answers") :]
    assert "is called" in said
    assert "all are reminded" in said
    assert "may answer, too, from" in said
    assert "it expires as denied" in said
    assert "it expires as denied" in words(card(approval(), FACES).blocks)
    assert "If nobody answers" not in words(card(approval(state=State.DENIED), FACES).blocks)


def test_the_card_of_an_elevation_says_it_too_and_a_review_is_never_over() -> None:
    wish = ElevationView(asked_by="fixer", effects=("write",), seconds=600.0, commands=5, reason="x")
    shown = words(card(approval(steps=STEPS, stepped=1, elevation=wish), FACES).blocks)
    assert "may answer, too, from" in shown
    assert "it expires as denied" in shown
    review = words(card(approval(elevation=replace(wish, how="review")), FACES).blocks)
    assert "If nobody answers its card is posted anew" in review
    assert "expires" not in review


def test_a_second_group_stands_beside_the_first() -> None:
    asks = (AskView(rule="r", approvers="dba", quorum=1, also="security"),)
    blocks = card(approval(asks=asks), Faces()).blocks
    assert "0 of 1 from dba or security" in words(blocks)


@pytest.mark.parametrize(("number", "mention"), [(1, "U0BEN"), (3, "S0SECURITY")])
def test_each_reply_mentions_whom_it_is_for(number: int, mention: str) -> None:
    [block] = message(approval(steps=STEPS), number, FACES).blocks
    mentioned = [part.get("user_id") or part.get("usergroup_id") for part in block["elements"][0]["elements"]]
    assert [each for each in mentioned if each] == [mention]


async def test_the_thread_says_each_step_once_over_restarts(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    first = approval(steps=STEPS, stepped=1)
    async with start_bot():
        await gateway.publish(first)
        posted = await people.wait_for_message(APPROVALS, lambda one: "Approve" in text_of(one))
        await people.wait_for(lambda: _said(people, posted, 1), what="the first call")
    async with start_bot():
        await gateway.publish(replace(first, version=2, stepped=5))
        await people.wait_for(lambda: _said(people, posted, 4), what="the steps since")
    thread = await people.messages(APPROVALS, thread_ts=posted["ts"])
    said = "\n".join(text_of(one) for one in thread)
    assert said.count("you are on call") == 2
    assert said.count("you may answer, too") == 1
    assert said.count("still waits for a decision.") >= 1, "of the reminders only the last"


async def _said(people: WorkspaceClient, card_message: dict, count: int) -> bool:
    thread = await people.messages(APPROVALS, thread_ts=card_message["ts"])
    return (
        len(
            [
                one
                for one in thread
                if "it expires as denied" in text_of(one) and one["ts"] != card_message["ts"]
            ]
        )
        == count
    )
