"""The sieve may point at places where nothing begins; it never overlooks one."""

from __future__ import annotations

import base64
import random
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from masking_quality import LOOKALIKES, VALUES
from masking_texts import texts

from gateway.masking import custom, openings, scanner, sieve, sift
from gateway.masking.beginnings import DEPTH, Beginnings, Unreadable
from gateway.masking.detectors import DETECTORS, Detector, expand
from gateway.masking.linear import linear
from gateway.masking.scanner import Scanner
from gateway.masking.sieve import Sieve
from gateway.policy.model import CustomDetector
from tests.uncompiled import uncompiled

NAMES = expand(("personal", "secrets", "ip"))
PATTERNS = [shape.pattern for name in NAMES for shape in DETECTORS[name].shapes]
FEW = [shape.pattern for name in ("payment_card", "email") for shape in DETECTORS[name].shapes]
CARD = b"4111 1111 1111 1111"
PROSE = b"the quick brown fox jumps over a lazy dog " * 60


PURE = uncompiled(sift)


@contextmanager
def without_bounds() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MOST_NEW", "ADVANCE"):
            patch.setattr(sieve, name, sys.maxsize)
        patch.setattr(sieve, "SPARSE", 1)
        patch.setattr(sieve, "MOTLEY", 256)
        patch.setattr(openings, "DENSE", 1)
        patch.setattr(openings, "FEWEST", sys.maxsize)
        yield


@pytest.fixture
def unbounded() -> Iterator[None]:
    with without_bounds():
        yield


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the sieve's own table does not know nobody knows."""
    monkeypatch.setattr(openings.Openings, "places", lambda *_: None)


@pytest.fixture(scope="module")
def every() -> Scanner:
    return Scanner([DETECTORS[name] for name in NAMES])


@pytest.fixture(scope="module")
def shared() -> Sieve:
    with without_bounds():
        return Sieve(PATTERNS)


@pytest.fixture
def made(unbounded: None) -> Sieve:
    return Sieve(PATTERNS)


def candidates(of: Scanner, data: bytes) -> Iterator[int]:
    start = 0
    while (match := of._any.search(data, start)) is not None:
        yield match.start()
        start = match.start() + 1


def test_every_candidate_begins_at_one_of_its_places(made: Sieve, every: Scanner) -> None:
    checked = 0
    for path in (VALUES, LOOKALIKES):
        for text in list(texts(path, seed=4, each=1))[::2]:
            data = text.text.encode()
            places = made.places(data, 0)
            assert places is not None
            begins = set(candidates(every, data))
            assert begins <= set(places), (data, begins - set(places))
            each = made.openings.places(data, 0)
            assert each is not None
            assert begins <= set(each), (data, begins - set(each))
            checked += len(begins)
    assert checked > 500


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    pattern=st.sampled_from(PATTERNS),
    before=st.sampled_from([b"", b" ", b"x", b"_", b"\\n", b"%20", b"\xc3\xa4"]),
)
def test_whatever_a_pattern_matches_begins_at_one_of_its_places(
    every: Scanner, shared: Sieve, data: st.DataObject, pattern: bytes, before: bytes
) -> None:
    text = before + data.draw(st.from_regex(re.compile(pattern))) + data.draw(st.binary(max_size=3))
    with without_bounds():
        places, each = shared.places(text, 0), shared.openings.places(text, 0)
    assert places is not None
    assert each is not None
    assert set(candidates(every, text)) <= set(places) & set(each)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_the_stretches_that_are_read_at_once_leave_no_gap(unbounded: None, quarter: int) -> None:
    made = Sieve(FEW)
    middle = quarter * len(PROSE) // 4
    for place in range(middle - DEPTH - len(CARD), middle + DEPTH):
        data = PROSE[: place - 1] + b" " + CARD + b" " + PROSE[place + len(CARD) + 1 :]
        assert place in (made.places(data, 0) or []), place
        assert place - 5 in (made.places(data[5:], 0) or []), place


