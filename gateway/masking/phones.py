"""Phone numbers, by the numbering plans that `phonenumbers` carries.

A number that says its country (`+49 30 ...`, `0049 ...`) is one when the country's plan has it. A national number
must be written as people write phone numbers there (trunk zero or area code, groups), or stand behind a word such
as `phone:`. A bare run of digits is an order number until something says otherwise.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from gateway.masking.apart import APART, evened
from gateway.masking.checksums import luhn
from gateway.masking.identifiers import FIELD_EDGES, otherwise_named
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
    behind_escape,
    digits,
    word,
)
from gateway.masking.spoken import in_sentences

_TRUNK_ZERO = (
    "GB", "DE", "FR", "IT", "NL", "BE", "CH", "AT", "AU", "NZ", "ZA", "IN", "JP", "KR", "CN", "BR", "SE", "FI", "IE", "IL",
    "TR", "ID", "TH", "MY", "PH", "VN", "EG", "NG", "KE", "PK", "BD", "UA", "RO", "RS", "HR", "BG", "SK", "AR", "TW", "AE", "SA",
)  # fmt: skip
"""Countries whose national numbers are written with a leading zero."""
_DATE = re.compile(
    rb"\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d(?!\d)|0{3}|\d{3}(?:\.\d{3}){3}\Z|(?:\d{2}[-./ ]){2}\d{2}\Z"
)
_EXTENSION_ENDS = re.compile(rb"(?i)[ ,]{0,2}(?:ext\.?|extension|x) ?[0-9]{1,6}\Z")
_EXTENSION_FOLLOWS = re.compile(
    rb"(?i)(?:,? | ?)(?:ext\.?|extension|x|durchwahl|poste) ?[0-9]{1,6}(?![0-9A-Za-z])"
)
_EXTENSION_BEGINS = re.compile(rb"[ ,]*[xXeE]")
_GROUP_BEFORE = re.compile(rb"(?<![0-9A-Za-z])((?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{1,5})[ \n]{1,2}\Z")
_POSTCODE = re.compile(rb"\d{5}-\d{4}")
_CHARACTERS = re.compile(rb"0[0-9]{3}(?: 0[0-9]{3})+")
_GROUP = re.compile(rb"\d+")


@functools.cache
def _plan(country: int) -> re.Pattern[str] | None:
    """National numbers of a calling code: the widest description of each of its regions."""
    patterns = []
    for region in COUNTRY_CODE_TO_REGION_CODE.get(country, ()):
        metadata = (
            PhoneMetadata.metadata_for_nongeo_region(country)
            if region == "001"
            else PhoneMetadata.metadata_for_region(region)
        )
        if metadata is not None and metadata.general_desc is not None:
            patterns.append(metadata.general_desc.national_number_pattern or "")
    return (
        re.compile("|".join(f"(?:{pattern})" for pattern in patterns if pattern)) if any(patterns) else None
    )


@functools.cache
def _national_plan() -> re.Pattern[str]:
    """Fixed and mobile numbers, without their zero, of the countries that write one."""
    patterns = []
    for region in _TRUNK_ZERO:
        metadata = PhoneMetadata.metadata_for_region(region)
        assert metadata is not None, region
        assert metadata.general_desc is not None, region
        patterns.append(metadata.general_desc.national_number_pattern)
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


@functools.lru_cache(maxsize=4096)
def is_international(number: str) -> bool:
    """Whether these digits, calling code first, are in a numbering plan."""
    for width in (1, 2, 3):
        if (plan := _plan(int(number[:width] or 0))) is not None:
            national = number[width:]
            return len(national) >= 5 and bool(
                plan.fullmatch(national) or plan.fullmatch(national.removeprefix("0"))
            )
    return False


def calling_code(number: str) -> int:
    """How many of these digits are the country's calling code."""
    return next((width for width in (1, 2, 3) if int(number[:width] or 0) in COUNTRY_CODE_TO_REGION_CODE), 0)


def _shrink(data: bytes, start: int, end: int) -> int:
    """The end of the candidate without its last group, or `start`."""
    groups = list(_GROUP.finditer(data, start, end))
    return groups[-2].end() if len(groups) > 1 else start


