"""Values with more hits than are worth hiding one by one are hidden whole, and soon."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.masking import scanner
from gateway.masking.engine import CompiledMask
from gateway.masking.scanner import MOST_CANDIDATES, MOST_HITS, TOO_MANY, Scanner

MANY = b"a@example.com," * 200_000
NEAR_MISSES = b"4111111111111112 " * (2 * MOST_CANDIDATES)


@pytest.mark.parametrize("value", [MANY, NEAR_MISSES], ids=["hits", "near misses"])
def test_a_value_of_hundreds_of_thousands_of_hits_is_hidden_whole_and_soon(
    mask: CompiledMask, value: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = 0
    judge = Scanner._judge

    def counted(self: Scanner, *of: object) -> object:
        nonlocal judged
        judged += 1
        return judge(self, *of)  # type: ignore[arg-type]

    monkeypatch.setattr(Scanner, "_judge", counted)
    hits = mask.find(value)
    assert hits == [(0, len(value), TOO_MANY)]
    assert mask.cover(value, hits) == b"[redacted]"
    assert judged <= MOST_CANDIDATES, "each costs up to 20 microseconds of everybody's time"


def test_its_neighbours_are_searched_as_ever(mask: CompiledMask) -> None:
    data = b"b@example.com\0" + MANY + b"\0plain\0c@example.com\0"
    first, many, last = mask.find_in_fields(data)
    assert (first, last[2]) == ((0, 13, "email"), "email")
    assert (many[0], many[1] - many[0], many[2]) == (14, len(MANY), TOO_MANY)
    assert data[last[0] : last[1]] == b"c@example.com"


def test_many_hits_in_many_fields_are_all_hidden_one_by_one(mask: CompiledMask) -> None:
    data = b"a@example.com\0" * (3 * MOST_HITS)
    hits = mask.find_in_fields(data)
    assert len(hits) == 3 * MOST_HITS
    assert {name for _, _, name in hits} == {"email"}


PIECES = st.lists(
    st.sampled_from([b"a@example.com ", b"\0", b"x", b"4111111111111111 ", b"password=x1y2z3 ", b"social", b"ssn "]),
    max_size=40,
)  # fmt: skip


@given(pieces=PIECES, most=st.integers(1, 4))
def test_whatever_the_bounds_nothing_is_left_that_searching_each_field_would_hide(
    mask: CompiledMask, pieces: list[bytes], most: int
) -> None:
    data = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "MOST_HITS", most)
        patch.setattr(scanner, "MOST_CANDIDATES", 2 * most)
        bounded = mask.find_in_fields(data)
    at = 0
    hidden = set[int]()
    for start, end, _ in bounded:
        assert at <= start < end
        assert 0 not in data[start:end]
        hidden.update(range(start, end))
        at = end
    field = 0
    for text in data.split(b"\0"):
        for start, end, _ in mask.find(text):
            assert hidden >= set(range(field + start, field + end))
        field += len(text) + 1


WORDS = st.sampled_from(
    [b"a@example.com", b"\0", b"x", b"4111 1111 1111 1111", b"password=", b"x1y2z3", b"ssn 123-45-6789", b" ", b"12"]
)  # fmt: skip


@settings(deadline=None)  # the first one compiles the patterns
@given(pieces=st.lists(WORDS, max_size=8))
def test_a_bare_value_is_one_without_any_candidate(mask: CompiledMask, pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert mask.bare(data) is (mask._scanner._any.search(data) is None)
    if mask.bare(data):
        assert not mask.find(data)
