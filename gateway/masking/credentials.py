"""Secrets in HTTP headers, JSON web tokens, cookies and private keys: what says by its form or its place that it is one."""

from __future__ import annotations

import base64
import binascii
import json
import re

from gateway.masking.shapes import LOOK_BEHIND, Shape, Span, before, word
from gateway.masking.values import LONGEST_VALUE, in_list, is_value, looks_secret

LONGEST_TOKEN = 64 * 1024
LONGEST_KEY = 64 * 1024
_DECODED = 128
"""Signs of base64 that tell whether it holds a user and a password."""

_TOKEN = re.compile(rb"(?:[0-9]{1,12}\|)?[A-Za-z0-9._~+/=%%:-]{0,%d}" % LONGEST_TOKEN)
_AUTHORIZATION = re.compile(rb"(?i)authorization\\?[\"']?[ \t]*[:=,][ \t\[]*b?[\\\"'`\[]*\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{4,%d}={0,2}" % LONGEST_VALUE)
_LINE = re.compile(rb"[^\r\n\0\"']{1,%d}" % LONGEST_VALUE)
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9-]{1,30})[ \t]+(?=\S)")
_PARAMETER = re.compile(rb"[A-Za-z_-]{1,32}=")


def _bearer(data: bytes, start: int, end: int) -> Span | None:
    match = _TOKEN.match(data, end - 1)
    assert match is not None
    value = match.group().rstrip(b".:")
    in_header = _AUTHORIZATION.search(data[max(0, start - LOOK_BEHIND) : start])
    if len(value) < (4 if in_header else 12) or not (in_header or re.search(rb"[0-9._~+/=]", value)):
        return None
    span = (end - 1, end - 1 + len(value))
    if not in_header and not looks_secret(value, least=12):
        return None
    return span if is_value(data, span, quoted=True) and not _PARAMETER.match(value) else None


def _basic(data: bytes, start: int, end: int) -> Span | None:
    """RFC 7617: base64 of `user:password`, wherever it stands; behind the header's name, whatever it is."""
    match = _BASE64.match(data, end - 1)
    if match is None:
        return None
    if _AUTHORIZATION.search(data[max(0, start - LOOK_BEHIND) : start]):
        return match.span()
    try:
        value = match.group()[:_DECODED]
        decoded = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
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
        if scheme[1].lower() in {b"bearer", b"basic", b"digest", b"oauth"}:
            return None
        if b"authorization" in data[_start:end].lower():
            at += scheme.end()
            value = value[scheme.end() :]
    if not _PARAMETER.match(value):  # parameters (AWS4) go on behind a blank, tokens do not
        value = value.split(None, 1)[0]
    value = value.rstrip(b" \t\\,;)}]")
    span = in_list(data, _start, (at, at + len(value)))
    value = data[span[0] : span[1]]
    return span if value and is_value(data, span, quoted=False) and looks_secret(value, least=4) else None


def _digest(data: bytes, start: int, end: int) -> Span | None:
    """RFC 7616: the answer to a challenge, among the header's other parameters."""
    beside = data[max(0, start - LOOK_BEHIND) : start]
    match = _HEX.match(data, end - 32)
    assert match is not None
    return match.span() if re.search(rb"(?i)digest |nonce=|realm=|uri=|nc=|qop=", beside) else None


_HEX = re.compile(rb"[0-9a-fA-F]{32,128}")
_PAIR = re.compile(rb"[; ]{0,4}([^\s=;:,\"']{1,128})=([^;\s\0\"']{0,%d})" % LONGEST_VALUE)
_HARMLESS_COOKIE = re.compile(
    rb"(?i)_g[acil]\w*|_fbp|_hj\w*|_pk_\w*|lang(?:uage)?|locale|theme|tz|timezone|currency|consent\w*|cookie_?consent|path|domain|expires|max-age|samesite|version|priority"
)
_HARMLESS_VALUE = re.compile(rb"[A-Za-z]{0,12}|\d{1,6}|[a-z]{2}[-_][A-Za-z]{2}|v?\d+(?:\.\d+){1,3}")


def _cookie(data: bytes, start: int, end: int) -> Span | None:
    """RFC 6265: from the first value that may open a session to the last, as one; attributes are left."""
    secret: list[Span] = []
    alone = b"set-" in data[start:end].lower()
    at, farthest = end - 1, end + LONGEST_VALUE
    while (match := _PAIR.match(data, at, farthest)) is not None:
        at = match.end()
        if (
            not _HARMLESS_COOKIE.fullmatch(match[1])
            and not _HARMLESS_VALUE.fullmatch(match[2])
            and is_value(data, match.span(2), quoted=True)
        ):
            secret.append(match.span(2))
            if alone:
                break
    if not secret:
        return None
    first, last = secret[0][0], secret[-1][1]
    return first, first + len(data[first:last].rstrip(b" \t\\,;)}]"))


def _session(data: bytes, start: int, end: int) -> Span | None:
    """`PHPSESSID=x`, `"session_id": "x"`; a UUID there names a session in a log and opens none."""
    match = _SESSION_ID.match(data, end - 1)
    if match is None or _UUID.fullmatch(match.group()):
        return None
    if data[start:end].lower().startswith(b"sid") and before(data, start) in b"_-":  # ACCOUNT_SID
        return None
    value = match.group()
    if data.startswith(b"Sid", start) or _CLASS.fullmatch(
        value
    ):  # a statement of a policy; a program's class
        return None
    if (
        value.startswith(b"S-1-") or _TLS_SESSION.fullmatch(value) or _RESOURCE.fullmatch(value)
    ):  # an account of Windows
        return None
    return match.span() if re.search(rb"[0-9]", value) and re.search(rb"[A-Za-z]", value) else None


