"""Elevation by hand, unasked, by breaking the glass, with reveals: and that no ending leaves anything behind."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.demo.postgres import Account
from tests.live import house
from tests.live.house import ANA, BEN, MARIA, SAM, Api, Gateway, Refused, eventually, url
from tests.live.test_elevations import ask, change, changed

OFFERS = """
  - name: own-hands
    connections: [shop]
    by_hand: true
    persons: [maria.lopez@example.com]
    effects: [read, write, session]
    longest: 1h
    commands: 5
    hold: {approvers: dba}
  - name: few-rows
    effects: [write]
    longest: 1h
    rows: 3
    hold: {approvers: dba}
  - name: one-table
    effects: [write]
    resources: [payroll]
    hold: {approvers: dba}
  - name: all-or-nothing
    effects: [write, privilege]
    ending: kill
    hold: {approvers: dba}
  - name: with-ticket
    effects: [write]
    ticket: true
    hold: {approvers: dba}
  - name: small
    effects: [write]
    longest: 1h
    commands: 50
    unasked: {longest: 10m, commands: 2, per_day: 2}
    hold: {approvers: dba}
  - name: never-now
    effects: [write]
    outside: {zone: UTC}
    hold: {approvers: dba}
  - name: look
    effects: [read]
    reveal: {columns: ["customers.email"], detect: [email], to: dba}
    hold: {approvers: security}
  - name: glass
    by_hand: true
    connections: [shop]
    persons: [maria.lopez@example.com]
    effects: [read, write]
    ending: kill
    break_glass: {approvers: "*", every: 1m}
"""


@pytest.fixture(scope="module")
def elevating(tmp_path_factory: pytest.TempPathFactory, upstream: Account) -> Iterator[Gateway]:
    with house.gateway(tmp_path_factory.mktemp("elevating"), upstream, elevations=OFFERS) as running:
        yield running


def holding(gateway: Gateway) -> dict[str, Any]:
    return {each["id"]: each for each in gateway.operator.call("/v1/grants")}


def granted(gateway: Gateway, token: str, *, by: str = ANA, **wish: Any) -> Any:
    approval = ask(gateway, token, **wish)
    gateway.api.vote(approval, "approve", person=by)
    state = Api(gateway.url, token).call(f"/v1/elevations/{approval['id']}?wait=5")
    return state["grant"]


def hand(gateway: Gateway, template: str = "own-hands", **wish: Any) -> Any:
    """The approval that Maria's own request opens."""
    body = {"connection": "shop", "effects": ["read", "write"], "seconds": 600, "reason": "order 7 is stuck"}
    return gateway.api.call("/v1/elevations", body | {"person": MARIA, "template": template} | wish)


def grant_of(gateway: Gateway, approval: Any) -> Any:
    return gateway.api.call(f"/v1/elevations/{approval['id']}?wait=5")["grant"]


def by_hand(gateway: Gateway, **wish: Any) -> Any:
    """Maria's own grant, once Ana said yes."""
    approval = hand(gateway, **wish)
    gateway.api.vote(approval, "approve")
    return grant_of(gateway, approval)


def credential(gateway: Gateway, grant: Any) -> Account:
    """Fetched as the page fetches it."""
    access = gateway.api.call(f"/v1/grants/{grant['id']}/access", {"person": MARIA})
    shown = Api(gateway.url, "-").call(f"/v1/access/{access['code']}", {})
    host, _, port = shown["address"].rpartition(":")
    return Account(host=host, port=int(port), user=shown["user"], password=shown["password"], database="shop")


def fixer(gateway: Gateway) -> str:
    return gateway.child(gateway.token(), "fixer", "shop:read,write,privilege,ddl")


def is_open(client: psycopg.Connection[Any]) -> bool:
    try:
        client.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    except psycopg.Error:
        return True  # refused politely, a moment before its end
    return True


