from __future__ import annotations

import asyncio
import stat
from dataclasses import replace

import pytest

from gateway.api import app as api
from gateway.api.access import Credentials, may_stop
from gateway.contract import (
    Approval,
    Changes,
    Choice,
    Directory,
    Note,
    Refusal,
    RevokeRequest,
    SessionView,
    State,
    Subtree,
    Transcript,
    VoteRequest,
    WholeText,
    decode,
    encode,
)
from gateway.identity.lineages import Link
from gateway.policy.model import Holding
from tests.approvals.conftest import LINEAGE_VIEW, session

from .conftest import BOT, OPERATOR, POLICY


def vote_body(person="sam@example.com", choice=Choice.APPROVE, seen=1, **changes):
    return VoteRequest(person=person, choice=choice, seen_version=seen, **changes)


PATHS = [
    ("GET", "/v1/changes"),
    ("GET", "/v1/approvals"),
    ("GET", "/v1/approvals/x"),
    ("GET", "/v1/approvals/x/text"),
    ("GET", "/v1/approvals/x/twins"),
    ("POST", "/v1/approvals/x/votes"),
    ("GET", "/v1/sessions"),
    ("GET", "/v1/sessions/x"),
    ("GET", "/v1/sessions/x/transcript"),
    ("POST", "/v1/sessions/x/kill"),
    ("GET", "/v1/lineages/x"),
    ("GET", "/v1/lineages"),
    ("GET", "/v1/home"),
    ("GET", "/v1/search"),
    ("GET", "/v1/whoami"),
    ("POST", "/v1/lineages/x/revoke"),
    ("GET", "/v1/directory"),
    ("GET", "/v1/notes/x"),
    ("PUT", "/v1/notes/x"),
    ("DELETE", "/v1/notes/x"),
    ("GET", "/v1/links"),
    ("POST", "/v1/links"),
    ("GET", "/v1/links/x"),
    ("POST", "/v1/links/x/end"),
    ("GET", "/metrics"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_nothing_is_told_without_a_credential(gate, method, path):
    for header in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {BOT}"},
        {"Authorization": BOT},
    ):
        async with gate.client.request(method, path, headers=header) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert decode(await answer.read(), Refusal).error == "unauthorized"


OPEN = {("GET", "/healthz"), ("GET", "/own"), ("GET", "/replay/{}")}


async def test_every_route_of_ours_is_guarded_or_meant_to_be_open(gate):
    known = {(method, path.replace("/x", "/{}")) for method, path in PATHS}
    for route in gate.application.router.routes():
        path = route.resource.canonical.replace("{id}", "{}").replace("{key}", "{}")
        if route.method != "HEAD":
            assert (route.method, path) in known | OPEN


@pytest.mark.parametrize(
    ("method", "path", "credential"),
    [("GET", "/metrics", BOT), ("GET", "/v1/notes/x", OPERATOR), ("PUT", "/v1/notes/x", OPERATOR)],
)
async def test_each_credential_is_good_for_its_own_only(gate, method, path, credential):
    assert await gate.refused(method, path, 403, credential=credential) == "unauthorized"


@pytest.mark.parametrize(("bot", "operator"), [("", "x"), ("x", ""), ("same", "same")])
def test_the_two_credentials_have_to_be_two(bot, operator):
    with pytest.raises(ValueError, match="two different ones"):
        Credentials(bot=bot, operator=operator)


async def test_a_vote_releases_and_its_refusals_say_why(gate):
    waiting = await gate.house.hold()
    path = f"/v1/approvals/{waiting.approval.id}"
    assert (await gate.call("GET", path, shape=Approval)).state is State.PENDING
    votes = f"{path}/votes"
    assert await gate.refused("POST", votes, 403, body=vote_body("dana@example.com")) == "not_eligible"
    assert await gate.refused("POST", votes, 403, body=vote_body("lee@example.com")) == "not_eligible"
    assert await gate.refused("POST", votes, 409, body=vote_body(seen=0)) == "stale"
    assert await gate.refused("POST", "/v1/approvals/none/votes", 404, body=vote_body()) == "not_found"
    approved = await gate.call("POST", votes, body=vote_body(), shape=Approval)
    assert (approved.state, approved.votes[0].through) == (State.SPENT, "slack")
    assert (await waiting.outcome()).state is State.SPENT
    assert await gate.refused("POST", votes, 409, body=vote_body(choice=Choice.DENY)) == "already_settled"
    assert (await gate.call("POST", votes, body=vote_body(), shape=Approval)).version == approved.version


async def test_a_long_command_is_opened_before_it_is_approved(gate):
    waiting = await gate.house.hold("SELECT " + "x" * 4_000)
    path = f"/v1/approvals/{waiting.approval.id}"
    assert await gate.refused("POST", f"{path}/votes", 403, body=vote_body()) == "review_first"
    assert await gate.refused("GET", f"{path}/text?person=lee@example.com", 403) == "not_eligible"
    whole = await gate.call("GET", f"{path}/text?person=sam@example.com", shape=WholeText)
    assert len(whole.text) == 4_007
    approved = await gate.call("POST", f"{path}/votes", body=vote_body(opened=whole.opened), shape=Approval)
    assert approved.state is State.SPENT
    assert await gate.refused("GET", f"{path}/text?person=sam@example.com", 409) == "already_settled"


async def test_only_the_bot_vouches_for_groups_of_slack(gate):
    waiting = await gate.house.hold(asks=(replace(gate_ask(), approvers="oncall"),))
    votes = f"/v1/approvals/{waiting.approval.id}/votes"
    body = vote_body("kay@example.com", groups=("oncall",))
    assert await gate.refused("POST", votes, 403, body=body, credential=OPERATOR) == "not_eligible"
    assert (await gate.call("POST", votes, body=body, shape=Approval)).state is State.SPENT


def gate_ask():
    from gateway.model import Ask

    return Ask(rule="writes", approvers="dba")


async def test_an_operator_votes_as_an_eligible_person_through_the_terminal(gate):
    waiting = await gate.house.hold()
    votes = f"/v1/approvals/{waiting.approval.id}/votes"
    assert (
        await gate.refused("POST", votes, 403, body=vote_body("x@example.com"), credential=OPERATOR)
        == "not_eligible"
    )
    voted = await gate.call("POST", votes, body=vote_body(), credential=OPERATOR, shape=Approval)
    assert voted.votes[0].through == "cli"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"person": 3}',
        b'{"person":"a","choice":"maybe","seen_version":1}',
        b"\xff\xfe",
        b"null",
        encode(vote_body(reason="x" * 1_001)),
        encode(vote_body(groups=("g",) * 201)),
    ],
)
async def test_a_body_that_does_not_fit_is_a_bad_request(gate, body):
    waiting = await gate.house.hold()
    assert (
        await gate.refused("POST", f"/v1/approvals/{waiting.approval.id}/votes", 400, body=body)
        == "bad_request"
    )
    assert waiting.approval.votes == ()


