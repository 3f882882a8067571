"""Which forms of an answer are asked for: JSON, in which objects have names that rules reach."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.protocols.http.framing import Header

_JSON = "application/json"


def accepting(headers: Sequence[Header], *, tables: bool) -> list[Header]:
    """The same headers, with `Accept` in as far as it is JSON or text. `tables`: whether the server may lay rows out."""
    wanted = b",".join(value for name, value in headers if name.lower() == b"accept").decode("latin-1")
    if not wanted.strip():
        return list(headers)
    kept = [each.strip() for each in wanted.split(",") if _readable(each, tables=tables)]
    return [
        *(each for each in headers if each[0].lower() != b"accept"),
        (b"Accept", (", ".join(kept) or _JSON).encode("latin-1")),
    ]


def _readable(wanted: str, *, tables: bool) -> bool:
    kind, *parameters = (part.strip().lower() for part in wanted.split(";"))
    if not kind or (kind.startswith("application/") and kind not in {_JSON, "application/*"}):
        return False
    return tables or "as=table" not in parameters


def is_json(kind: str) -> bool:
    """Whether a `Content-Type` is the JSON of an object, or no object at all."""
    kind = kind.partition(";")[0].strip().lower()
    return kind == _JSON or not kind.startswith("application/")
