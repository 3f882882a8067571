"""Secrets that show by where they stand: behind a name, in a URL, in a header, in an armour.

A name (`password`, `api_key`, `client_secret`, ...) may be part of a longer one and may be followed by a value in
the ways of JSON, YAML, environment files, connection strings, command lines, SQL and XML. What stands for a
value (`${PASSWORD}`, `$1`, `<secret>`, `null`, `os.environ[...]`) is no secret. The name always stays.
"""

from __future__ import annotations

import base64
import binascii
import json
import re

from gateway.masking.shapes import ALNUM_BYTES, LOOK_BEHIND, Shape, Span, before, word

LONGEST_VALUE = 4096
LONGEST_TOKEN = 16 * 1024
LONGEST_KEY = 64 * 1024

MARK = "[redacted]"
"""What stands in place of a secret; never itself taken for one."""

_STRONG = (
    rb"password|passwd|passphrase|passwort|contrase\xc3\xb1a|mot[_ ]de[_ ]passe|pwd"
    rb"|secret(?:[_-]?access)?(?:[_-]?key)?|api[_-]?(?:key|secret|token)"
    rb"|(?:access|auth|refresh|bearer|session|id|security|bot|deploy|personal[_-]access)[_-]?token|private[_-]?key|encryption[_-]?key|signing[_-]?key"
    rb"|master[_-]?key|access[_-]?key|account[_-]?key|shared[_-]?key|storage[_-]?key|webhook[_-]?secret|credentials?|mysql_pwd|db_?pass|auth_?key|client[_-]?key[_-]?data"
)
_SHORT = rb"pass|pw|token|passcode|pin"
_BETWEEN = rb"\\?[\"'`]?[ \t]{0,8}(?:=>|:=|==?|:)[ \t]{0,8}"
_NAMES = rb"(?i:" + _STRONG + rb"|(?:\b|_|-)(?:" + _SHORT + rb"))"

_PLACEHOLDER = re.compile(
    rb"(?i)(?:null|nil|none|true|false|undefined|yes|no|string|str|text|varchar|char|bool|boolean|int|integer|number|bytes|any|object"
    rb"|required|optional|required\W.*|must|is|not|the|a|empty|unset|n/a|not[ _-]?set|prompt|disabled|enabled|redacted|hidden|masked"
    rb"|[*\u2022x.#_-]*|\?|%s|%\w?|\$\d+|:\w+|@\w+|\$\{.*|\$\(.*|\$[A-Za-z_]\w*|\{\{.*|\{.*|<.*|%\(.*|%[A-Z_]+%|\[.*|\(.*"
    rb"|(?:[A-Za-z_][\w.]*)(?:\(.*|\[.*)|(?:os|process|self|this|config|settings|env|args|options|params|request|secrets|var|vault|data)\.[A-Za-z_][\w.]*"
    rb"|(?:your|my|example|enter)[_ -]?(?:\w*[_ -]?)?(?:password|secret|token|key)(?:[_-]?here)?|(?:env|file|vault|secret):[\w./-]+)".replace(
        b"\\u2022", b"\xe2\x80\xa2"
    )
)
_QUOTED = {
    quote: re.compile(rb"(?:[^\\\r\n\0" + quote + rb"]|\\[^\r\n\0]){0,%d}" % LONGEST_VALUE)
    for quote in (b'"', b"'", b"`")
}
_ESCAPED_QUOTED = re.compile(rb"(?:[^\\\"'\r\n\0]|\\\\[^\r\n\0]){0,%d}" % LONGEST_VALUE)
_BARE = re.compile(rb"[^\s\0\"'<>;&`]{0,%d}" % LONGEST_VALUE)
_NEXT_PAIR = re.compile(rb",[\"']?[A-Za-z_][\w.-]*[\"']?[=:]|,\Z|\\[nrt\"']|\\u00")
_CLOSERS = b",.)]}|\\:"
_CODE_TYPE = re.compile(rb"[A-Z][a-z]\w*(?:\[\w*\])?")
_PLAIN_WORD = re.compile(rb"[a-z]+|[A-Z][a-z]+|\d{1,3}")


def _value_at(data: bytes, start: int) -> Span | None:
    """The value that begins at `start`, quoted or not, without its quotes."""
    if data[start : start + 1] == b"\\" and data[start + 1 : start + 2] in {b'"', b"'"}:
        match = _ESCAPED_QUOTED.match(data, start + 2)
    elif (quote := _QUOTED.get(data[start : start + 1])) is not None:
        match = quote.match(data, start + 1)
    else:
        return _bare_at(data, start)
    assert match is not None
    return match.span() if match.end() > match.start() else None


