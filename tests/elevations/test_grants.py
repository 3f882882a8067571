"""A grant holds for as long and as much as it was given, whatever happens to clocks, policy and process."""

from __future__ import annotations

import pytest

from gateway.elevations.grant import How
from gateway.model import Effect, Reveal
from tests.elevations.conftest import House


async def test_it_ends_at_its_time(house: House) -> None:
    grant = await house.grant(seconds=600)
    house.passes(599)
    assert house.spend() is not None
    house.passes(1)
    assert house.spend() is None
    assert house.ended == [(grant.id, "its time is over")]


@pytest.mark.parametrize("jump", [-86_400.0, 600.0, 86_400.0])
async def test_a_clock_that_jumps_prolongs_nothing(house: House, jump: float) -> None:
    await house.grant(seconds=600)
    house.passes(300)
    house.now += jump
    assert (house.spend() is not None) is (jump < 0)
    house.passes(300)
    house.grants.sweep()
    assert [why for _, why in house.ended] == ["its time is over"]


async def test_put_back_over_a_restart_it_holds_no_longer_than_it_was_given(house: House) -> None:
    await house.grant(seconds=600)
    house.passes(300)
    await house.restart()
    assert [grant.used for grant in house.grants.all()] == [0]
    house.passes(300)
    assert house.grants.all() == []


async def test_what_ended_while_nobody_looked_does_not_begin_again(house: House) -> None:
    await house.grant(seconds=600)
    house.passes(601)
    await house.restart()
    assert house.grants.all() == []
    assert house.spend() is None


async def test_what_somebody_ended_stays_ended_over_a_restart(house: House) -> None:
    grant = await house.grant()
    await house.grants.end(grant.id, "dana ended it")
    await house.restart()
    assert house.grants.all() == []


async def test_commands_are_counted_when_they_begin_and_the_last_runs_to_its_end(house: House) -> None:
    grant = await house.grant(commands=2)
    assert house.spend() is not None
    assert house.spend() is not None
    assert house.spend() is None
    assert house.ended == []
    house.grants.done(grant.id, 1)
    assert house.ended == []
    house.grants.done(grant.id, 1)
    assert house.ended == [(grant.id, "its budget is spent")]
    assert house.grants.all() == []


async def test_rows_are_counted_when_commands_end_and_stop_the_others(house: House) -> None:
    grant = await house.grant(rows=10)
    house.spend()
    house.spend()
    house.grants.done(grant.id, 9)
    assert house.ended == []
    house.spend()
    house.grants.done(grant.id, 1)
    assert house.ended == [(grant.id, "its budget of rows is spent")]


async def test_a_budget_that_was_spent_is_spent_after_a_restart(house: House) -> None:
    await house.grant(commands=1)
    assert house.spend() is not None
    await house.store.commit()
    await house.restart()
    assert house.spend() is None
    assert house.grants.all() == []


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        ("connections: [elsewhere-*]", "policies.yaml offers it no longer"),
        ("persons: [ana@example.com]", "policies.yaml offers it no longer"),
        ("agents: [planner]", "policies.yaml offers it no longer"),
        ("resources: [invoices]", "policies.yaml offers it no longer"),
        ("outside: {zone: UTC}", "its hours are over"),
        ("persons: [dana@example.com]", ""),
        ("agents: [fix*]", ""),
        ("longest: 5m", ""),
    ],
)
async def test_a_reload_that_offers_less_ends_it(house: House, offer: str, why: str) -> None:
    await house.grant()
    house.offer(offer)
    house.grants.sweep()
    assert [each for _, each in house.ended] == ([why] if why else [])


async def test_it_is_for_its_token_and_what_was_derived_from_that_alone(house: House) -> None:
    await house.grant()
    assert house.grants.spend(("t2",), "orders", lambda _: True) is None
    assert house.grants.spend(("t1",), "archive", lambda _: True) is None
    assert house.grants.spend(("t1",), "orders", lambda _: False) is None
    assert house.grants.spend(("t0", "t1", "t9"), "orders", lambda _: True) is not None
    house.grants.end_tokens(["t1"], "revoked")
    assert house.spend() is None


async def test_all_that_it_says_survives_a_restart(house: House) -> None:
    house.offer("reveal: {columns: ['*.email'], detect: [phone], to: dba}")
    grant = await house.grant(
        effects=frozenset({Effect.READ, Effect.WRITE}),
        resources=("orders",),
        rows=5,
        ticket="OPS-7",
        extends="g0",
        how=How.GLASS,
        ending="kill",
        reveal=Reveal(columns=("*.email",), detect=("phone",)),
        reveal_to=("dba",),
    )
    assert house.grants.revealing
    await house.restart()
    assert house.grants.all() == [grant]
    assert house.grants.revealing
    kept = house.grants.all()[0]
    assert kept.things is not None
    assert kept.shows_to({"dba", "security"})
    assert not kept.shows_to({"security"})
    assert not kept.shows_to(())
    await house.grants.end(grant.id, "over")
    assert not house.grants.revealing


@pytest.mark.parametrize(
    "less", ["columns: ['*.name'], detect: [phone], to: dba", "columns: ['*.email'], to: dba", ""]
)
async def test_a_reload_that_reveals_less_ends_it(house: House, less: str) -> None:
    house.offer("reveal: {columns: ['*.email'], detect: [phone], to: dba}")
    await house.grant(reveal=Reveal(columns=("*.email",), detect=("phone",)), reveal_to=("dba",))
    house.grants.sweep()
    assert house.ended == []
    house.offer(f"reveal: {{{less}}}" if less else "longest: 1h")
    house.grants.sweep()
    assert [why for _, why in house.ended] == ["policies.yaml offers it no longer"]


async def test_the_journal_tells_what_was_before(house: House) -> None:
    first = await house.grant(how=How.UNASKED)
    house.spend()
    await house.grants.end(first.id, "enough")
    await house.grant(person="other@example.com", asked_by="other@example.com", how=How.UNASKED)
    await house.restart()
    [before] = house.past.of_person("DANA@example.com")
    assert (before.grant.id, before.grant.used, before.why) == (first.id, 1, "enough")
    count = house.past.unasked_today
    assert count("fix", person="dana@example.com", root="x", now=house.now) == 1
    assert count("fix", person="dana@example.com", root="x", now=house.now + 86_401) == 0
    assert count("other", person="dana@example.com", root="x", now=house.now) == 0
