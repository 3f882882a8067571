"""Names and postal addresses, by the model itself."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from gateway.masking import names
from gateway.masking.detectors import READ, expand
from gateway.masking.engine import CompiledMask, Masks
from gateway.masking.passages import LONGEST_PASSAGE, beside, passages
from gateway.masking.stream import StreamMask
from gateway.policy.file import PolicyFileError, parse
from gateway.policy.model import MaskPolicy
from gateway.protocols.column_rules import ColumnRule
from gateway.protocols.postgres.messages import Column
from gateway.protocols.postgres.results import ResultMask
from gateway.vocabulary import known
from tests.wires_masking.conftest import row

FOUND = {
    "Jane Doe": ["person_name: Jane Doe"],
    "assigned to Yuki Tanaka": ["person_name: Yuki Tanaka"],
    "The meeting with Priya Raghunathan and Tom O'Brien is at 5pm": [
        "person_name: Priya Raghunathan",
        "person_name: Tom O'Brien",
    ],
    '{"first_name": "Anna", "last_name": "Kowalska"}': ["person_name: Anna", "person_name: Kowalska"],
    "I live at 42 Maple Street, Springfield, IL 62704.": [
        "postal_address: 42 Maple Street, Springfield, IL 62704"
    ],
    "Müllerstraße 17, 13353 Berlin": ["postal_address: Müllerstraße 17, 13353 Berlin"],
    "15 rue de la Paix, 75002 Paris": ["postal_address: 15 rue de la Paix, 75002 Paris"],
    "Hans-Peter Schmidt <hp@example.com>": ["person_name: Hans-Peter Schmidt", "email: hp@example.com"],
}
LEFT = [
    "shipped",
    "Deploy web-1 to Kubernetes failed: ImagePullBackOff",
    "SELECT id, status FROM orders WHERE id = 7",
    "Paris is nice in May",
    "Monday, Tuesday and Friday",
    "Windows Server 2019 Standard",
    "java.lang.NullPointerException at com.example.Foo",
    "GET /users/42 HTTP/1.1",
    "the quick brown fox jumps over a lazy dog",
]
TEXT = (
    "Dear Mr. Thompson,\n"
    "your parcel goes to 12 High Street, Leeds LS1 4AP. Write to help@example.com if that is wrong, or ask "
    + "about it, " * 45
    + "for Sven Andersson.\nSincerely, Aisha Al-Farsi"
).encode()


def mask(*detect: str, **more: object) -> CompiledMask:
    policy = MaskPolicy(name="m", detect=detect or ("person_name", "postal_address", "email"))
    return CompiledMask([replace(policy, **more)], key=bytes(32))


@pytest.mark.parametrize("text", FOUND)
def test_names_and_addresses_are_found_whole(text: str) -> None:
    data = text.encode()
    assert [f"{name}: {data[start:end].decode()}" for start, end, name in mask().find(data)] == FOUND[text]


@pytest.mark.parametrize("text", LEFT)
def test_what_names_nobody_is_left(text: str) -> None:
    assert mask().text(text) == text


def test_they_keep_their_form() -> None:
    shown = mask().text("for Tom O'Brien, 42 Maple Street, Springfield, IL 62704")
    assert shown == "for *** *'*****, ** ***** ******, ***********, ** *****"


def test_what_a_policy_does_not_ask_for_is_not_looked_for() -> None:
    assert mask("postal_address").text("Jane Doe") == "Jane Doe"
    assert not READ & set(expand(["personal", "secrets"]))


def test_a_name_is_hidden_whatever_the_cuts() -> None:
    whole = mask().cover(TEXT, mask().find(TEXT))
    assert b"Thompson" not in whole
    assert b"Andersson" not in whole
    assert b"Leeds" not in whole
    for cut in range(len(TEXT)):
        stream = StreamMask(mask())
        assert stream.feed(TEXT[:cut]) + stream.feed(TEXT[cut:]) + stream.close() == whole
    stream = StreamMask(mask())
    given = b"".join(stream.feed(TEXT[at : at + 1]) for at in range(len(TEXT)))
    assert given + stream.close() == whole


def test_a_line_appears_when_it_ends_and_a_prompt_when_the_other_side_waits() -> None:
    stream = StreamMask(mask())
    assert stream.feed(b"to Jane Doe\n$ ") == b"to **** ***\n"
    assert stream.flush() == b"$ "
    assert stream.feed(b"ls\nSven Andersson\n") == b"ls\n**** *********\n"


def test_passages_end_with_lines_and_fields_and_at_blanks() -> None:
    data = b"one\0two\r\n" + b"word " * 200
    parts = [data[start:end] for start, end, _ in passages(data, 0)]
    assert parts[:3] == [b"one", b"two", b""]
    assert all(part.endswith(b" ") and len(part) <= LONGEST_PASSAGE for part in parts[3:])
    assert b"".join(parts[3:]) == b"word " * 200


def test_what_patterns_find_comes_first() -> None:
    assert beside([(4, 6, "email")], [(2, 9, "person_name")]) == [
        (2, 4, "person_name"),
        (4, 6, "email"),
        (6, 9, "person_name"),
    ]


def test_rows_are_searched_field_by_field() -> None:
    columns = [Column("id", 0, 0, 23, 0), Column("note", 0, 0, 25, 0)]
    result = ResultMask(columns, [ColumnRule()] * 2, mask())
    assert result.rows(row(b"7", b"ask Jane Doe")) == row(b"7", b"ask **** ***")
    assert result.masked == {"person_name": 1}


def test_more_than_can_be_read_in_time_is_an_error() -> None:
    text = "\n".join(f"Number {number} of many lines that somebody has to read" for number in range(1000))
    with pytest.raises(names.TooMuchToRead):
        mask().text(text)


def test_bytes_that_are_no_text_are_read_around() -> None:
    assert mask().cover(b"\xff Jane Doe \xfe", mask().find(b"\xff Jane Doe \xfe")) == b"\xff **** *** \xfe"


def test_what_is_no_text_is_not_read() -> None:
    noise = random.Random(7).randbytes(200_000)
    assert mask("person_name").find(noise) == []


def test_cards_and_logs_go_without_the_model() -> None:
    masks = Masks({"m": MaskPolicy(name="m", detect=("person_name", "email"))}, key=bytes(32))
    assert not masks.everything().reads
    assert "email" in masks.everything().detectors


def test_check_says_what_installs_the_engine() -> None:
    without = replace(known(), uninstalled=dict.fromkeys(READ, names.INSTALL))
    with pytest.raises(PolicyFileError, match=r"person_name.*pip install 'countersign\[names\]'"):
        parse("masks: {pii: {detect: [person_name]}}", "p.yaml", without)
    assert known().uninstalled == {}
