from __future__ import annotations

import pytest

from bot.workspace.tickets import TicketError
from tests.workspace.conftest import ANA, APPROVALS, BEN, actions, button, error_of, modal, plain, text_input

HOME = {"type": "home", "blocks": [{"type": "divider"}]}


async def test_a_trigger_opens_one_view_within_three_seconds(server, slack, clock):
    tickets = server.workspace.tickets
    used = tickets.trigger(ANA)
    assert (await slack.views_open(trigger_id=used, view=modal(text_input())))["view"]["type"] == "modal"
    assert (
        await error_of(slack.views_open(trigger_id=used, view=modal(text_input()))) == "exchanged_trigger_id"
    )
    late = tickets.trigger(ANA)
    clock.offset += 3.1
    assert await error_of(slack.views_open(trigger_id=late, view=modal(text_input()))) == "expired_trigger_id"
    assert (
        await error_of(slack.views_open(trigger_id="1.2.3", view=modal(text_input()))) == "invalid_trigger_id"
    )


async def test_a_rejected_view_does_not_use_up_its_trigger(server, slack):
    trigger = server.workspace.tickets.trigger(ANA)
    assert (
        await error_of(slack.views_open(trigger_id=trigger, view=modal(text_input(), title=plain("x" * 25))))
        == "invalid_arguments"
    )
    assert (await slack.views_open(trigger_id=trigger, view=modal(text_input())))["ok"]


async def test_three_modals_stack_and_no_more(server, slack, people):
    tickets = server.workspace.tickets
    view = (await slack.views_open(trigger_id=tickets.trigger(ANA), view=modal(text_input())))["view"]
    for _ in range(2):
        top = tickets.trigger(ANA, from_view=view["id"])
        pushed = (await slack.views_push(trigger_id=top, view=modal(text_input())))["view"]
        assert (pushed["root_view_id"], pushed["previous_view_id"] is not None) == (view["id"], True)
    last = tickets.trigger(ANA, from_view=view["id"])
    assert await error_of(slack.views_push(trigger_id=last, view=modal(text_input()))) == "push_limit_reached"
    assert len(await people.views(as_=ANA)) == 3
    await people.close_view((await people.views(as_=ANA))[-1], as_=ANA)
    assert len(await people.views(as_=ANA)) == 2
    not_in_a_modal = tickets.trigger(ANA)
    assert (
        await error_of(slack.views_push(trigger_id=not_in_a_modal, view=modal(text_input())))
        == "invalid_trigger_id"
    )


async def test_an_update_needs_a_view_that_is_open_and_the_current_hash(server, slack, people):
    view = (
        await slack.views_open(trigger_id=server.workspace.tickets.trigger(ANA), view=modal(text_input()))
    )["view"]
    newer = (await slack.views_update(view_id=view["id"], hash=view["hash"], view=modal(text_input())))[
        "view"
    ]
    assert newer["hash"] != view["hash"]
    stale = slack.views_update(view_id=view["id"], hash=view["hash"], view=modal(text_input()))
    assert await error_of(stale) == "hash_conflict"
    await people.close_view(newer, as_=ANA)
    assert await error_of(slack.views_update(view_id=view["id"], view=modal(text_input()))) == "not_found"


async def test_what_was_typed_survives_an_update_of_the_same_input(server, slack):
    view = (
        await slack.views_open(trigger_id=server.workspace.tickets.trigger(ANA), view=modal(text_input()))
    )["view"]
    held = server.workspace.modals.find(view["id"])
    held.state["why"]["reason"]["value"] = "because"
    kept = (await slack.views_update(view_id=view["id"], view=modal(text_input(), actions(button("a")))))[
        "view"
    ]
    assert kept["state"]["values"]["why"]["reason"]["value"] == "because"
    other = (await slack.views_update(view_id=view["id"], view=modal(text_input(block_id="new"))))["view"]
    assert other["state"]["values"]["new"]["reason"]["value"] is None


async def test_views_are_found_by_external_id_which_is_unique(server, slack):
    tickets = server.workspace.tickets
    await slack.views_open(trigger_id=tickets.trigger(ANA), view=modal(text_input(), external_id="e1"))
    assert (await slack.views_update(external_id="e1", view=modal(text_input(), external_id="e1")))["ok"]
    again = slack.views_open(trigger_id=tickets.trigger(BEN), view=modal(text_input(), external_id="e1"))
    assert await error_of(again) == "duplicate_external_id"


async def test_home_is_published_per_person_with_a_hash(slack, people):
    first = (await slack.views_publish(user_id=ANA, view=HOME))["view"]
    second = (await slack.views_publish(user_id=ANA, view=HOME, hash=first["hash"]))["view"]
    assert await error_of(slack.views_publish(user_id=ANA, view=HOME, hash=first["hash"])) == "hash_conflict"
    assert (await people.home(as_=ANA))["hash"] == second["hash"]
    assert await people.home(as_=BEN) is None
    assert await error_of(slack.views_publish(user_id="U0NOBODY", view=HOME)) == "invalid_arguments"
    assert await error_of(slack.views_publish(user_id=ANA, view=modal(text_input()))) == "invalid_arguments"


async def test_a_response_url_works_five_times_in_thirty_minutes(server, clock):
    tickets = server.workspace.tickets
    url = tickets.response_url(ANA, APPROVALS)
    for _ in range(5):
        tickets.redeem_response_url(url)
    with pytest.raises(TicketError, match="used_url"):
        tickets.redeem_response_url(url)
    late = tickets.response_url(ANA, APPROVALS)
    clock.offset += 1801
    with pytest.raises(TicketError, match="expired_url"):
        tickets.redeem_response_url(late)
