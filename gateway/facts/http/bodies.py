"""What a body says, read as its declared type and no other."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.facts.http.paths import PathUnclear, also_named, pairs
from gateway.facts.http.request import BODY_MOST, Request

_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
AWS_JSON = "application/x-amz-json-"
_NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_XML = frozenset({"application/xml", "text/xml"})
_PART_NAME = re.compile(rb';\s*name="?([^";\r\n]*)', re.IGNORECASE)
_FORM = "application/x-www-form-urlencoded"


class BodyUnclear(Exception):
    """A body that peers may read differently, or that nobody here can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body: JSON as `value`, a form as `fields`, lines of JSON as `values`; other types are only bytes."""

    kind: str
    """`json`, `form`, `ndjson`, `graphql`, `multipart`, `xml`, `other` or "" for none."""
    value: Any = None
    values: tuple[Any, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    data: bytes = b""

    def members(self) -> list[tuple[str, str]]:
        """Names at any depth, each with its value where that is text; texts of a list go by the list's name."""
        found = list(self.fields)
        waiting = [("", self.value), *(("", value) for value in self.values)]
        while waiting:
            above, each = waiting.pop()
            if isinstance(each, dict):
                found += [(name, "") for name, value in each.items() if not isinstance(value, str)]
                waiting += each.items()
            elif isinstance(each, list):
                waiting += [(above, value) for value in each]
            elif isinstance(each, str):
                found.append((above, each))
        return found


def body_of(request: Request) -> Body:
    """Raises `BodyUnclear`."""
    data = plain(request)
    declared, _, rest = request.header("content-type").partition(";")
    kind = declared.strip().lower()
    parameters = {
        name.strip().lower(): value.strip().strip('"').lower()
        for name, _, value in (part.partition("=") for part in rest.split(";"))
    }
    if not data:
        return Body(kind="")
    if parameters.get("charset", "") not in _CHARSETS:
        raise BodyUnclear("the body is in another character set")
    if kind in _NDJSON or kind.endswith("+x-ndjson"):
        return Body(
            kind="ndjson",
            values=tuple(json_of(line) for line in data.splitlines() if line.strip()),
            data=data,
        )
    if kind == "application/json" or kind.endswith("+json") or kind.startswith(AWS_JSON):
        return Body(kind="json", value=json_of(data), data=data)
    if kind == "application/graphql":
        return Body(kind="graphql", data=data)
    looks_like_json = data.lstrip()[:1] in {b"{", b"["} or data.startswith(b"\xef\xbb\xbf")
    if kind == _FORM:
        if looks_like_json:
            raise BodyUnclear("the body looks like JSON and says that it is a form")
        try:
            fields = also_named(pairs(data.decode("utf-8").strip()))
            return Body(kind="form", fields=fields, data=data)
        except (PathUnclear, UnicodeDecodeError):
            raise BodyUnclear("the form is not in order") from None
    if kind.startswith("multipart/"):
        return Body(kind="multipart", fields=also_named(_parts(rest, data)), data=data)
    if kind in _XML or kind.endswith("+xml"):
        return Body(kind="xml", data=data)
    if kind in {"", "text/plain"} and looks_like_json:
        raise BodyUnclear("the body looks like JSON and does not say so")
    return Body(kind="other", data=data)


def _parts(parameters: str, data: bytes) -> list[tuple[str, str]]:
    """The fields of a form in parts, files left out. What is not found here only adds nothing."""
    boundary = re.search(r'boundary="?([^";,\s]+)', parameters, re.IGNORECASE)
    if boundary is None:
        return []
    found: list[tuple[str, str]] = []
    for part in data.split(b"--" + boundary[1].encode("latin-1", "replace"))[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        if (name := _PART_NAME.search(head)) is not None and b"filename" not in head.lower():
            found.append(
                (name[1].decode("utf-8", "replace"), content.decode("utf-8", "replace").rstrip("\r\n"))
            )
    return found


def plain(request: Request) -> bytes:
    """The body without its content coding. Raises `BodyUnclear`."""
    coding = request.header("content-encoding").strip().lower()
    data = request.body
    match coding:
        case "" | "identity":
            return data
        case "gzip" | "x-gzip":
            reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        case "deflate":
            reader = zlib.decompressobj()
        case _:
            raise BodyUnclear("the body is in a coding that is not read here")
    try:
        plain = reader.decompress(data, BODY_MOST + 1)
    except (zlib.error, gzip.BadGzipFile):
        raise BodyUnclear("the body is not in the coding that it says") from None
    if len(plain) > BODY_MOST or not reader.eof or reader.unused_data:
        raise BodyUnclear("the coded body is too large, cut, or followed by more")
    return plain


def json_of(data: bytes) -> Any:
    """Strictly: names that stand twice, NaN and what is no UTF-8 are read differently by different readers."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise BodyUnclear("the JSON is not UTF-8") from None
    except (ValueError, RecursionError):
        raise BodyUnclear("the body is no JSON that all would read alike") from None


def _object(items: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        raise ValueError("a name stands twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(name)