def _clean_edges(data: bytes, start: int, end: int) -> bool:
    previous, following = before(data, start), after(data, end)
    if following in WORD_BYTES - {0x5F} or following == 0x40 or previous == 0x2B:
        return False
    if previous in ALNUM_BYTES and not behind_escape(data, start):
        return False
    if following in b"-./:" and after(data, end, by=1) in DIGIT_BYTES:
        return False
    if previous == 0x3A and data[start : start + 1] == b"(":
        return True
    return not (previous in b"-./:" and start > 1 and data[start - 2] in WORD_BYTES)


def _international(data: bytes, start: int, end: int) -> Span | None:
    if before(data, start) == 0x2B or (before(data, start) in ALNUM_BYTES and not behind_escape(data, start)):
        return None
    first_end = end
    while end > start:
        number = digits(data[start:end]).removeprefix("00")
        glued = after(data, end) in ALNUM_BYTES or (
            after(data, end) == 0x3A and after(data, end, by=1) in ALNUM_BYTES
        )
        if is_international(number) and not glued and _balanced(data[start:end]):
            return start, _extended(data, end)
        end = _shrink(data, start, end)
    # An extension or a second number may follow without a blank; then the longest plausible run is hidden.
    return (start, first_end) if after(data, first_end) in b"xX" and first_end - start >= 11 else None


def _extended(data: bytes, end: int) -> int:
    """Where the extension ends that may follow a number."""
    more = _EXTENSION_FOLLOWS.match(data, end)
    return more.end() if more is not None else end


def _encoded(data: bytes, start: int, end: int) -> Span | None:
    """`%2B14155552671`, in a URL."""
    return (start, end) if is_international(digits(data[start + 3 : end])) else None


def _balanced(value: bytes) -> bool:
    return value.count(b"(") == value.count(b")")


_OPENING = frozenset(b" (=:>[")


def _double_zero(data: bytes, start: int, end: int) -> Span | None:
    if before(data, start) not in FIELD_EDGES | _OPENING or otherwise_named(data, start):
        return None
    value = data[start:end]
    if _in_table(data, start, end) or _counts(value):
        return None
    if value.isdigit() and not _PHONE_WORD.search(data[max(0, start - LOOK_BEHIND) : start]):
        return None
    return _international(data, start, end)


def _nanp(data: bytes, start: int, end: int) -> Span | None:
    """North America: (212) 555-0123, 212-555-0123, 212.555.0123, 1-800-555-0199."""
    if not _clean_edges(data, start, end) or otherwise_named(data, start):
        return None
    value = _EXTENSION_BEGINS.split(data[start:end])[0]
    number = digits(value)
    if len(number) == 11:
        number = number[1:]
    if value.count(b" ") == 2 - value.count(b"(") and b"(" not in value and not _spaced(data, start, end):
        return None
    if all(group.endswith(b"00") for group in _GROUP.findall(value)):  # round numbers: 200-300-4000
        return None
    return (start, end) if number[0] in "23456789" and len(set(number)) > 1 else None


def _spaced(data: bytes, start: int, end: int) -> bool:
    """Whether groups that only blanks part are one number: alone in their field, or behind a word of prose."""
    previous = data[max(0, start - LOOK_BEHIND) : start]
    if not previous or previous[-1] in FIELD_EDGES:
        return after(data, end) in FIELD_EDGES or after(data, end) in b".)"
    if _PHONE_WORD.search(previous):
        return True
    return re.search(rb"[A-Za-z]{2,}:? \Z", previous) is not None and _OTHER_NUMBER.search(previous) is None


def _trunk(data: bytes, start: int, end: int) -> Span | None:
    """020 7946 0958, 0171/1234567, 06 12 34 56 78, (030) 1234567."""
    if before(data, start) in ALNUM_BYTES or (before(data, start) in b"-./:+" and start > 1):
        return None
    if _in_table(data, start, end) or _counts(data[start:end]) or otherwise_named(data, start):
        return None
    if _POSTCODE.fullmatch(data[start:end]) and not _PHONE_WORD.search(
        data[max(0, start - LOOK_BEHIND) : start]
    ):
        return None
    while end > start:
        value = data[start:end]
        number = digits(value)
        separators = set(value.translate(None, b"0123456789()"))
        if (
            9 <= len(number) <= 12
            and number[0] == "0"
            and len(separators - {0x20}) <= 1
            and _clean_edges(data, start, end)
            and not _DATE.match(value)
            and _balanced(value)
            and _national_plan().fullmatch(number[1:])
        ):
            return start, _extended(data, end)
        end = _shrink(data, start, end)
    return None


