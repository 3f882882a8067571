"""The promises that every wire keeps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Command
from gateway.wire import CommandAnswered, CommandAsked, ProtocolViolation, Side
from tests.wires.conformance import ALLOW, BLOCK, Drive, Exchange, Subject, cut, damaged
from tests.wires.subjects import SUBJECTS

every_wire = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


def run(drive: Drive, exchange: Exchange, places: list[int] | None = None) -> None:
    for piece in cut(exchange.client, places or []):
        drive.receive(Side.CLIENT, piece)
    for piece in cut(exchange.server, places or []):
        drive.receive(Side.UPSTREAM, piece)


def outline(drive: Drive) -> list[object]:
    """What happened, apart from how the bytes were cut."""
    return [event.command.text if isinstance(event, CommandAsked) else event for event in drive.events]


@every_wire
@settings(max_examples=60, deadline=None)
@given(places=st.lists(st.integers(0, 1000), max_size=12))
def test_cut_anywhere_gives_the_same_events(subject: Subject, places: list[int]) -> None:
    whole, pieces = Drive(subject.admitted()), Drive(subject.admitted())
    for exchange in subject.exchanges:
        run(whole, exchange)
        run(pieces, exchange, places)
    assert outline(pieces) == outline(whole)
    assert pieces.said == whole.said


@every_wire
def test_byte_by_byte_gives_the_same_events(subject: Subject) -> None:
    whole, bytewise = Drive(subject.admitted()), Drive(subject.admitted())
    for exchange in subject.exchanges:
        run(whole, exchange)
        run(bytewise, exchange, list(range(len(exchange.client) + len(exchange.server))))
    assert outline(bytewise) == outline(whole)
    assert bytewise.said == whole.said


@every_wire
def test_what_is_let_through_passes_unchanged(subject: Subject) -> None:
    drive = Drive(subject.admitted())
    for exchange in subject.exchanges:
        run(drive, exchange)
    assert drive.said[Side.UPSTREAM] == b"".join(exchange.client for exchange in subject.exchanges)
    assert drive.said[Side.CLIENT] == b"".join(exchange.server for exchange in subject.exchanges)
    assert len([event for event in drive.events if isinstance(event, CommandAnswered)]) == len(drive.asked)


@every_wire
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_malformed_is_violation(subject: Subject, data: st.DataObject) -> None:
    """Well-framed nonsense of either side gives `ProtocolViolation` or is understood; nothing else is ever raised."""
    drive = Drive(subject.admitted(), judge=lambda _command: data.draw(st.sampled_from([ALLOW, BLOCK])))
    for _ in range(data.draw(st.integers(1, 4))):
        side = data.draw(st.sampled_from(list(Side)))
        before = drive.said[Side.UPSTREAM], len(drive.asked)
        try:
            drive.receive(side, data.draw(subject.nonsense[side]))
        except ProtocolViolation:
            return
        if drive.over:
            return
        assert before[1] <= len(drive.asked)


DAMAGE = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 6), st.binary(max_size=4)), min_size=1, max_size=2
)


@every_wire
@settings(max_examples=300, deadline=None)
@given(data=st.data(), client=DAMAGE, server=DAMAGE)
def test_a_damaged_conversation_is_violation(subject: Subject, data: st.DataObject, client, server) -> None:
    """The same for conversations that were right until something in them was changed."""
    drive = Drive(
        subject.admitted(), judge=lambda _command: data.draw(st.sampled_from([ALLOW, ALLOW, BLOCK]))
    )
    exchange = data.draw(st.sampled_from([*subject.exchanges, *subject.prepare]))
    spoilt = data.draw(st.sampled_from(list(Side)))
    try:
        drive.receive(
            Side.CLIENT, damaged(exchange.client, client) if spoilt is Side.CLIENT else exchange.client
        )
        drive.receive(
            Side.UPSTREAM, damaged(exchange.server, server) if spoilt is Side.UPSTREAM else exchange.server
        )
        if not drive.over:
            drive.receive(Side.CLIENT, exchange.client)
    except ProtocolViolation:
        return


@every_wire
def test_nothing_moves_unasked(subject: Subject) -> None:
    for exchange in subject.exchanges:
        drive = Drive(subject.admitted(), judge=lambda _command: None)
        drive.receive(Side.CLIENT, exchange.client + exchange.client)
        if drive.asked:
            assert exchange.client not in drive.said[Side.UPSTREAM]
            assert len(drive.asked) == 1
            held = drive.said[Side.UPSTREAM]
            drive.answer(ALLOW)
            assert drive.said[Side.UPSTREAM].startswith(held)
            assert len(drive.said[Side.UPSTREAM]) > len(held)


@every_wire
def test_a_refusal_is_polite(subject: Subject) -> None:
    """The operator's sentence, nothing upstream, and the next command works."""
    command, after = subject.repeated, subject.exchanges[0]
    drive = Drive(subject.admitted())
    for exchange in subject.prepare:
        run(drive, exchange)
    drive.judge = lambda _command: BLOCK
    before = drive.said[Side.UPSTREAM]
    drive.receive(Side.CLIENT, command.client)
    assert subject.refused(drive.said[Side.CLIENT])
    assert drive.said[Side.UPSTREAM] == before
    drive.judge = lambda _command: ALLOW
    run(drive, after)
    assert drive.said[Side.UPSTREAM] == before + after.client
    assert drive.said[Side.CLIENT].endswith(after.server)
    assert not drive.over


@every_wire
def test_the_same_bytes_again_are_asked_about_again(subject: Subject) -> None:
    drive = Drive(subject.admitted())
    for exchange in subject.prepare:
        run(drive, exchange)
    before = len(drive.asked)
    for _ in range(3):
        run(drive, subject.repeated)
    asked: list[Command] = drive.asked[before:]
    assert len({command.id for command in asked}) == 3
    assert len({command.digest for command in asked}) == 1


@every_wire
def test_a_client_that_leaves_ends_its_session(subject: Subject) -> None:
    drive = Drive(subject.admitted(), judge=lambda _command: None)
    drive.receive(Side.CLIENT, subject.exchanges[0].client)
    drive.receive(Side.CLIENT, b"")
    assert drive.over
    sent = drive.said[Side.UPSTREAM]
    drive.answer(ALLOW)
    assert drive.said[Side.UPSTREAM] == sent
