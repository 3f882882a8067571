"""Secrets in the configurations of routers, agents of SNMP, Kafka, Redis, Consul, Vault, OpenVPN and Terraform.

They have words of their own: a community, a key of type 7, a user's rules, the default of a variable. Each is known by the
directive that it stands behind, most of which are found nowhere else; a word that prose has as well needs its line.
"""

from __future__ import annotations

import re

from gateway.masking.shapes import LOOK_BEHIND, Shape, Span, word
from gateway.masking.values import is_value, looks_secret, value_at


def _value(data: bytes, _start: int, end: int) -> Span | None:
    """Behind a directive that nothing else is called like: whatever stands there."""
    span = value_at(data, end - 1)
    if span is None or not is_value(data, span, quoted=True):
        return None
    return span


def _secret_value(data: bytes, start: int, end: int) -> Span | None:
    span = _value(data, start, end)
    return span if span is not None and looks_secret(data[span[0] : span[1]], least=5) else None


def _quoted(data: bytes, start: int, end: int) -> Span | None:
    """The candidate ends with the first byte behind a quote."""
    return _value(data, start, end - 1)


_SNMP = re.compile(rb"(?i)\b(?:createUser|snmp)")


def _algorithm(data: bytes, start: int, end: int) -> Span | None:
    """`createUser x SHA "secret" AES secret`, `snmp-server user x g v3 auth sha secret priv aes 128 secret`."""
    line = re.split(rb"[\r\n\0]", data[max(0, start - LOOK_BEHIND) : start])[-1]
    return _value(data, start, end) if _SNMP.search(line) else None


_SERVER = re.compile(rb"(?i)\b(?:radius|tacacs)\b")


def _of_a_server(data: bytes, start: int, end: int) -> Span | None:
    """`key 7 secret`, on a line below the server's."""
    beside = data[max(0, start - LOOK_BEHIND) : start]
    return _secret_value(data, start, end) if _SERVER.search(beside) else None


_LOGIN_MODULE = re.compile(rb"LoginModule|username\\?=|password\\?=")


def _of_a_module(data: bytes, start: int, end: int) -> Span | None:
    """`user_alice="secret"` among the options of a login module of JAAS."""
    beside = data[max(0, start - LOOK_BEHIND) : start]
    return _value(data, start, end) if _LOGIN_MODULE.search(beside) else None


_TOKENS = re.compile(rb"tokens\"?\s*[=:]?\s*\{[^{}]*\Z")


def _among_tokens(data: bytes, start: int, end: int) -> Span | None:
    """The tokens of Consul's access control, UUIDs to look at."""
    return _value(data, start, end) if _TOKENS.search(data[max(0, start - LOOK_BEHIND) : start]) else None


_GOES_ON = re.compile(
    rb"(?:is|was|for|to|has|must|and|or|in|with|required|incorrect|policy|the|by|expired|prompt|recovery|encryption|level)\Z"
)


def _of_line(data: bytes, start: int, end: int) -> Span | None:
    """Behind what routers say with it; `enable password` is what others say as well."""
    span = _value(data, start, end)
    if span is None or _GOES_ON.match(data[slice(*span)]):
        return None
    told = data[start:end].split()
    if (
        told[0] in {b"enable", b"username"}
        and not told[-2].isdigit()
        and not looks_secret(data[slice(*span)], least=5)
    ):
        return None
    return span


_REST_OF_LINE = re.compile(rb"(?:[^\s\0]{1,64}[ \t]{1,2})?([^\s\0]{4,64})[ \t]*(?=[\r\n\0]|\Z)")


def _last_word(data: bytes, _start: int, end: int) -> Span | None:
    """`IDENTIFY account secret`: the name may be left out."""
    match = _REST_OF_LINE.match(data, end - 1)
    return match.span(1) if match is not None and is_value(data, match.span(1), quoted=True) else None


