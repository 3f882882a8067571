"""Numbers that carry their own proof: payment cards, bank accounts, social security numbers.

Cards: Luhn and the lengths that ISO/IEC 7812 issuers use for their prefixes. IBAN: ISO 13616 lengths and mod 97.
SSN and ITIN: the ranges that the Social Security Administration and the IRS issue.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict

from gateway.masking.apart import APART, evened
from gateway.masking.checksums import luhn, mod_97
from gateway.masking.shapes import (
    ALNUM_BYTES,
    DIGIT_BYTES,
    LOOK_BEHIND,
    NEXT_CELL,
    WORD_BYTES,
    Shape,
    Span,
    after,
    before,
    digits,
    word,
)
from gateway.masking.spoken import in_sentences

# Issuer prefixes (first, last, digits compared) and the lengths their cards have.
_BRANDS: tuple[tuple[int, int, int, frozenset[int]], ...] = tuple(
    (first, last, width, frozenset(lengths))
    for first, last, width, lengths in (
        (4, 4, 1, (13, 16, 19)),  # Visa
        (51, 55, 2, (16,)),  # Mastercard
        (2221, 2720, 4, (16,)),  # Mastercard
        (34, 34, 2, (15,)),  # American Express
        (37, 37, 2, (15,)),  # American Express
        (300, 305, 3, (14, 16, 19)),  # Diners Club
        (3095, 3095, 4, (14, 16, 19)),  # Diners Club
        (36, 36, 2, (14, 16, 19)),  # Diners Club
        (38, 39, 2, (14, 16, 19)),  # Diners Club
        (6011, 6011, 4, (16, 17, 18, 19)),  # Discover
        (644, 659, 3, (16, 17, 18, 19)),  # Discover, RuPay, Verve
        (62, 62, 2, (16, 17, 18, 19)),  # UnionPay
        (81, 82, 2, (16, 17, 18, 19)),  # RuPay, UnionPay
        (60, 60, 2, (16,)),  # RuPay
        (508, 508, 3, (16,)),  # RuPay
        (3528, 3589, 4, (16, 17, 18, 19)),  # JCB
        (2200, 2205, 4, (16, 17, 18, 19)),  # Mir
        (9792, 9792, 4, (16,)),  # Troy
        (5018, 5020, 4, (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
        (5038, 5038, 4, (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
        (5893, 5893, 4, (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
        (6304, 6304, 4, (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
        (6759, 6763, 4, (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
        (506099, 506198, 6, (16, 18, 19)),  # Verve
        (507865, 507964, 6, (16, 18, 19)),  # Verve
        (504175, 504175, 6, (16,)),  # Elo
        (506699, 506778, 6, (16,)),  # Elo
        (509000, 509999, 6, (16,)),  # Elo
        (636297, 636297, 6, (16,)),  # Elo
        (636368, 636369, 6, (16,)),  # Elo
        (8600, 8600, 4, (16,)),  # Uzcard
        (9860, 9860, 4, (16,)),  # Humo
    )
)


def is_card(number: str) -> bool:
    """Whether these digits can be a card's number."""
    return known_card_length(number) and luhn(number) and len(set(number)) > 1 and not is_barcode(number)


def known_card_length(number: str) -> bool:
    """Whether an issuer has cards that begin like these digits and are as long."""
    return any(
        len(number) in lengths and first <= int(number[:width]) <= last
        for first, last, width, lengths in _BRANDS
    )


def is_barcode(number: str) -> bool:
    """An EAN-13, which is as long as the oldest cards and far more common."""
    values = [ord(digit) - 48 for digit in number]
    return len(number) == 13 and (sum(values[::2]) + 3 * sum(values[1::2])) % 10 == 0


def _card(data: bytes, start: int, end: int) -> Span | None:
    if before(data, start) in b"-." and start > 1 and data[start - 2] in WORD_BYTES:
        return (
            None
            if data[start - 2] in DIGIT_BYTES or _in_uuid(data, start)
            else _card_within(data, start, end)
        )
    return _card_within(data, start, end)


