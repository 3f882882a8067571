"""Secrets among the arguments of calls in programs and in SQL: `DriverManager.getConnection(url, "app", "x")`.

Only the function says which of its arguments is the secret. A literal there is one; a variable is none. The scan looks for
the function's name alone: the arguments before the secret are searched for themselves, and read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gateway.masking.shapes import LOOK_BEHIND, Shape, Span, word
from gateway.masking.values import is_random, is_strong, is_value, looks_secret, value_at

_ARGUMENT = re.compile(
    rb"\s{0,16}+(?:\{[^{}\r\n\0]{0,128}+\}|\\?[\"'][^\"'\\\r\n\0]{0,200}+\\?[\"']|[^\s\"',()\0][^\"',()\r\n\0]{0,63}+(?:\([^()\r\n\0]{0,48}+\))?)\s{0,4}+,"
)
_LITERAL = re.compile(rb"\s{0,16}+(?:[A-Za-z_]{1,16}+\s{0,2}=\s{0,2})?(?:Some\()?[bBuUNrR@$]?(?=\\?[\"'`])")


def _literal(data: bytes, at: int) -> Span | None:
    """The literal that is the argument at `at`."""
    if (opened := _LITERAL.match(data, at)) is None:
        return None
    span = value_at(data, opened.end())
    return span if span is not None and is_value(data, span, quoted=True) else None


def _call(names: bytes, place: int, when: Callable[[bytes], bool] = bool) -> Shape:
    """Calls of these functions, whose argument number `place` is a secret, or may be: `when` says."""

    def spans(data: bytes, _start: int, end: int) -> Iterator[Span]:
        at = end
        for _ in range(place - 1):
            if (argument := _ARGUMENT.match(data, at)) is None:
                return
            at = argument.end()
        span = _literal(data, at)
        if span is not None and when(data[slice(*span)]):
            yield span

    return _apart(rb"(?i:" + names + rb")\(", spans)


def _apart(pattern: bytes, spans: Callable[[bytes, int, int], Iterator[Span]]) -> Shape:
    return word(pattern, spans=spans)


def _is_secret(value: bytes) -> bool:
    return looks_secret(value, least=4) or is_strong(value)


def _is_drawn(value: bytes) -> bool:
    return is_random(value, least=16)


_SID = re.compile(rb"AC[0-9a-f]{32}[\"'],\s{0,4}(?=[\"'])")


def _twilio(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """`Client("AC...", "x")`"""
    if (public := _SID.match(data, end)) is not None and (span := _literal(data, public.end())) is not None:
        yield span


_USER = re.compile(rb"\s{0,4}(?:=>|,)\s{0,4}[\"'][^\"':\s\0]{1,64}:(?=[^\s\0\"'])")


def _user_and_password(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """`curl_setopt($ch, CURLOPT_USERPWD, 'user:x')`"""
    if (user := _USER.match(data, end)) is None:
        return
    span = value_at(data, user.end())
    if span is not None and is_value(data, span, quoted=True):
        yield span


_FOUR = re.compile(rb"[ \t]{0,4}(?:(?:N?'[^'\r\n\0]{0,80}'|[A-Za-z]{1,8})[ \t]{0,4},\s{0,8}){4}N?(?=')")


_ONE = re.compile(rb"[ \t]{0,4}(?:@[a-z]{2,16}[ \t]?=[ \t]?)?N?'([^'\r\n\0]{1,128})'[ \t]{0,4}(?=([,;)]?))")
_PASSWORDS_OF = {b"sp_password": (0, 1)}


def _of_login(data: bytes, start: int, end: int) -> Iterator[Span]:
    """`sp_addlogin 'user', 'x'`, `sp_password 'old', 'new', 'user'`"""
    name = data[start : end - 1].lower()
    at = end
    for place in range(2):
        if (argument := _ONE.match(data, at)) is None:
            return
        if place in _PASSWORDS_OF.get(name[name.index(b"sp_") :], (1,)):
            yield argument.span(1)
        at = argument.end() + len(argument[2])


_FROM_TO = re.compile(
    rb"[ \t]{0,4}'([^'\r\n\0]{1,128})'(?:[ \t]{1,4}(?i:to)[ \t]{1,4}'([^'\r\n\0]{1,128})')?"
)


def _of_change(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """`ALTER CURRENT USER SET PASSWORD FROM 'old' TO 'new'` of Neo4j"""
    if (both := _FROM_TO.match(data, end)) is not None:
        yield both.span(1)
        if both[2]:
            yield both.span(2)


def _of_link(data: bytes, _start: int, end: int) -> Iterator[Span]:
    """`sp_addlinkedsrvlogin 'server', 'false', NULL, 'user', 'x'`"""
    if (before_it := _FOUR.match(data, end)) is not None and (
        span := value_at(data, before_it.end())
    ) is not None:
        yield span


_FIELD = re.compile(rb"(?i)(?:password|passwd|passphrase)[^\r\n\0;]{0,48}\Z")
_SELECTOR = re.compile(rb"(?:[^()\r\n\0]{0,64},\s{0,4}(?:with:\s{0,2})?)?(?=[\"'`])")


def _typed(data: bytes, start: int, end: int) -> Iterator[Span]:
    """What tests and robots type into a field that is called so."""
    if (before := _SELECTOR.match(data, end)) is None:
        return
    span = _literal(data, before.end())
    told = span is not None and _FIELD.search(data[max(0, start - LOOK_BEHIND) : span[0] - 1])
    if span is not None and told and _is_secret(data[slice(*span)]):
        yield span


def _behind(data: bytes, _start: int, end: int, when: Callable[[bytes], bool] = _is_secret) -> Span | None:
    """The literal whose quote ends the candidate."""
    span = _literal(data, end - 1)
    return span if span is not None and when(data[slice(*span)]) else None


CALLS = (
    # (user, password)
    _call(
        rb"set_?basic_?auth|networkcredential|http(?:basic|digest)auth|basic_?auth|usernamepassword(?:credentials|authenticationtoken)"
        rb"|passwordauthentication|credentials\.basic|set_?credentials|with_?credentials|with_?basic_?auth|oracle(?:db)?\.connect|oci_p?connect",
        2,
    ),
    _call(
        rb"login|authenticate|auth|logon|signin|sign_in|wifi\.begin|authenticationheadervalue|(?:aws\.)?credentials|newstaticcredentials(?:provider)?"
        rb"|(?:basic|session)awscredentials|awsbasiccredentials\.create",
        2,
        _is_secret,
    ),
    _call(rb"auth", 1, is_strong),
    _call(rb"(?:key|trust)?_?store\.load|ks\.load", 2, _is_secret),
    # (where, user, password)
    _call(
        rb"getconnection|sequelize|pdo(?:->__construct)?|mysqli(?:->__construct)?|mysqli?_(?:real_)?p?connect|(?:pymysql|mysqldb|mariadb|dbi->)\.?connect|ssh2_auth_password|ldap_bind",
        3,
    ),
    _call(rb"ftp(?:_tls|_login)?|create_?(?:super)?user|(?:mqtt\w{0,8}|client)\.connect", 3, _is_secret),
    # keys, and what is hashed
    _call(rb"pgp_sym_(?:en|de)crypt(?:_bytea)?|[ad]es_(?:en|de)crypt", 2),
    _call(rb"jwt\.(?:sign|encode|decode|verify)|createhmac|create(?:de)?cipher(?:iv)?", 2),
    _call(rb"cookie_?parser", 1),
    _call(
        rb"(?:with_?|set_?|add_?)?(?:token|api_?key|secret(?:_?key)?|access_?key|auth_?key|signing_?key)",
        1,
        _is_drawn,
    ),
    _call(rb"signwith", 2),
    _call(rb"(?:ssh|client|transport|paramiko)\w{0,8}\.connect", 4, _is_secret),
    _call(rb"hash_hmac|openssl_(?:en|de)crypt", 3),
    _call(rb"(?:en|de)cryptbypassphrase|pbekeyspec|passwordprotection", 1),
    _call(
        rb"crypt|hmac\.new|(?:aes|des3?|blowfish|chacha20)\.new|fernet|secretkeyspec|hmacshakeyfor|bcrypt[.:]{1,2}(?:\w{1,16}[.:]{1,2})?(?:hash\w{0,12}|compare\w{0,8}|create)"
        rb"|generate_from_password|password_(?:hash|verify)|(?:check|make|hash|verify|generate)_?password(?:_hash)?|set_?secret|set_?access_?token|set_?api_?key|bearer_?auth|md5|sha1|sha2",
        1,
        _is_secret,
    ),
    # Ruby asks for no parentheses; a header of Go is a list
    Shape(pattern=rb"\b(?i:basic_?auth)[ \t][\"'][^\"'\s\0]{1,48}[\"'],[ \t]?[\"']", check=_behind),
    Shape(
        pattern=rb"(?i:token|api[_-]?key|secret|authorization)\"[ \t]{0,2}:[ \t]{0,2}[{\[][ \t]{0,2}\"",
        check=lambda data, start, end: _behind(data, start, end, _is_drawn),
    ),
    _apart(rb"(?i:twilio\w{0,12}|client)\([\"']", _twilio),
    _apart(
        rb"(?i:(?:new[ \t])?(?:symmetric)?(?:security|signing)key\((?:system\.text\.)?encoding\.[a-z0-9]{3,8}\.getbytes)\(",
        lambda data, _start, end: filter(None, [_literal(data, end)]),
    ),
    _apart(rb"(?i:sp_addlinkedsrvlogin)[ \t]", _of_link),
    _apart(rb"(?i:sp_(?:addlogin|password|setapprole|addapprole))[ \t]", _of_login),
    _apart(rb"(?i:set[ \t]password[ \t]from)[ \t]", _of_change),
    _apart(rb"CURLOPT_(?:PROXY)?USERPWD", _user_and_password),
    _apart(rb"(?:type|sendKeys|send_keys|fill|setValue|set_value|typeText|enterText|fill_in)\(", _typed),
)
