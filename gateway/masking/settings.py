"""Secrets in configuration files whose formats have no word for them, or put it elsewhere.

A key is known by its value, which no hand has made; the passwords of a list of users by the list that they stand in.
"""

from __future__ import annotations

import re

from gateway.masking.gathered import GATHERED
from gateway.masking.linear import linear
from gateway.masking.lines import begins
from gateway.masking.shapes import LOOK_BEHIND, Shape, Span, word
from gateway.masking.values import (
    KEY_ID,
    PUBLIC_KEY,
    SENTENCE,
    is_random,
    is_strong,
    is_value,
    looks_secret,
    value_at,
)

_IS = rb"\\?[\"'`]?\]?[ \t]{0,16}(?:=>|:=|=|:)[ \t]{0,16}"
_OR_LISTED = rb"(?:" + _IS + rb"|\\?[\"'][ \t]{0,4},[ \t]{0,16})\\?[\"'`]?"
_NAME_BEFORE = re.compile(rb"[A-Za-z0-9_.-]{0,40}\Z")
_TYPE_OF_AWS = re.compile(rb"AWS::[A-Za-z0-9]{1,24}::[A-Za-z0-9]{0,24}\Z")
_NO_SECRET_KEY = re.compile(
    rb"(?i)(?:public|publishable|pub|site|cache|idempotency|partition|primary|foreign|sort|shard|hash|range|row|unique|composite|group(?:ing)?|lookup|object|dedup[a-z]{0,8}|message"
    rb"|record|search|index|natural|surrogate|translation|locale|i18n|project|issue|registry|event|trace|feature|content|resource|state|lock|etag|commit|blob|layer|asset|file|s3|bucket"
    rb"|instrumentation|websocket|host|known|verif(?:y|ication)|peer|trusted|authorized|allowed|template|checksum|restore|map|dict|json|config|metric|label|tag|node|server|topic|queue|license"
    rb"|tracking|order|item|product|story|doc(?:ument)?|sheet|react|entity|revision|build|fingerprint)[s_.-]{0,2}key[0-9]?\Z"
)
_KEY_OF_SERVICE = re.compile(rb"(?i)(?:primary|secondary)_?key")
"""A column's key is short; a service's is base64 of many bytes."""
_ENCRYPTS = re.compile(rb"(?i)crypt|secret|hmac|auth|jwt|cipher|security|token|psk")
_HEX = linear(rb"[0-9a-f]{16,}|[0-9A-F]{16,}")
_QUOTE = re.compile(rb"\\?[\"'`]\Z")


def _value(data: bytes, end: int, drawn: int) -> Span | None:
    """The value whose first `drawn` bytes end the candidate."""
    at = end - drawn
    quoted = _QUOTE.search(data, max(0, at - 2), at)
    span = value_at(data, quoted.start() if quoted is not None else at)
    if span is not None and (parameter := data.find(b"&", *span)) > 0:  # of which the rest may not have come
        span = (span[0], parameter)
    return span if span is not None and is_value(data, span, quoted=quoted is not None) else None


def _key(data: bytes, start: int, end: int) -> Span | None:
    """`cookieValidationKey`, `hash_salt`, `"Key"`: what nobody says aloud is a secret if it was drawn by lot."""
    span = _value(data, end, 16)
    if span is None:
        return None
    value = data[span[0] : span[1]]
    name = re.split(rb"[\"'`\] \t=:,\\]", data[start:end], maxsplit=1)[0]
    led = _NAME_BEFORE.search(data, max(0, start - 40), start)
    whole = (led.group() if led is not None else b"") + name
    if _KEY_OF_SERVICE.fullmatch(whole) and value.endswith(b"=") and is_random(value, least=40):
        return span
    if (
        _NO_SECRET_KEY.search(whole)
        or PUBLIC_KEY.match(value)
        or _TYPE_OF_AWS.search(data, max(0, start - 48), start)
    ):
        return None
    return span if is_random(value, least=16) and not KEY_ID.fullmatch(value) else None


def _bare_key(data: bytes, start: int, end: int) -> Span | None:
    """`"key": "x"`, which is mostly one of a table: hexadecimal digits only beside what says that something is kept secret."""
    span = _value(data, end, 28)
    if span is None:
        return None
    value = data[span[0] : span[1]]
    if PUBLIC_KEY.match(value):
        return None
    if _HEX.fullmatch(value):
        return span if _ENCRYPTS.search(data[max(0, start - 48) : start]) else None
    return span if is_random(value, least=28) else None


