"""Identity and tax numbers of Europe, Turkey and Russia, as their issuers publish them.

Every function takes the number without separators, letters in capitals, and says whether it can have been issued:
its length, the day of birth where it has one, and its check digits. None of them looks anything up.
"""

from __future__ import annotations

import re

from gateway.masking.checksums import DOUBLED, is_day, luhn, mod_11_10, varied, weighted


def es_dni(number: str) -> bool:
    if not re.fullmatch(r"[XYZ]?\d{7,8}[A-Z]", number) or len(number) != 9:
        return False
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


def es_cif(number: str) -> bool:
    if not re.fullmatch(r"[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]", number):
        return False
    digits = [int(digit) for digit in number[1:8]]
    check = -(sum(digits[1::2]) + sum(DOUBLED[digit] for digit in digits[::2])) % 10
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
    if not re.fullmatch(r"\d{8}[A-Z]\d{3}", number) or not is_day(str(int(number[2:4]) % 50), number[4:6]):
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
    return varied(padded) and (weighted(padded, (9, 8, 7, 6, 5, 4, 3, 2)) - int(padded[8])) % 11 == 0


def pl_pesel(number: str) -> bool:
    return (
        len(number) == 11
        and is_day(number[4:6], str(int(number[2:4]) % 20))
        and (10 - weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(number[10])
    )


def pl_nip(number: str) -> bool:
    return (
        len(number) == 10
        and varied(number)
        and weighted(number, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(number[9])
    )


def se_personal(number: str) -> bool:
    short = number[-10:]
    return len(number) in {10, 12} and is_day(str(int(short[4:6]) % 60 or 99), short[2:4]) and luhn(short)


def no_personal(number: str) -> bool:
    if len(number) != 11 or not is_day(str(int(number[:2]) % 40 or 99), str(int(number[2:4]) % 40 or 99)):
        return False
    first = -weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return first == int(number[9]) and second == int(number[10])


def dk_cpr(number: str) -> bool:
    """The day only: since 2007 numbers are issued without a check digit."""
    return len(number) == 10 and is_day(str(int(number[:2]) % 60 or 99), number[2:4])


def dk_cpr_checked(number: str) -> bool:
    return dk_cpr(number) and weighted(number, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def fi_hetu(number: str) -> bool:
    if not re.fullmatch(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", number) or not is_day(number[:2], number[2:4]):
        return False
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number[:6] + number[7:10]) % 31] == number[10]


def gb_nino(number: str) -> bool:
    return (
        re.fullmatch(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", number) is not None
        and number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}
    )  # fmt: skip


def gb_nhs(number: str) -> bool:
    return (
        len(number) == 10
        and varied(number)
        and (11 - weighted(number, range(10, 1, -1)) % 11) % 11 == int(number[9])
    )


def gb_utr(number: str) -> bool:
    if len(number) != 10:
        return False
    return "21987654321"[weighted(number[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] == number[0]


def tr_id(number: str) -> bool:
    if len(number) != 11 or number[0] == "0":
        return False
    values = [int(digit) for digit in number]
    tenth = (7 * sum(values[0:9:2]) - sum(values[1:8:2])) % 10
    return values[9] == tenth and values[10] == sum(values[:10]) % 10


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
        and is_day(number[4:6], str(min(int(number[6:8]), 12) or 99))
        and weighted(number[:3] + number[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11 == int(number[3])
    )


def fr_siren(number: str) -> bool:
    return len(number) in {9, 14} and number.isdigit() and luhn(number)


def pt_nif(number: str) -> bool:
    rest = 11 - weighted(number, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (
        len(number) == 9
        and (number[0] in "1235689" or number[:2] in {"45", "70", "71", "72", "74", "75", "77", "78", "79"})
        and (0 if rest > 9 else rest) == int(number[8])
    )


def ie_pps(number: str) -> bool:
    if not re.fullmatch(r"\d{7}[A-W][A-IW]?", number):
        return False
    extra = 0 if len(number) == 8 or number[8] == "W" else (ord(number[8]) - 64) * 9
    return "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(number[:7], (8, 7, 6, 5, 4, 3, 2)) + extra) % 23] == number[7]


def cz_birth(number: str) -> bool:
    if len(number) != 10:
        return False
    month = int(number[2:4]) % 50
    return is_day(number[4:6], str(month - 20 if month > 20 else month)) and (
        int(number) % 11 == 0 or (int(number[:9]) % 11 == 10 and number[9] == "0")
    )


def ro_cnp(number: str) -> bool:
    if len(number) != 13 or number[0] not in "123456789" or not is_day(number[5:7], number[3:5]):
        return False
    rest = weighted(number, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return (1 if rest == 10 else rest) == int(number[12])


def yu_jmbg(number: str) -> bool:
    """The master citizen number of Yugoslavia, which its successors still give out."""
    if not re.fullmatch(r"\d{13}", number) or not is_day(number[:2], number[2:4]):
        return False
    return -weighted(number, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11 % 10 == int(number[12])


def bg_egn(number: str) -> bool:
    if len(number) != 10 or not is_day(number[4:6], str(int(number[2:4]) % 20 or 99)):
        return False
    return weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(number[9])


def hr_oib(number: str) -> bool:
    return len(number) == 11 and mod_11_10(number)


def baltic(number: str) -> bool:
    """Estonia and Lithuania."""
    if len(number) != 11 or number[0] not in "12345678" or not is_day(number[5:7], number[3:5]):
        return False
    rest = weighted(number, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if rest == 10:
        rest = weighted(number, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return rest == int(number[10])


def gr_amka(number: str) -> bool:
    return len(number) == 11 and is_day(number[:2], number[2:4]) and luhn(number)


def ru_snils(number: str) -> bool:
    if len(number) != 11:
        return False
    rest = weighted(number, range(9, 0, -1)) % 101
    return (0 if rest == 100 else rest) == int(number[9:])


def ru_inn(number: str) -> bool:
    if len(number) == 10:
        return weighted(number, (2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(number[9])
    return (
        len(number) == 12
        and weighted(number, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(number[10])
        and weighted(number, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(number[11])
    )
