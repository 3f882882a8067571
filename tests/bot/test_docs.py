"""docs/slack.md says what the code does."""

from __future__ import annotations

from pathlib import Path

from bot.listeners.commands import HELP
from bot.manifest import SCOPES
from bot.settings import VARIABLES

PAGE = (Path(__file__).parents[2] / "docs" / "slack.md").read_text()


def test_every_variable_is_explained() -> None:
    assert [name for name in VARIABLES if f"`{name}`" not in PAGE] == []


def test_every_scope_is_explained_and_no_other() -> None:
    section = PAGE.partition("**Scopes.**")[2].partition("\n## ")[0]
    named = {
        word.strip("`, ")
        for line in section.splitlines()
        if line.startswith("| `")
        for word in line.split("|")[1].split(",")
    }
    assert named == set(SCOPES)


def test_every_verb_of_the_command_is_named() -> None:
    assert [verb for verb, _ in HELP if f"`{verb}`" not in PAGE] == []
