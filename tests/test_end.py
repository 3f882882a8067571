"""How one side of a session is read: at once as a rule, and in larger reads amid a long answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import gateway.end
from gateway.end import BULK, GATHERED
from gateway.pace import FIRST, LEAST, SLICE
from gateway.tls import TlsLayer
from gateway.wire import Side
from tests.uncompiled import uncompiled

End = uncompiled(gateway.end).End
"""Compiled, it takes no owner that is not."""

READ = bytes(8 * 1024)
LONG = BULK // len(READ)


class Taker:
    def __init__(self) -> None:
        self.taken = 0
        self.portions: list[bytes] = []

    def opened(self, peer: str) -> None:
        raise AssertionError(peer)

    def received(self, side: Side, data: bytes) -> None:
        assert side is Side.UPSTREAM
        self.taken += len(data)
        self.portions.append(data)

    def tls_up(self, side: Side, tls: TlsLayer) -> None:
        raise AssertionError(side, tls)

    def congested(self, side: Side, full: bool) -> None:
        raise AssertionError(side, full)

    def failed(self, side: Side, reason: str) -> None:
        raise AssertionError(side, reason)


class Pipe(asyncio.Transport):
    """A transport that says whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = True
        self.turned = asyncio.Event()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def abort(self) -> None:
        pass

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        self.turned.set()


def opened() -> tuple[gateway.end.End, Pipe, Taker]:
    taker, pipe = Taker(), Pipe()
    end = End(Side.UPSTREAM, taker)
    end.connection_made(pipe)
    return end, pipe, taker


@pytest.mark.parametrize("read", [bytes(100), READ])
async def test_short_answers_are_read_at_once_however_many_there_are(read: bytes) -> None:
    end, pipe, taker = opened()
    for _ in range(2 * BULK // len(read)):
        end.send(b"what next?")
        end.data_received(read)
        assert pipe.reading
    assert taker.taken == 2 * BULK // len(read) * len(read)


async def test_amid_a_long_answer_small_reads_let_more_come_and_go_on_by_themselves() -> None:
    end, pipe, taker = opened()
    for _ in range(LONG - 1):
        end.data_received(READ)
        assert pipe.reading
    for _ in range(3):
        pipe.turned.clear()
        end.data_received(READ)
        assert not pipe.reading
        await asyncio.wait_for(pipe.turned.wait(), 60)
        assert pipe.reading
    end.data_received(bytes(GATHERED))
    await until(pipe)
    end.data_received(bytes(GATHERED))
    assert pipe.reading, "so much at once is enough"
    assert taker.taken == (LONG + 2) * len(READ) + 2 * GATHERED


@pytest.mark.parametrize("then", [lambda end: end.send(b"and now?"), None])
async def test_what_is_sent_ends_the_long_answer(then: Callable[[gateway.end.End], None] | None) -> None:
    end, pipe, _ = opened()
    for _ in range(LONG - 1):
        end.data_received(READ)
    if then is not None:
        then(end)
    end.data_received(READ)
    assert pipe.reading is (then is not None)


async def test_a_side_that_may_not_be_read_is_not_read_once_it_is_connected() -> None:
    end, pipe = End(Side.UPSTREAM, Taker()), Pipe()
    end.read(paused=True)
    end.connection_made(pipe)
    pipe.resume_reading()  # as transports do behind it
    pipe.turned.clear()
    asyncio.get_running_loop().call_soon(pipe.turned.set)
    await pipe.turned.wait()
    assert not pipe.reading
    end.read(paused=False)
    assert pipe.reading


async def test_a_side_that_may_not_be_read_stays_unread_when_its_rest_is_over() -> None:
    end, pipe, _ = opened()
    for _ in range(LONG):
        end.data_received(READ)
    assert not pipe.reading
    end.read(paused=True)
    rested = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, rested.set)
    await asyncio.wait_for(rested.wait(), 60)
    assert not pipe.reading
    end.read(paused=False)
    assert pipe.reading


PER_BYTE = 0.000_1


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> tuple[gateway.end.End, Pipe, Taker]:
    """A side whose every byte is work, by a clock that only this work moves."""
    end, pipe, taker = opened()
    monkeypatch.setattr("gateway.pace.monotonic", lambda: taker.taken * PER_BYTE)
    return end, pipe, taker


async def until(pipe: Pipe) -> None:
    while not pipe.reading:
        pipe.turned.clear()
        await asyncio.wait_for(pipe.turned.wait(), 60)


async def test_slow_reads_are_taken_in_portions_and_the_others_have_their_turn_in_between(slow) -> None:
    end, pipe, taker = slow
    first, second = bytes(range(256)) * (FIRST // 256), b"x" * 3 * LEAST
    end.data_received(first)
    assert not pipe.reading, "it was slow"
    await until(pipe)
    others: list[int] = []
    end.data_received(second)
    while not pipe.reading:
        others.append(taker.taken)
        await asyncio.sleep(0)
    assert taker.portions[0] == first
    assert {len(portion) for portion in taker.portions[1:]} == {LEAST}
    assert b"".join(taker.portions) == first + second
    assert set(others) >= {len(first) + LEAST, len(first) + 2 * LEAST}


async def test_once_nothing_is_slow_any_more_reads_are_taken_whole_again(slow, monkeypatch) -> None:
    end, pipe, taker = slow
    end.data_received(bytes(2 * GATHERED))
    await until(pipe)
    monkeypatch.setattr("gateway.pace.monotonic", lambda: 0.0)
    for _ in range(12):
        end.data_received(bytes(2 * GATHERED))
        await until(pipe)
    assert len(taker.portions[-1]) == 2 * GATHERED
    assert taker.taken == 13 * 2 * GATHERED


async def test_what_waits_for_its_turn_comes_before_the_end(slow) -> None:
    end, pipe, taker = slow
    end.data_received(bytes(FIRST))
    await until(pipe)
    end.data_received(b"x" * 2 * LEAST)
    end.data_received(b"y")
    assert taker.portions[1:] == [b"x" * LEAST]
    end.eof_received()
    assert taker.portions[2:] == [b"x" * LEAST + b"y", b""]


async def test_what_waits_is_not_taken_while_the_other_side_is_full(slow) -> None:
    end, pipe, taker = slow
    end.data_received(bytes(FIRST))
    await until(pipe)
    end.data_received(bytes(3 * LEAST))
    end.read(paused=True)
    for _ in range(10):
        await asyncio.sleep(0)
    assert taker.taken == FIRST + LEAST
    end.read(paused=False)
    assert not pipe.reading
    await until(pipe)
    assert taker.taken == FIRST + 3 * LEAST


async def test_a_side_that_is_closed_forgets_what_waits(slow) -> None:
    end, pipe, taker = slow
    end.data_received(bytes(FIRST))
    await until(pipe)
    end.data_received(bytes(3 * LEAST))
    end.abort()
    end.connection_lost(None)
    for _ in range(10):
        await asyncio.sleep(0)
    assert taker.taken == FIRST + LEAST
    assert taker.portions[-1]
    assert LEAST * PER_BYTE > SLICE