_CLASS = re.compile(rb"[a-z_]{1,24}(?:\.[a-z_][a-z0-9_]{0,20})*\.[A-Z][A-Za-z]+")
_TLS_SESSION = re.compile(rb"[0-9A-F]{64}")
"""RFC 5246: as openssl prints it."""
_RESOURCE = re.compile(rb"[A-Z]{2}[0-9a-f]{32}")
"""What Twilio calls a message, a call or an account: it opens nothing."""
_SESSION_ID = re.compile(rb"[A-Za-z0-9%%._~+/=-]{16,%d}" % LONGEST_VALUE)
_UUID = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
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
    rb"(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash|Subject):[^\r\n\0]{0,128}"
    # literals of a program joined to one, and lines of a comment
    rb"|[\"'`][ \t]{0,8}[+.&,]?\s{0,64}[\"'`]|[\r\n][ \t]{0,16}(?:#|//|\*|>|;|--[ \t])[ \t]?(?=[A-Za-z0-9+/=-])|[A-Za-z0-9+/=\s\\]){0,%d}"
    % LONGEST_KEY
)
_ARMOUR_END = re.compile(rb"-{3,5} ?END [A-Z0-9 ]{0,40}-{0,5}")
_STRING_ENDS = re.compile(rb"(?:\\[rn]){1,2}(?=\\?[\"']|\s|\Z)")
"""The last line's end, where the key is written as one string."""
_PUTTY_BODY = re.compile(
    rb"[A-Za-z0-9+/=]{1,128}(?:(?:\r?\n|\\r\\n|\\n)[A-Za-z0-9+/=]{1,128}(?![A-Za-z0-9+/=-])){0,128}"
)


def _private_key(data: bytes, start: int, end: int) -> Span | None:
    """RFC 7468: to its END line, or, where that is missing, as far as the armour goes."""
    body = _ARMOUR_BODY.match(data, end)
    assert body is not None
    finish = _ARMOUR_END.match(data, body.end())
    if finish is not None and (rest := _STRING_ENDS.match(data, finish.end())) is not None:
        return start, rest.end()
    return start, finish.end() if finish is not None else end + len(body.group().rstrip())


def _putty(data: bytes, _start: int, end: int) -> Span | None:
    body = _PUTTY_BODY.match(data, end - 1)
    assert body is not None
    return body.span()


def _in_xml(data: bytes, _start: int, end: int) -> Span | None:
    """The private parts of an `RSAKeyValue`."""
    match = _BASE64.match(data, end - 24)
    return match.span() if match is not None and data.startswith(b"</", match.end()) else None


def _jwk(data: bytes, start: int, end: int) -> Span | None:
    """RFC 7518: `d` and the primes of a private key, `k` of a shared one."""
    match = _TOKEN.match(data, end - 22)
    assert match is not None
    key = data[start:end].split(b'"')[1].rstrip(b"\\")
    beside = data[max(0, start - LOOK_BEHIND) : start]
    return match.span() if key != b"k" or re.search(rb"\"(?:kty|alg)\\?\"", beside) else None


BEARER = (word(rb"(?i:bearer)(?:,?[ \t]{1,4}|%20)[A-Za-z0-9._~+/=-]", _bearer),)
BASIC = (word(rb"(?i:basic)[ \t]{1,4}[A-Za-z0-9+/]", _basic),)
HEADER = (
    word(
        rb"(?i:(?:proxy-)?authorization|x-[a-z-]{0,24}(?:api-?key|token|secret|auth|key|signature))[\"']?[ \t]{0,3}:[ \t]{0,3}(?:b?[\"'`])?[^\s\0\"'\\`]",
        _header,
    ),
    word(rb"response=\\?\"[0-9a-fA-F]{32}", _digest),
)
COOKIE = (
    word(rb"(?i:(?:set-)?cookie)[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']?[^\s\0\"'\\]", _cookie, judged=4096),
    word(
        rb"(?i:(?:php|j|asp)?sess(?:ion)?[_-]?id[a-z]{0,12}|connect\.sid|aspnet(?:core)?\.[a-z.]{1,40}|session|sid|remember_me|(?:csrf|xsrf)[_-]?(?:middleware)?token)"
        rb"\\?[\"']?[ \t]{0,2}[:=][ \t]{0,2}\[?\\?[\"']?[A-Za-z0-9%]",
        _session,
    ),
)
JWT = (word(rb"eyJ[A-Za-z0-9_-]{6,900}\.[A-Za-z0-9_-]", _jwt),)
PRIVATE_KEY = (
    Shape(
        pattern=rb"-{4,5} ?BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)? ?-{4,5}", check=_private_key
    ),
    Shape(pattern=rb"Private-Lines: [0-9]{1,4}(?:\r?\n|\\r\\n|\\n)[A-Za-z0-9+/=]", check=_putty),
    Shape(pattern=rb"<(?:D|P|Q|DP|DQ|InverseQ)>[A-Za-z0-9+/]{24}", check=_in_xml),
    Shape(
        pattern=rb"\"(?:d|p|q|dp|dq|qi|k)\\?\"[ \t]{0,2}:[ \t]{0,2}\\?\"[A-Za-z0-9_-]{22}",
        check=_jwk,
    ),
)
