"""What a request has an answer call otherwise is known by what it is stored as."""

from __future__ import annotations

import json

import pytest

from gateway.protocols.http.module import read_facts

GRAPHQL = [
    ("{ customers { id ssn } }", {}),
    ("{ customers { number: ssn } }", {"number": {"ssn"}}),
    ("{ people: customers { a: ssn b: SSN } }", {"people": {"customers"}, "a": {"ssn"}, "b": {"ssn"}}),
    ("query Q { c { ...f } } fragment f on C { x: ssn ... on D { x: name } }", {"x": {"ssn", "name"}}),
    ("{ ssn: ssn }", {}),
]
QUERIES = [
    ("/people?select=id,ssn", {}),
    ("/people?select=id,number:ssn", {"number": {"ssn"}}),
    ("/people?select=number%3Assn%3A%3Atext", {"number": {"ssn"}}),
    ("/people?select=ssn::text", {}),
    ("/orders?select=id,who:customers(n:ssn)", {"who": {"customers"}, "n": {"ssn"}}),
    ("/people?select=ssn.max()", {"max": {"ssn"}}),
    ("/people?select=top:ssn.max()", {"top": {"ssn"}, "max": {"ssn"}}),
    ("/people?select=data-%3E%3Ecard", {"card": {"data"}}),
    ("/people?%24apply=aggregate(Ssn%20with%20max%20as%20Top)", {"Top": {"ssn"}}),
    ("/people?%24compute=Ssn%20as%20N", {"N": {"ssn"}}),
]


def renamed(row: dict[str, object]) -> dict[str, set[str]]:
    facts = read_facts(row)
    return {each.name: set(each.sources) for each in facts.outputs or ()}


@pytest.mark.parametrize(("document", "names"), GRAPHQL)
def test_aliases_of_graphql(document: str, names: dict[str, set[str]]) -> None:
    body = json.dumps({"query": document})
    row = {
        "method": "POST",
        "path": "/graphql",
        "headers": [["Content-Type", "application/json"]],
        "body": body,
    }
    assert renamed(row) == names


STATEMENTS = [
    ("SELECT name, ssn FROM customers", {"name": {"customers.name"}, "ssn": {"customers.ssn"}}),
    ("SELECT c.ssn AS n FROM crm.customers c", {"n": {"crm.customers.ssn"}}),
    ("SELECT * FROM customers", {"*": {"customers.*"}}),
    ("SELECT 1", {}),
]


@pytest.mark.parametrize(("statement", "names"), STATEMENTS)
def test_columns_of_statements(statement: str, names: dict[str, set[str]]) -> None:
    row = {"method": "POST", "path": "/sql", "headers": [["Content-Type", "application/json"]]}
    assert renamed(row | {"body": json.dumps({"query": statement})}) == names


@pytest.mark.parametrize(("target", "names"), QUERIES)
def test_aliases_of_queries(target: str, names: dict[str, set[str]]) -> None:
    path, _, query = target.partition("?")
    assert renamed({"method": "GET", "path": path, "query": query}) == names
