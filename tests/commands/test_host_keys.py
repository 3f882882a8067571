"""`countersign host-keys`: what each action leaves, and that nothing is changed where nothing may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import main
from gateway.identity.host_keys import Numbers, numbers
from gateway.identity.seed import open_seed


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir(mode=0o700)
    open_seed(tmp_path / "keys")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], state: Path, action: str) -> Any:
    assert main(["host-keys", action, "--json", "--state", str(state)]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_next_key_is_announced_once_and_then_shown(
    capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    shown = told(capsys, state, "show")
    assert (shown["changed"], "next_host_key" in shown["ssh"]) == (False, False)
    announced = told(capsys, state, "announce")
    assert (announced["changed"], announced["ssh"]["host_key"]) == (True, shown["ssh"]["host_key"])
    assert told(capsys, state, "announce") == {**announced, "changed": False}
    assert numbers(state / "keys") == Numbers(shown=1, announced=2)
    assert (state / "keys" / "host-keys").stat().st_mode & 0o777 == 0o600
    switched = told(capsys, state, "switch")
    assert switched["ssh"]["host_key"] == announced["ssh"]["next_host_key"]
    assert switched["ssh"]["host_authority"] == shown["ssh"]["host_authority"]
    assert told(capsys, state, "announce")["ssh"]["next_host_key"] != shown["ssh"]["host_key"]
    withdrawn = told(capsys, state, "withdraw")
    assert withdrawn == {**switched, "changed": True}


def test_no_key_is_switched_to_that_nobody_was_told_of(
    capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    assert main(["host-keys", "switch", "--state", str(state)]) == 1
    assert "announce" in capsys.readouterr().err
    assert numbers(state / "keys") == Numbers()


def test_no_keys_are_made_where_there_are_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["host-keys", "announce", "--state", str(tmp_path)]) == 2
    assert "no keys yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
