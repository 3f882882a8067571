"""The corpus of MySQL and MariaDB statements that try to get past, judged by the shipped policy and rewritten in every way
that leaves their meaning alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway.commands.explain import Explainer
from gateway.facts.mysql.lexer import Modes, tokens
from gateway.facts.mysql.servers import Server, Version
from gateway.model import Effect
from gateway.policy.examples import outcome
from gateway.policy.file import load
from gateway.vocabulary import known

ROWS = YAML(typ="safe").load((Path(__file__).parent / "mysql.yaml").read_text())
RANK = {"allow": 0, "hold": 1, "block": 2}
STOPPED = [row for row in ROWS if row["verdict"] != "allow" and "before" not in row]
PLAIN = [row for row in STOPPED if "unknown" not in row["effects"] and row.get("dialect") != "mysql"]
"""Rows whose reading does not hang on comments, modes or what a version of the server knows."""


@pytest.fixture(scope="module")
def explainer():
    vocabulary = known()
    return Explainer(load(Path(__file__).parents[2] / "policies.yaml", vocabulary), vocabulary)


def explained(explainer, sql, row):
    asked = {"connection": "billing", "command": sql, "session_before": row.get("before", [])}
    return explainer.explain(asked | ({"dialect": row["dialect"]} if "dialect" in row else {}))


def verdict(explainer, sql, row):
    return outcome(explained(explainer, sql, row).verdict).word


@pytest.mark.parametrize("row", ROWS, ids=[row["sql"][:70] for row in ROWS])
def test_nothing_gets_past_and_nothing_harmless_is_stopped(explainer, row):
    found = explained(explainer, row["sql"], row)
    assert {Effect(effect) for effect in row["effects"]} <= found.facts.effects
    assert outcome(found.verdict).word == row["verdict"], sorted(found.facts.effects)
    assert found.facts.complete == (Effect.UNKNOWN not in found.facts.effects)
    assert list(found.masked) == row.get("masked", list(found.masked))


def test_more_than_a_third_of_the_corpus_is_harmless():
    assert sum(row["verdict"] == "allow" for row in ROWS) > len(ROWS) / 3


BLANKS = st.sampled_from(
    [" ", "\t", "\n", "  \r\n ", " /* x */ ", "/**/", " -- y\n", "#z\n", "\f", "/* -- */\v"]
)
AROUND = st.sampled_from(
    ["{}", "{};", ";{}", "{}; SELECT 1", "SELECT 1; {}", "/*!{}*/", "/*!40101 {} */", "SELECT 1 /*! ; {} */"]
)


@st.composite
def rewritten(draw):
    """A statement that is stopped, with other white space, comments, quotes and case."""
    row = draw(st.sampled_from(PLAIN))
    parts = []
    for token in tokens(row["sql"], Version(Server.MARIADB, 101_100), Modes()):
        text = token.text
        if token.kind == "word":
            text = "".join(draw(st.sampled_from([c.lower(), c.upper()])) for c in text)
        elif token.kind == "string":
            quote = draw(st.sampled_from("'\""))
            text = quote + text.replace("\\", "\\\\").replace(quote, quote * 2) + quote
        elif token.kind == "name":
            text = "`" + text.replace("`", "``") + "`"
        elif token.kind == "mark" and text == "(" and parts:
            parts.pop()  # a function's name and its parenthesis stand together
        elif token.kind == "variable" and parts and text != "@" and not text.startswith("@@"):
            parts.pop()  # an account's name and its host
        parts += [text, draw(BLANKS)]
    return row, draw(AROUND).format("".join(parts))


@settings(max_examples=300, deadline=None)
@given(rewritten())
def test_white_space_comments_quotes_and_case_lower_no_verdict(explainer, case):
    row, sql = case
    assert RANK[verdict(explainer, sql, row)] >= RANK[row["verdict"]], sql


def quoted(sql):
    return "'" + sql.replace("\\", "\\\\").replace("'", "''") + "'"


WRAPPERS = [
    "SELECT 1; {}",
    "START TRANSACTION; {}; COMMIT",
    "PREPARE p FROM {quoted}",
    "EXECUTE IMMEDIATE {quoted}",
    "SET @q = {quoted}; PREPARE p FROM @q; EXECUTE p",
    "SET STATEMENT max_statement_time = 1 FOR {}",
    "BEGIN NOT ATOMIC {}; END",
    "IF 1 THEN {}; END IF",
    "CREATE PROCEDURE p() BEGIN DECLARE x INT DEFAULT 1; WHILE x DO {}; END WHILE; END",
    "{}; /* not closed",
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_statement_keeps_its_verdict_inside_another(explainer, wrapper):
    lowered = []
    for row in PLAIN:
        if row["verdict"] != "block" or "--" in row["sql"] or "#" in row["sql"] or "/*" in row["sql"]:
            continue
        hole, filling = ("{}", row["sql"]) if "{}" in wrapper else ("{quoted}", quoted(row["sql"]))
        sql = wrapper.replace(hole, filling)
        if verdict(explainer, sql, row) != "block":
            lowered.append(sql)
    assert not lowered
