"""More for a while: asked for, granted by people, and over by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.demo.postgres import Account
from tests.live import house
from tests.live.house import ANA, MARIA, SAM, Api, Gateway, Refused, eventually, url


def ask(gateway: Gateway, token: str, **wish: Any) -> Any:
    """The approval that an agent's request opens."""
    body = {"connection": "shop", "effects": ["write"], "seconds": 600, "reason": "order 7 is stuck"} | wish
    return Api(gateway.url, token).call("/v1/elevations", body)


def granted(gateway: Gateway, token: str, **wish: Any) -> Any:
    """The grant, once people have said yes."""
    approval = ask(gateway, token, **wish)
    gateway.api.vote(approval, "approve")
    agent = Api(gateway.url, token)
    eventually(lambda: agent.call(f"/v1/elevations/{approval['id']}").get("grant") is not None)
    return agent.call(f"/v1/elevations/{approval['id']}")["grant"]


def change(gateway: Gateway, token: str, table: str, note: str) -> str:
    """What becomes of an UPDATE in a session of its own."""
    with psycopg.connect(url(gateway.account(token)), autocommit=True) as client:
        return changed(gateway, client, table, note)


def changed(gateway: Gateway, client: psycopg.Connection[Any], table: str, note: str) -> str:
    """`ran`, or `held`, and then denied."""
    done = threading.Event()
    failed: list[psycopg.Error] = []

    def update() -> None:
        try:
            client.execute(f"UPDATE {table} SET note = '{note}' WHERE id = 1")
        except psycopg.Error as error:
            failed.append(error)
        finally:
            done.set()

    worker = threading.Thread(target=update)
    worker.start()
    while not done.wait(0.05):
        for approval in gateway.api.call("/v1/approvals"):
            if note in approval["command"]["text"]:
                gateway.api.vote(approval, "deny")
    worker.join()
    return "held" if failed else "ran"


def test_a_grant_lets_writes_run_for_the_agent_and_what_it_starts(
    gateway: Gateway, table: str, notes: Callable[[], list[str]]
) -> None:
    parent = gateway.token()
    child = gateway.child(parent, "fixer", "shop:read,write")
    other = gateway.child(parent, "bystander", "shop:read,write")
    assert change(gateway, child, table, "early") == "held"
    granted(gateway, child)
    grandchild = gateway.child(child, "hand", "shop:read,write")
    assert change(gateway, child, table, "fixed") == "ran"
    assert change(gateway, grandchild, table, "again") == "ran"
    assert change(gateway, other, table, "other") == "held"
    assert change(gateway, parent, table, "above") == "held"
    assert sorted(notes()) == ["again", "first", "first"]


def test_it_ends_with_its_budget_and_counts_children(gateway: Gateway, table: str) -> None:
    token = gateway.child(gateway.token(), "fixer", "shop:read,write")
    granted(gateway, token, commands=2)
    outcomes = [change(gateway, token, table, f"n{number}") for number in range(3)]
    assert outcomes == ["ran", "ran", "held"]


def test_it_ends_with_its_time_in_a_session_that_is_open(gateway: Gateway, table: str) -> None:
    token = gateway.child(gateway.token(), "fixer", "shop:read,write")
    grant = granted(gateway, token, seconds=2)
    with psycopg.connect(url(gateway.account(token)), autocommit=True) as client:
        assert changed(gateway, client, table, "in time") == "ran"
        eventually(lambda: grant["id"] not in {each["id"] for each in gateway.operator.call("/v1/grants")})
        assert changed(gateway, client, table, "too late") == "held"


def test_ending_it_stops_what_runs_under_it(gateway: Gateway, table: str) -> None:
    token = gateway.child(gateway.token(), "fixer", "shop:read,write")
    grant = granted(gateway, token)
    client = psycopg.connect(url(gateway.account(token)), autocommit=True)
    slow = f"UPDATE {table} SET note = 'slow' FROM pg_sleep(30) WHERE id = 1"
    failed: list[BaseException] = []

    def run() -> None:
        try:
            client.execute(slow)
        except psycopg.Error as error:
            failed.append(error)

    with gateway.api.meanwhile(run):
        eventually(
            lambda: (
                [each["used"] for each in gateway.operator.call("/v1/grants") if each["id"] == grant["id"]]
                == [1]
            )
        )
        gateway.api.call(f"/v1/grants/{grant['id']}/end", {"person": MARIA, "reason": "enough"})
    assert failed
    assert change(gateway, token, table, "later") == "held"


def test_it_reaches_neither_what_is_blocked_nor_other_effects_and_unmasks_nothing(
    gateway: Gateway, table: str
) -> None:
    token = gateway.child(gateway.token(), "fixer", "shop:read,write,ddl,destructive")
    granted(gateway, token)
    with psycopg.connect(url(gateway.account(token)), autocommit=True) as client:
        with pytest.raises(psycopg.Error, match="Destructive"):
            client.execute(f"DELETE FROM {table}")
        with gateway.api.deciding("deny", containing="CREATE INDEX"), pytest.raises(psycopg.Error):
            client.execute(f"CREATE INDEX ON {table} (note)")
        client.execute(f"UPDATE {table} SET note = 'ada@example.com' WHERE id = 1")
        found = client.execute(f"UPDATE {table} SET note = note WHERE id = 1 RETURNING note").fetchone()
        assert found is not None
        assert "ada" not in str(found[0])


