"""A real PostgreSQL, a real gateway process in front of it, and people who vote over the API."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from gateway.demo.postgres import Account, Postgres

ANA, BEN, SAM, MARIA = (
    "ana.silva@example.com",
    "ben.okafor@example.com",
    "sam.chen@example.com",
    "maria.lopez@example.com",
)
WITHIN = 90.0

POLICY = """
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:0
    upstream: postgresql://127.0.0.1:{port}/shop?sslmode={sslmode}{sslrootcert}
    credential: {credential}
    labels: {{env: prod}}
    channels: {{approvals: "#approvals", audit: "#audit-shop"}}
  archive:
    protocol: postgres
    listen: 127.0.0.1:0
    upstream: postgresql://127.0.0.1:{port}/shop?sslmode={sslmode}{sslrootcert}
    credential: {{user: gateway, password: env:SHOP_PASSWORD}}
agents:
  release-pipeline:
    secret: env:RELEASE_PIPELINE_SECRET
    person: maria.lopez@example.com
    persons: [ana.silva@example.com]
    scope: {{shop: [read, write, ddl, destructive, privilege, exec, exfil, unknown], archive: [read]}}
    max_depth: 4
groups:
  dba: {{slack: "@dba", members: [ana.silva@example.com, ben.okafor@example.com]}}
  security: {{members: [sam.chen@example.com]}}
operators: [security]
rules:
  - name: destructive-never
    when: {{labels: {{env: prod}}, effects: [{never}]}}
    then: {{block: "Destructive statements never run through an agent."}}
  - name: ddl-needs-two
    when: {{effects: [ddl]}}
    then: {{hold: {{asks: [{{approvers: dba, quorum: 2}}, {{approvers: security}}], within: 5m}}}}
  - name: writes-need-a-dba
    when: {{effects: [write]}}
    then: {{hold: {{approvers: dba, quorum: 1, within: {within}, message: "A DBA looks at writes on prod.",
                  for_a_while: {{up_to: 1h, commands: 50, what: [call, shape, agent, subtree]}}}}, mask: pii}}
  - name: patience-is-short
    when: {{resources: [hasty], effects: [write]}}
    then: {{hold: {{approvers: dba, within: 1s}}}}
  - name: reads
    when: {{effects: [{freely}]}}
    then: {{allow: true, mask: pii}}
default: hold
masks:
  pii: {{detect: [email, phone, payment_card, iban, secrets], columns: {{"*.ssn": redact, "customers.name": partial{columns}}}}}
elevations:
  - name: fix-forward
    effects: [write]
    longest: 1h
    commands: 5
    hold: {{approvers: dba, message: "Fixing forward is for emergencies."}}
{elevations}
limits: {{rejoin: {rejoin}}}
slack:
  people: {{U0MARIA: maria.lopez@example.com, U0ANA: ana.silva@example.com, U0BEN: ben.okafor@example.com,
           U0SAM: sam.chen@example.com}}
api: {{listen: 127.0.0.1:{api_port}{public_url}}}
{tls}
{more}
"""


def eventually(condition: Callable[[], bool], *, within: float = WITHIN) -> None:
    """Ask until `condition` holds: for what nobody announces."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"that did not come about within {within} s"


