from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.api import app as api
from gateway.api import replay
from gateway.api.links import Links
from gateway.contract import Refusal, SessionView, decode, encode
from gateway.elevations.showing import grant_view
from gateway.identity.lineages import Lineages
from gateway.identity.links import SlackLinks
from gateway.identity.logins import Logins
from gateway.policy.model import AskedGroup, Group, Holding, Policy, Rule, Slack, When
from gateway.recorder import Recorder
from gateway.recorder.transcript import Transcripts
from gateway.search import Index
from tests.approvals.conftest import House
from tests.identity.providers import Told

BOT = "bot-credential"
OPERATOR = "operator-credential"
PUBLIC = "https://countersign.example.com/gate"


@dataclass
class Open:
    """The open sessions, as the gateway would keep them."""

    views: dict[str, SessionView] = field(default_factory=dict)
    killed: list[tuple[str, str]] = field(default_factory=list)

    def all(self):
        return list(self.views.values())

    def get(self, session_id):
        return self.views.get(session_id)

    def kill(self, session_id, reason):
        self.killed.append((session_id, reason))
        return session_id in self.views

    def of_tokens(self, token_ids):
        return [
            view.id
            for view in self.views.values()
            if any(actor.token_id in token_ids for actor in view.lineage.chain)
        ]


POLICY = Policy(
    version="0123456789ab",
    groups={
        "dba": Group(name="dba", members=("sam@example.com", "dana@example.com")),
        "security": Group(name="security", members=("lee@example.com",)),
        "idle": Group(name="idle", members=("ida@example.com",)),
        "oncall": Group(name="oncall", slack="@oncall"),
    },
    rules=(Rule(name="writes", when=When(), then=Holding(asks=(AskedGroup(approvers="dba"),))),),
    operators=("security", "oncall"),
    slack=Slack(approvals="#approvals", audit="#audit", people={"U1": "sam@example.com"}),
)


async def own(request):
    return web.Response(text="own")


class Api:
    """The application over a real house, and a client for each credential."""

    def __init__(self, house, directory):
        self.house = house
        house.policy = POLICY
        self.sessions = Open()
        self.lineages = Lineages(house.store, clock=house.clock)
        key = Ed25519PrivateKey.generate()
        self.keys = {"k": key.public_key()}
        self.recorder = Recorder(
            directory / "recordings", clock=house.clock, sign=key.sign, key_id=lambda: "k"
        )
        self.meters = api.Meters()
        self.index = Index(
            directory / "search.sqlite",
            self.recorder.directory,
            lambda _: lambda answer, shape: answer.decode(),
        )
        self.public_url = PUBLIC
        self.corp = Told(house.clock, "corp")
        self.providers = {"corp": self.corp}
        self.proven = []
        self.logins = Logins(
            lambda: self.providers, self.remember, base=lambda: self.public_url, clock=house.clock
        )
        self.links = Links(b"k" * 32, public_url=lambda: self.public_url, clock=house.clock)
        self.application = api.build(
            policy=lambda: house.policy,
            approvals=house.approvals,
            feed=house.feed,
            store=house.store,
            journal=house.journal,
            sessions=self.sessions,
            lineages=self.lineages,
            transcripts=self.transcripts(),
            link=self.links.link,
            index=self.index,
            grants=lambda: [grant_view(each) for each in house.grants.all()],
            bot_credential=BOT,
            operator_credential=OPERATOR,
            meters=self.meters,
            logins=self.logins,
            slack_links=SlackLinks(
                house.store, house.journal, policy=lambda: house.policy, clock=house.clock
            ),
            clock=house.clock,
            routes=[
                web.get("/own", own),
                *replay.routes(
                    replay.Replay(
                        self.links, self.transcripts(), live=self.sessions.get, keys=lambda: self.keys
                    )
                ),
            ],
        )

    async def remember(self, proven):
        self.proven.append(proven)

    def transcripts(self):
        return Transcripts(self.recorder.directory, lambda _: lambda answer, shape: answer.decode())

    async def call(self, method, path, *, credential=BOT, shape=None, status=200, **options):
        headers = {"Authorization": f"Bearer {credential}", **options.pop("headers", {})}
        body = options.pop("body", None)
        if body is not None:
            options["data"] = body if isinstance(body, bytes) else encode(body)
        async with self.client.request(method, path, headers=headers, **options) as answer:
            content = await answer.read()
            assert answer.status == status, content
            assert answer.headers["Cache-Control"] == "no-store"
        return decode(content, shape or Refusal) if shape or status >= 400 else content

    async def refused(self, method, path, status, **options):
        refusal = await self.call(method, path, status=status, **options)
        return refusal.error


@pytest.fixture
async def gate(tmp_path):
    house = await House(tmp_path).start()
    gate = Api(house, tmp_path)
    async with TestClient(TestServer(gate.application)) as client:
        gate.client = client
        yield gate
    await gate.index.close()
    await house.stop()
