"""What is in order and still doubtful."""

from __future__ import annotations

import pytest

from gateway.policy.file import parse
from gateway.policy.lint import warnings
from tests.policy.house import WHOLE


def said(text: str, vocabulary) -> list[str]:
    return [str(fault) for fault in warnings(parse(text, "policies.yaml", vocabulary))]


def test_a_policy_in_order_has_no_warnings(vocabulary) -> None:
    assert said(WHOLE, vocabulary) == []


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("labels: {env: prod}, eff", "labels: {evn: prod}, eff", "20:5: rules[0].when", "can never match"),
        ("labels: {env: prod}, eff", "labels: {env: prd}, eff", "20:5: rules[0].when", "can never match"),
        ("effects: [read, session], ", "", "23:5: rules[1].when", "every effect but unknown"),
        ("quorum: 1", "step_up: {max_age: 5m}", "21:5: rules[0].then", "needs a fresh login"),
        ("quorum: 1", "quorum: 2", "21:5: rules[0].then", "2 votes are asked of dba"),
        (
            '{slack: "@dba", members: [ana.silva@example.com]}',
            "{}",
            "16:3: groups.dba",
            "nobody is in this group",
        ),
        (
            "    person: maria.lopez@example.com\n",
            "",
            "10:3: agents.release-pipeline",
            "no person is accountable",
        ),
        ("    secret: env:RELEASE_PIPELINE_SECRET\n", "", "10:3: agents.release-pipeline", "has no secret"),
        (
            "127.0.0.1:5433/shop",
            "db.internal/shop?sslmode=require",
            "5:5: connections.shop.upstream",
            "verify-full",
        ),
        ("operators: [dba]\n", "", "1:1: operators", "end other people's sessions"),
        ("retention:", "  old: {detect: [email]}\nretention:", "28:3: masks.old", "no rule uses this mask"),
    ],
)
def test_doubts_are_told_with_their_place(vocabulary, old, new, place, says) -> None:
    assert old in WHOLE
    text = WHOLE.replace(old, new)
    if "votes" in says:
        text = text.replace('slack: "@dba", ', "")
    told = said(text, vocabulary)
    assert any(each.startswith(place + ":") and says in each for each in told), told


def test_an_open_address_without_tls_is_doubtful(vocabulary) -> None:
    text = WHOLE.replace("listen: 127.0.0.1:15432", "listen: 0.0.0.0:15432")
    assert said(text, vocabulary) == []
    (told,) = said(text.replace("tls: {certificate: /etc/cert.pem, key: /etc/key.pem}\n", ""), vocabulary)
    assert told.startswith("4:5: connections.shop.listen: 0.0.0.0:15432 is reached from other machines")
