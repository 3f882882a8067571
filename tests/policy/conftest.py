"""A small world for policies: one protocol whose commands say their facts themselves."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.__main__ import main
from gateway.model import Effect, Facts, Output, Resource
from gateway.policy.file import parse
from gateway.policy.model import MaskPolicy, Policy
from gateway.policy.vocabulary import ColumnTeller, Vocabulary

HEAD = """\
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:15432
    upstream: postgresql://127.0.0.1:5433/shop
    credential: {user: gateway, password: env:SHOP_PASSWORD}
    labels: {env: prod}
  lab:
    protocol: postgres
    listen: 127.0.0.1:15433
    upstream: postgresql://127.0.0.1:5433/lab
    credential: {user: gateway}
    labels: {env: dev}
groups:
  dba: {members: [ana.silva@example.com, ben.okafor@example.com]}
  security: {members: [sam.chen@example.com]}
masks:
  pii: {detect: [email], columns: {"*.ssn": redact}}
  cards: {detect: [payment_card]}
"""


def read_facts(protocol: str, row: Mapping[str, Any]) -> Facts:
    """`read write orders>ssn` has these effects, touches `orders` with each, and gives back the column `ssn`."""
    words, _, column = str(row["command"]).partition(">")
    effects = frozenset(Effect(word) for word in words.split() if word in set(Effect))
    names = [word for word in words.split() if word not in set(Effect)]
    return Facts(
        effects=effects,
        resources=tuple(
            Resource(kind="table", name=name, effect=each) for name in names for each in sorted(effects)
        ),
        outputs=(Output(name=column, sources=frozenset({f"customers.{column}"})),) if column else None,
    )


def masked_columns(masks: Mapping[str, MaskPolicy]) -> ColumnTeller:
    def tell(names: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
        masked = {pattern.rpartition(".")[2] for name in names for pattern in masks[name].columns}
        return tuple(sorted(output.name for output in facts.outputs or () if output.name in masked))

    return tell


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(
        protocols={"postgres": {"postgresql": 5432, "postgres": 5432}},
        attributes=frozenset({"sql.has_where", "sql.statements", "sql.verbs"}),
        detectors=frozenset({"email", "phone", "payment_card", "iban", "secrets"}),
        strategies=frozenset({"redact", "partial", "hash"}),
        read_facts=read_facts,
        masked_columns=masked_columns,
    )


@pytest.fixture(scope="session")
def policy_of(vocabulary):
    """The policy of some rules: `policy_of("- {name: a, when: ..., then: ...}", default="block")`."""

    def build(rules: str, *, default: str = "hold", more: str = "") -> Policy:
        indented = "\n".join(f"  {line}" for line in rules.strip().splitlines())
        return parse(f"{HEAD}rules:\n{indented}\ndefault: {default}\n{more}", "policies.yaml", vocabulary)

    return build


@pytest.fixture
def batch(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[[bytes], list[dict[str, Any]]]:
    """What `countersign explain --jsonl` answers to rows, by the shipped policy."""
    shipped = Path(__file__).parents[2] / "policies.yaml"

    def answered(rows: bytes) -> list[dict[str, Any]]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(rows)))
        assert main(["explain", "--policy", str(shipped), "--jsonl"]) == 0
        return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]

    return answered
