"""`countersign policy diff` and `policy test`: what an edit would change, by recordings and by examples."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.__main__ import main
from gateway.model import Actor, Connection, Effect, Lineage, Resource, Session
from gateway.recorder import Recorder
from gateway.vocabulary import known

RULES = """\
connections:
  shop: {protocol: postgres, listen: 127.0.0.1:0, upstream: "postgresql://127.0.0.1:1/shop", credential: {user: gateway}}
groups:
  dba: {members: [ana.silva@example.com]}
  security: {members: [sam.chen@example.com]}
rules:
  - {name: reads, when: {effects: [read, session]}, then: {allow: true, mask: pii}}
  - {name: writes, when: {effects: [write]}, then: {hold: {approvers: dba}}}
default: block
masks: {pii: {columns: {"*.ssn": redact}}}
"""
OLD = RULES + "examples: [{connection: shop, command: SELECT 1, expect: allow}]\n"
UPDATE, SELECT = "UPDATE orders SET note = 'x' WHERE id = 7", "SELECT ssn, id FROM customers"


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], list[str]]:
    """The old policy and an edited one, as arguments."""

    def write(new: str) -> list[str]:
        paths = []
        for name, text in (("old.yaml", OLD), ("new.yaml", new)):
            (tmp_path / name).write_text(text)
            paths.append(str(tmp_path / name))
        return paths

    return write


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two sessions that asked, at 12:00 and 23:00 UTC, as a gateway records them."""
    noon = 1_767_614_400.0
    for session_id, begins in (("s1", noon), ("s2", noon + 11 * 3600)):
        ticks = itertools.count(int(begins))
        recorder = Recorder(
            tmp_path / "recordings",
            clock=lambda ticks=ticks: float(next(ticks)),  # type: ignore[misc]
            sign=Ed25519PrivateKey.generate().sign,
            key_id=lambda: "k1",
        )
        recording = recorder.open(
            Session(
                id=session_id,
                lineage=Lineage(
                    person="maria.lopez@example.com", chain=(Actor(name="root", token_id=session_id),)
                ),
                connection=Connection(name="shop", protocol="postgres"),
                scope=frozenset(Effect),
                opened_at=begins,
                expires_at=begins + 60,
            )
        )
        for number, text in enumerate((UPDATE, SELECT, SELECT, "EXECUTE hidden")):
            facts = known().read_facts("postgres", {"command": text})
            effects, resources = facts.effects, facts.resources
            if text.startswith("EXECUTE"):  # what the session had prepared, the text alone does not say
                effects = frozenset({Effect.WRITE})
                resources = (Resource(kind="table", name="payroll.runs", effect=Effect.WRITE),)
            recording.asked(
                f"c{number}",
                text=text,
                parameters=(),
                effects=effects,
                resources=resources,
                verdict="allow",
                rules=("reads",),
                digest="ab" * 32,
                message="",
            )
        recording.close("the client left")
    return tmp_path / "recordings"


def diff(capsys, arguments: list[str], *more: str) -> tuple[int, dict]:
    code = main(["policy", "diff", "--json", *arguments, *more])
    return code, json.loads(capsys.readouterr().out)


def test_no_difference_is_zero(files, recordings, capsys) -> None:
    code, said = diff(
        capsys, files(OLD.replace("name: writes", "name: changes")), "--recordings", str(recordings)
    )
    assert (code, said["differences"]) == (0, []), "the name of a rule alone is no difference"
    assert (said["sessions"], said["commands"], said["changed"]) == (2, 8, 0)


def test_every_recorded_verdict_that_changes_is_told_with_rules_counts_and_examples(
    files, recordings, capsys
) -> None:
    new = OLD.replace(
        "effects: [write]}, then: {hold: {approvers: dba}}", "effects: [write]}, then: {allow: true}"
    )
    code, said = diff(capsys, files(new), "--recordings", str(recordings))
    assert code == 1
    (found,) = said["differences"]
    assert found["loosens"] is True
    assert (found["before"]["verdict"], found["before"]["rules"]) == ("hold", ["writes"])
    assert (found["after"]["verdict"], found["after"]["rules"]) == ("allow", ["writes"])
    assert found["commands"] == said["changed"] == 4
    assert found["examples"] == [UPDATE, "EXECUTE hidden"]


