"""docs/effects.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.facts.postgres import ATTRIBUTES, read
from gateway.model import Effect

TEXT = (Path(__file__).parents[2] / "docs" / "effects.md").read_text()


def rows(heading: str) -> list[tuple[str, str]]:
    """The two columns of the table whose first heading is `heading`."""
    lines = TEXT[TEXT.index(f"| {heading} |") :].splitlines()[2:]
    end = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [
        (a.strip().strip("`"), b.strip())
        for _, a, b, _ in (re.split(r"(?<!\\)\|", line) for line in lines[:end])
    ]


def test_every_effect_is_explained_once():
    assert sorted(name for name, _ in rows("effect")) == sorted(Effect)


@pytest.mark.parametrize(("sql", "effects"), rows("statement"))
def test_examples_have_exactly_the_effects_that_are_written(sql, effects):
    assert sorted(read(sql).effects) == effects.split()


def test_the_examples_show_every_effect():
    assert {effect for _, effects in rows("statement") for effect in effects.split()} == set(Effect)


def test_every_attribute_is_explained():
    assert {name for name, _ in rows("attribute")} == ATTRIBUTES
