"""Paths into JSON: what they lead to, and that what is hidden by them is JSON."""

from __future__ import annotations

import json

import pytest

from gateway.masking.documents import hide_paths, search_json
from gateway.masking.engine import CompiledMask, Masks
from gateway.masking.paths import PathUnclear, hidden, json_path
from gateway.policy.model import MaskPolicy

DOCUMENT = {
    "token": "t0",
    "items": [{"token": "t1", "n": 1, "deep": {"token": "t2"}}, {"token": None}, "x"],
    "odd name": {"a.b": [1, 2, 3]},
    "api_token": True,
}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("$.token", ["t0"]),
        ("$.items[*].token", ["t1", None]),
        ("$.items[0].token", ["t1"]),
        ("$..token", ["t0", "t1", "t2", None]),
        ("$..deep.token", ["t2"]),
        ("$.items", ["t1", 1, "t2", None, "x"]),
        ("$['odd name']['a.b'][1]", [2]),
        ('$["odd name"].*', [1, 2, 3]),
        ("$.*_token", [True]),
        ("$.*.deep", []),
        ("$[0].token", []),
        ("$.Token", []),
    ],
)
def test_a_path_leads_to_leaves_and_to_nothing_else(path: str, wanted: list[object]) -> None:
    found: list[object] = []

    def hide(leaf: object) -> object:
        found.append(leaf)
        return leaf

    same, count = hidden(DOCUMENT, [(json_path(path), hide)])
    assert (found, count) == (wanted, len(wanted))
    assert same == DOCUMENT


@pytest.mark.parametrize(
    "path", ["token", "$", "$.", "$token", "$.a[", "$.a[-1]", "$.a[?(@.b)]", "$.a[1:2]", "$.a b"]
)
def test_what_is_no_path_is_an_error(path: str) -> None:
    with pytest.raises(PathUnclear):
        json_path(path)


def mask() -> CompiledMask:
    rules = {"$..token": "redact", "orders.payload$.card": "partial", "*.ssn": "null"}
    return Masks({"m": MaskPolicy(name="m", columns=rules, except_=("logs.raw",))}, key=b"k" * 32).mask(["m"])


def test_a_path_without_a_column_holds_for_every_document_and_one_with_a_column_for_that() -> None:
    made = mask()
    assert [strategy for _, strategy in made.paths(["orders.payload"])] == ["redact", "partial"]
    assert [strategy for _, strategy in made.paths(["customers.data"])] == ["redact"]
    assert made.paths(["logs.raw"]) == ()
    assert made.opens(["orders.payload"])
    assert not made.opens(["customers.data"])
    assert made.rule(["orders.payload"]) is None, "the document is opened, not hidden whole"
    assert not made.empty


def test_json_of_any_shape_comes_out_as_json() -> None:
    made = mask()
    paths = made.paths(["orders.payload"])
    for document, wanted in (
        (b'{"token": "x", "card": "4111111111111111"}', {"token": "[redacted]", "card": "************1111"}),
        (b'[{"token": 5}, {"token": {"a": [true, null]}}]', [{"token": 0}, {"token": {"a": [False, None]}}]),
        (b"not json", "[redacted]"),
        (b'{"token": ' + b"[" * 100 + b"]" * 100 + b"}", "[redacted]"),
    ):
        shown, count = hide_paths(document, paths, made)
        assert json.loads(shown) == wanted
        assert count
    quiet = b'{"tokens": 1}'
    assert hide_paths(quiet, paths, made) == (quiet, 0)


def test_a_document_is_masked_by_paths_and_then_by_detectors() -> None:
    policy = MaskPolicy(
        name="m", columns={"$.items[*].id": "hash", "t.c$.x": "redact"}, detect=("email", "secrets")
    )
    made = Masks({"m": policy}, key=b"k" * 32).mask(["m"])
    document = b'{"items": [{"id": "7"}], "x": 1, "to": "jane\\u0040example.com", "password": "hunter2"}'
    hidden_by_paths, count = hide_paths(document, made.paths(()), made)
    shown, found = search_json(hidden_by_paths, made)
    parsed = json.loads(shown)
    assert parsed["items"][0]["id"].startswith("h")
    assert (parsed["x"], parsed["to"], parsed["password"]) == (1, "****@example.com", "[redacted]")
    assert (count, sorted(found)) == (1, ["email", "password"])
    quiet = b'{"a": [1, 2.50, "x"]}'
    assert hide_paths(quiet, made.paths(()), made) == (quiet, 0)
    assert search_json(quiet, made) == (quiet, [])
    assert search_json(b"{", made)[0] == b'"[redacted]"'