def test_only_what_is_offered_can_be_asked_for(gateway: Gateway) -> None:
    token = gateway.child(gateway.token(), "fixer", "shop:read,write")
    for wish, field in (
        ({"effects": ["ddl"]}, "effects"),
        ({"seconds": 7200}, "seconds"),
        ({"seconds": -1}, "seconds"),
        ({"connection": "elsewhere"}, "connection"),
        ({"template": "elsewhere"}, "template"),
        ({"effects": ["everything"]}, "effects"),
        ({"effects": []}, "effects"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"ticket": "x" * 101}, "ticket"),
        ({"commands": 0}, "commands"),
        ({"rows": 0}, "rows"),
    ):
        with pytest.raises(Refused) as refused:
            ask(gateway, token, **wish)
        assert (refused.value.status, refused.value.code, refused.value.field) == (422, "wish_refused", field)
    with pytest.raises(Refused):
        ask(gateway, "no.such.token")


def test_nobody_of_the_chain_grants_it_and_a_no_grants_nothing(gateway: Gateway, table: str) -> None:
    token = gateway.child(gateway.token(), "fixer", "shop:read,write")
    approval = ask(gateway, token)
    assert approval["elevation"]["effects"] == ["write"]
    with pytest.raises(Refused) as refused:
        gateway.api.vote(approval, "approve", person=MARIA)
    assert refused.value.code == "not_eligible"
    gateway.api.vote(approval, "deny")
    assert Api(gateway.url, token).call(f"/v1/elevations/{approval['id']}")["approval"]["state"] == "denied"
    assert change(gateway, token, table, "no") == "held"


def test_revoking_the_agent_ends_the_grant_and_withdraws_the_request(gateway: Gateway) -> None:
    token = gateway.child(gateway.token(), "fixer", "shop:read,write")
    grant = granted(gateway, token)
    again = ask(gateway, token, reason="another reason")
    gateway.revoke(token)
    assert grant["id"] not in {each["id"] for each in gateway.operator.call("/v1/grants")}
    gateway.api.until(again, "withdrawn")


def test_a_person_asks_for_an_agent_they_answer_for(gateway: Gateway, table: str) -> None:
    token = gateway.child(gateway.token(), "unique-fixer", "shop:read,write")
    wish = {"connection": "shop", "effects": ["write"], "seconds": 60, "reason": "help", "person": MARIA}
    for agent, person in (("nobody", MARIA), ("unique-fixer", SAM), ("", MARIA)):
        with pytest.raises(Refused):
            gateway.api.call("/v1/elevations", wish | {"agent": agent, "person": person})
    approval = gateway.api.call("/v1/elevations", wish | {"agent": "unique-fixer"})
    assert approval["elevation"]["asked_by"] == MARIA
    gateway.api.vote(approval, "approve")
    eventually(lambda: "unique-fixer" in {each["agent"] for each in gateway.operator.call("/v1/grants")})
    assert change(gateway, token, table, "helped") == "ran"


@pytest.mark.parametrize("moment", ["asked", "granted"])
def test_killed_at_any_moment_it_goes_on_where_it_was(
    tmp_path: Path, upstream: Account, table: str, moment: str
) -> None:
    with house.gateway(tmp_path, upstream) as gateway:
        token = gateway.child(gateway.token(), "fixer", "shop:read,write")
        approval = ask(gateway, token)
        if moment == "granted":
            gateway.api.vote(approval, "approve")
            eventually(lambda: len(gateway.operator.call("/v1/grants")) == 1)
        gateway.kill()
        gateway.start()
        if moment == "asked":
            gateway.api.vote(gateway.api.call(f"/v1/approvals/{approval['id']}"), "approve")
            eventually(lambda: len(gateway.operator.call("/v1/grants")) == 1)
        assert len(gateway.operator.call("/v1/grants")) == 1
        assert change(gateway, token, table, "after") == "ran"


def test_from_the_command_line(gateway: Gateway, table: str) -> None:
    token = gateway.child(gateway.token(), "fixer", "shop:read,write")
    asked = gateway.countersign(
        "elevate",
        "ask",
        "shop",
        "write",
        "--for",
        "10m",
        "--reason",
        "cli",
        "--json",
        COUNTERSIGN_TOKEN=token,
    )
    assert asked.returncode == 0, asked.stderr
    approval = json.loads(asked.stdout)
    gateway.api.vote(approval, "approve", person=ANA)
    state = ("elevate", "state", approval["id"])
    eventually(lambda: gateway.countersign(*state, COUNTERSIGN_TOKEN=token).returncode == 0)
    assert "granted: write on shop" in gateway.countersign(*state, COUNTERSIGN_TOKEN=token).stdout
    listed = json.loads(gateway.countersign("elevate", "grants", "--json").stdout)
    grant = next(each for each in listed if each["approval"] == approval["id"])
    ended = gateway.countersign("elevate", "end", grant["id"], "--as", SAM)
    assert ended.returncode == 0, ended.stderr
    assert (
        gateway.countersign(
            "elevate", "ask", "shop", "ddl", "--reason", "x", COUNTERSIGN_TOKEN=token
        ).returncode
        == 1
    )
    assert change(gateway, token, table, "over") == "held"
