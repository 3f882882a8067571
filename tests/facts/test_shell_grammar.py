"""The grammar against two others: bash says what is a text at all, shfmt which commands it holds."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from gateway.facts.shell.grammar import parse
from gateway.facts.shell.tree import Define, Simple, Unreadable

ROWS = YAML(typ="safe").load((Path(__file__).parents[1] / "bypass" / "ssh.yaml").read_text())
TEXTS = sorted({row["shell"] for row in ROWS})
SHFMT = shutil.which("shfmt", path=str(Path(sys.executable).parent)) or "shfmt"
DECLARING = {"declare", "local", "export", "readonly", "typeset", "nameref"}


def words_of_ours(node) -> Iterator[str]:
    """The first word, as written, of every command in a tree."""
    if isinstance(node, Simple) and node.words:
        yield node.words[0].source
    if dataclasses.is_dataclass(node):
        for field in dataclasses.fields(node):
            yield from words_of_ours(getattr(node, field.name))
    elif isinstance(node, list | tuple):
        for one in node:
            yield from words_of_ours(one)


def words_of_shfmt(node, text: bytes) -> Iterator[str]:
    if isinstance(node, dict):
        kind = node.get("Type")
        if kind == "CallExpr" and node.get("Args"):
            first = node["Args"][0]
            yield text[first["Pos"]["Offset"] : first["End"]["Offset"]].decode()
        elif kind == "DeclClause":
            yield node["Variant"]["Value"]
        elif kind == "LetClause":
            yield "let"
        for value in node.values():
            yield from words_of_shfmt(value, text)
    elif isinstance(node, list):
        for one in node:
            yield from words_of_shfmt(one, text)


def test_every_command_that_shfmt_finds_is_followed():
    different, compared = [], 0
    for text in TEXTS:
        told = subprocess.run(
            [SHFMT, "-tojson", "-ln", "bash"], input=text.encode(), capture_output=True, check=False
        )
        try:
            ours = Counter(words_of_ours(parse(text)))
        except Unreadable:
            continue
        if told.returncode == 0:
            compared += 1
            if Counter(words_of_shfmt(json.loads(told.stdout), text.encode())) - ours:
                different.append(text)
    assert not different
    assert compared > 0.9 * len(TEXTS)


def test_what_is_read_is_what_bash_accepts():
    accepted_here_alone = []
    for text in TEXTS:
        told = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
        try:
            parse(text)
        except Unreadable:
            continue
        if told.returncode != 0:
            accepted_here_alone.append(text)
    assert not accepted_here_alone


@pytest.mark.parametrize(
    "text",
    [
        "f() { ls; }",
        "case x in a) ls ;& b) id ;;& *) pwd ;; esac",
        "if a; then b; elif c; then d; else e; fi",
    ],
)
def test_every_branch_is_in_the_tree(text):
    told = subprocess.run(
        [SHFMT, "-tojson", "-ln", "bash"], input=text.encode(), capture_output=True, check=True
    )
    found = Counter(words_of_shfmt(json.loads(told.stdout), text.encode()))
    node = parse(text)
    assert Counter(words_of_ours(node)) >= found
    assert isinstance(node.parts[0], Define) == text.startswith("f()")