async def test_a_body_that_is_too_large_is_not_read(gate):
    assert await gate.refused("POST", "/v1/approvals/x/votes", 413, body=b"x" * 100_000) == "bad_request"


async def test_unknown_paths_and_methods_are_refused_in_the_same_form(gate):
    assert await gate.refused("GET", "/v1/nothing", 404) == "not_found"
    assert await gate.refused("PATCH", "/v1/approvals", 405) == "bad_request"


async def test_approvals_are_listed_by_state(gate):
    first, second = await gate.house.hold("1"), await gate.house.hold("2")
    await gate.call("POST", f"/v1/approvals/{first.approval.id}/votes", body=vote_body())

    async def ids(query):
        return [
            each.id for each in await gate.call("GET", f"/v1/approvals{query}", shape=tuple[Approval, ...])
        ]

    assert await ids("") == await ids("?state=pending") == [second.approval.id]
    assert await ids("?state=spent") == [first.approval.id]
    assert await ids("?state=all") == [first.approval.id, second.approval.id]
    assert await gate.refused("GET", "/v1/approvals?state=odd", 400) == "bad_request"


async def test_a_long_poll_wakes_at_once(gate):
    start = await gate.call("GET", "/v1/changes?after=0&wait=20", shape=Changes)
    poll = asyncio.create_task(gate.call("GET", f"/v1/changes?after={start.next}&wait=20", shape=Changes))
    await asyncio.sleep(0.05)
    assert not poll.done()
    waiting = await gate.house.hold()
    async with asyncio.timeout(60):
        changes = await poll
    assert [change.approval.id for change in changes.changes] == [waiting.approval.id]
    assert changes.next == start.next + 1


