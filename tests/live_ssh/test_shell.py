"""An interactive shell: line by line, as one hold, or not at all."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway

WITHIN = 15.0


class Terminal:
    """ssh at a terminal."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

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
def terminal(gateway: SshGateway) -> Iterator[tuple[Terminal, Callable[[], int]]]:
    options, environment = gateway.client(gateway.token())
    master, slave = pty.openpty()
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
        yield Terminal(master), lambda: process.wait(WITHIN)
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
        screen.type("echo begun; tail -f /dev/null\r")
        screen.until(r"\nbegun")
        screen.type("\x03")
        screen.until(r"web-1\$ ")
        screen.type('echo "still $here"\r')
        screen.until(r"still 1")


def test_a_script_on_standard_input_is_judged_line_by_line(gateway: SshGateway, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    done = gateway.ssh(stdin=f"echo one\nrm -rf {tmp_path}\necho two\n".encode(), options=("-T",))
    assert done.stdout == b"one\ntwo\n"
    assert b"Destructive commands" in done.stderr
    assert (tmp_path / "victim").exists()


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
        screen.type("echo card 41111111''11111111\r")
        screen.until(r"card \*+1111\r")
        screen.type("exit 4\r")
        assert ended() == 4
