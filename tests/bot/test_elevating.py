"""`/elevate`, and how a request for more looks as a card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot import elevation_modal as modal
from bot.card_ids import APPROVE, ASK_ACCESS, ELEVATE_OFFER, GRANT_ACCESS, GRANT_END, GRANT_EXTEND, ModalState
from bot.cards import card
from bot.desk import in_modal
from bot.listeners.elevating import Unclear, asked, read_typed
from bot.workspace.client import WorkspaceClient, text_of
from gateway.contract import (
    AskView,
    ElevationRequest,
    ElevationView,
    GrantView,
    HolderView,
    OfferView,
    PastView,
    PossibleView,
    ReachedView,
    Refusal,
    RevokeRequest,
    State,
    TablesView,
)
from tests.bot.conftest import ANA, APPROVALS, AUDIT, MARIA, StartBot, answer_to
from tests.bot.examples import approval, command, entry, session
from tests.bot.fake_gateway import FakeGateway
from tests.bot.test_cards import FACES

PERSON = "maria.lopez@example.com"
BOT_USER = "U0COUNTERSIGN"
FIX = OfferView(
    template="fix-forward",
    connection="shop",
    protocol="postgres",
    effects=("write",),
    longest=3600.0,
    commands=50,
    holders=(HolderView(token_id="tok-3", name="migrator"), HolderView(token_id="tok-4", name="migrator")),
    asks=(AskView(rule="fix-forward", approvers="dba", quorum=1),),
)
HAND = OfferView(
    template="own-hands",
    connection="shop",
    protocol="postgres",
    effects=("read", "write"),
    longest=1200.0,
    commands=10,
    rows=100,
    by_hand=True,
    ticket=True,
    message="Only mornings.",
)
GLASS = replace(HAND, template="glass", break_glass=True, ticket=False, message="")
WISH = ElevationView(
    asked_by="maria.lopez@example.com",
    effects=("write",),
    seconds=1800,
    commands=50,
    reason="order 7 is stuck",
)
ASKED = approval(
    "apr-elevation",
    command=command("elevate migrator on shop"),
    elevation=WISH,
    session="",
)
GRANT = GrantView(
    id="g-1",
    approval="apr-elevation",
    connection="shop",
    effects=("write",),
    token_id="tok-3",
    agent="migrator",
    asked_by="maria.lopez@example.com",
    reason="order 7 is stuck",
    starts_at=1_700_000_000.0,
    ends_at=1_700_001_800.0,
    commands=50,
    used=3,
)


async def test_a_reason_means_what_was_typed_and_not_what_slack_makes_of_it(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals[ASKED.id] = ASKED
    reason = (
        "a < b && c; see https://tickets.example/7?a=1&b=2, ask @ana.silva in #general or ana@example.com"
    )
    async with start_bot():
        await people.wait_for_connections(1)
        await answer_to(people, f'/elevate migrator shop write 30m "{reason}"', as_=MARIA)
    (wish,) = gateway.wishes
    assert wish.reason == reason


async def test_one_line_asks_lists_and_ends(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals[ASKED.id] = ASKED
    async with start_bot():
        await people.wait_for_connections(1)
        typed = "/elevate migrator shop write 30m “order 7 is stuck”"
        assert "apr-elevation" in await answer_to(people, typed, as_=MARIA)
        assert "apr-elevation" in await answer_to(people, "/elevate shop read,write 2h for me", as_=MARIA)
        nothing = "Nothing that you may see is elevated"
        assert nothing in await answer_to(people, "/elevate list", as_=MARIA)
        gateway.grants[GRANT.id] = GRANT
        assert nothing in await answer_to(people, "/elevate list", as_=ANA)
        assert "3 of 50 commands" in await answer_to(people, "/elevate list", as_=MARIA)
        assert "asks again on shop" in await answer_to(people, "/elevate revoke g-1 it is mended", as_=MARIA)
        assert "knows nothing" in await answer_to(people, "/elevate end g-1", as_=MARIA)
        assert "how long" in await answer_to(people, "/elevate migrator shop write soon please", as_=MARIA)
        assert "/elevate list" in await answer_to(people, "/elevate help", as_=MARIA)
    for_agent, by_hand = gateway.wishes
    assert for_agent == ElevationRequest(
        connection="shop",
        effects=("write",),
        seconds=1800.0,
        reason="order 7 is stuck",
        person="maria.lopez@example.com",
        agent="migrator",
    )
    assert (by_hand.agent, by_hand.effects, by_hand.seconds) == ("", ("read", "write"), 7200.0)
    assert by_hand.reason == "for me"
    assert gateway.ended == [("g-1", RevokeRequest(person="maria.lopez@example.com", reason="it is mended"))]


async def test_strangers_ask_for_nothing(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals[ASKED.id] = ASKED
    gateway.grants[GRANT.id] = GRANT
    async with start_bot():
        await people.wait_for_connections(1)
        for typed in ("/elevate migrator shop write 30m x", "/elevate list", "/elevate end g-1"):
            await answer_to(people, typed, as_="U0SAM")
    assert gateway.wishes == []
    assert gateway.ended == []


async def form_of(people: WorkspaceClient) -> dict[str, Any]:
    return await people.wait_for_view(lambda view: "What for" in text_of(view), as_=MARIA)


async def test_the_form_offers_what_policy_offers_and_asks_for_it(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals[ASKED.id] = ASKED
    gateway.offers[PERSON] = (FIX, HAND, GLASS)
    async with start_bot():
        await people.wait_for_connections(1)
        await people.command("C0GENERAL", "/elevate", as_=MARIA)
        form = await form_of(people)
        assert "1 of dba" in text_of(form)
        assert "By hand only" not in text_of(form)
        await people.click_in_view(form, ELEVATE_OFFER, value=modal.key_of(HAND), as_=MARIA)
        form = await people.wait_for_view(lambda view: "Only mornings." in text_of(view), as_=MARIA)
        values = {
            modal.WHY: "order 7",
            modal.TICKET_INPUT: "OPS-7",
            modal.ROWS: "20",
            modal.EFFECTS: ["read"],
        }
        await people.submit(form, values | {modal.COMMANDS: "11"}, as_=MARIA)
        refused = await form_of(people)
        assert gateway.wishes == [], "more than is offered does not leave the form"
        await people.submit(refused, values | {modal.COMMANDS: "10", modal.TIME: "900"}, as_=MARIA)
        await people.wait_for_message("C0GENERAL", lambda one: "You will hear" in text_of(one), as_=MARIA)
    assert gateway.wishes == [
        ElevationRequest(
            connection="shop",
            effects=("read",),
            seconds=900.0,
            commands=10,
            rows=20,
            reason="order 7",
            ticket="OPS-7",
            template="own-hands",
            person=PERSON,
        )
    ]


class Acks:
    """What Slack hears at once."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    async def __call__(self, **said: Any) -> None:
        self.said.append(said)


def submission(chosen: OfferView) -> dict[str, Any]:
    """What Slack sends when the form for an offer is sent as it was opened."""
    view = modal.form((chosen,), chosen, ModalState(channel="C0GENERAL"), modal.Meant())
    option = {"value": modal.key_of(chosen)}
    values = {modal.OFFER_BLOCK: {ELEVATE_OFFER: {"selected_option": option}}}
    return {"user": {"id": MARIA}, "view": {**view, "state": {"values": values}}}


@pytest.mark.parametrize(
    ("field", "block"),
    [
        ("ticket", modal.TICKET_BLOCK),
        ("reason", modal.WHY_BLOCK),
        ("effects", f"{modal.EFFECTS_BLOCK}:{modal.key_of(HAND)}"),
        ("seconds", f"{modal.TIME_BLOCK}:{modal.key_of(HAND)}"),
        ("commands", f"{modal.COMMANDS_BLOCK}:{modal.key_of(HAND)}"),
        ("rows", f"{modal.ROWS_BLOCK}:{modal.key_of(HAND)}"),
        ("agent", f"{modal.WHOM_BLOCK}:{modal.key_of(HAND)}"),
        ("template", modal.OFFER_BLOCK),
        ("connection", modal.OFFER_BLOCK),
        ("", modal.OFFER_BLOCK),
    ],
)
async def test_what_is_refused_at_once_is_said_at_the_field(
    gateway: FakeGateway, start_bot: StartBot, field: str, block: str
) -> None:
    gateway.offers[PERSON] = (HAND,)
    gateway.refuses = Refusal(
        error="wish_refused", message="own-hands asks for a ticket: name one", field=field
    )
    acks, body = Acks(), submission(HAND)
    async with start_bot() as bot:
        submitted = in_modal(replace(bot.desk, at_once=60.0), asked, errors=modal.errors)
        await submitted(acks, body)
    [said] = acks.said
    assert said["response_action"] == "errors"
    assert list(said["errors"]) == [block]
    assert "name one" in said["errors"][block]
    assert block in {each.get("block_id") for each in body["view"]["blocks"] if each["type"] == "input"}


