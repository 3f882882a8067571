"""A session's transcript in Slack: one thread, batched, searchable, with files for what is long and a summary."""

from __future__ import annotations

from bot.workspace.client import WorkspaceClient, text_of
from tests.bot.conftest import AUDIT, StartBot
from tests.bot.examples import entry, session
from tests.bot.fake_gateway import FakeGateway


async def thread_of(people: WorkspaceClient, root: dict) -> list[dict]:
    return [one for one in await people.messages(AUDIT, thread_ts=root["ts"]) if one["ts"] != root["ts"]]


async def test_a_session_is_a_thread_that_grows_and_ends_in_a_summary(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.sessions["ses-1"] = session()
    async with start_bot():
        await gateway.log("ses-1", entry(1, "SELECT id FROM orders"), commands=1)
        root = await people.wait_for_message(AUDIT, lambda one: "Replay" in text_of(one))
        await people.wait_for_message(AUDIT, lambda one: "FROM orders" in text_of(one), thread_ts=root["ts"])
        blocked = entry(2, "DROP TABLE orders", verdict="block", rules=("destructive-never",))
        await gateway.log("ses-1", blocked, commands=2, blocked=1)
        await people.wait_for_message(
            AUDIT, lambda one: "destructive-never" in text_of(one), thread_ts=root["ts"]
        )
        await gateway.log(
            "ses-1",
            entry(3, "goodbye", kind="end", verdict="", rules=()),
            commands=2,
            blocked=1,
            masked={"email": 12},
            closed_at=1_700_000_075.0,
            close_reason="the client left",
            head="f00d",
        )
        ended = await people.wait_for_message(AUDIT, lambda one: "○ " in text_of(one))
    assert ended["ts"] == root["ts"]
    replies = await thread_of(people, root)
    assert len(replies) == 3
    for words in ("2 commands", "1 blocked", "12 email", "1 min 15 s", "f00d", "the client left"):
        assert words in text_of(replies[-1])
    for words in ("migrator", "maria.lopez@example.com", "orders", "ses-1"):
        assert all(words in text_of(one) for one in [root, *replies])
    assert "countersign replay ses-1" in text_of(root)


async def test_the_root_and_the_summary_link_to_the_page_where_there_is_one(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    url = "https://countersign.example.com/replay/ses-1?until=1702592000&sig=<@U0ANA>|*x*"
    gateway.sessions["ses-1"] = session(link=url)
    async with start_bot():
        await gateway.log(
            "ses-1", entry(1), entry(2, kind="end", verdict=""), commands=1, closed_at=1_700_000_075.0
        )
        root = await people.wait_for_message(AUDIT, lambda one: "○ " in text_of(one))
        summary = await people.wait_for_message(
            AUDIT, lambda one: "End of session" in text_of(one), thread_ts=root["ts"]
        )
    for message in (root, summary):
        elements = [
            element
            for block in message["blocks"]
            for part in block["elements"]
            for element in part["elements"]
        ]
        assert [one["url"] for one in elements if one["type"] == "link"] == [url]
        assert "countersign replay ses-1" in text_of(message)
        assert url not in message["text"]


async def test_a_session_that_asked_for_nothing_has_no_thread(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.sessions["ses-1"] = session()
    async with start_bot():
        await gateway.log("ses-1", entry(1, "the client left", kind="end"), closed_at=1_700_000_001.0)
        gateway.sessions["ses-2"] = session("ses-2")
        await gateway.log("ses-2", entry(1), commands=1)
        root = await people.wait_for_message(AUDIT)
    assert "ses-2" in text_of(root)


async def test_many_entries_become_few_messages(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.sessions["ses-1"] = session()
    async with start_bot():
        entries = [entry(number, f"SELECT {number} FROM line_items") for number in range(1, 201)]
        await gateway.log("ses-1", *entries, commands=200, closed_at=1_700_000_300.0)
        root = await people.wait_for_message(AUDIT, lambda one: "○ " in text_of(one))
        await people.wait_for_message(
            AUDIT, lambda one: "End of session" in text_of(one), thread_ts=root["ts"]
        )
    replies = await thread_of(people, root)
    said = "\n".join(map(text_of, replies))
    assert all(f"SELECT {number} FROM" in said for number in range(1, 201))
    assert len(replies) <= 5


async def test_a_flood_is_counted_instead_of_queued(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.sessions["ses-1"] = session()
    entries = [entry(number, f"SELECT {number}") for number in range(1, 2_001)]
    await gateway.log("ses-1", *entries, commands=2_000, closed_at=1_700_000_300.0)
    async with start_bot():
        root = await people.wait_for_message(AUDIT, lambda one: "○ " in text_of(one))
        last = await people.wait_for_message(
            AUDIT, lambda one: "End of" in text_of(one), thread_ts=root["ts"]
        )
    assert len(await thread_of(people, root)) == 1
    assert "more entries are in the recording only" in text_of(last)


async def test_a_long_entry_is_a_file_in_the_thread(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.sessions["ses-1"] = session()
    long = "id | email\n" + "\n".join(f"{number} | *****" for number in range(1_000))
    async with start_bot():
        await gateway.log("ses-1", entry(1, long, kind="answer"), commands=1)
        root = await people.wait_for_message(AUDIT, lambda one: "Replay" in text_of(one))
        file = await people.wait_for_message(AUDIT, lambda one: bool(one.get("files")), thread_ts=root["ts"])
    assert await people.file(file["files"][0]["id"]) == long


async def test_hostile_entries_are_drawn_literally_and_inside_the_limits(
    gateway: FakeGateway, people: WorkspaceClient, start_bot: StartBot
) -> None:
    gateway.sessions["ses-1"] = session()
    nasty = "```<!channel> <@U0ANA> :tada: \u202edrop\u0000" + "\n" * 300 + '"' * 4_000
    async with start_bot():
        await gateway.log("ses-1", *(entry(number, nasty) for number in range(1, 6)), commands=5)
        root = await people.wait_for_message(AUDIT, lambda one: "Replay" in text_of(one))
        first = await people.wait_for_message(
            AUDIT, lambda one: "⟦U+202E⟧" in text_of(one), thread_ts=root["ts"]
        )
    kinds = {
        element["type"]
        for block in first["blocks"]
        for part in block["elements"]
        for element in part["elements"]
    }
    assert kinds == {"text"}
