"""Detectors that a policy makes, from the file to the masked text."""

from __future__ import annotations

import pytest

from gateway.masking.custom import VALIDATORS
from gateway.masking.engine import Masks
from gateway.masking.stream import StreamMask
from gateway.policy.file import PolicyFileError, parse
from gateway.vocabulary import known

POLICY = """
connections:
  orders:
    protocol: postgres
    listen: 127.0.0.1:15432
    upstream: postgresql://127.0.0.1/orders
    credential: {{user: gateway, password: env:ORDERS_PASSWORD}}
groups:
  dba: {{members: [ana@example.com]}}
default: block
rules:
  - {{name: reads, when: {{effects: [read]}}, then: {{allow: true, mask: pii}}}}
detectors:
  staff_id:
    {detector}
masks:
  pii: {{detect: [staff_id, email]}}
"""
GOOD = "{pattern: 'EMP-[0-9]{6}', matches: ['EMP-123456'], misses: ['EMP-12', 'XEMP-123456']}"


def masked(detector: str, text: str) -> str:
    policy = parse(POLICY.format(detector=detector), "policies.yaml", known())
    return Masks(policy.masks, key=bytes(32)).mask(["pii"]).text(text)


def faults(detector: str) -> list[str]:
    with pytest.raises(PolicyFileError) as refused:
        parse(POLICY.format(detector=detector), "policies.yaml", known())
    return [str(fault) for fault in refused.value.errors]


def test_what_the_pattern_finds_is_hidden_where_nothing_goes_on_with_it() -> None:
    assert masked(GOOD, "EMP-123456, a@b.co and EMP-1234567 of XEMP-123456") == (
        "[redacted], *@b.co and EMP-1234567 of XEMP-123456"
    )


def test_a_validator_decides_on_what_the_pattern_finds() -> None:
    detector = (
        "{pattern: '[0-9]{4}-?[0-9]{4}', validator: luhn, matches: ['1234-5674'], misses: ['1234-5678']}"
    )
    assert masked(detector, "12345674 12345675") == "[redacted] 12345675"


@pytest.mark.parametrize("validator", sorted(VALIDATORS))
def test_no_validator_fails_on_letters_or_on_few_signs(validator: str) -> None:
    detector = f"{{pattern: '[A-Za-z0-9]+', validator: {validator}, matches: ['x'], misses: ['ab cd']}}"
    assert any("nothing is found in `x`" in fault for fault in faults(detector))


def test_one_of_its_words_must_stand_before_a_value() -> None:
    detector = "{pattern: '[0-9]{7}', words: [mrn, patient id], matches: ['MRN: 1234567'], misses: ['order 1234567']}"
    assert masked(detector, "mrn 1234567 patient_id=7654321 order 1112223") == (
        "mrn [redacted] patient_id=[redacted] order 1112223"
    )


def test_a_value_that_arrives_in_pieces_is_found() -> None:
    policy = parse(POLICY.format(detector=GOOD), "policies.yaml", known())
    text = b"id EMP-123456 of EMP-654321\n"
    for cut in range(len(text)):
        stream = StreamMask(Masks(policy.masks, key=bytes(32)).mask(["pii"]))
        assert (
            stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.close()
            == b"id [redacted] of [redacted]\n"
        )


def test_two_policies_may_mean_different_things_by_one_name() -> None:
    assert masked(GOOD, "EMP-123456") == "[redacted]"
    assert masked("{pattern: 'P[0-9]{3}', matches: [P123]}", "EMP-123456 P123") == "EMP-123456 [redacted]"


@pytest.mark.parametrize(
    ("detector", "fault"),
    [
        ("{pattern: 'a(', matches: [a]}", "15:15: detectors.staff_id.pattern: this is no pattern of RE2"),
        ("{pattern: 'x*', matches: [x]}", "15:15: detectors.staff_id.pattern: this pattern finds nothing everywhere"),
        ("{pattern: '^x1', matches: [x1]}", "leave out `^` and `$`"),
        ("{pattern: 'x1', matches: [x1, y1]}", "15:35: detectors.staff_id.matches[1]: nothing is found in `y1`"),
        ("{pattern: 'x1', matches: [x1], misses: [y, x1]}", "15:48: detectors.staff_id.misses[1]: something is found"),
        ("{pattern: 'x1', validator: lunh, matches: [x1]}", "did you mean `luhn`?"),
        ("{pattern: 'x1'}", "`matches` is missing"),
        ("{pattern: 'a b', matches: ['a b']}", "nothing is found in `a b`, although something must: a value has no blanks"),
        ("{pattern: '(x+x+)+$', matches: [xxx]}", "is found alone, but not within other text"),
        ("{pattern: 'x.+', matches: [x1]}", "what goes on over blanks"),
        (r"{pattern: '(x)\1', matches: [xx]}", "15:15: detectors.staff_id.pattern: this is no pattern of RE2: invalid escape"),
        ("{pattern: '(?=x)x', matches: [x]}", "15:15: detectors.staff_id.pattern: this is no pattern of RE2: invalid perl operator"),
        ("{pattern: '(?:[a-z]{999}){999}', matches: [x]}", "15:15: detectors.staff_id.pattern: this is no pattern of RE2"),
        ("{pattern: '[0-9]{4}', validator: luhn, matches: ['1234']}", "15:54: detectors.staff_id.matches[0]: nothing is found in `1234`, although something must: `luhn` turns down"),
        ("{pattern: '[0-9]{4}', words: [staff], matches: ['1234']}", "none of its words (staff) stands before"),
        ("{pattern: '[0-9]{4}', matches: ['12345']}", "letters or digits go on"),
        ("{pattern: '[0-9]{4}', matches: [abc]}", "the pattern does not match there"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_detector_is_said_with_its_place(detector: str, fault: str) -> None:
    assert any(fault in each for each in faults(detector)), faults(detector)


@pytest.mark.parametrize("name", ["email", "secrets", "Staff"])
def test_a_name_that_is_taken_or_none_is_refused(name: str) -> None:
    text = POLICY.format(detector=GOOD).replace("staff_id", name)
    with pytest.raises(PolicyFileError, match=r"there is a detector|cannot name a detector"):
        parse(text, "policies.yaml", known())
