"""Addresses that are to be compared: one spelling for each (RFC 3986 §6.2.2 and §6.2.3), without query and fragment."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

ADDRESS_CHARACTERS = 4_096
_PORTS = {"http://": 80, "https://": 443}
_WRITTEN = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_HOST = re.compile(r"[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\]")
_PORT = re.compile(r":[0-9]*\Z")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class AddressUnclear(Exception):
    """No address of the web that has one reading."""


def plain(address: object) -> str:
    """Raises `AddressUnclear`."""
    if not isinstance(address, str) or len(address) > ADDRESS_CHARACTERS or not _WRITTEN.fullmatch(address):
        raise AddressUnclear("`htu` has to be an address: https://HOST/PATH")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise AddressUnclear("`htu` has no host and port that can be read") from None
    scheme, host = parts.scheme.lower() + "://", _PORT.sub("", parts.netloc)
    if scheme not in _PORTS or not _HOST.fullmatch(host) or _BROKEN.search(parts.path):
        raise AddressUnclear("`htu` has to be an address: https://HOST/PATH")
    shown = "" if port in {None, _PORTS[scheme]} else f":{port}"
    return f"{scheme}{host.lower()}{shown}{_path(parts.path)}"


def _path(path: str) -> str:
    """Escapes only where they are needed, then no dot segments (RFC 3986 §5.2.4)."""
    segments: list[str] = []
    parts = _ESCAPE.sub(_unescaped, path).split("/")[1:] or [""]
    for at, segment in enumerate(parts):
        last = at == len(parts) - 1
        if segment not in {".", ".."}:
            segments.append(segment)
            continue
        if segment == ".." and segments:
            segments.pop()
        if last:
            segments.append("")
    return "/" + "/".join(segments)


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()
