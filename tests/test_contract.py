"""The golden files are what the two sides of the contract say to each other; a changed field fails here first."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import msgspec
import pytest

import bot.gateway_client as client
from gateway import contract
from gateway.api.answers import REFUSALS
from gateway.contract import decode, encode

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))


def shape_of(path):
    return getattr(contract, "".join(word.capitalize() for word in path.stem.split("_")))


def shapes():
    return {
        value
        for value in vars(contract).values()
        if dataclasses.is_dataclass(value) and value.__module__.startswith(contract.__name__)
    }


def reached(value):
    """Every shape that stands in a decoded value."""
    if dataclasses.is_dataclass(value):
        yield type(value)
        for field in dataclasses.fields(value):
            yield from reached(getattr(value, field.name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from reached(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from reached(each)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_file_is_read_whole_and_written_as_it_was(path):
    value = decode(path.read_bytes(), shape_of(path))
    assert json.loads(encode(value)) == json.loads(path.read_bytes())


def test_every_shape_of_the_contract_stands_in_a_golden_file():
    found = {shape for path in FILES for shape in reached(decode(path.read_bytes(), shape_of(path)))}
    assert found == shapes()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_file_spells_out_every_field(path):
    value = decode(path.read_bytes(), shape_of(path))
    present = json.loads(path.read_bytes())
    assert set(present) == {field.name for field in dataclasses.fields(value)}


def with_more(value):
    if isinstance(value, dict):
        return {**{key: with_more(each) for key, each in value.items()}, "of_a_later_version": {"x": [1]}}
    return [with_more(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.stem not in {"note", "directory", "twins"}],
    ids=lambda path: path.stem,
)
def test_fields_of_a_later_version_are_ignored(path):
    whole = json.loads(path.read_bytes())
    # Mappings by name keep what they are given: labels and counts are data, not shapes.
    later = json.dumps(with_more(whole))
    later = re.sub(r'("(?:labels|masked)": \{[^{}]*), "of_a_later_version": \{"x": \[1\]\}', r"\1", later)
    assert decode(later, shape_of(path)) == decode(path.read_bytes(), shape_of(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_fields_with_a_default_may_be_missing_and_all_others_are_missed_by_name(path):
    shape = shape_of(path)
    whole = json.loads(path.read_bytes())
    for field in dataclasses.fields(shape):
        less = {key: value for key, value in whole.items() if key != field.name}
        optional = (
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        )
        if optional:
            decode(json.dumps(less), shape)
        else:
            with pytest.raises(msgspec.ValidationError, match=f"`{field.name}`"):
                decode(json.dumps(less), shape)


def test_every_refusal_of_the_gateway_has_an_error_of_its_own_in_the_bot():
    spoken = {name for status, name in REFUSALS.values() if status < 500}
    assert spoken == set(client.REFUSALS)


def test_the_bot_reads_what_the_gateway_writes():
    for path in FILES:
        if "request" not in path.stem:
            assert client.GatewayClient._read(path.read_bytes(), shape_of(path))
