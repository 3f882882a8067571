"""Options of programs that print files, against the programs themselves: no option hides the file that is printed."""

from __future__ import annotations

import re
import shutil
import string
import subprocess
from pathlib import Path

import pytest

from gateway.facts.shell import read
from gateway.facts.shell.values import words
from gateway.model import Effect

PRINTING = words(
    """
    cat tac nl head tail cut paste comm fold fmt column expand unexpand pr look od hexdump xxd strings base64 base32
    diff cmp sort uniq shuf grep sed awk zcat file stat ls wc rev more date ptx tsort join
    """
)
HARMLESS = {Effect.READ, Effect.SESSION}
MARKER = "a line that stands in no other file"


@pytest.mark.parametrize("program", [each for each in sorted(PRINTING) if shutil.which(each)])
def test_no_letter_takes_for_its_value_what_the_program_prints(tmp_path: Path, program: str) -> None:
    (tmp_path / "shadow").write_text(f"{MARKER}\n")
    for letters in (*(f"-{letter}" for letter in string.ascii_letters), ""):
        argv = [program, *([letters] if letters else [])]
        if read(" ".join([*argv, "/etc/shadow"])).effects <= HARMLESS:
            assert MARKER not in printed([*argv, str(tmp_path / "shadow")], tmp_path), argv


@pytest.mark.parametrize(
    ("program", "looks", "loses"),
    [
        ("helm", "list", "uninstall api"),
        ("vault", "status", "kv delete secret/x"),
        ("docker", "ps", "rm -f api"),
        ("docker compose", "ps", "down"),
        ("docker-compose", "ps", "down"),
        ("kubectl", "get", "delete pod api"),
        ("kubectl rollout", "status", "undo deploy/api"),
        ("git", "status", "push --force origin main"),
        ("aws", "ec2", "s3 rm s3://shop --recursive"),
        ("aws s3", "ls", "rm s3://shop --recursive"),
        ("gcloud compute", "list", "instances delete web-1"),
        ("systemctl", "status", "stop nginx"),
        ("apt-get", "check", "remove nginx"),
        ("npm", "ls", "uninstall express"),
        ("zfs", "list", "destroy tank/shop"),
        ("redis-cli", "info", "flushall"),
        ("loginctl", "list-users", "terminate-user root"),
        ("nft", "list", "flush ruleset"),
        ("poetry", "show", "run rm -rf /srv"),
    ],
)
def test_an_option_that_is_not_known_may_take_the_subcommand_for_its_value(
    program: str, looks: str, loses: str
) -> None:
    meant = read(f"{program} {loses}").effects
    for option in ("--unheard-of", "-Z", "-Z --unheard-of"):
        assert meant <= read(f"{program} {option} {looks} {loses}").effects
        assert read(f"{program} --unheard-of={looks} {loses}").effects >= meant


def test_what_may_be_meant_in_too_many_ways_is_in_doubt() -> None:
    assert read("helm --a list --b list --c list list").complete
    assert not read("helm " + "--a list " * 4 + "list").complete
    assert not read("helm " + "--a list " * 10_000 + "list").complete


def printed(argv: list[str], directory: Path) -> str:
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, cwd=directory, timeout=5, check=False
        )
    except subprocess.TimeoutExpired as slow:  # it follows the file
        return (slow.stdout or b"").decode(errors="replace")
    return (done.stdout + done.stderr).decode(errors="replace")


def test_what_curl_takes_for_a_value_is_no_address_and_the_other_way_round() -> None:
    told = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=True).stdout
    known = re.findall(r"^ *(?:-(\w), |    )(?:  )?--([\w.-]+)( [<[])?", told, re.MULTILINE)
    assert len(known) > 200
    for letter, name, value in known:
        for option in filter(None, (letter and f"-{letter}", f"--{name}")):
            if name == "url" or (name == "help" and value):
                continue  # an address by an option; a value that may be missing
            facts = read(f"curl {option} value.example" if value else f"curl {option} https://host.example")
            hosts = [resource.name for resource in facts.resources if resource.kind == "host"]
            assert hosts == ([] if value else ["host.example"]), option
