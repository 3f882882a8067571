"""Codes that are sent to phones or stand on the back of cards, and what stands in for a second factor or a wallet's key.

A few digits are a code only beside the word that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.masking.shapes import LOOK_BEHIND, Span, before, word
from gateway.masking.values import is_value

_LAST_DIGITS = re.compile(rb"[0-9]{3,8}\Z")


def _code(data: bytes, start: int, end: int) -> Span:
    """The digits on the back of a card, or those that were sent to somebody's phone."""
    digits = _LAST_DIGITS.search(data, start, end)
    return digits.span() if digits is not None else (start, end)


_FIRST_DIGITS = re.compile(rb"(?:[A-Z]{1,3}-)?([0-9]{4,8}|[0-9]{3}[ -][0-9]{3})")


_FACTOR = re.compile(rb"(?i)(?:mfa|2fa|otp|one-time|sms|verif|confirm)[^\r\n\0]*\Z")


def _sent(data: bytes, start: int, end: int) -> Span | None:
    """`mfa code sent to=... code=482913`: elsewhere a code is that of an error."""
    return _code(data, start, end) if _FACTOR.search(data, max(0, start - LOOK_BEHIND), start) else None


_INNER_DIGITS = re.compile(rb"[0-9][0-9 -]{2,6}[0-9]")


def _code_amid(data: bytes, start: int, end: int) -> Span | None:
    code = _INNER_DIGITS.search(data, start, end)
    return code.span() if code is not None else None


def _code_before(data: bytes, start: int, end: int) -> Span | None:
    """The code of a message that says behind it what it is."""
    code = _FIRST_DIGITS.match(data, start, end)
    return code.span(1) if code is not None and before(data, start) not in b".,-/" else None


_ONE_CODE = re.compile(
    rb"(?=[A-Za-z0-9-]{0,24}[0-9])[A-Za-z0-9]{4,10}(?:-[A-Za-z0-9]{4,10}){0,4}(?![A-Za-z0-9-])"
)
_NEXT_CODE = re.compile(rb"[\"']?\s{0,8},?\s{0,8}(?:and[ \t]|[0-9]{1,2}[.)][ \t])?[\"']?")


def _codes(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """The codes that stand in for a second factor, one behind the other."""
    code = _ONE_CODE.match(data, end - 1)
    while code is not None:
        yield code.span()
        between = _NEXT_CODE.match(data, code.end())
        assert between is not None
        code = _ONE_CODE.match(data, between.end()) if between.end() > code.end() else None


_TO_SEMICOLON = re.compile(rb"(?:[^;\\\r\n\0]|\\.){1,128}")


def _to_semicolon(data: bytes, _start: int, end: int) -> Span | None:
    match = _TO_SEMICOLON.match(data, end - 1)
    return match.span() if match is not None and is_value(data, match.span(), quoted=True) else None


_MNEMONIC = re.compile(rb"[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){11,23}")


def _phrase(data: bytes, _start: int, end: int) -> Span:
    """The twelve to twenty-four words of BIP 39."""
    match = _MNEMONIC.search(data, max(0, end - 230), end)
    return match.span() if match is not None else (end - 1, end)


CODES = (
    word(
        rb"(?i:otp|one[- ]time (?:code|password|passcode|pin)|(?:verification|login|your|sms|2fa|mfa|auth(?:entication)?|access|confirmation|security)[ _-]code|passcode)"
        rb"(?i:[ \t]code)?(?i::|[ \t]is:?)?[ \t]{1,2}[0-9]{4,8}\b|(?i:pin)(?i:[ \t](?:code|number))?[ \t](?i:is)[ \t][0-9]{4,8}\b",
        _code,
    ),
    # "G-482913 is your verification code"
    word(
        rb"(?:[A-Z]{1,3}-)?(?:[0-9]{4,8}|[0-9]{3}[ -][0-9]{3})[ \t](?i:is|est|es|ist)[ \t](?i:your|the|votre|tu|su|dein|ihr)[ \t](?:[^\s\0.]{1,24}[ \t]){0,4}[^\s\0]{0,16}(?i:code|otp|passcode|password|pin|c(?:o|\xc3\xb3)digo)\b",
        _code_before,
    ),
    word(
        rb"(?i:use|enter|type)[ \t](?i:the[ \t])?(?i:code|pin)[ \t](?:[0-9]{4,8}|[0-9]{3}[ -][0-9]{3})[ \t](?:to|for|as|when)\b",
        _code_amid,
    ),
    # "Use 482913 as your login code"
    word(
        rb"(?i:use|enter|type)[ \t](?:[0-9]{4,8}|[0-9]{3}[ -][0-9]{3})[ \t](?i:as|for|to)[ \t](?:[^\s\0.]{1,16}[ \t]){0,4}(?i:code|otp|passcode|pin)\b",
        _code_amid,
    ),
    word(
        rb"(?i:use|enter|type|code,?[ \t]or)[ \t](?:[0-9]{6,8}|[0-9]{3}[ -][0-9]{3})[ \t](?i:to)[ \t](?:[^\s\0.]{1,16}[ \t]){0,2}(?i:verify|confirm|log[ -]?in|sign[ -]?in|authenticate|unlock)\b",
        _code_amid,
    ),
    word(rb"code\\?[\"']?[ \t]{0,2}[:=][ \t]{0,2}\\?[\"']?[0-9]{4,8}\b", _sent),
    word(rb"(?:PIN[ \t]{1,2}[0-9]{4}|PUK[12]?[ \t]{1,2}[0-9]{8})\b", _code),
    word(
        rb"(?i:cvv2?|cvc2?|cvn|security[ _-]?code|cryptogramme|kartenpr(?:ue|\xc3\xbc)fnummer|c(?:o|\xc3\xb3)digo de seguridad|codice di sicurezza)[ \t]{1,2}(?i:is[ \t])?[0-9]{3,4}\b",
        _code,
    ),
    word(
        rb"(?i:(?:recovery|backup|scratch|emergency)[ _-]codes?)\\?[\"']?(?:[ \t](?:are|is))?[ \t]{0,2}[:=]?\s{0,8}\[?\s{0,8}[\"']?[A-Za-z0-9]",
        spans=_codes,
    ),
    # as codes for scanning say it, and as people do
    word(rb"WIFI:(?:[THR]:[^;\r\n\0]{0,16};|S:[^;\r\n\0]{1,64};){1,4}P:[^;\r\n\0]", _to_semicolon),
    word(
        rb"(?i:mnemonic|(?:seed|recovery|secret)[ _-]?phrase)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){11,23}",
        _phrase,
    ),
)
