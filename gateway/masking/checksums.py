"""Check digits of identity and tax numbers, as their issuers publish them.

Every function takes the number without separators, letters in capitals, and says whether it can have been issued:
its length, the day of birth where it has one, and its check digits. None of them looks anything up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

_TABLE = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_TURNS = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(number: str) -> bool:
    """Whether the last of these digits is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    if not number.isdigit():
        return False
    values = [ord(digit) - 48 for digit in reversed(number)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


def verhoeff(number: str) -> bool:
    """The dihedral check of Verhoeff (1969), by the multiplication table of D5."""
    rest = 0
    for at, digit in enumerate(reversed(number)):
        rest = _TABLE[rest][_TURNS[at % 8][int(digit)]]
    return rest == 0


def mod_97(account: str) -> bool:
    """ISO/IEC 7064 MOD 97-10 over letters and digits: the remainder is one."""
    return int("".join(str(int(sign, 36)) for sign in account)) % 97 == 1


def mod_11_10(number: str) -> bool:
    """ISO/IEC 7064 MOD 11,10."""
    rest = 10
    for digit in number[:-1]:
        rest = (rest + int(digit)) % 10 or 10
        rest = rest * 2 % 11
    return (11 - rest) % 10 == int(number[-1])


def _sum(number: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def _day(day: str, month: str) -> bool:
    return 1 <= int(day) <= 31 and 1 <= int(month) <= 12


def _varied(number: str) -> bool:
    return len(set(number)) > 1


def es_dni(number: str) -> bool:
    if not re.fullmatch(r"[XYZ]?\d{7,8}[A-Z]", number) or len(number) != 9:
        return False
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


def es_cif(number: str) -> bool:
    if not re.fullmatch(r"[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]", number):
        return False
    digits = [int(digit) for digit in number[1:8]]
    check = -(sum(digits[1::2]) + sum(_DOUBLED[digit] for digit in digits[::2])) % 10
    return number[8] in {str(check), "JABCDEFGHI"[check]}


def fr_nir(number: str) -> bool:
    if not re.fullmatch(r"[1-478]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[AB])\d{6}\d{2}", number):
        return False
    body = number[:13].replace("2A", "19", 1).replace("2B", "18", 1)
    return 97 - int(body) % 97 == int(number[13:])


def de_steuer_id(number: str) -> bool:
    counts = sorted((number[:10].count(digit) for digit in set(number[:10])), reverse=True)
    return len(number) == 11 and number[0] != "0" and 1 < counts[0] < 4 and mod_11_10(number)


def de_pension(number: str) -> bool:
    """Rentenversicherungsnummer: area, day of birth, first letter of the name, serial, check digit."""
    if not re.fullmatch(r"\d{8}[A-Z]\d{3}", number) or not _day(str(int(number[2:4]) % 50), number[4:6]):
        return False
    digits = number[:8] + f"{ord(number[8]) - 64:02d}" + number[9:11]
    total = 0
    for digit, weight in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True):
        product = int(digit) * weight
        total += product // 10 + product % 10
    return total % 10 == int(number[11])


_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def it_codice(number: str) -> bool:
    if not re.fullmatch(r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]", number):
        return False
    total = 0
    for at, sign in enumerate(number[:15]):
        value = int(sign) if sign.isdigit() else ord(sign) - 65
        total += value if at % 2 else _ODD[value]
    return chr(65 + total % 26) == number[15]


def nl_bsn(number: str) -> bool:
    padded = number.zfill(9)
    return _varied(padded) and (_sum(padded, (9, 8, 7, 6, 5, 4, 3, 2)) - int(padded[8])) % 11 == 0


def pl_pesel(number: str) -> bool:
    return (
        len(number) == 11
        and _day(number[4:6], str(int(number[2:4]) % 20))
        and (10 - _sum(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(number[10])
    )


def pl_nip(number: str) -> bool:
    return (
        len(number) == 10
        and _varied(number)
        and _sum(number, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(number[9])
    )


def se_personal(number: str) -> bool:
    short = number[-10:]
    return len(number) in {10, 12} and _day(str(int(short[4:6]) % 60 or 99), short[2:4]) and luhn(short)


def no_personal(number: str) -> bool:
    if len(number) != 11 or not _day(str(int(number[:2]) % 40 or 99), str(int(number[2:4]) % 40 or 99)):
        return False
    first = -_sum(number, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -_sum(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return first == int(number[9]) and second == int(number[10])


def dk_cpr(number: str) -> bool:
    """The day only: since 2007 numbers are issued without a check digit."""
    return len(number) == 10 and _day(str(int(number[:2]) % 60 or 99), number[2:4])


def dk_cpr_checked(number: str) -> bool:
    return dk_cpr(number) and _sum(number, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def fi_hetu(number: str) -> bool:
    if not re.fullmatch(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", number) or not _day(number[:2], number[2:4]):
        return False
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number[:6] + number[7:10]) % 31] == number[10]


def br_cpf(number: str) -> bool:
    if len(number) != 11 or not _varied(number):
        return False
    first = _sum(number, range(10, 1, -1)) * 10 % 11 % 10
    second = _sum(number, range(11, 1, -1)) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def br_cnpj(number: str) -> bool:
    if len(number) != 14 or not _varied(number):
        return False
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    first = 0 if _sum(number, weights[1:]) % 11 < 2 else 11 - _sum(number, weights[1:]) % 11
    second = 0 if _sum(number, weights) % 11 < 2 else 11 - _sum(number, weights) % 11
    return number[12:] == f"{first}{second}"


def in_aadhaar(number: str) -> bool:
    return len(number) == 12 and number[0] in "23456789" and verhoeff(number)


def in_pan(number: str) -> bool:
    return re.fullmatch(r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", number) is not None


def in_gst(number: str) -> bool:
    """GSTIN: the state, the PAN of the taxpayer, and a check sign by Luhn in base 36."""
    if not re.fullmatch(r"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]", number):
        return False
    products = [int(sign, 36) * (1 + at % 2) for at, sign in enumerate(number[:14])]
    return -sum(product // 36 + product % 36 for product in products) % 36 == int(number[14], 36)


def ca_sin(number: str) -> bool:
    return len(number) == 9 and number[0] != "8" and _varied(number) and luhn(number)


def au_tfn(number: str) -> bool:
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10) if len(number) == 9 else (10, 7, 8, 4, 6, 3, 5, 1)
    return len(number) in {8, 9} and _varied(number) and _sum(number, weights) % 11 == 0


def au_medicare(number: str) -> bool:
    return (
        len(number) in {10, 11}
        and number[0] in "23456"
        and _sum(number[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(number[8])
    )


def au_abn(number: str) -> bool:
    if len(number) != 11 or number[0] == "0":
        return False
    shifted = str(int(number[0]) - 1) + number[1:]
    return _sum(shifted, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89 == 0


def gb_nino(number: str) -> bool:
    return (
        re.fullmatch(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", number) is not None
        and number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}
    )  # fmt: skip


def gb_nhs(number: str) -> bool:
    return (
        len(number) == 10
        and _varied(number)
        and (11 - _sum(number, range(10, 1, -1)) % 11) % 11 == int(number[9])
    )


def gb_utr(number: str) -> bool:
    if len(number) != 10:
        return False
    return "21987654321"[_sum(number[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] == number[0]


def cn_resident(number: str) -> bool:
    if not re.fullmatch(r"[1-9]\d{5}(?:19|20)\d{9}[0-9X]", number) or not _day(number[12:14], number[10:12]):
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[_sum(number[:17], weights) % 11] == number[17]


def kr_resident(number: str) -> bool:
    return re.fullmatch(r"\d{6}[1-8]\d{6}", number) is not None and _day(number[4:6], number[2:4])


def jp_my_number(number: str) -> bool:
    rest = _sum(number, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return len(number) == 12 and _varied(number) and (0 if rest < 2 else 11 - rest) == int(number[11])


def tw_id(number: str) -> bool:
    if not re.fullmatch(r"[A-Z][1289]\d{8}", number):
        return False
    first = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0])
    return (first // 10 + first % 10 * 9 + _sum(number[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def sg_nric(number: str) -> bool:
    if not re.fullmatch(r"[STFGM]\d{7}[A-Z]", number):
        return False
    total = _sum(number[1:8], (2, 7, 6, 5, 4, 3, 2))
    match number[0]:
        case "S" | "T":
            letters = "JZIHGFEDCBA"
        case "M":
            return "KLJNPQRTUWX"[10 - (total + 3) % 11] == number[8]
        case _:
            letters = "XWUTRQPNMLK"
    return letters[(total + (4 if number[0] in "TG" else 0)) % 11] == number[8]


def hk_id(number: str) -> bool:
    if not re.fullmatch(r"[A-Z]{1,2}\d{6}[0-9A]", number):
        return False
    padded = number.rjust(9)
    values = [36 if sign == " " else int(sign, 36) for sign in padded]
    return sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def za_id(number: str) -> bool:
    return len(number) == 13 and _day(number[4:6], number[2:4]) and number[10] in "012" and luhn(number)


def mx_curp(number: str) -> bool:
    if not re.fullmatch(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", number) or not _day(
        number[8:10], number[6:8]
    ):
        return False
    signs = "0123456789ABCDEFGHIJKLMN\xd1OPQRSTUVWXYZ"
    total = sum(signs.index(sign) * (18 - at) for at, sign in enumerate(number[:17]))
    return (10 - total % 10) % 10 == int(number[17])


def cl_rut(number: str) -> bool:
    if not re.fullmatch(r"\d{7,8}[0-9K]", number):
        return False
    total = sum(int(digit) * (2 + at % 6) for at, digit in enumerate(reversed(number[:-1])))
    return "0K987654321"[total % 11] == number[-1] if total % 11 else number[-1] == "0"


def ar_cuit(number: str) -> bool:
    if len(number) != 11 or number[:2] not in {"20", "23", "24", "25", "26", "27", "30", "33", "34"}:
        return False
    rest = -_sum(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return rest == int(number[10])


def tr_id(number: str) -> bool:
    if len(number) != 11 or number[0] == "0":
        return False
    values = [int(digit) for digit in number]
    tenth = (7 * sum(values[0:9:2]) - sum(values[1:8:2])) % 10
    return values[9] == tenth and values[10] == sum(values[:10]) % 10


def il_id(number: str) -> bool:
    return len(number) == 9 and _varied(number) and luhn(number)


def be_national(number: str) -> bool:
    if len(number) != 11 or not (0 <= int(number[2:4]) <= 52 and int(number[4:6]) <= 31):
        return False
    check = int(number[9:])
    return check in {97 - int(number[:9]) % 97, 97 - int("2" + number[:9]) % 97}


def ch_ahv(number: str) -> bool:
    values = [int(digit) for digit in number]
    return (
        len(number) == 13
        and number[:3] == "756"
        and (sum(values[::2]) + 3 * sum(values[1::2])) % 10 == 0
    )  # fmt: skip


def at_svnr(number: str) -> bool:
    return (
        len(number) == 10
        and _day(number[4:6], str(min(int(number[6:8]), 12) or 99))
        and _sum(number[:3] + number[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11 == int(number[3])
    )


def pt_nif(number: str) -> bool:
    rest = 11 - _sum(number, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return len(number) == 9 and number[0] in "1235689" and (0 if rest > 9 else rest) == int(number[8])


def ie_pps(number: str) -> bool:
    if not re.fullmatch(r"\d{7}[A-W][A-IW]?", number):
        return False
    extra = 0 if len(number) == 8 or number[8] == "W" else (ord(number[8]) - 64) * 9
    return "WABCDEFGHIJKLMNOPQRSTUV"[(_sum(number[:7], (8, 7, 6, 5, 4, 3, 2)) + extra) % 23] == number[7]


def cz_birth(number: str) -> bool:
    if len(number) != 10:
        return False
    month = int(number[2:4]) % 50
    return _day(number[4:6], str(month - 20 if month > 20 else month)) and (
        int(number) % 11 == 0 or (int(number[:9]) % 11 == 10 and number[9] == "0")
    )


def ro_cnp(number: str) -> bool:
    if len(number) != 13 or number[0] not in "123456789" or not _day(number[5:7], number[3:5]):
        return False
    rest = _sum(number, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return (1 if rest == 10 else rest) == int(number[12])


def bg_egn(number: str) -> bool:
    if len(number) != 10 or not _day(number[4:6], str(int(number[2:4]) % 20 or 99)):
        return False
    return _sum(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(number[9])


def hr_oib(number: str) -> bool:
    return len(number) == 11 and mod_11_10(number)


def baltic(number: str) -> bool:
    """Estonia and Lithuania."""
    if len(number) != 11 or number[0] not in "12345678" or not _day(number[5:7], number[3:5]):
        return False
    rest = _sum(number, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if rest == 10:
        rest = _sum(number, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return rest == int(number[10])


def gr_amka(number: str) -> bool:
    return len(number) == 11 and _day(number[:2], number[2:4]) and luhn(number)


def ru_snils(number: str) -> bool:
    if len(number) != 11:
        return False
    rest = _sum(number, range(9, 0, -1)) % 101
    return (0 if rest == 100 else rest) == int(number[9:])


def ru_inn(number: str) -> bool:
    if len(number) == 10:
        return _sum(number, (2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(number[9])
    return (
        len(number) == 12
        and _sum(number, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(number[10])
        and _sum(number, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(number[11])
    )


def th_id(number: str) -> bool:
    return len(number) == 13 and (11 - _sum(number, range(13, 1, -1)) % 11) % 10 == int(number[12])


def my_card(number: str) -> bool:
    return len(number) == 12 and _day(number[4:6], number[2:4])


def us_routing(number: str) -> bool:
    """ABA: the Federal Reserve's districts, and the check digit."""
    prefix = int(number[:2])
    district = prefix <= 12 or 21 <= prefix <= 32 or 61 <= prefix <= 72 or prefix == 80
    return len(number) == 9 and _varied(number) and district and _sum(number, (3, 7, 1) * 3) % 10 == 0


def mx_clabe(number: str) -> bool:
    total = sum(int(digit) * weight % 10 for digit, weight in zip(number[:17], (3, 7, 1) * 6, strict=False))
    return len(number) == 18 and -total % 10 == int(number[17])


Valid = Callable[[str], bool]
NAMED: Mapping[str, Valid] = {"luhn": luhn, "verhoeff": verhoeff, "mod_97": mod_97, "mod_11_10": mod_11_10}
"""The validators that a detector of a policy may name."""