async def test_a_long_poll_ends_with_nothing_when_its_time_is_over_and_when_the_gateway_stops(gate):
    start = await gate.call("GET", "/v1/changes?after=0", shape=Changes)
    nothing = await gate.call("GET", f"/v1/changes?after={start.next}&wait=0.05", shape=Changes)
    assert (nothing.next, nothing.changes) == (start.next, ())
    poll = asyncio.create_task(gate.call("GET", f"/v1/changes?after={start.next}&wait=20", shape=Changes))
    await asyncio.sleep(0.05)
    gate.house.feed.stop()
    async with asyncio.timeout(60):
        assert (await poll).changes == ()


@pytest.mark.parametrize("query", ["after=-1", "after=x", "wait=x", "after=1e3"])
async def test_a_poll_that_makes_no_sense_is_refused(gate, query):
    assert await gate.refused("GET", f"/v1/changes?{query}", 400) == "bad_request"


async def test_who_starts_afresh_is_told_the_end_of_what_it_had_begun(gate):
    noted, unnoted = await gate.house.hold("1"), await gate.house.hold("2")
    key = f"card:{noted.approval.id}"
    await gate.call("PUT", f"/v1/notes/{key}", body=Note(version=0, data={}), headers={"If-Match": "0"})
    for waiting in (noted, unnoted):
        await gate.call("POST", f"/v1/approvals/{waiting.approval.id}/votes", body=vote_body())
    changes = await gate.call("GET", "/v1/changes?after=0", shape=Changes)
    assert [change.approval.id for change in changes.changes] == [noted.approval.id]


async def test_notes_are_compared_and_set(gate):
    path = "/v1/notes/card:a1"
    assert await gate.refused("GET", path, 404) == "not_found"
    first = Note(version=0, data={"ts": "1.2"})
    assert await gate.refused("PUT", path, 400, body=first) == "bad_request"
    assert await gate.refused("PUT", path, 412, body=first, headers={"If-Match": "1"}) == "conflict"
    written = await gate.call("PUT", path, body=first, headers={"If-Match": "0"}, shape=Note)
    assert written == Note(version=1, data={"ts": "1.2"})
    assert await gate.refused("PUT", path, 412, body=first, headers={"If-Match": "0"}) == "conflict"
    await gate.call(
        "PUT", path, body=Note(version=1, data={"ts": "3"}), headers={"If-Match": '"1"'}, shape=Note
    )
    assert await gate.call("GET", path, shape=Note) == Note(version=2, data={"ts": "3"})
    assert await gate.refused("DELETE", path, 412, headers={"If-Match": "1"}) == "conflict"
    async with gate.client.delete(
        path, headers={"Authorization": f"Bearer {BOT}", "If-Match": "2"}
    ) as answer:
        assert answer.status == 204
    assert await gate.refused("GET", path, 404) == "not_found"


async def test_of_many_writers_one_wins(gate):
    async def write(number):
        body = Note(version=0, data={"n": number})
        headers = {"Authorization": f"Bearer {BOT}", "If-Match": "0"}
        async with gate.client.put("/v1/notes/race", data=encode(body), headers=headers) as answer:
            return answer.status

    assert sorted(await asyncio.gather(*map(write, range(8)))) == [200] + [412] * 7


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("a b", Note(version=0, data={})),
        ("x" * 129, Note(version=0, data={})),
        ("a", Note(version=0, data={"x": "y" * 20_000})),
    ],
)
async def test_notes_have_limits(gate, key, body):
    assert (
        await gate.refused("PUT", f"/v1/notes/{key}", 400, body=body, headers={"If-Match": "0"})
        == "bad_request"
    )


