"""E-mail and IP addresses.

E-mail follows RFC 5321 as people use it (a domain with a top-level name), and RFC 6531
for other scripts. What only looks like one, such as `icon@2x.png`, `pkg@1.2.beta` or `getty@tty1.service`, is left alone.
"""

from __future__ import annotations

import ipaddress
import re

from gateway.masking.shapes import (
    ALNUM_BYTES,
    DIGIT_BYTES,
    LOOK_BEHIND,
    WORD_BYTES,
    Shape,
    Span,
    after,
    before,
    word,
)

_TWO = rb"[\xc2-\xdf][\x80-\xbf]"
"""A letter of two bytes in UTF-8: Latin, Greek, Cyrillic. Scripts of three are mostly written without blanks, so
that a name in them cannot be told from the sentence before it; there only a local part all in that script counts."""
_THREE = rb"[\xe0-\xef][\x80-\xbf]{2}"
_DOMAIN = (
    rb"(?:(?:(?:[A-Za-z0-9]|"
    + _TWO
    + rb")(?:[A-Za-z0-9_-]|"
    + _TWO
    + rb"){0,62}|(?:"
    + _THREE
    + rb"){1,20})\.){1,8}"
    rb"(?:[xX][nN]--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,24}|(?:" + _TWO + rb"){2,24}|(?:" + _THREE + rb"){1,20})"
)
_MORE = re.compile(rb"(?:@|%40)" + _DOMAIN)
_LOCAL_BYTES = WORD_BYTES | frozenset(b".+%-") | frozenset(range(0x80, 0xE0))
_LONGEST_LOCAL = 64
_QUOTED_LOCAL = re.compile(rb"(?:\A|[\s<(,:;])(\"[A-Za-z0-9](?:[A-Za-z0-9 ._+-]{0,60}[A-Za-z0-9])?\")\Z")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_WIDE_LOCAL = re.compile(rb"(?:" + _THREE + rb"){1,20}\Z")
_VERP = re.compile(rb"(?:\A|[^A-Za-z0-9_.+%-])([A-Za-z0-9._-]{1,32}\+[A-Za-z0-9._+-]{1,32}=)\Z")
"""`bounce+ann=` of `bounce+ann=example.com@lists.example.org`: elsewhere an equals sign ends a name."""
_BEFORE_APOSTROPHE = re.compile(rb"(?:\A|[^A-Za-z0-9_\\])([A-Za-z]{1,20}')\Z")
_IPV4_GOES_ON = DIGIT_BYTES | {0x2A}
_REACHED = re.compile(
    rb"\b(?:ssh|scp|sftp|rsync|mosh|sshfs|autossh|ssh-copy-id)(?:[ \t]+-[A-Za-z0-9-]+(?:[ \t=]+[^\s\0@-][^\s\0@]*)?)*[ \t]+(?:[^\s\0@]+[ \t]+)?\Z"
)
"""A command that logs in: who stands behind it and where is an account of a machine."""
_PIXEL_DENSITY = re.compile(rb"\d{1,2}x\.[A-Za-z]{2,5}")
_ALGORITHM = re.compile(
    rb"(?=[^@]*[0-9-])[a-z0-9-]+@(?:openssh\.com|libssh\.org|lysator\.liu\.se)|zlib@openssh\.com"
)
"""RFC 4250: what SSH calls its algorithms and extensions that are nobody else's."""
_MESSAGE_ID = re.compile(
    rb"(?i)(?:message-?id|msg-?id|in-reply-to|references|content-id)\\?[\"']?[ \t]{0,2}[:=][ \t]{0,2}\\?[\"']?\s{0,4}(?:<[^<>\s\0]{1,100}>,?\s{0,4})*(?:<|&lt;|\\u003c|%3C)?\Z"
)
"""RFC 5322: what a message is called by has an address's form and is none."""
_VERSION = re.compile(
    rb"(?i)(?:\b(?:version|ver|release|revision|rev|build|firmware|section|chapter|clause)|\xc2\xa7)[\"']?[.:=]?[ \t]{0,2}[\"']?\Z"
)
_PRINCIPAL = re.compile(rb"/[A-Za-z0-9._-]{1,64}\Z")
_REALM = re.compile(rb"@[A-Z0-9-]+(?:\.[A-Z0-9-]+)*")
"""`postgres/db.example.org@EXAMPLE.ORG`, a service of Kerberos."""
_NO_DOMAINS = frozenset(
    b"service socket timer target mount slice scope device"
    b" txt json yaml yml xml html htm css js jsx tsx png jpg jpeg gif svg webp ico pdf csv sql log conf cfg ini toml exe dll tgz gz bz2 xz jar whl deb rpm".split()
)
"""Ends of units of systemd and of names of files; no domain ends like that."""


