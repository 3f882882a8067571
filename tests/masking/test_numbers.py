"""Check digits, against numbers that issuers and standards publish as examples."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.masking import checksums, europe, overseas
from gateway.masking.detectors import expand
from gateway.masking.identifiers import IBAN_LENGTHS
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


ACCOUNTS = """
    AD1400080001001234567890 AE460090000000123456789 AL35202111090000000001234567 AT483200000012345864
    AZ77VTBA00000000001234567890 BA393385804800211234 BE71096123456769 BG80BNBG96611020345678
    BH02CITI00001077181611 BI1320001100010000123456789 BR1500000000000010932840814P2
    BY86AKBB10100000002966000000 CH5604835012345678009 CR23015108410026012345 CY21002001950000357001234567
    CZ5508000000001234567899 DE75512108001245126199 DJ2110002010010409943020008 DK9520000123456789
    DO22ACAU00000000000123456789 EE471000001020145685 EG800002000156789012345180002 ES7921000813610123456789
    FI1410093000123458 FK88SC123456789012 FO9264600123456789 FR7630006000011234567890189 GB33BUKB20201555555555
    GE60NB0000000123456789 GI56XAPO000001234567890 GL8964710123456789 GR9608100010000001234567890
    GT20AGRO00000000001234567890 HN88CABF00000000000250005469 HR1723600001101234565 HU93116000060000000012345676
    IE64IRCE92050112345678 IL170108000000012612345 IQ20CBIQ861800101010500 IS750001121234563108962099
    IT60X0542811101000000123456 JO71CBJO0000000000001234567890 KW81CBKU0000000000001234560101
    KZ244350000012344567 LB92000700000000123123456123 LC14BOSL123456789012345678901234 LI7408806123456789012
    LT601010012345678901 LU120010001234567891 LV97HABA0012345678910 LY38021001000000123456789
    MC5810096180790123456789085 MD21EX000000000001234567 ME25505000012345678951 MK07250120000058984
    MN580050099123456789 MR1300020001010000123456753 MT31MALT01100000000000000000123
    MU43BOMM0101123456789101000MUR NI45BAPR00000013000003558124 NL02ABNA0123456789 NO8330001234567
    OM040280000012345678901 PK36SCBL0000001123456702 PL10105000997603123456789123 PS92PALS000000000400123456702
    PT50002700000001234567833 QA54QNBA000000000000693123456 RO66BACX0000001234567890 RS35105008123123123173
    RU0204452560040702810412345678901 SA4420000001234567891234 SC74MCBL01031234567890123456USD
    SD8811123456789012 SE7280000810340009783242 SI56192001234567892 SK8975000000000012345671
    SM76P0854009812123456789123 SO061000001123123456789 ST23000200000289355710148 SV43ACAT00000000000000123123
    TL380010012345678910106 TN5904018104004942712345 TR320010009999901234567890 UA903052992990004149123456789
    VA59001123000012345678 VG21PACG0000000123456789 XK051212012345678906
"""
"""The examples of the IBAN registry (SWIFT), a country each."""


@pytest.mark.parametrize("account", ACCOUNTS.split())
def test_an_account_is_found_however_it_is_written(account: str) -> None:
    grouped = " ".join(account[at : at + 4] for at in range(0, len(account), 4))
    for written in (account, grouped, grouped.replace(" ", "-"), account.lower(), grouped.lower()):
        assert scanner(("iban",)).find(f"to {written}.".encode()) == [(3, 3 + len(written), "iban")], written


def test_nearly_every_country_has_an_example() -> None:
    assert IBAN_LENGTHS.keys() - {account[:2] for account in ACCOUNTS.split()} == {"YE"}
