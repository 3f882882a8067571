"""Check digits, against numbers that issuers and standards publish as examples."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.masking import checksums as check
from gateway.masking.detectors import DETECTORS
from gateway.masking.scanner import scanner
from gateway.masking.vat import is_vat

EXAMPLES: list[tuple[check.Valid, str]] = [
    (check.luhn, "79927398713"),
    (check.verhoeff, "2363"),
    (check.es_dni, "12345678Z"),
    (check.es_dni, "X1234567L"),
    (check.es_cif, "B58378431"),
    (check.fr_nir, "255081416802538"),
    (check.de_steuer_id, "86095742719"),
    (check.it_codice, "RSSMRA85T10A562S"),
    (check.nl_bsn, "111222333"),
    (check.pl_pesel, "44051401359"),
    (check.pl_nip, "8567346215"),
    (check.se_personal, "8112289874"),
    (check.no_personal, "01010750160"),
    (check.fi_hetu, "131052-308T"),
    (check.br_cpf, "52998224725"),
    (check.br_cnpj, "11222333000181"),
    (check.in_aadhaar, "234123412346"),
    (check.in_gst, "27AAPFU0939F1ZV"),
    (check.ca_sin, "046454286"),
    (check.au_tfn, "123456782"),
    (check.au_abn, "51824753556"),
    (check.gb_nhs, "9434765919"),
    (check.gb_utr, "1955839661"),
    (check.cn_resident, "11010519491231002X"),
    (check.jp_my_number, "123456789018"),
    (check.tw_id, "A123456789"),
    (check.sg_nric, "S1234567D"),
    (check.hk_id, "A1234563"),
    (check.za_id, "8001015009087"),
    (check.mx_curp, "HEGG560427MVZRRL04"),
    (check.cl_rut, "123456785"),
    (check.tr_id, "10000000146"),
    (check.ch_ahv, "7569217076985"),
    (check.pt_nif, "501964843"),
    (check.ie_pps, "6433435F"),
    (check.cz_birth, "7103192745"),
    (check.ro_cnp, "1800101221144"),
    (check.hr_oib, "33392005961"),
    (check.us_routing, "021000021"),
    (check.mx_clabe, "032180000118359719"),
]
VAT = [
    "ATU13585627",
    "BE0428759497",
    "DE136695976",
    "DK13585628",
    "EE100931558",
    "EL094259216",
    "ESB58378431",
    "FI20774740",
    "FR40303265045",
    "GB980780684",
    "HR33392005961",
    "HU12892312",
    "IE6433435F",
    "IT00743110157",
    "LU15027442",
    "MT11679112",
    "NL004495445B01",
    "NO995525828MVA",
    "PL8567346215",
    "PT501964843",
    "RO18547290",
    "SE123456789701",
    "SI50223054",
    "SK2022749619",
    "CHE107787577IVA",
    "NL123456789B13",
]


@pytest.mark.parametrize(("valid", "number"), EXAMPLES, ids=lambda value: getattr(value, "__name__", value))
def test_a_published_number_is_valid_and_no_longer_with_another_check_sign(
    valid: check.Valid, number: str
) -> None:
    assert valid(number)
    at = 0 if valid is check.gb_utr else len(number) - 1
    others = "0123456789" if number[at].isdigit() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    wrong = [number[:at] + other + number[at + 1 :] for other in others if other != number[at]]
    assert sum(valid(each) for each in wrong) <= 1


@pytest.mark.parametrize("number", VAT)
def test_a_vat_number_has_its_countrys_form_and_check(number: str) -> None:
    assert is_vat(number)
    digit = next(at for at, sign in enumerate(number) if sign.isdigit())
    others = [
        number[:digit] + other + number[digit + 1 :] for other in "0123456789" if other != number[digit]
    ]
    assert sum(map(is_vat, others)) <= 1


WORDS = st.sampled_from(
    [
        "VAT: ",
        "NIF: ",
        "dni ",
        "passport no. ",
        "account number ",
        "BSN ",
        "SIN: ",
        "routing ",
        "vat id DE",
        "CHE-",
        "tax id: ",
        "codice fiscale ",
        "IBAN ",
        "card ",
        "-",
        ".",
        " ",
        "\n",
        "/",
    ]
)
SIGNS = st.text("0123456789ABCXYZabc-. /", max_size=14)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(WORDS, SIGNS), max_size=8))
def test_no_check_fails_whatever_stands_behind_its_word(parts: list[tuple[str, str]]) -> None:
    text = "".join(word + signs for word, signs in parts).encode()
    hits = scanner(tuple(DETECTORS)).find(text)
    assert all(0 <= start < end <= len(text) for start, end, _ in hits)
