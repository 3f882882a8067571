"""What the PostgreSQL benchmarks stand on: one server, reached directly, through PgBouncer and through Countersign."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.demo.postgres import Account, Postgres

ROWS = 1_000_000
POLICY = """
connections:
  plain:
    protocol: postgres
    listen: 127.0.0.1:{plain}
    upstream: postgresql://127.0.0.1:{upstream}/bench
    credential: {{user: bench, password: env:BENCH_PASSWORD}}
    labels: {{mask: none}}
  masked:
    protocol: postgres
    listen: 127.0.0.1:{masked}
    upstream: postgresql://127.0.0.1:{upstream}/bench
    credential: {{user: bench, password: env:BENCH_PASSWORD}}
    labels: {{mask: pii}}
agents:
  bench: {{secret: env:BENCH_SECRET, person: maria.lopez@example.com,
           scope: {{plain: [read, write], masked: [read, write]}}}}
groups:
  dba: {{members: [ana.silva@example.com]}}
rules:
  - name: writes
    when: {{effects: [write]}}
    then: {{hold: {{approvers: dba, within: 15m}}}}
  - name: masked-reads
    when: {{labels: {{mask: pii}}, effects: [read, session]}}
    then: {{allow: true, mask: pii}}
  - name: reads
    when: {{labels: {{mask: none}}, effects: [read, session]}}
    then: {{allow: true}}
default: block
masks:
  pii: {{detect: [email, phone, payment_card, iban, secrets], columns: {{"*.ssn": redact}}}}
limits: {{connections: 4000, connections_per_lineage: 4000}}
api: {{listen: 127.0.0.1:{api}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Where everything is."""

    postgres: Postgres
    direct: Account
    pgbouncer: Account | None
    plain: Account
    masked: Account
    api: str
    bot_token: str
    gateway_pid: int

    @property
    def reached(self) -> Mapping[str, Account]:
        """How the same database is reached; masking and recording on for Countersign."""
        peers = {} if self.pgbouncer is None else {"pgbouncer": self.pgbouncer}
        return {"direct": self.direct, **peers, "countersign": self.masked}


@contextlib.contextmanager
def house(*, scale: int, rows: int = ROWS, max_connections: int = 2_300) -> Iterator[House]:
    """Start it all: `scale` as pgbench's, `rows` in each of the tables for bulk reads."""
    settings = {"max_connections": str(max_connections), "shared_buffers": "'512MB'", "max_wal_size": "'4GB'"}
    with contextlib.ExitStack() as parts:
        directory = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="countersign-bench-")))
        directory.chmod(0o755)
        postgres = parts.enter_context(Postgres(settings=settings))
        direct = _fill(postgres, scale=scale, rows=rows)
        ports = {name: free_port() for name in ("plain", "masked", "api")}
        bot_token, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        policy = directory / "policies.yaml"
        policy.write_text(POLICY.format(upstream=direct.port, **ports))
        gateway = parts.enter_context(
            running(
                [sys.executable, "-m", "gateway", "serve", "--policy", str(policy), "--json"]
                + ["--state", str(directory / "state")],
                {
                    "BENCH_PASSWORD": direct.password,
                    "BENCH_SECRET": secret,
                    "COUNTERSIGN_BOT_TOKEN": bot_token,
                },
                directory / "gateway.log",
                ready=True,
            )
        )
        secret_token = token(f"http://127.0.0.1:{ports['api']}", secret)
        reach = {
            name: Account(
                host="127.0.0.1", port=ports[name], user="bench", password=secret_token, database="bench"
            )
            for name in ("plain", "masked")
        }
        yield House(
            postgres=postgres,
            direct=direct,
            pgbouncer=_pgbouncer(parts, directory, direct),
            plain=reach["plain"],
            masked=reach["masked"],
            api=f"http://127.0.0.1:{ports['api']}",
            bot_token=bot_token,
            gateway_pid=gateway.pid,
        )


def _fill(postgres: Postgres, *, scale: int, rows: int) -> Account:
    password = secrets.token_urlsafe(16)
    postgres.psql(
        f"CREATE ROLE bench LOGIN PASSWORD '{password}'; CREATE DATABASE bench OWNER bench;".replace(
            "; ", ";\n"
        )
    )
    account = Account(
        host="127.0.0.1", port=postgres.superuser.port, user="bench", password=password, database="bench"
    )
    subprocess.run(
        [postgres.binary("pgbench"), "-i", "-q", "-s", str(scale)],
        env={**os.environ, **account.environment},
        check=True,
        capture_output=True,
    )
    for table, email in (("clean", "'no address here ' || n"), ("hits", _ONE_IN_A_HUNDRED)):
        postgres.psql(
            f"""CREATE TABLE {table} AS SELECT n AS id, 'customer ' || n AS name, {email} AS contact,
                ((n::bigint * 7919) % 100000)::integer AS amount, date '2024-01-01' + n % 700 AS day,
                'note on order ' || md5(n::text) AS note
                FROM generate_series(1, {rows}) AS n;
                ANALYZE {table};""",
            account,
        )
    return account


_ONE_IN_A_HUNDRED = "CASE WHEN n % 100 = 0 THEN 'ada' || n || '@example.com' ELSE 'no address here ' || n END"


def _pgbouncer(parts: contextlib.ExitStack, directory: Path, direct: Account) -> Account | None:
    """PgBouncer in session mode with its own default settings, where it is installed."""
    program = next(
        (path for path in ("/usr/sbin/pgbouncer", "/usr/bin/pgbouncer") if Path(path).exists()), None
    )
    if program is None:
        return None
    home = directory / "pgbouncer"
    home.mkdir()
    port = free_port()
    (home / "users.txt").write_text(f'"{direct.user}" "{direct.password}"\n')
    (home / "pgbouncer.ini").write_text(
        f"[databases]\nbench = host={direct.host} port={direct.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = scram-sha-256\n"
        f"auth_file = {home}/users.txt\npool_mode = session\nmax_client_conn = 2000\ndefault_pool_size = 200\n"
        "unix_socket_dir =\nlog_connections = 0\nlog_disconnections = 0\n"
    )
    owner: dict[str, int | list[int]] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for path in (home, *home.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    parts.enter_context(
        running([program, str(home / "pgbouncer.ini")], {}, directory / "pgbouncer.log", **owner)
    )
    account = Account(
        host="127.0.0.1", port=port, user=direct.user, password=direct.password, database="bench"
    )
    _wait_for(port)
    return account


@contextlib.contextmanager
def running(
    arguments: list[str], environment: Mapping[str, str], log: Path, *, ready: bool = False, **owner: object
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as sink:
        process = subprocess.Popen(
            arguments,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if ready else sink,
            stderr=sink,
            **owner,
        )
    try:
        if ready:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise SystemExit(f"the gateway did not start:\n{log.read_text()[-3000:]}")
        yield process
    finally:
        process.terminate()
        process.wait(30)


def token(api: str, secret: str) -> str:
    form = f"grant_type=client_credentials&client_id=bench&client_secret={secret}".encode()
    with urllib.request.urlopen(urllib.request.Request(f"{api}/oauth/token", data=form)) as answer:
        return str(json.load(answer)["access_token"])


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        subprocess.run(["sleep", "0.05"], check=True)
    raise SystemExit(f"nothing listens on {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