async def test_notes_that_nobody_touches_are_forgotten(gate, monkeypatch):
    async def put(key):
        await gate.call("PUT", f"/v1/notes/{key}", body=Note(version=0, data={}), headers={"If-Match": "0"})

    await put("old")
    gate.house.now += 31 * 86_400
    await put("new")
    assert set(gate.house.store.all("notes")) == {"new"}
    monkeypatch.setattr("gateway.api.notes.NOTES", 2)
    gate.house.now += 1
    await put("newer")
    gate.house.now += 1
    await put("newest")
    assert set(gate.house.store.all("notes")) == {"newer", "newest"}


def open_session(gate, session_id="s1"):
    view = SessionView(
        id=session_id,
        connection="orders",
        protocol="postgres",
        lineage=LINEAGE_VIEW,
        client="127.0.0.1:1",
        opened_at=gate.house.now,
    )
    gate.sessions.views[session_id] = view
    return view


async def test_sessions_are_listed_shown_and_read_while_open_and_afterwards(gate):
    recording = gate.recorder.open(replace(session("s1"), opened_at=gate.house.now))
    view = open_session(gate)
    assert await gate.call("GET", "/v1/sessions", shape=tuple[SessionView, ...]) == (view,)
    page = await gate.call("GET", "/v1/sessions/s1/transcript", shape=Transcript)
    assert [entry.kind for entry in page.entries] == ["notice"]
    assert page.next == 1
    recording.noted("half-time")
    recording.close("over")
    gate.sessions.views.clear()
    page = await gate.call("GET", f"/v1/sessions/s1/transcript?after={page.next}&limit=1", shape=Transcript)
    assert [(entry.number, entry.text) for entry in page.entries] == [(2, "half-time")]
    assert (await gate.call("GET", "/v1/sessions/s1", shape=SessionView)).close_reason == "over"
    assert await gate.call("GET", "/v1/sessions", shape=tuple[SessionView, ...]) == ()
    (closed,) = await gate.call("GET", "/v1/sessions?closed=5", shape=tuple[SessionView, ...])
    assert closed.id == "s1"
    shown = await gate.call("GET", "/v1/sessions/s1", shape=SessionView)
    page = await gate.call("GET", "/v1/sessions/s1/transcript", shape=Transcript)
    assert closed.link == shown.link == page.session.link == gate.links.link("s1")
    for path in (
        "/v1/sessions/none",
        "/v1/sessions/none/transcript",
        "/v1/sessions/..%2f..%2fetc/transcript",
    ):
        assert await gate.refused("GET", path, 404) == "not_found"


@pytest.mark.parametrize(
    ("person", "groups", "may"),
    [
        ("lee@example.com", (), True),  # an operator
        ("sam@example.com", (), True),  # an approver of a rule
        ("dana@example.com", (), True),  # who answers for it
        ("kay@example.com", ("oncall",), True),  # an operator by Slack
        ("kay@example.com", ("security",), False),  # not tied to Slack
        ("ida@example.com", (), False),
        ("migrator", (), False),
    ],
)
async def test_who_may_end_a_session_and_revoke_a_token(gate, person, groups, may):
    open_session(gate)
    token(gate, "t1")
    body = RevokeRequest(person=person, reason="stop", groups=groups)
    for path in ("/v1/sessions/s1/kill", "/v1/lineages/t1/revoke"):
        if may:
            await gate.call("POST", path, body=body)
        else:
            assert await gate.refused("POST", path, 403, body=body) == "not_eligible"
    assert bool(gate.sessions.killed) is gate.lineages.revoked(["t1"]) is may


def test_where_the_default_asks_anybody_any_member_may_stop():
    policy = replace(POLICY, default=Holding())
    assert may_stop(policy, "ida@example.com", (), accountable="")
    assert not may_stop(policy, "nobody@example.com", (), accountable="")
    assert not may_stop(policy, "", (), accountable="")