def test_a_match_shorter_than_what_is_looked_at_is_found_at_the_very_end(made: Sieve, every: Scanner) -> None:
    for tail in (b" NRAL", b"x-us1", b"@tcp(", b" a@b.de"):
        data = PROSE + tail
        begin = next(candidates(every, tail))
        assert len(PROSE) + begin in (made.places(data, 0) or [])


def test_a_word_does_not_begin_where_the_search_does(made: Sieve) -> None:
    data = b"x4111111111111111 4111111111111111"
    assert made.places(data, 1) == [18]
    assert made.openings.places(data, 1) == [18]


@pytest.mark.parametrize("bulk", [0, 10**9], ids=["with the sieve", "without"])
def test_hits_are_the_same_with_it(
    unbounded: None, monkeypatch: pytest.MonkeyPatch, bulk: int, every: Scanner
) -> None:
    monkeypatch.setattr(scanner, "BULK", bulk)
    sifted = Scanner([DETECTORS[name] for name in NAMES])
    sifted.prepare()
    said = [text.text.encode() for text in texts(VALUES, seed=9, each=1)][::4]
    for data in (b"\n".join(said), b"\0".join(said)):
        assert sifted.find(data) == every.find(data)
        assert sifted.find(data, 1_000) == every.find(data, 1_000)
        assert sifted.find_in_fields(data) == every.find_in_fields(data)
    assert sifted._sieve is not None
    assert (len(sifted._sieve._rows.states) > 2) is (bulk == 0)


@pytest.mark.parametrize(
    "pattern",
    [
        rb"[[:alpha:]]{4}",
        rb"[^[:digit:]x]y",
        rb"ab{,3}",
        rb"(?:abc)?",
        rb"\pLabc",
        rb"(?m:^a)b",
        rb"a(?i)b",
        b"(" * 900 + b"a" + b")" * 900,
    ],
)
def test_a_pattern_that_may_be_read_otherwise_is_not_read(pattern: bytes) -> None:
    with pytest.raises(Unreadable):
        Sieve([pattern])


def test_where_a_policys_own_pattern_is_not_understood_everything_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scanner, "BULK", 0)
    own = CustomDetector(name="ticket", pattern="TICKET-[[:digit:]]{4}", matches=("TICKET-1234",))
    found = Scanner([Detector(name="ticket", shapes=(custom.shape(own),))])
    found.prepare()
    assert found._sieve is None
    assert found.find(b"see TICKET-1234") == [(4, 15, "ticket")]
    assert not found.bare(b"see TICKET-1234")


def test_who_searches_much_gets_a_sieve(monkeypatch: pytest.MonkeyPatch, every: Scanner) -> None:
    monkeypatch.setattr(sift, "COMPILED", True)
    monkeypatch.setattr(scanner, "WORTH_A_SIEVE", 2 * len(PROSE))
    made: list[Thread] = []

    def thread(**told: Any) -> Thread:
        made.append(Thread(**told))
        return made[0]

    monkeypatch.setattr(scanner, "Thread", thread)
    busy = Scanner([DETECTORS[name] for name in NAMES])
    assert all(busy.bare(PROSE) for _ in range(2))
    assert not made
    assert all(busy.bare(PROSE) for _ in range(3))
    (once,) = made
    once.join()
    assert busy._sieve is not None
    for text in texts(VALUES, seed=2, each=1):
        data = text.text.encode()
        assert busy.bare(data) is (every._any.search(data) is None), data


def test_a_text_is_clear_only_where_nothing_begins(unbounded: None, every: Scanner) -> None:
    made = Sieve(PATTERNS)
    clear = 0
    for path in (VALUES, LOOKALIKES):
        for text in list(texts(path, seed=3, each=1))[::3]:
            data = text.text.encode()
            nothing = made.places(data, 0) == []
            assert made.empty(data) is nothing
            clear += nothing
    assert made.places(PROSE, 0) == []
    assert made.empty(PROSE)
    assert clear > 20