def test_by_hand_one_gets_in_with_what_is_shown_once(elevating: Gateway, table: str) -> None:
    approval = hand(elevating)
    assert [actor["name"] for actor in approval["lineage"]["chain"]] == ["by-hand"]
    assert approval["elevation"]["by_hand"]
    with pytest.raises(Refused):
        elevating.api.vote(approval, "approve", person=MARIA)
    elevating.api.vote(approval, "approve")
    grant = grant_of(elevating, approval)
    with pytest.raises(Refused):
        elevating.api.call(f"/v1/grants/{grant['id']}/access", {"person": SAM})
    with pytest.raises(Refused):
        elevating.operator.call(f"/v1/grants/{grant['id']}/access", {"person": MARIA})
    access = elevating.api.call(f"/v1/grants/{grant['id']}/access", {"person": MARIA})
    assert "password" not in access
    account = credential(elevating, grant)
    with psycopg.connect(url(account), autocommit=True) as client:
        assert changed(elevating, client, table, "by hand") == "ran"
        assert changed(elevating, client, table, "again") == "ran"
        with pytest.raises(psycopg.Error):
            client.execute(f"DELETE FROM {table}")
    elevating.api.call(f"/v1/grants/{grant['id']}/end", {"person": MARIA})
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url(account))
    for text in (elevating.log(), json.dumps(elevating.api.changes())):
        assert account.password not in text
        assert access["code"] not in text


def test_a_code_opens_once_and_looking_at_its_page_spends_nothing(elevating: Gateway) -> None:
    grant = by_hand(elevating, reason="the page")
    access = elevating.api.call(f"/v1/grants/{grant['id']}/access", {"person": MARIA})
    page = f"{elevating.url}/access/{access['code']}"
    for _ in range(2):
        with urllib.request.urlopen(page) as answer:
            asked = answer.read().decode()
            assert answer.headers["Cache-Control"] == "no-store"
        assert "cs_" not in asked
    with urllib.request.urlopen(page, data=b"") as answer:
        shown = answer.read().decode()
        assert answer.headers["Cache-Control"] == "no-store"
    assert "cs_" in shown
    assert "psql" in shown
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as gone:
            urllib.request.urlopen(page, data=b"")
        assert gone.value.code == 404
        gone.value.close()
    elevating.api.call(f"/v1/grants/{grant['id']}/end", {"person": MARIA})


def test_at_a_terminal_it_is_waited_for_and_a_code_is_opened(elevating: Gateway) -> None:
    token = fixer(elevating)
    ask_ = ("elevate", "ask", "shop", "write", "--for", "10m", "--template", "few-rows", "--rows", "2")
    with elevating.api.deciding("approve", containing="a terminal waits"):
        waited = elevating.countersign(
            *ask_, "--reason", "a terminal waits", "--wait", COUNTERSIGN_TOKEN=token
        )
    assert waited.returncode == 0, waited.stderr
    assert "granted: write on shop" in waited.stdout
    assert "waiting for people" in waited.stderr
    with elevating.api.deciding("deny", containing="not this time", reason="freeze"):
        denied = elevating.countersign(*ask_, "--reason", "not this time", "--wait", COUNTERSIGN_TOKEN=token)
    assert (denied.returncode, "freeze" in denied.stdout) == (1, True)
    grant = by_hand(elevating, reason="a terminal opens it")
    access = elevating.api.call(f"/v1/grants/{grant['id']}/access", {"person": MARIA})
    opened = elevating.countersign("elevate", "open", typed=f"{access['code']}\n")
    assert opened.returncode == 0, opened.stderr
    assert "cs_" in opened.stdout
    assert elevating.countersign("elevate", "open", typed=f"{access['code']}\n").returncode == 1
    nothing = elevating.countersign("elevate", "open")
    assert (nothing.returncode, "no code came" in nothing.stderr) == (2, True)
    elevating.api.call(f"/v1/grants/{grant['id']}/end", {"person": MARIA})


def test_what_a_person_may_ask_for_is_what_policy_offers_this_person(elevating: Gateway) -> None:
    elevating.child(elevating.token(), "offered", "shop:read,write")
    mine = elevating.api.call(f"/v1/elevations?person={MARIA}")
    hers = elevating.api.call(f"/v1/elevations?person={SAM}")
    own = {(each["template"], each["connection"]): each for each in mine}
    assert own["own-hands", "shop"]["by_hand"]
    assert own["glass", "shop"]["break_glass"]
    assert ("own-hands", "archive") not in own
    assert not own["fix-forward", "shop"]["by_hand"]
    assert "offered" in {each["name"] for each in own["fix-forward", "shop"]["holders"]}
    assert not [each for each in mine if each["template"] == "never-now"]
    assert hers == []
    with pytest.raises(Refused):
        hand(elevating, person=SAM)
    with pytest.raises(Refused):
        elevating.operator.call(
            "/v1/elevations",
            {"connection": "shop", "effects": ["write"], "seconds": 60, "reason": "x", "person": MARIA},
        )


