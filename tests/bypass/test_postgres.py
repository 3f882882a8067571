"""The corpus of statements that try to get past, judged by the effects read from them, and rewritten in every way
that leaves their meaning alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway.facts import postgres
from gateway.facts.postgres import read
from gateway.facts.postgres.tree import _scanner
from gateway.facts.shapes import blanked
from gateway.model import Effect

ROWS = YAML(typ="safe").load((Path(__file__).parent / "postgres.yaml").read_text())
DANGEROUS = [row for row in ROWS if row["verdict"] != "allow" and "unknown" not in row["effects"]]
BLOCKED = {Effect.DESTRUCTIVE, Effect.PRIVILEGE}
ALLOWED = {Effect.READ, Effect.SESSION}
WORD = 1
"""What the scanner calls a keyword of any kind is above this."""


def verdict(effects: frozenset[Effect]) -> str:
    if effects & BLOCKED:
        return "block"
    return "allow" if effects <= ALLOWED else "hold"


@pytest.mark.parametrize("row", ROWS, ids=[row["sql"][:70] for row in ROWS])
def test_nothing_gets_past_and_nothing_harmless_is_stopped(row):
    facts = read(row["sql"])
    assert {Effect(effect) for effect in row["effects"]} <= facts.effects
    assert verdict(facts.effects) == row["verdict"], sorted(facts.effects)
    assert facts.complete == (Effect.UNKNOWN not in facts.effects)


def test_more_than_a_third_of_the_corpus_is_harmless():
    harmless = sum(row["verdict"] == "allow" for row in ROWS)
    assert harmless > len(ROWS) / 3


def tokens(sql: str) -> list[tuple[str, bool]]:
    """The statement's tokens, and whether each is a keyword."""
    data = sql.encode()
    scanned = _scanner.scan(sql).tokens
    return [(data[t.start : t.end].decode(), t.keyword_kind >= WORD) for t in scanned]


BLANKS = st.sampled_from([" ", "\t", "\n", "  \r\n ", " /* x */ ", "/* a /* b */ c */", " -- y\n", "\f"])


@st.composite
def rewritten(draw):
    """A dangerous statement with other white space, comments and case."""
    row = draw(st.sampled_from(DANGEROUS))
    parts = []
    for text, keyword in tokens(row["sql"]):
        if text.startswith(("--", "/*")):
            continue
        cased = "".join(draw(st.sampled_from([c.lower(), c.upper()])) for c in text) if keyword else text
        parts += [cased, draw(BLANKS)]
    return row, draw(BLANKS) + "".join(parts) + draw(st.sampled_from(["", ";", "; ;", "; SELECT 1"]))


@settings(max_examples=300, deadline=None)
@given(rewritten())
def test_white_space_comments_and_case_change_no_effect(case):
    row, sql = case
    facts = read(sql)
    assert read(row["sql"]).effects <= facts.effects, sql


WRAPPERS = [
    "EXPLAIN ANALYZE {}",
    "PREPARE p AS {}",
    "SELECT 1; {}",
    "{}; SELECT 1",
    "BEGIN; {}; COMMIT",
]
CHANGES = [
    row
    for row in DANGEROUS
    if row["sql"].lstrip().upper().startswith(("DELETE", "UPDATE", "INSERT", "SELECT"))
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_statement_keeps_its_effects_inside_another(wrapper):
    for row in CHANGES:
        if "INTO copy_of" in row["sql"] and wrapper.startswith("PREPARE"):
            continue
        outer = read(wrapper.format(row["sql"]))
        assert read(row["sql"]).effects <= outer.effects, wrapper.format(row["sql"])


NUMBERED = [row["sql"] for row in ROWS] + [
    f"WITH x AS ({row['sql']} RETURNING 1) SELECT 1 FROM x"
    for row in ROWS
    if row["sql"].startswith(("DELETE", "UPDATE"))
]


@pytest.mark.parametrize("number", ["0", "1", "2", "999999999"])
def test_no_statement_borrows_the_meaning_of_one_with_other_integers(number):
    for sql in NUMBERED:
        shape = blanked(sql)
        facts, counts_integers = postgres._parsed(sql)
        if shape is not None and not counts_integers:
            assert postgres._parsed(shape.replace("\0", number))[0] == facts, sql


def test_the_shipped_policy_gives_every_row_its_verdict():
    asked = [
        json.dumps(
            {
                "id": number,
                "protocol": "postgres",
                "command": row["sql"],
                "session_before": row.get("before", []),
            }
        )
        for number, row in enumerate(ROWS)
    ]
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "explain", "--policy", "policies.yaml", "--jsonl"],
        input="\n".join(asked),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    wrong = [
        (row["sql"], row["verdict"], answers[number]["verdict"])
        for number, row in enumerate(ROWS)
        if answers[number]["verdict"] != row["verdict"]
    ]
    assert not wrong
