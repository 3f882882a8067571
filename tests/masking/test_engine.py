"""Masks: what is united, what a column rule reaches, and what a masked text looks like."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.masking.checksums import luhn
from gateway.masking.engine import CompiledMask, Masks, UnknownMask
from gateway.masking.scrub import Scrubber
from gateway.masking.strategies import STRATEGIES, UnknownStrategy, strictest
from gateway.masking.tokens import tokenise
from gateway.model import Reveal
from gateway.policy.model import MaskPolicy

KEY = b"k" * 32
VALUES = st.sampled_from(
    [
        "jane.doe@example.com", "4111 1111 1111 1111", "378282246310005", "DE89 3704 0044 0532 0130 00", "123-45-6789",
        "+49 30 123456", "(555) 123-4567", "10.1.2.3", "2001:db8::1", "password=hunter2", '"password": "a b"',
        "postgres://u:p@h/d", "AKIAIOSFODNN7EXAMPLE", "Authorization: Bearer abcdef.123", "phone: 5551234567",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "Cookie: a=b; c=d\n", "élan@пример.рф", "x", "é", "42",
        " ", "\n", ", ", '"', "\\n", "_", ":", "=", "{", "}", "\t", "'", "@", ".", "-", "0", "+", "1", "token", "请",
    ]
)  # fmt: skip
TEXTS = st.lists(VALUES, max_size=14).map("".join)


def made(**policies: MaskPolicy) -> Masks:
    return Masks(policies, key=KEY)


def columns(*, except_: tuple[str, ...] = (), detect: tuple[str, ...] = (), **rules: str) -> MaskPolicy:
    named = {name.replace("__", ".").replace("any.", "*."): strategy for name, strategy in rules.items()}
    return MaskPolicy(name="m", detect=detect, columns=named, except_=except_)


@example(["phone: 5551234567", "2001:db8::1"], " ")
@given(st.lists(VALUES, max_size=8), st.sampled_from([" ", "\n", "\t", ", ", ";", '", "', "|"]))
def test_masking_twice_is_masking_once(mask: CompiledMask, values: list[str], between: str) -> None:
    once = mask.text(between.join(values))
    assert mask.text(once) == once


@given(TEXTS)
def test_hits_are_sorted_disjoint_and_inside(mask: CompiledMask, text: str) -> None:
    data = text.encode()
    at = 0
    for start, end, name in mask.find(data):
        assert at <= start < end <= len(data)
        assert name in mask.detectors
        data[start:end].decode()  # never a part of a character
        at = end


@given(
    st.recursive(
        st.one_of(TEXTS, st.integers(), st.just(4111111111111111)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: [value])
)
def test_json_stays_json(mask: CompiledMask, value: object) -> None:
    for text in (
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        json.dumps(value, separators=(",", ":")),
    ):
        json.loads(mask.text(text))


@given(st.binary(max_size=400))
def test_any_bytes_can_be_searched(mask: CompiledMask, data: bytes) -> None:
    mask.cover(data, mask.find(data))


def test_each_detector_shows_what_people_need_and_no_more(mask: CompiledMask) -> None:
    shown = {
        "jane@example.com": "****@example.com",
        "4111 1111 1111 1111": "**** **** **** 1111",
        "DE89 3704 0044 0532 0130 00": "DE** **** **** **** **30 00",
        "123-45-6789": "***-**-6789",
        "+49 30 1234567": "+49 ** *****67",
        "10.1.2.3": "10.1.*.*",
        "password=hunter2": "password=[redacted]",
        "postgres://u:p@h/d": "postgres://u:[redacted]@h/d",
        '{"card": 4111111111111111}': '{"card": 1111}',
        '{"pin": 123456}': '{"pin": 0}',
    }
    assert {text: mask.text(text) for text in shown} == shown


def test_a_pattern_reaches_a_column_however_much_of_its_name_is_known() -> None:
    mask = made(m=columns(any__ssn="redact", customers__name="partial", crm__people__mail="hash")).mask(["m"])
    assert mask.rule(["ssn"]) == "redact"
    assert mask.rule(["public.customers.ssn"]) == "redact"
    assert mask.rule(["customers.*"]) == "redact"
    assert mask.rule(["*"]) == "redact"
    assert mask.rule(["name"]) == "partial"
    assert mask.rule(["crm.customers.NAME"]) == "partial"
    assert mask.rule(["orders.name"]) is None
    assert mask.rule(["people.mail"]) == "hash"
    assert mask.rule(["hr.people.mail"]) is None
    assert mask.rule([]) is None


def test_a_label_is_compared_with_patterns_that_leave_the_table_open() -> None:
    mask = made(m=columns(any__ssn="redact", customers__name="partial")).mask(["m"])
    assert mask.rule(["orders.id"], label="SSN") == "redact"
    assert mask.rule(["orders.id"], label="name") is None


def test_an_exception_must_be_certain() -> None:
    mask = made(
        m=columns(any__name="redact", except_=("products.name", "*.nickname"), detect=("email",))
    ).mask(["m"])
    assert mask.rule(["products.name"]) is None
    assert mask.rule(["shop.products.name"]) is None
    assert mask.rule(["name"]) == "redact"
    assert mask.rule(["products.name", "customers.name"]) == "redact"
    assert mask.spares(["a.nickname"])
    assert mask.spares(["nickname"])
    assert not mask.spares(["nick*"])
    assert not mask.spares(["a.nickname", "a.other"])


def test_masks_united_are_as_strict_as_the_strictest() -> None:
    masks = made(
        a=columns(any__ssn="partial", detect=("email",), except_=("*.mail",)),
        b=columns(any__ssn="null", detect=("phone",)),
    )
    both = masks.mask(["a", "b"])
    assert both.rule(["ssn"]) == "null"
    assert set(both.detectors) == {"email", "phone"}
    assert not both.spares(["x.mail"]), "the other mask does not make this exception"
    assert masks.mask(["b", "a"]) is both


def test_no_mask_hides_nothing_and_an_unknown_one_is_an_error() -> None:
    masks = made(m=columns(detect=("email",)))
    nothing = masks.mask(())
    assert nothing.empty
    assert not nothing.detects
    assert nothing.text("a@example.com") == "a@example.com"
    with pytest.raises(UnknownMask, match="no mask other"):
        masks.mask(["m", "other"])
    with pytest.raises(UnknownStrategy, match="no strategy 'blur'"):
        made(m=columns(any__ssn="blur"))


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@given(value=st.text(min_size=1, max_size=40))
def test_a_replacement_can_stand_wherever_the_value_stood(
    mask: CompiledMask, strategy: str, value: str
) -> None:
    hidden = mask.replace(value, strategy=strategy)
    assert hidden == mask.replace(value, strategy=strategy)
    assert not set(hidden) & set("\"'\\,{}()\t\n\r\0")


def test_a_fingerprint_is_stable_under_one_key_and_different_under_another() -> None:
    one, other = (Masks({}, key=key).mask(()) for key in (b"a" * 32, b"b" * 32))
    assert one.replace("x", strategy="hash") == one.replace("x", strategy="hash")
    assert one.replace("x", strategy="hash") != one.replace("y", strategy="hash")
    assert one.replace("x", strategy="hash") != other.replace("x", strategy="hash")


@given(st.text(max_size=40))
def test_a_stand_in_keeps_the_form(value: str) -> None:
    stand_in = tokenise(value, KEY)
    assert len(stand_in) == len(value)
    for old, new in zip(value, stand_in, strict=True):
        if old.isalnum():
            assert new.isascii()
            assert (old.isdecimal(), old.isupper()) == (new.isdecimal(), new.isupper())
        else:
            assert new == old


@pytest.mark.parametrize("form", ["{:03d}", "A{:03d}-x", "{:d}", "0{:02d}/7"])
def test_no_two_values_of_a_form_share_a_stand_in(form: str) -> None:
    values = [form.format(number) for number in range(1000)]
    assert len({tokenise(value, KEY) for value in values}) == len(set(values))
    assert [tokenise(value, KEY) for value in values] != [tokenise(value, b"other") for value in values]


def test_a_number_keeps_its_width() -> None:
    for number in range(1, 3000, 7):
        assert len(str(int(tokenise(str(number), KEY)))) == len(str(number))


@given(st.integers(0, 10**9))
def test_no_stand_in_passes_for_a_card(number: int) -> None:
    start = f"411111{number:09d}"
    card = next(start + digit for digit in "0123456789" if luhn(start + digit))
    for written in (card, " ".join(card[at : at + 4] for at in range(0, 16, 4)), start + "0"):
        digits = tokenise(written, KEY).replace(" ", "")
        assert not luhn(digits)


def test_a_long_value_is_no_slower_than_it_is_long() -> None:
    assert len(tokenise("x" * 100_000, KEY)) == 100_000


def test_partial_recognises_what_a_column_holds(mask: CompiledMask) -> None:
    assert mask.replace("jane@example.com", strategy="partial") == "****@example.com"
    assert mask.replace("4111111111111111", strategy="partial") == "************1111"
    assert mask.replace("Jane Doe", strategy="partial") == "**** *oe"
    assert mask.replace("ab", strategy="partial") == "**"


def test_the_strictest_is_the_one_that_shows_least() -> None:
    assert strictest(["partial", "hash", "redact"]) == "redact"
    assert strictest(STRATEGIES) == "null"
    assert strictest([]) is None


def test_a_scrubber_hides_secrets_always_and_personal_data_as_the_policy_says() -> None:
    scrubber = Scrubber(made(m=columns(detect=("email",))))
    assert scrubber.text("SELECT 1") == ("SELECT 1", False)
    assert scrubber.text("ALTER ROLE x PASSWORD 'abc1'") == ("ALTER ROLE x PASSWORD '[redacted]'", True)
    assert scrubber.text("WHERE mail = 'jane@example.com'") == ("WHERE mail = '****@example.com'", True)
    assert scrubber.text("call +14155552671") == ("call +14155552671", False)
    assert scrubber.text("lone \ud800 surrogate jane@x.com")[1]


def test_detectors_can_be_left_out_of_a_group_for_that_mask_alone() -> None:
    masks = made(
        a=MaskPolicy(name="a", detect=("secrets",), except_detect=("jwt", "cookie")),
        b=MaskPolicy(name="b", detect=("email", "phone"), except_detect=("phone",)),
        c=MaskPolicy(name="c", detect=("jwt",)),
    )
    assert {"jwt", "cookie"} & set(masks.mask(["a"]).detectors) == set()
    assert "password" in masks.mask(["a"]).detectors
    assert masks.mask(["b"]).detectors == ("email",)
    assert "jwt" in masks.mask(["a", "c"]).detectors, "the other mask does without nothing"
    assert "jwt" in masks.everything().detectors, (
        "secrets are hidden from people whatever a mask does without"
    )
    assert "phone" not in masks.everything().detectors


def test_where_lengths_are_kept_nothing_moves() -> None:
    kept = made(m=MaskPolicy(name="m", detect=("email", "secrets"), keep_length=True)).mask(["m"])
    line = "jane@example.com   password=hunter2  END"
    assert kept.text(line) == "****@example.com   password=*******  END"
    for strategy in STRATEGIES:
        for value in ("x", "Jane Doe", "a" * 60, ""):
            assert len(kept.replace(value, strategy=strategy)) == len(value)


def test_a_scrubber_that_fails_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scrubber = Scrubber(made(m=columns(detect=("email",))))

    def broken(self: CompiledMask, value: str) -> str:
        raise RuntimeError(value)

    monkeypatch.setattr(CompiledMask, "text", broken)
    assert scrubber.text("WHERE mail = 'jane@example.com'") == ("[redacted]", True)


def revealing(policy: MaskPolicy, **reveal: tuple[str, ...]) -> tuple[CompiledMask, CompiledMask]:
    """The mask as it is, and with something left alone."""
    masks = made(m=policy, other=MaskPolicy(name="other", columns={"*.ssn": "redact"}))
    return masks.mask(("m", "other")), masks.mask(("m", "other"), Reveal(**reveal))


def test_a_reveal_leaves_its_columns_and_detectors_alone_and_no_others() -> None:
    policy = columns(detect=("email", "phone"), any__name="partial", any__email="redact")
    plain, shown = revealing(policy, columns=("customers.name",), detect=("phone",))
    assert plain.rule(["customers.name"]) == "partial"
    assert shown.rule(["customers.name"]) is None
    assert shown.spares(["customers.name"])
    for column in ("staff.name", "customers.email", "customers.ssn"):
        assert shown.rule([column]) == plain.rule([column])
        assert not shown.spares([column])
    assert shown.find(b"call +49 30 1234567 now") == []
    assert plain.find(b"call +49 30 1234567 now") != []
    assert shown.find(b"ada@example.com") == plain.find(b"ada@example.com") != []


def test_a_column_that_may_be_another_stays_hidden() -> None:
    _, shown = revealing(columns(any__name="redact"), columns=("customers.name",))
    assert shown.rule(["customers.name", "staff.name"]) == "redact"
    assert shown.rule(["name"]) == "redact"


def test_a_path_is_left_alone_as_the_mask_names_it() -> None:
    policy = MaskPolicy(name="m", columns={"$.token": "redact", "$.email": "redact"})
    plain, shown = revealing(policy, columns=("$.token",))
    assert len(plain.paths(["orders.payload"])) == 2
    assert len(shown.paths(["orders.payload"])) == 1
