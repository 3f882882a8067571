"""docs/effects.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.facts import mysql, postgres, shell
from gateway.model import Effect
from gateway.protocols.http import module as http
from gateway.protocols.kubernetes import module as kubernetes

TEXT = (Path(__file__).parents[2] / "docs" / "effects.md").read_text()
READERS = {
    "PostgreSQL": (postgres.read, postgres.ATTRIBUTES),
    "MySQL": (mysql.read, mysql.ATTRIBUTES),
    "Shell": (shell.read, shell.ATTRIBUTES),
    "HTTP": (lambda request: http.read_facts({"command": request}), http.ATTRIBUTES),
    "Kubernetes": (lambda request: kubernetes.read_facts({"command": request}), kubernetes.ATTRIBUTES),
}
"""What reads the examples of each section, and the attributes that it may give."""


def section(name: str) -> str:
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/effects.md has no section {name}"
    return found[1]


def rows(text: str, heading: str) -> list[tuple[str, str]]:
    """The two columns of the table whose first heading is `heading`."""
    lines = text[text.index(f"| {heading} |") :].splitlines()[2:]
    end = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [
        (a.strip().strip("`").replace(r"\|", "|"), b.strip())
        for _, a, b, _ in (re.split(r"(?<!\\)\|", line) for line in lines[:end])
    ]


EXAMPLES = [(name, *row) for name in READERS for row in rows(section(name), "example")]


def test_every_effect_is_explained_once():
    assert sorted(name for name, _ in rows(TEXT, "effect")) == sorted(Effect)


@pytest.mark.parametrize(("language", "statement", "effects"), EXAMPLES)
def test_examples_have_exactly_the_effects_that_are_written(language, statement, effects):
    read, _ = READERS[language]
    assert sorted(read(statement).effects) == effects.split()


def test_the_examples_show_every_effect():
    assert {effect for _, _, effects in EXAMPLES for effect in effects.split()} == set(Effect)


@pytest.mark.parametrize("language", READERS)
def test_every_attribute_is_explained(language):
    assert {name for name, _ in rows(section(language), "attribute")} == READERS[language][1]
