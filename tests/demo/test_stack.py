"""Several demos at once."""

from __future__ import annotations

import contextlib
import tempfile

from gateway.demo.stack import _port
from tests.ports import free_port


def test_a_port_is_given_to_one_demo_though_nobody_listens_there_yet(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    wished = free_port()
    with contextlib.ExitStack() as first, contextlib.ExitStack() as second:
        assert _port(wished, first) == wished
        assert _port(wished, second) != wished
    with contextlib.ExitStack() as third:
        assert _port(wished, third) == wished