_BASE32 = re.compile(rb"[A-Z2-7]{16,128}={0,6}(?![A-Za-z0-9])")


def _base32(data: bytes, _start: int, end: int) -> Span | None:
    """The seed of one-time codes."""
    match = _BASE32.match(data, end - 16)
    return match.span() if match is not None else None


def _key_of_account(data: bytes, _start: int, end: int) -> Span | None:
    """`fs.azure.account.key.NAME.blob.core.windows.net`."""
    span = _value(data, end, 16)
    return span if span is not None and is_random(data[span[0] : span[1]], least=40) else None


def _strong(data: bytes, _start: int, end: int) -> Span | None:
    span = value_at(data, end - 1)
    if span is None or not is_value(data, span, quoted=span[0] != end - 1):
        return None
    return span if is_strong(data[span[0] : span[1]]) else None


def _drawn(data: bytes, _start: int, end: int) -> Span | None:
    """A value that was drawn by lot, behind a short word that means much else."""
    span = _strong(data, _start, end)
    return span if span is not None and is_random(data[span[0] : span[1]], least=16) else None


_NO_PASSWORD = re.compile(
    rb"(?i)(?:by|com|tres|sur|over|under|encom|im|hand|multi|single|one|two|first|second)pass"
)


def _glued(data: bytes, start: int, end: int) -> Span | None:
    """`smtppass`, `remotepass`: no word but a password's ends like that, with few exceptions."""
    led = _NAME_BEFORE.search(data, max(0, start - 40), start)
    name = (led.group() if led is not None else b"") + data[start:end]
    span = value_at(data, end - 1)
    if _NO_PASSWORD.search(name) or span is None or not is_value(data, span, quoted=span[0] != end - 1):
        return None
    if b"=" in data[start:end] and begins(data, start) and _LINE_ENDS.match(data, span[1]):
        return span
    return span if looks_secret(data[span[0] : span[1]], least=5) else None


_LINE_ENDS = re.compile(rb"[\"']?[ \t]*(?:\Z|[\r\n\0#;])")
_WHOLE_LINE = re.compile(
    rb"(?:\A|[\r\n\0])[ \t]{0,16}(?:(?:fastcgi|uwsgi|scgi)_param[ \t]{1,4}|[A-Za-z_]{2,24}[ \t]{1,4})?[A-Za-z][A-Za-z0-9_.-]{0,60}\Z"
)


def _directive(data: bytes, start: int, end: int) -> Span | None:
    """`tls-key-file-pass x`, alone on its line: a name of several words begins no sentence."""
    span = value_at(data, end - 1)
    if span is None or not is_value(data, span, quoted=span[0] != end - 1):
        return None
    if not _WHOLE_LINE.search(data[max(0, start - 80) : start + 1]) or not _LINE_ENDS.match(data, span[1]):
        return None
    return span if looks_secret(data[span[0] : span[1]], least=5) else None


_BESIDE_USER = re.compile(
    rb"(?:\A|[\r\n\0])[ \t]{0,16}(?i:user(?:name)?|login|host|account|from|auth|machine|server|bind_?dn)[ \t]{1,8}[^\s\0]{1,80}[ \t]{0,4}\r?\n[ \t]{0,16}\Z"
)


def _beside_user(data: bytes, start: int, end: int) -> Span | None:
    """`password x`, the line below `user y`: two words alone are no sentence there."""
    span = value_at(data, end - 1)
    if span is None or not is_value(data, span, quoted=span[0] != end - 1):
        return None
    told = _BESIDE_USER.search(data[max(0, start - LOOK_BEHIND) : start])
    return span if told is not None and _LINE_ENDS.match(data, span[1]) else None


def _in_tuple(data: bytes, _start: int, end: int) -> Span | None:
    """`{default_pass, <<"x">>}` of Erlang."""
    span = value_at(data, end - 1)
    return span if span is not None and is_value(data, span, quoted=True) else None


_LINE_BEGINS = re.compile(rb"(?:\A|[\r\n\0])\"[A-Za-z0-9_.@-]{0,63}\Z")


