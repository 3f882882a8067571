"""docs/policies.schema.json: it is the one that the code makes, and it agrees with `check`."""

from __future__ import annotations

import io
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from gateway.policy.conditions import CONDITIONS
from gateway.policy.file import SECTIONS, PolicyFileError, parse
from gateway.policy.schema import schema, text_of
from gateway.vocabulary import known
from tests.policy.house import MINIMAL, WHOLE

ROOT = Path(__file__).parents[2]
VOCABULARY = known()
SCHEMA = schema(VOCABULARY)
RULE = "  - {name: more, when: {WHEN}, then: {block: 'No.'}}\n"


def valid(text: str) -> bool:
    document = YAML(typ="safe", pure=True).load(io.StringIO(text))
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(document))


def accepted(text: str) -> bool:
    try:
        parse(text, "policies.yaml", VOCABULARY)
    except PolicyFileError:
        return False
    return True


def with_condition(condition: str) -> str:
    before, default, after = MINIMAL.partition("default:")
    return before + RULE.replace("WHEN", condition) + default + after


def test_the_schema_is_a_schema_and_the_committed_one_is_this() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    committed = (ROOT / "docs" / "policies.schema.json").read_text(encoding="utf-8")
    assert committed == text_of(SCHEMA), (
        "write it anew: countersign check --schema > docs/policies.schema.json"
    )


def test_every_section_and_condition_is_in_it() -> None:
    assert set(SCHEMA["properties"]) == set(SECTIONS)
    assert set(SCHEMA["properties"]["rules"]["items"]["properties"]["when"]["properties"]) == set(CONDITIONS)


@pytest.mark.parametrize(
    "text", [MINIMAL, WHOLE.replace("command: write", "command: DELETE FROM a WHERE b = 1")]
)
def test_what_check_accepts_is_valid(text: str) -> None:
    assert accepted(text)
    assert valid(text)


def test_the_shipped_file_is_valid() -> None:
    assert valid((ROOT / "policies.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "condition",
    [
        "effects: read",
        "resources: ['table:public.orders', 'path:/admin/**', orders]",
        "attributes: {sql.statements: {gt: 1, le: 9}, sql.verbs: [select, insert], sql.has_where: true}",
        "agents: 'fixer-*', persons: '*@example.com', ancestors: [planner]",
        "min_depth: 1, max_depth: 3",
        "during: {zone: Europe/Berlin}",
        "outside: [{days: [mon-fri, sun], from: '09:00', to: '24:00', zone: UTC}]",
        "budget: {commands: 5, rows: 100, per: 1h}",
        "estimated_rows: {gt: 0}",
        "where: 'depth > 2'",
    ],
)
def test_both_accept_a_condition(condition: str) -> None:
    assert accepted(with_condition(condition))
    assert valid(with_condition(condition))


@pytest.mark.parametrize(
    "condition",
    [
        "effects: [raed]",
        "effects: []",
        "resources: 'a[b]'",
        "attributes: {sql.nothing: 1}",
        "attributes: {sql.statements: {gt: many}}",
        "attributes: {sql.statements: {above: 1}}",
        "min_depth: 0",
        "max_depth: 33",
        "during: {from: '09:00', to: '17:00'}",
        "during: {from: '09:00', zone: UTC}",
        "during: {from: '9:00', to: '17:00', zone: UTC}",
        "outside: {days: [monday], zone: UTC}",
        "budget: {}",
        "budget: {commands: 0}",
        "budget: {commands: 1, per: hour}",
        "estimated_rows: {}",
        "estimated_rows: {ne: 1}",
        "where: ''",
        "whenever: true",
    ],
)
def test_both_refuse_a_condition(condition: str) -> None:
    assert not accepted(with_condition(condition))
    assert not valid(with_condition(condition))
