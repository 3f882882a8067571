"""Approvals, sessions and the directory of the story that the tests tell."""

from __future__ import annotations

import hashlib
from typing import Any

from gateway.contract import (
    ActorView,
    Approval,
    AskView,
    CommandView,
    Directory,
    Entry,
    Estimate,
    GroupView,
    LineageView,
    ResourceView,
    SessionView,
    State,
    Subtree,
)

OPENED = 1_700_000_000.0
UPDATE = "UPDATE orders SET status = $1 WHERE id = $2"
LINEAGE = LineageView(
    person="maria.lopez@example.com",
    chain=(
        ActorView(name="release-pipeline", token_id="tok-1", task="ship 4.2"),
        ActorView(name="planner", token_id="tok-2", task="plan the migration"),
        ActorView(name="migrator", token_id="tok-3", task="mark orders as paid"),
    ),
)
DIRECTORY = Directory(
    people={
        "U0MARIA": "maria.lopez@example.com",
        "U0ANA": "ana.silva@example.com",
        "U0BEN": "ben.okafor@example.com",
    },
    groups={"dba": GroupView(slack="@dba"), "owners": GroupView(members=("sam.chen@example.com",))},
    approvals_channel="#approvals",
    audit_channel="#audit-shop",
)
SUBTREE = Subtree(
    token_id="tok-3", name="migrator", agents=("migrator", "checker"), sessions=("ses-1", "ses-2"), held=1
)


def command(text: str = UPDATE, *parameters: str | None, **changes: Any) -> CommandView:
    given: dict[str, Any] = {
        "text": text,
        "parameters": parameters,
        "effects": ("write",),
        "resources": (ResourceView(kind="table", name="public.orders", effect="write"),),
        "digest": hashlib.sha256(repr((text, parameters)).encode()).hexdigest(),
        "words": "amber falcon tidy nine",
    }
    return CommandView(**given | changes)


def approval(approval_id: str = "apr-1", **changes: Any) -> Approval:
    given: dict[str, Any] = {
        "id": approval_id,
        "version": 1,
        "state": State.PENDING,
        "command": command(UPDATE, "paid", "42"),
        "lineage": LINEAGE,
        "session": "ses-1",
        "connection": "orders",
        "protocol": "postgres",
        "labels": {"env": "prod"},
        "message": "A DBA looks at writes on prod.",
        "asks": (AskView(rule="writes-need-a-dba", approvers="dba", quorum=1),),
        "estimate": Estimate(rows=1, total=1_200),
        "opened_at": OPENED,
        "expires_at": OPENED + 900,
    }
    return Approval(**given | changes)


def session(session_id: str = "ses-1", **changes: Any) -> SessionView:
    given: dict[str, Any] = {
        "id": session_id,
        "connection": "orders",
        "protocol": "postgres",
        "lineage": LINEAGE,
        "client": "127.0.0.1:50001",
        "opened_at": OPENED,
    }
    return SessionView(**given | changes)


def entry(number: int, text: str = "SELECT 1", **changes: Any) -> Entry:
    given: dict[str, Any] = {
        "number": number,
        "at": OPENED + number,
        "kind": "command",
        "text": text,
        "verdict": "allow",
        "rules": ("reads",),
    }
    return Entry(**given | changes)
