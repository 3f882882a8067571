"""The gateway is killed between every two steps of a hold, a vote and a settlement; then it is started again.

The points are in the disguises below, not in the product: each run counts them and dies at one of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import traceback

import pytest

from gateway.contract import Choice, State, VoteRequest
from gateway.journal import Journal
from gateway.model import Ask, Lasting, Reach
from gateway.recorder.chain import write_all
from gateway.store.atomic import AtomicStorage

from .conftest import House

FOR_A_WHILE = Lasting(what=frozenset(Reach), longest=60.0, commands=5)
QUORUM_OF_TWO = (Ask(rule="writes", approvers="dba", quorum=2),)


class Deadly:
    """Counts the points that are passed and dies at one of them."""

    def __init__(self, at):
        self.at = at
        self.passed = 0

    def point(self):
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class Ledger:
    """What the world outside saw, kept by a disk of its own."""

    def __init__(self, path):
        self.path = path

    def write(self, *words):
        with self.path.open("a") as file:
            file.write(" ".join(words) + "\n")

    def read(self):
        return (
            [tuple(line.split()) for line in self.path.read_text().splitlines()] if self.path.exists() else []
        )


def disguise(monkeypatch, deadly):
    flush = AtomicStorage.flush

    def deadly_flush(self):
        deadly.point()
        flush(self)
        deadly.point()

    def deadly_write(self, data):
        deadly.point()
        write_all(self._descriptor, data[: len(data) // 2])
        deadly.point()
        write_all(self._descriptor, data[len(data) // 2 :])
        deadly.point()
        os.fsync(self._descriptor)
        deadly.point()

    monkeypatch.setattr(AtomicStorage, "flush", deadly_flush)
    monkeypatch.setattr(Journal, "_write", deadly_write)


async def story(directory, ledger, deadly):
    """Holds, votes, departures and returns, each of them told to the ledger once the gateway has answered."""
    house = House(directory)

    async def kill(approval):
        deadly.point()
        ledger.write("killed", approval.id)
        deadly.point()

    house.approvals._kept._on_kill = kill
    publish = house.feed.publish

    def deadly_publish(**change):
        deadly.point()
        publish(**change)
        deadly.point()

    house.feed.publish = deadly_publish
    await house.start()

    async def client(text, **changes):
        waiting = await house.hold(text, **changes)
        ledger.write("held", waiting.approval.id, text)
        outcome = await waiting.outcome()
        deadly.point()
        if outcome.state is State.SPENT:
            ledger.write("ran", outcome.id, text)
        return outcome

    async def vote(text, person, choice=Choice.APPROVE, **reach):
        (approval,) = (each for each in house.approvals.open() if each.command.text == text)
        request = VoteRequest(person=person, choice=choice, seen_version=approval.version, **reach)
        await house.approvals.vote(approval.id, request, through="slack")
        ledger.write("acknowledged", approval.id, person, choice.value)

    async def held(text, count):
        while sum(words[0] == "held" and words[2] == text for words in ledger.read()) < count:
            await asyncio.sleep(0.001)

    clients = [
        asyncio.create_task(client("approve")),
        asyncio.create_task(client("deny")),
        asyncio.create_task(client("kill")),
        asyncio.create_task(client("twins")),
        asyncio.create_task(client("twins", session_id="s2")),
        asyncio.create_task(client("quorum", asks=QUORUM_OF_TWO)),
        asyncio.create_task(client("while", lasting=FOR_A_WHILE, shape="while")),
        asyncio.create_task(client("meanwhile", lasting=FOR_A_WHILE, shape="while")),
    ]
    await held("twins", 2)
    for text in ("approve", "deny", "kill", "quorum", "while", "meanwhile"):
        await held(text, 1)
    await vote("quorum", "sam@example.com")
    await vote("approve", "sam@example.com")
    await vote("deny", "kim@example.com", Choice.DENY)
    await vote("kill", "kim@example.com", Choice.KILL)
    await vote("twins", "sam@example.com")
    await vote("quorum", "kim@example.com")
    await vote("while", "sam@example.com", reach=Reach.SHAPE, seconds=60.0, commands=5)
    waiting = await house.hold("later")
    waiting.leave(withdraw=False)
    await vote("later", "sam@example.com")
    await client("later")
    await asyncio.gather(*clients)
    await house.stop()


def live_and_die(directory, ledger, at, monkeypatch):
    """One life in a process of its own; the points it passed, or None where it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            deadly = Deadly(at)
            disguise(monkeypatch, deadly)
            asyncio.run(story(directory, ledger, deadly))
            os.write(write, str(deadly.passed).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        passed = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    assert os.WEXITSTATUS(status) == 0
    return int(passed)


async def check(directory, ledger):
    """The gateway is started again: nothing that was acknowledged is lost, and nothing can happen twice."""
    seen = ledger.read()
    house = await House(directory).start()
    settled = [record.fields["approval"] for record in house.journal.recent() if record.kind == "approval"]
    assert len({each["id"] for each in settled}) == len(settled), "settled twice"
    known = {each.id: each for each in [*house.approvals.open(), *house.approvals.settled()]}

    for _, approval_id, person, choice in (words for words in seen if words[0] == "acknowledged"):
        votes = [(each.person, each.choice.value) for each in known[approval_id].votes]
        assert votes.count((person, choice)) == 1, "an acknowledged vote was lost or doubled"
    for _, approval_id, _ in (words for words in seen if words[0] == "ran"):
        assert known[approval_id].state is State.SPENT, "it ran, and is not known to be spent"
    for _, approval_id, _ in (words for words in seen if words[0] == "held"):
        assert approval_id in known, "a held command was forgotten"
    for approval_id in house.killed:
        ledger.write("killed", approval_id)
    killed = {words[1] for words in ledger.read() if words[0] == "killed"}
    for approval in known.values():
        if any(each.choice is Choice.KILL for each in approval.votes):
            assert approval.id in killed, "a kill was forgotten"
    assert {document["approval"]["id"] for document in house.store.all("approvals").values()} == {
        each.id for each in house.approvals.open()
    }, "something settled is still in the store"

    grants = {each.id: each for each in house.grants.all()}
    for approval in known.values():
        reaching = approval.state is State.SPENT and any(each.reach for each in approval.votes)
        assert (approval.id in grants) == reaching, "a grant without its votes, or votes without their grant"
        if approval.grant and approval.grant != approval.id:
            assert known[approval.grant].state is State.SPENT, "released under what nobody agreed to"
    for words in (each for each in seen if each[0] == "ran" and each[2] == "meanwhile"):
        assert known[words[1]].grant in grants

    # Every client comes back for what it wanted. What ran may only run again by a new approval.
    for text, asks in (("approve", None), ("twins", None), ("later", None), ("quorum", QUORUM_OF_TWO)):
        again = await house.hold(text, **({"asks": asks} if asks else {}))
        before = [each for each in known.values() if each.command.text == text]
        if again.approval.state is State.SPENT:
            assert [each.state for each in before if each.id == again.approval.id] == [State.APPROVED]
            assert not any(words[:2] == ("ran", again.approval.id) for words in seen)
        elif again.approval.id in known:
            assert known[again.approval.id].state is State.PENDING
    await house.stop()


def test_killed_between_any_two_steps_no_decision_is_lost_or_doubled(tmp_path, monkeypatch):
    whole = Ledger(tmp_path / "whole")
    (tmp_path / "life").mkdir()
    points = live_and_die(tmp_path / "life", whole, 0, monkeypatch)
    assert {words[2] for words in whole.read() if words[0] == "ran"} == {
        "approve",
        "twins",
        "later",
        "quorum",
        "while",
        "meanwhile",
    }
    asyncio.run(check(tmp_path / "life", whole))
    assert points > 60
    killed = 0
    for at in range(1, points + 1):
        directory = tmp_path / str(at)
        ledger = Ledger(tmp_path / f"{at}.ledger")
        killed += live_and_die(directory, ledger, at, monkeypatch) is None
        asyncio.run(check(directory, ledger))
    # The order of group commits varies a little, so the last point or two may not come in every life.
    assert killed >= points - 8


@pytest.mark.parametrize("seed", range(2))
def test_killed_again_while_it_recovers_it_still_recovers(tmp_path, monkeypatch, seed):
    ledger = Ledger(tmp_path / "ledger")
    directory = tmp_path / "life"
    for at in (45 + seed, 3, 2, 1, 4, 5):
        live_and_die(directory, ledger, at, monkeypatch)
        asyncio.run(check(directory, ledger))
