"""YAML 1.2, and where everything stands."""

from __future__ import annotations

import pytest

from gateway.policy import tree


def plain(node: tree.Node):
    match node:
        case tree.Scalar(value=value):
            return value
        case tree.Sequence(items=items):
            return [plain(item) for item in items]
        case tree.Mapping(entries=entries):
            return [(key.value, plain(value)) for key, value in entries]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("'true'", "true"),
        ("12", 12),
        ("'12'", "12"),
        ("012", 12),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("9" * 5000, "9" * 5000),
        ("~", None),
        ("2026-01-02", "2026-01-02"),
        ("[a, {b: c}]", ["a", [("b", "c")]]),
        ("{a: 1, a: 2}", [("a", 1), ("a", 2)]),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_plain_words_mean_what_yaml_1_2_says(text, value) -> None:
    found = plain(tree.read(text))
    assert found == value
    assert type(found) is type(value)


def test_every_node_knows_its_line_and_column() -> None:
    root = tree.read("a:\n  - b\n  - {c: d}\n")
    assert isinstance(root, tree.Mapping)
    items = root.entries[0][1]
    assert isinstance(items, tree.Sequence)
    assert [(item.line, item.column) for item in items.items] == [(2, 5), (3, 5)]
