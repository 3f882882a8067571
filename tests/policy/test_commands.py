"""`countersign check` and `countersign explain`, as they are called."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.__main__ import main
from gateway.commands.explain import Explainer, explain_line
from gateway.model import Effect
from gateway.policy.file import parse
from gateway.vocabulary import known
from tests.policy.house import MINIMAL, patient

SHIPPED = Path(__file__).parents[2] / "policies.yaml"
KEYS = ["id", "verdict", "effects", "complete", "rules", "message", "masked", "sanitised", "attributes"]


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "policies.yaml"
    path.write_text(MINIMAL)
    return path


# check


def test_check_says_what_a_good_policy_means(capsys) -> None:
    assert main(["check", str(SHIPPED)]) == 0
    out = capsys.readouterr().out
    assert "connection shop: postgres, 127.0.0.1:15432 -> 127.0.0.1:5433/shop (TLS: disable)" in out
    assert "connection billing: mysql, 127.0.0.1:13306" in out
    assert "connection cluster: kubernetes, 127.0.0.1:16443" in out
    assert "rule writes-need-a-dba: holds" in out
    assert "0 errors, 0 warnings, 24 examples tried" in out


def test_check_prints_every_error_with_its_place(file, capsys) -> None:
    file.write_text(
        MINIMAL.replace("effects: read", "effects: raed").replace("default: block", "default: maybe")
    )
    assert main(["check", str(file)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{file}:8:35: rules[0].when.effects: `raed` is not an effect")
    assert out[1].startswith(f"{file}:9:10: default: ")
    assert out[-1] == f"{file}: 2 errors, 0 warnings"


OVER_SSH = """
connections:
  web-1:
    protocol: ssh
    listen: 0.0.0.0:12222
    upstream: ssh://web-1.internal?known_hosts=/etc/known_hosts
    credential: {user: deploy}
agents:
  deployer: {secret: env:DEPLOYER_SECRET, person: maria.lopez@example.com, scope: {web-1: [read]}}
rules: [{name: reads, when: {effects: [read]}, then: {allow: true}}]
default: block
"""


def test_check_asks_for_no_tls_where_the_protocol_encrypts_by_itself(file, capsys) -> None:
    file.write_text(OVER_SSH)
    assert main(["check", str(file)]) == 0
    out = capsys.readouterr().out
    assert "0.0.0.0:12222 -> web-1.internal:22 (host keys: /etc/known_hosts)" in out
    assert "TLS" not in out
    assert "sslmode" not in out


def test_check_refuses_what_says_nothing_of_such_a_protocol(file, capsys) -> None:
    file.write_text(OVER_SSH.replace("known_hosts=/etc/known_hosts", "sslmode=require"))
    assert main(["check", str(file)]) == 1
    assert "`sslmode` is no parameter of such an address; known here: known_hosts" in capsys.readouterr().out


OVER_HTTP = """
connections:
  shop-api:
    protocol: http
    listen: 127.0.0.1:18080
    upstream: {}
    credential: {{token: env:SHOP_TOKEN}}
agents:
  deployer: {{secret: env:DEPLOYER_SECRET, person: maria.lopez@example.com, scope: {{shop-api: [read]}}}}
