"""Answers of the gateway's own, as the API server would give them: kubectl and the libraries show what a `Status` says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from gateway.protocols.http.refusals import answer

_REASONS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNAUTHORIZED: "Unauthorized",
    HTTPStatus.FORBIDDEN: "Forbidden",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "RequestEntityTooLarge",
    HTTPStatus.BAD_GATEWAY: "ServiceUnavailable",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}


def refusal(
    status: HTTPStatus,
    message: str,
    *,
    without_body: bool,
    close: bool,
    rules: Sequence[str],
) -> bytes:
    said: dict[str, object] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(status, ""),
        "code": status.value,
    }
    if rules:
        said["details"] = {"causes": [{"reason": "PolicyRule", "message": rule} for rule in rules]}
    body = json.dumps(said, ensure_ascii=False).encode() + b"\n"
    return answer(status, b"application/json", body, without_body=without_body, close=close)
