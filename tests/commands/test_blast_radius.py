"""`countersign blast-radius`: the table, the JSON and the picture of what a chain reaches."""

from __future__ import annotations

import io
import json
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jwt
import pytest

from gateway.__main__ import main
from gateway.commands.check import BY_DEFAULT

POLICY = """\
connections:
  shop: {protocol: postgres, listen: 127.0.0.1:1, upstream: "postgresql://127.0.0.1:1/s", credential: {user: g}, labels: {env: prod}}
  lab: {protocol: postgres, listen: 127.0.0.1:2, upstream: "postgresql://127.0.0.1:1/l", credential: {user: g}}
agents:
  root: {person: maria.lopez@example.com, scope: {shop: [read, write, ddl, destructive], lab: [read]}, max_depth: 3}
  hermit: {person: maria.lopez@example.com, scope: {lab: [exfil]}, max_depth: 1}
groups:
  dba: {members: [ana.silva@example.com]}
  leads: {members: [maria.lopez@example.com]}
rules:
  - {name: reads, when: {effects: [read, session]}, then: {allow: true}}
  - {name: writes, when: {effects: [write], labels: {env: prod}}, then: {hold: {approvers: dba}}}
  - {name: two, when: {effects: [ddl]}, then: {hold: {asks: [{approvers: dba}, {approvers: leads, quorum: 1}]}}}
  - {name: never, when: {effects: [destructive]}, then: {block: "No."}}
  - {name: payroll, when: {resources: ["payroll.*"]}, then: {block: "No."}}
  - {name: shallow, when: {agents: [deep], effects: [read]}, then: {block: "No."}}
  - {name: shadow, when: {effects: [read]}, then: {block: "No."}, enforce: false}
default: hold
elevations:
  - {name: more, effects: [write], agents: [root], hold: {approvers: dba}}
"""
HOSTILE = '<script>alert(1)</script>"\x1b[31m\u202e&' + "長" * 80


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "policies.yaml"
    path.write_text(POLICY)
    return str(path)


@pytest.fixture
def told(file: str, capsys: pytest.CaptureFixture[str]):
    def tell(*arguments: str) -> tuple[int, dict]:
        code = main(["blast-radius", "--policy", file, "--json", *arguments])
        return code, json.loads(capsys.readouterr().out)

    return tell


def token(*names: str, seconds: float = 600, **claims) -> str:
    links = [{"name": name, "jti": f"t{at}", "task": ""} for at, name in enumerate(names)]
    scope = {"type": "countersign_connection", "identifier": "shop", "actions": ["read", "write"]}
    gone = {"type": "countersign_connection", "identifier": "attic", "actions": ["read"]}
    body = {
        "person": "maria.lopez@example.com",
        "lineage": links,
        "authorization_details": [scope, gone],
        "exp": time.time() + seconds,
        "depth_left": 1,
    }
    return jwt.encode(body | claims, "k" * 32, algorithm="HS256")


def reach(chain: dict) -> dict[str, dict[str, str]]:
    return {
        each["name"]: {effect["effect"]: effect["reach"] for effect in each["effects"]}
        for each in chain["connections"]
    }


def test_every_agent_is_told_by_default(told) -> None:
    code, said = told()
    assert code == 0
    root, hermit = said["chains"]
    assert reach(root) == {
        "shop": {
            "read": "now",
            "write": "with approval",
            "ddl": "with approval",
            "destructive": "never",
            "session": "now",
        },
        "lab": {"read": "now", "session": "now"},
    }
    assert reach(hermit) == {"lab": {"exfil": "with approval", "session": "now"}}
    assert (root["groups"], root["deeper"], hermit["deeper"]) == (["leads"], 2, 0)


def test_who_has_to_say_yes_and_what_else_may_come_is_told(told) -> None:
    _, said = told("root")
    effects = {each["effect"]: each for each in said["chains"][0]["connections"][0]["effects"]}
    assert effects["write"]["asks"] == [{"approvers": "dba", "quorum": 1, "step_up": None}]
    assert effects["write"]["elevations"] == ["more"]
    assert [ask["approvers"] for ask in effects["ddl"]["asks"]] == ["dba", "leads"]
    assert effects["ddl"]["elevations"] == []
    assert [(each["rule"], each["on"]) for each in effects["read"]["may"]] == [("payroll", ["resources"])]


