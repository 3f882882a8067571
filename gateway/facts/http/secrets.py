"""Requests that reach for secrets, or through the service for what lies behind it: true whatever the method."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urlsplit

from gateway.facts.http.credentials import is_credential, secret_file
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.facts.http.segments import PROSE
from gateway.facts.http.words import parts
from gateway.model import Effect

_PUBLISHED = re.compile(r"^/\.well-known/|/jwks|public[-_/.]?keys?(?:/|$|\.)|/keys?/public$")
_KEYRING = frozenset({"api", "access", "private", "personal"})
_DIAGNOSTICS = {
    "actuator": frozenset(
        {"env", "configprops", "heapdump", "threaddump", "logfile", "jolokia", "httptrace", "dump"}
    ),
    "debug": frozenset({"pprof", "vars", "requests", "config"}),
}
"""What frameworks show of their own insides."""
_CLOUD_PATHS = re.compile(
    r"/(?:latest/(?:meta-data|user-data|dynamic|api/token)|computemetadata|metadata/(?:instance|identity|attested)|opc/v[0-9])(?:/|$)"
)
_CLOUD_HOSTS = frozenset(
    {"169.254.169.254", "metadata.google.internal", "fd00:ec2::254", "100.100.100.200", "metadata"}
)
_LISTS = frozenset({"token", "tokens", "variables"})
_KEPT = frozenset({"backup", "backups", "dump", "dumps", "snapshot", "snapshots"})
"""Whole stores; the list of them tells nothing, what one holds tells all."""
_TAKEN = frozenset({"download", "content", "export", "latest", "raw", "file"})
_UNVEILED = frozenset({"reveal", "decrypt", "unmask", "plaintext", "cleartext"})
"""What is asked for behind something that is kept hidden: `/keys/1/reveal`."""
_ABOUT_WORDS = "usage count stats limits new status policy policies rules requirements strength expiry forgot"
_ABOUT = frozenset(_ABOUT_WORDS.split())
"""What stands behind credentials without holding any: `/password/policy`."""
_FOLLOWED = re.compile(
    r"redirect|callback|return|next|origin|referr?er|continue|issuer|audience", re.IGNORECASE
)
"""Parameters that tell a browser where to go on; the service itself goes nowhere."""
_SCHEMES = re.compile(
    r"(?:file|t?ftp|sftp|gopher|dict|php|phar|jar|ldaps?|netdoc|expect|smb|unix):", re.IGNORECASE
)
_CLIMBING = re.compile(r"(?:^|[/\\.])\.\.(?:[/\\]|$)|^/(?:etc|proc|root|var/run)/|^~/\.|^[A-Za-z]:\\")


def reaches(reading: Reading, request: Request) -> None:
    if _holds_credentials(request) or _shows_insides(request):
        reading.does(Effect.EXFIL)
    host = request.header("host").rpartition(":")[0] or request.header("host")
    if host.strip("[]").lower() in _CLOUD_HOSTS:
        reading.does(Effect.EXFIL)
    for name, value in request.query:
        if _climbs(value) or (_is_inside(value) and not _FOLLOWED.search(name)):
            reading.does(Effect.EXFIL)


def leads_inside(text: str) -> bool:
    """Whether a text is a path or URL that leads to what only the service itself can reach."""
    return _climbs(text) or _is_inside(text)


def _climbs(value: str) -> bool:
    # Some services undo escapes a second time.
    return any(_CLIMBING.search(each) or _SCHEMES.match(each) for each in {value, unquote(value)})


def _holds_credentials(request: Request) -> bool:
    segments = request.segments
    lower = [segment.lower() for segment in segments]
    if secret_file(request.path) or (lower and lower[-1] in _UNVEILED):
        return True
    if PROSE & set(lower[:-1]) or _PUBLISHED.search(request.path.lower()):
        return False
    about = bool(lower) and lower[-1] in _ABOUT
    if any(is_credential(segment) for segment in segments[: -1 if about else None]) and not (
        about and is_credential(segments[-2])
    ):
        return True
    tail = lower[-2:]  # a list of them, or one of the list
    if _LISTS & set(tail) and not about:
        return True
    if lower[-1:] and (lower[-1] in {"backup", "dump"} or (lower[-1] in _TAKEN and _KEPT & set(lower))):
        return True
    everything = {word for segment in segments for word in parts(segment)}
    return bool(
        {"key", "keys"} & (everything if "private" in everything else set(tail)) and _KEYRING & everything
    )


def _shows_insides(request: Request) -> bool:
    lower = [segment.lower() for segment in request.segments]
    return (
        bool(_CLOUD_PATHS.match(request.path.lower()))
        or "jolokia" in lower
        or any(
            above in _DIAGNOSTICS and not _DIAGNOSTICS[above].isdisjoint(lower[at + 1 :])
            for at, above in enumerate(lower)
        )
    )


def _is_inside(value: str) -> bool:
    """Whether a value is a URL of a place that only the service itself can reach."""
    if not re.match(r"(?:https?:)?//", value, re.IGNORECASE):
        return False
    try:
        host = (urlsplit(value).hostname or "").rstrip(".")
    except ValueError:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # 2130706433 and 0x7f000001 are addresses to many resolvers.
        return (
            host in _CLOUD_HOSTS
            or "." not in host
            or host.endswith((".localhost", ".internal", ".local", ".svc"))
            or re.fullmatch(r"[0-9.]+|0x[0-9a-f.x]+", host) is not None
        )
    return not address.is_global