def _in_uuid(data: bytes, start: int) -> bool:
    return re.search(rb"[0-9A-Fa-f]{4}-\Z", data[max(0, start - 5) : start]) is not None


def _card_within(data: bytes, start: int, end: int) -> Span | None:
    """The candidate, or as many of its groups from the left as make a card."""
    while end - start >= 12:
        value = data[start:end]
        separators = value.translate(None, b"0123456789")
        card = is_card(digits(value)) or (is_barcode(digits(value)) and _is_old(data, start, digits(value)))
        if len(set(separators)) <= 1 and card and not _of_table(data, start, end):
            follows = after(data, end)
            if len(value) == 12 and not _CARD_WORD.search(data[max(0, start - 40) : start]):
                return None
            if separators == b"" and _NUMBER_OF.search(data[max(0, start - 40) : start]):
                return None
            if follows == 0x40:  # the local part of an address
                return None
            if follows in b"-." and after(data, end, by=1) in DIGIT_BYTES:
                return None
            return start, end
        cut = max(value.rfind(b" "), value.rfind(b"-"), value.rfind(b"."))
        if cut < 0:
            return None
        end = start + cut
    return None


def _is_old(data: bytes, start: int, number: str) -> bool:
    """A card of thirteen digits that would be a barcode, if a word did not say that it is a card."""
    named = _CARD_WORD.search(data[max(0, start - 40) : start]) is not None
    return named and known_card_length(number) and luhn(number)


def _on_a_stripe(data: bytes, start: int, end: int) -> Span | None:
    """ISO/IEC 7813: the first track of a card begins with its number."""
    begin = data.index(b"B", start, end) + 1
    return (begin, end - 1) if is_card(digits(data[begin : end - 1])) else None


_CARD_WORD = re.compile(rb"(?i)(?:card|visa|maestro|pan|cc|carte|karte|tarjeta|carta)[^\r\n\0]*\Z")
"""A card of twelve digits is rare, and so long are the numbers of accounts."""
_HEX_BEFORE = re.compile(rb"(?<![0-9A-Za-z])(?=[0-9]{0,4}[A-F])[0-9A-F]{4,5}[ \n]\Z")


def _of_table(data: bytes, start: int, end: int) -> bool:
    """Whether the groups count up, or go on with hexadecimal ones: a table of characters."""
    groups = [int(group) for group in data[start:end].split(b" ") if group.isdigit()]
    if len(groups) < 4:
        return False
    counts = all(0 < second - first < 20 for first, second in itertools.pairwise(groups))
    return counts or _HEX_BEFORE.search(data, max(0, start - 8), start) is not None


IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
"""ISO 13616 registry: country -> length."""
_EIGHT_DIGITS_FIRST = {
    "AD", "AE", "AL", "AT", "BA", "BE", "BI", "BR", "CR", "CY", "CZ", "DE", "DJ", "DK", "EE", "EG", "ES", "FI",
    "FO", "FR", "GL", "HR", "HU", "IL", "IS", "LT", "LY", "MC", "ME", "MN", "MR", "NO", "PL", "PT", "RS", "RU",
    "SD", "SE", "SI", "SK", "SO", "ST", "TL", "TN", "VA", "XK",
}  # fmt: skip
_FOUR_LETTERS_FIRST = {
    "AZ", "BG", "BH", "GB", "GI", "HN", "IE", "IQ", "JO", "KW", "LC", "LV", "MT", "MU", "NI", "NL", "PK", "PS",
    "QA", "RO", "SC", "SV", "VG", "YE",
}  # fmt: skip
"""What the bank's own number begins with, behind the two check digits; of other countries, with digits or letters."""


def is_iban(account: str) -> bool:
    """Whether this, without blanks and in capitals, has its country's length and a remainder of one."""
    if IBAN_LENGTHS.get(account[:2]) != len(account) or not (account.isascii() and account.isalnum()):
        return False
    return mod_97_holds(account)


