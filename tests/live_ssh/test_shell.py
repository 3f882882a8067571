"""An interactive shell: line by line, as one hold, or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.house import SAM, eventually
from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway

WITHIN = 90.0


class Terminal:
    """ssh at a terminal."""

    def __init__(self, master: int, client: subprocess.Popen[bytes]) -> None:
        self._master = master
        self._client = client
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        """As a window does that somebody drags: it is no terminal that the client is controlled by, so it is told here."""
        termios.tcsetwinsize(self._master, (rows, columns))
        self._client.send_signal(signal.SIGWINCH)

    def until(self, pattern: str) -> str:
        """What has appeared up to and with `pattern`; it counts as read."""
        deadline = time.monotonic() + WITHIN
        while (found := re.search(pattern, self.seen)) is None:
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} did not appear in {self.seen!r}"
            if select.select([self._master], [], [], left)[0]:
                try:
                    self.seen += os.read(self._master, 65_536).decode(errors="replace")
                except OSError:
                    raise AssertionError(f"the terminal closed; seen {self.seen!r}") from None
        shown, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return shown


@contextmanager
def terminal(gateway: SshGateway, *, erase: bytes = b"\x7f") -> Iterator[tuple[Terminal, Callable[[], int]]]:
    options, environment = gateway.client(gateway.token())
    master, slave = pty.openpty()
    termios.tcsetwinsize(master, (30, 100))
    modes = termios.tcgetattr(slave)
    modes[6][termios.VERASE] = erase
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    process = subprocess.Popen(
        ["ssh", *options, "-tt", "-p", str(gateway.ports["web-1"]), "127.0.0.1"],
        env={**environment, "TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process), lambda: process.wait(WITHIN)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_lines_are_judged_one_by_one_and_state_lives_on(gateway: SshGateway, tmp_path: Path) -> None:
    with terminal(gateway) as (screen, ended):
        screen.until(r"web-1\$ ")
        screen.type(f"cd {tmp_path}\r")
        screen.until(r"web-1\$ ")
        screen.type("greeting=hello\r")
        screen.until(r"web-1\$ ")
        screen.type('pwd; echo "$greeting"\r')
        shown = screen.until(r"hello\r\n.*web-1\$ ")
        assert str(tmp_path) in shown
        screen.type("rm -rf /srv\r")
        assert "Destructive commands never run through an agent." in screen.until(r"Nothing of it ran\.")
        screen.until(r"web-1\$ ")
        screen.type("echo mail ana.silva@example.com\r")
        assert "ana.silva@example.com" not in screen.until(r"web-1\$ ").rpartition("com\r\n")[2]
        screen.type("exit 7\r")
        assert ended() == 7


def test_a_held_line_shows_its_approval_and_ctrl_c_takes_it_back(gateway: SshGateway, tmp_path: Path) -> None:
    with terminal(gateway) as (screen, _):
        screen.until(r"web-1\$ ")
        screen.type(f"mkdir {tmp_path}/one\r")
        screen.until(r"Held until a person decides: approval")
        approval = gateway.api.pending(str(tmp_path))
        screen.type("\x03")
        gateway.api.until(approval, "withdrawn")
        screen.until(r"web-1\$ ")
        with gateway.api.deciding("approve", containing=f"{tmp_path}/two"):
            screen.type(f"mkdir {tmp_path}/two\r")
            screen.until(r"web-1\$ ")
        assert not (tmp_path / "one").exists()
        assert (tmp_path / "two").is_dir()


def test_ctrl_c_ends_what_runs_and_not_the_shell(gateway: SshGateway) -> None:
    with terminal(gateway) as (screen, _):
        screen.until(r"web-1\$ ")
        screen.type("here=1\r")
        screen.until(r"web-1\$ ")
        screen.type("while :; do echo begun; tail -f /dev/null; done; echo 'beh''ind'\r")
        screen.until(r"\nbegun")
        screen.type("\x03")
        assert "behind" not in screen.until(r"web-1\$ ")
        screen.type('echo "$? $here"\r')
        screen.until(r"\n130 1")


def test_ctrl_c_forgets_what_was_typed_of_a_line(gateway: SshGateway) -> None:
    with terminal(gateway) as (screen, _):
        screen.until(r"web-1\$ ")
        screen.type("echo never")
        screen.until("never")
        screen.type("\x03")
        screen.until(r"web-1\$ ")
        screen.type("\r")
        screen.until(r"web-1\$ ")
        screen.type("echo begun\r")
        assert "never" not in screen.until(r"\nbegun")


def test_a_line_that_the_editor_had_to_cut_does_not_run(gateway: SshGateway) -> None:
    with terminal(gateway) as (screen, _):
        screen.until(r"web-1\$ ")
        screen.type("echo begun;" + "x" * 9_000 + "\r")
        shown = screen.until(r"Nothing of it ran\.")
        assert "less than 8,192 characters" in shown
        assert "\nbegun" not in shown


def test_a_script_on_standard_input_is_judged_line_by_line(gateway: SshGateway, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    done = gateway.ssh(stdin=f"echo one\nrm -rf {tmp_path}\necho two\n".encode(), options=("-T",))
    assert done.stdout == b"one\ntwo\n"
    assert b"Destructive commands" in done.stderr
    assert (tmp_path / "victim").exists()


def test_a_command_of_several_lines_is_judged_and_run_whole(gateway: SshGateway, tmp_path: Path) -> None:
    script = f"""x=1
