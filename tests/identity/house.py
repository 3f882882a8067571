"""A gateway's identity, whole and real, on a store in memory and a clock that tests turn."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.admission import Admission
from gateway.identity.keys import KeyRing
from gateway.identity.lineages import Lineages
from gateway.identity.logins import Proven
from gateway.identity.members import Members
from gateway.identity.minted import Minted
from gateway.identity.origins import Origins
from gateway.identity.possession import Possession
from gateway.identity.tokens import Issuer
from gateway.model import Connection, Effect, Scope
from gateway.policy.credentials import SecretRef, StoredCredential
from gateway.policy.identities import IdentityPolicy, OidcProvider, PeopleGrant
from gateway.policy.model import Address, Agent, Group, Policy, Target, Upstream

R, W, D = Effect.READ, Effect.WRITE, Effect.DDL
SECRET = "correct horse battery staple"
HOUR = 3_600.0
ADA, BOB = "ada@shop.example", "bob@shop.example"


class MemoryStore:
    """What `gateway.store.Store` promises, and how often it was asked to be durable."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, Any]]] = {}
        self.commits = 0
        self.fails: Exception | None = None

    @property
    def healthy(self) -> bool:
        return self.fails is None

    def get(self, table: str, key: str) -> dict[str, Any] | None:
        return self.tables.get(table, {}).get(key)

    def all(self, table: str) -> Mapping[str, dict[str, Any]]:
        return self.tables.get(table, {})

    def put(self, table: str, key: str, document: Mapping[str, Any]) -> None:
        self.tables.setdefault(table, {})[key] = copy.deepcopy(dict(document))

    def delete(self, table: str, key: str) -> None:
        self.tables.get(table, {}).pop(key, None)

    async def commit(self) -> None:
        if self.fails is not None:
            raise self.fails
        self.commits += 1


def target(name: str, *, port: int = 15432, host: str = "127.0.0.1", protocol: str = "postgres") -> Target:
    return Target(
        connection=Connection(name=name, protocol=protocol, labels={"env": "prod"}),
        listen=Address(host=host, port=port),
        upstream=Upstream(host="db.internal", port=5432, database="shop"),
        credential=StoredCredential(user="gateway"),
        approvals_channel="#approvals",
        audit_channel="#audit",
    )


POLICY = Policy(
    version="000000000001",
    targets={"orders": target("orders"), "shop": target("shop", port=15433)},
    agents={
        "release-pipeline": Agent(
            name="release-pipeline",
            secret=SecretRef(source="env", name="TEST_RELEASE_SECRET"),
            scope={"orders": frozenset({R, W}), "shop": frozenset({R})},
            max_depth=3,
            person=ADA,
            persons=(BOB,),
        ),
        "nightly": Agent(
            name="nightly",
            secret=SecretRef(source="env", name="TEST_NIGHTLY_SECRET"),
            scope={"shop": frozenset({R})},
        ),
        "workload": Agent(name="workload", scope={"shop": frozenset({R})}),
    },
    groups={
        "dba": Group(name="dba", members=("Ada@shop.example",)),
        "security": Group(name="security", members=(BOB,)),
    },
)


class House:
    """`policy` and `now` may be set at any time; everything else is built once, and can be `restarted`."""

    def __init__(self, directory: Path) -> None:
        os.environ["TEST_RELEASE_SECRET"] = SECRET
        os.environ["TEST_NIGHTLY_SECRET"] = "another secret altogether"
        self.now = 1_800_000_000.0
        self.steady = 1_000.0
        self.policy = POLICY
        self.store = MemoryStore()
        self.directory = directory / "keys"
        self.restart()

    def clock(self) -> float:
        return self.now

    def restart(self) -> None:
        clock = self.clock
        self.keys = KeyRing.open(self.directory, clock=clock)
        self.lineages = Lineages(self.store, clock=clock)
        self.members = Members(self.store, clock=clock)
        self.parted: list[str] = []
        self.issuer = Issuer(self.keys, self.current, self.lineages, clock=clock)
        self.minted = Minted(self.store, self.issuer, key=self.keys.secret("minted users"), clock=clock)
        self.open: set[str] = set()
        self.told: list[str] = []
        self.origins = Origins(
            self.store,
            self.issuer,
            self.current,
            live=self.open.__contains__,
            announce=lambda level, text: self.told.append(f"{level}: {text}"),
            spawn=lambda work: work.close(),
            clock=clock,
        )
        self.possession = Possession(
            self.issuer, self.origins, self.current, clock=clock, steady=lambda: self.steady
        )
        self.admission = Admission(self.issuer, self.minted, self.current, self.origins, clock=clock)

    async def part(self, person: str) -> None:
        """Whose Slack user is nobody's any more."""
        self.parted.append(person)

    def current(self) -> Policy:
        """The policy of the moment, with what people's logins add."""
        return self.members.applied(self.policy)

    def root(self, **wanted: Any) -> str:
        return self.issuer.for_agent("release-pipeline", SECRET, **wanted).text

    def child(self, parent: str, name: str = "planner", **wanted: Any) -> str:
        return self.issuer.derive(parent, name=name, **wanted).text

    def token_id(self, token: str) -> str:
        return self.issuer.own(token).token_id

    def change_agent(self, name: str = "release-pipeline", **fields: Any) -> None:
        agents = {**self.policy.agents, name: replace(self.policy.agents[name], **fields)}
        self.policy = replace(self.policy, agents=agents, version="000000000002")

    def scope(self, token: str) -> Scope:
        return self.issuer.verify(token).scope


class RunningHouse(House):
    """By the machine's clock, as programs of their own see it too."""

    def clock(self) -> float:
        return time.time()


def proven(house: House, person: str = ADA, *groups: str, provider: str = "okta") -> None:
    """A person has just logged in, and is in these groups of the provider's."""
    house.members.remember(Proven(person=person, groups=frozenset(groups), provider=provider, at=house.now))


def with_people(house: House) -> House:
    """The house with two providers of people, what people may do there, and a group that providers know."""
    declared = {
        name: OidcProvider(name=name, issuer=f"https://{name}.example", client_id="x")
        for name in ("okta", "corp")
    }
    house.policy = replace(
        house.policy,
        identity=IdentityPolicy(
            providers=declared,
            people=(
                PeopleGrant(name="everybody", scope={"shop": frozenset({R})}),
                PeopleGrant(
                    name="dbas", groups=("dba",), scope={"orders": frozenset({R, D})}, max_depth=2, ttl=HOUR
                ),
            ),
        ),
        groups={
            "dba": Group(name="dba", slack="@dba", claim=("db-admins", "dbas")),
            "security": Group(name="security", members=(BOB,), slack="@security"),
        },
    )
    return house
