"""A real MariaDB as an independent judge of what was read, and as a source of the queries that tools really send."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from sqlglot.dialects.mysql import MySQL
from sqlglot.tokens import TokenType

from gateway.facts.mysql import Context, Server, functions, read
from gateway.model import Effect
from gateway.protocols.mysql.module import read_facts
from tests.facts.mariadb import MariaDb

pytestmark = pytest.mark.live
CORPUS = YAML(typ="safe").load((Path(__file__).parents[1] / "bypass" / "mysql.yaml").read_text())
PLAIN = {Effect.READ, Effect.SESSION}
HERE = Context(servers=(Server.MARIADB,))
INVOICES = 9
"""How many rows the table holds."""


@pytest.fixture(scope="module")
def server():
    with MariaDb() as running:
        yield running


def hexed(text: str) -> str:
    return f"CONVERT(x'{text.encode('utf-8', 'surrogatepass').hex()}' USING utf8mb4)"


def state(server: MariaDb) -> str:
    """Everything that a statement could change for others."""
    tables = server.run(
        "SELECT CONCAT('CHECKSUM TABLE `', table_schema, '`.`', table_name, '`;') FROM information_schema.tables"
        " WHERE table_type IN ('BASE TABLE', 'SEQUENCE') AND table_schema IN ('billing', 'mysql')"
        " AND table_name NOT LIKE '%_log' AND table_name NOT LIKE '%stat%' ORDER BY 1"
    )
    named = server.run(
        "SELECT table_schema, table_name, column_name, column_type FROM information_schema.columns ORDER BY 1, 2, ordinal_position;"
        "SELECT variable_name, variable_value FROM information_schema.global_variables WHERE variable_name NOT REGEXP"
        " 'gtid|timestamp|rand_seed|general_log' ORDER BY 1; SHOW DATABASES; SHOW PLUGINS"
    )
    return server.run(tables) + named


def test_what_is_called_harmless_changes_nothing(server):
    before = state(server)
    rows = [row for row in CORPUS if row["verdict"] == "allow" and row.get("dialect") != "mysql"]
    for row in rows:
        text = "; ".join([*row.get("before", []), row["sql"]])
        server.run(text, database="billing", check=False)
    assert len(rows) > 300
    assert state(server) == before


def test_a_where_is_called_unrestricting_where_it_leaves_no_row_alone(server):
    tried = 0
    for row in CORPUS:
        found = re.match(r"delete from invoices\s+where (.*)", row["sql"], re.IGNORECASE | re.DOTALL)
        condition = found[1] if found else "?"
        if "?" in condition or ":x" in condition or "/*" in condition or "limit" in condition.lower():
            continue
        kept = server.run(f"SELECT COUNT(*) FROM invoices WHERE {condition}", database="billing", check=False)
        if not kept:
            continue
        tried += 1
        destructive = Effect.DESTRUCTIVE in read(row["sql"]).effects
        if destructive:
            unknown = server.run(
                f"SELECT COUNT(*) FROM invoices WHERE ({condition}\n) IS NULL", database="billing"
            )
            assert int(kept) + int(unknown) in {0, INVOICES}, row["sql"]
        else:
            assert int(kept) < INVOICES or "NOT IN (SELECT" in row["sql"].upper(), row["sql"]
    assert tried > 150


class Conditions:
    """Made-up conditions over the columns of invoices."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _one(self, *choices: str) -> str:
        return self._random.choice(choices)

    def value(self, depth: int) -> str:
        if depth <= 0 or self._random.random() < 0.4:
            return self._one(
                "id", "id", "total", "status", "note", "0", "1", "5", "17", "NULL", "''", "'a'", "'open'"
            )
        a, b = self.value(depth - 1), self.value(depth - 1)
        operator = self._one("+", "-", "*", "/", "DIV", "%")
        call = self._one("COALESCE({}, {})", "IFNULL({}, {})", "NULLIF({}, {})", "CONCAT({}, {})")
        length = self._one("LENGTH({})", "ABS({})", "CASE WHEN {} THEN 1 ELSE 0 END")
        return self._one(f"({a} {operator} {b})", call.format(a, b), length.format(a))

    def condition(self, depth: int) -> str:
        if depth <= 0:
            return f"{self.value(0)} {self._one('=', '<>', '<', '<=', '>', '>=', '<=>')} {self.value(0)}"
        a, b = self.condition(depth - 1), self.condition(depth - 1)
        x, y = self.value(1), self.value(1)
        return self._one(
            f"({a} {self._one('AND', 'OR', 'XOR', '||', '&&')} {b})",
            f"NOT ({a})",
            f"{x} {self._one('IN', 'NOT IN')} ({y}, {self.value(0)})",
            f"{x} BETWEEN {y} AND {self.value(0)}",
            f"{x} LIKE {self._one(repr('%'), repr('a%'), repr('_'))}",
            f"({a}) IS {self._one('', 'NOT ')}{self._one('TRUE', 'FALSE', 'NULL')}",
            x,
        )


