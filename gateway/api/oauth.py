"""How the endpoints for tokens answer: JSON that nobody may keep, and refusals as RFC 6749 §5.2 and RFC 6750 §3 write them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.api.access import Handler
from gateway.identity import scopes
from gateway.identity.possession import NONCE_HEADER, NotHeld
from gateway.identity.proofs import ProofRefused
from gateway.identity.tokens import TokenRefused
from gateway.model import Scope
from gateway.store import StoreFailed

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
UNAVAILABLE = "temporarily_unavailable"

log = logging.getLogger(__name__)


class Wait(Exception):
    """Too many failures: no attempt is looked at for so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class NotBearer(Exception):
    """A credential is missing or is not the one."""


def guarded(handler: Handler) -> Handler:
    """`handler`, its refusals as answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except TokenRefused as refused:
            match refused.error:
                case "invalid_client":
                    basic = {"WWW-Authenticate": 'Basic realm="countersign"'}
                    return _error(401, refused.error, refused.message, basic)
                case error if error == UNAVAILABLE:
                    return _error(503, refused.error, refused.message)
                case _:
                    return _error(400, refused.error, refused.message)
        except ProofRefused as refused:
            nonce = {NONCE_HEADER: refused.nonce} if refused.nonce else {}
            return _error(503 if refused.error == UNAVAILABLE else 400, refused.error, refused.message, nonce)
        except NotHeld as refused:
            return _error(refused.status, refused.error, refused.message, refused.headers)
        except NotBearer as refusal:
            challenge = {"WWW-Authenticate": 'Bearer realm="countersign", error="invalid_token"'}
            return _error(401, "invalid_token", str(refusal), challenge)
        except Wait as wait:
            message = f"too many failed attempts from here: wait {wait.seconds} s"
            return _error(429, "invalid_client", message, {"Retry-After": str(wait.seconds)})
        except StoreFailed:
            log.exception("the store failed; no token is handed out")
            return _error(503, UNAVAILABLE, "the gateway cannot keep its state: try again later")

    return answer


def as_json(body: Mapping[str, Any]) -> web.Response:
    return web.json_response(body, headers=NO_STORE)


def scope_in(form: Mapping[str, str]) -> Scope | None:
    """What the form asks for, in either spelling; None where it leaves that open. Raises `TokenRefused`."""
    if "scope" in form and "authorization_details" in form:
        raise TokenRefused("invalid_request", "give scope or authorization_details, not both")
    try:
        if "scope" in form:
            return scopes.parse(form["scope"])
        if "authorization_details" in form:
            return scopes.parse_details(form["authorization_details"])
    except scopes.ScopeMalformed as malformed:
        error = "invalid_scope" if "scope" in form else "invalid_authorization_details"
        raise TokenRefused(error, str(malformed)) from None
    return None


def seconds_in(form: Mapping[str, str]) -> float | None:
    """`expires_in`. Raises `TokenRefused`."""
    text = form.get("expires_in")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise TokenRefused("invalid_request", "expires_in must be a whole number of seconds")
    return float(text)


def line_in(form: Mapping[str, str], name: str, characters: int) -> str:
    """One line of text, "" where there is none. Raises `TokenRefused`."""
    text = form.get(name, "")
    if len(text) > characters or not text.isprintable():
        raise TokenRefused("invalid_request", f"{name} must be one line of at most {characters} characters")
    return text


def _error(status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"error": error, "error_description": message}
    return web.json_response(body, status=status, headers={**NO_STORE, **(headers or {})})