async def test_what_is_offered_no_longer_is_said_at_the_field_too(
    gateway: FakeGateway, start_bot: StartBot
) -> None:
    gateway.offers[PERSON] = (FIX,)
    acks = Acks()
    async with start_bot() as bot:
        await in_modal(replace(bot.desk, at_once=60.0), asked, errors=modal.errors)(acks, submission(HAND))
    [said] = acks.said
    assert "offered no longer" in said["errors"][modal.OFFER_BLOCK]


async def test_a_slow_gateway_lets_the_form_close_and_says_no_by_message(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.offers[PERSON] = (replace(HAND, ticket=False),)
    gateway.refuses = Refusal(error="wish_refused", message="name a ticket", field="ticket")
    gateway.listens.clear()
    async with start_bot():
        await people.wait_for_connections(1)
        await people.command("C0GENERAL", "/elevate", as_=MARIA)
        form = await form_of(people)
        answer = await people.submit(form, {modal.WHY: "order 7"}, as_=MARIA)
        assert "errors" not in answer.get("answer", {})
        gateway.listens.set()
        await people.wait_for_message("C0GENERAL", lambda one: "name a ticket" in text_of(one), as_=MARIA)
    assert gateway.wishes == []


async def test_who_is_offered_nothing_is_told_so(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        await people.wait_for_connections(1)
        await people.command("C0GENERAL", "/elevate", as_=MARIA)
        await people.wait_for_view(lambda view: "no elevation now" in text_of(view), as_=MARIA)
        await people.command("C0GENERAL", "/elevate", as_="U0SAM")
        view = await people.wait_for_view(lambda view: "Asking" not in text_of(view), as_="U0SAM")
        assert "What for" not in text_of(view)


async def test_the_shortcut_on_a_refusal_begins_with_what_was_refused(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.offers[PERSON] = (HAND, GLASS, FIX)
    async with start_bot():
        await people.wait_for_connections(1)
        await gateway.publish(approval("apr-no"))
        await people.wait_for_message(APPROVALS, lambda one: "apr-no" in text_of(one), as_=ANA)
        denied = approval("apr-no", state=State.DENIED, version=2, settled_at=1.0, settled_by="ana")
        await gateway.publish(denied)
        card_ = await people.wait_for_message(APPROVALS, lambda one: "Denied" in text_of(one), as_=MARIA)
        await people.shortcut(ASK_ACCESS, channel=APPROVALS, ts=card_["ts"], as_=MARIA)
        form = await form_of(people)
        assert f"{modal.WHOM_BLOCK}:{modal.key_of(FIX)}" in {block["block_id"] for block in form["blocks"]}
        whom = next(b for b in form["blocks"] if b["block_id"].startswith(modal.WHOM_BLOCK))
        assert whom["element"]["initial_option"]["value"] == denied.lineage.chain[-1].token_id
        said = await people.say("C0GENERAL", "why was it refused?", as_=MARIA)
        await people.close_view(form, as_=MARIA)
        await people.shortcut(ASK_ACCESS, channel="C0GENERAL", ts=said["ts"], as_=MARIA)
        await form_of(people)


async def test_the_shortcut_on_a_transcript_begins_with_its_agent(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.offers[PERSON] = (HAND, GLASS, FIX)
    told = session(entries=1, commands=1, blocked=1)
    async with start_bot():
        await people.wait_for_connections(1)
        gateway.sessions[told.id] = told
        await gateway.log(told.id, entry(1), commands=1)
        root = await people.wait_for_message(AUDIT, lambda one: "migrator" in text_of(one), as_=MARIA)
        await people.shortcut(ASK_ACCESS, channel=AUDIT, ts=root["ts"], as_=MARIA)
        form = await form_of(people)
        whom = next(b for b in form["blocks"] if b["block_id"].startswith(modal.WHOM_BLOCK))
        assert whom["element"]["initial_option"]["value"] == told.lineage.chain[-1].token_id


async def test_a_grant_reaches_its_person_alone_with_a_way_in_and_a_way_out(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.approvals[ASKED.id] = ASKED
    gateway.offers[PERSON] = (HAND,)
    mine = replace(GRANT, agent="by-hand", by_hand=True, person=PERSON, template="own-hands", rows=20)
    async with start_bot():
        await people.wait_for_connections(1)
        await gateway.publish(mine)
        direct = await people.direct(BOT_USER, as_=MARIA)
        told = await people.wait_for_message(direct, lambda one: "granted" in text_of(one), as_=MARIA)
        assert "0 of 20 rows" in text_of(told)
        await people.click(told, GRANT_ACCESS, as_=MARIA, channel=direct)
        ways = await people.wait_for_view(lambda view: "credential once" in text_of(view), as_=MARIA)
        assert "https://gateway.example.com/access/once" in str(ways["blocks"])
        await people.close_view(ways, as_=MARIA)
        await people.click(told, GRANT_EXTEND, as_=MARIA, channel=direct)
        await people.submit(
            await form_of(people), {modal.WHY: "not done", modal.TICKET_INPUT: "x"}, as_=MARIA
        )
        await people.wait_for_message(direct, lambda one: "You will hear" in text_of(one), as_=MARIA)
        assert gateway.wishes[0].extends == mine.id
        await people.click(told, GRANT_END, as_=MARIA, channel=direct)
        await people.wait_for(lambda: _is(gateway.ended), what="the end")
        await gateway.publish(replace(mine, ended_at=1.0, ended="maria ended it"))
        over = await people.wait_for_message(direct, lambda one: "Elevation ended" in text_of(one), as_=MARIA)
        assert GRANT_END not in str(over["blocks"])
        for channel in (APPROVALS, AUDIT, "C0GENERAL"):
            for one in await people.messages(channel, as_=MARIA):
                assert "access/once" not in str(one)


async def _is(value: object) -> object:
    return value


async def test_its_card_says_what_it_is(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    async with start_bot():
        await people.wait_for_connections(1)
        await gateway.publish(ASKED)
        shown = await people.wait_for_message(APPROVALS, lambda one: "apr-elevation" in text_of(one), as_=ANA)
        assert "What is blocked stays blocked" in text_of(shown)


def test_the_card_of_a_request_has_buttons_and_no_session() -> None:
    drawn = str(card(ASKED, FACES).blocks)
    assert APPROVE in drawn
    assert "Elevation" in drawn
    assert "session" not in drawn
    granted = approval("apr-elevation", elevation=WISH, state=State.SPENT, settled_at=1.0, settled_by="x")
    assert "Granted" in str(card(granted, FACES).blocks)


def test_a_card_tells_the_difference_and_what_was_before() -> None:
    wish = replace(
        WISH,
        possible=(
            PossibleView(effect="read", before="allow", after="allow"),
            PossibleView(effect="write", before="hold", after="allow", blocked_by=("never-deletes",)),
            PossibleView(effect="ddl", before="block", after="block"),
        ),
        freely_before=("read",),
        freely_after=("read", "write"),
        resources=("orders",),
        reveal=("customers.email",),
        ticket="OPS-7",
        extends="g-0",
        rows=20,
        past=(
            PastView(at=1.0, connection="shop", effects=("write",), reason="x", how="break-glass", used=2),
        ),
        past_count=7,
        tables=TablesView(
            total=40,
            before=ReachedView(read=12, written=0, columns=80, masked=5),
            after=ReachedView(read=12, written=3, columns=80, masked=4),
        ),
    )
    said = text_of({"blocks": list(card(replace(ASKED, elevation=wish), FACES).blocks)}).replace("\n", "")
    for words in (
        "write: held → runs",
        "still blocked where never-deletes",
        "ddl: stays blocked",
        "without asking before: read; after: read, write",
        "only on orders",
        "Shows unmasked",
        "customers.email",
        "50 commands and 20 rows",
        "OPS-7",
        "grant g-0",
        "7 elevations",
        "by breaking the glass",
        "read without asking 12 → 12 of 40",
        "written 0 → 3 of 40",
        "columns that masks hide by name 5 of 80 → 4 of 80",
    ):
        assert words in said
    assert "knows no catalogue of this target" in str(card(ASKED, FACES).blocks)
    assert "masks stay" not in said


def test_a_review_asks_whether_somebody_looked() -> None:
    said = str(card(replace(ASKED, elevation=replace(WISH, how="review")), FACES).blocks)
    assert "I looked: in order" in said
    assert "Object" in said
    assert "two others look at it" in said


@pytest.mark.parametrize(
    "words",
    [
        ["a"],
        ["shop", "write", "30m"],
        ["a", "shop", "write", "30m"],
        ["a", "shop", "write", "30", "x"],
        ["a", "shop", "write", "-3m", "x"],
        ["a", "b", "shop", "write", "3m", "x"],
    ],
)
def test_what_is_unclear_is_not_asked(words: list[str]) -> None:
    with pytest.raises(Unclear):
        read_typed(words)