def test_made_up_conditions_that_are_called_unrestricting_keep_no_row_out(server):
    """Rows whose condition is NULL aside: a value that is missing protects nothing."""
    made = Conditions(7)
    conditions = [made.condition(depth % 4) for depth in range(1500)]
    called = [
        each
        for each in conditions
        if Effect.DESTRUCTIVE in read(f"DELETE FROM invoices WHERE {each}").effects
    ]
    # Of which type a column is stands in no condition: it may as well hold texts.
    typed = [(each, re.sub(r"\btotal\b", "CAST(total AS CHAR)", each)) for each in called]
    asked = "".join(
        f"SELECT {number}, GREATEST(SUM(({one}) IS NOT FALSE), SUM(({other}) IS NOT FALSE)) FROM invoices;\n"
        for number, (one, other) in enumerate(typed)
    )
    counts = dict(
        line.split("\t") for line in server.run(asked, database="billing", check=False).splitlines()
    )
    wrong = [called[int(number)] for number, count in counts.items() if int(count) != INVOICES]
    assert len(counts) > 100
    assert len(wrong) <= len(counts) // 100, wrong


def test_made_up_conditions_that_leave_no_row_alone_are_seldom_taken_to_restrict(server):
    made = Conditions(8)
    conditions = [made.condition(depth % 4) for depth in range(1500)]
    asked = "".join(
        f"SELECT {number}, COUNT(*) FROM invoices WHERE {each};\n" for number, each in enumerate(conditions)
    )
    counts = dict(
        line.split("\t") for line in server.run(asked, database="billing", check=False).splitlines()
    )
    everything = [conditions[int(number)] for number, count in counts.items() if int(count) == INVOICES]
    missed = [
        each
        for each in everything
        if Effect.DESTRUCTIVE not in read(f"DELETE FROM invoices WHERE {each}").effects
    ]
    assert len(everything) > 100
    # What these nine rows happen to meet, other rows may not.
    assert len(missed) < len(everything) / 8, missed


ODD = """
/*! /*!50000 /*!50001_ /*!99999 /*M! /*M!100000_ /*!100100 /*!101199_ /*!999999 */ */ /*_x_*/ -- --_ # ' ' " ` \\ a 1 '' 'a' \\' é
0x x' N' _utf8 @ @' + - ( ) , OR_1 OR_1 OR_1 WHERE_id=9 AND_id=9 WHERE_1 /* \\N '''' "" =1 !
"""
PIECES = ODD.split()


def test_what_the_server_finds_in_odd_texts_is_found_here(server):
    """Quotes, comments and escapes in any order behind a DELETE: whatever row goes was foreseen."""
    source = random.Random(3)
    texts = [
        "DELETE FROM invoices WHERE id=9 "
        + "".join(
            source.choice(PIECES).replace("_", " ") + source.choice(["", " ", "\n"])
            for _ in range(source.randint(1, 7))
        )
        for _ in range(4000)
    ]
    script = "".join(
        f"START TRANSACTION;\nEXECUTE IMMEDIATE {hexed(text)};\nSELECT {number}, COUNT(*) FROM invoices;\nROLLBACK;\n"
        for number, text in enumerate(texts)
    )
    lines = server.run(script, database="billing", check=False).splitlines()
    gone = [
        texts[int(number)] for number, count in (line.split("\t") for line in lines) if int(count) < INVOICES
    ]
    assert len(gone) > 20
    for text in gone:
        for context in (HERE, Context()):
            effects = read(text, context).effects
            assert {Effect.DESTRUCTIVE, Effect.UNKNOWN} & effects, text