async def test_operators_may_stop_anything_but_have_to_say_who_they_are(gate):
    open_session(gate)
    body = RevokeRequest(person="ops@example.com", reason="runaway")
    await gate.call("POST", "/v1/sessions/s1/kill", body=body, credential=OPERATOR)
    assert gate.sessions.killed == [("s1", "This session was ended by ops@example.com: runaway.")]
    nobody = RevokeRequest(person=" ")
    assert (
        await gate.refused("POST", "/v1/sessions/s1/kill", 400, body=nobody, credential=OPERATOR)
        == "bad_request"
    )
    assert await gate.refused("POST", "/v1/sessions/none/kill", 404, body=body) == "not_found"
    assert await gate.refused("POST", "/v1/lineages/none/revoke", 404, body=body) == "not_found"


def token(gate, token_id, parent="", name="release-pipeline"):
    gate.lineages.register(
        Link(
            token_id=token_id,
            parent=parent,
            root_agent="release-pipeline",
            name=name,
            person="dana@example.com",
            expires_at=1e12,
        )
    )


async def test_a_lineage_says_what_revoking_it_would_stop_and_revoking_stops_it_durably(gate):
    token(gate, "t1")
    token(gate, "t2", "t1", "migrator")
    open_session(gate)
    await gate.house.hold()
    shown = await gate.call("GET", "/v1/lineages/t1", shape=Subtree)
    assert shown == Subtree(
        token_id="t1",
        name="release-pipeline",
        agents=("release-pipeline", "migrator"),
        sessions=("s1",),
        held=1,
    )
    body = RevokeRequest(person="lee@example.com", reason="stop")
    answer = await gate.call("POST", "/v1/lineages/t1/revoke", body=body, shape=dict)
    assert answer == {"revoked": ["t1", "t2"], "sessions": ["s1"]}
    assert b'"revoked_by":"lee@example.com"' in (gate.house.directory / "live.json").read_bytes()
    assert (await gate.call("GET", "/v1/lineages/t2", shape=Subtree)).revoked
    assert await gate.refused("GET", "/v1/lineages/t9", 404) == "not_found"


async def test_the_directory_is_the_policys(gate):
    directory = await gate.call("GET", "/v1/directory", shape=Directory)
    assert directory.people == {"U1": "sam@example.com"}
    assert directory.groups["oncall"].slack == "@oncall"
    assert (directory.approvals_channel, directory.audit_channel) == ("#approvals", "#audit")


async def test_health_is_open_and_says_when_decisions_cannot_be_kept(gate, monkeypatch):
    async with gate.client.get("/healthz") as answer:
        assert (answer.status, (await answer.json())["ready"]) == (200, True)

    def full(self):
        raise OSError(28, "No space left on device")

    waiting = await gate.house.hold()
    monkeypatch.setattr("gateway.store.atomic.AtomicStorage.flush", full)
    refusal = await gate.call(
        "POST", f"/v1/approvals/{waiting.approval.id}/votes", body=vote_body(), status=503
    )
    assert refusal.error == "unavailable"
    async with gate.client.get("/healthz") as answer:
        assert (answer.status, (await answer.json())["store"]) == (503, False)
    monkeypatch.undo()
    gate.house.store._failure = ""


async def test_metrics_count_what_happens(gate):
    waiting = await gate.house.hold()
    gate.meters.judged["hold"] += 1
    gate.meters.session_opened()
    assert b"countersign_approvals_open 1.0" in await gate.call("GET", "/metrics", credential=OPERATOR)
    await gate.call("POST", f"/v1/approvals/{waiting.approval.id}/votes", body=vote_body())
    text = await gate.call("GET", "/metrics", credential=OPERATOR)
    for line in (
        b'countersign_commands_total{verdict="hold"} 1.0',
        b"countersign_sessions 1.0",
        b'countersign_approvals_total{state="spent"} 1.0',
        b"countersign_hold_seconds_count 1.0",
        b"countersign_approvals_open 0.0",
    ):
        assert line in text


async def test_routes_that_are_passed_in_are_served(gate):
    async with gate.client.get("/own") as answer:
        assert await answer.text() == "own"


def test_the_operators_credential_is_made_once_and_is_theirs_alone(tmp_path):
    first = api.operator_credential(tmp_path / "state")
    path = tmp_path / "state" / "operator.token"
    assert len(first) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert api.operator_credential(tmp_path / "state") == first
    path.write_text("")
    assert api.operator_credential(tmp_path / "state") not in {"", first}
