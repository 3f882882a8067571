from __future__ import annotations

import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.model import Actor, Connection, Effect, Lineage, Resource, Session
from gateway.recorder import Recorder


def make_session(session_id="s1", opened_at=1_700_000_000.0):
    return Session(
        id=session_id,
        lineage=Lineage(
            person="dana@example.com",
            chain=(
                Actor(name="release-pipeline", token_id="t1", task="release 7"),
                Actor(name="migrator", token_id="t2", origin="127.0.0.1"),
            ),
        ),
        connection=Connection(name="orders", protocol="postgres", labels={"env": "prod"}),
        scope=frozenset({Effect.READ, Effect.WRITE}),
        opened_at=opened_at,
        expires_at=opened_at + 3600,
        client="127.0.0.1:5000",
    )


def ask(recording, command_id="c1", text="SELECT 1", verdict="allow", **changes):
    recording.asked(
        command_id,
        **{
            "text": text,
            "parameters": (),
            "effects": frozenset({Effect.READ}),
            "resources": (Resource(kind="table", name="public.orders", effect=Effect.READ),),
            "verdict": verdict,
            "rules": ("reads",),
            "digest": "ab" * 32,
            "message": "Not here." if verdict == "block" else "",
            **changes,
        },
    )


def finish(recording, command_id="c1", outcome="SELECT 1", **changes):
    recording.answered(
        command_id, **{"outcome": outcome, "rows": 1, "failed": False, "masked": {}, "shape": b"", **changes}
    )


@pytest.fixture
def key():
    return Ed25519PrivateKey.generate()


@pytest.fixture
def recorder(tmp_path, key):
    ticks = itertools.count(1_700_000_000)
    return Recorder(
        tmp_path / "recordings",
        clock=lambda: float(next(ticks)),
        sign=key.sign,
        key_id=lambda: "k1",
        answer_limit=200_000,
    )


@pytest.fixture
def keys(key):
    return {"k1": key.public_key()}
