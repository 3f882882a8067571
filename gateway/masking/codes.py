"""Codes that are sent to phones or stand on the back of cards, and the words by which a wallet is recovered."""

from __future__ import annotations

import re

from gateway.masking.shapes import Span, word

_LAST_DIGITS = re.compile(rb"[0-9]{3,8}\Z")


def _code(data: bytes, start: int, end: int) -> Span:
    """The digits on the back of a card, or those that were sent to somebody's phone."""
    digits = _LAST_DIGITS.search(data, start, end)
    return digits.span() if digits is not None else (start, end)


_MNEMONIC = re.compile(rb"[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){11,23}")


def _phrase(data: bytes, _start: int, end: int) -> Span:
    """The twelve to twenty-four words of BIP 39."""
    match = _MNEMONIC.search(data, max(0, end - 230), end)
    return match.span() if match is not None else (end - 1, end)


CODES = (
    word(
        rb"(?i:otp|one[- ]time (?:code|password|passcode|pin)|(?:verification|login|your|sms|2fa|mfa|auth(?:entication)?|access|confirmation)[ _-]code|passcode)"
        rb"(?i:[ \t]code)?(?i::|[ \t]is:?)?[ \t]{1,2}[0-9]{4,8}\b|(?i:pin)(?i:[ \t](?:code|number))?[ \t](?i:is)[ \t][0-9]{4,8}\b",
        _code,
    ),
    word(rb"(?i:cvv2?|cvc2?|security[ _-]?code)[ \t]{1,2}(?i:is[ \t])?[0-9]{3,4}\b", _code),
    word(
        rb"(?i:mnemonic|(?:seed|recovery|secret)[ _-]?phrase)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){11,23}",
        _phrase,
    ),
)
