"""Identity, tax and bank numbers of America, Asia, Africa and Oceania, as their issuers publish them.

As in `europe`, every function takes the number without separators and says whether it can have been issued.
"""

from __future__ import annotations

import re

from gateway.masking.checksums import is_day, luhn, varied, verhoeff, weighted


def br_cpf(number: str) -> bool:
    if len(number) != 11 or not varied(number):
        return False
    first = weighted(number, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(number, range(11, 1, -1)) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def br_cnpj(number: str) -> bool:
    if len(number) != 14 or not varied(number):
        return False
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    first = 0 if weighted(number, weights[1:]) % 11 < 2 else 11 - weighted(number, weights[1:]) % 11
    second = 0 if weighted(number, weights) % 11 < 2 else 11 - weighted(number, weights) % 11
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
    return len(number) == 9 and number[0] != "8" and varied(number) and luhn(number)


def au_tfn(number: str) -> bool:
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10) if len(number) == 9 else (10, 7, 8, 4, 6, 3, 5, 1)
    return len(number) in {8, 9} and varied(number) and weighted(number, weights) % 11 == 0


def au_medicare(number: str) -> bool:
    return (
        len(number) in {10, 11}
        and number[0] in "23456"
        and weighted(number[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(number[8])
    )


def au_abn(number: str) -> bool:
    if len(number) != 11 or number[0] == "0":
        return False
    shifted = str(int(number[0]) - 1) + number[1:]
    return weighted(shifted, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89 == 0


def cn_resident(number: str) -> bool:
    if not re.fullmatch(r"[1-9]\d{5}(?:19|20)\d{9}[0-9X]", number) or not is_day(
        number[12:14], number[10:12]
    ):
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[weighted(number[:17], weights) % 11] == number[17]


def kr_resident(number: str) -> bool:
    return re.fullmatch(r"\d{6}[0-9]\d{6}", number) is not None and is_day(number[4:6], number[2:4])


def jp_my_number(number: str) -> bool:
    rest = weighted(number, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return len(number) == 12 and varied(number) and (0 if rest < 2 else 11 - rest) == int(number[11])


def tw_id(number: str) -> bool:
    if not re.fullmatch(r"[A-Z][1289]\d{8}", number):
        return False
    first = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0])
    return (first // 10 + first % 10 * 9 + weighted(number[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def sg_nric(number: str) -> bool:
    if not re.fullmatch(r"[STFGM]\d{7}[A-Z]", number):
        return False
    total = weighted(number[1:8], (2, 7, 6, 5, 4, 3, 2))
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
    return len(number) == 13 and is_day(number[4:6], number[2:4]) and number[10] in "012" and luhn(number)


def mx_curp(number: str) -> bool:
    if not re.fullmatch(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", number) or not is_day(
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
    if len(number) != 11 or number[:2] not in {
        "20",
        "23",
        "24",
        "25",
        "26",
        "27",
        "30",
        "33",
        "34",
        "50",
        "51",
        "55",
    }:
        return False
    rest = -weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return min(rest, 9) == int(number[10])


def il_id(number: str) -> bool:
    return len(number) == 9 and varied(number) and luhn(number)


def th_id(number: str) -> bool:
    return len(number) == 13 and (11 - weighted(number, range(13, 1, -1)) % 11) % 10 == int(number[12])


def my_card(number: str) -> bool:
    return len(number) == 12 and is_day(number[4:6], number[2:4])


def us_routing(number: str) -> bool:
    """ABA: the Federal Reserve's districts, and the check digit."""
    prefix = int(number[:2])
    district = prefix <= 12 or 21 <= prefix <= 32 or 61 <= prefix <= 72 or prefix == 80
    return district and us_routing_digit(number)


def us_routing_digit(number: str) -> bool:
    """Of no district, as test data has it: behind its word the check digit is enough."""
    return len(number) == 9 and varied(number) and weighted(number, (3, 7, 1) * 3) % 10 == 0


def mx_clabe(number: str) -> bool:
    total = sum(int(digit) * weight % 10 for digit, weight in zip(number[:17], (3, 7, 1) * 6, strict=False))
    return len(number) == 18 and -total % 10 == int(number[17])
