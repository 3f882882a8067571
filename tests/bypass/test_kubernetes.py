"""The corpus of Kubernetes requests that try to get past, judged by their effects and by the shipped policy, and rewritten
in ways that leave their meaning alone.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway.model import Effect
from gateway.protocols.kubernetes.module import read_facts
from tests.bypass.asking import asked, disagreements, escaped, verdict

ROWS = YAML(typ="safe").load((Path(__file__).parent / "kubernetes.yaml").read_text())
RANK = {"allow": 0, "hold": 1, "block": 2}
UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~."


@pytest.mark.parametrize("row", ROWS, ids=[repr(row.get("ask", row.get("raw")))[:70] for row in ROWS])
def test_nothing_gets_past_and_nothing_harmless_is_stopped(row):
    facts = read_facts(asked(row))
    assert {Effect(effect) for effect in row["effects"]} <= facts.effects, dict(facts.attributes)
    assert verdict(facts.effects) == row["verdict"], (sorted(facts.effects), dict(facts.attributes))
    assert facts.complete == (Effect.UNKNOWN not in facts.effects)


def test_the_shipped_policy_allows_exactly_what_only_reads():
    assert disagreements(ROWS, "cluster") == []


DANGEROUS = [row for row in ROWS if row["verdict"] != "allow" and "ask" in row]


@st.composite
def rewritten(draw):
    """A risky request with other escapes, case of header names, order of parameters and blanks in its JSON."""
    row = draw(st.sampled_from(DANGEROUS))
    made = asked(row)
    path, mark, query = made["path"].partition("?")
    parameters = query.split("&")
    if not any(each.startswith(("command=", "watch=", "fieldSelector=")) for each in parameters):
        parameters = draw(st.permutations(parameters))  # of these the first or the order counts
    headers = [
        [name.upper() if draw(st.booleans()) else name.lower(), value] for name, value in made["headers"]
    ]
    if "json" in row:
        made["body"] = json.dumps(row["json"], indent=draw(st.sampled_from([None, 0, 3, "\t"])))
    target = (
        "/"
        + escaped(draw, path[1:], UNRESERVED)
        + mark
        + "&".join(escaped(draw, each, UNRESERVED) for each in parameters)
    )
    return row, made | {"path": target, "headers": headers}


@settings(max_examples=300, deadline=None)
@given(rewritten())
def test_no_spelling_lowers_a_verdict(case):
    row, made = case
    found = verdict(read_facts(made).effects)
    refused_whole = found == "hold" and "unknown" in row["effects"]
    assert RANK[found] >= RANK[row["verdict"]] or refused_whole, made


@pytest.mark.parametrize(
    "decoy", ["dryRun=All", "pretty=true", "watch=true", "watch=false", "limit=1", "fieldSelector=metadata.name%3Dx", "command=ls", "labelSelector=a", "as=Table"]
)  # fmt: skip
def test_no_parameter_that_is_added_lowers_a_verdict(decoy):
    for row in DANGEROUS:
        made = asked(row)
        target = made["path"] + ("&" if "?" in made["path"] else "?") + decoy
        effects = read_facts(made | {"path": target}).effects
        assert RANK[verdict(effects)] >= RANK[row["verdict"]] or Effect.UNKNOWN in effects, target


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
    st.lists(st.sampled_from(["api", "apis", "v1", "apps", "watch", "proxy", "namespaces", "prod", "pods", "web", "exec", "secrets", "status", "finalize", "scale", "a b", "%", "..", "é"]), max_size=9),
    st.one_of(st.none(), st.text(max_size=40), st.text(alphabet='{}[]":,&*!|- \n01specrpliahostNtwk', max_size=60)),
    st.sampled_from(["application/json", "application/apply-patch+yaml", "application/json-patch+json"]),
)  # fmt: skip
def test_arbitrary_requests_never_raise(method, parts, body, kind):
    path = "/" + "/".join(part.replace(" ", "%20") for part in parts)
    facts = read_facts({"method": method, "path": path, "headers": [["Content-Type", kind]], "body": body})
    assert facts.effects
    assert facts.complete == (Effect.UNKNOWN not in facts.effects)
