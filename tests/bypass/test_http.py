"""The corpus of requests that try to get past, judged by the effects read from them, and rewritten in ways that leave
their meaning alone.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway.model import Effect
from gateway.protocols.http.module import read_facts
from tests.bypass.asking import asked, disagreements, escaped, verdict

ROWS = YAML(typ="safe").load((Path(__file__).parent / "http.yaml").read_text())
UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~"


@pytest.mark.parametrize("row", ROWS, ids=[repr(row.get("ask", row.get("raw")))[:70] for row in ROWS])
def test_nothing_gets_past_and_nothing_harmless_is_stopped(row):
    facts = read_facts(asked(row))
    assert {Effect(effect) for effect in row["effects"]} <= facts.effects, dict(facts.attributes)
    assert verdict(facts.effects) == row["verdict"], (sorted(facts.effects), dict(facts.attributes))
    assert facts.complete == (Effect.UNKNOWN not in facts.effects)


DANGEROUS = [row for row in ROWS if row["verdict"] != "allow" and "ask" in row]


@st.composite
def rewritten(draw):
    """A risky request with other escapes, order of parameters, case of header names and blanks in its JSON."""
    row = draw(st.sampled_from(DANGEROUS))
    made = asked(row)
    path, mark, query = made["path"].partition("?")
    headers = [
        [name.upper() if draw(st.booleans()) else name.lower(), f" {value} ".strip()]
        for name, value in made["headers"]
    ]
    if "json" in row:
        made["body"] = json.dumps(row["json"], indent=draw(st.sampled_from([None, 0, 3, "\t"])))
    parameters = draw(st.permutations(query.split("&")))
    target = (
        path[:1]
        + escaped(draw, path[1:], UNRESERVED)
        + mark
        + "&".join(escaped(draw, each, UNRESERVED) for each in parameters)
    )
    return row, made | {"path": target, "headers": headers}


@settings(max_examples=300, deadline=None)
@given(rewritten())
def test_escapes_and_case_of_headers_lower_no_verdict(case):
    row, made = case
    order = ["allow", "hold", "block"]
    found = verdict(read_facts(made).effects)
    if "://" not in row["ask"]:
        assert order.index(found) >= order.index(row["verdict"]) or found == "hold", made
    assert found != "allow"


DECOYS = {
    "q=a": None,
    "action=view": None,
    "Action=ListUsers&Version=2016-11-15": None,
    "session_id=7": None,
    "query=%7Ba%7D": None,
    "sql=SELECT+1": None,
    "_method=GET": None,
    "X-HTTP-Method-Override: GET": None,
    "X-Amz-Target: Orders.GetItem": None,
    "SOAPAction: GetOrder": None,
    "Mcp-Session-Id: 7": None,
    "Accept: text/event-stream": None,
    "application/json": ['{"query": "{a}"}', '{"jsonrpc": "2.0", "id": 1, "method": "ping"}', '{"sql": "SELECT 1"}', "[]"],
    "application/graphql": ["{a}"],
    "application/x-www-form-urlencoded": ["Action=ListUsers&Version=2016-11-15", "_method=GET"],
    "application/x-amz-json-1.0": ["{}"],
    "application/x-git-upload-pack-request": ["0000"],
}  # fmt: skip
"""What a plain question has: parameters, headers, and types with bodies."""


def with_decoy(made, decoy):
    """A request with what makes another one a question; bodies only where there is none."""
    if DECOYS[decoy] is None and ": " in decoy:
        return [made | {"headers": [*made["headers"], decoy.split(": ")]}]
    if DECOYS[decoy] is None:
        return [made | {"path": made["path"] + ("&" if "?" in made["path"] else "?") + decoy}]
    if made["body"] or any(name.lower() == "content-type" for name, _ in made["headers"]):
        return []
    return [
        made | {"headers": [*made["headers"], ["Content-Type", decoy]], "body": body}
        for body in DECOYS[decoy]
    ]


@pytest.mark.parametrize("decoy", DECOYS)
def test_nothing_that_is_added_lowers_a_verdict(decoy):
    order = ["allow", "hold", "block"]
    lowered = []
    for row in DANGEROUS:
        for made in with_decoy(asked(row), decoy):
            effects = read_facts(made).effects
            lower = order.index(verdict(effects)) < order.index(row["verdict"])
            if lower and (verdict(effects) == "allow" or Effect.UNKNOWN not in effects):
                lowered.append(made)
    assert lowered == []


def test_the_shipped_policy_allows_exactly_what_only_reads():
    assert disagreements(ROWS, "orders-api") == []
