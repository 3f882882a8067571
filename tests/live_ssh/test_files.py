"""scp, sftp, rsync and git, as people use them."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway

CARD = "4111 1111 1111 1111"


def client(
    gateway: SshGateway, program: str, *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    options, environment = gateway.client(gateway.token())
    port = "-p" if program == "ssh" else "-P"
    return subprocess.run(
        [program, *options, port, str(gateway.ports["web-1"]), *arguments],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_a_file_is_fetched_byte_for_byte(gateway: SshGateway, tmp_path: Path, protocol: str) -> None:
    data = bytes(range(256)) * 5_000
    (tmp_path / "there").write_bytes(data)
    done = client(gateway, "scp", protocol, f"127.0.0.1:{tmp_path}/there", f"{tmp_path}/here")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here").read_bytes() == data


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_what_is_sensitive_in_a_fetched_file_is_starred_wherever_a_read_cuts_it(
    gateway: SshGateway, tmp_path: Path, protocol: str
) -> None:
    text = "".join(f"{n:07d} ana.silva@example.com {CARD}\n" for n in range(20_000))
    (tmp_path / "there").write_text(text)
    done = client(gateway, "scp", protocol, f"127.0.0.1:{tmp_path}/there", f"{tmp_path}/here")
    assert done.returncode == 0, done.stderr
    here = (tmp_path / "here").read_text()
    assert len(here) == len(text)
    assert "silva" not in here
    assert "4111 1111" not in here
    assert [line[:7] for line in here.splitlines()] == [f"{n:07d}" for n in range(20_000)]


def test_binaries_stay_as_they_are_where_the_policy_says_so(server: Server, tmp_path: Path) -> None:
    binary = b"ana.silva@example.com \0 ana.silva@example.com" * 9_000
    (tmp_path / "text").write_text("ana.silva@example.com\n" * 9_000)
    (tmp_path / "binary").write_bytes(binary)
    with house.gateway(tmp_path, server, binary="exact") as gateway:
        for protocol in ("-s", "-O"):
            for name in ("text", "binary"):
                client(
                    gateway, "scp", protocol, f"127.0.0.1:{tmp_path}/{name}", f"{tmp_path}/{name}{protocol}"
                )
        printed = gateway.ssh(f"cat {tmp_path}/binary").stdout
    assert printed[:4] != binary[:4]
    assert printed.partition(b"\0")[2] == binary.partition(b"\0")[2]
    assert (tmp_path / "binary-s").read_bytes() == binary
    assert (tmp_path / "binary-O").read_bytes()[23:] == binary[23:]
    for protocol in ("-s", "-O"):
        assert "silva" not in (tmp_path / f"text{protocol}").read_text()


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_an_upload_waits_for_a_yes(gateway: SshGateway, tmp_path: Path, protocol: str) -> None:
    (tmp_path / "here").write_bytes(b"x" * 100_000)
    there = tmp_path / "there"
    with gateway.api.deciding("approve", containing=str(there)):
        done = client(gateway, "scp", protocol, f"{tmp_path}/here", f"127.0.0.1:{there}")
    assert done.returncode == 0, done.stderr
    assert there.read_bytes() == b"x" * 100_000


def test_each_operation_of_sftp_is_judged_and_a_refusal_leaves_the_transfer_alive(
    gateway: SshGateway, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("kept")
    batch = f"-chmod 4755 {tmp_path}/kept\nls {tmp_path}\n"
    done = client(gateway, "sftp", "-b", "-", "127.0.0.1", stdin=batch)
    assert "Destructive commands never run through an agent." in done.stderr, done.stderr
    assert "kept" in done.stdout
    assert (tmp_path / "kept").stat().st_mode & 0o7777 != 0o4755


def test_a_secret_path_is_not_simply_read(gateway: SshGateway, tmp_path: Path) -> None:
    with gateway.api.deciding("deny", containing="/etc/shadow"):
        done = client(gateway, "scp", "127.0.0.1:/etc/shadow", f"{tmp_path}/here")
    assert done.returncode != 0
    assert not (tmp_path / "here").exists()


def test_rsync_fetches_a_directory_whole(gateway: SshGateway, tmp_path: Path) -> None:
    source = tmp_path / "there"
    source.mkdir()
    for n in range(20):
        (source / f"file-{n}").write_bytes(bytes([n]) * 10_000)
    options, environment = gateway.client(gateway.token())
    shell = " ".join(["ssh", *options, "-p", str(gateway.ports["web-1"])])
    done = subprocess.run(
        ["rsync", "-r", "-e", shell, f"127.0.0.1:{source}/", f"{tmp_path}/here/"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here" / "file-7").read_bytes() == bytes([7]) * 10_000


def test_git_clones_and_a_push_waits_for_a_yes(gateway: SshGateway, tmp_path: Path) -> None:
    bare, work = tmp_path / "bare.git", tmp_path / "work"
    options, environment = gateway.client(gateway.token())
    environment |= {
        "GIT_SSH_COMMAND": " ".join(["ssh", *options]),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{
            f"GIT_{role}_{part}": "agent@example.com"
            for role in ("AUTHOR", "COMMITTER")
            for part in ("NAME", "EMAIL")
        },
    }

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    assert git("init", "--quiet", "--bare", str(bare)).returncode == 0
    cloned = git("clone", "--quiet", f"ssh://127.0.0.1:{gateway.ports['web-1']}{bare}", str(work))
    assert cloned.returncode == 0, cloned.stderr
    (work / "file").write_text("content")
    (work / "noise").write_bytes(random.Random(1).randbytes(8_000_000))
    assert git("-C", str(work), "add", "file", "noise").returncode == 0
    assert git("-C", str(work), "commit", "--quiet", "-m", "first").returncode == 0
    with gateway.api.deciding("approve", containing="git-receive-pack"):
        pushed = git("-C", str(work), "push", "--quiet", "origin", "HEAD")
    assert pushed.returncode == 0, pushed.stderr
    assert "first" in git("-C", str(bare), "log", "--all", "--oneline").stdout
    again = git(
        "clone", "--quiet", f"ssh://127.0.0.1:{gateway.ports['web-1']}{bare}", str(tmp_path / "again")
    )
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again" / "noise").read_bytes() == (work / "noise").read_bytes()


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_what_is_compressed_comes_byte_for_byte(gateway: SshGateway, tmp_path: Path, protocol: str) -> None:
    data = random.Random(2).randbytes(8_000_000)
    (tmp_path / "there").write_bytes(data)
    done = client(gateway, "scp", protocol, f"127.0.0.1:{tmp_path}/there", f"{tmp_path}/here")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here").read_bytes() == data


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_keys_are_exchanged_anew_while_a_file_moves(
    gateway: SshGateway, tmp_path: Path, protocol: str
) -> None:
    data = random.Random(4).randbytes(2_000_000)
    (tmp_path / "there").write_bytes(data)
    often = ("-v", "-o", "RekeyLimit=256K")
    done = client(gateway, "scp", protocol, *often, f"127.0.0.1:{tmp_path}/there", f"{tmp_path}/here")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here").read_bytes() == data
    assert done.stderr.count("SSH2_MSG_NEWKEYS received") > 1


def test_an_archive_whose_texts_are_masked_still_unpacks(gateway: SshGateway, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "people").write_text("ana.silva@example.com\n" * 500)
    (tmp_path / "there" / "noise").write_bytes(random.Random(3).randbytes(500_000))
    archive = gateway.ssh(f"tar -c -C {tmp_path}/there .").stdout
    (tmp_path / "here").mkdir()
    subprocess.run(["tar", "-x", "-C", str(tmp_path / "here")], input=archive, check=True)
    assert (tmp_path / "here" / "people").read_text() == f"{'*' * 21}\n" * 500
    assert (tmp_path / "here" / "noise").read_bytes() == (tmp_path / "there" / "noise").read_bytes()
