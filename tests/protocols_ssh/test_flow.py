"""Whatever goes wrong while an answer is masked, nothing more of it is given out, and its channel ends."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

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
    sink.failed.assert_called_once_with("The answer could not be masked, so it ends here.")
    upstream.channel.abort.assert_called_once()  # type: ignore[attr-defined]
    assert upstream.gone.done()
    assert upstream.status == 255