_TYPE = rb"(?:ascii[ \t]{1,4})?(?:[0-9][ \t]{1,4}|ENC[ \t]{1,4}|ascii-text[ \t]{1,4}|hexadecimal[ \t]{1,4})?"
_GAP = rb"[ \t]{1,8}"
_DEFAULT = rb"\"[ \t]{0,4}\{[^{}\0]{0,160}\bdefault[ \t]{0,16}=[ \t]{0,4}\""
DIRECTIVES = (
    # net-snmp
    word(rb"r[ow]community6?" + _GAP + rb"[^\s\0]", _value),
    word(
        rb"com2sec6?"
        + _GAP
        + rb"(?:-Cn"
        + _GAP
        + rb"[^\s\0]{1,32}"
        + _GAP
        + rb")?[^\s\0-][^\s\0]{0,32}"
        + _GAP
        + rb"[^\s\0]{1,64}"
        + _GAP
        + rb"[^\s\0]",
        _value,
    ),
    Shape(
        pattern=rb"[ \t](?i:MD5|SHA(?:-?[0-9]{1,3})?|3?DES|AES(?:[ -]?[0-9]{3})?)[ \t]{1,4}(?:-[ml][ \t]{1,4})?[^\s\0=:-]",
        check=_algorithm,
    ),
    # IOS, NX-OS, EOS; Junos; FortiOS
    word(
        rb"(?i:(?:tacacs|radius)(?:-server)?|isakmp|ikev[12]|keyring)(?:[ \t]{1,4}[^\s\0]{1,40}){0,6}[ \t]{1,4}key[ \t]{1,4}"
        + _TYPE
        + rb"[^\s\0]",
        _secret_value,
    ),
    Shape(
        pattern=rb"(?i:\bset[ \t]{1,4}(?:psksecret|passwd|passphrase)|pre-?shared-?key(?:[ \t](?:local|remote))?|\bkey-string|-key[ \t]{1,4}[0-9]{1,10}[ \t]{1,4}md5|\bwpa-psk|\bauthentication-key|\bplain-text-password(?:-value)?|\b(?:password|passwd|psksecret|secret|key|passphrase)[ \t]{1,4}ENC|\bencrypted-password|\bsimple-password|\bsnmp[ \t]community|\bascii-text)"
        rb"[ \t]{1,4}" + _TYPE + rb"[^\s\0=:]",
        check=_secret_value,
    ),
    word(
        rb"(?:neighbor[ \t]{1,2}[^\s\0]{1,48}|ppp[ \t](?:chap|pap(?:[ \t]sent-username[ \t][^\s\0]{1,48})?)|username[ \t][^\s\0]{1,48}(?:[ \t]privilege[ \t][0-9]{1,2})?|enable|isis|ip[ \t]ftp|domain-)[ \t]{0,2}(?:password|secret)(?:[ \t]level[ \t][0-9]{1,2})?[ \t]{1,2}"
        + _TYPE
        + rb"[^\s\0]",
        _of_line,
    ),
    Shape(
        pattern=rb"\bline[ \t](?:vty|con(?:sole)?|aux)[^\r\n\0]{0,24}\r?\n(?:[ \t]{1,4}[^\r\n\0]{1,60}\r?\n){0,3}[ \t]{1,4}password[ \t]{1,2}"
        + _TYPE
        + rb"[^\s\0]",
        check=_of_line,
    ),
    word(rb"(?i:smtp_sasl|sasl_password)[^\r\n\0]{0,48}static:[^\s\0:]{1,64}:[^\s\0]", _value),
    Shape(
        pattern=rb"(?i:nickserv|chanserv)[ \t]:?(?i:identify|register|ghost|recover)[ \t]{1,2}[^\s\0]",
        check=_last_word,
    ),
    Shape(
        pattern=rb"(?:/|\A|[\r\n])(?i:oper)[ \t]{1,2}[A-Za-z0-9_.-]{1,32}[ \t]{1,2}[^\s\0]",
        check=_secret_value,
    ),
    Shape(
        pattern=rb"\b(?i:key)[ \t]{1,4}[67][ \t]{1,4}[0-9A-Fa-f\"]{8}",
        check=lambda data, _start, end: value_at(data, end - 8),
    ),
    Shape(pattern=rb"[\r\n][ \t]{1,8}(?i:key|secret)[ \t]{1,4}" + _TYPE + rb"[^\s\0=:]", check=_of_a_server),
    Shape(pattern=rb"\"\$9\$[A-Za-z0-9./-]{4}", check=lambda data, start, _end: value_at(data, start)),
    # JAAS, Redis, Consul, Maven, OpenVPN, Vault
    word(rb"user_[A-Za-z0-9_.-]{1,48}\\?=\\?[\"']?[^\s\0\"'\\]", _of_a_module),
    word(
        rb"(?i:user|setuser)[ \t]{1,2}[^\s\0]{1,32}(?:[ \t]{1,2}(?:on|off|reset[a-z]{0,8}|sanitize-payload|nopass)){1,4}[ \t]{1,2}[>#][^\s\0>]",
        _value,
    ),
    word(
        rb"encrypt\"?[ \t]{0,2}[:=][ \t]{0,2}\"[A-Za-z0-9+/]{21}",
        lambda data, _start, end: value_at(data, end - 22),
    ),
    word(
        rb"(?:master|agent|agent_(?:master|recovery)|default|initial_management|replication)\"?[ \t]{0,4}[:=][ \t]{0,4}\"[0-9A-Za-z]",
        _among_tokens,
    ),
    Shape(pattern=rb"<auth-user-pass>\s{1,4}[^\s\0<>]{1,64}\s{1,4}[^\s\0<]", check=_value),
    Shape(pattern=rb"<master>\{[A-Za-z0-9+/]{20}", check=lambda data, _start, end: value_at(data, end - 21)),
    word(
        rb"(?i:(?:unseal|recovery)[ _]key(?:[ _][0-9]{1,2})?)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?[A-Za-z0-9]",
        _secret_value,
    ),
    word(rb"(?i:root_token_id)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?[A-Za-z0-9]", _secret_value),
    word(
        rb"(?i:secret_id)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b",
        lambda _data, _start, end: (end - 36, end),
    ),
    word(rb"sentinel" + _GAP + rb"auth-pass" + _GAP + rb"[^\s\0]{1,48}" + _GAP + rb"[^\s\0]", _value),
    word(rb"(?i:pragma[ \t]{1,4}(?:hex|re)?key)[ \t]{0,4}=[ \t]{0,4}[\"'][^\s\0]", _quoted),
    word(
        rb"rclone[ \t]config[ \t][^\r\n\0|]{1,120}[ \t](?:pass|password|secret_access_key)[ \t=][^\s\0-]",
        _value,
    ),
    # Terraform
    word(
        rb"output[ \t]{1,4}\"[A-Za-z0-9_-]{0,40}(?i:password|passwd|passphrase|secret|token|api_?key|private_?key)[A-Za-z0-9_-]{0,16}\"[ \t]{0,4}\{[^{}\0]{0,160}\bvalue[ \t]{0,16}=[ \t]{0,4}\"",
        _secret_value,
    ),
    word(
        rb"variable[ \t]{1,4}\"[A-Za-z0-9_-]{0,40}(?i:password|passwd|passphrase)(?:_?[0-9]{1,2})?"
        + _DEFAULT,
        _value,
    ),
    word(
        rb"variable[ \t]{1,4}\"[A-Za-z0-9_-]{0,40}(?i:secret|token|api_?key|private_?key)[A-Za-z0-9_-]{0,16}"
        + _DEFAULT,
        _secret_value,
    ),
)
