"""What the end of a text may yet become, or be a part of, if more of it comes.

Values are found by patterns in what has come. Here are their beginnings: each pattern matches at the end of the text
what some detector, or a check of one, could go on from. All are short and within one line, save where a pattern says
otherwise, so that the cost for a piece does not grow with the piece.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from gateway.masking.linear import linear
from gateway.masking.scanner import LONGEST_CANDIDATE
from gateway.masking.shapes import LOOK_BEHIND

LONGEST_TAIL = LONGEST_CANDIDATE + LOOK_BEHIND

_RUN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+%'@=/~\\$,<{}*!#?^()[]|-" + bytes(
    range(0x80, 0x100)
)
"""Characters that values are made of."""
_GROUPED = b"0123456789+().-/ "
_DIGIT = re.compile(rb"[0-9]")
_LONGEST_GROUPS = 64

_EDGE = rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbfv])|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\x[0-9A-Fa-f]{2})|(?<=%[0-9A-Fa-f]{2}))"
"""Where a word begins for a detector (`gateway.masking.shapes.word`)."""
_ARMOUR = (re.compile(rb"-{4,5} ?[A-Z0-9 ]{0,64}-{0,5}\Z"), 80)
_QUOTED_NAME = (re.compile(rb"\"[A-Za-z0-9 ._+-]{0,62}(?:\"(?:@[A-Za-z0-9.-]*)?)?\Z"), 64)
_ACCOUNT = (
    re.compile(
        rb"(?=[A-Za-z]{2}[ -]?[0-9])"
        + _EDGE
        + rb"[A-Za-z]{2}[ -]?[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){0,7}[ -]?[A-Za-z0-9]{0,4}\Z"
    ),
    48,
)
_WITH_COLON = (
    re.compile(
        rb"(?=bot|[0-9]|SCRAM)"
        + _EDGE
        + rb"(?:(?:bot)?[0-9]{8,10}:[A-Za-z0-9_-]{0,35}|SCRAM-SHA-[0-9]{1,3}\$[0-9]{4,7}:[A-Za-z0-9+/=]{0,16}"
        rb"|(?:1|2/[0-9]{13,19})/[0-9]{13,19}:[0-9a-f]{0,32})\Z"
    ),
    76,
)
"""Tokens and verifiers with a colon in them, which ends everything else."""
_CODE = (
    re.compile(
        rb"(?=[A-Z]|[0-9]{3})"
        + _EDGE
        + rb"(?:[A-Z]{1,3}-)?(?:[0-9]{4,8}|[0-9]{3}[ -][0-9]{3})[ \t](?:(?i:i|e|i?s|est?|ist)|(?i:is|est|es|ist)[ \t](?:[A-Za-z]{0,6}|(?i:your|the|votre|tu|su|dein|ihr)[ \t][^\r\n\0.]{0,112}))?\Z"
    ),
    140,
)
"""A code that a message says behind it what it is."""
_EXTENSION = (
    re.compile(rb"[0-9(+][0-9 ().-]{6,24}(?:,? ?(?:e[xtension]{0,8}\.?|x) ?[0-9]{0,6}|, ?)\Z"),
    48,
)
_CAPITALS = (
    re.compile(
        rb"(?=[A-Z0-9])" + _EDGE + rb"(?:[A-Z]{2,4}|[A-Z]{0,2}[0-9][A-Z0-9]{0,7})(?: [A-Z0-9]{1,6}){0,6} ?\Z"
    ),
    48,
)
_IPV6 = (re.compile(rb"(?=[0-9A-Fa-f:])" + _EDGE + rb"[0-9A-Fa-f:.]+\Z"), 48)

_OPENED = (re.compile(rb"[=:,(][ \t]{0,16}((?:\"{1,3}|'{1,3})[^\"'\r\n\0]{0,8})\Z"), 28)
"""A value between quotes of which too little has come to be judged."""

_LEADS: list[bytes] = []


def _led(lead: bytes, rest: bytes, longest: int) -> tuple[re.Pattern[bytes], int]:
    """A tail that begins with something rare, of which the group is kept back."""
    _LEADS.append(lead)
    return re.compile(lead + rest + rb"\Z"), longest


_URL = _led(rb"://", rb"([^\s\0/:@\"'<>]{0,128}:[^\s\0\"'<>]{0,512})", LONGEST_TAIL)
_PHRASE = _led(rb"(?i:mnemonic|phrase)", rb"[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?([a-z][a-z ,]{0,230})", 256)
_STARRED = _led(rb"[ \t]\*[ \t]", rb"[ \t]{0,7}([^\s\0*]{1,64}[ \t]{0,8})", 84)
"""What may yet stand between two stars."""
_BETWEEN_STARS = _led(rb"[ \t]\*[ \t]", rb"[ \t]{0,7}(\"[^\"\r\n\0]{0,64}\"?)[ \t]{0,8}", 160)
"""`user * "password" *` of pppd"""
_NAMED = _led(
    rb"(?i:pass|pwd|psk|secret|token|[_ -]key|apikey|identified[ \t]+by)",
    rb"[A-Za-z0-9_.-]{0,24}\\?[\"'\])]{0,3}(?:[ \t]{0,16}[=:>(,]{1,2}[ \t]{0,16}|[ \t]{1,4}(?=[\"']))([^\s\0][^\r\n\0]{0,160})",
    240,
)
"""What stands behind a secret's name on its line: more of it may follow, and say that it is another value or none."""
_VALUED = _led(
    rb"(?i:\bvalue)",
    rb"[\"']?[ \t]?[:=][ \t]?[\"']?([^\"'<>\s\0]{1,64}[\"']?[ \t]{0,2},?(?:\s{1,24}[\"']?(?i:n(?:a(?:me?)?)?|k(?:ey?)?)?[\"']?[ \t]?[:=]?[ \t]?[\"']?[A-Za-z0-9_.-]{0,60})?)",
    200,
)
"""A value whose name may stand behind it, on the next line too."""
_SAID = _led(rb"\b(?:echo|printf)[ \t]", rb"([^\r\n\0]{0,400})", 408)
"""What a shell may yet pipe into a command that reads a secret."""
_TO_VERIFY = _led(
    rb"(?i:code|pin)[ \t]", rb"([0-9]{3}[0-9 -]{0,5})[ \t](?:to?|fo?r?|as?|w|wh|whe|when)?", 160
)
_TO_ENTER = _led(
    rb"(?i:use|enter|type)[ \t]",
    rb"([0-9]{3}[0-9 -]{0,5}[ \t](?i:as?|fo?r?|to?|(?:as|for|to)[ \t][^\r\n\0.]{0,90})?)",
    120,
)
_BEFORE_HOST = (
    re.compile(rb"(?<=[A-Za-z0-9_.-]:)[^\s\0:@/\"']{1,64}@[A-Za-z0-9.-]{0,63}(?::[0-9]{0,5})?\Z"),
    136,
)
"""`user:password@host`, which a port may follow."""
_ADDRESS = (re.compile(rb"\bhttps?:[^\s\0:\"'<>]{0,256}\Z"), 264)
"""Of what messages are posted to the host decides."""
_USER_ALONE = _led(rb"-u", rb"(?:ser)?[ \t=]{0,2}[\"']?([A-Za-z0-9_-]{16,128}):?[\"']?", 160)
"""`curl -u TOKEN:`"""