@pytest.mark.parametrize(
    ("old", "new", "changed", "what"),
    [
        ("{approvers: dba}", "{approvers: security}", 4, "asks"),
        ("{approvers: dba}", "{approvers: dba, quorum: 2}", 4, "asks"),
        ("{approvers: dba}", "{approvers: dba, step_up: {max_age: 5m}}", 4, "logins"),
        (
            "{approvers: dba}",
            "{approvers: dba, for_a_while: {up_to: 5m, what: [shape]}}",
            4,
            "lasting",
        ),
        ("{approvers: dba}", "{approvers: dba, remind: 5m}", 4, "unanswered"),
        ("allow: true, mask: pii", "allow: true", 8, "masks"),
        ('"*.ssn"', '"*.name"', 4, "masked"),
        ("effects: [write]}", "effects: [write], resources: ['payroll.*']}", 2, "verdict"),
        (
            "effects: [write]}",
            "effects: [write], outside: {from: '09:00', to: '17:00', zone: UTC}}",
            2,
            "verdict",
        ),
        ("effects: [write]}", "effects: [write], attributes: {sql.where_restricts: false}}", 4, "verdict"),
        ("  shop:", "  store:", 8, "rules"),
    ],
)
def test_whatever_somebody_would_notice_is_a_difference(
    files, recordings, capsys, old, new, changed, what
) -> None:
    edited = OLD.replace(old, new).replace(
        "connection: shop", "connection: store" if "store" in new else "connection: shop"
    )
    assert edited != OLD
    code, said = diff(capsys, files(edited), "--recordings", str(recordings))
    assert (code, said["changed"]) == (1, changed)
    assert all(each["before"][what] != each["after"][what] for each in said["differences"])


def test_without_recordings_the_examples_of_both_files_are_judged(files, capsys) -> None:
    new = RULES.replace("effects: [read, session]", "effects: [session]") + (
        f'examples: [{{connection: shop, command: "{UPDATE}", expect: hold}}]\n'
    )
    code, said = diff(capsys, files(new))
    assert (code, said["of"], said["commands"]) == (1, "examples", 2)
    assert [each["examples"] for each in said["differences"]] == [["SELECT 1"]]
    assert said["differences"][0]["loosens"] is False


def test_people_are_told_the_same(files, recordings, capsys) -> None:
    new = OLD.replace("hold: {approvers: dba}", "allow: true")
    assert main(["policy", "diff", *files(new), "--recordings", str(recordings)]) == 1
    out = capsys.readouterr().out
    assert "looser: shop: hold by writes -> allow by writes, 4 commands" in out
    assert f"e.g. {UPDATE}" in out
    assert out.endswith("8 commands of 2 sessions judged by both, 4 with another outcome\n")


def test_hostile_commands_are_shown_harmlessly(files, capsys) -> None:
    new = OLD.replace("command: SELECT 1", 'command: "SELECT 1 FROM \\"\\e[31m\\u202e\\""').replace(
        "hold: {approvers: dba}", "allow: true"
    )
    new = new.replace("{effects: [read, session]}", "{effects: [session]}").replace(
        "expect: allow", "expect: block"
    )
    assert main(["policy", "diff", *files(new)]) == 1
    out = capsys.readouterr().out
    assert "\\u001b[31m\\u202e" in out
    assert "\x1b" not in out


def test_a_recording_that_does_not_hold_is_named_and_the_rest_counts(files, recordings, capsys) -> None:
    broken = next(recordings.rglob("s1.rec"))
    data = broken.read_bytes()
    broken.write_bytes(data.replace(b"UPDATE", b"DELETE", 1))
    code = main(["policy", "diff", *files(OLD), "--recordings", str(recordings)])
    told = capsys.readouterr()
    assert code == 0
    assert "s1.rec" in told.err
    assert "5 commands of 2 sessions" in told.out


@pytest.mark.parametrize("arguments", [["--recordings", "nowhere"], []])
def test_what_cannot_be_compared_is_two(files, capsys, arguments) -> None:
    old, new = files("rules: []")
    assert main(["policy", "diff", old, new, *arguments]) == 2
    assert capsys.readouterr().err


def test_an_empty_directory_is_nothing_to_compare(files, tmp_path, capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["policy", "diff", *files(OLD), "--recordings", str(tmp_path / "empty")]) == 2
    assert "nothing to compare" in capsys.readouterr().err


# test


def test_policy_test_runs_the_examples(files, capsys) -> None:
    path, broken = files(OLD.replace("expect: allow", "expect: hold"))
    assert main(["policy", "test", path]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:11: allow by reads: shop: SELECT 1",
        f"{path}: 1 example tried, 0 failed",
    ]
    assert main(["policy", "test", broken]) == 1
    assert f"{broken}:11: FAILS `SELECT 1` is to be held, but it is allowed" in capsys.readouterr().out
    assert main(["policy", "test", "--json", broken]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert said["examples"][0]["verdict"] == "allow"
    assert main(["policy", "test", "nowhere.yaml"]) == 2
