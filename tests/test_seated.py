"""The seat of a client whose protocol's library owns the socket."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from gateway import seated
from gateway.model import Block, Hold


class Broken:
    """Fails while it asks people."""

    def __init__(self, *_whose: object) -> None:
        pass

    async def settle(self, tell: object) -> None:
        raise RuntimeError(tell)


async def test_who_could_not_be_asked_about_says_so_and_nothing_runs(monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setattr(seated, "Held", Broken)
    hold = Hold(rules=("writes",), message="", asks=(), expires_in=60.0)
    gate: Any = SimpleNamespace(
        open=lambda _session, kill: kill,
        ask=lambda _live, _command: hold,
        mask=lambda _final: SimpleNamespace(),
    )
    session: Any = SimpleNamespace(id="s1")
    seat = seated.Seated(gate, session, spawn=asyncio.ensure_future, left=lambda _seat: None)
    seat.open(lambda _reason: None)
    command: Any = SimpleNamespace(id="c1")
    async with asyncio.timeout(60):
        ruling = await seat.judge(command, lambda _text: None)
    assert ruling.verdict == Block(rules=("writes",), message=seated.NOBODY_ASKED)
    assert "could not be held" in caplog.text