rules: [{{name: reads, when: {{effects: [read]}}, then: {{allow: true}}}}]
default: block
"""


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("https://127.0.0.1", "127.0.0.1:443 (TLS: verify-full)"),
        ("https://shop.internal:8443/", "shop.internal:8443 (TLS: verify-full)"),
        ("https://shop.internal?sslmode=require", "shop.internal:443 (TLS: require)"),
        ("http://shop.internal", "shop.internal:80 (TLS: disable)"),
    ],
)
def test_check_takes_the_scheme_of_a_service_for_what_it_says(file, capsys, address, reached) -> None:
    file.write_text(OVER_HTTP.format(address))
    main(["check", str(file)])
    assert f"-> {reached}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://shop.internal/v1", "this address has no path: the connection is to the whole service"),
        ("http://shop.internal?sslmode=require", "the address says http:// and sslmode=require"),
        ("http://shop.internal?sslrootcert=ca.pem", "the address says http:// and sslmode=verify-full"),
        ("https://shop.internal?sslmode=disable", "the address says https:// and sslmode=disable"),
    ],
)
def test_check_refuses_what_a_service_cannot_be(file, capsys, address, told) -> None:
    file.write_text(OVER_HTTP.format(address))
    assert main(["check", str(file)]) == 1
    assert told in capsys.readouterr().out


def test_check_fails_on_an_example_that_does_not_hold(file, capsys) -> None:
    file.write_text(MINIMAL + "examples:\n  - {connection: shop, command: DROP TABLE a, expect: allow}\n")
    assert main(["check", "--json", str(file)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    (error,) = answer["errors"]
    assert (error["line"], error["column"], error["key"]) == (11, 5, "examples[0]")
    assert "it is blocked by default" in error["message"]


def test_check_as_json_holds_what_was_resolved(file, capsys) -> None:
    assert main(["check", "--json", str(file)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is True
    assert answer["connections"][0]["upstream"] == "db.internal:5432/shop"
    assert answer["rules"] == [{"name": "reads", "line": 8, "then": "allow", "enforce": True}]
    assert answer["default"] == {"then": "block", "line": 9}
    assert {warning["key"] for warning in answer["warnings"]} == {"connections.shop", "examples"}


def test_check_shows_coverage_with_what_falls_to_the_default(file, capsys) -> None:
    payroll = "  - {name: payroll, when: {resources: ['payroll.*']}, then: {block: 'No.'}}\n"
    file.write_text(MINIMAL.replace("default:", payroll + "default:"))
    assert main(["check", str(file)]) == 0
    out = capsys.readouterr().out
    table = [line.split() for line in out.splitlines()]
    assert ["coverage", *Effect] in table
    assert ["shop", "allow~", *["block*"] * 8] in table
    assert "* no rule always speaks of it: the default" in out
    assert "shop read: block, by payroll (line 9), depending on resources" in out
    assert main(["check", "--json", str(file)]) == 0
    cells = {each["effect"]: each for each in json.loads(capsys.readouterr().out)["coverage"]}
    assert (cells["read"]["verdict"], cells["read"]["default"], cells["write"]["default"]) == (
        "allow",
        False,
        True,
    )
    assert [each["rule"] for each in cells["read"]["may"]] == ["payroll"]


@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [
        ([], MINIMAL, 0),
        (["--strict"], MINIMAL, 1),
        (["--format", "json"], MINIMAL, 0),
        (["--format", "github"], MINIMAL.replace("read", "raed"), 1),
        (["--json"], "", 1),
    ],
)
def test_check_says_by_its_exit_code(file, capsys, arguments, text, code) -> None:
    file.write_text(text)
    assert main(["check", *arguments, str(file)]) == code
    assert capsys.readouterr().out


def test_check_writes_annotations_for_a_workflow(file, capsys) -> None:
    file.write_text(MINIMAL.replace("effects: read", "effects: raed"))
    assert main(["check", "--format", "github", str(file)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        f"::error file={file},line=8,col=35::rules[0].when.effects: `raed` is not an effect"
    )


def test_check_shows_hostile_words_harmlessly(file, capsys) -> None:
    file.write_text(MINIMAL + 'x: "\x1b"\n"\\e[31m\\u202e": 1\n')
    assert main(["check", str(file)]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_check_knows_a_missing_file_from_a_broken_one(tmp_path, capsys) -> None:
    assert main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "there is no such file; name the policy's file" in capsys.readouterr().err
    assert main(["explain", "--policy", str(tmp_path / "none.yaml"), "SELECT 1"]) == 1
    assert "name the policy's file" in capsys.readouterr().err


# explain, for people


def test_explain_tells_the_verdict_and_why(capsys) -> None:
    command = "UPDATE orders SET status = 'paid' WHERE id = 7"
    assert main(["explain", "--policy", str(SHIPPED), "--connection", "shop", command]) == 0
    out = capsys.readouterr().out
    assert out.startswith("hold  by writes-need-a-dba, on shop")
    assert "asks       1 of dba, within 15 minutes" in out
    assert "touches    table orders (write)" in out
    assert "destructive-never" in out
    assert "speaks of destructive, privilege" in out


def test_explain_says_what_a_yes_for_the_shape_would_let_go(capsys, tmp_path) -> None:
    policy = tmp_path / "policies.yaml"
    policy.write_text(LASTING)
    asked = ["explain", "--policy", str(policy), "--connection"]
    assert main([*asked, "billing", "UPDATE invoices SET paid = 1 WHERE id = 7 LIMIT 1"]) == 0
    out = capsys.readouterr().out
    assert "shape      UPDATE invoices SET paid = … WHERE id = … LIMIT 1\n" in out
    assert "goes too   UPDATE invoices SET paid = 42 WHERE id = 42 LIMIT 1\n" in out
    assert main([*asked, "web", "--json", "touch /srv/x"]) == 0
    assert json.loads(capsys.readouterr().out)["shape"] == {
        "words": "touch /srv/x",
        "passes": "",
        "stops": "touch /srv/x; id",
    }
    assert main([*asked, "web", "--json", "touch $(id)"]) == 0
    assert json.loads(capsys.readouterr().out)["shape"] is None


LASTING = """
connections:
  billing: {protocol: mysql, listen: 127.0.0.1:0, upstream: "mysql://db/billing", credential: {user: u, password: env:X}}
  web: {protocol: ssh, listen: 127.0.0.1:0, upstream: "ssh://web", credential: {user: u, password: env:X}}
