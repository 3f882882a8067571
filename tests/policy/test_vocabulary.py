"""What policy is told of masks: the result columns that column rules would touch."""

from __future__ import annotations

import pytest

from gateway.model import Effect, Facts, Output
from gateway.policy.model import MaskPolicy
from gateway.vocabulary import known, masked_columns, read_facts

MASKS = {
    "pii": MaskPolicy(
        name="pii", detect=("email",), columns={"*.ssn": "redact", "customers.name": "partial"}
    ),
    "tax": MaskPolicy(name="tax", columns={"payroll.*": "redact"}, except_=("payroll.id",)),
}


@pytest.mark.parametrize(
    ("masks", "command", "expected"),
    [
        ("pii", "SELECT name, tier FROM customers", ("name",)),
        ("pii", "SELECT name FROM products", ()),
        ("pii", "SELECT ssn AS n FROM customers", ("n",)),
        ("pii", "SELECT upper(c.name) AS u, tier FROM customers c", ("u",)),
        ("pii", "SELECT * FROM customers", ("name", "ssn")),
        ("pii", "SELECT * FROM products", ("ssn",)),
        ("pii", "UPDATE customers SET tier = 'gold' WHERE id = 1 RETURNING name", ("name",)),
        ("pii", "UPDATE customers SET tier = 'gold' WHERE id = 1", ()),
        ("tax", "SELECT id, salary FROM payroll", ("salary",)),
        ("tax", "SELECT * FROM payroll", ("*",)),
        ("pii tax", "SELECT p.salary, c.name FROM payroll p, customers c", ("name", "salary")),
        ("", "SELECT ssn FROM customers", ()),
    ],
)
def test_masked_columns_are_those_the_engine_would_mask(masks, command, expected) -> None:
    facts = read_facts("postgres", {"command": command})
    assert masked_columns(MASKS)(tuple(masks.split()), facts) == expected


def test_a_star_of_nobody_knows_what_could_bring_anything() -> None:
    facts = Facts(
        effects=frozenset({Effect.READ}), outputs=(Output(name="*", sources=frozenset(), exact=False),)
    )
    assert masked_columns(MASKS)(("pii",), facts) == ("name", "ssn")


def test_the_vocabulary_has_every_protocols_names() -> None:
    vocabulary = known()
    assert vocabulary.protocols["postgres"]["postgresql"] == 5432
    assert "sql.has_where" in vocabulary.attributes
    assert {"email", "secrets"} <= vocabulary.detectors
    assert {"redact", "partial"} <= vocabulary.strategies
