from __future__ import annotations

import pytest

from gateway.identity import lineages as module
from gateway.identity.lineages import LineageFull, Lineages, Link, Revocation
from tests.identity.house import MemoryStore


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    return MemoryStore()


def link(token_id: str, parent: str = "", *, agent: str = "agent", ends: float = 5000.0) -> Link:
    return Link(token_id=token_id, parent=parent, root_agent=agent, name=token_id, person="", expires_at=ends)


def tree(store, clock) -> Lineages:
    """a over b and c; b over d; and x, which stands alone."""
    lineages = Lineages(store, clock=clock)
    for each in (link("a"), link("b", "a"), link("c", "a"), link("d", "b"), link("x")):
        lineages.register(each)
    return lineages


def test_a_subtree_is_named_parents_first(store, clock):
    lineages = tree(store, clock)
    assert lineages.subtree("a") == ("a", "b", "c", "d")
    assert lineages.subtree("b") == ("b", "d")
    assert lineages.subtree("nobody") == ()


def test_revoking_ends_the_subtree_and_nothing_else(store, clock):
    lineages = tree(store, clock)
    assert lineages.revoke("b", by="ada", reason="gone wrong") == ("b", "d")
    assert lineages.revoked(["a", "b", "d"])
    assert lineages.revoked(["d"])
    assert not lineages.revoked(["a", "c"])
    assert not lineages.revoked(["x"])


def test_an_unknown_token_is_as_good_as_revoked(store, clock):
    assert tree(store, clock).revoked(["a", "nobody"])


def test_who_revoked_first_and_why_is_kept(store, clock):
    lineages = tree(store, clock)
    lineages.revoke("b", by="ada", reason="first")
    clock.now += 5
    lineages.revoke("a", by="bob", reason="second")
    found = {token_id: lineages.get(token_id) for token_id in "ab"}
    assert (found["b"].revoked_by, found["b"].reason, found["b"].revoked_at) == ("ada", "first", 1000.0)
    assert (found["a"].revoked_by, found["a"].revoked_at) == ("bob", 1005.0)


def test_listeners_hear_of_every_revocation_and_of_no_other(store, clock):
    lineages = tree(store, clock)
    heard: list[Revocation] = []
    lineages.on_revoked(heard.append)
    lineages.revoke("nobody", by="ada")
    lineages.revoke("b", by="ada", reason="why")
    assert heard == [Revocation(token_id="b", token_ids=("b", "d"), by="ada", reason="why", at=1000.0)]


def test_everything_survives_a_restart(store, clock):
    tree(store, clock).revoke("b", by="ada", reason="why")
    again = Lineages(store, clock=clock)
    assert again.subtree("a") == ("a", "b", "c", "d")
    assert again.revoked(["d"])
    assert not again.revoked(["c"])
    assert again.get("d").reason == "why"


def test_ended_tokens_are_forgotten_and_stay_refused(store, clock):
    lineages = Lineages(store, clock=clock)
    lineages.register(link("a", ends=2000))
    lineages.register(link("b", "a", ends=1500))
    clock.now = 1600.0
    lineages.sweep_when_due()
    assert store.all(module.TABLE).keys() == {"a"}
    assert lineages.subtree("a") == ("a",)
    assert lineages.revoked(["a", "b"])
    clock.now = 2100.0
    lineages.sweep_when_due()
    assert not store.all(module.TABLE)


def test_a_clock_set_back_brings_nothing_back(store, clock):
    lineages = Lineages(store, clock=clock)
    lineages.register(link("a", ends=2000))
    clock.now = 2100.0
    lineages.sweep_when_due()
    clock.now = 1100.0
    assert lineages.revoked(["a"])


def test_one_agent_cannot_fill_the_store(store, clock, monkeypatch):
    monkeypatch.setattr(module, "LIVE_PER_AGENT", 3)
    lineages = Lineages(store, clock=clock)
    for each in (link("a"), link("b", "a"), link("c")):
        lineages.register(each)
    with pytest.raises(LineageFull, match="3 live tokens"):
        lineages.register(link("d", "b"))
    lineages.register(link("x", agent="another"))
    clock.now = 6000.0
    lineages.register(link("d", ends=9000))


def test_short_lived_helpers_do_not_use_up_what_their_agent_may_have(store, clock, monkeypatch):
    monkeypatch.setattr(module, "LIVE_PER_AGENT", 3)
    monkeypatch.setattr(module, "REVOKED_KEPT", 2)
    lineages = Lineages(store, clock=clock)
    lineages.register(link("a"))
    for n in range(20):
        clock.now += 1
        lineages.register(link(f"helper{n}", "a"))
        lineages.revoke(f"helper{n}", by="a")
    assert len(store.all(module.TABLE)) <= 5
    assert all(lineages.revoked([f"helper{n}"]) for n in range(20))
    assert not lineages.revoked(["a"])
    assert set(lineages.subtree("a")) == store.all(module.TABLE).keys()


def test_revoke_all_ends_every_chain(store, clock):
    lineages = tree(store, clock)
    assert set(lineages.revoke_all(by="operator", reason="keys leaked")) == set("abcdx")
    assert all(lineages.revoked([token_id]) for token_id in "abcdx")
