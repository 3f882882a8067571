"""A value behind a name and a sign, `name = value`: where it ends, and whether it is one.

What is called a password is one, whatever it looks like, but for what a form or a program calls so; what is called a key, token or
secret has to look like one.
"""

from __future__ import annotations

import re

from gateway.masking.called import FOREIGN, IS_CODE, IS_PASSWORD, NOT_SECRET_BEFORE, OWNED, PASSWORD_NAMES
from gateway.masking.chosen import is_chosen
from gateway.masking.lines import begins, joined, to_line_end
from gateway.masking.shapes import Span
from gateway.masking.values import (
    KEY_ID,
    PUBLIC_KEY,
    SENTENCE,
    in_list,
    is_strong,
    is_value,
    looks_secret,
    quoted_at,
    value_at,
)

_EXPANSION = re.compile(rb"\$\{[A-Za-z0-9_]*\Z")
"""`${PASSWORD:-default}`: the shell's variable, and not its value."""
LABEL = re.compile(rb"(?i)(?:" + FOREIGN + rb"|(?:new |old |your )?pass(?:word|phrase)):?")
"""What a form calls a password: the text of a label, and no value."""
_VERB = re.compile(
    rb"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z])(?<![Kk]ey)(?<![Tt]rust))(?i:update|reset|change|forgot(?:ten)?|require[sd]?|allow(?:_?empty)?|show|hide|enable[sd]?|disable[sd]?|has|is|needs?|random(?:_root)?|generate[sd]?|store[sd]|save[sd]?|expire[sd]?|skip|no|without|remember)[_-]?(?:\w{1,8}[_-])?\Z"
)
"""`update_password: on_create`: what is done with a password, and not the password."""
_SMALL = frozenset(b"abcdefghijklmnopqrstuvwxyz")
_CAPITAL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_BRACED = re.compile(rb"\{((?=[^{}]*[;@!#%^*~?$&+=])(?:[^\s\0{}()\"']|\}\}){4,64})(?:\}(?=[;\"'\s]|\Z)|\Z)")
"""ODBC puts braces round what holds a semicolon."""
_FORMATTED = re.compile(rb"[a-z_][A-Za-z_.]{0,40}![rsa]")
"""`f"password={password!r}"`"""
_WHOLE_QUOTED = re.compile(
    rb"(?<=[ \t=,(\[])[\"'](?:[A-Za-z0-9_]{0,24})(?i:"
    + PASSWORD_NAMES
    + rb"|"
    + OWNED
    + rb"|pass)=[^\"'\s\0]\Z"
)
_MORE_PAIRS = re.compile(rb"[=&;,]|[\r\n\0]")
_LIST_OF_ONE = re.compile(rb"\[(?:\\?[\"'])?([^\"'\\\s\0\[\],:|]{4,256})(?:\\?[\"'])?\]")
"""`{'password': ['x']}`, `map[password:[x]]`: the fields of forms as programs print them. What is said of a field stands so too."""
_WORDS_TO_THE_END = re.compile(rb"((?:[ \t][A-Za-z0-9'-]{1,20}){1,11})[ \t]*(?=[\r\n\0]|\Z)")
_OF_OPENPGP = re.compile(rb"(?i)(?:gpg|pgp)\Z")
_EQUALS = re.compile(rb"[a-z]==\Z")
_DOUBLED = re.compile(rb"[A-Z0-9_]==\Z")
_COMPARED = re.compile(rb"(?:!=|==)=?[ \t]*\Z")
"""With what is no literal."""
_USER_BEFORE = re.compile(
    rb"(?i)(?:user(?:name)?|login)[\"']?[ \t]?(?:=>|[:=])[^\r\n\0]{1,64}(?:\r?\n[ \t]{0,16}[\"']?)?\Z"
)
_DICE = re.compile(rb"[A-Za-z]{3,12}(?:[._-][A-Za-z]{3,12}){3,9}")
"""Four words or more: nobody's status is called so."""
_DIGITS = re.compile(rb"\d{3,10}(?![0-9A-Za-z.,:/-])")


def assigned(data: bytes, start: int, end: int) -> Span | None:
    """The candidate begins with the name and ends with the value's first byte."""
    at = end - 1
    if (listed := _LIST_OF_ONE.match(data, at)) is not None:
        return listed.span(1) if is_strong(listed[1]) else None
    if (braced := _BRACED.match(data, at)) and data[at - 1 : at] == b"=":
        return None if _FORMATTED.fullmatch(braced[1]) else braced.span(1)
    span, at = _extent(data, start, end)
    if span is None or not is_value(data, span, quoted=span[0] != at):
        return None
    value = data[span[0] : span[1]]
    name = data[start:end].lower()
    if _is_none(data, start, end, at, name, value, bare=span[0] == at):
        return None
    if value.startswith(b"base64:"):
        span = (span[0] + 7, span[1])
    return _by_name(data, start, at, name, span, value)