def mod_97_holds(account: str) -> bool:
    """Whether the check digits of an IBAN are right, whatever its country."""
    return mod_97(account[4:] + account[:4])


def _iban(data: bytes, start: int, end: int) -> Span | None:
    length = IBAN_LENGTHS.get(data[start : start + 2].decode("ascii").upper())
    seen = 0
    for at in range(start, end):
        seen += data[at] in ALNUM_BYTES
        if seen == length:
            account = data[start : at + 1].translate(None, b" -").decode("ascii").upper()
            return (start, at + 1) if after(data, at + 1) not in WORD_BYTES and is_iban(account) else None
    return None


_OTHER_WORD = re.compile(
    rb"(?i)\b(?:order|invoice|ticket|ref(?:erence)?|sku|serial|part|case|po|isbn|version|build|batch|lot|model|product|item|tracking|shipment|job|event|request|trace|log|run|row|line"
    rb"|transaction|txn|commit|release|bestellung|rechnung|commande|facture|pedido|factura)s?[^\w\0]{0,3}(?:no|number|nr|num|id|n\xc2\xb0)?[^\w\0]{0,4}\Z"
)


_NUMBER_OF = re.compile(
    rb"(?i)\b(?:order|invoice|ticket|serial|isbn|build|batch|item|tracking|shipment|job|event|request|trace|transaction|txn|message|msg|user|session)"
    rb"[ _-]?(?:no|number|nr|num|id)[\W_]{1,4}\Z"
)
"""Where a run of digits may pass for a card's by chance, and says what it is."""


def otherwise_named(data: bytes, start: int) -> bool:
    """Whether the word before says that this is the number of something else."""
    return _OTHER_WORD.search(data[max(0, start - 40) : start]) is not None


def is_ssn(number: str) -> bool:
    """Whether these nine digits lie in a range from which an SSN or ITIN is issued."""
    area, group, serial = int(number[:3]), int(number[3:5]), int(number[5:])
    if len(set(number)) == 1:
        return False
    if area >= 900:
        return group in range(50, 66) or group in range(70, 89) or group in {90, 91, 92, *range(94, 100)}
    return area not in {0, 666} and group != 0 and serial != 0


def _ssn(data: bytes, start: int, end: int) -> Span | None:
    separator = data[start + 3]
    if separator != data[start + 6] or not is_ssn(digits(data[start:end])):
        return None
    beside = {before(data, start), after(data, end)}
    if otherwise_named(data, start):
        return None
    if separator in beside or (after(data, end) == 0x2E and after(data, end, by=1) in DIGIT_BYTES):
        return None
    if (
        separator == 0x20
        and before(data, start) not in FIELD_EDGES
        and not _SSN_WORD.search(data[max(0, start - 32) : start])
    ):
        return None
    return start, end


FIELD_EDGES = frozenset(b"\0\t\n\r,;|\"'")
"""What stands around a value that is a field of its own; 0 is the beginning or end of the text."""
_SSN_WORD = re.compile(rb"(?i)(?:ssn|itin|social\W{0,2}security|tax\W{0,2}id)[^\d\n\0]{0,20}\Z")


def _named_ssn(data: bytes, start: int, end: int) -> Span | None:
    number = _SSN.search(data, start, end)
    if number is None or not is_ssn(digits(number.group())):
        return None
    return number.span() if end - start < LOOK_BEHIND else None


_SSN_WORDS = rb"ssn|itin|social(?:[ -]security)?(?:[ -](?:number|no|nr|num)\.?)?"
_SSN = re.compile(rb"[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}\Z")


