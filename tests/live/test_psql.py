"""psql in front of the gateway: what it can do, and what happens to it while a person decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live.conftest import Run, Sit
from tests.live.house import ANA, BEN, SAM, Gateway, Refused, eventually

Notes = Callable[[], list[str]]


# What is allowed.


def test_a_query_comes_back_masked(psql: Run) -> None:
    done = psql("-c", "SELECT id, email, ssn, tier FROM customers WHERE id = 1")
    assert done.stdout == "1|******@example.com|[redacted]|standard\n", done.stderr


def test_bind_and_gdesc_and_d_work(psql: Run) -> None:
    done = psql(
        stdin="SELECT total FROM orders WHERE id = $1 \\bind 7 \\g\n"
        "SELECT id, email FROM customers \\gdesc\n"
        "\\d customers\n"
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("269.99\nid|integer\nemail|text\n")
    assert "tier|text||not null|'standard'::text\n" in done.stdout


@pytest.mark.parametrize(
    "command", ["\\d", "\\dt+", "\\du", "\\l", "\\df pg_catalog.lower", "\\dn", "\\conninfo", "\\d+ orders"]
)
def test_what_psql_asks_the_catalogues_is_answered(psql: Run, command: str) -> None:
    done = psql("-c", command)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_watch_asks_again_each_time(psql: Run) -> None:
    done = psql(stdin="SELECT count(*) FROM customers \\watch c=3 i=0.01\n")
    assert done.stdout.split() == ["400", "400", "400"], done.stderr


def test_gdesc_of_a_held_command_shows_its_columns_and_runs_nothing(
    psql: Run, table: str, notes: Notes
) -> None:
    done = psql(stdin=f"UPDATE {table} SET note = 'changed' RETURNING id, note \\gdesc\n")
    assert done.stdout == "id|integer\nnote|text\n", done.stderr
    assert notes() == ["first"] * 3


def test_several_statements_in_one_string_are_judged_as_one(psql: Run, table: str, notes: Notes) -> None:
    done = psql("-c", f"SELECT 'seen'; DROP TABLE {table}; SELECT 'never'")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Destructive statements never run through an agent." in done.stderr
    assert notes() == ["first"] * 3


def test_a_settings_of_the_session_go_with_it(psql: Run) -> None:
    done = psql(
        "-c", "SHOW statement_timeout", "-c", "SHOW application_name", PGOPTIONS="-c statement_timeout=4s"
    )
    first, second = done.stdout.split("\n")[:2]
    assert first == "4s", done.stderr
    assert second.startswith("psql [countersign")


# Copy.


def test_copy_out_is_masked(psql: Run, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    done = psql(
        "-c", f"\\copy (SELECT id, email, ssn FROM customers ORDER BY id LIMIT 2) TO '{file}' CSV HEADER"
    )
    assert done.stdout == "COPY 2\n", done.stderr
    assert (
        file.read_text()
        == "id,email,ssn\n1,******@example.com,[redacted]\n2,*******@example.com,[redacted]\n"
    )


def test_copy_out_of_a_whole_table_is_masked(psql: Run, tmp_path: Path) -> None:
    file = tmp_path / "customers.tsv"
    done = psql("-c", f"\\copy customers TO '{file}'")
    assert done.stdout == "COPY 400\n", done.stderr
    copied = file.read_text()
    assert len(copied.splitlines()) == 400
    assert "219-09" not in copied
    assert not re.search(r"[a-z]\d+@example", copied)


def test_copy_in_waits_for_a_person_and_then_runs(
    psql: Run, gateway: Gateway, table: str, notes: Notes, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("".join(f"{n},copied\n" for n in range(4, 2004)))
    with gateway.api.deciding("approve", containing=table) as seen:
        done = psql("-c", f"\\copy {table} FROM '{file}' CSV")
    assert done.stdout == "COPY 2000\n", done.stderr
    assert seen[0]["command"]["effects"] == ["write"]
    assert notes().count("copied") == 2000


def test_copy_in_that_is_denied_copies_nothing(
    psql: Run, gateway: Gateway, table: str, notes: Notes, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("4,copied\n")
    with gateway.api.deciding("deny", containing=table):
        done = psql(stdin=f"\\copy {table} FROM '{file}' CSV\nSELECT 'still here';\n")
    assert "Denied by ana.silva@example.com" in done.stderr
    assert done.stdout == "still here\n"
    assert notes() == ["first"] * 3


# Refusals.


def test_a_refusal_outside_a_transaction_leaves_none_behind(sit: Sit, table: str) -> None:
    with sit() as psql:
        refused = psql.ask(f"DROP TABLE {table};")
        assert "ERROR:  Destructive statements never run through an agent." in refused
        assert "DETAIL:  Decided by destructive-never." in refused
        assert refused.endswith("[]> ")
        assert psql.ask("SELECT 1;") == "1\n[]> "


def test_a_refusal_inside_a_transaction_fails_it_here_and_there(sit: Sit, table: str) -> None:
    with sit() as psql:
        assert psql.ask("BEGIN;").endswith("[*]> ")
        assert psql.ask(f"DROP TABLE {table};").endswith("[!]> ")
        assert "current transaction is aborted" in psql.ask("SELECT 1;")
        assert psql.ask("COMMIT;") == "ROLLBACK\n[]> "
        assert psql.ask("SELECT 1;") == "1\n[]> "


def test_a_savepoint_survives_a_refusal(sit: Sit, table: str) -> None:
    with sit() as psql:
        psql.ask("BEGIN;")
        psql.ask("SAVEPOINT here;")
        assert psql.ask(f"TRUNCATE {table};").endswith("[!]> ")
        assert psql.ask("ROLLBACK TO here;").endswith("[*]> ")
        assert psql.ask("SELECT 1;") == "1\n[*]> "
        assert psql.ask("COMMIT;") == "COMMIT\n[]> "


def test_large_objects_and_their_function_calls_are_refused(psql: Run, tmp_path: Path) -> None:
    file = tmp_path / "blob"
    file.write_text("content")
    done = psql(stdin=f"\\lo_import {file}\nROLLBACK;\nSELECT 'still here';\n")
    assert "Function calls outside SQL" in done.stderr
    assert done.stdout.splitlines()[-1] == "still here"


# Holds.


def test_approved_the_very_psql_goes_on(sit: Sit, gateway: Gateway, table: str, notes: Notes) -> None:
    with sit() as psql:
        psql.type(f"UPDATE {table} SET note = 'changed' WHERE id = 2;")
        notice = psql.until(r"A DBA looks at writes on prod\.")
        approval = gateway.api.pending(table)
        assert f"NOTICE:  Held until a person decides: approval {approval['id']}" in notice
        assert approval["command"]["words"] in notice
        assert notes() == ["first"] * 3
        gateway.api.vote(approval, "approve")
        assert psql.answer() == "\nUPDATE 1\n[]> "
    assert notes() == ["first", "changed", "first"]
    assert gateway.api.until(approval, "spent")["votes"][0]["person"] == ANA


def test_denied_it_hears_why_and_goes_on(sit: Sit, gateway: Gateway, table: str, notes: Notes) -> None:
    with sit() as psql:
        psql.type(f"UPDATE {table} SET note = 'changed' WHERE id = 3;")
        gateway.api.vote(gateway.api.pending(table), "deny", person=BEN, reason="Not during the freeze")
        refused = psql.answer()
        assert "ERROR:  Denied by ben.okafor@example.com: Not during the freeze. Approval " in refused
        assert psql.ask("SELECT 1;") == "1\n[]> "
    assert notes() == ["first"] * 3


def test_a_hold_in_a_transaction_keeps_what_was_done_before_it(
    sit: Sit, gateway: Gateway, table: str, notes: Notes
) -> None:
    with sit() as psql:
        psql.ask("BEGIN;")
        for number in (1, 2):
            psql.type(f"UPDATE {table} SET note = 'changed{number}' WHERE id = {number};")
            gateway.api.vote(gateway.api.pending(f"changed{number}"), "approve")
            assert psql.answer().endswith("UPDATE 1\n[*]> ")
        assert notes() == ["first"] * 3
        assert psql.ask("COMMIT;") == "COMMIT\n[]> "
    assert notes() == ["changed1", "changed2", "first"]


def test_killed_the_session_ends_and_so_does_the_token(
    sit: Sit, gateway: Gateway, psql: Run, table: str, notes: Notes
) -> None:
    token = gateway.token()
    child = gateway.child(token, "migrator", "shop:read,write")
    with sit(gateway.account(token)) as parent, sit(gateway.account(child)) as terminal:
        terminal.type(f"DELETE FROM {table} WHERE id = 1;")
        gateway.api.vote(gateway.api.pending(table), "kill", reason="This agent is off the rails")
        ended = terminal.until("connection to the server was lost")
        assert (
            "FATAL:  This session was revoked by ana.silva@example.com: This agent is off the rails." in ended
        )
        assert parent.ask("SELECT 1;") == "1\n[]> ", "only the killed agent's subtree ends"
    refused = psql("-c", "SELECT 1", account=gateway.account(child))
    assert "revoked" in refused.stderr
    assert notes() == ["first"] * 3


def test_it_takes_everybody_who_is_asked(sit: Sit, gateway: Gateway, psql: Run, table: str) -> None:
    with sit() as terminal:
        terminal.type(f"ALTER TABLE {table} ADD COLUMN extra integer;")
        approval = gateway.api.pending(table)
        assert [(ask["approvers"], ask["quorum"]) for ask in approval["asks"]] == [
            ("dba", 2),
            ("security", 1),
        ]
        after_one = gateway.api.vote(approval, "approve", person=ANA)
        assert len(gateway.api.vote(after_one, "approve", person=ANA)["votes"]) == 1
        after_two = gateway.api.vote(after_one, "approve", person=SAM)
        assert after_two["state"] == "pending"
        gateway.api.vote(after_two, "approve", person=BEN)
        assert terminal.answer().endswith("ALTER TABLE\n[]> ")
    assert "extra" in psql("-c", f"\\d {table}").stdout


def test_one_denial_is_enough(sit: Sit, gateway: Gateway, psql: Run, table: str) -> None:
    with sit() as terminal:
        terminal.type(f"ALTER TABLE {table} ADD COLUMN extra integer;")
        approval = gateway.api.vote(gateway.api.pending(table), "approve", person=ANA)
        gateway.api.vote(approval, "deny", person=SAM)
        assert "Denied by sam.chen@example.com" in terminal.answer()
    assert "extra" not in psql("-c", f"\\d {table}").stdout


def test_nobody_decides_in_time(psql: Run, postgres: Postgres, upstream: Account) -> None:
    postgres.psql("CREATE TABLE hasty (id integer)", upstream)
    try:
        done = psql(stdin="INSERT INTO hasty VALUES (1);\nSELECT count(*) FROM hasty;\n")
    finally:
        postgres.psql("DROP TABLE hasty", upstream)
    assert "Nobody decided in time" in done.stderr
    assert done.stdout == "0\n"


def test_who_is_gone_may_come_back_for_the_answer(
    sit: Sit, gateway: Gateway, table: str, notes: Notes
) -> None:
    account = gateway.account()
    command = f"UPDATE {table} SET note = 'changed' WHERE id = 3;"
    with sit(account) as first:
        first.type(command)
        approval = gateway.api.pending(table)
    left = gateway.api.approval(lambda each: each["id"] == approval["id"] and each["waiting"] == 0)
    gateway.api.vote(left, "approve")
    assert notes() == ["first"] * 3, "nobody is there to run it for"
    with sit(account) as second:
        assert second.ask(command) == "UPDATE 1\n[]> "
        assert notes() == ["first", "first", "changed"]
        second.type(command)
        another = gateway.api.pending(table)
        assert another["id"] != approval["id"], "an approval is spent once"
        gateway.api.vote(another, "deny")
        assert "Denied" in second.answer()


def test_who_comes_back_in_time_joins_the_card_that_is_there(sit: Sit, gateway: Gateway, table: str) -> None:
    account = gateway.account()
    command = f"UPDATE {table} SET note = 'changed' WHERE id = 3;"
    with sit(account) as first:
        first.type(command)
        approval = gateway.api.pending(table)
    gateway.api.approval(lambda each: each["id"] == approval["id"] and each["waiting"] == 0)
    with sit(account) as second:
        second.type(command)
        again = gateway.api.approval(lambda each: table in each["command"]["text"] and each["waiting"] == 1)
        assert again["id"] == approval["id"]
        gateway.api.vote(again, "approve")
        assert second.answer().endswith("UPDATE 1\n[]> ")


def test_somebody_elses_same_command_has_a_card_of_its_own(
    sit: Sit, gateway: Gateway, table: str, notes: Notes
) -> None:
    command = f"UPDATE {table} SET note = 'changed' WHERE id = 3;"
    with sit() as first, sit() as second:
        first.type(command)
        approval = gateway.api.pending(table)
        second.type(command)
        other = gateway.api.approval(
            lambda each: each["id"] != approval["id"] and table in each["command"]["text"]
        )
        gateway.api.vote(other, "deny")
        assert "Denied" in second.answer()
        gateway.api.vote(approval, "approve")
        assert first.answer().endswith("UPDATE 1\n[]> ")


def test_two_sessions_of_one_token_share_a_card_and_each_runs_once(
    sit: Sit, gateway: Gateway, table: str, notes: Notes
) -> None:
    account = gateway.account()
    command = f"UPDATE {table} SET note = note || '+' WHERE id = 3;"
    with sit(account) as first, sit(account) as second:
        first.type(command)
        second.type(command)
        shared = gateway.api.approval(lambda each: table in each["command"]["text"] and each["waiting"] == 2)
        gateway.api.vote(shared, "approve")
        outcomes = [first.answer(), second.answer()]
    assert all(outcome.endswith("UPDATE 1\n[]> ") for outcome in outcomes)
    assert notes() == ["first", "first", "first++"]


# Ctrl-C.


def test_ctrl_c_takes_a_held_command_back(sit: Sit, gateway: Gateway, table: str, notes: Notes) -> None:
    with sit() as psql:
        psql.type(f"UPDATE {table} SET note = 'changed' WHERE id = 3;")
        approval = gateway.api.pending(table)
        psql.until("Held until a person decides")
        psql.interrupt()
        assert "ERROR:  canceling statement due to user request" in psql.answer()
        assert psql.ask("SELECT 1;") == "1\n[]> "
    withdrawn = gateway.api.until(approval, "withdrawn")
    with pytest.raises(Refused) as refusal:
        gateway.api.vote(withdrawn, "approve")
    assert refusal.value.code == "already_settled"
    assert notes() == ["first"] * 3


def test_ctrl_c_in_a_transaction_fails_it(sit: Sit, gateway: Gateway, table: str) -> None:
    with sit() as psql:
        psql.ask("BEGIN;")
        psql.type(f"UPDATE {table} SET note = 'changed' WHERE id = 3;")
        gateway.api.pending(table)
        psql.interrupt()
        assert psql.answer().endswith("[!]> ")
        assert psql.ask("ROLLBACK;") == "ROLLBACK\n[]> "


def test_ctrl_c_reaches_the_running_query_and_no_other(
    sit: Sit, postgres: Postgres, upstream: Account
) -> None:
    def runs(tag: str) -> bool:
        active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sleep_of_{}%'"
        return postgres.psql(f"{active.format(tag)} AND pid <> pg_backend_pid()", upstream) == "1\n"

    with sit() as mine, sit() as theirs:
        mine.type("SELECT pg_sleep(60) AS sleep_of_mine;")
        theirs.type("SELECT pg_sleep(60) AS sleep_of_theirs;")
        eventually(lambda: runs("mine") and runs("theirs"))
        mine.interrupt()
        assert "ERROR:  canceling statement due to user request" in mine.answer()
        assert runs("theirs")
        assert mine.ask("SELECT 1;") == "1\n[]> "
        theirs.interrupt()
        assert "ERROR:  canceling statement due to user request" in theirs.answer()


# Who is not let in.


def refusal(psql: Run, account: Account, **environment: str) -> str:
    done = psql("-c", "SELECT 1", account=account, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_a_wrong_token_is_refused_with_a_way_out(psql: Run, gateway: Gateway) -> None:
    said = refusal(psql, gateway.account("hunter2"))
    assert "FATAL:  Not admitted:" in said
    assert "The password has to be a token." in said
    assert "hunter2" not in said


def test_a_token_of_other_hands_is_refused(psql: Run, gateway: Gateway) -> None:
    header, body, signature = gateway.token().split(".")
    assert "Not admitted:" in refusal(psql, gateway.account(f"{header}.{body}.{signature[::-1]}"))


def test_an_expired_token_is_refused_and_its_session_ends(psql: Run, sit: Sit, gateway: Gateway) -> None:
    account = gateway.account(gateway.token(expires_in="2"))
    with sit(account) as terminal:
        terminal.type("SELECT pg_sleep(60);")
        assert "FATAL:  The token of this session has expired." in terminal.until(
            "connection to the server was lost"
        )
    assert "expired" in refusal(psql, account)


def test_a_revoked_token_is_refused_and_so_is_its_child(psql: Run, gateway: Gateway) -> None:
    parent = gateway.token()
    child = gateway.child(parent, "migrator", "shop:read")
    assert psql("-c", "SELECT 1", account=gateway.account(child)).stdout == "1\n"
    gateway.revoke(parent)
    for token in (parent, child):
        assert "revoked" in refusal(psql, gateway.account(token))


def test_a_token_without_scope_here_is_told_what_it_reaches(psql: Run, gateway: Gateway) -> None:
    said = refusal(psql, gateway.account(gateway.token(scope="archive:read")))
    assert "has no scope on shop; it reaches archive" in said
    assert "--scope shop:read" in said


def test_an_effect_outside_the_scope_is_refused_whatever_the_rules_say(
    psql: Run, gateway: Gateway, table: str
) -> None:
    reader = gateway.account(gateway.token(scope="shop:read"))
    done = psql(stdin=f"UPDATE {table} SET note = 'changed' WHERE id = 3;\nSELECT 1;\n", account=reader)
    assert "is outside its scope" in done.stderr
    assert done.stdout == "1\n"


def test_replication_is_refused(psql: Run, gateway: Gateway) -> None:
    for mode in ("true", "database"):
        done = psql(f"replication={mode}", "-c", "IDENTIFY_SYSTEM")
        assert done.returncode == 2
        assert "Replication connections do not go through this gateway" in done.stderr


def test_another_database_than_the_connections_is_refused(psql: Run, gateway: Gateway) -> None:
    said = refusal(psql, gateway.account(), PGDATABASE="postgres")
    assert "FATAL:  This connection reaches the database 'shop' only" in said
