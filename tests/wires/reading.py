"""Facts for tests that are about wires: read from the words of a text, roughly."""

from __future__ import annotations

import re

from gateway.model import Effect, Facts

_EFFECTS = {
    "select": Effect.READ,
    "insert": Effect.WRITE,
    "update": Effect.WRITE,
    "delete": Effect.WRITE,
    "create": Effect.DDL,
    "drop": Effect.DESTRUCTIVE,
}
_KNOWN: dict[str, Facts] = {}


def read(text: str) -> Facts:
    """Like `gateway.facts.postgres.read`: pure, and the same object for the same text."""
    if text not in _KNOWN:
        _KNOWN[text] = _read(text)
    return _KNOWN[text]


def _read(text: str) -> Facts:
    statements = [part for part in text.split(";") if part.strip()]
    words = re.findall(r"[a-z_]+", text.lower())
    effects = frozenset(_EFFECTS.get(word, Effect.SESSION) for word in words[:1])
    attributes: dict[str, str | int | bool] = {
        "sql.statements": len(statements),
        "sql.verbs": " ".join(
            re.findall(r"[a-z]+", part.lower())[0] for part in statements if re.search("[a-z]", part.lower())
        ),
    }
    if prepared := re.match(r"\s*prepare\s+(\w+).*?\bas\s+(.*)", text, re.IGNORECASE | re.DOTALL):
        attributes["sql.prepare"] = prepared[1].lower()
        effects = read(prepared[2]).effects
    if executed := re.match(r"\s*execute\s+(\w+)", text, re.IGNORECASE):
        attributes |= {
            "sql.execute": executed[1].lower(),
            "sql.why_unknown": "a prepared statement is executed whose text stands elsewhere",
        }
        return Facts(effects=frozenset({Effect.UNKNOWN}), complete=False, attributes=attributes)
    return Facts(effects=effects, attributes=attributes)