class Refused(Exception):
    """The API said no; `code` is `contract.Refusal.error`."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.code = str(body.get("error"))
        self.field = str(body.get("field"))


@dataclass
class Api:
    """The gateway's API with one credential."""

    url: str
    credential: str

    def call(self, path: str, body: Mapping[str, Any] | None = None, *, method: str | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.credential}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=70) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.loads(error.read() or b"{}")) from None

    def changes(self, after: int = 0, *, wait: float = 0) -> Any:
        return self.call(f"/v1/changes?after={after}&wait={wait}")

    def approval(
        self, wanted: Callable[[Mapping[str, Any]], bool], *, within: float = WITHIN
    ) -> dict[str, Any]:
        """The first approval in the feed that is `wanted`; waits for it."""
        deadline = time.monotonic() + within
        seq = 0
        while (left := deadline - time.monotonic()) > 0:
            page = self.changes(seq, wait=min(left, 10))
            seq = page["next"]
            for change in page["changes"]:
                if change.get("approval") and wanted(change["approval"]):
                    return dict(change["approval"])
        raise AssertionError(f"no such approval within {within} s")

    def until(self, approval: Mapping[str, Any], state: str, *, within: float = WITHIN) -> dict[str, Any]:
        """The approval once it is in `state`; waits for it."""
        deadline = time.monotonic() + within
        seq = self.changes()["next"]
        while (now := self.call(f"/v1/approvals/{approval['id']}"))["state"] != state:
            left = deadline - time.monotonic()
            assert left > 0, f"approval {approval['id']} is {now['state']}, not {state}, after {within} s"
            seq = self.changes(seq, wait=min(left, 10))["next"]
        return dict(now)

    def pending(self, containing: str = "", *, within: float = WITHIN) -> dict[str, Any]:
        return self.approval(
            lambda each: each["state"] == "pending" and containing in each["command"]["text"], within=within
        )

    def vote(self, approval: Mapping[str, Any], choice: str, *, person: str = ANA, reason: str = "") -> Any:
        """As the bot does: opening the whole text first where the card cannot show it."""
        opened = ""
        if approval["review_required"] and choice == "approve":
            query = urllib.parse.urlencode({"person": person})
            opened = self.call(f"/v1/approvals/{approval['id']}/text?{query}")["opened"]
        return self.call(
            f"/v1/approvals/{approval['id']}/votes",
            {
                "person": person,
                "choice": choice,
                "reason": reason,
                "seen_version": approval["version"],
                "opened": opened,
            },
        )

    @contextlib.contextmanager
    def meanwhile(self, work: Callable[[], object]) -> Iterator[None]:
        """Do `work` in a thread while the body waits for what it does. Where it fails nobody waits any longer."""
        failed: list[BaseException] = []

        def done() -> None:
            try:
                work()
            except BaseException as error:
                failed.append(error)
                self.end_all()

        thread = threading.Thread(target=done)
        thread.start()
        try:
            yield
        except Exception as error:
            thread.join()
            raise (failed or [error])[0] from None
        thread.join()
        if failed:
            raise failed[0]

    @contextlib.contextmanager
    def deciding(
        self, choice: str, *, containing: str = "", person: str = ANA, reason: str = ""
    ) -> Iterator[list[Any]]:
        """While the body runs a command that is held, somebody votes on its card; yields the approvals seen."""
        seen: list[Any] = []

        def decide() -> None:
            approval = self.pending(containing)
            seen.append(approval)
            self.vote(approval, choice, person=person, reason=reason)

        with self.meanwhile(decide):
            yield seen

    def end_all(self) -> None:
        """End every open session."""
        for session in self.call("/v1/sessions"):
            if session["closed_at"] is None:
                self.call(f"/v1/sessions/{session['id']}/kill", {"person": SAM, "reason": "the test failed"})


