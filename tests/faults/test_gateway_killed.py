"""kill -9 of the gateway at each step of a hold: no acknowledged decision is lost, and none counts twice."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import secrets

import asyncpg
import pytest

from bot.card_ids import APPROVE
from bot.workspace.client import WorkspaceClient, actions_of, text_of
from gateway.contract import State
from tests.faults.stand import APPROVALS, AUDIT, WITHIN, Stand, increment, thread_lines, until
from tests.live import house

HUNG_UP = (asyncpg.PostgresConnectionError, ConnectionError, OSError)
MANY = 30


@pytest.fixture(autouse=True)
async def bot(stand: Stand, people: WorkspaceClient) -> None:
    """One bot for the whole file: it has to outlive every death of its gateway."""
    if not (await people.state())["app"]["connections"]:
        await stand.start_bot(people)


async def gone(client: asyncio.Task[str]) -> None:
    """Its connection died with the gateway."""
    with pytest.raises(HUNG_UP):
        await asyncio.wait_for(client, WITHIN)


async def test_while_its_card_is_pending(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    first = await stand.asks(token, increment(row))
    card = await stand.card(people, row)
    held = await stand.pending(row)
    stand.restart_gateway()
    await gone(first)
    assert (await stand.approval(held["id"]))["state"] == State.PENDING
    again = await stand.asks(token, increment(row))
    await stand.card(people, row, "Waiting for a decision")
    await people.click(await stand.card(people, row), APPROVE, as_="ana.silva", channel=APPROVALS)
    assert await asyncio.wait_for(again, WITHIN) == "UPDATE 1"
    assert stand.counted(row) == 1
    settled = await stand.card(people, row, "Approved and released")
    assert settled["ts"] == card["ts"]
    assert list(actions_of(settled)) == []
    assert [each["id"] for each in await stand.approvals(row)] == [held["id"]]


async def test_just_after_a_vote_was_acknowledged(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    held = await stand.pending(row)
    await stand.card(people, row)
    assert (await stand.vote(held, "approve"))["state"] == State.SPENT
    stand.restart_gateway()
    await asyncio.wait([client], timeout=WITHIN)
    client.exception()
    ran = stand.counted(row)
    assert ran <= 1
    kept = await stand.approval(held["id"])
    assert kept["state"] == State.SPENT
    assert [vote["person"] for vote in kept["votes"]] == [house.ANA]
    await stand.card(people, row, "Approved and released")
    # It is spent, whether or not its command still went out: the same command asks anew.
    again = await stand.asks(token, increment(row))
    anew = await stand.pending(row)
    assert anew["id"] != held["id"]
    await stand.vote(anew, "deny", reason="once is enough")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="once is enough"):
        await again
    assert stand.counted(row) == ran


@pytest.mark.parametrize("after", [0.0, 0.003, 0.008])
async def test_while_a_vote_is_on_its_way(stand: Stand, people: WorkspaceClient, after: float) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    held = await stand.pending(row)
    await stand.card(people, row)
    vote = asyncio.create_task(stand.vote(held, "approve"))
    await asyncio.sleep(after)  # the moment is what varies: every one of them has to come out right
    stand.restart_gateway()
    await asyncio.wait([client, vote], timeout=WITHIN)
    client.exception()
    acknowledged = vote.exception() is None
    kept = await stand.approval(held["id"])
    if acknowledged:
        assert kept["state"] == State.SPENT, "what was acknowledged is kept"
    if kept["state"] == State.PENDING:
        assert stand.counted(row) == 0, "what ran was decided"
        await stand.vote(kept, "deny")
        await stand.card(people, row, "Denied")
    else:
        assert kept["state"] == State.SPENT
        assert stand.counted(row) <= 1
        await stand.card(people, row, "Approved and released")


async def _no_buttons(stand: Stand, people: WorkspaceClient, row: str) -> bool:
    return not any(list(actions_of(card)) for card in await stand.cards(people, row))


async def test_after_an_approval_that_nobody_waits_for(stand: Stand, people: WorkspaceClient) -> None:
    token, row = stand.gateway.token(), stand.counter()
    client = await stand.asks(token, increment(row))
    held = await stand.pending(row)
    await stand.card(people, row)
    client.cancel()
    alone = await until(lambda: _waits(stand, held["id"], 0), what="the client's leaving")
    assert (await stand.vote(alone, "approve"))["state"] == State.APPROVED
    stand.restart_gateway()
    assert stand.counted(row) == 0
    assert (await stand.approval(held["id"]))["state"] == State.APPROVED
    assert await asyncio.wait_for(await stand.asks(token, increment(row)), WITHIN) == "UPDATE 1"
    assert stand.counted(row) == 1
    await stand.card(people, row, "Approved and released")
    again = await stand.asks(token, increment(row))
    anew = await stand.pending(row)
    assert anew["id"] != held["id"], "an approval is spent once"
    again.cancel()
    assert stand.counted(row) == 1


async def _waits(stand: Stand, approval_id: str, clients: int) -> dict | None:
    approval = await stand.approval(approval_id)
    return approval if approval["waiting"] == clients else None


async def test_between_the_votes_of_a_quorum(stand: Stand, people: WorkspaceClient) -> None:
    token, table = stand.gateway.token(), f"made{secrets.token_hex(4)}"
    command = f"CREATE TABLE {table} (id integer)"
    client = await stand.asks(token, command)
    await stand.card(people, table)
    held = await stand.vote(await stand.pending(table), "approve", person=house.ANA)
    assert held["state"] == State.PENDING
    stand.restart_gateway()
    await gone(client)
    held = await stand.approval(held["id"])
    assert [vote["person"] for vote in held["votes"]] == [house.ANA]
    again = await stand.asks(token, command)
    held = await until(lambda: _waits(stand, held["id"], 1), what="the client's coming back")
    held = await stand.vote(held, "approve", person=house.ANA)
    assert len(held["votes"]) == 1, "her vote counts once"
    held = await stand.vote(held, "approve", person=house.BEN)
    assert held["state"] == State.PENDING
    stand.restart_gateway()
    await gone(again)
    last = await stand.asks(token, command)
    held = await until(lambda: _waits(stand, held["id"], 1), what="the client's coming back")
    assert (await stand.vote(held, "approve", person=house.SAM))["state"] == State.SPENT
    assert await asyncio.wait_for(last, WITHIN) == "CREATE TABLE"
    await stand.card(people, table, "Approved and released")


async def test_a_kill_during_many_holds_loses_and_doubles_none(stand: Stand, people: WorkspaceClient) -> None:
    token = stand.gateway.token()
    rows = [stand.counter() for _ in range(MANY)]
    clients = [await stand.asks(token, increment(row)) for row in rows]
    held = {row: await stand.pending(row) for row in rows}
    early, denied = rows[::3], rows[1::3]
    for row in early:
        assert (await stand.vote(held[row], "approve"))["state"] == State.SPENT
    for row in denied:
        assert (await stand.vote(held[row], "deny", reason="not now"))["state"] == State.DENIED
    stand.restart_gateway()
    await asyncio.wait(clients, timeout=WITHIN)
    for row, client in zip(rows, clients, strict=True):
        client.exception()
        state = (await stand.approval(held[row]["id"]))["state"]
        wanted = State.SPENT if row in early else State.DENIED if row in denied else State.PENDING
        assert state == wanted
    late = rows[2::3]
    again = [await stand.asks(token, increment(row)) for row in late]
    for row in late:
        approval = await until(
            lambda row=row: _waits(stand, held[row]["id"], 1), what="a client's coming back"
        )
        assert (await stand.vote(approval, "approve"))["state"] == State.SPENT
    assert await asyncio.wait_for(asyncio.gather(*again), WITHIN) == ["UPDATE 1"] * len(late)
    assert [stand.counted(row) for row in denied] == [0] * len(denied)
    assert [stand.counted(row) for row in late] == [1] * len(late)
    assert all(stand.counted(row) <= 1 for row in early)
    for row in late:
        await stand.card(people, row, "Approved and released")
    for row in rows:
        await until(lambda row=row: _no_buttons(stand, people, row), what="a card without buttons")
        assert len(await stand.cards(people, row)) <= 1


async def test_at_any_instant_of_much_work(stand: Stand) -> None:
    """Agents ask and people vote all the time; the gateway dies in the midst of it, again and again."""
    token, rows = stand.gateway.token(), [stand.counter() for _ in range(8)]
    acknowledged: list[dict] = []
    over = asyncio.Event()

    async def ask(row: str) -> None:
        while not over.is_set():
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await asyncio.wait_for(await stand.asks(token, increment(row)), 2)

    async def vote() -> None:
        turn = 0
        while not over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException, house.Refused):
                for held in await asyncio.to_thread(stand.gateway.api.call, "/v1/approvals?state=pending"):
                    turn += 1
                    acknowledged.append(await stand.vote(held, "deny" if turn % 3 == 0 else "approve"))

    working = [asyncio.create_task(work) for work in (*map(ask, rows), vote())]
    for _ in range(3):
        enough = len(acknowledged) + 6
        await until(lambda enough=enough: _reached(acknowledged, enough), what="votes")
        await asyncio.to_thread(stand.restart_gateway)
    over.set()
    done, unfinished = await asyncio.wait(working, timeout=WITHIN)
    assert not unfinished
    assert [task.exception() for task in done if task.exception()] == []
    every = await stand.approvals("UPDATE counted")
    kept = {each["id"]: each for each in every}
    for vote_ in acknowledged:
        assert kept[vote_["id"]]["state"] == vote_["state"] or vote_["state"] == State.APPROVED
        assert vote_["votes"][-1] in kept[vote_["id"]]["votes"]
    for row in rows:
        spent = [each for each in every if row in each["command"]["text"] and each["state"] == State.SPENT]
        assert stand.counted(row) <= len(spent), "each release was one decision"
    assert any(stand.counted(row) for row in rows)
    assert [each for each in stand.verified() if not each["holds"]] == []


async def _reached(votes: list[dict], enough: int) -> bool:
    return len(votes) >= enough


async def test_just_after_a_killing_vote_was_acknowledged(stand: Stand, people: WorkspaceClient) -> None:
    parent, row = stand.gateway.token(), stand.counter()
    token = stand.gateway.child(parent, "migrator", "shop:read,write")
    client = await stand.asks(token, increment(row))
    held = await stand.pending(row)
    await stand.card(people, row)
    await stand.vote(held, "kill", reason="off the rails")
    stand.restart_gateway()
    await asyncio.wait([client], timeout=WITHIN)
    assert client.exception() is not None
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await stand.agent(token)
    await (await stand.agent(parent)).close()
    assert stand.counted(row) == 0
    await stand.card(people, row, "Denied and killed")


async def test_recordings_left_open_are_sealed_and_their_threads_end(
    stand: Stand, people: WorkspaceClient
) -> None:
    token, mark = stand.gateway.token(), f"mark{secrets.token_hex(4)}"
    connection = await stand.agent(token)
    await connection.fetch(f"SELECT '{mark}' AS mark")
    root = await until(lambda: _root_of(people, mark), what="a thread")
    stand.restart_gateway()
    with pytest.raises(HUNG_UP):
        await connection.fetch("SELECT 1")
    connection.terminate()
    found = stand.verified()
    assert found
    assert [each for each in found if not each["holds"]] == []
    assert {each["standing"] for each in found if "standing" in each} <= {"whole", "open"}
    (session,) = [
        each["session"] for each in found if each.get("session") and each["session"] in text_of(root)
    ]
    assert next(each["standing"] for each in found if each.get("session") == session) == "whole"
    await people.wait_for_message(
        AUDIT, lambda one: "End of session" in text_of(one), thread_ts=root["ts"], timeout=WITHIN
    )
    thread = await people.messages(AUDIT, thread_ts=root["ts"])
    assert len(thread_lines(thread, f"SELECT '{mark}'")) == 1


async def _root_of(people: WorkspaceClient, mark: str) -> dict | None:
    for root in await people.messages(AUDIT):
        if thread_lines(await people.messages(AUDIT, thread_ts=root["ts"]), mark):
            return root
    return None


async def test_a_session_that_no_follower_had_heard_of_still_gets_its_thread(
    stand: Stand, people: WorkspaceClient
) -> None:
    token, mark = stand.gateway.token(), f"mark{secrets.token_hex(4)}"
    connection = await stand.agent(token)
    await connection.fetch(f"SELECT '{mark}' AS mark")
    stand.restart_gateway()
    connection.terminate()
    await until(lambda: _root_of(people, mark), what="a thread")


async def test_a_session_that_ends_while_the_gateway_stops_gets_its_thread(
    stand: Stand, people: WorkspaceClient
) -> None:
    token, mark = stand.gateway.token(), f"mark{secrets.token_hex(4)}"
    connection = await stand.agent(token)
    await connection.fetch(f"SELECT '{mark}' AS mark")
    stopping = asyncio.create_task(asyncio.to_thread(stand.gateway.stop))
    await connection.close()
    assert await stopping == 0
    stand.gateway.start()
    root = await until(lambda: _root_of(people, mark), what="a thread")
    await people.wait_for_message(
        AUDIT, lambda one: "End of session" in text_of(one), thread_ts=root["ts"], timeout=WITHIN
    )