def _local_start(data: bytes, at: int) -> int:
    """Where the local part that ends at `at` begins; `at` if there is none."""
    start = at
    least = max(0, at - _LONGEST_LOCAL)
    while start > least and data[start - 1] in _LOCAL_BYTES:
        start -= 1
    if start > least and data[start - 1] >= 0xE0:  # the rest of a longer character
        while start < at and 0x80 <= data[start] < 0xC0:
            start += 1
    while start < at and data[start] in b".+-":
        start += 1
    if _PERCENT.match(data, start, at):  # %20ann@example.com
        start += 3
    if start == at:
        whole = _WIDE_LOCAL.search(data, least, at)
        return whole.start() if whole is not None else at
    return start


def _email(data: bytes, start: int, end: int) -> Span | None:
    while (
        more := _MORE.match(data, end)
    ) is not None:  # a@b.orgc@d.org: where the second begins nobody can say
        end = more.end()
    if after(data, end) in ALNUM_BYTES:
        return None
    at = data.find(b"@", start, end) if b"@" in data[start:end] else data.index(b"%40", start, end)
    if before(data, at) == 0x22:
        quoted = _QUOTED_LOCAL.search(data, max(0, at - _LONGEST_LOCAL), at)
        return (quoted.start(1), end) if quoted is not None else None
    start = _local_start(data, at)
    if start == at:
        return None
    if (
        before(data, start) == 0x27 and after(data, end) != 0x27
    ):  # o'brien@example.com, but not f'ann@example.com'
        name = _BEFORE_APOSTROPHE.search(data, max(0, start - 24), start)
        start = name.start(1) if name is not None else start
    if before(data, start) == 0x3D and (verp := _VERP.search(data, max(0, start - _LONGEST_LOCAL), start)):
        start = verp.start(1)
    if _ALGORITHM.fullmatch(data, start, end) or _MESSAGE_ID.search(data, max(0, start - LOOK_BEHIND), start):
        return None
    if _REALM.fullmatch(data, at, end) and _PRINCIPAL.search(data, max(0, at - 65), at):
        return None
    labels = data[at:end].lstrip(b"@").removeprefix(b"%40").split(b".")
    if (
        data[start:at] == b"git"
        or _PIXEL_DENSITY.fullmatch(b".".join(labels))
        or labels[-1].lower() in _NO_DOMAINS
        or data[max(0, start - 3) : start] == b"://"
        or _REACHED.search(data[max(0, start - LOOK_BEHIND) : start])
    ):
        return None
    if len(labels) > 2 and labels[0].isdigit() and labels[1].isdigit():
        return None
    return start, end


def _ipv4(data: bytes, start: int, end: int) -> Span | None:
    if before(data, start) in b".-" or (after(data, end) in b".-" and after(data, end, by=1) in DIGIT_BYTES):
        return None
    if (before(data, start) in b"vV" and start) or _VERSION.search(data, max(0, start - 24), start):
        return None
    if after(data, end) == 0x2D and after(data, end, by=1) in ALNUM_BYTES:  # 2.4.6.1-rc1
        return None
    return _address(data, start, end)


def _ipv6(data: bytes, start: int, end: int) -> Span | None:
    if before(data, start) in b":." or before(data, start) in ALNUM_BYTES or after(data, end) in ALNUM_BYTES:
        return None
    if after(data, end) == 0x3A or (after(data, end) == 0x2E and after(data, end, by=1) in _IPV4_GOES_ON):
        return None
    return _address(data, start, end)


def _address(data: bytes, start: int, end: int) -> Span | None:
    try:
        address = ipaddress.ip_address(data[start:end].decode("ascii"))
    except ValueError:
        return None
    return None if address.is_loopback or address.is_unspecified else (start, end)


# Only what stands around the sign is searched for: counting every word's letters would cost the scan its speed.
EMAIL = (Shape(pattern=rb"[A-Za-z0-9_.+%\"\x80-\xbf-](?:@|%40)" + _DOMAIN, check=_email),)
IP = (
    word(rb"(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b", _ipv4),
    Shape(
        pattern=rb"(?:[0-9A-Fa-f]{1,4}:){2,7}(?::|[0-9A-Fa-f]{1,4}\b)(?:(?::?[0-9A-Fa-f]{1,4}\b){0,6})",
        check=_ipv6,
    ),
    Shape(
        pattern=rb"(?:[0-9A-Fa-f]{1,4}:){1,6}(?::|(?:[0-9A-Fa-f]{1,4}:)?)(?:[fF]{4}:)?(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b|::(?:[fF]{4}:)?(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b",
        check=_ipv6,
    ),
    Shape(pattern=rb"(?:[0-9A-Fa-f]{1,4}:|:):(?:[0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4}\b", check=_ipv6),
)
