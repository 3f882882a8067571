"""kubectl through the gateway: read, held, blocked, refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.house import SAM, Api
from tests.live_kubernetes.cluster import Cluster
from tests.live_kubernetes.house import ClusterGateway

NOT_STREAMED = "attach and port-forward do not go through the gateway"
SHOP = "/api/v1/namespaces/shop"
CONFIG = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "made", "namespace": "shop"},
        "data": {"colour": "green"},
    }
)


def test_pods_are_listed_as_kubectl_lists_them(gateway: ClusterGateway) -> None:
    got = gateway.kubectl("get", "pods")
    assert got.exit == 0, got.err
    assert [line.split()[:3] for line in got.out.splitlines()] == [
        ["NAME", "READY", "STATUS"],
        ["web-1", "1/1", "Running"],
        ["web-2", "1/1", "Running"],
    ]


def test_the_cluster_sees_the_gateways_credential_and_who_asks(
    gateway: ClusterGateway, cluster: Cluster
) -> None:
    token = gateway.token()
    gateway.kubectl("get", "pods", "-l", "seen=by", token=token)
    at = next(n for n, (_, path, _) in enumerate(cluster.seen) if "labelSelector=seen" in path)
    headers = cluster.headers[at]
    assert headers["authorization"] == f"Bearer {cluster.credential}"
    assert "maria.lopez@example.com" in headers["x-countersign-lineage"]
    assert headers["user-agent"].startswith("kubectl")
    assert headers["kubectl-command"] == "kubectl get"
    assert token not in str(headers)


def test_an_object_is_described(gateway: ClusterGateway) -> None:
    got = gateway.kubectl("describe", "pod", "web-1")
    assert got.exit == 0, got.err
    assert "Node:" in got.out
    assert "10.0.0.1" in got.out


def test_the_server_tells_its_version_and_resources(gateway: ClusterGateway) -> None:
    assert "Server Version: v1.32.4" in gateway.kubectl("version").out
    assert "customers" in gateway.kubectl("api-resources", "--api-group", "shop.example.com").out


def test_what_is_not_there_is_told_by_the_cluster(gateway: ClusterGateway) -> None:
    got = gateway.kubectl("get", "pod", "none")
    assert got.exit == 1
    assert 'pods "none" not found' in got.err


def test_what_is_blocked_says_why_and_never_arrives(gateway: ClusterGateway, cluster: Cluster) -> None:
    got = gateway.kubectl("delete", "pod", "web-1")
    assert got.exit == 1
    assert got.err.strip() == "Error from server (Forbidden): Nothing is deleted through an agent."
    assert not cluster.of("DELETE", f"{SHOP}/pods/web-1")


def test_a_write_waits_for_a_person_and_runs_once(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.api.deciding("approve", containing='"made"') as seen:
        got = gateway.kubectl("apply", "--validate=false", "-f", "-", stdin=CONFIG)
    assert (got.exit, got.out) == (0, "configmap/made created\n"), got.err
    assert len(cluster.of("POST", f"{SHOP}/configmaps")) == 1
    assert "green" in seen[0]["command"]["text"]
    with gateway.api.deciding("approve", containing="PATCH") as seen:
        changed = CONFIG.replace("green", "blue")
        got = gateway.kubectl("apply", "--validate=false", "-f", "-", stdin=changed)
    assert (got.exit, got.out) == (0, "configmap/made configured\n"), got.err
    assert cluster.objects["configmaps", "shop", "made"]["data"] == {"colour": "blue"}


def test_an_object_is_applied_by_the_server(gateway: ClusterGateway, cluster: Cluster) -> None:
    config = CONFIG.replace('"made"', '"by-server"')
    with gateway.api.deciding("approve", containing="by-server"):
        got = gateway.kubectl("apply", "--server-side", "--validate=false", "-f", "-", stdin=config)
    assert got.exit == 0, got.err
    assert cluster.objects["configmaps", "shop", "by-server"]["data"] == {"colour": "green"}


def test_a_write_that_is_denied_never_arrives(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.api.deciding("deny", containing="scale", reason="Not on a Friday."):
        got = gateway.kubectl("scale", "deployment", "web", "--replicas", "9")
    assert got.exit == 1
    assert "(Forbidden)" in got.err
    assert "Not on a Friday." in got.err
    assert cluster.objects["deployments", "shop", "web"]["spec"]["replicas"] == 2


def test_a_deployment_is_scaled_once_somebody_says_yes(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.api.deciding("approve", containing='"replicas":3'):
        got = gateway.kubectl("scale", "deployment", "web", "--replicas", "3")
    assert (got.exit, got.out) == (0, "deployment.apps/web scaled\n"), got.err
    assert cluster.objects["deployments", "shop", "web"]["spec"]["replicas"] == 3


def test_a_client_that_leaves_takes_its_request_back(gateway: ClusterGateway, cluster: Cluster) -> None:
    config = CONFIG.replace('"made"', '"left-alone"')
    with gateway.start_kubectl("create", "--validate=false", "-f", "-") as running:
        assert running.stdin is not None
        running.stdin.write(config)
        running.stdin.close()
        approval = gateway.api.pending("left-alone")
        running.kill()
    assert gateway.api.until(approval, "withdrawn")
    assert ("configmaps", "shop", "left-alone") not in cluster.objects


def test_a_session_that_is_ended_ends_what_waits(gateway: ClusterGateway) -> None:
    config = CONFIG.replace('"made"', '"killed"')
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gateway.kubectl, "create", "--validate=false", "-f", "-", stdin=config)
        approval = gateway.api.pending('"killed"')
        gateway.api.call(f"/v1/sessions/{approval['session']}/kill", {"person": SAM, "reason": "enough"})
        got = waiting.result()
    assert got.exit == 1
    assert "enough" in got.err


def test_who_shows_nothing_or_something_else_is_not_let_in(gateway: ClusterGateway, cluster: Cluster) -> None:
    before = len(cluster.seen)
    for token, user in (("nonsense", ""), ("nonsense", "agent")):
        got = gateway.kubectl("get", "pods", token=token, user=user)
        assert got.exit == 1
        assert "You must be logged in to the server" in got.err
    assert len(cluster.seen) == before


def test_a_token_may_come_as_password_and_as_a_minted_pair(gateway: ClusterGateway) -> None:
    assert gateway.kubectl("get", "pods", token=gateway.token(), user="agent").exit == 0
    pair = Api(gateway.url, gateway.token()).call("/oauth/minted", {}, method="POST")
    assert gateway.kubectl("get", "pods", token=pair["password"], user=pair["user"]).exit == 0


@pytest.mark.parametrize(
    "command",
    [
        ("attach", "web-1"),
        ("port-forward", "web-1", ":80"),
    ],
)
def test_streams_are_refused_in_words(
    gateway: ClusterGateway, cluster: Cluster, command: tuple[str, ...]
) -> None:
    got = gateway.kubectl(*command)
    assert got.exit == 1
    assert NOT_STREAMED in got.err
    assert not [path for _, path, _ in cluster.seen if "/attach" in path or "/portforward" in path]


def test_nobody_acts_as_somebody_else(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.api.deciding("deny", containing="get"):
        got = gateway.kubectl("get", "pods", "-l", "as=root", "--as", "system:admin")
    assert got.exit == 1
    assert not any("impersonate-user" in headers for headers in cluster.headers)
