"""The operators' verbs: each a process of its own would be, here as `main` in a thread beside a real gateway API."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import sys

import orjson
import pytest
from aiohttp.test_utils import TestServer

from gateway.__main__ import main
from gateway.api.access import operator_credential
from gateway.commands import replay
from gateway.contract import SessionView, State
from gateway.identity.keys import KeyRing
from gateway.identity.links import SlackLinks, SlackUser
from gateway.identity.logins import Proven
from gateway.journal import Journal
from gateway.model import Ask, Lasting, Reach, StepUp
from gateway.recorder import Recorder
from tests.api.conftest import OPERATOR, Api
from tests.approvals.conftest import LINEAGE_VIEW, House, session
from tests.recorder.conftest import ask, finish


class Terminal:
    """Runs verbs and keeps what they print."""

    def __init__(self, capsys, url, state):
        self.capsys = capsys
        self.url = url
        self.state = state

    async def run(self, *words, online=True):
        options = ["--state", str(self.state), *(["--url", self.url] if online else [])]
        code = await asyncio.to_thread(main, [*words, *options])
        out, err = self.capsys.readouterr()
        return code, out, err

    async def told(self, *words, **options):
        code, out, err = await self.run(*words, **options)
        assert code == 0, err
        return out


@pytest.fixture
async def api(tmp_path):
    house = await House(tmp_path / "state").start()
    house.now = 1_700_000_000.0
    api = Api(house, tmp_path / "state")
    async with TestServer(api.application) as server:
        api.url = str(server.make_url(""))
        yield api
    await house.stop()


@pytest.fixture
def terminal(api, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COUNTERSIGN_OPERATOR_TOKEN", OPERATOR)
    monkeypatch.delenv("COUNTERSIGN_PERSON", raising=False)
    return Terminal(capsys, api.url, tmp_path / "state")


async def test_approvals_are_listed_and_shown_with_hostile_text_made_visible(api, terminal):
    waiting = await api.house.hold("UPDATE t\x1b[2J SET x = 1")
    listed = await terminal.told("approvals", "list")
    assert waiting.approval.id in listed
    assert "dana@example.com → release-pipeline → migrator" in listed
    assert "1 of dba" in listed
    shown = await terminal.told("approvals", "show", waiting.approval.id)
    assert "⟦U+001B⟧[2J" in shown
    assert waiting.approval.command.words in shown
    assert "\x1b" not in listed + shown
    (as_json,) = json.loads(await terminal.told("approvals", "list", "--json"))
    assert as_json["id"] == waiting.approval.id
    assert (
        json.loads(await terminal.told("approvals", "show", waiting.approval.id, "--json"))["state"]
        == "pending"
    )
    assert json.loads(await terminal.told("approvals", "list", "denied", "--json")) == []


async def test_an_operator_approves_in_the_name_of_an_eligible_person(api, terminal, monkeypatch):
    waiting = await api.house.hold()
    code, _, err = await terminal.run("approvals", "approve", waiting.approval.id)
    assert (code, "--as name@example.com" in err) == (2, True)
    code, _, err = await terminal.run("approvals", "approve", waiting.approval.id, "--as", "dana@example.com")
    assert (code, "accountable for this command" in err) == (1, True)
    monkeypatch.setenv("COUNTERSIGN_PERSON", "sam@example.com")
    assert "approved and run by sam@example.com" in await terminal.told(
        "approvals", "approve", waiting.approval.id
    )
    assert (await waiting.outcome()).state is State.SPENT
    code, _, err = await terminal.run("approvals", "deny", waiting.approval.id, "--as", "lee@example.com")
    assert code == 1


@pytest.mark.parametrize(("verb", "killed"), [("deny", False), ("kill", True)])
async def test_an_operator_denies_with_a_reason(api, terminal, verb, killed):
    waiting = await api.house.hold()
    out = await terminal.told(
        "approvals",
        verb,
        waiting.approval.id,
        "--as",
        "sam@example.com",
        "--reason",
        "wrong\x1btable",
        "--json",
    )
    assert json.loads(out)["state"] == "denied"
    assert (await waiting.outcome()).reason == "wrong\x1btable"
    assert bool(api.house.killed) is killed


async def test_what_a_card_cannot_show_is_printed_whole_before_it_is_approved(api, terminal, monkeypatch):
    waiting = await api.house.hold("SELECT 'x\u202e'")
    words = waiting.approval.command.words
    approve = ("approvals", "approve", waiting.approval.id, "--as", "sam@example.com")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, _, err = await terminal.run(*approve)
    assert code == 2
    assert "SELECT 'x⟦U+202E⟧'" in err
    assert f"--words {words}" in err
    code, _, _ = await terminal.run(*approve, "--words", "acid-acid-acid-acid")
    assert code == 2
    assert waiting.approval.state is State.PENDING
    await terminal.told(*approve, "--words", words)
    assert (await waiting.outcome()).state is State.SPENT


async def test_at_a_terminal_the_first_word_is_asked_for(api, terminal, monkeypatch):
    waiting = await api.house.hold("SELECT 'x\u202e'")
    first = waiting.approval.command.words.split("-")[0]
    approve = ("approvals", "approve", waiting.approval.id, "--as", "sam@example.com")
    for typed, code in (("no\n", 2), (f"{first}\n", 0)):
        keyboard = io.StringIO(typed)
        keyboard.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", keyboard)
        assert (await terminal.run(*approve))[0] == code


async def test_words_that_belong_to_another_command_approve_nothing(api, terminal):
    waiting = await api.house.hold()
    code, _, _ = await terminal.run(
        "approvals",
        "approve",
        waiting.approval.id,
        "--as",
        "sam@example.com",
        "--words",
        "acid-acid-acid-acid",
    )
    assert code == 2
    assert waiting.approval.state is State.PENDING


def record(api, session_id="s1", **changes):
    recording = api.recorder.open(dataclasses.replace(session(session_id), opened_at=api.house.now))
    ask(recording, text="SELECT '\x1b[2J'", **changes)
    recording.answer("c1", b"row")
    finish(recording)
    return recording


async def test_sessions_are_listed_shown_and_ended(api, terminal):
    recording = record(api, "over")
    recording.close("client left")
    api.sessions.views["live"] = SessionView(
        id="live", connection="orders", protocol="postgres", lineage=LINEAGE_VIEW, client="", opened_at=1.0
    )
    listed = await terminal.told("sessions", "list")
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [["live", "open"], ["over", "over"]]
    assert len(json.loads(await terminal.told("sessions", "list", "--closed", "0", "--json"))) == 1
    shown = await terminal.told("sessions", "show", "over")
    assert "SELECT '⟦U+001B⟧[2J'" in shown
    assert "Session ended: client left" in shown
    as_json = json.loads(await terminal.told("sessions", "show", "over", "--json"))
    assert [entry["kind"] for entry in as_json["entries"]] == ["notice", "command", "answer", "end"]
    assert "was ended" in await terminal.told(
        "sessions", "kill", "live", "--as", "ops@example.com", "--reason", "x"
    )
    assert api.sessions.killed == [("live", "This session was ended by ops@example.com: x.")]
    assert (await terminal.run("sessions", "show", "none"))[0] == 1


async def test_without_a_gateway_or_a_credential_the_verbs_say_what_to_do(api, terminal, monkeypatch):
    terminal.url = "http://127.0.0.1:1"
    code, _, err = await terminal.run("sessions", "list")
    assert (code, "countersign serve" in err) == (2, True)
    terminal.url = "http://gate.example.com"
    code, _, err = await terminal.run("sessions", "list")
    assert (code, "use https" in err) == (2, True)
    terminal.url = api.url
    monkeypatch.setenv("COUNTERSIGN_OPERATOR_TOKEN", "")
    code, _, err = await terminal.run("sessions", "list")
    assert (code, "COUNTERSIGN_OPERATOR_TOKEN" in err) == (2, True)
    operator_credential(terminal.state)
    code, _, err = await terminal.run("sessions", "list")
    assert (code, "credential" in err) == (1, True)


@pytest.fixture
def kept(tmp_path, capsys):
    """A state directory as a gateway leaves it, with one recording."""
    state = tmp_path / "kept"
    state.mkdir()
    keys = KeyRing.open(state / "keys")
    now = 1_700_000_000.0
    recorder = Recorder(
        state / "recordings", clock=lambda: now, sign=keys.sign_bytes, key_id=lambda: keys.key_id
    )
    recording = recorder.open(session("s1"))
    ask(recording, text="SELECT 1")
    finish(recording)
    recording.close("over")

    async def journal():
        journal = Journal(state / "journal", clock=lambda: now)
        await journal.append("policy", {"from": "a", "to": "b"})
        await journal.close()

    asyncio.run(journal())
    (state / "jwks.json").write_bytes(orjson.dumps(keys.jwks()))
    return state, recording.path


def run(capsys, *words):
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_whole_recording_verifies_by_its_file_alone_by_its_session_and_by_given_keys(
    kept, capsys, tmp_path
):
    state, path = kept
    for words in (
        ("verify", path),
        ("verify", "s1", "--state", state),
        ("verify", path, "--keys", state / "jwks.json"),
    ):
        code, out, err = run(capsys, *words)
        assert (code, err) == (0, "")
        assert f"{path}: 5 records hold, sealed by key" in out
    code, out, _ = run(capsys, "verify", path, "--json")
    assert json.loads(out)["standing"] == "whole"
    code, out, _ = run(capsys, "verify", "--all", "--state", state)
    assert code == 0
    assert "2 records hold" in out


def test_nothing_to_verify_is_not_that_all_holds(tmp_path, capsys):
    for state in (tmp_path, tmp_path / "none"):
        code, out, err = run(capsys, "verify", "--all", "--state", state)
        assert (code, out) == (2, "")
        assert "--state" in err


def test_the_first_record_that_does_not_hold_is_named(kept, capsys):
    state, path = kept
    path.write_bytes(path.read_bytes().replace(b"SELECT 1", b"SELECT 2", 1))
    code, out, _ = run(capsys, "verify", path)
    assert code == 1
    assert "record 2 does not hold" in out
    code, out, _ = run(capsys, "verify", path, "--json")
    assert (code, json.loads(out)["record"]) == (1, 2)
    assert run(capsys, "replay", path, "--no-wait")[0] == 1
    journal = state / "journal" / "000001.journal"
    journal.write_bytes(journal.read_bytes().replace(b'"to":"b"', b'"to":"c"') + b"{}\n")
    code, out, _ = run(capsys, "verify", "--all", "--json", "--state", state)
    assert code == 1
    assert not json.loads(out.splitlines()[-1])["holds"]


def test_a_recording_without_its_end_is_open_or_cut(kept, capsys):
    _, path = kept
    path.write_bytes(path.read_bytes()[:-5])
    code, out, _ = run(capsys, "verify", path)
    assert (code, "open or cut: 4 records hold" in out) == (1, True)


def test_a_seal_that_cannot_be_checked_does_not_pass(kept, capsys, tmp_path):
    _, path = kept
    elsewhere = tmp_path / "copy" / "x" / "y" / "s1.rec"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(path.read_bytes())
    code, out, _ = run(capsys, "verify", elsewhere, "--state", tmp_path / "nothing")
    assert code == 1
    assert "not among the gateway's keys" in out


def test_nothing_to_verify_is_a_usage_error(kept, capsys, tmp_path):
    state, path = kept
    assert run(capsys, "verify")[0] == 2
    assert run(capsys, "verify", "none", "--state", state)[0] == 2
    (tmp_path / "bad.json").write_text("[]")
    assert run(capsys, "verify", path, "--keys", tmp_path / "bad.json")[0] == 2
    assert run(capsys, "replay", "none", "--state", state)[0] == 2


def test_a_replay_prints_what_happened(kept, capsys):
    state, path = kept
    code, out, _ = run(capsys, "replay", "s1", "--no-wait", "--state", state)
    assert code == 0
    assert [line.split("  ")[1].split(" ")[0] for line in out.splitlines()] == [
        "notice",
        "command",
        "answer",
        "end",
    ]
    code, out, _ = run(capsys, "replay", path, "--json")
    assert [json.loads(line)["number"] for line in out.splitlines()] == [1, 2, 3, 4]


def test_a_replay_keeps_the_rhythm_at_the_speed_asked_for(tmp_path, capsys):
    times = iter([0.0, 1.0, 1.5, 100.0, 101.0, 102.0, 103.0])
    recorder = Recorder(tmp_path, clock=lambda: next(times), sign=lambda data: b"", key_id=lambda: "k")
    recording = recorder.open(session("s1"))
    ask(recording)
    finish(recording)
    recording.noted("later")
    recording.close("over")
    pauses = []
    replay.play(recording.path, speed=2.0, as_json=False, sleep=pauses.append)
    assert pauses == [0.5, 0.25, replay.LONGEST_PAUSE, 0.5]


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "x"])
def test_a_speed_has_to_be_one(kept, capsys, speed):
    with pytest.raises(SystemExit):
        main(["replay", "s1", "--speed", speed])
    assert "is no speed" in capsys.readouterr().err


async def test_an_operator_approves_for_a_while(api, terminal):
    lasting = Lasting(what=frozenset({Reach.AGENT}), longest=600.0, commands=5)
    waiting = await api.house.hold(lasting=lasting)
    assert "agent; at most 10m" in await terminal.told("approvals", "show", waiting.approval.id)
    approve = ("approvals", "approve", waiting.approval.id, "--as", "sam@example.com", "--reach", "agent")
    code, _, err = await terminal.run(*approve, "--for", "1h")
    assert (code != 0, "10 minutes at most" in err) == (True, True)
    await terminal.told(*approve, "--for", "5m", "--commands", "3")
    [vote] = (await waiting.outcome()).votes
    assert (vote.reach, vote.seconds, vote.commands) == (Reach.AGENT, 300.0, 3)


async def test_a_yes_that_needs_a_fresh_login_is_told_where_to_log_in(api, terminal):
    asks = (Ask(rule="writes", approvers="dba", step_up=StepUp(max_age=300)),)
    waiting = await api.house.hold(asks=asks)
    code, _, err = await terminal.run("approvals", "approve", waiting.approval.id, "--as", "sam@example.com")
    assert (code, "needs a fresh login" in err, "https://countersign.example.com/gate/login/" in err) == (
        1,
        True,
        True,
    )
    await terminal.told("approvals", "deny", waiting.approval.id, "--as", "sam@example.com")


async def test_links_are_listed_and_ended(terminal, api):
    links = SlackLinks(
        api.house.store, api.house.journal, policy=lambda: api.house.policy, clock=api.house.clock
    )
    user = SlackUser(id="U0DANA", team="T1", name="Dana")
    shown = Proven(person="dana@example.com", groups=frozenset(), provider="corp", at=api.house.now)
    await links.tie(user, shown)
    api.house.policy = dataclasses.replace(
        api.house.policy, slack=dataclasses.replace(api.house.policy.slack, link_lasts=60.0)
    )
    out = await terminal.told("links", "list")
    assert "U0DANA" in out
    assert "dana@example.com" in out
    (view,) = json.loads(await terminal.told("links", "list", "--json"))
    assert (view["person"], view["ends_at"], view["over"]) == ("dana@example.com", view["at"] + 60, False)
    api.house.now += 60
    assert "over" in await terminal.told("links", "list")
    assert "not linked to dana@example.com any more" in await terminal.told("links", "remove", "U0DANA")
    code, out, err = await terminal.run("links", "remove", "U0DANA")
    assert (code, out) == (1, "")
    assert "not linked" in err
    assert json.loads(await terminal.told("links", "list", "--json")) == []