if [ $x = 1 ]; then
  echo one
fi
cat <<'EOF' | tr a-z A-Z
rm -rf {tmp_path}
EOF
for each in a b; do
  rm -rf {tmp_path}
done
f() {{
  echo "f $1
  and more"
}}
f \\
  2
echo 'open
"""
    done = gateway.ssh(stdin=script.encode(), options=("-T",))
    assert done.stdout == f"one\nRM -RF {str(tmp_path).upper()}\nf 2\n  and more\n".encode(), done.stderr
    assert done.stderr.count(b"Destructive commands never run through an agent.") == 1
    assert b"This command does not end" in done.stderr
    assert done.returncode == 126
    assert tmp_path.exists()


def test_a_terminal_asks_for_more_until_a_command_ends_or_ctrl_c_forgets_it(gateway: SshGateway) -> None:
    with terminal(gateway) as (screen, status):
        screen.until(r"\$ ")
        screen.type("echo 'one\r")
        screen.until("\n> ")
        screen.type("two'\r")
        screen.until("one\r\ntwo\r\nweb-1\\$ ")
        screen.type("if true; then\r")
        screen.until("\n> ")
        screen.type("\x03")
        screen.until(r"web-1\$ ")
        screen.type("echo three\r")
        screen.until("\nthree\r\nweb-1\\$ ")
        screen.type("exit\r")
        assert status() == 0


def lines(gateway: SshGateway, *typed: str) -> subprocess.CompletedProcess[bytes]:
    return gateway.ssh(stdin="".join(f"{line}\n" for line in typed).encode(), options=("-T",))


@pytest.mark.parametrize(
    "line",
    ["eval() {{ rm -rf {0}; }}", "command() {{ rm -rf {0}; }}", "alias printf='rm -rf {0}'", 'e=ev; eval "${{e}}al() {{ rm -rf {0}; }}"'],
)  # fmt: skip
def test_what_the_gateway_says_to_the_shell_cannot_be_given_another_meaning(
    gateway: SshGateway, tmp_path: Path, line: str
) -> None:
    done = lines(gateway, line.format(tmp_path), "echo fine")
    assert done.stdout == b"fine\n", done.stderr
    assert b"needs eval, command and printf as they are" in done.stderr
    assert tmp_path.exists()


def test_what_draws_on_a_screen_is_refused_where_there_is_none(gateway: SshGateway) -> None:
    before = set((gateway.state / "recordings").glob("*/*.rec"))
    done = lines(gateway, "vi /etc/hosts", "echo $?", "v=top; $v")
    assert done.stdout == b"126\n", done.stderr
    assert b"vi needs a terminal at the target" in done.stderr
    assert b"top needs a terminal at the target" in done.stderr
    at_a_terminal = gateway.ssh("sudo vim x", options=("-tt",))
    assert (at_a_terminal.returncode, b"vim needs a terminal" in at_a_terminal.stdout) == (126, True)
    eventually(lambda: not gateway.api.call("/v1/sessions"))
    recordings = set((gateway.state / "recordings").glob("*/*.rec")) - before
    shown = [
        gateway.countersign("replay", each.stem, "--no-wait", "--state", str(gateway.state)).stdout
        for each in recordings
    ]
    assert any("refused the line vi /etc/hosts" in each for each in shown)
    assert any("refused the command sudo vim x" in each for each in shown)


@pytest.mark.parametrize("setting", ["set -x", "set -v", "set -vx", "set -o history"])
def test_nobody_sees_what_the_gateway_itself_says_to_the_shell(gateway: SshGateway, setting: str) -> None:
    typed = ["echo one", "(exit 3)", "rm -rf /srv", "echo $?"]
    done = lines(gateway, setting, *typed, "echo two")
    assert done.stdout == b"one\n126\ntwo\n", done.stderr
    for own in (b"\\command", b"eval", b"printf", b"/dev/null", b"PIPESTATUS", b"\x1e"):
        assert own not in done.stderr


@pytest.mark.parametrize("line", ["trap 'echo each' DEBUG", "s=debug; trap 'echo each' EXIT $s", "trap : SIGDEBUG"])  # fmt: skip
def test_no_trap_runs_for_the_gateways_own_words(gateway: SshGateway, line: str) -> None:
    done = lines(gateway, line, "echo fine", "trap 'echo bye' EXIT", "trap - DEBUG")
    assert done.stdout == b"fine\nbye\n"
    assert b"a guarded shell has none" in done.stderr


@pytest.mark.parametrize("setting", ["printf -v x 'rm -rf'", 'unset x; echo "${x:=rm -rf}"'])
def test_a_line_that_reads_and_also_sets_is_remembered(
    gateway: SshGateway, tmp_path: Path, setting: str
) -> None:
    done = lines(gateway, "x=ls", setting, f"$x {tmp_path}")
    assert b"Destructive commands never run through an agent." in done.stderr
    assert tmp_path.exists()


def test_a_denied_line_does_not_count_and_status_and_streams_live_on(gateway: SshGateway) -> None:
    done = lines(
        gateway,
        "x=ls; rm -rf /srv",
        'echo "x=$x"',
        "(exit 3)",
        "echo $?",
        "exec 2>/dev/null",
        "echo on; ls /no",
    )
    assert done.stdout == b"x=\n3\non\n", done.stderr
    assert b"/no" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        (["true", "(exit 7)"], 7),
        (["(exit 7)", "true"], 0),
        (["exit 5"], 5),
        (["true", "rm -rf /srv"], 126),
        (["rm -rf /srv"], 126),
        (["rm -rf /srv", "true"], 0),
        (["trap 'echo bye' EXIT", "(exit 3)"], 3),
        (["true", "echo " + "x" * 5_000_000], 126),
    ],
    ids=lambda each: str(each)[:30],
)
def test_a_script_ends_as_its_last_line_did(gateway: SshGateway, typed: list[str], status: int) -> None:
    assert lines(gateway, *typed).returncode == status


def test_a_refused_line_has_failed_for_the_next_one(gateway: SshGateway) -> None:
    assert lines(gateway, "rm -rf /srv", "echo $?").stdout == b"126\n"


def test_a_mask_that_one_line_got_stays_for_what_it_saved(server: Server, tmp_path: Path) -> None:
    (tmp_path / "people").write_text("ana.silva@example.com\n")
    with house.gateway(
        tmp_path, server, freely="read, session", only="shell.programs: cat", plain="read"
    ) as gateway:
        shown = lines(
            gateway, f"tac {tmp_path}/people", f"x=$(cat {tmp_path}/people)", 'echo "saved $x"'
        ).stdout
    assert shown.startswith(b"ana.silva@example.com\nsaved ")
    assert shown.count(b"silva") == 1


def test_a_shell_that_was_told_not_to_go_on_ends_by_the_third_ctrl_c(gateway: SshGateway) -> None:
    with terminal(gateway) as (screen, ended):
        screen.until(r"web-1\$ ")
        screen.type("echo begun; set -n\r")
        screen.until(r"\nbegun")
        for _ in range(3):
            screen.type("\x03")
        ended()  # raises where it does not end


def test_ctrl_c_forgets_what_was_typed_ahead(gateway: SshGateway, tmp_path: Path) -> None:
    with terminal(gateway) as (screen, _):
        screen.until(r"web-1\$ ")
        screen.type(f"mkdir {tmp_path}/one\recho ahead\r")
        screen.until(r"Held until a person decides: approval")
        gateway.api.pending(str(tmp_path))
        screen.type("\x03")
        screen.until(r"web-1\$ ")
        screen.type("echo begun\r")
        assert "\r\nahead" not in screen.until(r"\r\nbegun")


def test_a_shell_may_be_refused(server: Server, tmp_path: Path) -> None:
    with house.gateway(tmp_path, server, shell="refuse") as gateway:
        done = gateway.ssh(options=("-T",))
        assert (done.returncode, done.stdout) == (126, b"")
        assert b"give ssh the command to run" in done.stderr
        assert gateway.ssh("echo fine").stdout == b"fine\n"


def test_a_whole_shell_may_be_held_once(server: Server, tmp_path: Path) -> None:
    with house.gateway(tmp_path, server, shell="hold") as gateway, terminal(gateway) as (screen, ended):
        with gateway.api.deciding("approve", containing="an interactive shell"):
            screen.until(r"Held until a person decides")
        screen.type("PS1='ready> '\r")
        screen.until(r"ready> $")
        screen.type("stty -onlcr; printf 'one\\ntwo\\n'; stty onlcr\r")
        assert "\r\r" not in screen.until(r"one\ntwo\n.*ready> $")
        screen.type("echo card 41111111''11111111\r")
        screen.until(r"card \*+1111\r")
        screen.type("exit 4\r")
        assert ended() == 4


WATCHING = """
import os, signal, termios
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
print("erase is", termios.tcgetattr(0)[6][termios.VERASE].hex())
print("it is %d by %d" % os.get_terminal_size(), flush=True)
for _ in range(2):
    signal.sigwait({signal.SIGWINCH})
    print("it is %d by %d" % os.get_terminal_size(), flush=True)
