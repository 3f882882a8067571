"""A small API server, a real gateway in front of it, and kubectl."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.demo.postgres import Account
from gateway.protocols.kubernetes.kubeconfig import configuration
from tests.certificates import Authority
from tests.live.house import Gateway
from tests.live_kubernetes.cluster import Cluster, cluster
from tests.ports import free_port

POLICY = """
connections:
  cluster:
    protocol: kubernetes
    listen: 127.0.0.1:{listen}
    upstream: https://127.0.0.1:{port}?sslrootcert={authority}
    credential: {{token: env:SHOP_PASSWORD}}
    labels: {{env: prod}}
agents:
  release-pipeline:
    secret: env:RELEASE_PIPELINE_SECRET
    person: maria.lopez@example.com
    scope: {{cluster: [read, write, ddl, destructive, privilege, exec, exfil, unknown]}}
    max_depth: 4
groups:
  dba: {{members: [ana.silva@example.com, ben.okafor@example.com]}}
  security: {{members: [sam.chen@example.com]}}
operators: [security]
tls: {{certificate: {certificate}, key: {key}}}
rules:
  - name: nothing-is-deleted
    when: {{effects: [destructive]}}
    then: {{block: "Nothing is deleted through an agent."}}
  - name: writes-need-somebody
    when: {{effects: [write, privilege, exec, unknown]}}
    then: {{hold: {{approvers: dba, message: "Somebody looks at writes on prod."}}, mask: pii}}
  - name: reads
    when: {{effects: [read, session, exfil]}}
    then: {{allow: true, mask: pii}}
default: hold
masks:
  pii: {{detect: [email, secrets], columns: {{"*.ssn": redact, "pods.ip": partial}}}}
slack: {{people: {{U0MARIA: maria.lopez@example.com, U0ANA: ana.silva@example.com, U0SAM: sam.chen@example.com}}}}
api: {{listen: 127.0.0.1:{api}}}
"""


@dataclass(frozen=True)
class Done:
    exit: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class ClusterGateway(Gateway):
    def __init__(
        self, directory: Path, port: int, credential: str, authority: Path, issued: tuple[Path, Path]
    ) -> None:
        super().__init__(
            directory, Account(host="127.0.0.1", port=1, user="-", password=credential, database="-")
        )
        self.authority = authority
        self.home = directory / "home"
        self.home.mkdir()
        self.policy_file.write_text(
            POLICY.format(
                listen=free_port(),
                api=free_port(),
                port=port,
                authority=authority,
                certificate=issued[0],
                key=issued[1],
            )
        )

    def kubeconfig(self, token: str | None = None, *, user: str = "") -> Path:
        path = self.directory / f"kubeconfig-{secrets.token_hex(4)}"
        path.write_text(
            configuration(
                name="cluster",
                host="127.0.0.1",
                port=self.ports["cluster"],
                user=user,
                secret=token or self.token(),
                tls=True,
                ca=self.authority.read_bytes(),
            )
        )
        return path

    def start_kubectl(
        self, *arguments: str, token: str | None = None, user: str = "", **how: Any
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                "kubectl",
                "--kubeconfig",
                str(self.kubeconfig(token, user=user)),
                "--namespace",
                "shop",
                *arguments,
            ],
            env={**os.environ, "HOME": str(self.home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )

    def kubectl(self, *arguments: str, stdin: str = "", token: str | None = None, user: str = "") -> Done:
        """kubectl, to its end."""
        with self.start_kubectl(*arguments, token=token, user=user) as running:
            out, err = running.communicate(stdin, timeout=90)
        return Done(running.returncode, out, err)


@contextlib.contextmanager
def house(directory: Path) -> Iterator[tuple[Cluster, ClusterGateway]]:
    made = Authority()
    authority = directory / "authority.pem"
    authority.write_bytes(made.certificate)
    issued = made.issue("127.0.0.1").write(directory, "server")
    credential = f"up-{secrets.token_urlsafe(24)}"
    with cluster(credential, *issued) as running:
        gateway = ClusterGateway(directory, running.port, credential, authority, issued)
        gateway.start()
        try:
            yield running, gateway
        finally:
            gateway.stop()
