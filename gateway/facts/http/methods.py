"""Methods, and where else than in the request line a server may find one."""

from __future__ import annotations

from gateway.facts.http.bodies import Body
from gateway.facts.http.headers import OVERRIDES
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request

_READS = "GET HEAD OPTIONS PROPFIND REPORT SEARCH QUERY"
_WRITES = "POST PUT PATCH DELETE MKCOL MKCALENDAR COPY MOVE PROPPATCH LOCK UNLOCK LINK UNLINK"
READS = frozenset(_READS.split())
OF_WEBDAV = frozenset({"PROPFIND", "REPORT", "SEARCH"})
"""They ask in XML (RFC 4918, 3253, 5323)."""
ASK_WITH_A_BODY = OF_WEBDAV | {"QUERY"}
WRITES = frozenset(_WRITES.split())
DESTROYS = frozenset({"PURGE", "BAN"})
_PARAMETERS = frozenset({"method", "methodoverride", "httpmethod", "httpmethodoverride"})


def methods_of(reading: Reading, request: Request, body: Body) -> list[str]:
    """The method, and what a server that honours overrides would take in its place: all count."""
    found = [value for name in sorted(OVERRIDES) for value in request.values(name)]
    found += [value for name, value in (*request.parameters, *body.fields) if _overrides(name, value)]
    if body.kind == "json" and isinstance(body.value, dict):
        found += [
            value for name, value in body.value.items() if isinstance(value, str) and _overrides(name, value)
        ]
    if body.kind == "multipart" and b"_method" in body.data:
        reading.doubt("a form may override the method")
    if request.method != request.method.upper():
        reading.doubt("the method is not in capitals")
    return list(
        dict.fromkeys([request.method, request.method.upper(), *(each.strip().upper() for each in found)])
    )


def _overrides(name: str, value: str) -> bool:
    """`_method`, `X-HTTP-Method-Override`, `$httpMethod`; a plain `method` only where it holds a method."""
    plain = name.lower().replace("-", "").replace("_", "").lstrip("$")
    if plain.removeprefix("x") not in _PARAMETERS or not value.strip():
        return False
    return plain != name.lower() or value.strip().upper() in READS | WRITES | DESTROYS
