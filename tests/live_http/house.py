"""A real service, a real gateway in front of it, and curl."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.demo.postgres import Account
from tests.live.house import Gateway
from tests.ports import free_port

POLICY = """
connections:
  shop-api:
    protocol: http
    listen: 127.0.0.1:{listen}
    upstream: http://127.0.0.1:{port}
    credential: {credential}
    labels: {{env: prod}}
  echo-api:
    protocol: http
    listen: 127.0.0.1:{other}
    upstream: http://127.0.0.1:{port}
    credential: {credential}
    labels: {{env: test}}
agents:
  release-pipeline:
    secret: env:RELEASE_PIPELINE_SECRET
    person: maria.lopez@example.com
    scope:
      shop-api: [read, write, ddl, destructive, privilege, exec, exfil, unknown]
      echo-api: [read, write, ddl, destructive, privilege, exec, exfil, unknown]
    max_depth: 4
groups:
  dba: {{members: [ana.silva@example.com, ben.okafor@example.com]}}
  security: {{members: [sam.chen@example.com]}}
operators: [security]
limits: {limits}
rules:
  - name: nothing-is-deleted
    when: {{effects: [destructive]}}
    then: {{block: "Nothing is deleted through an agent."}}
  - name: writes-need-somebody
    when: {{labels: {{env: prod}}, effects: [write, privilege, exec, unknown]}}
    then: {{hold: {{approvers: dba, message: "Somebody looks at writes on prod."}}, mask: pii}}
  - name: reads
    when: {{labels: {{env: prod}}, effects: [read, session]}}
    then: {{allow: true, mask: pii}}
  - name: plain
    when: {{labels: {{env: test}}, effects: [read, session, write, exfil, privilege, exec, unknown]}}
    then: {{allow: true}}
default: hold
masks:
  pii: {{detect: [email, secrets], columns: {{"*.ssn": redact}}}}
slack: {{people: {{U0MARIA: maria.lopez@example.com, U0ANA: ana.silva@example.com, U0SAM: sam.chen@example.com}}}}
api: {{listen: 127.0.0.1:{api}}}
"""


@dataclass(frozen=True)
class Got:
    """What curl was given."""

    status: int
    headers: dict[str, str]
    body: bytes
    exit: int

    @property
    def text(self) -> str:
        return self.body.decode()


class HttpGateway(Gateway):
    """A gateway in front of one service, which it serves as two connections: `shop-api` masks and holds, `echo-api` does neither."""

    def __init__(self, directory: Path, port: int, *, limits: str = "{rejoin: 1s}", user: str = "") -> None:
        nowhere = Account(
            host="127.0.0.1", port=1, user="-", password=f"up-{secrets.token_urlsafe(24)}", database="-"
        )
        super().__init__(directory, nowhere)
        self.credential = nowhere.password
        self.user = user
        self.policy_file.write_text(
            POLICY.format(
                listen=free_port(),
                other=free_port(),
                api=free_port(),
                port=port,
                credential=f"{{user: {user}, password: env:SHOP_PASSWORD}}"
                if user
                else "{token: env:SHOP_PASSWORD}",
                limits=limits,
            )
        )

    def base(self, connection: str = "shop-api") -> str:
        return f"http://127.0.0.1:{self.ports[connection]}"

    def curl(
        self,
        path: str,
        *arguments: str,
        connection: str = "shop-api",
        token: str | None = None,
        anonymous: bool = False,
        stdin: bytes = b"",
    ) -> Got:
        """curl, to its end: the headers of the last answer, and the body as curl gave it out."""
        heads = self.directory / f"heads-{secrets.token_hex(4)}"
        shown = [] if anonymous else ["--oauth2-bearer", token or self.token()]
        done = subprocess.run(
            [
                "curl",
                "-sS",
                "--max-time",
                "60",
                "-D",
                heads,
                *shown,
                *arguments,
                f"{self.base(connection)}{path}",
            ],
            input=stdin,
            capture_output=True,
            check=False,
        )
        blocks = heads.read_bytes().decode("latin-1").strip().split("\r\n\r\n") if heads.exists() else []
        heads.unlink(missing_ok=True)
        lines = (blocks[-1] if blocks else "").splitlines()
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        status = int(lines[0].split()[1]) if lines else 0
        return Got(status=status, headers=headers, body=done.stdout, exit=done.returncode)


@contextlib.contextmanager
def gateway(directory: Path, port: int, **policy: str) -> Iterator[HttpGateway]:
    running = HttpGateway(directory, port, **policy)
    running.start()
    try:
        yield running
    finally:
        running.stop()