"""


def test_a_held_shell_has_the_modes_and_the_size_of_the_terminal_and_so_has_its_recording(
    server: Server, tmp_path: Path
) -> None:
    watching = tmp_path / "watching.py"
    watching.write_text(WATCHING)
    with house.gateway(tmp_path, server, shell="hold") as gateway:
        with terminal(gateway, erase=b"\x08") as (screen, ended):
            with gateway.api.deciding("approve", containing="an interactive shell"):
                screen.until(r"Held until a person decides")
            screen.type(f"exec /usr/bin/python3 {watching}\r")
            screen.until(r"erase is 08\r\nit is 100 by 30\r")
            for columns, rows in ((132, 50), (61, 17)):
                screen.resize(columns, rows)
                screen.until(f"it is {columns} by {rows}\r")
            assert ended() == 0
        (recording,) = (gateway.state / "recordings").glob("*/*.rec")
        eventually(lambda: not gateway.api.call("/v1/sessions"))
        cast = gateway.countersign("replay", recording.stem, "--cast", "--state", str(gateway.state)).stdout
    header, *events = (json.loads(line) for line in cast.splitlines())
    assert (header["width"], header["height"]) == (100, 30)
    assert [event[2] for event in events if event[1] == "r"] == ["100x30", "132x50", "61x17"]


async def test_a_guarded_shell_records_the_size_of_the_clients_terminal(
    server: Server, tmp_path: Path
) -> None:
    with house.gateway(tmp_path, server) as gateway:
        async with house.connected(gateway) as connection:
            shell = await connection.create_process(term_type="xterm", term_size=(100, 30))

            async def until(text: str) -> None:
                async with asyncio.timeout(WITHIN):
                    await shell.stdout.readuntil(text)

            await until("web-1$ ")
            shell.stdin.write("printf 'be%s\\n' gun; tail -f /dev/null\n")
            await until("\nbegun\r\n")
            shell.change_terminal_size(132, 50)
            shell.stdin.write("\x03")
            await until("web-1$ ")
            shell.change_terminal_size(61, 17)
            shell.stdin.write("echo one\necho two\nexit\n")
            async with asyncio.timeout(WITHIN):
                assert (await shell.wait()).exit_status == 0
        eventually(lambda: not gateway.api.call("/v1/sessions"))
        (recording,) = (gateway.state / "recordings").glob("*/*.rec")
        cast = gateway.countersign("replay", recording.stem, "--cast", "--state", str(gateway.state)).stdout
    header, *events = (json.loads(line) for line in cast.splitlines())
    assert (header["width"], header["height"]) == (100, 30)
    assert [event[2] for event in events if event[1] == "r"] == ["100x30", "132x50", "61x17"]


def test_kill_ends_a_held_shell_and_says_why(server: Server, tmp_path: Path) -> None:
    with house.gateway(tmp_path, server, shell="hold") as gateway, terminal(gateway) as (screen, ended):
        with gateway.api.deciding("approve", containing="an interactive shell"):
            screen.until(r"Held until a person decides")
        screen.type("printf 'be%s\\n' gun; cat\r")
        screen.until(r"begun\r\n")
        (session,) = gateway.api.call("/v1/sessions")
        gateway.api.call(f"/v1/sessions/{session['id']}/kill", {"person": SAM, "reason": "a typo on prod"})
        assert "a typo on prod" in screen.until(r"a typo on prod")
        assert ended() != 0
