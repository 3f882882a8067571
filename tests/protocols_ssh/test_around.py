"""Lines of a guarded shell, against the same lines as a script: what is printed, and what a line finds of the last one."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import signal
import subprocess
from typing import Any

import pytest

from gateway.protocols.ssh.around import Left, Shell, around, kept, left, said, started
from gateway.protocols.ssh.screen import Screen

WITHIN = 60.0
BASH = ("bash", "bash --posix")
SHELLS = [*BASH, "dash", *(["busybox ash"] if shutil.which("busybox") else [])]


BOURNE = Shell(mark="n", leader=0, bash=True)


class Shown:
    """In an answer's place: what the client is shown."""

    def __init__(self) -> None:
        self.out, self.err = b"", b""
        self.begun = asyncio.Event()

    def came(self, data: bytes, *, error: bool) -> None:
        if error:
            self.err += data
            if b"begun\n" in self.err:
                self.begun.set()
        else:
            self.out += data


async def guarded(shell: str, lines: list[str], *, interrupted: str = "") -> tuple[str, str]:
    """What the lines print in a shell that the gateway speaks to; what is sent with `interrupted` in it is, once `begun` was printed."""
    process = await asyncio.create_subprocess_exec(
        *shell.split(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    stdin = process.stdin
    screen, shown = Screen(), Shown()
    answer: Any = shown

    async def follow(stream: asyncio.StreamReader | None, *, error: bool) -> None:
        assert stream is not None
        while data := await stream.read(7):  # a mark is never whole
            screen.came(data, error=error)
        screen.rest()

    reading = asyncio.gather(follow(process.stdout, error=False), follow(process.stderr, error=True))

    async def say(text: str, mark: str, noise: str = "") -> bytes:
        ended = screen.begin(answer, mark, noise)
        stdin.write(text.encode("utf-8", "surrogateescape"))
        if interrupted and interrupted in text:
            await asyncio.wait_for(shown.begun.wait(), WITHIN)
            os.killpg(process.pid, signal.SIGINT)
        done, _ = await asyncio.wait({ended, reading}, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
        assert done, (text, shown.out, shown.err)
        return ended.result() if ended.done() else b""

    mark = secrets.token_hex(16)
    spoken = said(mark, await say(started(mark), mark))
    assert spoken.leader == process.pid
    before = Left()
    for line in lines:
        mark = secrets.token_hex(16)
        body = await say(
            around(line, mark, before, shell=spoken), mark, f"{kept(mark, spoken)}\n" if spoken.bash else ""
        )
        if not body:
            break
        before = left(body, bash=spoken.bash)
    stdin.close()
    await asyncio.wait_for(reading, WITHIN)
    await process.wait()
    return shown.out.decode(errors="replace"), shown.err.decode(errors="replace")


def script(shell: str, lines: list[str]) -> tuple[str, str]:
    done = subprocess.run(
        shell.split(),
        input="".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
        timeout=WITHIN,
    )
    return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def told(printed: tuple[str, str]) -> tuple[str, str]:
    """Without what `eval` is known to change: the depth of a trace, and the numbers of lines."""
    out, err = (re.sub(r"(?m)^(?:\++ |t+race: )", "trace: ", each) for each in printed)
    return out, re.sub(r"line \d+: |eval: |(?<=: )\d+: ", "", err)


SETTINGS = [
    ["set -x", "echo one", "x='a b'; echo \"$x\"", "set +x", "echo two"],
    ["set -v", "echo one", "for i in 1 2; do\n  echo $i  # each\ndone", "set +v", "echo two"],
    ["set -xv", "(exit 3)", "echo $?", "{ set +xv; } 2>/dev/null", "echo two"],
    ["PS4='trace: '", "set -x", "echo one; false", "echo $?"],
    ["exec 2>&1", "set -x", "echo one", "(exit 4)", "echo $?"],
    ["(exit 3)", "echo $?", "echo $?", "false", "x=$?", "echo $x"],
    ["set -e", "echo one", "(exit 3) || echo two", "false && :", "echo $?", "(exit 5)", "echo never"],
    ["set -eu", "! true", "echo $?", 'echo "$unset"', "echo never"],
    ["trap 'echo bye' EXIT", "set -x", "exit 3"],
    ["echo 'it'\"'\"'s' # '", "cat <<E\nfrom $? 'here'\nE", "echo \\\\", "printf '%s\\n' -- -x"],
    ['f() { echo "f $*"; return 4; }', "f 1 2", "echo $?", "set -- a b", 'echo "$# $2"', "cd /usr", "pwd"],
    ["set -C; set -f; IFS=:", "echo *", "x=a:b; echo $x", "case $- in *f*) echo f;; esac"],
    ["alias say=echo", "umask 027; umask", "unset x; echo ${x-none}"],
]  # fmt: skip
OF_BASH = [
    ["echo one two", 'echo "$_"', "(exit 3)", 'echo "$_"', "x=1", ": $'a\\nb \\x1e \"c\"'; true \"$_\"", 'echo "$_"'],
    ["false | (exit 3) | true", 'echo "${PIPESTATUS[*]} $?"', 'echo "${PIPESTATUS[*]}"', "! true", 'echo "$? ${PIPESTATUS[*]}"'],
    ["set -o pipefail", "(exit 3) | true", 'echo "$? ${PIPESTATUS[*]}"', "set -e", "(exit 2) | true", "echo never"],
    ["trap 'echo failed $?' ERR", "false", "(exit 3)", "! true", "false || true", "echo $?"],
    ["set -E; trap 'echo failed' ERR", "f() { false; }", "f", "echo $?"],
    ['echo "$SHELLOPTS"', "set -x", 'echo "$-"', "set +x", 'echo "$-"'],
    ["true", "compgen -v", "declare -p | wc -l >/dev/null", "declare -F", "trap"],
    ["PROMPT_COMMAND='echo prompted'", "PS4='+ $(echo sub) '", "set -x", "echo one"],
    ["exec 9>&2", "BASH_XTRACEFD=9", "echo one"],
    ["shopt -s expand_aliases; alias say='echo said'", "say it", "set -T", "echo one"],
]  # fmt: skip
CASES = [
    *((shell, lines) for shell in SHELLS for lines in SETTINGS),
    *((shell, lines) for shell in BASH for lines in OF_BASH),
]


@pytest.mark.parametrize(("shell", "lines"), CASES, ids=lambda each: str(each)[:40])
async def test_a_line_finds_what_a_script_would_and_nobody_sees_the_gateways_own(
    shell: str, lines: list[str]
) -> None:
    ours, theirs = told(await guarded(shell, lines)), told(script(shell, lines))
    if "bash" in shell:
        # A shell that reads from the gateway has one trap of its own, for Ctrl-C.
        ours = (re.sub(r"trap -- '(?:[^'\n]|'\\'')*' (?:SIG)?INT\n", "", ours[0]), ours[1])
    assert ours == theirs


@pytest.mark.parametrize("shell", BASH)
async def test_history_has_what_was_typed(shell: str) -> None:
    typed = ["echo before", "set -o history", "echo 'it is'; (exit 3)", "echo $?; echo a\\\nb", "history"]
    out, err = await guarded(shell, typed)
    assert err == ""
    assert re.sub(r"(?m)^ +\d+  ", "", out) == (
        "before\nit is\n3\nab\necho 'it is'; (exit 3)\necho $?; echo a\\\nb\nhistory\n"
    )


SLOW = 'sh -c "echo begun >&2; exec sleep 60"'
LONG = [
    "SLOW; echo behind",
    "SLOW && echo behind",
    "SLOW || echo behind",
    "! SLOW; echo behind",
    "{ SLOW; echo behind; }; echo behind",
    "(SLOW; echo behind); echo behind",
    "SLOW | cat; echo behind",
    "x=$(SLOW; echo behind); echo behind",
    "if SLOW; then echo behind; else echo behind; fi",
    "case x in x) SLOW; echo behind;; esac",
    "while :; do SLOW; echo behind; done; echo behind",
    "echo begun >&2; until false; do :; done; echo behind",
    "for i in 1 2; do for j in 1 2; do SLOW; done; done; echo behind",
    "f() { while :; do SLOW; done; echo behind; }; while :; do f; echo behind; done; echo behind",
    "f() { SLOW; return 3; }; f || f; echo behind",
    "eval 'SLOW; echo behind'; echo behind",
    "set -u; SLOW; echo behind",
    "SLOW\necho behind",
]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", LONG)
async def test_ctrl_c_ends_all_of_a_line_and_not_the_shell(shell: str, line: str) -> None:
    line = line.replace("SLOW", SLOW)
    lines = ["here=1; set -f", line, "echo $? $here; case $- in *f*) echo kept;; esac", "false", "echo $?"]
    assert await guarded(shell, lines, interrupted="begun") == ("130 1\nkept\n1\n", "begun\n")


@pytest.mark.parametrize("shell", SHELLS)
async def test_who_traps_ctrl_c_decides_what_comes_of_a_line(shell: str) -> None:
    lines = ["trap 'echo mine' INT", f"{SLOW}; echo behind", "echo $?"]
    assert await guarded(shell, lines, interrupted="begun") == ("mine\nbehind\n0\n", "begun\n")


async def test_a_document_that_the_input_ends_has_nothing_of_the_gateways() -> None:
    process = await asyncio.create_subprocess_exec(
        "bash", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    text = around("cat <<EOF\nlast", "m", Left(), shell=BOURNE, open_end=True)
    out, _ = await process.communicate(f"exec 7>&1 8>&2\n{text}".encode())
    assert out == b"last\n\x1em:0|braceexpand:hashall:interactive-comments||:m\x1e"


def test_what_a_line_printed_in_a_marks_place_is_values_alone() -> None:
    assert left(b"x", bash=True) == Left()
    forged = left(b"1|xtrace:evil; rm|3 4|'; rm -rf /", bash=True)
    sent = around("true", "m", forged, shell=BOURNE)
    assert "evil" not in sent
    ran = subprocess.run(["bash", "-n"], input=sent.encode(), capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
