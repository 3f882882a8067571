"""The request that a row of `countersign explain`, an example or a command line holds."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from gateway.facts.http.framing import from_bytes
from gateway.facts.http.request import Request, made


def request_of(row: Mapping[str, Any]) -> Request:
    """The request that a row of `countersign explain` holds.

    Raises `RequestUnclear`, and `ValueError` for a row without a request.
    """
    if "raw_b64" in row:
        return from_bytes(_decoded(row["raw_b64"], "raw_b64"))
    if "method" not in row and isinstance(row.get("command"), str):
        row = _spoken(row["command"])
    method, path = row.get("method"), row.get("path")
    if not isinstance(method, str) or not isinstance(path, str):
        raise ValueError("the row has neither method and path nor raw_b64")  # noqa: TRY004 - a row is data
    query = _query_text(row.get("query"))
    if query:
        path += ("&" if "?" in path else "?") + query
    headers = _header_pairs(row.get("headers"))
    body = _row_body(row)
    if isinstance(row.get("body"), dict | list):
        headers = _of_json(headers)
    return made(method, path, headers, body)


def _spoken(text: str) -> dict[str, Any]:
    """A request as people write it: method and target, then perhaps headers, an empty line and a body; or JSON at once."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.strip().split("\n")
    method, _, target = first.partition(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    plain, _, inline = target.partition(" ")
    if inline.startswith(("{", "[")) and not body:
        target, body, headers = plain, inline, _of_json(headers)
    if not target:
        raise ValueError("a request is written as in GET /orders?status=paid")
    return {"method": method, "path": target.strip(), "headers": headers, "body": body}


def _row_body(row: Mapping[str, Any]) -> bytes:
    if "body_b64" in row:
        return _decoded(row["body_b64"], "body_b64")
    body = row.get("body")
    if body is None:
        return b""
    if isinstance(body, dict | list):
        body = json.dumps(body)
    if not isinstance(body, str):
        raise ValueError("body is a text or JSON; other bytes go into body_b64")  # noqa: TRY004 - a row is data
    return body.encode("utf-8", "surrogatepass")


def _decoded(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error:
        raise ValueError(f"{name} is not base64") from None


def _query_text(query: Any) -> str:
    if query is None:
        return ""
    if isinstance(query, str):
        return query.removeprefix("?")
    items: Iterable[Any] = query.items() if isinstance(query, Mapping) else query
    try:
        return urlencode([(str(name), _spelled(each)) for name, value in items for each in _each(value)])
    except (TypeError, ValueError):
        raise ValueError("query is a text, or pairs of name and value") from None


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _header_pairs(headers: Any) -> list[tuple[str, str]]:
    if headers is None:
        return []
    items = headers.items() if isinstance(headers, Mapping) else headers
    try:
        return [(str(name), str(value)) for name, value in items]
    except (TypeError, ValueError):
        raise ValueError("headers are pairs of name and value") from None


def _of_json(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """With the type of a body that was written as JSON, where no other is said."""
    if "content-type" in {name.lower() for name, _ in headers}:
        return headers
    return [*headers, ("Content-Type", "application/json")]
