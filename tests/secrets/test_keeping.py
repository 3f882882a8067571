"""What is kept, for how long, when it is asked for again, and what is told of it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.policy.credentials import SecretMissing, SecretRef, SecretUnavailable
from gateway.policy.file import load
from gateway.secrets.keeping import PATIENCE, Secrets
from gateway.secrets.places import Found
from gateway.vocabulary import known

POLICY = """
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:0
    upstream: postgresql://127.0.0.1:1/shop
    credential: {user: gateway, password: "vault:secret/data/orders#password"}
agents:
  pipeline: {secret: env:KEPT_SECRET, scope: {shop: [read]}}
rules: [{name: reads, when: {effects: [read]}, then: {allow: true}}]
default: hold
secrets:
  refresh: 60s
  stale: 10m
  vault: {address: "http://127.0.0.1:1", auth: {token: env:VAULT_TOKEN}}
"""
ORDERS = SecretRef(source="vault", name="secret/data/orders", key="password")


class Store:
    """Answers as it is told to."""

    def __init__(self) -> None:
        self.value = "first"
        self.failure: SecretMissing | None = None
        self.good_for: float | None = None
        self.asked = 0
        self.slow: asyncio.Event | None = None

    async def fetch(self, ref):
        assert ref == ORDERS
        self.asked += 1
        if self.slow is not None:
            await self.slow.wait()
        if self.failure is not None:
            raise self.failure
        return Found(value=self.value, good_for=self.good_for)

    async def close(self):
        return


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policies.yaml"
    path.write_text(POLICY)
    return load(path, known())


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def told():
    return []


@pytest.fixture
def secrets(policy, store, clock, told, monkeypatch):
    made = Secrets(lambda: policy, announce=lambda level, text: told.append((level, text)), clock=clock)

    async def place(_ref):
        return store

    monkeypatch.setattr(made, "_place", place)
    return made


DOWN = SecretUnavailable("Vault is sealed or starting")


async def test_it_is_fetched_once_and_renewed_ahead(secrets, store, clock):
    assert [await secrets.get(ORDERS) for _ in range(3)] == ["first"] * 3
    assert store.asked == 1
    store.value = "second"
    clock.now += 59
    await secrets.renew()
    assert await secrets.get(ORDERS) == "first"
    clock.now += 1
    await secrets.renew()
    assert await secrets.get(ORDERS) == "second"
    assert store.asked == 2


async def test_a_store_may_want_to_be_asked_sooner(secrets, store, clock):
    store.good_for = 20.0
    await secrets.get(ORDERS)
    clock.now += 20
    await secrets.renew()
    assert store.asked == 2


async def test_many_who_need_it_at_once_are_one_who_asks(secrets, store):
    store.slow = asyncio.Event()
    waiting = [asyncio.ensure_future(secrets.get(ORDERS)) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    store.slow.set()
    assert await asyncio.gather(*waiting[1:]) == ["first"] * 49
    assert store.asked == 1


async def test_while_the_store_is_down_the_old_one_serves_within_its_bound_and_then_nothing(
    secrets, store, clock, told
):
    await secrets.get(ORDERS)
    store.failure = DOWN
    for _ in range(11):
        clock.now += 60
        await secrets.renew()
        assert await secrets.get(ORDERS) == "first"
    assert [level for level, _ in told] == ["warning"]
    clock.now += PATIENCE
    with pytest.raises(SecretUnavailable):
        await secrets.get(ORDERS)
    with pytest.raises(SecretUnavailable):
        secrets.current(ORDERS)
    assert [level for level, _ in told] == ["warning", "error"]
    store.failure = None
    store.value = "second"
    clock.now += PATIENCE
    assert await secrets.get(ORDERS) == "second"
    assert told[-1] == ("warning", f"The secret {ORDERS} can be had again.")
    assert not any("first" in text or "second" in text for _, text in told)


async def test_what_its_store_says_is_gone_is_gone_at_once(secrets, store, clock, told):
    await secrets.get(ORDERS)
    store.failure = SecretMissing("Vault has no such thing")
    clock.now += 60
    await secrets.renew()
    with pytest.raises(SecretMissing):
        await secrets.get(ORDERS)
    assert [level for level, _ in told] == ["error"]


async def test_a_store_that_is_down_is_not_asked_by_every_client(secrets, store, clock):
    store.failure = DOWN
    for _ in range(20):
        with pytest.raises(SecretUnavailable):
            await secrets.get(ORDERS)
    assert store.asked == 1
    clock.now += PATIENCE
    store.failure = None
    assert await secrets.get(ORDERS) == "first"


async def test_a_refused_one_is_fetched_at_once_and_given_back_only_if_it_is_another(secrets, store, clock):
    await secrets.get(ORDERS)
    clock.now += PATIENCE
    assert await secrets.other_than("first", ORDERS) is None
    store.value = "second"
    assert await secrets.other_than("first", ORDERS) is None, "the store was asked a moment ago"
    clock.now += PATIENCE
    assert await secrets.other_than("first", ORDERS) == "second"
    assert await secrets.other_than("first", ORDERS) == "second", "which needs no asking"
    assert store.asked == 3


async def test_a_refused_one_of_a_store_that_is_down_is_no_other(secrets, store, clock):
    await secrets.get(ORDERS)
    clock.now += PATIENCE
    store.failure = DOWN
    assert await secrets.other_than("first", ORDERS) is None


async def test_variables_are_read_whenever_they_are_used(secrets, monkeypatch):
    ref = SecretRef(source="env", name="KEPT_SECRET")
    monkeypatch.setenv("KEPT_SECRET", "one")
    assert await secrets.get(ref) == secrets.current(ref) == "one"
    monkeypatch.setenv("KEPT_SECRET", "two")
    assert await secrets.other_than("one", ref) == "two"
    assert await secrets.get(None) == ""


async def test_what_was_not_fetched_is_not_there_for_those_who_cannot_wait(secrets):
    with pytest.raises(SecretMissing):
        secrets.current(ORDERS)
    await secrets.renew()
    assert secrets.current(ORDERS) == "first"


async def test_what_the_policy_no_longer_names_is_forgotten(secrets, policy, store, monkeypatch):
    await secrets.get(ORDERS)
    object.__setattr__(policy, "targets", {})
    await secrets.renew()
    with pytest.raises(SecretMissing):
        secrets.current(ORDERS)


async def test_no_representation_or_log_shows_a_value(secrets, store, caplog):
    caplog.set_level(logging.DEBUG)
    await secrets.get(ORDERS)
    assert "first" not in repr(secrets._kept) + repr(Found(value="first")) + caplog.text
