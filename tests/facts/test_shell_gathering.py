"""Which lines make one command: held against what bash takes for one."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from gateway.facts.shell import Gathering
from gateway.facts.shell.gathering import LONGEST

COMMANDS = [
    ["echo hi"], ["echo 'a", "b'"], ['echo "a', 'b"'], ["echo $'a\\'", "'"], ["echo a \\", "b"], ["a &&", "b"], ["a |", "", "b"],
    ["cat <<EOF", "hi", "$(x", "it's", "EOF"], ["cat <<-'E O'", "hi", "\tE O"], ["cat <<A <<B", "a", "A", "b", "B"],
    ["cat <<''", "a", ""], ["if true", "then", "echo", "else", "x", "fi"], ["for i in 1 2; do", "echo $i", "done | wc"],
    ["f() {", "if x; then y; fi", "echo ${y}", "}"], ["f()", "{", "x; }"], ["function f", "{", "a", "}"], ["# it's \\"],
    ["case $x in", "a) b;;", "esac"], ["x=(", "1 2", "3)"], ["echo $(cat <<E", "a", "E", ")"], ["[[ -n a &&", "-n b ]]"], ["((1", "+2))"],
    ["echo $((1+", "2))"], ["echo ${x:-", "}"], ["while read l", "do x; done"], ["( a", "b )"], ["echo `a", "b`"],
    ["if fi"], ["}"], ["foo @(a|b)"], ["echo \\\\"], ["echo 'a\\'"], ["select x in a", "do b", "done"], ["a;;"], [""], ["until a", "do", "b", "done"],
    ["f() {", "  cat <<E", "}", "E", "}"], ["echo \"$(a '", "')\"" ], ["if a; then", "  # fi", "fi"], ["{ echo }", "}"],
]  # fmt: skip


@pytest.mark.parametrize("lines", COMMANDS, ids="\n".join)
def test_a_command_is_gathered_up_to_the_line_that_ends_it(lines: list[str]) -> None:
    gathering = Gathering()
    assert [gathering.add(line) for line in lines] == [True] * (len(lines) - 1) + [False]
    assert gathering.text == "\n".join(lines)
    assert gathering.ends


@pytest.mark.parametrize(
    "lines",
    [each for each in COMMANDS if len(each) > 1 and not each[0].startswith(("cat", "echo a \\", "[["))],
    ids="\n".join,
)
def test_bash_too_takes_no_part_of_it_for_a_command(lines: list[str]) -> None:
    """It reads documents to the end of the text, and has other words for an open `[[`."""
    bash = shutil.which("bash")
    assert bash is not None
    for upto in range(1, len(lines) + 1):
        text = "\n".join(lines[:upto])
        read = subprocess.run([bash, "-n"], input=f"{text}\n".encode(), capture_output=True, check=False)
        unfinished = b"unexpected EOF" in read.stderr or b"unexpected end of file" in read.stderr
        assert unfinished == (upto < len(lines)), (text, read.stderr)


@pytest.mark.parametrize(
    ("lines", "ends"),
    [(["cat <<E", "x"], True), (["echo a \\"], True), (["echo 'a"], False), (["if true"], False)],
)
def test_where_nothing_follows_some_run_as_they_are(lines: list[str], *, ends: bool) -> None:
    gathering = Gathering()
    for line in lines:
        assert gathering.add(line)
    assert gathering.ends == ends


def test_what_does_not_end_is_followed_so_far_and_no_further() -> None:
    gathering = Gathering()
    assert gathering.add("f() {")
    count = 0
    while gathering.add("echo }; }; {"):
        count += 1
        assert count < LONGEST
    assert gathering.too_long


def test_a_long_document_is_read_once() -> None:
    gathering = Gathering()
    assert gathering.add("cat <<EOF")
    assert all(gathering.add(f"line {number} of (many") for number in range(2_500))
    assert not gathering.add("EOF")
    assert not gathering.too_long
