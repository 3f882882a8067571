"""How large the portions are in which slow work is done."""

from __future__ import annotations

import pytest

from gateway.pace import FIRST, LEAST, SLICE, WHOLE, Pace


class Timed:
    """Work that takes as long as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.pace = Pace()
        monkeypatch.setattr("gateway.pace.monotonic", lambda: self.now)

    def __call__(self, size: int, seconds: float) -> bool:
        assert self.pace.begin() == self.pace.portion
        self.now += seconds
        return self.pace.worked(size)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Timed:
    return Timed(monkeypatch)


def test_what_is_slow_is_taken_in_portions_of_about_a_slice(work: Timed) -> None:
    assert work(FIRST, 4 * SLICE)
    assert work.pace.portion == FIRST // 4
    assert work(work.pace.portion, 1.0)
    assert work.pace.portion == LEAST
    assert work(LEAST, 60.0)
    assert work.pace.portion == LEAST, "never smaller, or nothing would go on"


def test_what_is_not_slow_is_soon_taken_whole(work: Timed) -> None:
    portions = 0
    while work.pace.portion < WHOLE:
        assert not work(work.pace.portion, SLICE / 2)
        portions += 1
    assert portions < 8
    assert not work(WHOLE, SLICE / 2)
    assert work.pace.portion == WHOLE


def test_little_that_was_fast_says_nothing_of_much(work: Timed) -> None:
    assert not any(work(100, 0.0) for _ in range(100))
    assert work.pace.portion == FIRST