def _in_table(data: bytes, start: int, end: int) -> bool:
    """Whether a group as long as the first stands before it, parted like the others: a dump of bytes, a table."""
    group = _GROUP_BEFORE.search(data[max(0, start - 8) : start])
    first = _GROUP.match(data, start, end)
    return (
        group is not None
        and first is not None
        and len(group[1]) == len(first.group())
        and not data[start:end].translate(None, b"0123456789 ")
    )


def _counts(value: bytes) -> bool:
    """Whether the groups are numbers at equal distances, 07 08 09 10 11, or those of characters: 0069 0307 0301."""
    if _CHARACTERS.fullmatch(value):
        return True
    groups = [int(group) for group in _GROUP.findall(value)]
    return len(groups) > 3 and len({second - first for first, second in itertools.pairwise(groups)}) == 1


def _bracketed(data: bytes, start: int, end: int) -> Span | None:
    """An area code in brackets: (11) 91234-5678, (06) 1234 5678."""
    number = digits(data[start:end])
    if not 8 <= len(number) <= 12 or not _clean_edges(data, start, end) or number[:2] in {"19", "20"}:
        return None
    return start, end


def _trunk_eight(data: bytes, start: int, end: int) -> Span | None:
    """`8 (912) 345-67-89`: the trunk digit of Russia."""
    return (
        (start, end)
        if _clean_edges(data, start, end) and is_international("7" + digits(data[start:end])[1:])
        else None
    )


_CEP = re.compile(rb"[0-9]{5}-[0-9]{3}")
"""A postcode of Brazil; the word for it is that for a telephone in Turkey."""


def _named(data: bytes, start: int, end: int) -> Span | None:
    """Whatever is written like a number behind a word that says what it is."""
    whole = end
    if (extension := _EXTENSION_ENDS.search(data, start, end)) is not None:
        end = extension.start()
    match = re.search(rb"[+(]?\d[\d ().\-/]{4,24}\d\Z", data[start:end])
    if match is None:
        return None
    core = end
    if data[start : start + 3].lower() == b"cep" and _CEP.fullmatch(match.group()):
        return None
    value_of_verb = data[start : start + 4].lower() in _VERBS and match.group().isdigit()
    start += match.start()
    last = _shrink(data, start, end)
    if (
        after(data, end) == 0x3A
        and after(data, end, by=1) in ALNUM_BYTES
        and len(digits(data[start:last])) >= 7
    ):
        end = last  # what a colon follows is an address or a time of day: 5551234567 2001:db8::1
    while end > start:
        number = digits(data[start:end])
        if 7 <= len(number) <= 15 and after(data, end) not in ALNUM_BYTES and len(set(number)) > 1:
            if _DATE.match(data[start:end]) or re.fullmatch(
                rb"(?:19|20)\d\d-\d\d-\d\d(?: \d\d)?", data[start:end]
            ):
                return None
            if (
                len(number) == 15 and data[start:end].isdigit() and luhn(number)
            ):  # a telephone's own: its IMEI
                return None
            if value_of_verb and len(number) < 9:  # call 1234567 times
                return None
            return start, whole if end == core else end
        end = _shrink(data, start, end)
    return None


_STRING = re.compile(rb"\\?\"([^\"\\\0]{1,64})\\?\"\s{0,24},?\s{0,24}")


def _in_array(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """`"phones": ["4155552671", ...]`"""
    at = end - 2 if data[end - 2 : end - 1] == b"\\" else end - 1
    while (string := _STRING.match(data, at)) is not None:
        if 7 <= len(digits(string[1])) <= 15 and not string[1].translate(None, b"0123456789+() .-/"):
            yield string.span(1)
        at = string.end()


_WORDS = (
    rb"(?:tele)?phone(?:[ _]?number)?|mobile(?:[ _]?number)?|cell(?:phone|ulare|ular)?|tel|fax|whatsapp|msisdn|sms(?:[ _-]?to)?|handy(?:nummer)?|t\xc3\xa9l(?:\xc3\xa9phone)?|portable"
    rb"|(?:tele)?m(?:o|\xc3\xb3)vel|m(?:o|\xc3\xb3)vil|tel(?:e|\xc3\xa9)fono|telefon(?:e|nummer|nummeret|numret|u|sz(?:a|\xc3\xa1)m)?|telefoon(?:nummer)?|telepon|mobil(?:nummer|nummeret|telefon)?|mobiel(?:e)?(?:nummer)?"
    rb"|rufnummer|r\xc3\xbcckrufnummer|fijo|fisso|fixe|festnetz|landline|tlf|puh(?:elin)?(?:numero)?|kom(?:(?:o|\xc3\xb3)rka)?|cep(?: ?tel)?|gsm|natel|phn|ph|contact[ _-]?(?:no|number|phone)"
    rb"|call(?:[ _](?:me|us|him|her|them|back))?|dial|text me|reach me|hotline|helpline|toll[ -]?free|freephone"
)
_VERBS = frozenset({b"call", b"dial"})
_FOREIGN = "[тТ]елефон(?:а|у|ом|ен)?|[тТ]ел|[мМ]об(?:ильный|ільний|илен)?|手机(?:号)?(?:码)?|手機|电话(?:号码)?|電話(?:番号)?|携帯(?:電話)?|전화(?:번호)?|휴대(?:폰|전화)|연락처|τηλ(?:έφωνο)?|κινητό|טלפון|נייד|هاتف|جوال|موبايل|điện thoại|SĐT|sđt|โทร(?:ศัพท์)?|फ़?ोन|मोबाइल".encode()  # fmt: skip
_PHONE_WORD = re.compile(rb"(?i)(?:\b|_)(?:" + _WORDS + rb")[^\d\n\0]{0,24}\Z")
_OTHER_NUMBER = re.compile(
    rb"(?i)\b(?:order|invoice|ticket|ref|reference|id|sku|serial|part|case|account|acct|po|isbn|version|build|size|port|ports|line|lines|rows|bytes|took|status|code|pid)[^\w\0]*(?:no|number|nr|num)?[^\w\0]{0,4}\Z"
)

_EXTENSION = rb"(?:(?:,? | ?)(?i:ext\.?|extension|x) ?[0-9]{1,6})?\b"
_TO_NUMBER = (
    rb"(?i:[ _-]?(?:no|nr|num|numbers?|#|numer|numaras\xc4\xb1|\xd0\xbd\xd0\xbe\xd0\xbc\xd0\xb5\xd1\x80|\xe0\xa4\xa8\xe0\xa4\x82\xe0\xa4\xac\xe0\xa4\xb0|\xeb\xb2\x88\xed\x98\xb8))?\.?\\?[\"']?(?i:[ \t]{1,2}(?:(?:number|num\xc3\xa9ro|n\xc3\xbamero|nummer)[ \t])?(?:is|at|on|under|unter|es|est|ist|er|lautet|\xc3\xa8|\xc3\xa9|jest|je|to)(?:[ \t](?:el|le|der|die|now|still))?|[ \t]{0,32}\|[ \t]?|[ \t]{0,2}(?::[ \t]{0,2}\{|,)\s{0,16}\"(?:number|value|no)\"[ \t]{0,2}:|[ \t]{0,3}(?:[:>=]|=>|\xef\xbc\x9a|\xe3\x81\xaf|\xe6\x98\xaf|\xe4\xb8\xba)|"
    + NEXT_CELL
    + rb")?[ \t]{0,3}\\?[\"']?"
    rb"(?:\+|\()?[0-9](?:(?:[ ().\-/]{0,3}|" + APART + rb")[0-9]){6,14}" + _EXTENSION
)


_SAID = rb"(?:tele)?phones?(?:[ ]number)?|mobiles?(?:[ ]number)?|cell(?:phone)?(?:[ ]number)?|whatsapp|landline|handy(?:nummer)?|mobil(?:nummer|telefon)?|telefon(?:nummer)?|portable|m(?:o|\xc3\xb3)vil|tel(?:e|\xc3\xa9)fono|cellulare|telem(?:o|\xc3\xb3)vel|celular|(?:call|ring|reach|text|phone)[ ](?:me|us|her|him|them)"


def _is_national(number: str) -> bool:
    """As people write their own: with a zero before it, or the ten digits of North America."""
    if number.startswith("0"):
        return 10 <= len(number) <= 12 and _national_plan().fullmatch(number[1:]) is not None
    return len(number) == 10 and number[0] in "23456789" and number[3] in "23456789" and len(set(number)) > 3


def _plain(valid: Callable[[str], bool], value: bytes) -> bool:
    return not value.translate(None, b"0123456789 ./-") and valid(digits(value))


PHONE = (
    Shape(
        pattern=rb"\+\(?[1-9](?:\(0\)|(?:[ .\-/()]|" + APART + rb"){0,3}[0-9]){6,14}",
        check=evened(_international),
    ),
    Shape(pattern=rb"%2[Bb][1-9](?:(?:[ .-]|" + APART + rb")?[0-9]){6,14}\b", check=evened(_encoded)),
    word(rb"0[1-9](?:" + APART + rb"[0-9]{2}){4}\b", evened(_trunk)),
    word(rb"0[1-9][0-9]{1,4}" + APART + rb"[0-9]{2,8}(?:" + APART + rb"[0-9]{2,4}){0,3}\b", evened(_trunk)),
    word(rb"[2-9][0-9]{2}" + APART + rb"[2-9][0-9]{2}" + APART + rb"[0-9]{4}\b", evened(_nanp)),
    word(rb"00[1-9](?:[ .\-/()]{0,2}[0-9]){7,13}\b", _double_zero),
    Shape(pattern=rb"(?:\b1[-. ]?)?\([2-9][0-9]{2}\) ?[-.]?[0-9]{3}[-. ][0-9]{4}" + _EXTENSION, check=_nanp),
    word(
        rb"(?:1[-. ])?[2-9][0-9]{2}(?:-[0-9]{3}-|\.[0-9]{3}\.| [2-9][0-9]{2} | [2-9][0-9]{2}-)[0-9]{4}"
        + _EXTENSION,
        _nanp,
    ),
    # A trunk zero. Groups as they are written somewhere, and no others: dates and times must not be candidates.
    word(
        rb"0[1-9][0-9]{1,4}[ .\-/](?:[0-9]{2,4}(?:[ .\-][0-9]{2,4}){2,4}|[0-9]{3,5}[ .\-][0-9]{2,5}|[0-9]{4,8})\b",
        _trunk,
    ),
    word(rb"0[1-9]/[0-9]{6,8}\b", _trunk),
    word(rb"0[1-9]-[0-9]{3} [0-9]{2,3} [0-9]{2}\b", _trunk),
    word(rb"06[ -][0-9]{8}\b", _trunk),
    word(
        rb"(?i:" + _WORDS + rb")s?(?i:[ _-]?numbers?)?\\?\"[ \t]{0,3}:\s{0,3}\[\s{0,24}\\?\"", spans=_in_array
    ),
    word(rb"8[ -]?\([0-9]{3}\)[ -]?[0-9]{3}-[0-9]{2}-[0-9]{2}\b", _trunk_eight),
    word(
        rb"0[1-9](?:(?:[ .\-/][0-9]{2}){4}|[ \-][0-9]{3,4}[ \-][0-9]{4}|[ .][0-9]{3}[ .][0-9]{2}[ .][0-9]{2})\b",
        _trunk,
    ),
    Shape(pattern=rb"\(0[1-9][0-9]{0,4}\)(?:[ .\-/]?[0-9]{2,8}){1,4}\b", check=_trunk),
    Shape(pattern=rb"\([1-9][0-9]{1,2}\) ?[0-9]{3,5}[- ][0-9]{3,5}\b", check=_bracketed),
    word(rb"(?i:" + _WORDS + rb")" + _TO_NUMBER, evened(_named)),
    Shape(
        pattern=rb"[a-z](?:(?:Tele)?[Pp]hone|Mobile|Cell|Fax|Tel|Msisdn)(?:Number|No|Nr)?" + _TO_NUMBER,
        check=evened(lambda data, start, end: _named(data, start + 1, end)),
    ),
    in_sentences(
        b"(?i:" + _SAID + b")", [(re.compile(b"(?i)(?:" + _SAID + b")"), _is_national, False)], _plain
    ),
    # No `\b` begins such a word: to the scan its letters are none.
    Shape(pattern=rb"(?:" + _FOREIGN + rb")" + _TO_NUMBER, check=evened(_named)),
)
