"""What names tell: deeds from titles, credentials from talk about them, calls that only look from all others."""

from __future__ import annotations

import pytest

from gateway.facts.http import request_of
from gateway.facts.http.calls import plainly_reads
from gateway.facts.http.credentials import is_credential, secret_file
from gateway.facts.http.segments import deletes_one_item, names_a_deed
from gateway.facts.http.statements import is_sql, only_selects
from gateway.facts.http.words import parts, words


def segments(path):
    return tuple(filter(None, path.split("/")))


@pytest.mark.parametrize("name", ["deleteUser", "delete-user", "delete_user", "delete.user", "DELETE_USER"])
def test_a_name_has_the_same_words_however_it_is_written(name):
    assert parts(name) == ("delete", "user")


def test_a_word_that_only_case_cuts_counts_whole_as_well():
    assert {"shutdown", "shut", "down"} <= words("ShutDown")


@pytest.mark.parametrize(
    "path",
    ["/orders/7/cancel", "/orders/delete/7", "/deleteUser", "/delete_order/7", "/api/addAdmin", "/users/7/set-password", "/cache/flushAll", "/users/delete-all", "/order_delete.asp", "/system/ShutDown"],
)  # fmt: skip
def test_a_path_may_say_a_deed(path):
    assert names_a_deed(segments(path))


@pytest.mark.parametrize(
    "path",
    ["/", "/orders/7", "/orders/7/edit", "/orders/cancelled", "/products/stop-sign", "/runbooks/delete-old-logs", "/docs/delete", "/stop/12/departures", "/orders/7/refunds", "/users/deleted", "/how-to-reset-your-router", "/commands"],
)  # fmt: skip
def test_things_and_titles_are_no_deeds(path):
    assert not names_a_deed(segments(path))


@pytest.mark.parametrize(
    ("target", "one"),
    [
        ("/orders/7", True),
        ("/users/alice", True),
        ("/orders/7/coupon", True),
        ("/tags/red-shoes", True),
        ("/orders", False),
        ("/orders/", False),
        ("/customers/42/orders", False),
        ("/databases/7", False),
        ("/repos/acme/shop", False),
        ("/orders/*", False),
        ("/orders/all", False),
        ("/users/7/data", False),
        ("/orders/7?force=true", False),
        ("/orders/7?cascade", False),
        ("/api/v1", False),
    ],
)
def test_deleting_one_item_is_not_deleting_many(target, one):
    assert deletes_one_item(request_of({"method": "DELETE", "path": target})) is one


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("secrets", True),
        ("apiKey", True),
        ("client_secret", True),
        ("passwordHash", True),
        ("access-tokens", True),
        ("backup.zip", True),
        ("secrets.json", True),
        ("password-policy", False),
        ("forgot-password", False),
        ("nextToken", False),
        ("key", False),
        ("public_key", False),
        ("keyboard", False),
        ("secret-santa", False),
        ("how-to-reset-your-password", False),
    ],
)
def test_credentials_are_known_by_their_noun(name, is_one):
    assert is_credential(name) is is_one


@pytest.mark.parametrize("path", ["/.env", "/app/.git/config", "/db.sql.gz", "/server.KEY", "/x/id_rsa"])
def test_some_files_are_not_meant_to_be_served(path):
    assert secret_file(path)
    assert not secret_file("/docs/environment.md")


@pytest.mark.parametrize(
    "name",
    ["get_order", "listOrders", "github_get_issue", "orders.list", "OrderService.GetOrder", "issue_read", "order_status", "count_orders", "resolve-library-id", "get_post", "list_open_issues", "find_and_list", "ping", "system.version"],
)  # fmt: skip
def test_a_call_that_only_looks_says_so(name):
    assert plainly_reads(name)


@pytest.mark.parametrize(
    "name",
    ["", "foo", "delete_order", "get_or_create_user", "list_and_delete", "getAndDelete", "search_and_book", "set_status", "post_status", "message_list", "flip_status", "check_out_cart", "resolve_issue", "get_secret", "list_api_keys", "get_token", "read_password", "run_query", "execute", "GETdelete"],
)  # fmt: skip
def test_any_other_call_does_not(name):
    assert not plainly_reads(name)


@pytest.mark.parametrize(
    "text", ["SELECT id, name FROM products WHERE id = 7", "select 1", "SELECT * FROM t LIMIT 5"]
)
def test_a_select_of_columns_under_their_own_names_only_selects(text):
    assert only_selects(text)


@pytest.mark.parametrize(
    "text",
    ["DELETE FROM t", "SELECT 1; DROP TABLE t", "SELECT 1 /*! DROP */", "SELECT ssn AS n FROM t", "SELECT upper(ssn) FROM t", "SELECT purge()", "SELECT 1 INTO OUTFILE 'x'", "SELECT * FROM url('http://x')", "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "SELECT", "select " + "(" * 9_000],
)  # fmt: skip
def test_any_other_statement_does_not(text):
    assert not only_selects(text)


@pytest.mark.parametrize(
    "text",
    ["SELECT 1", " ( select a from b", "/* x */ DROP TABLE t", "-- x\nDELETE FROM t", "WITH x AS (SELECT 1) SELECT 2", "UPDATE t SET a = 1", "CREATE OR REPLACE FUNCTION f()", "drop materialized view v", "TRUNCATE t", "GRANT ALL ON t TO x", "EXEC xp_cmdshell 'ls'", "CALL f()", "SET x = 1", "KILL QUERY 7", "SHOW GRANTS", "INSERT INTO t VALUES (1)", "select pg_sleep(1)"],
)  # fmt: skip
def test_a_statement_is_known_by_how_it_begins(text):
    assert is_sql(text)


@pytest.mark.parametrize(
    "text",
    ["drop shipping", "select all that apply", "update on order 7", "delete my account", "create a report", "show me orders", "use of force", "call center", "with love", "explain how", "grant application", "exec summary", "set up", "do you know", "insert coin", "kill bill"],
)  # fmt: skip
def test_what_people_search_for_is_none(text):
    assert not is_sql(text)
