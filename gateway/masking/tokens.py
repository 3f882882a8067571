"""Stand-ins of the same form: digits for digits, letters for letters, everything else as it was.

A keyed permutation (a Feistel network over the places of a value, as FF1 of NIST SP 800-38G has it): under one key the
same value always gets the same stand-in and two values of one form never share one, so that joins and counts stay
true. A first digit other than zero stays so, so that a number keeps its width.

What passes for a card's number gets a stand-in that does not: nobody can take it for a card, or use it as one.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from gateway.masking.checksums import luhn

_TURNS = tuple((bytes((turn,)), bytes((turn + 1,))) for turn in range(0, 10, 2))
"""Ten rounds, as FF1 has."""
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
    signs, kinds, form = _read(value)
    if len(signs) > _LONGEST:
        noise = stream(value.encode("utf-8", "surrogateescape"), key, len(signs))
        changed = "".join(_DIGITS[byte % _RADIX[kind]] for byte, kind in zip(noise, kinds, strict=True))
    elif len(signs) == 1:
        changed = _DIGITS[(int(signs, 36) + stream(form, key, 1)[0]) % _RADIX[kinds]]
    else:
        half = len(signs) // 2
        left, right = _joined(signs[:half], kinds[:half]), _joined(signs[half:], kinds[half:])
        one, other = _turned(left, right, form, key)
        changed = _parted(one, kinds[:half]) + _parted(other, kinds[half:])
    return _written(value, changed)


_RADIX = {"9": 9, "1": 1, "0": 10, "a": _LETTERS}
"""How many signs may stand in a place, by its kind: a first digit other than zero, a first zero, a digit, a letter."""
_DIGITS = "0123456789abcdefghijklmnop"
_SMALL, _CAPITALS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_NUMBER = str.maketrans(_SMALL + _CAPITALS, _DIGITS * 2)
_TO_FORM = str.maketrans("0123456789" + _SMALL + _CAPITALS, "0" * 10 + "a" * 26 + "A" * 26)
_TO_LETTER = str.maketrans(_DIGITS, _SMALL)
_NO_PLACE = re.compile(r"[^0-9A-Za-z]+")
_RUN = re.compile(r"9|1|0+|a+")
_ALIKE = re.compile(r"[0-9]+|[a-z]+|[A-Z]+")
_THREE = [a + b + c for a in _DIGITS for b in _DIGITS for c in _DIGITS]
"""Three letters at a time: numbers are parted in as few steps as there are."""


def _read(value: str) -> tuple[str, str, bytes]:
    """The number of the sign in each place that changes, the kind of each, and what does not change: the form."""
    if not value.isascii():
        return _read_any(value)
    places = _NO_PLACE.sub("", value)
    form, kinds = value.translate(_TO_FORM), places.translate(_TO_FORM).lower()
    signs = places.translate(_TO_NUMBER)
    first = places[:1]
    if first == "0":
        kinds = "1" + kinds[1:]
    elif first.isdigit():
        kinds, signs = "9" + kinds[1:], _DIGITS[int(first) - 1] + signs[1:]
        form = form.replace("0", "9", 1)
    return signs, kinds, form.encode("ascii")


def _read_any(value: str) -> tuple[str, str, bytes]:
    """The same of signs of other scripts: which one it was decides with the form."""
    signs: list[str] = []
    kinds: list[str] = []
    form: list[str] = []
    for sign in value:
        kept = sign
        if "0" <= sign <= "9":
            leads = not kinds and sign != "0"
            signs.append(_DIGITS[int(sign) - leads])
            kinds.append("9" if leads else "0" if kinds else "1")
            kept = "9" if leads else "0"
        elif sign.isascii() and sign.isalpha():
            signs.append(sign.translate(_TO_NUMBER))
            kinds.append("a")
            kept = "A" if sign.isupper() else "a"
        elif sign.isalnum():
            signs.append("0")
            kinds.append("0" if sign.isdecimal() else "a")
        form.append(kept)
    return "".join(signs), "".join(kinds), "".join(form).encode("utf-8", "surrogateescape")


def _written(value: str, changed: str) -> str:
    at = 0

    def run(match: re.Match[str]) -> str:
        nonlocal at
        begin, at = at, at + match.end() - match.start()
        first = match[0][0]
        if first > "Z":
            return changed[begin:at].translate(_TO_LETTER)
        if first >= "A":
            return changed[begin:at].translate(_TO_LETTER).upper()
        lead = begin == 0 and first != "0"
        return _DIGITS[int(changed[0]) + 1] + changed[1:at] if lead else changed[begin:at]

    if value.isascii():
        return _ALIKE.sub(run, value)
    out = []
    for sign in value:
        if "0" <= sign <= "9":
            out.append(chr(int(changed[at]) + (48 if at or sign == "0" else 49)))
        elif sign.isalnum():
            letter = changed[at].translate(_TO_LETTER)
            out.append(changed[at] if sign.isdecimal() else letter.upper() if sign.isupper() else letter)
        else:
            out.append(sign)
            continue
        at += 1
    return "".join(out)


def _joined(signs: str, kinds: str) -> tuple[int, int]:
    """How many values these places have, and which one stands there."""
    size, number = 1, 0
    for run in _RUN.finditer(kinds):
        start, end = run.span()
        radix = _RADIX[kinds[start]]
        values = radix ** (end - start)
        number = number * values + (int(signs[start:end], radix) if radix > 1 else 0)
        size *= values
    return size, number


def _turned(left: tuple[int, int], right: tuple[int, int], form: bytes, key: bytes) -> tuple[int, int]:
    """Each half by turns moved on by what the key makes of the other: whatever that is, it can be undone."""
    (left_size, one), (right_size, other) = left, right
    seed = hmac.digest(key, form, "sha256")
    wide = (max(left_size, right_size).bit_length() + 7) // 8
    # Eight bytes more than are needed, so that no remainder is likelier than another.
    told = wide + 8
    keyed = hashlib.blake2b(key=seed, digest_size=min(told, _BLAKE))
    for first, second in _TURNS:
        drawn = keyed.copy()
        drawn.update(first + other.to_bytes(wide, "big"))
        one = (one + int.from_bytes(_stretched(drawn.digest(), told), "big")) % left_size
        drawn = keyed.copy()
        drawn.update(second + one.to_bytes(wide, "big"))
        other = (other + int.from_bytes(_stretched(drawn.digest(), told), "big")) % right_size
    return one, other


def _stretched(digest: bytes, length: int) -> bytes:
    """As many bytes as this; BLAKE2b gives no more than 64."""
    return digest if len(digest) == length else hashlib.shake_256(digest).digest(length)


def _parted(number: int, kinds: str) -> str:
    out: list[str] = []
    for run in reversed(list(_RUN.finditer(kinds))):
        width = run.end() - run.start()
        radix = _RADIX[kinds[run.start()]]
        number, rest = divmod(number, radix**width)
        if radix == _LETTERS:
            letters: list[str] = []
            for _ in range(0, width, 3):
                rest, three = divmod(rest, len(_THREE))
                letters.append(_THREE[three])
            letters.reverse()
            out.append("".join(letters)[-width:])
        else:
            out.append(f"{rest:0{width}d}")
    out.reverse()
    return "".join(out)