def test_what_is_not_worked_out_is_not_clear(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sieve, "ADVANCE", 0)
    made = Sieve(FEW)
    assert not made.empty(b"some words")
    assert made.places(b"some words", 0) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (rb"(?i:stra\xc3\x9fe)[0-9]", b"STRA\xc3\x9fE7"),
        (rb"(?i:[^a-c]x)1", b"zX1"),
        (rb"[^\s]{3}=", b"a\x0bb="),
        (rb"(?:a?b?){20}c", b"abababababababababc"),
        (rb"(?:x{80}y|z)q", b"x" * 80 + b"yq"),
        (rb"\B-\b", b" -x"),
        (rb"\bab|\b-", b"x-"),
        (rb".\x00.", b"x\x00y"),
        (rb"(?:(?i)ticket)[0-9]", b"TiCKET7"),
        (rb"(?:(?:ab)*c)+d", b"ccababcabcd"),
        (rb"(?:ab){2,}c", b"abababababababc"),
        (rb"x*\bab", b" ab"),
    ],
)
def test_what_it_reads_it_reads_wide_enough(unbounded: None, pattern: bytes, text: bytes) -> None:
    match = linear(pattern).search(text)
    assert match is not None
    made = Sieve([pattern])
    assert match.start() in (made.places(text, 0) or [])
    assert match.start() in (made.openings.places(text, 0) or [])


@pytest.mark.parametrize(
    "form", [rb"(?i:\x%02x)", rb"(?i:[\x%02xk])", rb"(?i:[^\x%02x])", rb"(?i:[\x%02x-\xff])"]
)
def test_case_is_of_ascii_alone(form: bytes) -> None:
    for byte in range(256):
        pattern = form % byte
        matched = {sign for sign in range(256) if linear(pattern).fullmatch(bytes([sign]))}
        taken = of_all(Beginnings([pattern]))
        assert taken >= matched, (pattern, matched - taken)
        beyond = {sign for sign in taken if sign > 0x7F}
        assert form.startswith(b"(?i:[^") or beyond == {sign for sign in matched if sign > 0x7F}, pattern


def of_all(net: Beginnings) -> set[int]:
    return {sign for place in net.first for sign in range(256) if net.signs[place] >> sign & 1}


def test_a_call_works_out_only_so_much_and_what_it_did_is_kept(
    alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sieve, "MOST_NEW", 8)
    found = Sieve(PATTERNS)
    data = PROSE[:42] + CARD
    tried = 0
    while (places := found.places(data, 0)) is None:
        tried += 1
        assert tried < 100
    assert tried > 1
    assert 42 in places


def test_what_is_worked_out_is_paid_for_by_what_went_through(
    alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sieve, "WORTH", 100)
    monkeypatch.setattr(sieve, "ADVANCE", 400)
    found = Sieve(PATTERNS)
    blanks = b" " * 1_000
    assert found.places(blanks, 0) == []
    assert [found.places(PROSE, 0) for _ in range(3)] == [None] * 3
    rows = len(found._rows.states)
    assert found.places(PROSE, 0) is None
    assert len(found._rows.states) - rows <= len(PROSE) // 800, "what is left pays for no more"
    for _ in range(200):
        assert found.places(blanks, 0) == []
        if (places := found.places(PROSE + CARD, 0)) is not None:
            break
    assert places is not None
    assert len(PROSE) in places


def test_a_table_with_too_many_rows_is_begun_anew(monkeypatch: pytest.MonkeyPatch, unbounded: None) -> None:
    monkeypatch.setattr(sieve, "MOST_ROWS", 20)
    found, fresh = Sieve(PATTERNS), Sieve(PATTERNS)
    assert found.places(PROSE, 0) is not None
    assert len(found._rows.states) >= 20
    data = b"0123456789" * 4 + b" " + CARD
    assert found.places(data, 0) == fresh.places(data, 0)
    assert found._rows.states == fresh._rows.states