def _bare_at(data: bytes, start: int) -> Span | None:
    match = _BARE.match(data, start)
    assert match is not None
    end = match.end()
    if (pair := _NEXT_PAIR.search(data, start, end)) is not None:
        end = pair.start()
    while end > start and data[end - 1] in _CLOSERS:
        end -= 1
    return (start, end) if end > start else None


def _is_value(value: bytes) -> bool:
    return value != MARK.encode() and _PLACEHOLDER.fullmatch(value) is None


def _named(data: bytes, start: int, end: int) -> Span | None:
    """`name = value`: the candidate ends with the value's first byte."""
    span = _value_at(data, end - 1)
    if span is None or not _is_value(value := data[span[0] : span[1]]):
        return None
    name = data[start:end].lower()
    quoted = span[0] != end - 1
    if name.startswith((b"pwd", b"_pwd")) and value[:1] in b"/~":  # the shell's working directory
        return None
    if not quoted and (_CODE_TYPE.fullmatch(value) and data[end - 2 : end - 1] == b" " and b":" in name):
        return None
    if name.lstrip(b"_-").startswith((b"token", b"pin", b"pass", b"pw")) and not name.lstrip(
        b"_-"
    ).startswith((b"password", b"passwd", b"passphrase", b"passcode", b"pwd")):
        return span if _looks_secret(value, least=4 if b"pin" in name or b"pass" in name else 6) else None
    if name.startswith((b"secret", b"credential", b"id", b"session", b"account")) and not quoted:
        return span if _looks_secret(value, least=6) else None
    return span


def _looks_secret(value: bytes, *, least: int) -> bool:
    return len(value) >= least and _PLAIN_WORD.fullmatch(value) is None


def _spoken(data: bytes, _start: int, end: int) -> Span | None:
    """`PASSWORD 'x'`, `IDENTIFIED BY 'x'`, `--password x`, `<password>x`."""
    span = _value_at(data, end - 1)
    if span is None or not _is_value(data[span[0] : span[1]]) or data[span[0] : span[0] + 1] == b"-":
        return None
    return span


def _element(data: bytes, start: int, end: int) -> Span | None:
    """`<db:password>x</db:password>`."""
    opened = re.search(rb"<[A-Za-z:._-]{0,24}\Z", data[max(0, start - 25) : start])
    return _spoken(data, start, end) if opened is not None else None


def _in_url(data: bytes, start: int, end: int) -> Span | None:
    """`scheme://user:password@host`: the candidate ends with the `@`; an `@` in the password is hidden too."""
    if before(data, start) not in ALNUM_BYTES:
        return None
    start = data.index(b"://", start, end) + 3
    start = data.index(b":", start, end) + 1
    host = re.compile(rb"[^\s/\"'<>@]{1,128}@").match(data, end)
    end = host.end() if host is not None and b":" not in host.group() else end
    return (start, end - 1) if _is_value(data[start : end - 1]) else None


_TOKEN = re.compile(rb"[A-Za-z0-9._~+/=%%-]{0,%d}" % LONGEST_TOKEN)


_AUTHORIZATION = re.compile(rb"(?i)authorization\\?[\"']?[ \t]*[:=,][ \t\\\"']*\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{4,%d}={0,2}" % LONGEST_VALUE)
_LINE = re.compile(rb"[^\r\n\0\"']{1,%d}" % LONGEST_VALUE)
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9-]{1,30})[ \t]+(?=\S)")


def _bearer(data: bytes, start: int, end: int) -> Span | None:
    match = _TOKEN.match(data, end - 1)
    assert match is not None
    value = match.group().rstrip(b".")
    in_header = _AUTHORIZATION.search(data[max(0, start - LOOK_BEHIND) : start])
    if len(value) < (4 if in_header else 12) or not (in_header or re.search(rb"[0-9._~+/=]", value)):
        return None
    return (end - 1, end - 1 + len(value)) if _is_value(value) else None


def _basic(data: bytes, start: int, end: int) -> Span | None:
    """RFC 7617: base64 of `user:password`, wherever it stands; behind the header's name, whatever it is."""
    match = _BASE64.match(data, end - 1)
    if match is None:
        return None
    if _AUTHORIZATION.search(data[max(0, start - LOOK_BEHIND) : start]):
        return match.span()
    try:
        decoded = base64.b64decode(match.group() + b"=" * (-len(match.group()) % 4), validate=True)
    except binascii.Error:
        return None
    return match.span() if b":" in decoded and all(32 <= byte != 127 for byte in decoded) else None


