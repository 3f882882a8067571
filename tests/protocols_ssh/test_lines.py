"""What a guarded shell shows of a line whose answer cannot be masked: nothing more, and the next line runs."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from gateway.protocols.ssh.flow import UNMASKABLE, Answer
from gateway.protocols.ssh.screen import Screen


@pytest.mark.parametrize("place", ["feed", "flush", "close"])
async def test_a_line_that_cannot_be_masked_ends_and_the_shell_goes_on(place: str) -> None:
    seat: Any = Mock()
    shown: list[tuple[bytes, bool]] = []
    ruling: Any = Mock()
    stream = ruling.stream.return_value
    stream.feed.return_value = stream.flush.return_value = stream.close.return_value = b""
    getattr(stream, place).side_effect = ValueError
    answer = Answer(seat, "c1", ruling, lambda data, error: shown.append((data, error)))
    screen = Screen()
    ended = screen.begin(answer, "m")
    screen.came(b"secret", error=False)
    screen.came(b" and more", error=False)
    screen.quiet()
    screen.came(b"\x1em:3|||:m\x1e", error=False)
    screen.came(b"\x1em:0|||:m\x1e", error=True)
    assert ended.result() == b"3|||"
    screen.line_over()
    answer.over("exit 3", failed=True)
    said = b"countersign: The answer of this line could not be masked, so the rest of it is not shown.\n"
    assert shown == [(said, True)]
    (event,) = seat.answered.call_args.args
    assert (event.outcome, event.failed) == (UNMASKABLE, True)
    seat.answer.assert_not_called()
