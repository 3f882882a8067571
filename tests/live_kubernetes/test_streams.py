"""Watches and logs: what comes is shown at once, and masked."""

from __future__ import annotations

import json
from typing import IO, Any

from tests.live_kubernetes.cluster import Cluster
from tests.live_kubernetes.house import ClusterGateway


def test_a_watch_shows_each_event_as_it_comes(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.start_kubectl("get", "configmaps", "--watch", "-o", "json") as running:
        assert running.stdout is not None
        try:
            assert cluster.watched.acquire(timeout=60)
            for number in range(3):
                cluster.put("configmaps", "ConfigMap", "watched", data={"mail": f"jane{number}@example.com"})
                shown = _document(running.stdout)
                while shown["metadata"]["name"] != "watched":
                    shown = _document(running.stdout)
                assert shown["data"]["mail"].endswith("@example.com")
                assert "jane" not in shown["data"]["mail"]
        finally:
            running.kill()
            del cluster.objects["configmaps", "shop", "watched"]


def test_a_watch_of_secrets_hides_their_values(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.start_kubectl("get", "secrets", "db", "--watch", "-o", "json") as running:
        assert running.stdout is not None
        try:
            first = _document(running.stdout)
            assert cluster.watched.acquire(timeout=60)
            cluster.store("secrets", "shop", cluster.objects["secrets", "shop", "db"])
            second = _document(running.stdout)
        finally:
            running.kill()
    for shown in (first, second):
        assert set(shown["data"].values()) == {"W3JlZGFjdGVkXQ=="}


def test_a_table_is_watched(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.start_kubectl("get", "pods", "--watch") as running:
        assert running.stdout is not None
        try:
            lines = [running.stdout.readline() for _ in range(3)]
            assert cluster.watched.acquire(timeout=60)
            cluster.store("pods", "shop", cluster.objects["pods", "shop", "web-2"])
            lines.append(running.stdout.readline())
        finally:
            running.kill()
    assert [line.split()[0] for line in lines] == ["NAME", "web-1", "web-2", "web-2"]
    assert [line.split()[3] for line in lines[1:]] == ["10.0.*.*"] * 3


def test_a_log_is_masked_line_by_line(gateway: ClusterGateway) -> None:
    got = gateway.kubectl("logs", "web-1")
    assert got.out.splitlines() == [
        "starting",
        '{"level": "info", "ssn": "[redacted]", "mail": "****@example.com"}',
        "{not json, written by ****@example.com",
    ]


def test_a_log_that_is_followed_shows_each_line_as_it_comes(
    gateway: ClusterGateway, cluster: Cluster
) -> None:
    with gateway.start_kubectl("logs", "web-1", "--follow") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "starting\n"
        cluster.gate.release()
        assert "[redacted]" in running.stdout.readline()
        cluster.gate.release()
        assert "****@example.com" in running.stdout.readline()
        assert running.wait(60) == 0


def _document(out: IO[str]) -> dict[str, Any]:
    """The next JSON document that kubectl prints."""
    text = ""
    while True:
        line = out.readline()
        assert line, "kubectl ended"
        text += line
        if line.rstrip("\n") == "}":
            found: dict[str, Any] = json.loads(text)
            return found
