"""How a value is hidden.

`null` leaves nothing, `redact` a mark, `hash` a keyed fingerprint that is the same for the same value, `tokenise` a
keyed stand-in of the same form, `partial` what people need to recognise a value: an e-mail's domain, a phone's
country and last two digits, the last four of a card, account or social security number.

Everything here turns text into text of printable ASCII without quotes, commas, backslashes or braces, so that
a masked value may stand wherever the value stood: in JSON, CSV, an array or a row.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping

from gateway.masking.phones import calling_code
from gateway.masking.tokens import tokenise
from gateway.masking.values import MARK

STRICTEST_FIRST = ("null", "redact", "hash", "tokenise", "partial")
STRATEGIES = frozenset(STRICTEST_FIRST)


def strictest(strategies: Iterable[str]) -> str | None:
    """The one of these that shows least."""
    return min(strategies, key=STRICTEST_FIRST.index, default=None)


def keep_digits(value: str, *, first: int, last: int) -> str:
    """Letters and digits become `*`, but for the first and last few; separators stay."""
    places = [at for at, sign in enumerate(value) if sign.isalnum()]
    if len(places) > first + last:
        places = places[first : len(places) - last]
    out = list(value)
    for at in places:
        out[at] = "*"
    return "".join(out)


def _email(value: str) -> str:
    at = "@" if "@" in value else "%40"
    local, _, domain = value.rpartition(at)
    return "*" * len(local.encode("utf-8", "surrogateescape")) + at + domain


def _phone(value: str) -> str:
    digits = "".join(sign for sign in value if sign.isdigit())
    if value.startswith("+"):
        return keep_digits(value, first=calling_code(digits), last=2)
    if digits.startswith("00"):
        return keep_digits(value, first=2 + calling_code(digits[2:]), last=2)
    return keep_digits(value, first=0, last=2)


def _card(value: str) -> str:
    return keep_digits(value, first=0, last=4)


def _few(value: str) -> str:
    return keep_digits(value, first=0, last=2)


def _none(value: str) -> str:
    return keep_digits(value, first=0, last=0)


def _iban(value: str) -> str:
    return keep_digits(value, first=2, last=4)


def _ip(value: str) -> str:
    separator = "." if "." in value else ":"
    parts = value.split(separator)
    return separator.join(part if at < 2 else "*" * len(part) for at, part in enumerate(parts))


_PARTIAL: Mapping[str, Callable[[str], str]] = {
    "email": _email,
    "phone": _phone,
    "payment_card": _card,
    "iban": _iban,
    "ssn": _card,
    "national_id": _few,
    "tax_id": _few,
    "passport": _few,
    "bank_account": _few,
    "ip": _ip,
    "person_name": _none,
    "postal_address": _none,
}
"""Detector -> what it shows; of what is not here nothing is shown."""


def partial(value: str, detector: str | None) -> str:
    """What a person may still see of `value`, which `detector` found, or which stands in a masked column."""
    if detector is not None:
        return _PARTIAL[detector](value) if detector in _PARTIAL else MARK
    shown = min(4, len(value) // 3)
    cut = len(value) - shown
    return _UNSAFE.sub("-", _SIGNS.sub("*", value[:cut]) + value[cut:])


_SIGNS = re.compile(r"[^\W_]")
_UNSAFE = re.compile(r"[\"'\\,{}()\[\]<>;|\x00-\x1f\x7f-\x9f\u2028\u2029]")


def fingerprint(value: str, key: bytes) -> str:
    """`h` and 24 hex digits: 96 bits of HMAC-SHA-256."""
    return "h" + hmac.new(key, value.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:24]


def apply(value: str, strategy: str, key: bytes, detector: str | None = None) -> str:
    """`value` hidden. `null` has no text; where there must be some, it is the mark."""
    match strategy:
        case "partial":
            return partial(value, detector)
        case "hash":
            return fingerprint(value, key)
        case "tokenise":
            return _UNSAFE.sub("-", tokenise(value, key))
        case "redact" | "null":
            return MARK
        case _:
            raise UnknownStrategy(
                f"there is no strategy {strategy!r}; the strategies are {', '.join(STRICTEST_FIRST)}"
            )


class UnknownStrategy(Exception):
    """A mask names a strategy that does not exist."""
