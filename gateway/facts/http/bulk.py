"""Bodies that hold many deeds, or requests of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gateway.facts.http.bodies import Body
from gateway.facts.http.methods import DESTROYS, READS, WRITES
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.model import Effect

_BATCHES = frozenset({"$batch", "batch", "_batch", ":batch", "batchrequests"})
_METHODS = READS | WRITES | DESTROYS
_TARGETS = frozenset({"url", "uri", "path", "href", "relative_url", "relativeUrl", "endpoint"})
_ACTIONS = frozenset({"index", "create", "update", "delete"})


def read(reading: Reading, request: Request, body: Body) -> None:
    last = request.segments[-1].lower() if request.segments else ""
    if last in _BATCHES or last.endswith(":batch"):
        reading.doubt("the body holds requests of its own")
        if re.search(rb"\bDELETE\b", body.data, re.IGNORECASE):
            reading.does(Effect.DESTRUCTIVE)
    elif _requests_in(body.value):
        reading.doubt("the body holds requests of its own")
        reading.does(*(Effect.DESTRUCTIVE for method in _requests_in(body.value) if method == "DELETE"))
    elif last == "_bulk":
        _elasticsearch(reading, body)
    elif last == "_bulk_docs":
        if body.kind != "json":
            reading.doubt("the bulk body cannot be read")
        elif any(name == "_deleted" for name, _ in body.members()):
            reading.does(Effect.DESTRUCTIVE)
    elif last == "_update_by_query" and not _narrow(body.value):
        reading.does(Effect.DESTRUCTIVE)


def _requests_in(value: object) -> set[str]:
    """The methods of requests that stand in a list, whatever the list and its path are called."""
    lists = value.values() if isinstance(value, dict) else [value]
    return {
        str(each["method"]).upper()
        for entries in lists
        if isinstance(entries, list)
        for each in entries
        if isinstance(each, dict) and str(each.get("method")).upper() in _METHODS and _TARGETS & each.keys()
    }


def _elasticsearch(reading: Reading, body: Body) -> None:
    """Actions on lines of their own, each but `delete` followed by a document."""
    if body.kind == "ndjson":
        lines: Iterator[Any] = iter(body.values)
    elif body.kind == "json":
        lines = iter([body.value])
    else:
        reading.doubt("the bulk body cannot be read")
        return
    for line in lines:
        action = next(iter(line), "") if isinstance(line, dict) and len(line) == 1 else ""
        if action not in _ACTIONS:
            reading.doubt("a line of the bulk body is no action")
            return
        if action == "delete":
            reading.does(Effect.DESTRUCTIVE)
        else:
            next(lines, None)


def _narrow(value: object) -> bool:
    """Whether a search body restricts what it finds."""
    query = value.get("query") if isinstance(value, dict) else None
    return isinstance(query, dict) and bool(query) and "match_all" not in query
