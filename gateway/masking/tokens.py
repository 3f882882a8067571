"""Stand-ins of the same form: digits for digits, letters for letters, everything else as it was.

A keyed permutation (a Feistel network over the places of a value, as FF1 of NIST SP 800-38G has it): under one key the
same value always gets the same stand-in and two values of one form never share one, so that joins and counts stay
true. A first digit other than zero stays so, so that a number keeps its width.

What passes for a card's number gets a stand-in that does not: nobody can take it for a card, or use it as one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from gateway.masking.checksums import luhn

_ROUNDS = 10
_LONGEST = 256
"""Places that are permuted; a longer value gets a keyed stand-in in which every place only looks like its own."""
_CARDS = range(12, 20)
_LETTERS = 26
_BLAKE = 64
"""Bytes that one BLAKE2b gives."""


def stream(value: bytes, key: bytes, length: int) -> bytes:
    """`length` bytes that only `value` and `key` decide."""
    seed = hmac.digest(key, value, "sha256")
    return hashlib.shake_256(seed).digest(length)


def tokenise(value: str, key: bytes) -> str:
    """`value` in the same form, with other letters and digits."""
    hidden = _permuted(value, key)
    while _could_be_a_card(hidden):
        hidden = _permuted(hidden, key)
    return hidden


def _could_be_a_card(value: str) -> bool:
    digits = "".join(sign for sign in value if "0" <= sign <= "9")
    return len(digits) in _CARDS and luhn(digits)


def _permuted(value: str, key: bytes) -> str:
    places, form = _read(value)
    if len(places) > _LONGEST:
        noise = stream(value.encode("utf-8", "surrogateescape"), key, len(places))
        changed = [(radix, noise[at] % radix) for at, (radix, _) in enumerate(places)]
    elif len(places) == 1:
        radix, number = places[0]
        changed = [(radix, (number + stream(form, key, 1)[0]) % radix)]
    else:
        half = len(places) // 2
        left, right = _joined(places[:half]), _joined(places[half:])
        changed = _parted(*_turned(left, right, form, key), places)
    return _written(value, [number for _, number in changed])


_Place = tuple[int, int]
"""How many signs may stand there, and which one does."""


def _read(value: str) -> tuple[list[_Place], bytes]:
    """The places that change, and what does not: the form."""
    places: list[_Place] = []
    form: list[str] = []
    for sign in value:
        if "0" <= sign <= "9":
            leads = not places and sign != "0"
            places.append((9, ord(sign) - 49) if leads else (10 if places else 1, ord(sign) - 48))
            form.append("9" if leads else "0")
        elif sign.isascii() and sign.isalpha():
            places.append((_LETTERS, (ord(sign) | 32) % 32 - 1))
            form.append("A" if sign.isupper() else "a")
        elif sign.isalnum():  # of another script: which one it was decides with the form
            places.append((10 if sign.isdecimal() else _LETTERS, 0))
            form.append(sign)
        else:
            form.append(sign)
    return places, "".join(form).encode("utf-8", "surrogateescape")


def _written(value: str, numbers: Sequence[int]) -> str:
    out = []
    at = 0
    for sign in value:
        if "0" <= sign <= "9":
            out.append(chr(numbers[at] + (48 if at or sign == "0" else 49)))
        elif sign.isalnum():
            out.append(chr(numbers[at] + (48 if sign.isdecimal() else 65 if sign.isupper() else 97)))
        else:
            out.append(sign)
            continue
        at += 1
    return "".join(out)


def _joined(places: Sequence[_Place]) -> tuple[int, int]:
    """The places as one number, and how many there are."""
    size, number = 1, 0
    for radix, digit in places:
        number = number * radix + digit
        size *= radix
    return size, number


def _turned(left: tuple[int, int], right: tuple[int, int], form: bytes, key: bytes) -> tuple[int, int]:
    """Each half by turns moved on by what the key makes of the other: whatever that is, it can be undone."""
    (left_size, one), (right_size, other) = left, right
    seed = hmac.digest(key, form, "sha256")
    wide = (max(left_size, right_size).bit_length() + 7) // 8
    for turn in range(0, _ROUNDS, 2):
        one = (one + _told(turn, other, seed, wide)) % left_size
        other = (other + _told(turn + 1, one, seed, wide)) % right_size
    return one, other


def _told(turn: int, seen: int, seed: bytes, wide: int) -> int:
    """Eight bytes more than are needed, so that no remainder is likelier than another."""
    said = b"%c" % turn + seen.to_bytes(wide, "big")
    if wide <= _BLAKE - 8:
        return int.from_bytes(hashlib.blake2b(said, key=seed, digest_size=_BLAKE).digest(), "big")
    return int.from_bytes(hashlib.shake_256(seed + said).digest(wide + 8), "big")


def _parted(left: int, right: int, places: Sequence[_Place]) -> list[_Place]:
    half = len(places) // 2
    numbers: list[int] = []
    for number, of in ((right, places[half:]), (left, places[:half])):
        for radix, _ in reversed(of):
            number, digit = divmod(number, radix)  # noqa: PLW2901  # what is left of it
            numbers.append(digit)
    return [(radix, digit) for (radix, _), digit in zip(places, reversed(numbers), strict=True)]
