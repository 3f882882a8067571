"""Whatever goes wrong while an answer is masked, nothing more of it is given out, and its channel ends."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest

from gateway.pace import FIRST, LEAST
from gateway.protocols.ssh.flow import Upstream


@pytest.mark.parametrize("place", ["came", "quiet", "rest", "over"])
async def test_a_fault_anywhere_ends_the_answer_with_a_sentence(place: str) -> None:
    sink: Any = Mock()
    getattr(sink, place).side_effect = ValueError
    upstream = Upstream(sink, read_client=lambda _: None)
    upstream.connection_made(Mock())
    upstream.exit_status_received(0)
    upstream.data_received(b"secret", None)
    if place == "quiet":
        upstream.giving(sink.quiet)
    upstream.connection_lost(None)
    await asyncio.wait_for(upstream.gone, 60)
    sink.failed.assert_called_once_with("The answer could not be masked, so it ends here.")
    upstream.channel.abort.assert_called_once()  # type: ignore[attr-defined]
    assert upstream.status == 255


class Clock:
    """Moved by the work that bytes make."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_slow_answers_are_taken_in_portions_and_the_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, told, order = Clock(), [], []
    monkeypatch.setattr("gateway.pace.monotonic", clock)
    sink: Any = Mock()

    def came(data: bytes, *, error: bool) -> None:
        clock.now += len(data) / 1000
        told.append((error, data))
        order.append("work")

    sink.came.side_effect = came
    upstream = Upstream(sink, read_client=lambda _: None)
    upstream.connection_made(Mock())
    loop = asyncio.get_running_loop()

    def other() -> None:
        order.append("other")
        if not upstream.gone.done():
            loop.call_soon(other)

    other()
    sent = [(1, b"err"), *((None, bytes([number]) * 20_000) for number in range(30)), (1, b"end")]
    for datatype, data in sent:
        upstream.data_received(data, datatype)
    upstream.exit_status_received(0)
    upstream.connection_lost(None)
    assert not upstream.gone.done(), "the rest comes before the end"
    await asyncio.wait_for(upstream.gone, 60)
    assert b"".join(data for error, data in told if not error) == b"".join(
        data for datatype, data in sent if datatype is None
    )
    assert (told[0], told[-1]) == ((True, b"err"), (True, b"end"))
    portions = [len(data) for _, data in told[3:-2]]
    assert set(portions) == {LEAST}
    assert "work work work work" not in " ".join(order)
    sink.over.assert_called_once_with("exit 0", failed=False)
    sink.quiet.assert_not_called()


async def test_a_channel_is_read_again_once_the_client_and_the_work_let_it() -> None:
    upstream = Upstream(Mock(), read_client=lambda _: None)
    upstream.connection_made(Mock())
    calls: Any = upstream.channel
    upstream.data_received(bytes(3 * FIRST), None)
    upstream.full(True)
    upstream.full(True)
    calls.pause_reading.assert_called_once_with()
    for _ in range(10):
        await asyncio.sleep(0)
    calls.resume_reading.assert_not_called()
    upstream.full(False)
    calls.resume_reading.assert_called_once_with()


async def test_nothing_more_is_looked_at_once_the_client_has_gone() -> None:
    sink: Any = Mock()
    upstream = Upstream(sink, read_client=lambda _: None)
    upstream.connection_made(Mock())
    upstream.data_received(bytes(100), None)
    upstream.drop()
    upstream.connection_lost(None)
    await asyncio.wait_for(upstream.gone, 60)
    sink.came.assert_not_called()
    sink.over.assert_called_once()