def test_a_person_sees_the_grants_that_they_may_see(elevating: Gateway) -> None:
    grant = by_hand(elevating)

    def sees(api: Api, query: str) -> bool:
        return grant["id"] in {each["id"] for each in api.call(f"/v1/grants{query}")}

    try:
        own, approver, operator = (sees(elevating.api, f"?person={each}") for each in (MARIA, BEN, SAM))
        assert (own, approver, operator) == (True, True, True)
        assert sees(elevating.operator, "")
        assert not sees(elevating.api, "?person=kim@example.com")
        assert not sees(elevating.operator, "?person=kim@example.com")
        assert not sees(elevating.operator, "?person=kim@example.com&groups=dba"), (
            "operators vouch for nobody"
        )
        assert sees(elevating.api, "?person=kim@example.com&groups=dba")
        with pytest.raises(Refused) as refused:
            elevating.api.call("/v1/grants")
        assert refused.value.status == 400
    finally:
        elevating.api.call(f"/v1/grants/{grant['id']}/end", {"person": MARIA})


def test_rows_are_a_budget(elevating: Gateway, table: str) -> None:
    token = fixer(elevating)
    grant = granted(elevating, token, template="few-rows")
    with psycopg.connect(url(elevating.account(token)), autocommit=True) as client:
        for number in range(3):
            assert changed(elevating, client, table, f"row {number}") == "ran"
        eventually(lambda: grant["id"] not in holding(elevating))
        assert changed(elevating, client, table, "one more") == "held"


def test_it_is_for_the_things_that_the_offer_names(elevating: Gateway, table: str) -> None:
    token = fixer(elevating)
    assert granted(elevating, token, template="one-table")["resources"] == ["payroll"]
    assert change(elevating, token, table, "elsewhere") == "held"


def test_a_ticket_has_to_be_named(elevating: Gateway) -> None:
    token = fixer(elevating)
    with pytest.raises(Refused):
        ask(elevating, token, template="with-ticket")
    approval = ask(elevating, token, template="with-ticket", ticket="OPS-7")
    assert "OPS-7" in approval["command"]["text"]
    with pytest.raises(Refused):
        ask(elevating, token, template="never-now")


def test_within_its_bounds_nobody_is_asked_and_not_too_often(elevating: Gateway, table: str) -> None:
    token = fixer(elevating)
    for number in range(2):
        approval = ask(elevating, token, template="small", reason=f"small {number}")
        assert approval["state"] == "spent"
        assert approval["votes"] == []
        grant = Api(elevating.url, token).call(f"/v1/elevations/{approval['id']}")["grant"]
        assert (grant["how"], grant["commands"]) == ("unasked", 2)
    assert change(elevating, token, table, "unasked") == "ran"
    third = ask(elevating, token, template="small", reason="small 3")
    assert third["state"] == "pending", "twice a day"
    assert third["elevation"]["past_count"] >= 2
    assert "unasked" in {each["how"] for each in third["elevation"]["past"]}
    longer = ask(elevating, token, template="small", reason="longer", seconds=1200)
    assert longer["state"] == "pending"


def test_asked_for_all_at_once_the_bound_is_the_same(tmp_path: Path, upstream: Account) -> None:
    with house.gateway(tmp_path, upstream, elevations=OFFERS) as gateway, ThreadPoolExecutor(8) as at_once:
        token = fixer(gateway)
        asked = list(
            at_once.map(
                lambda number: ask(gateway, token, template="small", reason=f"number {number}"), range(8)
            )
        )
    assert sorted(each["state"] for each in asked) == ["pending"] * 6 + ["spent"] * 2


def test_the_card_says_what_becomes_possible(elevating: Gateway) -> None:
    approval = ask(elevating, fixer(elevating), template="all-or-nothing", effects=["write", "privilege"])
    possible = {each["effect"]: each for each in approval["elevation"]["possible"]}
    assert (possible["write"]["before"], possible["write"]["after"]) == ("hold", "allow")
    assert (possible["privilege"]["before"], possible["privilege"]["after"]) == ("block", "block")


