"""A policy file that changes while the gateway runs."""

from __future__ import annotations

import os

import pytest

from gateway.policy.file import PolicyFileError
from gateway.policy.live import LivePolicy
from tests.policy.house import MINIMAL, reloaded

EXAMPLE = "examples:\n  - {connection: shop, command: read, expect: allow}\n"


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def live(tmp_path, vocabulary, errors) -> LivePolicy:
    path = tmp_path / "policies.yaml"
    path.write_text(MINIMAL)
    return LivePolicy(path, vocabulary=vocabulary, on_error=errors.append)


def test_a_good_change_takes_effect_at_once(live, errors) -> None:
    old = live.current
    assert not live.changed()
    live.path.write_text(MINIMAL.replace("default: block", "default: hold"))
    assert live.changed()
    assert reloaded(live) is None
    assert live.current.version != old.version
    assert errors == []
    assert not live.changed()


def test_a_broken_file_keeps_the_old_policy_and_says_why(live, errors) -> None:
    old = live.current
    live.path.write_text(MINIMAL.replace("default: block", "default: allow"))
    message = reloaded(live)
    assert message is not None
    assert "policies.yaml:9:10: default: " in message
    assert errors == [message]
    assert live.current is old
    assert not live.changed(), "it is not read again until it changes again"
    live.path.write_text(MINIMAL + "\n")
    assert live.changed()
    assert reloaded(live) is None


def test_an_example_that_fails_keeps_the_old_policy(live) -> None:
    old = live.current
    live.path.write_text(MINIMAL.replace("effects: read", "effects: write") + EXAMPLE)
    message = reloaded(live)
    assert message is not None
    assert "policies.yaml:11:5: examples[0]: `read` is to be allowed, but it is blocked by default" in message
    assert live.current is old


def test_a_file_that_is_gone_keeps_the_old_policy_until_it_is_back(live) -> None:
    old = live.current
    live.path.unlink()
    assert live.changed()
    assert "cannot be read" in (reloaded(live) or "")
    assert live.current is old
    live.path.write_text(MINIMAL.replace("default: block", "default: hold"))
    assert live.changed()
    assert reloaded(live) is None
    assert live.current is not old


def test_a_file_put_in_place_by_rename_is_a_change_though_size_and_time_are_the_same(live) -> None:
    before = live.path.stat()
    other = live.path.with_name("new")
    other.write_text(MINIMAL.replace("name: reads", "name: looks"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(live.path)
    assert live.path.stat().st_size == before.st_size
    assert live.changed()
    reloaded(live)
    assert live.current.rules[0].name == "looks"


def test_the_same_bytes_again_are_no_new_policy(live) -> None:
    old = live.current
    os.utime(live.path, ns=(1, 1))
    assert live.changed()
    assert reloaded(live) is None
    assert live.current is old


def test_a_gateway_does_not_start_on_a_broken_file(tmp_path, vocabulary) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(MINIMAL + EXAMPLE.replace("allow", "hold"))
    with pytest.raises(PolicyFileError, match=r"examples\[0\]"):
        LivePolicy(path, vocabulary=vocabulary, on_error=pytest.fail)
