from __future__ import annotations

import pytest

from gateway.identity import failures as module
from gateway.identity.failures import FAILURES, WINDOW, Failures, network


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def exhausted(clock: Clock, address: str = "10.0.0.1", name: str = "nightly") -> Failures:
    failures = Failures(clock=clock)
    for _ in range(FAILURES):
        assert failures.wait(address, name) == 0
        failures.failed(address, name)
    return failures


def test_after_so_many_failures_the_next_attempt_waits():
    clock = Clock()
    failures = exhausted(clock)
    wait = failures.wait("10.0.0.1", "nightly")
    assert 0 < wait <= WINDOW
    clock.now += wait
    assert failures.wait("10.0.0.1", "nightly") == 0


def test_one_misconfigured_agent_locks_out_neither_its_neighbours_nor_itself_elsewhere():
    failures = exhausted(Clock())
    assert failures.wait("10.0.0.1", "release-pipeline") == 0
    assert failures.wait("10.0.0.2", "nightly") == 0


def test_over_an_hour_a_network_gets_ten_guesses_a_minute():
    clock = Clock()
    failures = Failures(clock=clock)
    guesses = 0
    for _ in range(3600):
        while failures.wait("10.0.0.1", "nightly") == 0:
            failures.failed("10.0.0.1", "nightly")
            guesses += 1
        clock.now += 1
    assert guesses <= FAILURES * 61


def test_a_clock_set_back_locks_nobody_out_for_long():
    clock = Clock()
    failures = exhausted(clock)
    clock.now = 10.0
    assert failures.wait("10.0.0.1", "nightly") <= WINDOW
    failures.failed("10.0.0.1", "nightly")
    clock.now += 2 * WINDOW
    assert failures.wait("10.0.0.1", "nightly") == 0


def test_the_table_does_not_grow(monkeypatch):
    monkeypatch.setattr(module, "ENTRIES", 3)
    failures = Failures(clock=Clock())
    for n in range(50):
        failures.failed(f"10.0.0.{n}", "")
    assert len(failures._levels) == 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "", True),
        ("unix", "10.0.0.1", False),
    ],
)
def test_what_one_host_may_choose_from_counts_as_one(one, other, same):
    assert (network(one) == network(other)) is same
