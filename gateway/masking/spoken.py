"""Numbers of which a sentence says what they are: `my SSN, as you asked, is 123456789`, `the CPF of the customer: 12345678909`.

As behind the word itself, the check digit decides. Where a number has none, the sentence has to say that it is the one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from gateway.masking.checksums import Valid
from gateway.masking.shapes import ALNUM_BYTES, Shape, Span, after, before, word

_SENTENCE = re.compile(rb"(?:[^\r\n\0.!?;<>={}|\"]|\.(?=[^\s\0])){1,120}")
_LONGEST = 160
_MOST_WORDS = 8
_NUMBER = re.compile(
    rb"(?<![0-9A-Za-z.:/@#$-])(?:[A-Z]{1,6}[ -]?)?[0-9](?:[ ./-]?[0-9A-Z]){4,24}(?![0-9A-Za-z@])"
)
_SAYS_IS = re.compile(
    rb"(?i)(?:(?:^|[ \t,])(?:is|was|are|lautet|ist|war|est|es|era|\xc3\xa9|\xc3\xa8|e|\xc3\xa4r|er|on|jest|to|je|este|reads|nummer|number|n\xc3\xbamero|numero|num\xc3\xa9ro|at|as|:|now)|[(:])[ \t]{0,3}(?:(?:le|el|il|o|now|still|die|der)[ \t])?\Z"
)
_OTHER = re.compile(
    rb"(?i)\b(?:order|invoice|ticket|case|room|page|line|version|phone|tel|fax|date|year|born|dob|amount|total|port|build|ext|usd|eur|gbp|zip|ref|reference|id|since|until|expires?|issued|of)(?:[ \t](?:no|number|id|code))?\.?(?:[ \t](?:is|was|are|est|es|ist|lautet))?[ \t:#.]{0,3}\Z"
)


def _announced(
    heads: Iterable[tuple[re.Pattern[bytes], Valid, bool]],
    holds: Callable[[Valid, bytes], bool],
) -> Callable[[bytes, int, int], Iterator[Span]]:
    known = list(heads)

    def spans(data: bytes, start: int, end: int) -> Iterator[Span]:
        if _NUMBER.search(data, end - 1, end + _LONGEST) is None:
            return
        for head, valid, proves in known:
            if (match := head.match(data, start, end)) is None:
                continue
            sentence = _SENTENCE.match(data, match.end())
            if sentence is None:
                continue
            for number in _NUMBER.finditer(data, *sentence.span()):
                between = data[match.end() : number.start()]
                if len(between.split()) > _MOST_WORDS or _OTHER.search(between):
                    break
                if not proves and _SAYS_IS.search(between) is None:
                    continue
                if (span := _longest(data, *number.span(), valid, holds)) is not None:
                    yield span
                    return

    return spans


def _longest(
    data: bytes, start: int, end: int, valid: Valid, holds: Callable[[Valid, bytes], bool]
) -> Span | None:
    """The longest run of groups that is such a number."""
    while end > start:
        if (
            after(data, end) not in ALNUM_BYTES
            and before(data, start) not in ALNUM_BYTES
            and holds(valid, data[start:end])
        ):
            return start, end
        end = max(start, *(data.rfind(sign, start, end) for sign in (b" ", b".", b"-", b"/")))
    return None


def in_sentences(
    words: bytes,
    heads: Iterable[tuple[re.Pattern[bytes], Valid, bool]],
    holds: Callable[[Valid, bytes], bool],
) -> Shape:
    """Numbers that follow these words after some others. A head's last part says whether its check digit is proof enough."""
    return word(words + rb"[ \t,(]", spans=_announced(heads, holds))
