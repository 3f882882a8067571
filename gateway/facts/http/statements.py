"""Statements of SQL that a request brings: whether a text is one, and whether it only selects."""

from __future__ import annotations

import re

from gateway.facts import postgres
from gateway.model import Effect

TEXT_MOST = 8_192
_BEGINS = re.compile(
    r"(?>(?:\s|(?>/\*.*?\*/)|--[^\n]*\n|\()*)(?:select|with|insert|update|delete|drop|alter|create|truncate|grant|revoke|copy|call"
    r"|exec|merge|set|do|vacuum|explain|show|replace|load|attach|pragma|use)\s",
    re.IGNORECASE | re.DOTALL,
)
_DIALECT = re.compile(r"/\*|--|[#\\`;]")
"""What the servers of different makers read differently."""


def is_sql(text: str) -> bool:
    """Whether a text begins like a statement."""
    return _BEGINS.match(text) is not None


def only_selects(text: str) -> bool:
    """Whether a text is one plain SELECT, whichever server reads it, of columns under their own names: masks go by these."""
    if len(text) > TEXT_MOST or _DIALECT.search(text) or not re.match(r"\s*select\s", text, re.IGNORECASE):
        return False
    facts = postgres.read(text)
    return facts.effects == {Effect.READ} and all(
        {source.rpartition(".")[2] for source in each.sources} <= {each.name} for each in facts.outputs or ()
    )
