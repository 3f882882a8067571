"""What `countersign connect` and `run` give to clients of a cluster lets them in."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

from tests.live_kubernetes.house import ClusterGateway

PODS = ["pod/web-1", "pod/web-2"]


def shell(gateway: ClusterGateway, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line],
        env={**os.environ, "HOME": str(gateway.home), "SSL_CERT_FILE": str(gateway.authority), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_the_line_of_connect_starts_kubectl(gateway: ClusterGateway) -> None:
    token = gateway.token()
    line = gateway.countersign("connect", "cluster", COUNTERSIGN_TOKEN=token).stdout.strip()
    assert token not in line
    done = shell(
        gateway, f"{line} get pods -n shop -o name", COUNTERSIGN_TOKEN=token, TMPDIR=str(gateway.home)
    )
    assert done.stdout.split() == PODS, done.stderr
    assert not list(gateway.home.glob("tmp.*"))


def test_a_minted_pair_works_in_the_line(gateway: ClusterGateway) -> None:
    line = gateway.countersign(
        "connect", "cluster", "--minted", COUNTERSIGN_TOKEN=gateway.token()
    ).stdout.strip()
    done = shell(gateway, f"{line} get pods -n shop -o name")
    assert done.stdout.split() == PODS, done.stderr


def test_a_kubeconfig_is_written_for_every_client(gateway: ClusterGateway, tmp_path: Path) -> None:
    for number, minted in enumerate(([], ["--minted"])):
        path = tmp_path / f"kube config {number}"
        done = gateway.countersign(
            "connect",
            "cluster",
            *minted,
            "--config",
            str(path),
            "--ca",
            str(gateway.authority),
            COUNTERSIGN_TOKEN=gateway.token(),
        )
        assert done.returncode == 0, done.stderr
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        shown = shell(gateway, f"{done.stdout}kubectl get pods -n shop -o name", SSL_CERT_FILE="/dev/null")
        assert shown.stdout.split() == PODS, shown.stderr


def test_a_program_that_is_run_finds_the_cluster(gateway: ClusterGateway) -> None:
    done = gateway.countersign(
        "run",
        "--as",
        "reader",
        "--scope",
        "cluster:read",
        "--",
        "sh",
        "-c",
        'kubectl get pods -n shop -o name; kubectl config view --raw -o json; echo "$KUBECONFIG" >&2',
        COUNTERSIGN_TOKEN=gateway.token(),
        KUBECONFIG="/nowhere",
        SSL_CERT_FILE=str(gateway.authority),
        HOME=str(gateway.home),
    )
    assert done.stdout.split()[:2] == PODS, done.stderr
    told = json.loads(done.stdout.partition("{")[1] + done.stdout.partition("{")[2])
    assert [each["name"] for each in told["contexts"]] == ["cluster"]
    file = Path(done.stderr.split()[-1])
    assert file.name == "cluster"
    assert not file.exists()


def test_an_authority_that_cannot_be_read_is_said(gateway: ClusterGateway, tmp_path: Path) -> None:
    done = gateway.countersign(
        "connect",
        "cluster",
        "--ca",
        "/nowhere",
        "--config",
        str(tmp_path / "c"),
        COUNTERSIGN_TOKEN=gateway.token(),
    )
    assert done.returncode == 2
    assert "/nowhere cannot be read" in done.stderr