groups:
  dba: {members: [ana.silva@example.com]}
rules:
  - name: for-a-while
    when: {effects: [read, write, exec, unknown]}
    then: {hold: {approvers: dba, for_a_while: {up_to: 1h, what: [call, shape]}}}
default: block
"""


def test_explain_as_json_gives_a_reason_for_each_rule(capsys) -> None:
    assert main(["explain", "--policy", str(SHIPPED), "--json", "SELECT name FROM customers"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "allow"
    assert answer["masked"] == ["name"]
    assert [each["rule"] for each in answer["why"]] == ["destructive-never", "writes-need-a-dba", "reads"]
    (reads,) = [each for each in answer["why"] if each["decides"]]
    line = SHIPPED.read_text().splitlines()[reads["line"] - 1]
    assert (reads["file"], line.strip()) == (str(SHIPPED), "- name: reads")
    assert (
        answer["because"] == f"Allowed, because reads ({SHIPPED}:{reads['line']}) allows read of customers."
    )
    assert answer["outside_scope"] == []


def test_explain_names_file_and_line_of_what_decided(capsys) -> None:
    assert main(["explain", "--policy", str(SHIPPED), "COPY orders TO PROGRAM 'x'"]) == 0
    said = capsys.readouterr().out.splitlines()[1]
    line = SHIPPED.read_text().splitlines().index("default: hold") + 1
    assert said.startswith("Held, because default ")
    assert f"({SHIPPED}:{line}) holds: no rule speaks of exec" in said


def test_explain_says_what_a_scope_refuses_before_any_rule(capsys) -> None:
    asked = ["explain", "--policy", str(SHIPPED), "--connection", "billing", "--agent", "release-pipeline"]
    assert main([*asked, "--dialect", "mariadb", "DROP TABLE invoices"]) == 0
    assert "release-pipeline has no ddl, destructive here: refused before any rule" in capsys.readouterr().out


def test_explain_reads_exact_bytes_from_stdin(capsys, monkeypatch) -> None:
    class Input:
        buffer = io.BytesIO(b"SELECT '\xff'")

    monkeypatch.setattr(sys, "stdin", Input)
    assert main(["explain", "--policy", str(SHIPPED), "-"]) == 0
    assert capsys.readouterr().out.startswith("hold  by default")


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_explain_is_coloured_on_a_terminal_that_wants_it(monkeypatch, no_color, coloured) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["explain", "--policy", str(SHIPPED), "SELECT 1"]) == 0
    assert out.getvalue().startswith("\x1b[32mallow\x1b[0m  by reads" if coloured else "allow  by reads")


def test_explain_takes_the_moment_from_its_options(file, capsys) -> None:
    more = (
        "  - {name: late, when: {outside: {from: '09:00', to: '17:00', zone: UTC}}, then: {block: 'It is late.'}}\n"
        "  - {name: much, when: {estimated_rows: {gt: 10}}, then: {block: 'Much.'}}\n"
        "  - {name: often, when: {budget: {commands: 5}}, then: {block: 'Often.'}}\n"
    )
    file.write_text(MINIMAL.replace("default:", more + "default:"))

    def said(*options: str) -> list[str]:
        assert main(["explain", "--policy", str(file), "--json", *options, "SELECT 1"]) == 0
        return json.loads(capsys.readouterr().out)["rules"]

    noon, night = "2026-01-05T12:00Z", "2026-01-05T20:00Z"
    assert said("--at", noon, "--rows", "1") == ["reads"]
    assert said("--at", night, "--rows", "1") == ["late"]
    assert said("--at", noon, "--rows", "11") == ["much"]
    assert said("--at", noon) == ["much"]
    assert said("--at", noon, "--rows", "1", "--used", "5") == ["often"]
    assert main(["explain", "--policy", str(file), "--at", "noon", "SELECT 1"]) == 2
    assert "2026-03-29T09:30+02:00" in capsys.readouterr().err


def test_explain_reads_the_command_from_stdin(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("DROP TABLE orders"))
    assert main(["explain", "--policy", str(SHIPPED), "-"]) == 0
    assert capsys.readouterr().out.startswith("block  by destructive-never")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--connection", "none", "SELECT 1"], 2),
        ([], 2),
        (["--policy", "none.yaml", "SELECT 1"], 1),
        (["--at", "noon", "SELECT 1"], 2),
        (["--rows", "-1", "SELECT 1"], 2),
    ],
)
def test_explain_says_what_it_lacks_or_what_is_wrong(capsys, arguments, code) -> None:
    assert main(["explain", "--policy", str(SHIPPED), *arguments]) == code
    assert capsys.readouterr().err


def test_explain_obeys_no_control_characters_of_a_command(capsys) -> None:
    assert main(["explain", "--policy", str(SHIPPED), 'SELECT 1 FROM "a\x1b[31m\u202eb"']) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\\u001b[31m" in out


# explain, in batches


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    vocabulary = known()
    return Explainer(parse(SHIPPED.read_text(), "policies.yaml", vocabulary), vocabulary)


def ask(explainer: Explainer, row) -> dict:
    line = row if isinstance(row, bytes) else json.dumps(row).encode()
    answer = explain_line(explainer, line)
    assert answer.endswith(b"\n")
    assert answer.count(b"\n") == 1
    told = json.loads(answer)
    assert list(told) == KEYS
    return told


def test_a_stream_answers_every_row(batch) -> None:
    lines = [
        b'{"id":"a","protocol":"postgres","command":"SELECT 1"}\n',
        b"\n",
        b"not json\n",
        b'{"id":"b","protocol":"postgres","command":"DROP TABLE x"}',
    ]
    answers = batch(b"".join(lines))
    assert [(each["id"], each["verdict"]) for each in answers] == [
        ("a", "allow"),
        (None, "block"),
        ("b", "block"),
    ]


@pytest.mark.parametrize(
    ("row", "verdict", "rules"),
    [
        ({"protocol": "postgres", "command": "SELECT 1"}, "allow", ["reads"]),
        (
            {"protocol": "postgres", "connection": "shop", "command": "TRUNCATE a"},
            "block",
            ["destructive-never"],
        ),
        ({"connection": "shop", "command": "SELECT 1"}, "allow", ["reads"]),
        ({"protocol": "postgres", "command_b64": "U0VMRUNUIDE="}, "allow", ["reads"]),
        ({"protocol": "postgres", "command_b64": "/w=="}, "hold", ["default"]),
        (
            {"protocol": "postgres", "command": "SELECT 1", "agent": "a", "person": "b", "groups": ["c"]},
            "allow",
            ["reads"],
        ),
        ({"protocol": "mysql", "command": "SELECT 1"}, "allow", ["reads"]),
        ({"protocol": "ssh", "command": "ls"}, "allow", ["reads"]),
        ({"protocol": "http", "method": "GET", "path": "/"}, "allow", ["reads"]),
        ({"protocol": "kubernetes", "raw_b64": "AA=="}, "hold", ["default"]),
    ],
)
def test_a_row_gets_the_verdict_of_the_policy(explainer, row, verdict, rules) -> None:
    told = ask(explainer, {"id": 7, **row})
    assert (told["id"], told["verdict"], told["rules"]) == (7, verdict, rules)
    if verdict == "hold":
        assert told["effects"] == ["unknown"]
        assert told["complete"] is False


@pytest.mark.parametrize(
    "row",
    [
        {"protocol": "ftp", "command": "x"},
        {"protocol": ["postgres"], "command": "x"},
        {"command": "x"},
        {"protocol": "postgres"},
        {"protocol": "postgres", "command": 5},
        {"protocol": "postgres", "command_b64": "!"},
        {"protocol": "postgres", "connection": "none", "command": "SELECT 1"},
        {"protocol": "mysql", "connection": "shop", "command": "SELECT 1"},
        {"protocol": [], "connection": "shop", "command": "SELECT 1"},
        {"protocol": "postgres", "connection": {}, "command": "SELECT 1"},
        {"protocol": "postgres", "command": "SELECT 1", "agent": 5},
        {"protocol": "postgres", "command": "SELECT 1", "groups": [1]},
        {"protocol": "postgres", "command": "SELECT 1", "session_before": "SELECT 1"},
        {"protocol": "postgres", "command": "SELECT 1", "session_before": {"a": 1}},
    ],
)
def test_a_row_that_cannot_be_read_is_blocked(explainer, row) -> None:
    told = ask(explainer, {"id": "x", **row})
    assert (told["id"], told["verdict"], told["effects"]) == ("x", "block", ["unknown"])
    assert told["complete"] is False
    assert told["message"]


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"id":NaN}', b"null", b'"\\ud800"']
)
def test_a_line_that_is_no_row_is_blocked(explainer, line) -> None:
    assert ask(explainer, line)["verdict"] == "block"


def test_a_command_that_utf8_cannot_spell_is_not_allowed(explainer) -> None:
    told = ask(explainer, b'{"id":"\\ud800","protocol":"postgres","command":"SELECT 1 -- \\ud800"}')
    assert told["id"] == "\ud800"
    assert told["verdict"] != "allow"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(max_size=8)
    | st.sampled_from(["postgres", "shop", "SELECT 1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@patient
@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "protocol", "connection", "command", "command_b64", "session_before", "agent", "groups"]
        ),
        values,
    )
)
def test_whatever_a_row_holds_it_is_answered(explainer, row) -> None:
    told = ask(explainer, orjson.dumps(row))
    assert told["verdict"] in {"allow", "hold", "block"}
    assert told["id"] == row.get("id")