def test_the_card_counts_the_tables_of_the_target(elevating: Gateway) -> None:
    token = fixer(elevating)
    reasons = (f"look {number}" for number in range(1_000))
    found: list[dict[str, Any]] = []

    def counted() -> bool:
        # The catalogue is read right after the start, and nobody announces it.
        found.append(ask(elevating, token, reason=next(reasons))["elevation"])
        return found[-1].get("tables") is not None

    eventually(counted)
    tables = found[-1]["tables"]
    assert tables["total"] > 1
    assert (tables["before"]["written"], tables["after"]["written"]) == (0, tables["total"])
    assert tables["before"]["read"] == tables["after"]["read"] == tables["total"]
    assert 0 < tables["before"]["masked"] < tables["before"]["columns"]


def test_what_is_revealed_is_shown_to_the_named_groups_alone_and_recorded_as_shown(
    elevating: Gateway,
) -> None:
    query = "SELECT email, phone FROM customers ORDER BY id LIMIT 1"

    def read(token: str) -> tuple[str, str]:
        with psycopg.connect(url(elevating.account(token)), autocommit=True) as client:
            found = client.execute(query).fetchone()
            assert found is not None
            return str(found[0]), str(found[1])

    hers = elevating.child(elevating.token(person=ANA), "reader", "shop:read,write")
    his = elevating.child(elevating.token(), "reader", "shop:read,write")
    masked = read(hers)
    assert read(his) == masked
    granted(elevating, hers, template="look", effects=["read"], by=SAM)
    granted(elevating, his, template="look", effects=["read"], by=SAM)
    shown = read(hers)
    assert "@example.com" in shown[0]
    assert shown[0] != masked[0]
    assert shown[1] == masked[1], "only what it names"
    assert read(his) == masked, "Maria is in no group that it is shown to"
    recordings = [path.read_bytes() for path in (elevating.state / "recordings").rglob("*.rec")]
    assert any(b"reveal:" in each for each in recordings)
    assert sum(b'"revealed":["customers.email","email"]' in each for each in recordings) == 1
    assert not any(shown[0].encode() in each for each in recordings)


@pytest.mark.parametrize("ending", ["end", "revoke", "reload", "time", "budget", "rows"])
def test_after_every_ending_no_session_keeps_what_the_grant_gave(
    tmp_path: Path, upstream: Account, table: str, notes: Callable[[], list[str]], ending: str
) -> None:
    freely = {"freely": "read, session", "never": "destructive, exec, exfil"}
    offers = OFFERS.replace("ending: kill\n    hold", "hold")
    role = """
  - name: role
    effects: [write, session, privilege]
    hold: {approvers: dba}
"""
    with (
        house.gateway(tmp_path, upstream, elevations=offers + role, **freely) as gateway,
        contextlib.ExitStack() as stack,
    ):
        token = fixer(gateway)
        bounds = {"time": {"seconds": 4}, "budget": {"commands": 2}, "rows": {"rows": 1}}.get(ending, {})
        wish = {"template": "role", "effects": ["write", "session", "privilege"]} | bounds
        grant = granted(gateway, token, **wish)
        enter = partial(psycopg.connect, url(gateway.account(token)), autocommit=True)
        keeping = stack.enter_context(contextlib.closing(enter()))
        passing = stack.enter_context(contextlib.closing(enter()))
        keeping.execute("SET ROLE none")
        assert changed(gateway, passing, table, "in time") == "ran"
        match ending:
            case "end":
                gateway.api.call(f"/v1/grants/{grant['id']}/end", {"person": MARIA})
            case "revoke":
                gateway.revoke(token)
            case "reload":
                text = gateway.policy_file.read_text()
                gateway.policy_file.write_text(text.replace("name: role", "name: another"))
        eventually(lambda: grant["id"] not in holding(gateway))
        eventually(lambda: not is_open(keeping))
        if ending == "revoke":
            eventually(lambda: not is_open(passing))
        else:
            assert changed(gateway, passing, table, "too late") == "held"
        assert "too late" not in notes()


def test_killing_takes_what_was_not_committed(
    elevating: Gateway, table: str, notes: Callable[[], list[str]]
) -> None:
    token = fixer(elevating)
    grant = granted(elevating, token, template="all-or-nothing")
    with contextlib.closing(psycopg.connect(url(elevating.account(token)))) as client:
        client.execute(f"UPDATE {table} SET note = 'uncommitted' WHERE id = 1")
        elevating.api.call(f"/v1/grants/{grant['id']}/end", {"person": MARIA})
        with pytest.raises(psycopg.OperationalError):
            client.commit()
    assert "uncommitted" not in notes()