def test_a_text_full_of_beginnings_is_left_to_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sieve, "MOST_NEW", sys.maxsize)
    assert Sieve(FEW).places((CARD + b" ") * 100, 0) is None


def test_whoever_comes_while_it_is_at_work_searches_instead() -> None:
    busy = Sieve(FEW)
    with busy._lock:
        assert busy.places(b" ", 0) is None
    assert busy.places(b" ", 0) == []


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.sampled_from([CARD, b" ", b"x", b"\0", b"password: ", b"jane@example.com", PROSE[:300]]),
        max_size=20,
    ),
    st.integers(0, 20),
)
def test_the_compiled_loop_and_its_source_agree(pieces: list[bytes], start: int) -> None:
    data = b"".join(pieces)
    told = []
    for module in (sift, PURE):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sieve, "sift", module)
            patch.setattr(openings, "sift", module)
            with without_bounds():
                made = Sieve(FEW)
                first = min(start, len(data))
                told.append(
                    (
                        made.empty(data),
                        made.places(data, first),
                        made.empty(data),
                        made.openings.places(data, first),
                        made.openings.places(data, first),
                    )
                )
    assert told[0] == told[1]


DRAWN = random.Random(7)
NEW = {
    "compressed": zlib.compress(DRAWN.randbytes(6_000)),
    "base64": base64.encodebytes(DRAWN.randbytes(6_000)),
    "base64 for addresses": base64.urlsafe_b64encode(DRAWN.randbytes(6_000)),
    "hexadecimal": DRAWN.randbytes(6_000).hex().encode(),
    "any sign": bytes(DRAWN.choices(range(32, 127), k=6_000)),
}
"""Texts that are like no other."""


@pytest.mark.parametrize("name", NEW)
def test_what_stands_amid_text_like_no_other_is_found(name: str, every: Scanner) -> None:
    sifted = Scanner([DETECTORS[each] for each in NAMES])
    sifted.prepare()
    assert sifted._sieve is not None
    middle = len(NEW[name]) // 2
    for value in (CARD, b"jane@example.com", b"password: Tr0ub4dor&3"):
        data = NEW[name][:middle] + b" " + value + b"\n" + NEW[name][middle:]
        found = sifted.find(data)
        assert found == every.find(data)
        assert any(middle <= start < middle + len(value) for start, _, _ in found)
        assert sifted.bare(data) is every.bare(data) is False


def test_of_many_new_beginnings_only_some_are_worked_out_and_the_others_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, every: Scanner
) -> None:
    monkeypatch.setattr(openings, "WORTH", sys.maxsize)
    monkeypatch.setattr(openings, "FEWEST", 8)
    monkeypatch.setattr(openings, "DENSE", 1)
    found = Sieve(PATTERNS)
    rows = len(found.openings._rows.states)
    places = found.openings.places(NEW["base64"] + CARD, 0)
    assert places is not None
    assert set(candidates(every, NEW["base64"] + CARD)) <= set(places)
    assert len(found.openings._rows.states) - rows <= 8


def test_where_something_may_begin_nearly_everywhere_all_is_searched() -> None:
    assert Sieve(FEW).openings.places((CARD + b" ") * 100, 0) is None


def test_openings_with_too_many_rows_are_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "MOST_ROWS", 20)
    monkeypatch.setattr(openings, "FEWEST", sys.maxsize)
    found, fresh = Sieve(PATTERNS), Sieve(PATTERNS)
    found.openings.places(NEW["base64"], 0)
    assert len(found.openings._rows.states) >= 20
    assert found.openings.places(PROSE + CARD, 0) == fresh.openings.places(PROSE + CARD, 0)
    assert found.openings._rows.states == fresh.openings._rows.states
