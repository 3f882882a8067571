"""What OAuth endpoints read from a request: a form, who sends it, and whether it came in a way that secrets may travel.

Forms are bounded and strict (RFC 6749 §3.2: no parameter twice, nothing in the URL). A secret may arrive over TLS, from
loopback or through a unix socket; forwarding headers are never believed, since anybody can write them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import web

from gateway.identity.tokens import TokenRefused

FORM = "application/x-www-form-urlencoded"
FORM_BYTES = 32_768
FORM_FIELDS = 32
FORM_SECONDS = 10.0
"""From the headers to the end of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """An agent's name and secret, as `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1)."""

    name: str
    secret: str = field(repr=False)


async def read_form(request: web.Request, *, most: int = FORM_BYTES) -> dict[str, str]:
    """The body's parameters, empty ones left out, of at most `most` bytes; raises `TokenRefused("invalid_request")`."""
    refuse_cleartext(request)
    if request.query_string:
        raise TokenRefused("invalid_request", "parameters belong into the body: URLs end up in logs")
    if request.content_type != FORM:
        raise TokenRefused("invalid_request", "send an application/x-www-form-urlencoded body")
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise TokenRefused("invalid_request", f"the body is larger than {most} bytes")
    except TimeoutError:
        raise TokenRefused("invalid_request", f"the body did not arrive within {FORM_SECONDS:g} s") from None
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FORM_FIELDS,
        )
    except ValueError:
        raise TokenRefused("invalid_request", "the body is not a well-formed form") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise TokenRefused("invalid_request", "a parameter is given twice")
    return {name: value for name, value in form.items() if value}


def client_credentials(request: web.Request, form: Mapping[str, str]) -> ClientCredentials | None:
    """Who the client says it is, or None where it does not say; raises `TokenRefused`."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    posted = "client_id" in form and "client_secret" in form
    if scheme.lower() != "basic":
        if not posted:
            return None
        return ClientCredentials(name=form["client_id"], secret=form["client_secret"])
    if "client_secret" in form:
        raise TokenRefused("invalid_request", "authenticate in one way: by header or by parameters, not both")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise TokenRefused("invalid_request", "the Authorization header is not well-formed") from None
    name, secret = (unquote_plus(part) for part in pair.partition(":")[::2])
    if form.get("client_id", name) != name:
        raise TokenRefused("invalid_request", "client_id is another than the one that authenticates")
    return ClientCredentials(name=name, secret=secret)


def bearer(request: web.Request) -> str:
    """The token of the Authorization header (RFC 6750 §2.1), or "" where there is none that could be one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.isascii() else ""


def refuse_cleartext(request: web.Request) -> None:
    """Raises `TokenRefused` where a secret would cross, or has just crossed, a network in the clear."""
    if not request.secure and not _local(request):
        raise TokenRefused(
            "invalid_request",
            "tokens and secrets are only taken over TLS or from loopback: use https, and a new secret",
        )


def _local(request: web.Request) -> bool:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if isinstance(peer, str):
        return True
    if not peer:
        return False
    address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback
