"""A real OpenSSH server, a real gateway in front of it, and OpenSSH's own clients."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import paramiko

from gateway.demo.postgres import Account
from tests.live.house import Api, Gateway, Refused
from tests.ports import free_port

POLICY = """
connections:
  web-1:
    protocol: ssh
    listen: 127.0.0.1:{listen}
    upstream: ssh://127.0.0.1:{port}?known_hosts={known_hosts}
    credential: {{user: {user}{key}}}
    labels: {{env: prod}}
    options: {{shell: {shell}, forwarding: {forwarding}, binary: {binary}}}
{more}agents:
  release-pipeline:
    secret: env:RELEASE_PIPELINE_SECRET
    person: maria.lopez@example.com
    scope: {{{also}web-1: [read, write, ddl, destructive, privilege, exec, exfil, unknown]}}
    max_depth: 4
    keys: ["{agent_key}"]
limits: {limits}
groups:
  dba: {{members: [ana.silva@example.com, ben.okafor@example.com]}}
  security: {{members: [sam.chen@example.com]}}
operators: [security]
rules:
  - name: destructive-never
    when: {{labels: {{env: prod}}, effects: [{never}]}}
    then: {{block: "Destructive commands never run through an agent."}}
  - name: writes-need-somebody
    when: {{effects: [{held}]}}
    then: {{hold: {{approvers: dba, message: "Somebody looks at writes on prod."{lasting}}}, mask: pii}}
  - name: reads
    when: {{effects: [{freely}]{only}}}
    then: {{allow: true, mask: pii}}
{plain}default: hold
masks:
  pii: {{detect: [email, phone, payment_card, iban, secrets]}}
slack: {{people: {{U0MARIA: maria.lopez@example.com, U0ANA: ana.silva@example.com, U0SAM: sam.chen@example.com}}}}
api: {{listen: 127.0.0.1:{api}}}
"""
PLAIN = """
  - name: unmasked-reads
    when: {{effects: [{plain}]}}
    then: {{allow: true}}
"""
BESIDE = """
  web-2:
    protocol: ssh
    listen: 127.0.0.1:{listen}
    upstream: ssh://127.0.0.1:{port}?known_hosts={known_hosts}
    credential: {{user: nobody-there, password: env:SHOP_PASSWORD}}
"""


@dataclass
class Server:
    """One sshd of the test's own."""

    directory: Path
    port: int
    key: Path
    known_hosts: Path

    def client(self) -> list[str]:
        """Options for OpenSSH's clients that come without the gateway."""
        return openssh(IdentityFile=str(self.key), UserKnownHostsFile=str(self.known_hosts))


def openssh(**options: str) -> list[str]:
    """Options of OpenSSH's clients, on top of none of the user's own."""
    set_options = {"LogLevel": "ERROR", **options}
    return [
        "-F",
        "none",
        *(part for name, value in set_options.items() for part in ("-o", f"{name}={value}")),
    ]


@contextlib.contextmanager
def sshd(
    directory: Path, *, more: Callable[[Path], str] = lambda _host_key: "", programs: Path | None = None
) -> Iterator[Server]:
    """OpenSSH's server on a free port, for the user who runs the tests; `more` is added to its configuration.

    `programs` is a directory whose programs its sessions find before the machine's.
    """
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True)
    (directory / "authorized").write_text((directory / "client.pub").read_text())
    port = free_port()
    path = f" PATH={programs}:{os.defpath}" if programs else ""
    configuration = directory / "sshd_config"
    configuration.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {directory}/authorized\nPermitRootLogin yes\nSubsystem sftp internal-sftp\nMaxSessions 200\n"
        # Start-up files of whoever runs the tests are none of theirs.
        f"MaxStartups 300\nAcceptEnv LANG LC_*\nSetEnv HOME={directory}{path}\n{more(directory / 'host')}"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    process = subprocess.Popen(
        # A job in the background ignores SIGINT, and all that it starts would.
        ["env", "--default-signal=INT", program, "-D", "-e", "-f", configuration],
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    while b"Server listening" not in (line := process.stderr.readline()):
        assert line, "sshd did not start"
    host_key = (directory / "host.pub").read_text()
    known = directory / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {host_key}")
    try:
        yield Server(directory=directory, port=port, key=directory / "client", known_hosts=known)
    finally:
        process.terminate()
        process.stderr.close()
        process.wait()


class SshGateway(Gateway):
    """A gateway whose one connection is an SSH server."""

    def __init__(
        self,
        directory: Path,
        server: Server,
        *,
        shell: str = "guarded",
        held: str = "write",
        forwarding: str = "refused",
        binary: str = "masked",
        never: str = "destructive, privilege",
        freely: str = "read, session",
        limits: str = "{}",
        only: str = "",
        plain: str = "",
        beside: bool = False,
        lasting: str = "",
    ) -> None:
        self.agent_key = directory / "agent"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.agent_key], check=True)
        listen = free_port()
        self._policy = POLICY.format(
            listen=listen,
            api=free_port(),
            port=server.port,
            known_hosts=server.known_hosts,
            user=getpass.getuser(),
            key=f", key: file:{server.key}" if server.key.is_file() else "",
            shell=shell,
            forwarding=forwarding,
            binary=binary,
            never=never,
            also="web-2: [read], " if beside else "",
            freely=freely,
            only=f", attributes: {{{only}}}" if only else "",
            plain=PLAIN.format(plain=plain) if plain else "",
            limits=limits,
            more=BESIDE.format(listen=listen, port=server.port, known_hosts=server.known_hosts)
            if beside
            else "",
            agent_key=self.agent_key.with_suffix(".pub").read_text().strip(),
            held=held,
            lasting=f", for_a_while: {lasting}" if lasting else "",
        )
        nowhere = Account(host="127.0.0.1", port=1, user="-", password=secrets.token_hex(4), database="-")
        super().__init__(directory, nowhere)
        self.policy_file.write_text(self._policy)
        self.askpass = directory / "askpass"
        self.askpass.write_text('#!/bin/sh\nprintf "%s\\n" "$PASSWORD"\n')
        self.askpass.chmod(0o700)

    def minted_pair(self, token: str) -> dict[str, str]:
        """What stands for a token; a token that is none stands for itself."""
        try:
            return dict(Api(self.url, token).call("/oauth/minted", {}, method="POST"))
        except Refused:
            return {"user": "agent", "password": token}

    def client(self, token: str, pair: dict[str, str] | None = None) -> tuple[list[str], dict[str, str]]:
        """Options for OpenSSH's clients, and their environment: a minted password comes by SSH_ASKPASS."""
        pair = pair or self.minted_pair(token)
        options = openssh(
            StrictHostKeyChecking="accept-new",
            UserKnownHostsFile=f"{self.directory}/known_hosts",
            PreferredAuthentications="password",
            NumberOfPasswordPrompts="1",
            BatchMode="no",
            User=pair["user"],
        )
        environment = {
            **os.environ,
            "SSH_ASKPASS": str(self.askpass),
            "SSH_ASKPASS_REQUIRE": "force",
            "PASSWORD": pair["password"],
        }
        return options, environment

    def ssh(
        self,
        *command: str,
        token: str | None = None,
        stdin: bytes = b"",
        options: tuple[str, ...] = (),
        pair: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """`ssh host COMMAND`, to its end."""
        given, environment = self.client(token or self.token(), pair)
        return subprocess.run(
            ["ssh", *options, *given, "-p", str(self.ports["web-1"]), "127.0.0.1", *command],
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def start_ssh(
        self, command: str, *, stdin: Path = Path(os.devnull), token: str | None = None
    ) -> subprocess.Popen[bytes]:
        """`ssh host COMMAND`, as it runs."""
        given, environment = self.client(token or self.token())
        with stdin.open("rb") as given_in:
            return subprocess.Popen(
                ["ssh", *given, "-p", str(self.ports["web-1"]), "127.0.0.1", command],
                env=environment,
                stdin=given_in,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )


@contextlib.contextmanager
def gateway(directory: Path, server: Server, **policy: str) -> Iterator[SshGateway]:
    running = SshGateway(directory, server, **policy)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def paramiko_client(gateway: SshGateway) -> Iterator[paramiko.SSHClient]:
    """Logged in by token."""
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(
            "127.0.0.1",
            gateway.ports["web-1"],
            username="agent",
            password=gateway.token(),
            look_for_keys=False,
            allow_agent=False,
        )
        yield client


@contextlib.asynccontextmanager
async def connected(
    gateway: SshGateway, user: str = "agent", **more: Any
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Logged in by token; `more` are options of asyncssh's."""
    options = {"known_hosts": None, "client_keys": None, "config": None, "password": gateway.token()} | more
    async with asyncssh.connect("127.0.0.1", gateway.ports["web-1"], username=user, **options) as connection:
        yield connection
