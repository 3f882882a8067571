"""Which targets are surveyed, and what is kept of it."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from gateway.policy.file import load
from gateway.secrets import Secrets
from gateway.upstream import surveys
from gateway.upstream.logins import Logins
from gateway.upstream.surveys import Surveys
from gateway.vocabulary import known

POLICY = """
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:0
    upstream: postgresql://127.0.0.1:1/shop
    credential: {user: gateway, password: env:SURVEYED_PASSWORD}
  any:
    protocol: postgres
    listen: 127.0.0.1:0
    upstream: postgresql://127.0.0.1:1
    credential: {user: gateway, password: env:SURVEYED_PASSWORD}
  billing:
    protocol: mysql
    listen: 127.0.0.1:0
    upstream: mysql://127.0.0.1:1/billing
    credential: {user: gateway, password: env:SURVEYED_PASSWORD}
  web-1:
    protocol: ssh
    listen: 127.0.0.1:0
    upstream: ssh://127.0.0.1:1
    credential: {user: gateway, password: env:SURVEYED_PASSWORD}
rules: [{name: reads, when: {effects: [read]}, then: {allow: true}}]
default: hold
"""


class Protocol:
    """Remembers what it was asked to survey."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.note = ""

    def knowledge(self):
        return object()

    async def survey(self, upstream, login, known):
        assert known is not None
        self.asked.append((upstream.database, login.password))
        return self.note


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policies.yaml"
    path.write_text(POLICY)
    return load(path, known())


@pytest.fixture
def protocol(monkeypatch):
    protocol = Protocol()
    monkeypatch.setattr(surveys, "surveyed", lambda name: protocol)
    monkeypatch.setenv("SURVEYED_PASSWORD", "sekret")
    return protocol


async def test_targets_are_asked_with_the_gateways_own_credential_where_the_database_is_sure(
    policy, protocol
):
    await Surveys(lambda: policy, Logins(Secrets(lambda: policy))).renew()
    assert protocol.asked == [("shop", "sekret"), ("billing", "sekret")]


async def test_without_its_secret_a_target_is_not_asked(policy, protocol, monkeypatch):
    monkeypatch.delenv("SURVEYED_PASSWORD")
    assert "SURVEYED_PASSWORD" in await Surveys(lambda: policy, Logins(Secrets(lambda: policy))).survey(
        policy.targets["shop"]
    )
    assert protocol.asked == []


async def test_what_is_known_stays_the_same_thing_until_the_target_is_another(policy, protocol):
    found = Surveys(lambda: policy, Logins(Secrets(lambda: policy)))
    target = policy.targets["shop"]
    first = found.known(target)
    assert found.known(target) is first
    moved = replace(target, upstream=replace(target.upstream, port=2))
    assert found.known(moved) is not first


async def test_a_catalogue_that_is_lost_or_found_again_is_told_of_once(policy, protocol, caplog):
    only = replace(policy, targets={"shop": policy.targets["shop"]})
    found = Surveys(lambda: only, Logins(Secrets(lambda: only)))
    with caplog.at_level(logging.WARNING, logger="countersign.surveys"):
        for note in ("", "the target refused", "the target refused", ""):
            protocol.note = note
            await found.renew()
    assert caplog.messages == [
        "read without its catalogue: the target refused",
        "its catalogue is read again",
    ]