def _header(data: bytes, _start: int, end: int) -> Span | None:
    """`Authorization: Scheme credentials` and `X-Api-Key: value`; bearer and basic have detectors of their own."""
    line = _LINE.match(data, end - 1)
    assert line is not None
    value = line.group()
    at = end - 1
    if scheme := _SCHEME.match(value):
        if scheme[1].lower() in {b"bearer", b"basic"}:
            return None
        at += scheme.end()
        value = value[scheme.end() :]
    if (
        b"=" not in value or b"," not in value
    ):  # parameters (Digest, AWS4) go on behind a blank, tokens do not
        value = value.split(None, 1)[0]
    value = value.rstrip(b" \t\\,;)}]")
    return (at, at + len(value)) if value and _is_value(value) else None


def _cookie(data: bytes, start: int, end: int) -> Span | None:
    """RFC 6265: the values of all pairs, which are hidden as one; of a single pair, its value."""
    line = _LINE.match(data, end - 1)
    assert line is not None
    value = line.group().rstrip(b" \t\\,;)}]")
    pair = value.find(b"=")
    if pair < 0 or not _is_value(value):
        return None
    at = end - 1 + (pair + 1 if b"cookie" in data[start:end].lower() else 0)
    return (at, end - 1 + len(value)) if at < end - 1 + len(value) and _is_value(value[pair + 1 :]) else None


_JWT_REST = re.compile(rb"[A-Za-z0-9_-]{0,%d}(?:\.[A-Za-z0-9_-]{0,%d}){1,3}" % (LONGEST_TOKEN, LONGEST_TOKEN))


def _jwt(data: bytes, start: int, _end: int) -> Span | None:
    """RFC 7519: the first part is the base64url of a JSON object that names an algorithm or a type."""
    dot = data.index(b".", start)
    head = data[start:dot]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    except (ValueError, binascii.Error):
        return None
    if not isinstance(header, dict) or not header.keys() & {"alg", "typ", "enc", "kid"}:
        return None
    match = _JWT_REST.match(data, dot + 1)
    return (start, match.end()) if match is not None else None


_ARMOUR_BODY = re.compile(
    rb"(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\r\n\0]{0,128}|[A-Za-z0-9+/=\s\\]){0,%d}" % LONGEST_KEY
)
_ARMOUR_END = re.compile(rb"-{3,5} ?END [A-Z0-9 ]{0,40}-{0,5}")


def _private_key(data: bytes, start: int, end: int) -> Span | None:
    """RFC 7468: to its END line, or, where that is missing, as far as the armour goes."""
    body = _ARMOUR_BODY.match(data, end)
    assert body is not None
    finish = _ARMOUR_END.match(data, body.end())
    return start, finish.end() if finish is not None else end + len(body.group().rstrip())


PASSWORD = (
    Shape(pattern=_NAMES + _BETWEEN + rb"[^\s\0]", check=_named),
    Shape(pattern=rb"(?i:password|passwd|identified[ \t]{1,4}by)[ \t]{1,4}['\"]", check=_spoken),
    Shape(pattern=rb"-(?i:password|passwd|pass|token|secret|api-?key)[ \t]{1,4}[^\s\0-]", check=_spoken),
    Shape(pattern=rb"(?i:password|passwd|secret|token|api-?key)>[^\s\0<]", check=_element),
    Shape(pattern=rb"://[^\s\0/:@\"'<>]{0,128}:[^\s\0@\"'<>]{1,256}@", check=_in_url),
)
BEARER = (word(rb"(?i:bearer)[ \t]{1,4}[A-Za-z0-9._~+/=-]", _bearer),)
BASIC = (word(rb"(?i:basic)[ \t]{1,4}[A-Za-z0-9+/]", _basic),)
HEADER = (
    word(
        rb"(?i:(?:proxy-)?authorization|x-[a-z-]{0,24}(?:api-?key|token|secret|auth))[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']?[^\s\0\"'\\]",
        _header,
    ),
)
COOKIE = (word(rb"(?i:(?:set-)?cookie)[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']?[^\s\0\"'\\]", _cookie),)
JWT = (word(rb"eyJ[A-Za-z0-9_-]{6,900}\.[A-Za-z0-9_-]", _jwt),)
PRIVATE_KEY = (
    Shape(pattern=rb"-{5} ?BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)? ?-{5}", check=_private_key),
)
