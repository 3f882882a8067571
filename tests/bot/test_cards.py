"""Cards: the same approval gives the same card, inside Slack's limits, with Approve only where all can be read."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot import modals
from bot.blocks import CARD_LIMIT, Faces, Message, size
from bot.board import told
from bot.card_ids import (
    APPROVE,
    DENY,
    KILL,
    LONGEST_VALUE,
    REVIEW,
    ModalState,
    OldCard,
    Target,
    read_modal_state,
    read_target,
)
from bot.cards import card, target_of, tree
from bot.votes import counted
from bot.workspace.blockkit import Surface, problems_of
from bot.workspace.client import actions_of, text_of
from bot.workspace.validate import check_metadata, check_view
from gateway.contract import (
    CARD_TEXT,
    ActorView,
    AskView,
    Choice,
    Estimate,
    LineageView,
    ResourceView,
    State,
    Vote,
    WholeText,
)
from tests.bot.examples import LINEAGE, SUBTREE, UPDATE, approval, command, session

GOLDEN = Path(__file__).parent / "golden"
FACES = Faces(people={"ana.silva@example.com": "U0ANA"}, groups={"dba": "S0DBA"})
VOTE = Vote(person="ana.silva@example.com", choice=Choice.APPROVE, at=1_700_000_060.0, groups=("dba",))
SETTLED = {"settled_at": 1_700_000_060.0, "settled_by": "ana.silva@example.com"}
STATES = {
    "pending": approval(),
    "one_of_two": approval(version=2, votes=(VOTE,), asks=(AskView(rule="two", approvers="dba", quorum=2),)),
    "nobody_waits": approval(version=3, waiting=0),
    "many_wait": approval(version=3, waiting=12),
    "review": approval(review_required=True),
    "approved": approval(version=2, state=State.APPROVED, votes=(VOTE,), waiting=0, **SETTLED),
    "spent": approval(version=3, state=State.SPENT, votes=(VOTE,), **SETTLED),
    "denied": approval(version=2, state=State.DENIED, reason="not on a Friday", **SETTLED),
    "killed": approval(version=2, state=State.DENIED, votes=(replace(VOTE, choice=Choice.KILL),), **SETTLED),
    "expired": approval(version=2, state=State.EXPIRED, settled_at=1_700_000_900.0),
    "withdrawn": approval(
        version=2, state=State.WITHDRAWN, reason="the client cancelled", settled_at=1_700_000_010.0
    ),
    "masked": approval(command=command("SELECT '***'", masked=True), review_required=True),
    "unread": approval(
        command=command(
            "CALL x()",
            effects=("unknown",),
            complete=False,
            unread="procedure x has a body that cannot be seen",
        )
    ),
    "without_estimate": approval(estimate=Estimate(note="the table is locked")),
}


def buttons(message: Message) -> list[str]:
    return [one["action_id"] for one in actions_of({"blocks": list(message.blocks)})]


def words(message: Message) -> str:
    return text_of({"blocks": list(message.blocks)})


def validated(message: Message) -> Message:
    """A message that Slack would take, by slack_sdk's models, the workspace's rules and our own limit."""
    blocks = json.loads(json.dumps(list(message.blocks)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks:
            parsed = Block.parse(dict(block))
            assert parsed is not None
            parsed.to_dict()
    assert problems_of(blocks, Surface.MESSAGE) == []
    assert size(blocks) <= CARD_LIMIT
    assert len(message.text) < 300
    if message.event:
        check_metadata({"event_type": message.event, "event_payload": dict(message.payload)})
    return message


@pytest.mark.parametrize("name", STATES)
def test_every_state_has_its_golden_card(name: str, request: pytest.FixtureRequest) -> None:
    drawn = validated(card(STATES[name], FACES))
    golden = GOLDEN / f"{name}.json"
    assert json.loads(golden.read_text()) == json.loads(json.dumps(drawn.arguments()))


@pytest.mark.parametrize("name", STATES)
def test_only_what_is_pending_has_buttons(name: str) -> None:
    one = STATES[name]
    shown = buttons(card(one, FACES))
    if one.state is State.PENDING:
        assert shown in ([APPROVE, REVIEW, DENY, KILL], [REVIEW, DENY, KILL])
    else:
        assert shown == []


@pytest.mark.parametrize("name", STATES)
def test_the_first_block_is_rich_text_in_every_state(name: str) -> None:
    assert card(STATES[name], FACES).blocks[0]["type"] == "rich_text"


@pytest.mark.parametrize(
    "held",
    [
        approval(review_required=True),
        approval(command=command("SELECT '***'", masked=True)),
        approval(command=command("SELECT 1 " + "-" * CARD_TEXT)),
        approval(command=command("SELECT 1\u202e")),
        approval(command=command("SELECT 1" + "\n" * 9 + "; DROP TABLE x")),
        approval(command=command("DROP TABLE us\u0435rs")),
        approval(command=command(UPDATE, "paid\u200b")),
        approval(command=command(UPDATE, "x" * 500)),
        approval(command=command(UPDATE, *map(str, range(40)))),
        approval(command=command(UPDATE, "\x08")),
    ],
    ids=[
        "review",
        "masked",
        "long",
        "bidi",
        "blank lines",
        "alphabets",
        "zero width",
        "long value",
        "many",
        "control",
    ],
)
def test_what_cannot_be_read_on_the_card_cannot_be_approved_there(held) -> None:
    assert buttons(validated(card(held, FACES))) == [REVIEW, DENY, KILL]


def test_line_ends_in_a_value_are_written_so_that_it_ends_where_it_ends() -> None:
    held = approval(command=command(UPDATE, "paid'\n$2 = 7", "42"))
    shown = words(card(held, FACES))
    assert '$1 = "paid\'\\n$2 = 7"\n$2 = "42"' in shown
    assert APPROVE in buttons(card(held, FACES))


def test_the_card_says_what_people_decide_by() -> None:
    said = words(card(approval(), FACES))
    for piece in (
        "orders", "env: prod", "postgres", UPDATE, '$1 = "paid"', "maria.lopez@example.com",
        "agent says: mark orders as paid", "🟠 write", "public.orders", "Gateway measured", "about 1 row of 1,200",
        "A DBA looks at writes on prod.", "0 of 1 from", "amber falcon tidy nine", "session ses-1", "Approval apr-1",
    ):  # fmt: skip
        assert piece in said


def test_the_notification_never_holds_the_command() -> None:
    message = card(approval(command=command("<!channel> DROP")), FACES)
    assert message.text == "Countersign: approval apr-1 is waiting for a decision."


def test_the_block_ids_change_with_the_version() -> None:
    one, two = (card(approval(version=number), FACES) for number in (1, 2))
    assert not {block["block_id"] for block in one.blocks} & {block["block_id"] for block in two.blocks}


def test_a_person_counts_for_one_ask_only() -> None:
    asks = (AskView(rule="a", approvers="dba", quorum=1), AskView(rule="b", approvers="owners", quorum=1))
    both = replace(VOTE, groups=("dba", "owners"))
    only = replace(VOTE, person="ben.okafor@example.com", groups=("dba",))
    held = approval(asks=asks, votes=(both, only))
    assert counted(held) == {asks[0]: 1, asks[1]: 1}


NASTY = st.text(st.characters() | st.sampled_from('"\\\n\u202e<>&`⟦\x00🤖'), max_size=200)
HOSTILE = NASTY | st.builds(lambda one, times: one * times, NASTY, st.sampled_from([1, 50, 2_000]))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    text=HOSTILE,
    parameters=st.lists(st.none() | HOSTILE, max_size=30),
    names=st.lists(HOSTILE, min_size=1, max_size=30),
    counts=st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)),
    state=st.sampled_from(State),
)
def test_the_most_hostile_approval_still_fits_and_mentions_nobody(
    text, parameters, names, counts, state
) -> None:
    asks, votes, resources = counts
    word = names[0]
    held = approval(
        state=state,
        command=command(
            text,
            *parameters,
            effects=tuple(names),
            resources=tuple(ResourceView(kind="table", name=word, effect=word) for _ in range(resources)),
            words=word,
        ),
        lineage=LineageView(
            person=word, chain=tuple(ActorView(name=one, token_id="t", task=one) for one in names)
        ),
        connection=word,
        protocol=word,
        labels=dict.fromkeys(names, word),
        message=word,
        reason=word,
        settled_by=word,
        asks=tuple(AskView(rule=word + str(number), approvers=word, quorum=2) for number in range(asks)),
        votes=tuple(replace(VOTE, person=word, reason=word, groups=tuple(names)) for _ in range(votes)),
        estimate=Estimate(note=word),
        session=word,
    )
    message = validated(card(held, Faces()))
    kinds = {
        element["type"]
        for block in message.blocks
        if block["type"] == "rich_text"
        for part in block["elements"]
        for element in part["elements"]
    }
    assert kinds <= {"text", "date"}
    validated(told(held, Faces()))


def test_ten_megabytes_make_a_card() -> None:
    held = approval(command=command("SELECT '\x1b[2J`<!everyone>`'\n" * 400_000), review_required=True)
    assert "characters not shown" in words(validated(card(held, FACES)))


def test_a_deep_lineage_keeps_its_root_and_its_end() -> None:
    chain = tuple(ActorView(name=f"agent-{number}", token_id="t") for number in range(30))
    drawn = tree(LineageView(person="maria.lopez@example.com", chain=chain))
    assert "maria.lopez@example.com" in drawn
    assert "agent-0" in drawn
    assert "agent-29" in drawn
    assert "22 more agents" in drawn
    assert "agent-15" not in drawn


# values and hidden fields


@given(
    st.text(
        st.characters(codec="ascii", categories=("L", "N")) | st.sampled_from("-_."), min_size=1, max_size=60
    ),
    st.integers(0, 10**9),
)
def test_a_buttons_value_comes_back_as_it_was(approval_id: str, version: int) -> None:
    target = Target(id=approval_id, version=version, digest="0a1b2c3d")
    assert read_target(target.value()) == target
    assert len(target.value()) < LONGEST_VALUE


@given(st.text(max_size=400))
def test_any_other_value_is_of_an_old_card(value: str) -> None:
    try:
        target = read_target(value)
    except OldCard:
        return
    assert value.startswith(f"v1.{target.id}.")


@pytest.mark.parametrize("metadata", ["", "{}x", "[]", '{"target": 3}'])
def test_a_hidden_field_that_is_not_ours_is_of_an_old_card(metadata: str) -> None:
    with pytest.raises(OldCard):
        read_modal_state(metadata)


def test_the_card_seen_is_the_card_voted_on() -> None:
    held = approval(version=7)
    assert target_of(held) == Target(id="apr-1", version=7, digest=held.command.digest[:8])


# modals

STATE = ModalState(target=target_of(approval()), channel="C0APPROVALS", opened="p" * 2_000)
WHOLE = WholeText(
    text=UPDATE, parameters=("paid", None), digest=approval().command.digest, words="a b c d", opened="proof"
)


@pytest.mark.parametrize(
    "view",
    [
        modals.loading("Review"),
        modals.deny(STATE),
        modals.kill(approval(), SUBTREE, STATE),
        modals.kill_session(session(), SUBTREE, STATE),
        modals.kill_session(session(lineage=replace(LINEAGE, chain=())), None, STATE),
        modals.review(approval(), WHOLE, STATE, elsewhere=""),
        modals.review(approval(), replace(WHOLE, text='"' * 50_000), STATE, elsewhere="In the file."),
        modals.review(
            approval(),
            replace(WHOLE, text="\x00" * 50_000, parameters=("\u202e" * 9_000,)),
            STATE,
            elsewhere="",
        ),
        modals.review(approval(), replace(WHOLE, text="", parameters=()), STATE, elsewhere=""),
    ],
)
def test_every_modal_is_one_that_slack_takes(view) -> None:
    check_view(json.loads(json.dumps(view)), Surface.MODAL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        View(**view).to_dict()


def test_review_shows_every_character() -> None:
    text = "\n".join(f"UPDATE t SET n = {number} WHERE id = {number};" for number in range(200))
    view = modals.review(approval(), replace(WHOLE, text=text), STATE, elsewhere="")
    shown = "".join(
        element["text"]
        for block in view["blocks"][2:]
        for part in block["elements"]
        if part["type"] == "rich_text_preformatted"
        for element in part["elements"]
    )
    assert shown.startswith(text)
    assert view["submit"]["text"] == "Approve"


def test_review_warns_as_the_card_does() -> None:
    """Who opens it from the Home tab, or from a card of several, has read no warning before."""
    odd = replace(WHOLE, text="UPDATE t SET n = '\u202egnp' WHERE \u0430dmin", parameters=("a\u200bb",))
    unread = approval(command=replace(command(), complete=False, unread="a name that is no name"))
    said = text_of(modals.review(unread, odd, STATE, elsewhere=""))
    assert "2 hidden characters" in said
    assert "1 word mixing alphabets" in said
    assert "could not read all of it: a name that is no name" in said
    assert "⚠️" not in text_of(modals.review(approval(), WHOLE, STATE, elsewhere=""))
