"""The form for more, where there is more to choose from than Slack shows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.card_ids import ELEVATE_OFFER, ModalState
from bot.elevation_modal import OFFERS, WHOM, Meant, form, key_of
from bot.workspace.blockkit import Surface
from bot.workspace.validate import check_view
from gateway.contract import AskView, HolderView, OfferView

HOLDERS = tuple(HolderView(token_id=f"tok-{number}", name="<!here>\u202e" * 20) for number in range(150))
MANY = tuple(
    OfferView(
        template="t" * 200,
        connection=f"shop-{number}",
        protocol="postgres",
        effects=("read", "write", "ddl", "destructive", "privilege", "exec", "exfil", "session", "unknown"),
        longest=86_400.0,
        commands=1_000_000,
        rows=1_000_000,
        by_hand=True,
        holders=HOLDERS,
        asks=(AskView(rule="r" * 200, approvers="g" * 200, quorum=1),) * 10,
        resources=("x" * 200,) * 20,
        message="m" * 2_000,
    )
    for number in range(150)
)
STATE = ModalState(channel="C0GENERAL", extends="g" * 64)


def select_of(view: dict[str, Any], action_id: str) -> dict[str, Any]:
    return next(
        block["element"] for block in view["blocks"] if block.get("element", {}).get("action_id") == action_id
    )


@pytest.mark.parametrize("number", [0, 99, 100, 149])
def test_what_is_meant_is_always_among_what_slack_has_room_for(number: int) -> None:
    meant = Meant(connection=f"shop-{number}", token_id=f"tok-{number}")
    view = form(MANY, meant.best(MANY), STATE, meant)
    check_view(json.loads(json.dumps(view)), Surface.MODAL)
    for action_id, value in ((ELEVATE_OFFER, key_of(MANY[number])), (WHOM, f"tok-{number}")):
        select = select_of(view, action_id)
        assert select["initial_option"]["value"] == value
        assert len(select["options"]) == OFFERS


def test_the_smallest_offer_makes_a_form_that_slack_takes() -> None:
    small = replace(
        MANY[0], effects=("read",), longest=5.0, commands=1, rows=None, holders=(), asks=(), resources=(), message=""
    )  # fmt: skip
    check_view(json.loads(json.dumps(form([small], small, STATE, Meant()))), Surface.MODAL)