def _line_of_two(data: bytes, start: int, end: int) -> Span | None:
    """`"user" "password"`: the list of PgBouncer."""
    span = value_at(data, end - 2)
    if span is None or not _LINE_BEGINS.search(data[max(0, start - 80) : start]):
        return None
    return span if _LINE_ENDS.match(data, span[1]) and is_strong(data[span[0] : span[1]]) else None


_HOST = re.compile(
    rb"(?:\A|[\r\n\0])(?:[$#]?[ \t]{0,4}bundle[ \t]config[ \t](?:set[ \t])?(?:--?[a-z]{1,8}[ \t])?)?\[?[A-Za-z0-9.-]{1,80}\Z"
)


def _of_a_relay(data: bytes, start: int, end: int) -> Span | None:
    """`mail.example.org user:password`, a line of sasl_passwd; a host of Bundler's."""
    span = value_at(data, end - 1)
    if (
        span is None
        or data.endswith(b" h1:", start, end - 1)
        or not _HOST.search(data[max(0, start - 82) : start])
    ):
        return None
    return span if _LINE_ENDS.match(data, span[1]) and is_strong(data[span[0] : span[1]]) else None


def _behind_user(data: bytes, start: int, end: int) -> Span | None:
    """`login=user:password`, where no host follows."""
    span = _strong(data, start, end)
    if span is None and data[start : start + 6].lower() == b"login=":
        span = value_at(data, end - 1)
        span = span if span is not None and re.search(rb"[0-9]", data[slice(*span)]) else None
    return span if span is not None and b"@" not in data[span[0] : span[1] + 1] else None


_RANDOM = re.compile(rb"\"(?:override_special|min_upper|min_special|numeric|random_password)\"")


def _made_by_terraform(data: bytes, start: int, end: int) -> Span | None:
    """The `result` of a `random_password` in a state."""
    if not _RANDOM.search(data[max(0, start - 4 * LOOK_BEHIND) : start]):
        return None
    return value_at(data, end - 1)


def _key_of_feed(data: bytes, _start: int, end: int) -> Span | None:
    span = value_at(data, end - 1)
    return span if span is not None and is_random(data[span[0] : span[1]], least=20) else None


_CLIENT = re.compile(rb"(?:\A|[\r\n\0])[ \t]{0,8}(?:\"[^\"\r\n\0]{1,48}\"|[A-Za-z0-9_.\\@-]{1,48})\Z")
"""Alone before the star on its line: elsewhere a star multiplies."""
_THIRD = re.compile(rb"[ \t]\*[ \t]+\"?([^\s\0\"*]{6,64})")


def _between_stars(data: bytes, start: int, _end: int) -> Span | None:
    """`user * password *` of pppd; what runs at fixed times has no such word there."""
    if _CLIENT.search(data, max(0, start - 65), start) is None:
        return None
    match = _THIRD.match(data, start)
    return match.span(1) if match is not None and is_strong(match[1]) else None


_IN_PATH = re.compile(rb"/t/([A-Za-z0-9-]{20,128})(?=/)")


def _in_path(data: bytes, start: int, _end: int) -> Span | None:
    """`https://host/t/TOKEN/channel` of Conda."""
    match = _IN_PATH.match(data, start)
    return match.span(1) if match is not None and is_random(match[1], least=20) else None


def _of_provider(data: bytes, _start: int, end: int) -> Span | None:
    return _drawn(data, _start, end - 19)


_TO_AT = re.compile(rb"[^\s\0\"']{1,64}(?=@)")


_TO_BRACE = re.compile(rb"[^{}\r\n\0]{1,128}(?=\})")


def _default(data: bytes, _start: int, end: int) -> Span | None:
    """`${DB_PASSWORD:-x}`: what a shell or Compose takes where the variable is not set."""
    opened = end - 1 + (data[end - 1 : end] in {b"'", b'"'})
    match = _TO_BRACE.match(data, opened)
    if match is None:
        return None
    value = match.group().rstrip(data[end - 1 : end]) if opened == end else match.group()
    span = (opened, opened + len(value))
    if not value or not is_value(data, span, quoted=True) or any(map(SENTENCE.fullmatch, value.split(b" "))):
        return None
    weak = re.search(rb"(?i)pass|pwd", data[_start:end]) is not None
    return span if weak or looks_secret(value, least=6) else None