PAYMENT_CARD = (
    word(rb"[2-689][0-9]{3}(?:[ .-]?[0-9]{4}){3}(?:[ .-]?[0-9]{1,3})?\b", _card),
    word(rb"3[47][0-9]{2}[ .-]?[0-9]{6}[ .-]?[0-9]{5}\b", _card),
    word(rb"3[0689][0-9]{2}[ .-]?[0-9]{6}[ .-]?[0-9]{4}\b", _card),
    word(rb"[456][0-9]{11,18}\b", _card),
    word(rb"[56][0-9]{3}(?:[ -][0-9]{4}){2}(?:[ -][0-9]{1,3})?\b", _card),
    Shape(pattern=rb"%?B[0-9]{12,19}\^", check=_on_a_stripe),
    word(rb"[2-689][0-9]{3}(?:" + APART + rb"[0-9]{4}){3}(?:" + APART + rb"[0-9]{1,3})?\b", evened(_card)),
    word(rb"3[4-9][0-9]{2}" + APART + rb"[0-9]{6}" + APART + rb"[0-9]{4,5}\b", evened(_card)),
)


def _account(letters: bytes, gap: bytes) -> bytes:
    """As many signs as the country's accounts have, in groups of four, the first of them as its banks are numbered.

    One length and any signs would do for the check, but every hexadecimal digest that begins like a country would be a candidate.
    """
    sign = b"[%b0-9]" % letters
    kinds: defaultdict[tuple[int, tuple[bytes, bytes]], list[bytes]] = defaultdict(list)
    for country, length in IBAN_LENGTHS.items():
        name = country.encode() if letters == b"A-Z" else country.lower().encode()
        kinds[length, _first_groups(country, letters, sign)].append(name)
    shapes = []
    for (length, first), names in sorted(kinds.items()):
        groups, rest = divmod(length - 12, 4)
        shape = b"(?:%b)%b[0-9]{2}" % (b"|".join(sorted(names)), gap)
        shape += b"".join(b"%b%b{4}" % (gap, each) for each in first) + b"(?:%b%b{4}){%d}" % (
            gap,
            sign,
            groups,
        )
        shapes.append(shape + (b"%b%b{%d}" % (gap, sign, rest) if rest else b""))
    return b"(?:" + b"|".join(shapes) + rb")\b"


def _first_groups(country: str, letters: bytes, sign: bytes) -> tuple[bytes, bytes]:
    if country in _EIGHT_DIGITS_FIRST:
        return b"[0-9]", b"[0-9]"
    return (b"[%b]" % letters if country in _FOUR_LETTERS_FIRST else sign), sign


IBAN = (
    word(_account(b"A-Z", b"[ -]?"), _iban),
    word(
        rb"[A-Z]{2}[0-9]{2}(?:" + APART + rb"[A-Z0-9]{4}){2,7}(?:" + APART + rb"[A-Z0-9]{1,3})?\b",
        evened(_iban),
    ),
    word(_account(b"a-z", b" ?"), _iban),  # small letters with hyphens are a UUID's
)
SSN = (
    word(rb"[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}\b", _ssn),
    word(rb"[0-9]{3}" + APART + rb"[0-9]{2}" + APART + rb"[0-9]{4}\b", evened(_ssn)),
    word(
        rb"(?i:ssn|itin|social[ _-]?security(?:[ _-]?(?:number|no|nr|num))?)(?:[^0-9A-Za-z\n\0]{1,6}|"
        + NEXT_CELL
        + rb")(?:(?:is|no|nr|number|id)[^0-9A-Za-z\n\0]{1,3}){0,2}(?:[0-9]{9}|[0-9]{3}[ -][0-9]{2}[ -][0-9]{4})\b",
        _named_ssn,
    ),
    Shape(
        pattern=rb"[a-z](?:Ssn|SSN|SocialSecurity(?:Number|No)?)\\?[\"']?[ \t]{0,3}[:=,>][ \t]{0,3}\\?[\"']?[0-9]{9}\b",
        check=_named_ssn,
    ),
    in_sentences(
        b"(?i:" + _SSN_WORDS + b")",
        [(re.compile(b"(?i)(?:" + _SSN_WORDS + b")"), is_ssn, False)],
        lambda valid, value: _SSN.fullmatch(value) is not None and valid(digits(value)),
    ),
)