class Gateway:
    """One `countersign serve` process; it may be killed and started again over the same state."""

    def __init__(self, directory: Path, postgres: Account, **policy: str) -> None:
        self.directory = directory
        self.policy_file = directory / "policies.yaml"
        self.state = directory / "state"
        self._settings = {
            "port": str(postgres.port),
            "sslmode": "disable",
            "sslrootcert": "",
            "columns": ', "payroll.*": redact',
            "never": "destructive, privilege, exec, exfil",
            "freely": "read, session",
            "within": "15m",
            "rejoin": "30s",
            "api_port": "0",
            "tls": "",
            "credential": "{user: gateway, password: env:SHOP_PASSWORD}",
            "more": "",
            "elevations": "",
            "public_url": "",
        } | policy
        self.bot_token, self.root_secret = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.environment = {
            **os.environ,
            "SHOP_PASSWORD": postgres.password,
            "RELEASE_PIPELINE_SECRET": self.root_secret,
            "COUNTERSIGN_BOT_TOKEN": self.bot_token,
        }
        self.policy_file.write_text(POLICY.format(**self._settings))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Gateway:
        log = (self.directory / "gateway.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--policy", str(self.policy_file)]
            + ["--state", str(self.state), "--json"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        log.close()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the gateway did not start:\n{self.log()[-3000:]}"
        ready = json.loads(line)
        self.url = str(ready["api"])
        self.ports = {name: int(address.rpartition(":")[2]) for name, address in ready["connections"].items()}
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        return (self.directory / "gateway.log").read_text(errors="replace")

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        status = self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    @property
    def api(self) -> Api:
        return Api(self.url, self.bot_token)

    @property
    def operator(self) -> Api:
        return Api(self.url, (self.state / "operator.token").read_text().strip())

    def token(self, **form: str) -> str:
        """A token of the root agent."""
        return self._token(
            grant_type="client_credentials",
            client_id="release-pipeline",
            client_secret=self.root_secret,
            **form,
        )

    def child(self, parent: str, name: str, scope: str, **form: str) -> str:
        """A token that `parent` derives."""
        return self._token(
            grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token=parent,
            subject_token_type="urn:ietf:params:oauth:token-type:access_token",
            name=name,
            scope=scope,
            **form,
        )

    def revoke(self, token: str) -> None:
        self._post("/oauth/revoke", token=token)

    def _token(self, **form: str) -> str:
        return str(self._post("/oauth/token", **form)["access_token"])

    def _post(self, path: str, **form: str) -> Any:
        data = urllib.parse.urlencode(form).encode()
        try:
            with urllib.request.urlopen(f"{self.url}{path}", data=data, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.loads(error.read() or b"{}")) from None

    def minted(self, token: str | None = None) -> Account:
        """How a client reaches the shop that proves a password rather than handing one over."""
        answer = Api(self.url, token or self.token()).call("/oauth/minted", {}, method="POST")
        return replace(self.account("-"), user=answer["user"], password=answer["password"])

    def account(self, token: str | None = None, *, connection: str = "shop") -> Account:
        """How a client reaches a connection: the token as password."""
        return Account(
            host="127.0.0.1",
            port=self.ports[connection],
            user="migrator",
            password=token or self.token(),
            database="shop",
        )

    def countersign(
        self, *arguments: str, typed: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            env={
                **self.environment,
                "COUNTERSIGN_URL": self.url,
                "COUNTERSIGN_STATE": str(self.state),
                **environment,
            },
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )


@contextlib.contextmanager
def shop(**settings: Any) -> Iterator[tuple[Postgres, Account]]:
    """A PostgreSQL with the demo's shop in it, and the account that the gateway logs in with."""
    with Postgres(**settings) as server:
        password = secrets.token_urlsafe(16)
        script = files("gateway.demo").joinpath("shop.sql").read_text()
        server.psql(f"\\set password '{password}'\n{script}")
        yield (
            server,
            Account(
                host="127.0.0.1",
                port=server.superuser.port,
                user="gateway",
                password=password,
                database="shop",
            ),
        )


@contextlib.contextmanager
def gateway(directory: Path, account: Account, **policy: str) -> Iterator[Gateway]:
    running = Gateway(directory, account, **policy).start()
    try:
        yield running
    finally:
        running.stop()


def url(account: Account, **parameters: str) -> str:
    """The account as libpq and its kin read it."""
    query = urllib.parse.urlencode(parameters)
    password = urllib.parse.quote(account.password, safe="")
    return (
        f"postgresql://{account.user}:{password}@{account.host}:{account.port}/{account.database}"
        f"{'?' if query else ''}{query}"
    )