_VALUE_IS = re.compile(rb"(?i)value[\"']?[ \t]?[:=][ \t]?")


def _before_name(data: bytes, start: int, _end: int) -> Span | None:
    """`<property value="x" name="Password"/>`: the name stands behind its value."""
    named = _VALUE_IS.match(data, start)
    span = value_at(data, named.end()) if named is not None else None
    if span is None or not is_value(data, span, quoted=data[span[0] - 1 : span[0]] in {b"'", b'"'}):
        return None
    return span if looks_secret(data[slice(*span)], least=5) else None


def _behind_colon(data: bytes, _start: int, end: int) -> Span | None:
    span = value_at(data, end - 1)
    return (
        span
        if span is not None and is_value(data, span, quoted=False) and _LINE_ENDS.match(data, span[1])
        else None
    )


def _to_at(data: bytes, _start: int, end: int) -> Span | None:
    match = _TO_AT.match(data, end - 1)
    return match.span() if match is not None and is_value(data, match.span(), quoted=True) else None


def _quoted_last(data: bytes, _start: int, end: int) -> Span | None:
    """`: RSA key.pem "x"`, `: EAP "x"` of ipsec.secrets; without the last word the file stands there."""
    span = value_at(data, end - 1)
    if span is None or not is_value(data, span, quoted=span[0] != end - 1):
        return None
    value = data[span[0] : span[1]]
    if value.startswith((b"SHA256:", b"MD5:")):  # `ssh2: RSA SHA256:...`, who logged in
        return None
    return span if span[0] != end - 1 or looks_secret(value, least=6) else None


