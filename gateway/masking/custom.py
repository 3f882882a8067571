"""Detectors that a policy makes: a pattern, and what else must hold of what it finds.

What a pattern finds counts where no letter or digit goes on with it, where its validator accepts it, and where
one of its words stands before it, if it has any. It is hidden whole. A value has no blanks but between groups of
digits: text comes in pieces, and what is kept back of a piece until the next ends at a blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import re2

from gateway.masking.checksums import NAMED, Valid
from gateway.masking.identifiers import is_card, is_iban
from gateway.masking.linear import linear
from gateway.masking.shapes import ALNUM_BYTES, LOOK_BEHIND, Shape, Span, after, before
from gateway.policy.model import CustomDetector

VALIDATORS: Mapping[str, Valid] = {**NAMED, "iban": is_iban, "payment_card": is_card}
"""The checks that a detector of a policy may name; they are asked about its letters and digits."""
LONGEST = 256
_SEPARATORS = re.compile(r"[^A-Za-z0-9]")
_BLANKS_IN_DIGITS = re.compile(rb"[0-9+().\-/ ]*")
_CONTEXTS = ("{}", "x {} y", '{{"k": "{}"}}', "k={};", "a,{},b\n")
"""A value that is found alone must be found where values stand."""


def shape(custom: CustomDetector) -> Shape:
    """What the scan looks for, and the check. Raises `ValueError` if the pattern is none."""
    compiled(custom.pattern)
    valid = VALIDATORS[custom.validator] if custom.validator else None
    words = "|".join(re.escape(word).replace("\\ ", "[ _-]") for word in custom.words)
    led = re.compile(
        f"(?i)(?:\\A|[^a-z0-9])(?:{words})[\\W_]{{0,8}}(?:(?:is|no|nr|number|id)[\\W_]{{0,4}})?\\Z".encode()
    )

    def check(data: bytes, start: int, end: int) -> Span | None:
        value = data[start:end]
        if (
            before(data, start) in ALNUM_BYTES
            or after(data, end) in ALNUM_BYTES
            or not 0 < len(value) <= LONGEST
        ):
            return None
        if len(value.split()) != 1 and not _BLANKS_IN_DIGITS.fullmatch(value):
            return None
        if valid is not None and not _holds(valid, value):
            return None
        if words and not led.search(data[max(0, start - LOOK_BEHIND) : start]):
            return None
        return start, end

    return Shape(pattern=b"(?:" + custom.pattern.encode() + b")", check=check)


def compiled(pattern: str) -> Any:
    """The pattern as RE2 reads it. Raises `ValueError` with what is wrong with it."""
    try:
        return linear(pattern.encode())
    except re2.error as error:
        said = error.args[0] if error.args else error
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None


def _holds(valid: Valid, value: bytes) -> bool:
    try:
        return valid(_SEPARATORS.sub("", value.decode("latin-1")).upper())
    except (ValueError, IndexError):  # a letter where the check has a digit, or too few of them
        return False


def faults(custom: CustomDetector) -> Iterator[tuple[str, int, str]]:
    """`(key, index, what is wrong)` of a detector as it is written down."""
    try:
        pattern = compiled(custom.pattern)
    except ValueError as error:
        yield "pattern", 0, f"this is no pattern of RE2: {error}"
        return
    if pattern.fullmatch(b"") is not None:
        yield "pattern", 0, "this pattern finds nothing everywhere: it matches the empty text"
        return
    judge = _judge(custom, pattern)
    for index, text in enumerate(custom.matches):
        if not judge(text):
            yield (
                "matches",
                index,
                f"nothing is found in `{text[:60]}`, although something must: {_why(custom, pattern, text)}",
            )
        elif any(not judge(context.format(text)) for context in _CONTEXTS[1:]):
            yield (
                "pattern",
                0,
                f"`{text[:60]}` is found alone, but not within other text; leave out `^` and `$`, and what goes on over blanks, as `.*`",
            )
    for index, text in enumerate(custom.misses):
        if judge(text):
            yield "misses", index, f"something is found in `{text[:60]}`, although nothing may"


def _why(custom: CustomDetector, pattern: Any, text: str) -> str:
    """Why nothing is found in a text."""
    data = text.encode("utf-8", "surrogatepass")
    spans = [match.span() for match in pattern.finditer(data)]
    if not spans:
        return "the pattern does not match there"
    for start, end in spans:
        value = data[start:end]
        if before(data, start) in ALNUM_BYTES or after(data, end) in ALNUM_BYTES:
            return "letters or digits go on before or behind what the pattern matches"
        if len(value) > LONGEST:
            return f"what the pattern matches is longer than {LONGEST} bytes"
        if len(value.split()) != 1 and not _BLANKS_IN_DIGITS.fullmatch(value):
            return "a value has no blanks but between groups of digits"
        if custom.validator and not _holds(VALIDATORS[custom.validator], value):
            return f"`{custom.validator}` turns down what the pattern matches"
    return f"none of its words ({', '.join(custom.words)}) stands before what the pattern matches"


def _judge(custom: CustomDetector, pattern: Any) -> Any:
    check = shape(custom).check

    def found(text: str) -> bool:
        data = text.encode("utf-8", "surrogatepass")
        return any(check(data, *match.span()) is not None for match in pattern.finditer(data))

    return found