MODES = ["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", ""]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "text",
    [
        r"""SELECT 'a\'; DELETE FROM invoices; -- '""",
        r'''SELECT "a\"; DELETE FROM invoices; -- "''',
        r"""SELECT 'a\\'; DELETE FROM invoices; -- '""",
        r'''SELECT 1 AS "x'; DELETE FROM invoices; -- '"''',
    ],
)
def test_sql_mode_decides_where_strings_end_as_it_does_there(server, mode, text):
    facts = read_facts({"command": text, "session_before": [f"SET sql_mode = '{mode}'"]})
    script = f"SET sql_mode = '{mode}'; START TRANSACTION; {text}\n; SELECT COUNT(*) FROM invoices; ROLLBACK;"
    # The client cuts at semicolons by its own idea of quotes, which knows these modes as well.
    counts = server.run(script, database="billing", check=False).splitlines()
    assert (Effect.DESTRUCTIVE in facts.effects) == (counts[-1:] == ["0"]), counts


def test_the_statements_of_the_servers_own_tools_are_plain_reads(server):
    before = len(server.statements())
    server.tool("mariadb-dump", "--single-transaction", "--routines", "--events", "--triggers", "billing")
    server.tool("mariadb-show", "billing")
    server.tool("mariadb-show", "--keys", "billing", "invoices")
    server.tool("mariadb-admin", "status", "extended-status", "processlist", "variables")
    server.tool("mariadb-check", "billing")
    server.tool(
        "mariadb", "--auto-rehash", "--table", text="use billing\nstatus\nshow tables;\nSELECT 1\\G\n"
    )
    sent = list(dict.fromkeys(server.statements()[before:]))
    assert len(sent) > 40
    stopped = {text for text in sent if not read(text).effects <= PLAIN and "mysql.general_log" not in text}
    assert stopped == {"FLUSH /*!40101 LOCAL */ TABLES", "FLUSH TABLES WITH READ LOCK"} & stopped


NAMED = [
    "SELECT '{w}', 0, {w}.ssn AS x FROM customers {w} JOIN invoices i ON 1 LIMIT 1",
    "SELECT '{w}', 1, {w}.ssn AS x FROM invoices i LEFT JOIN customers AS {w} ON 1 LIMIT 1",
    "SELECT '{w}', 2, ssn {w} FROM customers LIMIT 1",
    "SELECT '{w}', 3, UPPER(ssn) {w} FROM customers LIMIT 1",
]


def test_a_word_that_the_parser_knows_and_the_server_does_not_hides_no_column(server):
    """Words of other dialects (`FROM customers SEMI JOIN invoices`) are names here."""
    words = {part.lower() for key in MySQL.Tokenizer.KEYWORDS for part in key.split() if part.isalpha()}
    words |= {part for kind in TokenType for part in kind.name.lower().split("_") if part.isalpha()}
    script = ";\n".join(text.format(w=word) for word in sorted(words) for text in NAMED)
    taken = [line.split("\t") for line in server.run(script, database="billing", check=False).splitlines()]
    assert len(taken) > 400
    for word, number, _ in taken:
        facts = read(NAMED[int(number)].format(w=word))
        found = facts.outputs[-1].sources if facts.outputs else frozenset()
        assert found == {"customers.ssn"} or not facts.complete, (word, number)


def test_every_function_of_the_server_is_known_or_unknown_on_purpose(server):
    names = server.run("SELECT LOWER(function) FROM information_schema.sql_functions").split()
    assert len(names) > 200
    strangers = {
        name for name in names if functions.effects_of(name) is None and name not in functions.NOT_CALLS
    }
    assert strangers <= {
        "spider_bg_direct_sql",
        "spider_copy_tables",
        "spider_direct_sql",
        "spider_flush_table_mon_cache",
    }