SETTINGS = (
    Shape(
        pattern=rb"(?:[a-z0-9]Key|(?i:[a-z0-9][_.-]key|[a-z][_-]?salt))(?i:main|base|[0-9])?"
        + _OR_LISTED
        + rb"[A-Za-z0-9+/_-]{16}",
        check=_key,
    ),
    Shape(pattern=rb"\b(?i:key)" + _OR_LISTED + rb"[A-Za-z0-9+/]{28}", check=_bare_key),
    Shape(
        pattern=rb"\$\{[A-Za-z0-9_.-]{0,40}(?i:pass(?:word|wd|phrase)?|pwd|secret(?:_?key)?|token|api_?key)(?i:_[a-z]{1,12})?:?[-=][^\s\0{}$?]",
        check=_default,
    ),
    Shape(
        pattern=rb"(?i:\bvalue)[\"']?[ \t]?[:=][ \t]?[\"']?[^\"'<>\s\0]{1,64}[\"']?[ \t]{0,2},?\s{1,24}[\"']?(?i:name|key)[\"']?[ \t]?[:=][ \t]?[\"']?[A-Za-z0-9_.-]{0,40}(?i:password|passwd|passphrase|pwd|secret|token|api_?key)[\"'\s]",
        check=_before_name,
    ),
    word(
        rb"(?i:(?:basic|http)_?auth|auth_?basic)[\"']?[ \t]{0,2}[:=][ \t]{0,2}[\"']?[A-Za-z0-9._-]{1,32}:[^\s\0:/\"'{$]",
        _behind_colon,
    ),
    word(rb"(?i:tok|creds?|pat)" + _IS + rb"[^\s\0]", _drawn),
    Shape(pattern=rb"(?i:community(?:[_-]?(?:string|name))?)" + _IS + rb"[^\s\0]", check=_strong),
    Shape(pattern=rb"[a-z]{2}pass(?:main)?" + _IS + rb"[^\s\0]", check=_glued),
    word(
        rb"(?i:clave|geheimnis|geheim|secreto|segreto|segredo|schl(?:ue|\xc3\xbc)ssel|jeton|zugangscode)"
        + _IS
        + rb"[^\s\0]",
        _strong,
    ),
    Shape(
        pattern=rb"\{[a-z_]{0,32}(?:pass(?:word|wd|phrase)?|secret|cookie|token)[ \t]{0,4},[ \t]{0,4}(?:<<)?\"",
        check=_in_tuple,
    ),
    Shape(pattern=rb"[A-Za-z0-9_.@-]\"[ \t]{1,4}\"[^\s\0\"]", check=_line_of_two),
    Shape(
        pattern=rb"\.[a-z]{2,24}\]?(?::[0-9]{2,5})?[ \t]{1,8}[A-Za-z0-9._@+-]{1,64}:[^\s\0:/]",
        check=_of_a_relay,
    ),
    word(
        rb"(?i:login|user(?:s|pwd|pass|info)?|bundle_[a-z0-9_]{1,48})[\"']?[ \t]{0,2}[:=][ \t]{0,2}[\"']?[A-Za-z0-9._-]{1,32}:[^\s\0:/\"'{$]",
        _behind_user,
    ),
    Shape(
        pattern=rb"[A-Za-z0-9][_.-](?i:pass(?:word|wd|phrase)?|pwd?|secret|token)[ \t]{1,8}[^\s\0]",
        check=_directive,
    ),
    Shape(
        pattern=rb"\.key\.[a-z0-9.-]{4,64}\.(?:net|com|cn|us|de)(?:[ \t]{1,8}|[ \t]{0,4}[=:][ \t]{0,4}[\"']?|</name>\s{0,24}<value>)[A-Za-z0-9+/]{16}",
        check=_key_of_account,
    ),
    word(rb"(?i:password|passwd|pass)[ \t]{1,8}[^\s\0]", _beside_user),
    Shape(
        pattern=rb"(?:https?|socks[45])[ \t]{1,4}[0-9.]{7,15}[ \t]{1,4}[0-9]{2,5}[ \t]{1,4}[^\s\0]{1,32}[ \t]{1,4}[^\s\0]",
        check=_in_tuple,
    ),
    # pppd, strongSwan, Subversion, cloud-init
    Shape(pattern=rb"[ \t]\*[ \t]{1,8}\"?[^\s\0\"*]{6,64}\"?[ \t]{1,8}\*", check=_between_stars),
    word(rb"(?:pptpd|x?l2tpd?)[ \t]{1,8}[^\s\0*]", _strong),
    Shape(
        pattern=rb":[ \t]{1,4}(?:PSK|EAP|RSA|XAUTH|ECDSA|PKCS(?:8|12)|P12|NTLM)[ \t]{1,4}(?:[^\s\0\"]{1,64}[ \t]{1,4})?[^\s\0]",
        check=_quoted_last,
    ),
    Shape(pattern=rb"rootpw[ \t]{1,4}(?:--?[a-z]{1,12}[ \t]{1,4}){0,3}[^\s\0-]", check=_in_tuple),
    # Terraform, SonarQube, NuGet, Nagios, Oracle, Caddy, Conda, WildFly
    Shape(pattern=rb"\"result\"[ \t]{0,4}:[ \t]{0,4}\"", check=_made_by_terraform),
    word(rb"sonar\.login[ \t]{0,4}=[ \t]{0,4}[A-Za-z0-9_]", _drawn),
    Shape(pattern=rb"<add[ \t]{1,4}key=\"https?://[^\"\s\0]{1,128}\"[ \t]{1,4}value=\"", check=_key_of_feed),
    Shape(pattern=rb"\$USER[0-9]{1,3}\$[ \t]{0,4}=[ \t]{0,4}[^\s\0/]", check=_strong),
    word(rb"(?i:conn(?:ect)?)[ \t]{1,4}[A-Za-z0-9_$#]{1,32}/[^\s\0/@]", _to_at),
    Shape(pattern=rb"\bdns[ \t]{1,4}[a-z0-9]{2,24}[ \t]{1,4}[A-Za-z0-9_-]{20}", check=_of_provider),
    Shape(pattern=rb"/t/[A-Za-z0-9]{2}-?[A-Za-z0-9-]{18}", check=_in_path),
    Shape(pattern=rb"clear-text=[\"']", check=_in_tuple),
    word(rb"(?i:userid)[ \t]?=[ \t]?[\"']?[A-Za-z0-9_$#]{1,30}/[^\s\0/@\"']", _to_at),
    word(
        rb"(?i:totp|otp|2fa|mfa)(?i:[ _-]?(?:secret|seed|key|uri))?\\?[\"']?[ \t]{0,2}[:=,][ \t]{0,2}\\?[\"']?[A-Z2-7]{16}",
        _base32,
    ),
    *GATHERED,
)