_LED = (_URL, _PHRASE, _STARRED, _BETWEEN_STARS, _NAMED, _SAID, _TO_VERIFY, _TO_ENTER, _USER_ALONE)
_LEAD = linear(b"|".join(_LEADS))
_SCRAM = (re.compile(rb"\bSCRAM-[A-Z0-9-]{0,16}\Z"), 28)
_UNENDED = (_ARMOUR, _QUOTED_NAME, _URL, _PHRASE, _OPENED, _SAID, _SCRAM)


def unended(text: bytes) -> bool:
    """Whether `text` ends in something that goes on until something ends it, however long nothing comes."""
    line = _line(text)
    return any(_found(tail, text, line) is not None for tail in _UNENDED)


class Tails:
    """Of what these detectors find."""

    def __init__(self, detectors: Collection[str]) -> None:
        self._tails = [_ACCOUNT, _ARMOUR]
        if not {"vendor_key", "password_hash"}.isdisjoint(detectors):
            self._tails.append(_WITH_COLON)
        if not {"vendor_key", "slack_token"}.isdisjoint(detectors):
            self._tails.append(_ADDRESS)
        if "password" in detectors:
            self._tails += [_CODE, _BEFORE_HOST]
        if "phone" in detectors:
            self._tails.append(_EXTENSION)
        if "national_id" in detectors:
            self._tails.append(_CAPITALS)
        if "email" in detectors:
            self._tails.append(_QUOTED_NAME)
        if "ip" in detectors:
            self._tails.append(_IPV6)

    def begin(self, text: bytes, least: int) -> int:
        """Where the tail begins that has to be kept back: at or behind `least`, or at the end of `text`."""
        size = len(text)
        line = _line(text)
        first = max(least, line)
        begins = [_run(text, first), _groups(text, max(first, size - _LONGEST_GROUPS))]
        begins += [found.start() for tail in self._tails if (found := _found(tail, text, first)) is not None]
        begins += [found.start(1) for found in _begun(text, line)]
        return max(least, min(begins))


def _found(tail: tuple[re.Pattern[bytes], int], text: bytes, first: int) -> re.Match[bytes] | None:
    pattern, longest = tail
    return pattern.search(text, max(first, len(text) - longest))


def _line(text: bytes) -> int:
    """Where the last line begins, as far as a tail can reach."""
    far = max(0, len(text) - LONGEST_TAIL)
    return max(far, 1 + max(text.rfind(b"\n", far), text.rfind(b"\r", far), text.rfind(b"\0", far)))


def _run(text: bytes, first: int) -> int:
    return first + len(text[first:].rstrip(_RUN))


def _groups(text: bytes, first: int) -> int:
    """Of digits in groups."""
    grouped = text[first:]
    groups = grouped[len(grouped.rstrip(_GROUPED)) :].lstrip(b" .-/)")
    if groups[-1:] in {b"(", b"+"} or _DIGIT.search(groups) is not None:
        return len(text) - len(groups)
    return len(text)


def _begun(text: bytes, line: int) -> Iterator[re.Match[bytes]]:
    """Tails of which what leads to the group may have been given out."""
    if (opened := _found(_OPENED, text, line)) is not None:
        yield opened
    far = min(line, max(0, len(text) - _VALUED[1]))
    lead = _LEAD.search(text, far)
    if lead is None:
        return
    for tail in _LED:
        if (found := _found(tail, text, max(line, lead.start()))) is not None:
            yield found
    if (valued := _found(_VALUED, text, lead.start())) is not None:
        yield valued
