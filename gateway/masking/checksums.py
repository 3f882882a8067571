"""Check digits: the ways in which numbers prove that they were copied right, whoever issued them."""

from __future__ import annotations

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
DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(number: str) -> bool:
    """Whether the last of these digits is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    if not number.isdigit():
        return False
    values = [ord(digit) - 48 for digit in reversed(number)]
    return (sum(values[::2]) + sum(DOUBLED[value] for value in values[1::2])) % 10 == 0


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


def weighted(number: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def is_day(day: str, month: str) -> bool:
    return 1 <= int(day) <= 31 and 1 <= int(month) <= 12


def varied(number: str) -> bool:
    return len(set(number)) > 1


Valid = Callable[[str], bool]
NAMED: Mapping[str, Valid] = {"luhn": luhn, "verhoeff": verhoeff, "mod_97": mod_97, "mod_11_10": mod_11_10}
"""The validators that a detector of a policy may name."""
