"""How one side of a session is read: at once as a rule, and in larger reads amid a long answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import gateway.end
from gateway.end import BULK, GATHERED
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

    def opened(self, peer: str) -> None:
        raise AssertionError(peer)

    def received(self, side: Side, data: bytes) -> None:
        assert side is Side.UPSTREAM
        self.taken += len(data)

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
    assert pipe.reading
    assert taker.taken == (LONG + 2) * len(READ) + GATHERED


@pytest.mark.parametrize("then", [lambda end: end.send(b"and now?"), None])
async def test_what_is_sent_ends_the_long_answer(then: Callable[[gateway.end.End], None] | None) -> None:
    end, pipe, _ = opened()
    for _ in range(LONG - 1):
        end.data_received(READ)
    if then is not None:
        then(end)
    end.data_received(READ)
    assert pipe.reading is (then is not None)


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
