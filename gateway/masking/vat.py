"""VAT numbers of the European Union, the United Kingdom, Switzerland and Norway: the country's form, and its check digits.

Where a country's check is a number's that people have as well (NIF, OIB, PPS, ...), that check is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gateway.masking import checksums, europe


def _weighted(weights: tuple[int, ...], modulus: int, wanted: Callable[[int], int]) -> Callable[[str], bool]:
    def valid(number: str) -> bool:
        total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
        return wanted(total % modulus) == int(number[len(weights) :])

    return valid


def _at(number: str) -> bool:
    total = sum(
        int(digit) if at % 2 == 0 else sum(divmod(2 * int(digit), 10)) for at, digit in enumerate(number[1:8])
    )
    return (96 - total) % 10 == int(number[8])


def _be(number: str) -> bool:
    number = number.zfill(10)
    return 97 - int(number[:8]) % 97 == int(number[8:])


def _fr(number: str) -> bool:
    return not number[:2].isdigit() or (12 + 3 * (int(number[2:]) % 97)) % 97 == int(number[:2])


def _gb(number: str) -> bool:
    total = sum(
        int(digit) * weight for digit, weight in zip(number, (8, 7, 6, 5, 4, 3, 2, 10, 1), strict=False)
    )
    return total % 97 in {0, 42}


def _it(number: str) -> bool:
    return checksums.luhn(number)


def _nl(number: str) -> bool:
    """Since 2020 sole traders have numbers whose check is mod 97 over the whole."""
    return europe.nl_bsn(number[:9]) or checksums.mod_97("NL" + number)


def _pl(number: str) -> bool:
    return europe.pl_nip(number)


def _se(number: str) -> bool:
    return checksums.luhn(number[:10]) and number.endswith("01")


def _eleven(rest: int) -> int:
    return (11 - rest) % 11 % 10


_FORMS: Mapping[str, tuple[str, Callable[[str], bool] | None]] = {
    "AT": (r"U\d{8}", _at),
    "BE": (r"[01]?\d{9}", _be),
    "BG": (r"\d{9,10}", None),
    "CHE": (r"\d{9}(?:MWST|TVA|IVA)?", lambda number: _weighted((5, 4, 3, 2, 7, 6, 5, 4), 11, _eleven)(number[:9])),
    "CY": (r"\d{8}[A-Z]", None),
    "CZ": (r"\d{8,10}", None),
    "DE": (r"[1-9]\d{8}", checksums.mod_11_10),
    "DK": (r"[1-9]\d{7}", lambda number: sum(int(d) * w for d, w in zip(number, (2, 7, 6, 5, 4, 3, 2, 1), strict=True)) % 11 == 0),
    "EE": (r"10\d{7}", _weighted((3, 7, 1, 3, 7, 1, 3, 7), 10, lambda rest: -rest % 10)),
    "EL": (r"\d{9}", _weighted((256, 128, 64, 32, 16, 8, 4, 2), 11, lambda rest: rest % 10)),
    "ES": (r"[A-Z0-9]\d{7}[A-Z0-9]", lambda number: europe.es_dni(number) or europe.es_cif(number)),
    "FI": (r"\d{8}", _weighted((7, 9, 10, 5, 8, 4, 2), 11, lambda rest: 11 - rest if rest else 0)),
    "FR": (r"[A-HJ-NP-Z0-9]{2}\d{9}", _fr),
    "GB": (r"\d{9}(?:\d{3})?|GD[0-4]\d\d|HA[5-9]\d\d", lambda number: not number.isdigit() or _gb(number)),
    "HR": (r"\d{11}", europe.hr_oib),
    "HU": (r"\d{8}", _weighted((9, 7, 3, 1, 9, 7, 3), 10, lambda rest: -rest % 10)),
    "IE": (r"\d{7}[A-W][A-IW]?|\d[A-Z+*]\d{5}[A-W]", lambda number: not number[:7].isdigit() or europe.ie_pps(number)),
    "IT": (r"\d{11}", _it),
    "LT": (r"\d{9}|\d{12}", None),
    "LU": (r"\d{8}", lambda number: int(number[:6]) % 89 == int(number[6:])),
    "LV": (r"\d{11}", None),
    "MT": (r"\d{8}", lambda number: 37 - sum(int(d) * w for d, w in zip(number, (3, 4, 6, 7, 8, 9), strict=False)) % 37 == int(number[6:])),
    "NL": (r"\d{9}B\d{2}", _nl),
    "NO": (r"\d{9}(?:MVA)?", lambda number: _weighted((3, 2, 7, 6, 5, 4, 3, 2), 11, lambda rest: (11 - rest) % 11)(number[:9])),
    "PL": (r"\d{10}", _pl),
    "PT": (r"\d{9}", europe.pt_nif),
    "RO": (r"\d{2,10}", lambda number: sum(int(d) * w for d, w in zip(number[:-1].zfill(9), (7, 5, 3, 2, 1, 7, 5, 3, 2), strict=True)) * 10 % 11 % 10 == int(number[-1])),
    "SE": (r"\d{12}", _se),
    "SI": (r"[1-9]\d{7}", _weighted((8, 7, 6, 5, 4, 3, 2), 11, _eleven)),
    "SK": (r"[1-9]\d{9}", lambda number: int(number) % 11 == 0),
}  # fmt: skip
"""Country -> the form behind its letters, and the check, where one is published."""


def is_vat(number: str) -> bool:
    """Whether this, without separators and in capitals, has its country's form and check digits."""
    return any(
        valid is None or valid(number.removeprefix(country))
        for country, (form, valid) in _FORMS.items()
        if _has_form(number, country, form)
    )


def may_be_vat(number: str) -> bool:
    """Behind a word that says so: a country's form is enough, and an Italian number may stand without its country."""
    if len(number) == 11 and number.isdigit():
        return _it(number)
    return any(_has_form(number, country, form) for country, (form, _) in _FORMS.items())


def _has_form(number: str, country: str, form: str) -> bool:
    return number.startswith(country) and re.fullmatch(form, number[len(country) :]) is not None
