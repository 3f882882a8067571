"""Siblings on one card: a table, and each opened, approved and denied on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.blocks import CARD_LIMIT, Faces, size
from bot.card_ids import DENY, REASON_INPUT, REVIEW
from bot.folded import card, version_of
from bot.workspace.blockkit import Surface, problems_of
from bot.workspace.client import WorkspaceClient, actions_of, text_of
from gateway.contract import Approval, State
from tests.bot.conftest import ANA, APPROVALS, StartBot
from tests.bot.examples import LINEAGE, OPENED, approval, command
from tests.bot.fake_gateway import FakeGateway


def sibling(number: int, text: str = "", **changes: object) -> Approval:
    given: dict[str, object] = {
        "command": command(text or f"UPDATE orders SET n = 1 WHERE id = {number}"),
        "family": "apr-1",
        "opened_at": OPENED + number,
    }
    return approval(f"apr-{number}", **given | changes)


def block_of(message: Mapping[str, Any], label: str) -> str:
    """The block in which a button of that label is."""
    return next(
        str(block["block_id"])
        for block in message["blocks"]
        if any(one.get("text", {}).get("text") == label for one in block.get("elements", ()))
    )


def test_the_most_hostile_family_fits_and_means_nothing_to_slack() -> None:
    hostile = "<!channel> `x` *b* \u202e\n" * 400
    members = [
        sibling(
            number,
            hostile,
            lineage=replace(LINEAGE, person=hostile, chain=(replace(LINEAGE.chain[0], name=hostile),)),
            settled_by=hostile,
            message=hostile,
        )
        for number in range(1, 11)
    ]
    made = card(members, Faces())
    assert size(made.blocks) <= CARD_LIMIT
    assert problems_of(list(made.blocks), Surface.MESSAGE) == []
    assert "\u202e" not in text_of({"blocks": list(made.blocks)})
    assert "broadcast" not in str(made.blocks)


def test_what_is_settled_says_how_and_has_no_buttons() -> None:
    members = [sibling(1), sibling(2, state=State.DENIED, settled_by="ana.silva@example.com"), sibling(3)]
    made = card(members, Faces())
    shown = {"blocks": list(made.blocks)}
    assert "2 of 3 wait" in text_of(shown)
    assert "Denied by ana.silva@example.com" in text_of(shown)
    assert [one["text"]["text"] for one in actions_of(shown)] == ["Review 1", "Deny 1", "Review 3", "Deny 3"]
    values = [one["value"].split(".")[1] for one in actions_of(shown)]
    assert values == ["apr-1", "apr-1", "apr-3", "apr-3"]
    done = card([replace(each, state=State.SPENT) for each in members], Faces())
    assert "All 3 are settled" in text_of({"blocks": list(done.blocks)})
    assert list(actions_of({"blocks": list(done.blocks)})) == []


def test_its_version_rises_with_every_change() -> None:
    one, two = sibling(1), sibling(2)
    assert version_of([one]) < version_of([one, two]) < version_of([replace(one, version=2), two])


async def test_siblings_come_onto_one_card_and_are_decided_one_by_one(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        await people.wait_for_connections(1)
        await gateway.publish(sibling(1))
        alone = await people.wait_for_message(APPROVALS, lambda one: "Approve" in text_of(one))
        await gateway.publish(sibling(2))
        await gateway.publish(sibling(3))
        folded = await people.wait_for_message(APPROVALS, lambda one: "3 of 3 wait" in text_of(one))
        assert folded["ts"] == alone["ts"]
        await people.click(folded, REVIEW, as_=ANA, channel=APPROVALS, block_id=block_of(folded, "Review 2"))
        modal = await people.wait_for_view(lambda view: "id = 2" in text_of(view), as_=ANA)
        await people.submit(modal, as_=ANA)
        folded = await people.wait_for_message(APPROVALS, lambda one: "2 of 3 wait" in text_of(one))
        await people.click(folded, DENY, as_=ANA, channel=APPROVALS, block_id=block_of(folded, "Deny 1"))
        await people.submit(await people.wait_for_view(as_=ANA), {REASON_INPUT: "no"}, as_=ANA)
        await people.wait_for_message(APPROVALS, lambda one: "1 of 3 wait" in text_of(one))
    assert [(name, vote.choice.value) for name, vote in gateway.votes] == [
        ("apr-2", "approve"),
        ("apr-1", "deny"),
    ]
    assert len([one for one in await people.messages(APPROVALS) if "wait" in text_of(one)]) == 1


async def test_a_bot_that_starts_anew_knows_the_whole_family(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        for number in (1, 2, 3):
            await gateway.publish(sibling(number))
        await people.wait_for_message(APPROVALS, lambda one: "3 of 3 wait" in text_of(one))
    async with start_bot():
        await gateway.publish(sibling(2, version=2, state=State.WITHDRAWN, settled_at=OPENED + 9))
        await people.wait_for_message(APPROVALS, lambda one: "2 of 3 wait" in text_of(one))
    assert len(await people.messages(APPROVALS)) == 1
