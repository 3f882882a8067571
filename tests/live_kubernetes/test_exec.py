"""kubectl exec through the gateway: judged as a command, masked while it runs, and refused in words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.live.house import SAM
from tests.live_kubernetes.cluster import Cluster
from tests.live_kubernetes.house import ClusterGateway


def executed(cluster: Cluster, word: str) -> list[str]:
    return [path for _, path, _ in cluster.seen if "/exec" in path and word in path]


def test_a_command_runs_once_somebody_says_yes(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.api.deciding("approve", containing="command=printf") as seen:
        got = gateway.kubectl("exec", "web-1", "--", "printf", "%s\n", "mail jane@example.com")
    assert (got.exit, got.out) == (0, "mail ****@example.com\n"), got.err
    assert len(executed(cluster, "command=printf")) == 1
    assert "exec" in seen[0]["command"]["effects"]


def test_errors_and_the_exit_code_are_the_commands(gateway: ClusterGateway) -> None:
    script = "echo out; echo ben@example.com >&2; exit 7"
    with gateway.api.deciding("approve", containing="exit+7"):
        got = gateway.kubectl("exec", "web-1", "--", "sh", "-c", script)
    assert (got.exit, got.out) == (7, "out\n")
    assert "***@example.com" in got.err
    assert "ben@" not in got.err


def test_input_reaches_the_command(gateway: ClusterGateway) -> None:
    text = "".join(f"line {number}\n" for number in range(20_000))
    with gateway.api.deciding("approve", containing="command=cat"):
        got = gateway.kubectl("exec", "-i", "web-1", "--", "cat", stdin=text)
    assert got.exit == 0, got.err
    assert got.out == text


def test_a_command_that_is_blocked_or_denied_never_arrives(gateway: ClusterGateway, cluster: Cluster) -> None:
    got = gateway.kubectl("exec", "web-1", "--", "rm", "-rf", "/var/lib/blocked")
    assert got.exit == 126
    assert got.err.splitlines()[0] == "Nothing is deleted through an agent."
    with gateway.api.deciding("deny", containing="command=denied", reason="Not on a Friday."):
        got = gateway.kubectl("exec", "web-1", "--", "denied")
    assert got.exit == 126
    assert "Not on a Friday." in got.err
    assert not executed(cluster, "blocked")
    assert not executed(cluster, "denied")


def test_an_interactive_shell_is_unknown(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.api.deciding("deny", containing="command=bash") as seen:
        assert gateway.kubectl("exec", "-i", "web-1", "--", "bash").exit == 126
    assert "unknown" in seen[0]["command"]["effects"]
    assert not executed(cluster, "bash")


def test_output_is_shown_as_it_comes_and_an_ended_session_ends_the_command(gateway: ClusterGateway) -> None:
    with ThreadPoolExecutor(1) as pool:
        script = "echo begun; exec sleep 600"
        running = gateway.start_kubectl("exec", "web-1", "--", "sh", "-c", script)
        with running:
            assert running.stdout is not None
            line = pool.submit(running.stdout.readline)
            approval = gateway.api.pending("begun")
            gateway.api.vote(approval, "approve")
            assert line.result() == "begun\n"
            gateway.api.call(f"/v1/sessions/{approval['session']}/kill", {"person": SAM, "reason": "enough"})
            _, err = running.communicate(timeout=60)
    assert running.returncode == 126
    assert "enough" in err


def test_a_file_is_copied_from_a_pod(gateway: ClusterGateway, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 500)
    with gateway.api.deciding("approve", containing="command=tar"):
        got = gateway.kubectl("cp", f"web-1:{source}", str(tmp_path / "copied"))
    assert got.exit == 0, got.err
    assert (tmp_path / "copied").read_bytes() == source.read_bytes()


def test_the_record_shows_what_was_printed(gateway: ClusterGateway) -> None:
    with gateway.api.deciding("approve", containing="recorded-here") as seen:
        gateway.kubectl("exec", "web-1", "--", "echo", "recorded-here", "ana@example.com")
    shown = gateway.countersign("replay", seen[0]["session"], "--no-wait").stdout
    assert "recorded-here ***@example.com" in shown
    assert "ana@" not in shown