def test_a_budget_by_hand_takes_the_way_in_with_it_once_its_last_command_is_over(
    elevating: Gateway, table: str
) -> None:
    grant = by_hand(elevating, commands=1, reason="one command")
    account = credential(elevating, grant)
    with contextlib.closing(psycopg.connect(url(account), autocommit=True)) as client:
        assert changed(elevating, client, table, "the last") == "ran"
        eventually(lambda: not is_open(client))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url(account))


def test_a_broken_glass_is_loud_and_waits_for_two_others(
    tmp_path: Path, upstream: Account, table: str
) -> None:
    with house.gateway(tmp_path, upstream, elevations=OFFERS) as gateway:
        with pytest.raises(Refused):
            ask(gateway, fixer(gateway), template="glass")
        with pytest.raises(Refused):
            hand(gateway, "glass", reason=" ")
        approval = hand(gateway, "glass", reason="checkout is down")
        assert (approval["state"], approval["votes"]) == ("spent", [])
        grant = grant_of(gateway, approval)
        assert grant["how"] == "break-glass"
        told = [each["announcement"] for each in gateway.api.changes()["changes"] if each["announcement"]]
        assert told == [], "the present state has no announcements"
        review = gateway.api.approval(
            lambda each: bool(each["elevation"]) and each["elevation"]["how"] == "review"
        )
        gateway.kill()
        gateway.start()
        assert grant["id"] in holding(gateway)
        review = gateway.api.call(f"/v1/approvals/{review['id']}")
        with pytest.raises(Refused):
            gateway.api.vote(review, "approve", person=MARIA)
        review = gateway.api.vote(review, "approve", person=ANA)
        assert review["state"] == "pending"
        gateway.api.vote(review, "deny", person=SAM, reason="it was not down")
        eventually(lambda: grant["id"] not in holding(gateway))
        again = gateway.api.approval(
            lambda each: (
                each["state"] == "pending" and each["elevation"] and each["elevation"]["how"] == "review"
            )
        )
        again = gateway.api.vote(again, "approve", person=ANA)
        gateway.api.vote(again, "approve", person=BEN)
        gateway.api.until(again, "spent")
        gateway.kill()
        gateway.start()
        assert [each for each in gateway.api.call("/v1/approvals") if each["elevation"]] == []


@pytest.mark.parametrize("moment", ["asked", "approved", "granted", "ended", "revoked", "over"])
def test_killed_around_start_and_end_it_is_as_it_was_said_to_be(
    tmp_path: Path, upstream: Account, table: str, moment: str
) -> None:
    with house.gateway(tmp_path, upstream, elevations=OFFERS) as gateway:
        approval = hand(gateway, seconds=3 if moment == "over" else 600)
        if moment != "asked":
            gateway.api.vote(approval, "approve")
        grant = account = None
        if moment not in {"asked", "approved"}:
            grant = grant_of(gateway, approval)
            account = credential(gateway, grant)
        if grant is not None and moment == "ended":
            gateway.api.call(f"/v1/grants/{grant['id']}/end", {"person": MARIA})
        if grant is not None and moment == "revoked":
            gateway.api.call(
                f"/v1/lineages/{grant['token_id']}/revoke", {"person": MARIA, "reason": "enough"}
            )
        gateway.kill()
        if grant is not None and moment == "over":
            eventually(lambda: time.time() > grant["ends_at"])
        gateway.start()
        if moment in {"asked", "approved"}:
            # What was said yes to is granted once; where the crash came before that was kept, people are asked again.
            for again in gateway.api.call("/v1/approvals?state=pending"):
                gateway.api.vote(again, "approve")
            eventually(lambda: len(holding(gateway)) == 1)
            [grant] = holding(gateway).values()
            account = credential(gateway, grant)
        assert account is not None
        account = replace(account, port=gateway.ports["shop"])
        if moment in {"ended", "revoked", "over"}:
            assert holding(gateway) == {}
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url(account))
            return
        with psycopg.connect(url(account), autocommit=True) as client:
            assert changed(gateway, client, table, "after") == "ran"
        assert len(holding(gateway)) == 1
