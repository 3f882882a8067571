"""What people see through the bot: theirs, and what happens where they are asked; nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.contract import ActorView, Hits, Home, LineageNode, LineageView, SessionView, Whoami
from gateway.identity.lineages import Link
from gateway.model import Connection, Lasting, Reach
from gateway.policy.globs import Globs
from gateway.policy.model import AskedGroup, Blocking, Holding, Rule, When
from tests.approvals.conftest import LINEAGE_VIEW, session
from tests.recorder.conftest import ask

from .conftest import OPERATOR, POLICY

SAM, LEE, IDA, DANA = "sam@example.com", "lee@example.com", "ida@example.com", "dana@example.com"


class Target:
    """Of a policy's target, what matters to who may see."""

    def __init__(self, name):
        self.connection = Connection(name=name, protocol="postgres")


def rule(name, connection, group):
    when = When(connections=Globs((connection,)))
    return Rule(name=name, when=when, then=Holding(asks=(AskedGroup(approvers=group),)))


TWO = replace(
    POLICY,
    targets={name: Target(name) for name in ("orders", "billing")},
    rules=(rule("orders", "orders", "dba"), rule("billing", "billing", "idle")),
    default=Blocking(),
)


def view(session_id, connection, person=DANA):
    return SessionView(
        id=session_id,
        connection=connection,
        protocol="postgres",
        lineage=LineageView(person=person, chain=(ActorView(name="agent", token_id=f"t-{session_id}"),)),
        client="127.0.0.1:1",
        opened_at=1.0,
    )


@pytest.fixture
def seen(gate):
    gate.house.policy = TWO
    gate.sessions.views = {
        "o": view("o", "orders"),
        "b": view("b", "billing"),
        "own": view("own", "billing", person="Sam@Example.com"),
    }

    async def see(person, path="/v1/sessions", shape=tuple[SessionView, ...], **options):
        path = path if "params" in options else f"{path}?person={person}"
        return await gate.call("GET", path, shape=shape, **options)

    return see


@pytest.mark.parametrize(
    ("person", "ids"),
    [
        (SAM, {"o", "own"}),
        (IDA, {"b", "own"}),
        (LEE, {"o", "b", "own"}),
        (DANA, {"o", "b"}),
        ("nobody@example.com", set()),
    ],
)
async def test_sessions_are_seen_by_who_answers_who_is_asked_and_operators(seen, person, ids):
    assert {each.id for each in await seen(person)} == ids


async def test_a_session_that_may_not_be_seen_is_not_there(gate, seen):
    assert await gate.refused("GET", f"/v1/sessions/b?person={SAM}", 404) == "not_found"
    assert (await seen(IDA, "/v1/sessions/b", SessionView)).id == "b"


async def test_slack_groups_count_only_through_the_bot(gate, seen):
    gate.house.policy = replace(TWO, rules=(rule("orders", "orders", "oncall"),), operators=())
    assert [each.id for each in await seen("x@example.com&groups=oncall")] == ["o"]
    assert await seen("x@example.com&groups=oncall", credential=OPERATOR) == ()


async def test_whoever_looks_has_to_be_named_by_the_bot(gate, seen):
    for path in ("/v1/home", "/v1/whoami", "/v1/lineages", "/v1/sessions?person="):
        assert await gate.refused("GET", path, 400) == "bad_request"
    assert (await gate.call("GET", "/v1/whoami", credential=OPERATOR, shape=Whoami)).operator


async def test_whoami_names_groups_and_where_one_is_asked(seen):
    assert await seen(IDA, "/v1/whoami", Whoami) == Whoami(
        person=IDA, groups=("idle",), connections=("billing",)
    )
    lee = await seen(LEE, "/v1/whoami", Whoami)
    assert (lee.operator, lee.groups) == (True, ("security",))


async def test_home_has_what_waits_for_a_vote_and_what_one_asked_for(gate, seen):
    lasting = Lasting(what=frozenset(Reach), longest=600.0, commands=5)
    waiting = await gate.house.hold(lasting=lasting)
    mine, other = await seen(SAM, "/v1/home", Home), await seen(DANA, "/v1/home", Home)
    assert [each.id for each in mine.votes] == [waiting.approval.id]
    assert mine.requests == ()
    assert [each.id for each in other.requests] == [waiting.approval.id]
    assert other.votes == (), "nobody of the lineage is asked"
    vote = {
        "person": SAM, "choice": "approve", "seen_version": 1, "reach": "agent", "seconds": 60, "commands": 2,
    }  # fmt: skip
    await gate.client.post(
        f"/v1/approvals/{waiting.approval.id}/votes",
        json=vote,
        headers={"Authorization": "Bearer bot-credential"},
    )
    mine, other = await seen(SAM, "/v1/home", Home), await seen(DANA, "/v1/home", Home)
    assert mine.votes == ()
    assert [each.state for each in other.requests] == ["spent"]
    assert [each.what for each in mine.grants] == [each.what for each in other.grants] == [Reach.AGENT]
    assert (await seen(IDA, "/v1/home", Home)).grants == ()


async def test_the_tree_is_of_what_one_answers_for_and_of_what_is_at_work_where_one_is_asked(gate, seen):
    for token_id, parent, person in (
        ("t1", "", DANA),
        ("t2", "t1", DANA),
        ("t-o", "", DANA),
        ("quiet", "", DANA),
        ("sams", "", SAM),
    ):
        gate.lineages.register(
            Link(
                token_id=token_id,
                parent=parent,
                root_agent="a",
                name=token_id,
                person=person,
                expires_at=9e9,
            )
        )
    await gate.house.hold(lineage_view=LINEAGE_VIEW)
    nodes = await seen(SAM, "/v1/lineages", tuple[LineageNode, ...])
    assert [(each.token_id, each.parent, each.held, each.sessions) for each in nodes] == [
        ("t1", "", 0, 0),
        ("t2", "t1", 1, 0),
        ("t-o", "", 0, 1),
        ("sams", "", 0, 0),
    ]
    assert await seen("nobody@example.com", "/v1/lineages", tuple[LineageNode, ...]) == ()
    everything = await gate.call("GET", "/v1/lineages", credential=OPERATOR, shape=tuple[LineageNode, ...])
    assert len(everything) == 5


async def test_words_are_found_where_one_may_see_with_a_link_to_the_entry(gate, seen):
    recording = gate.recorder.open(session("rec"))
    ask(recording, "c1", "UPDATE orders SET paid = true")
    recording.close("")
    hits = await seen(SAM, "/v1/search", Hits, params={"q": "paid", "person": SAM})
    [hit] = hits.hits
    assert (hit.session, hit.number, hit.connection, hit.person) == ("rec", 2, "orders", DANA)
    assert hit.link.endswith("#e2")
    assert "paid" in hit.text
    assert (await seen(IDA, "/v1/search", Hits, params={"q": "paid", "person": IDA})).hits == ()


@pytest.mark.parametrize("query", ["q=", "q=%20", "q=x&before=1", "q=x&limit=0", "q=" + "x" * 400])
async def test_a_search_that_says_nothing_is_refused(gate, seen, query):
    assert await gate.refused("GET", f"/v1/search?person={SAM}&{query}", 400) == "bad_request"
