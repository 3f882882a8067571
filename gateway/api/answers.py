"""How the API answers: contract shapes as JSON, and every error as one `Refusal` with its status.

The middleware is the one place where errors become answers; what is not in its table is the gateway's own fault.
"""

from __future__ import annotations

import logging
from typing import TypeVar

import msgspec
from aiohttp import web

from gateway.api.access import Forbidden, Handler, Unauthorized
from gateway.api.stepping import LoginOffered
from gateway.approvals import AlreadySettled, NotEligible, NotFound, ReviewFirst, Stale
from gateway.contract import Refusal, decode, encode
from gateway.identity.possession import NotHeld
from gateway.identity.tokens import TokenRefused
from gateway.journal import JournalFailed
from gateway.store import StoreFailed

log = logging.getLogger(__name__)

T = TypeVar("T")


class BadRequest(Exception):
    """The request does not say what it should; the message names the part."""


class WishRefused(Exception):
    """What is wished for cannot be had so; `field` is the part that would have to be another."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Conflict(Exception):
    """Somebody else wrote in the meantime."""


REFUSALS: dict[type[Exception], tuple[int, str]] = {
    BadRequest: (400, "bad_request"),
    msgspec.DecodeError: (400, "bad_request"),
    msgspec.ValidationError: (400, "bad_request"),
    WishRefused: (422, "wish_refused"),
    Unauthorized: (401, "unauthorized"),
    Forbidden: (403, "unauthorized"),
    NotEligible: (403, "not_eligible"),
    ReviewFirst: (403, "review_first"),
    LoginOffered: (403, "login_first"),
    NotFound: (404, "not_found"),
    AlreadySettled: (409, "already_settled"),
    Stale: (409, "stale"),
    Conflict: (412, "conflict"),
    StoreFailed: (503, "unavailable"),
    JournalFailed: (503, "unavailable"),
}
"""Error -> status and `Refusal.error`."""


@web.middleware
async def refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors of our own, and aiohttp's about the request, as `Refusal`."""
    try:
        return await handler(request)
    except tuple(REFUSALS) as error:
        status, name = REFUSALS[type(error)]
        if status >= 500:
            log.exception("the API could not answer")
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        url = error.url if isinstance(error, LoginOffered) else ""
        field = error.field if isinstance(error, WishRefused) else ""
        refusal = Refusal(error=name, message=f"{error}", url=url, field=field)
        return answer(refusal, status=status, headers=headers)
    except NotHeld as error:
        refusal = Refusal(error=error.error, message=error.message)
        return answer(refusal, status=error.status, headers=dict(error.headers))
    except TokenRefused as error:
        return answer(Refusal(error=error.error, message=error.message), status=400)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        name = "not_found" if error.status == 404 else "bad_request"
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return answer(Refusal(error=name, message=error.reason), status=error.status, headers=headers)


def answer(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A contract shape, or anything of JSON, as an answer that nobody may keep."""
    return web.Response(
        body=encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


async def body(request: web.Request, shape: type[T]) -> T:
    """The request's body as a contract shape. Raises `msgspec.ValidationError`, `BadRequest`."""
    try:
        return decode(await request.read(), shape)
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None


def whole_number(request: web.Request, name: str, *, default: int, most: int) -> int:
    """A number of the query, between 0 and `most`. Raises `BadRequest`."""
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(f"{name} has to be a whole number")
    return min(int(text), most)