def _extent(data: bytes, start: int, end: int) -> tuple[Span | None, int]:
    """Where the value begins and ends, and where it would without quotes around it."""
    at = end - 1
    span = value_at(data, at)
    if (
        span is not None
        and span[0] == at
        and data[at - 1 : at] == b"="
        and (whole := _WHOLE_QUOTED.search(data, max(0, start - 32), end))
    ):
        # 'password=two words'
        filled = quoted_at(data, whole.start(), at)
        span = filled if filled is not None and not _MORE_PAIRS.search(data, *filled) else span
    if (
        span is not None
        and span[0] == at
        and (
            _DOUBLED.search(data, start, at)
            or (_EQUALS.search(data, start, at) and begins(data, start) and is_strong(data[slice(*span)]))
        )
    ):
        span = (at - 1, span[1])  # PASSWORD==x: the second sign is the value's
        at -= 1
    if span is not None and data[span[0] - 1 : span[0]] in {b'"', b"'"}:
        span = joined(data, span)
    if span is not None and span[0] == at:
        span = in_list(data, start, span)
        of_password = b"pass" in data[start:at].lower() or IS_PASSWORD.match(data, start) is not None
        if is_value(data, span, quoted=False) and (
            line := to_line_end(data, start, at, span, least=2 if of_password else 4)
        ):
            span = line
        elif b"phrase" in data[start:end].lower() and (more := _WORDS_TO_THE_END.match(data, span[1])):
            span = (span[0], more.end(1))
    return span, at


def _is_none(data: bytes, start: int, end: int, at: int, name: bytes, value: bytes, *, bare: bool) -> bool:
    """Whether what stands there is no value, whatever the name: a variable, a label, a comparison, a key for everybody.

    `bare`: it stands in no quotes.
    """
    return bool(
        data[max(0, start - 7) : start] == b":param "  # what a documentation says of it follows
        or (bare and _COMPARED.search(data, start, at))
        or PUBLIC_KEY.match(value)
        or (
            KEY_ID.fullmatch(value)
            and (name.startswith(b"signing") or _OF_OPENPGP.search(data, max(0, start - 8), start))
        )
        or (
            b"_" in value  # pool_passwd = 'pool_passwd'
            and data[max(0, start - 32) : end].lower().split(b"=")[0].rstrip().endswith(value.lower())
        )
        or _names_itself(data, start, at, value)
        or data[start:at] == b"PASSWORD :"
        or says_something(value)
        or _EXPANSION.search(data[max(0, start - 40) : start])
        or LABEL.fullmatch(value)
        or (_VERB.search(data[max(0, start - 24) : start]) and (b" " in value or not is_strong(value)))
    )


def _by_name(data: bytes, start: int, at: int, name: bytes, span: Span, value: bytes) -> Span | None:
    """The value as far as its name makes it a secret."""
    if IS_PASSWORD.match(name):
        # The shell's working directory, and what a type is called.
        return None if name.startswith(b"pwd") and value[:1] in b"/~" else span
    word_ends = start + (data[start] in _SMALL and data[start + 1] in _CAPITAL)  # nextToken
    if NOT_SECRET_BEFORE.search(data[max(0, start - 48) : word_ends]):
        return None
    plain = name.removeprefix(b"%5b").lstrip(b"_-")
    if (
        plain.startswith((b"pin", b"puk", b"otp", b"cvv", b"cvc"))
        or plain[1:].startswith(b"pin")
        or IS_CODE.match(plain)
    ):
        code = _DIGITS.match(value)
        return (span[0], span[0] + code.end()) if code is not None else None
    if name.startswith(b"_key"):  # any key of an environment, if it is none of a table
        return span if len(value) >= 16 and is_strong(value) else None
    if plain.startswith((b"pass", b"pw")) or plain[1:].startswith((b"pass", b"pwd")):
        if (name.startswith(b"pass") or b" :" in data[start:at]) and data[
            at - 1 : at
        ] in b" \t":  # "pass: 12 of 15", "second pass: merge"
            told = b"=" in data[start:at] or _USER_BEFORE.search(data, max(0, start - 96), start) is not None
            return (
                span
                if (told and span[0] != at) or looks_secret(value, least=4) or _DICE.fullmatch(value)
                else None
            )
        return span if len(value) > (1 if span[0] != at else 3) and not value.isdigit() else None
    of_words = span[0] == at and value.count(b" ") > 2
    return span if of_words or looks_secret(value, least=6) or is_chosen(data, start, at, span) else None


def says_something(value: bytes) -> bool:
    """Whether this is a sentence: a message about a password, as catalogues of texts and forms have them."""
    words = value.split(b" ")
    return (
        value[:1].isupper()
        and len(words) > 2
        and sum(SENTENCE.fullmatch(word) is not None for word in words) > 1
    )


_IDENTIFIER = re.compile(rb"[A-Za-z0-9_$]{0,40}\Z")


def _names_itself(data: bytes, start: int, at: int, value: bytes) -> bool:
    """`userPassword: "userPassword"`, `useCredentials: init.useCredentials`: a name of several words for its own value."""
    led, own = (
        _IDENTIFIER.search(data, max(0, start - 40), start),
        re.match(rb"[A-Za-z0-9_$]*", data[start:at]),
    )
    name = (led.group() if led is not None else b"") + (own.group() if own is not None else b"")
    return value.rpartition(b".")[2] == name and re.search(rb"[a-z][A-Z]|_", name) is not None
