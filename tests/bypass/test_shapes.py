"""What somebody may try to get through on a yes to the shape of another command, and what they may well want."""

from __future__ import annotations

import itertools
import shlex
from typing import Any

import pytest
import sqlglot

from gateway import protocols
from gateway.model import Command, Facts, Shape
from gateway.shaping import shape_key
from tests.bypass.twins import HTTP, KUBERNETES, MYSQL, SHELL

CORPUS = {"mysql": MYSQL, "ssh": SHELL, "http": HTTP, "kubernetes": KUBERNETES}


def rows(which: int) -> list[Any]:
    return [
        pytest.param(protocol, approved, text, id=f"{protocol}: {text}")
        for protocol, table in CORPUS.items()
        for approved, row in table.items()
        for text in row[which]
    ]


@pytest.mark.parametrize(("protocol", "approved", "twin"), rows(0))
def test_a_yes_to_a_shape_lets_its_twins_go(protocol: str, approved: str, twin: str) -> None:
    assert key(protocol, twin) == key(protocol, approved) != ""


@pytest.mark.parametrize(("protocol", "approved", "attempt"), rows(1))
def test_a_yes_to_a_shape_lets_nothing_else_go(protocol: str, approved: str, attempt: str) -> None:
    assert key(protocol, approved) != ""
    assert key(protocol, attempt) != key(protocol, approved)


@pytest.mark.parametrize(
    ("protocol", "approved"),
    [(protocol, approved) for protocol, table in CORPUS.items() for approved in table],
)
def test_what_a_card_says_is_so(protocol: str, approved: str) -> None:
    told = shape_of(protocol, approved)
    assert told is not None
    if protocol in {"mysql", "ssh"}:
        assert key(protocol, told.stops) != key(protocol, approved)
        if told.passes:
            assert key(protocol, told.passes) == key(protocol, approved)
    assert bool(told.passes) == ("…" in told.words or "{" in told.words or "*" in told.words)


STATEMENTS = (
    ("UPDATE t SET a = ", "update  T set a = "),
    ("1", "-7", "'x'", "'o''k'", "x'41'", "NULL"),
    (" WHERE id", " WHERE id + 1", " WHERE f(id, 1)"),
    (" = ", " > ", " BETWEEN 1 AND ", " = (1) - "),
    ("3", "'y'", "b"),
    ("", " LIMIT 1", " LIMIT 2", " AND b IN (1)", " AND b IN (1, 2)"),
)


def alike(protocol: str, parts: tuple[tuple[str, ...], ...]) -> list[list[str]]:
    """All the texts that can be put together, by what is one shape."""
    found: dict[str, list[str]] = {}
    for text in map("".join, itertools.product(*parts)):
        found.setdefault(key(protocol, text) or text, []).append(text)
    return [texts for texts in found.values() if len(texts) > 1]


def test_another_parser_finds_nothing_but_values_between_mysql_twins() -> None:
    groups = alike("mysql", STATEMENTS)
    assert sum(map(len, groups)) > 300
    for texts in groups:
        assert len(set(map(skeleton, texts))) == 1, texts
        assert len({deeds("mysql", text) for text in texts}) == 1


def skeleton(text: str) -> str:
    """By sqlglot: what is left without literals that are compared or assigned; a list of IN has one."""
    found = []
    for tree in sqlglot.parse(text, dialect="mysql"):
        assert tree is not None
        for each in list(tree.find_all(sqlglot.exp.In)):
            each.set("expressions", each.expressions[:1])
        for each in list(tree.find_all(sqlglot.exp.Neg)):
            each.replace(each.this)
        for literal in list(tree.find_all(sqlglot.exp.Literal)):
            if not isinstance(literal.parent, sqlglot.exp.Limit | sqlglot.exp.Anonymous):
                literal.replace(sqlglot.exp.Placeholder())
        found.append(tree.sql(dialect="mysql", comments=False).lower())
    return "; ".join(found)


COMMANDS = (
    ("tail -n", "grep", "grep -n", "logger", "git commit -m", "rm"),
    (" 50", "  '7'", " error", " 'a b'", " -5", " -c", " *", " $x", " --", " '-v'"),
    ("", " x", ' "y"', " -n"),
    (" /var/log/x", " /etc/shadow"),
    ("", " | wc -l", " >x", "; id"),
)


def test_another_reader_finds_nothing_but_plain_words_between_shell_twins() -> None:
    groups = alike("ssh", COMMANDS)
    assert sum(map(len, groups)) > 200
    for texts in groups:
        said = [shlex.split(text) for text in texts]
        for words in zip(*said, strict=True):
            assert len(set(words)) == 1 or not set("-*$") & {word[0] for word in words}, texts
        assert len({deeds("ssh", text) for text in texts}) == 1


def deeds(protocol: str, text: str) -> tuple[object, ...]:
    facts = facts_of(protocol, text)
    return (facts.effects, frozenset(facts.resources))


def facts_of(protocol: str, text: str) -> Facts:
    return protocols.reader(protocol).read_facts({"command": text})


def key(protocol: str, text: str) -> str:
    """As the gate has it; around a shell text stands what a client set, here nothing."""
    facts = facts_of(protocol, text)
    command = command_of(protocol, text, facts)
    return shape_key(protocols.shape(protocol, command, facts), command, facts)


def shape_of(protocol: str, text: str) -> Shape | None:
    facts = facts_of(protocol, text)
    return protocols.shape(protocol, command_of(protocol, text, facts), facts)


def command_of(protocol: str, text: str, facts: Facts) -> Command:
    del protocol
    return Command(id="c", text=text, facts=facts, exact=(text.encode("utf-8", "surrogatepass"),))
