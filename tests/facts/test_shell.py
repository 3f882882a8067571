"""What shell texts would do: state, resources, attributes, and the rows of `countersign explain`."""

from __future__ import annotations

import base64
import time

import pytest

from gateway.facts.shell import read
from gateway.model import Effect, Resource
from gateway.protocols.ssh.module import ATTRIBUTES, read_facts


def test_programs_hosts_and_counts_are_told():
    facts = read("sudo ssh web-2 ls | wc -l")
    assert facts.attributes["shell.programs"] == "sudo, ssh, ls, wc"
    assert facts.attributes["shell.remote"] == "web-2"
    assert facts.attributes["shell.sudo"] is True
    assert facts.attributes.keys() <= ATTRIBUTES


def test_paths_are_normalised_and_follow_cd():
    facts = read("cd /etc; cat ./nginx/../shadow")
    assert Resource(kind="file", name="/etc/shadow", effect=Effect.EXFIL) in facts.resources


def test_a_variable_has_every_value_it_may_have():
    assert Effect.DESTRUCTIVE in read("c=ls; if true; then c='rm -rf'; fi; $c /srv").effects
    assert read("c=rm; c=ls; $c /srv").effects == {Effect.READ, Effect.SESSION}


def test_lines_of_a_session_count():
    row = {"command": "$c -rf /srv", "session_before": ["c=rm"]}
    assert Effect.DESTRUCTIVE in read_facts(row).effects
    assert Effect.UNKNOWN in read_facts({"command": "$c -rf /srv"}).effects


def test_exact_bytes_must_be_utf_8():
    assert read_facts({"command_b64": base64.b64encode(b"ls").decode()}).effects == {Effect.READ}
    assert Effect.UNKNOWN in read_facts({"command_b64": base64.b64encode(b"ls \xff").decode()}).effects


@pytest.mark.parametrize("row", [{}, {"command": 7}, {"command_b64": "?"}])
def test_a_row_without_a_command_is_refused(row):
    with pytest.raises(ValueError, match="command"):
        read_facts(row)


def test_no_reason_holds_a_value_of_the_text():
    facts = read("hunter2 $hunter3 | hunter4")
    assert "hunter" not in str(facts.attributes["shell.why_unknown"])


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000_000, "$(" * 100_000, "(" * 60_000, "`" * 60_000, "${a:-" * 12_000, "[" * 60_000, "grep " + "[a-" * 20_000,
        "echo " + "{a,b}" * 40, "echo " + "{" * 30_000, "echo " + "{a," * 20_000 + "}" * 20_000, "echo {" + "," * 60_000 + "}",
        "sudo " * 10_000, "eval " * 8_000 + "ls", "true && " * 8_000 + "true", "a=xx;" + "a=$a$a;" * 100,
        "".join(f"v{i}={i} && " for i in range(3_000)) + "true", "".join(f"f{i}(){{ f{i + 1}; f{i + 1}; }};" for i in range(60)) + "f0",
        "for i in a; do " * 30 + "x=$x$i" + "; done" * 30, "while a=b; do " * 38 + ":" + "; done" * 38, "case a in " + "a) x=1;; " * 3_000 + "esac",
        "awk '" + "print a" * 9_000 + "'", "awk '" + "/" * 20_000 + "'", "sed 's/" + "a\\" * 20_000 + "'", "sed '" + "s/[" * 9_000 + "'",
        "rm " + "/a" * 30_000, "cat " + "/*" * 20_000, "cat " + "*a" * 1_000, "*a" * 200 + " x", "find . " + "-exec ls {} \\; " * 3_000,
        "cat <<E\n" + "$(ls)\n" * 3_000 + "E", "cat" + " <<E" * 3_000, "psql -c '" + "SELECT (" * 2_000 + "'", "curl " + "http://a/" + "$x" * 3_000,
    ],
)  # fmt: skip
def test_reading_is_bounded(text):
    started = time.process_time()
    facts = read(text)
    assert time.process_time() - started < 20
    assert facts.effects
