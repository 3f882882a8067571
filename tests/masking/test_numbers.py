"""Check digits, against numbers that issuers and standards publish as examples."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.masking import checksums, europe, overseas
from gateway.masking.detectors import expand
from gateway.masking.scanner import scanner
from gateway.masking.vat import is_vat

EXAMPLES: list[tuple[checksums.Valid, str]] = [
    (checksums.luhn, "79927398713"),
    (checksums.verhoeff, "2363"),
    (europe.es_dni, "12345678Z"),
    (europe.es_dni, "X1234567L"),
    (europe.es_cif, "B58378431"),
    (europe.fr_nir, "255081416802538"),
    (europe.de_steuer_id, "86095742719"),
    (europe.it_codice, "RSSMRA85T10A562S"),
    (europe.nl_bsn, "111222333"),
    (europe.pl_pesel, "44051401359"),
    (europe.pl_nip, "8567346215"),
    (europe.se_personal, "8112289874"),
    (europe.no_personal, "01010750160"),
    (europe.fi_hetu, "131052-308T"),
    (overseas.br_cpf, "52998224725"),
    (overseas.br_cnpj, "11222333000181"),
    (overseas.in_aadhaar, "234123412346"),
    (overseas.in_gst, "27AAPFU0939F1ZV"),
    (overseas.ca_sin, "046454286"),
    (overseas.au_tfn, "123456782"),
    (overseas.au_abn, "51824753556"),
    (europe.gb_nhs, "9434765919"),
    (europe.gb_utr, "1955839661"),
    (overseas.cn_resident, "11010519491231002X"),
    (overseas.jp_my_number, "123456789018"),
    (overseas.tw_id, "A123456789"),
    (overseas.sg_nric, "S1234567D"),
    (overseas.hk_id, "A1234563"),
    (overseas.za_id, "8001015009087"),
    (overseas.mx_curp, "HEGG560427MVZRRL04"),
    (overseas.cl_rut, "123456785"),
    (europe.tr_id, "10000000146"),
    (europe.ch_ahv, "7569217076985"),
    (europe.pt_nif, "501964843"),
    (europe.ie_pps, "6433435F"),
    (europe.cz_birth, "7103192745"),
    (europe.ro_cnp, "1800101221144"),
    (europe.hr_oib, "33392005961"),
    (overseas.us_routing, "021000021"),
    (overseas.mx_clabe, "032180000118359719"),
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
    valid: checksums.Valid, number: str
) -> None:
    assert valid(number)
    at = 0 if valid is europe.gb_utr else len(number) - 1
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
    hits = scanner(expand(("secrets", "personal", "ip"))).find(text)
    assert all(0 <= start < end <= len(text) for start, end, _ in hits)
