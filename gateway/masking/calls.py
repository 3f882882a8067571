"""Secrets among the arguments of calls in programs and in SQL: `DriverManager.getConnection(url, "app", "x")`.

Only the function says which of its arguments is the secret. A literal there is one; a variable is none.
"""

from __future__ import annotations

from gateway.masking.shapes import Span, word
from gateway.masking.values import is_strong, is_value, looks_secret, value_at

_ARGUMENT = rb"\s{0,16}(?:[\"'][^\"'\r\n\0]{0,200}[\"']|[^\"',()\s\0][^\"',()\r\n\0]{0,63}(?:\([^()\r\n\0]{0,48}\))?)\s{0,4},"
_LITERAL = rb"\s{0,16}(?:[A-Za-z_]{1,16}\s{0,2}=\s{0,2})?(?:Some\()?[bBuUNrR@$]?\\?[\"'`]"


def _literal(data: bytes, _start: int, end: int) -> Span | None:
    at = end - 2 if data[end - 2 : end - 1] == b"\\" else end - 1
    span = value_at(data, at)
    return span if span is not None and is_value(data, span, quoted=True) else None


def _secret_literal(data: bytes, start: int, end: int) -> Span | None:
    """Where other things than secrets are told so as well."""
    span = _literal(data, start, end)
    if span is None:
        return None
    value = data[span[0] : span[1]]
    return span if looks_secret(value, least=6) or is_strong(value) else None


def _nth(names: bytes, place: int) -> bytes:
    return rb"(?i:" + names + rb")\(" + _ARGUMENT * (place - 1) + _LITERAL


CALLS = (
    # (user, password)
    word(
        _nth(
            rb"set_?basic_?auth|(?:new[ \t])?networkcredential|http(?:basic|digest)auth|basic_?auth|usernamepassword(?:credentials|authenticationtoken)"
            rb"|passwordauthentication|credentials\.basic|set_?credentials|with_?credentials|with_?basic_?auth",
            2,
        ),
        _literal,
    ),
    word(_nth(rb"login|authenticate|auth|logon|signin|sign_in", 2), _secret_literal),
    # (where, user, password)
    word(
        _nth(
            rb"getconnection|new[ \t](?:PDO|mysqli)|mysqli?_(?:real_)?(?:p?connect)|(?:pymysql|mysqldb|mariadb)\.connect|oci_connect|ssh2_auth_password|ldap_bind",
            3,
        ),
        _literal,
    ),
    word(_nth(rb"cx_oracle\.connect|oracledb\.connect|oci_p?connect", 2), _literal),
    # keys and what is hashed
    word(
        _nth(
            rb"pgp_sym_(?:en|de)crypt(?:_bytea)?|aes_(?:en|de)crypt|des_(?:en|de)crypt|encryptbypassphrase", 2
        ),
        _literal,
    ),
    word(rb"(?i:decryptbypassphrase|encryptbypassphrase)\(" + _LITERAL, _literal),
    word(
        _nth(rb"jwt\.(?:sign|encode|decode|verify)|createhmac|createcipher(?:iv)?|createdecipher(?:iv)?", 2),
        _literal,
    ),
    word(_nth(rb"hash_hmac|openssl_(?:en|de)crypt", 3), _literal),
    word(
        rb"(?i:crypt|hmac\.new|(?:aes|des3?|blowfish|chacha20)\.new|fernet|secretkeyspec|bcrypt[.:\w]{0,24}\.?(?:hash\w{0,12}|compare\w{0,8}|create)"
        rb"|generate_from_password|password_(?:hash|verify)|(?:check|make|hash|verify|generate)_?password(?:_hash)?|set_?secret|set_?access_?token|set_?api_?key)\("
        + _LITERAL,
        _secret_literal,
    ),
)
