"""An agent whose token is bound to a key, from the command line to the database, with a gateway as it is served."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.live.house import Api, Gateway, Refused, url


class Agent:
    """Its key in a file, and its token."""

    def __init__(self, gateway: Gateway, directory: Path) -> None:
        self.gateway = gateway
        self.key = str(directory / "key.pem")
        self.token = self.told("token", "mint", "release-pipeline", "--dpop-key", self.key).strip()

    def run(self, *words: str, **environment: str) -> Any:
        known = {"COUNTERSIGN_DPOP_KEY": self.key, "COUNTERSIGN_TOKEN": getattr(self, "token", "")}
        return self.gateway.countersign(
            *words, RELEASE_PIPELINE_SECRET=self.gateway.root_secret, **{**known, **environment}
        )

    def told(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)


@pytest.fixture
def agent(gateway: Gateway, tmp_path: Path) -> Agent:
    return Agent(gateway, tmp_path)


def test_the_database_is_entered_by_what_was_minted_with_a_proof(agent: Agent, gateway: Gateway) -> None:
    with pytest.raises(psycopg.OperationalError, match="bound to a key"):
        psycopg.connect(url(gateway.account(agent.token)))
    pair = json.loads(agent.told("connect", "shop", "--minted", "--json"))
    account = replace(gateway.account("-"), user=pair["user"], password=pair["password"])
    with psycopg.connect(url(account)) as client:
        assert client.execute("SELECT 41 + 1").fetchone() == (42,)


def test_an_agent_asks_for_more_with_a_proof_and_not_without(agent: Agent, gateway: Gateway) -> None:
    asked = json.loads(
        agent.told("elevate", "ask", "shop", "write", "--for", "10m", "--reason", "bound", "--json")
    )
    assert asked["state"] == "pending"
    with pytest.raises(Refused) as refused:
        Api(gateway.url, agent.token).call(f"/v1/elevations/{asked['id']}")
    assert refused.value.status == 401
    assert agent.run("whoami", COUNTERSIGN_DPOP_KEY="").returncode == 2
    gateway.api.vote(asked, "deny")