def test_a_token_reaches_what_its_scope_and_lineage_say(told) -> None:
    code, said = told(token("root", "deep"))
    (chain,) = said["chains"]
    assert code == 0
    assert (chain["chain"], chain["deeper"], chain["gone"]) == (["root", "deep"], 1, ["attic"])
    assert reach(chain) == {"shop": {"read": "never", "write": "with approval", "session": "now"}}
    assert chain["connections"][0]["effects"][1]["elevations"] == [], "a child that the offer is not for"


def test_a_person_s_token_says_the_groups_that_only_their_provider_knows(file, told) -> None:
    path = Path(file)
    path.write_text(path.read_text().replace("leads: {", "eng: {claim: engineers}\n  leads: {"))
    ada = "ada@example.com"
    _, said = told(token(ada, person=ada, groups=["eng", "leads", "none", 7]))
    # What the file itself lists, it knows better than a token of yesterday.
    assert (said["chains"][0]["chain"], said["chains"][0]["groups"]) == ([ada], ["eng"])


def test_a_token_that_has_ended_reaches_nothing_any_more(told) -> None:
    code, said = told(token("root", seconds=-1))
    assert (code, said["ended"]) == (1, True)


def test_a_token_comes_by_stdin(told, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(token("root") + "\n"))
    assert told("-")[1]["chains"][0]["agent"] == "root"


@pytest.mark.parametrize("who", ["rot", "a.b.c", "", "x" * 9_000, token("root", lineage=5, exp=None)])
def test_who_is_neither_is_said(file, capsys, who) -> None:
    assert main(["blast-radius", "--policy", file, who]) == 2
    error = capsys.readouterr().err
    assert "there is no agent" in error
    assert len(error) < 400
    if who == "rot":
        assert "did you mean `root`?" in error


def test_a_policy_that_is_none_is_said(tmp_path, capsys) -> None:
    assert main(["blast-radius", "--policy", str(tmp_path / "none.yaml")]) == 1
    assert capsys.readouterr().err


def test_people_get_a_table(file, capsys) -> None:
    assert main(["blast-radius", "--policy", file, "root"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "maria.lopez@example.com → root  (may put 2 more below itself)"
    assert lines[1].split() == ["CONNECTION", "NOW", "WITH", "APPROVAL", "NEVER"]
    assert lines[2].split() == ["shop", "read~,", "session~", "write~,", "ddl~", "destructive"]
    assert "  shop: write needs 1 of dba, or the elevation more" in lines
    assert "  shop: ddl needs 1 of dba and 1 of leads" in lines
    assert any("never, by payroll" in line and "depending on resources" in line for line in lines)
    assert BY_DEFAULT not in lines


def test_what_the_default_decides_is_marked_and_the_mark_explained(capsys) -> None:
    shipped = Path(__file__).parents[2] / "policies.yaml"
    assert main(["blast-radius", "--policy", str(shipped), "release-pipeline"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[0] == "web-1" and "exec*" in line for line in lines)
    assert BY_DEFAULT in lines


def test_the_picture_is_one_that_anybody_can_read(file, tmp_path, capsys) -> None:
    picture = tmp_path / "reach.svg"
    assert main(["blast-radius", "--policy", file, "--svg", str(picture)]) == 0
    root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    words = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"shop", "lab", "↳ root", "↳ hermit", "now", "with approval", "never"} <= set(words)
    labels = {each.get("id"): each.text for each in root if each.get("id")}
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title said"
    assert labels["title"] == "What root, hermit can reach"
    assert "shop: now read, session; with approval write, ddl; never destructive" in str(labels["said"])
    assert capsys.readouterr().out


def test_hostile_names_harm_neither_terminal_nor_picture(file, capsys) -> None:
    assert main(["blast-radius", "--policy", file, token("root", HOSTILE), "--svg", "-"]) == 0
    picture = capsys.readouterr().out
    root = ElementTree.fromstring(picture)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert "\u202e" not in picture
    assert "\x1b" not in picture
    shown = [
        str(each.text or "".join(child.tail or "" for child in each))
        for each in root.iter()
        if each.tag.endswith("}text")
    ]
    assert any(each.endswith("…") for each in shown)
    assert main(["blast-radius", "--policy", file, token("root", HOSTILE)]) == 0
    table = capsys.readouterr().out
    assert "\\u001b[31m\\u202e" in table
    assert "\x1b" not in table
    assert "As the token says of itself" in table


def test_a_picture_that_cannot_be_written_is_said(file, tmp_path, capsys) -> None:
    assert main(["blast-radius", "--policy", file, "--svg", str(tmp_path / "no" / "x.svg")]) == 2
    assert "cannot be written" in capsys.readouterr().err
