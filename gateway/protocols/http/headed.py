"""Tables in JSON, and pairs of name and value: there what things are called stands where values do.

`{"columns": ["id", "ssn"], "rows": [[1, "078-05-1120"]]}`, `[["id", "ssn"], ...]`, `{"name": "ssn", "value": ...}` and what services
make of those: once a text is a name that a rule hides, what stands in its place in rows, and in pairs, is hidden as well,
up to the end of the answer. Where nobody can tell the place, all of it is.
"""

from __future__ import annotations

import re

from gateway.masking.strategies import strictest
from gateway.protocols.http.naming import Names, Place

_TELLS = re.compile(
    rb'(?i)"(?:[\w-]*(?:name|key|field|column|label|header|property|attribute|title|value)|col|[cknv])"'
)
_HOLDS = re.compile(rb'(?i)"(?:[\w-]*(?:values?|data|content|text)|val|[dv])"')
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}")
_PLACES = 100
"""Of which it is remembered what stands there."""


def tells(member: bytes) -> bool:
    """Whether a member so called, in its quotes, may say what something is called."""
    return _TELLS.fullmatch(member) is not None


def holds(member: bytes) -> bool:
    """Whether a member so called, in its quotes, may hold what something is."""
    return _HOLDS.fullmatch(member) is not None


class Headed:
    """What was told so far in one answer."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._harmless: dict[Place, set[bytes]] = {}
        self._places: dict[int | None, str] = {}
        """Where a column stands -> how it is hidden; None for everywhere."""

    @property
    def any(self) -> bool:
        return bool(self._places)

    def harmless(self, around: Place) -> set[bytes]:
        """Texts, in their quotes, that are no such name there. Callers fill it."""
        if len(self._harmless) >= _PLACES:
            self._harmless.clear()
        return self._harmless.setdefault(around, set())

    def told(self, around: Place, text: str, at: int | None) -> bool:
        """A text stands where a name may, in an array at this place if in one. Whether it is one that a rule hides."""
        if _NAME.fullmatch(text) is None:
            return False
        strategy = self._names.column(around, text)
        if strategy is not None:
            found = strictest(each for each in (strategy, self._places.get(at)) if each is not None)
            assert found is not None
            self._places[at] = found
        return strategy is not None

    def hidden(self, at: int | None) -> str | None:
        """How what stands at this place is hidden, if it is."""
        if at is None:
            return strictest(self._places.values())
        return strictest(each for each in (self._places.get(at), self._places.get(None)) if each is not None)
