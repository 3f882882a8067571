"""A yes for a while: what it lets go, and that it lets go of nothing else."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.demo.postgres import Account
from tests.live import house
from tests.live.house import ANA, SAM, Gateway, eventually, url


def held(gateway: Gateway, containing: str) -> Any:
    return gateway.api.approval(
        lambda each: containing in each["command"]["text"] and each["state"] == "pending"
    )


def approve(gateway: Gateway, approval: Any, reach: str, *, seconds: float = 600, commands: int = 5) -> None:
    gateway.api.call(
        f"/v1/approvals/{approval['id']}/votes",
        {
            "person": ANA,
            "choice": "approve",
            "seen_version": approval["version"],
            "reach": reach,
            "seconds": seconds,
            "commands": commands,
        },
    )


class Agent:
    """One session, whose statements run or are refused."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self.gateway = gateway
        self.client = psycopg.connect(url(gateway.account(token)), autocommit=True)

    def begin(self, statement: str, *values: object) -> Callable[[], str]:
        """Asks, and gives what waits for the outcome: `ran`, or why not."""
        outcome: list[str] = []

        def run() -> None:
            try:
                self.client.execute(statement, values or None)  # type: ignore[call-overload]
                outcome.append("ran")
            except psycopg.Error as error:
                outcome.append(str(error))

        worker = threading.Thread(target=run)
        worker.start()

        def wait() -> str:
            worker.join(20)
            return outcome[0]

        return wait

    def does(self, statement: str, *values: object) -> str:
        """`ran`, `held` (and then denied), or why not."""
        waiting = self.begin(statement, *values)
        done = threading.Event()
        threading.Thread(target=lambda: (waiting(), done.set())).start()
        denied = False
        while not done.wait(0.05):
            for approval in self.gateway.api.call("/v1/approvals"):
                self.gateway.api.vote(approval, "deny")
                denied = True
        return "held" if denied else waiting()


@pytest.fixture
def enter() -> Iterator[Callable[[Gateway, str], Agent]]:
    """`enter(gateway, token)`: a session, closed when the test is over."""
    with contextlib.ExitStack() as open_ones:

        def begin(gateway: Gateway, token: str) -> Agent:
            agent = Agent(gateway, token)
            open_ones.callback(agent.client.close)
            return agent

        yield begin


Enter = Callable[[Gateway, str], Agent]


@pytest.fixture
def token(gateway: Gateway) -> str:
    return gateway.child(gateway.token(), "fixer", "shop:read,write,ddl,destructive")


def test_a_shape_lets_go_other_values_and_no_other_statement(
    gateway: Gateway, token: str, enter: Enter
) -> None:
    agent = enter(gateway, token)
    eventually(lambda: is_known(gateway, agent))
    waiting = agent.begin("UPDATE orders SET status = 'one' WHERE id = 7000001")
    approve(gateway, held(gateway, "'one'"), "shape")
    assert waiting() == "ran"
    assert agent.does("update orders  set status = 'two' where id = 7000002") == "ran"
    assert agent.does("UPDATE orders SET status = %s WHERE id = %s", "three", 7_000_000) == "ran"
    assert agent.does("UPDATE orders SET status = 'x' WHERE id > 7000000") == "held"
    assert agent.does("UPDATE orders SET status = lower('x') WHERE id = 7000001") == "held"
    assert "never run" in agent.does("UPDATE orders SET status = 'x' WHERE 1 = 1")
    other = enter(gateway, gateway.child(token, "helper", "shop:read,write"))
    assert other.does("UPDATE orders SET status = 'x' WHERE id = 7000001") == "held"
    agent.client.execute("SET search_path = public")
    assert agent.does("UPDATE orders SET status = 'x' WHERE id = 7000001") == "held"


def is_known(gateway: Gateway, agent: Agent) -> bool:
    """Whether the gateway has read the target's catalogue: what is touched is named by it from then on."""
    waiting = agent.begin("UPDATE orders SET status = 'known?' WHERE id = 7000001")
    approval = held(gateway, "known?")
    gateway.api.vote(approval, "deny")
    assert "Denied" in waiting()
    return any(each["name"].startswith("public.orders.") for each in approval["command"]["resources"])


def test_a_subtree_lets_go_what_its_children_ask_within_effects_and_rules(
    gateway: Gateway, table: str, token: str, enter: Enter
) -> None:
    agent = enter(gateway, token)
    child = enter(gateway, gateway.child(token, "helper", "shop:read,write,ddl"))
    first = agent.begin(f"UPDATE {table} SET note = 'mine' WHERE id = 1")
    second = child.begin(f"DELETE FROM {table} WHERE id = 2")
    approval = held(gateway, "'mine'")
    held(gateway, "DELETE")
    approve(gateway, approval, "subtree")
    assert [first(), second()] == ["ran", "ran"]
    assert child.does(f"INSERT INTO {table} (id, note) VALUES (4, 'new')") == "ran"
    assert child.does(f"ALTER TABLE {table} ADD COLUMN more text") == "held"
    (grant,) = [each for each in gateway.operator.call("/v1/grants") if each["id"] == approval["id"]]
    assert (grant["what"], grant["used"], grant["effects"]) == ("subtree", 2, ["write"])


def test_a_grant_of_votes_outlives_a_kill_and_ends_by_hand(
    upstream: Account, table: str, tmp_path: Path, enter: Enter
) -> None:
    with house.gateway(tmp_path, upstream) as gateway:
        outlives(gateway, table, enter)


def outlives(gateway: Gateway, table: str, enter: Enter) -> None:

    token = gateway.child(gateway.token(), "fixer", "shop:read,write")
    waiting = enter(gateway, token).begin(f"UPDATE {table} SET note = 'one' WHERE id = 1")
    approval = held(gateway, "'one'")
    approve(gateway, approval, "agent")
    assert waiting() == "ran"
    gateway.kill()
    gateway.start()
    agent = enter(gateway, token)
    assert agent.does(f"UPDATE {table} SET note = 'two' WHERE id = 1") == "ran"
    gateway.api.call(f"/v1/grants/{approval['id']}/end", {"person": SAM, "reason": "enough"})
    eventually(lambda: gateway.operator.call("/v1/grants") == [])
    assert agent.does(f"UPDATE {table} SET note = 'three' WHERE id = 1") == "held"
