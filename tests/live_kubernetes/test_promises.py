"""The promises of the gateway, each by its name, kept by the process itself between real clients and a cluster."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.live.house import BEN, MARIA, WITHIN, Api, Refused
from tests.live_kubernetes.cluster import PASSWORD, Cluster, encoded
from tests.live_kubernetes.house import ClusterGateway, house

SHOP = "/api/v1/namespaces/shop"


def manifest(name: str, **data: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "shop"},
            "data": data,
        }
    )


def creates(gateway: ClusterGateway, text: str, **how: Any) -> Any:
    return gateway.kubectl("create", "--validate=false", "-f", "-", stdin=text, **how)


def trusted(gateway: ClusterGateway) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=gateway.authority)


def connected(gateway: ClusterGateway) -> closing[http.client.HTTPSConnection]:
    return closing(
        http.client.HTTPSConnection(
            "127.0.0.1", gateway.ports["cluster"], timeout=WITHIN, context=trusted(gateway)
        )
    )


def asked(
    connection: http.client.HTTPSConnection,
    token: str,
    method: str,
    path: str,
    body: str = "",
    kind: str = "",
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}", **({"Content-Type": kind} if kind else {})}
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_nothing_moves_unasked(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.api.meanwhile(lambda: creates(gateway, manifest("unasked", a="b"))):
        approval = gateway.api.pending('"unasked"')
        assert not any(b"unasked" in body for _, _, body in cluster.seen)
        gateway.api.vote(approval, "approve")
    assert cluster.objects["configmaps", "shop", "unasked"]["data"] == {"a": "b"}


def test_strictest_wins(gateway: ClusterGateway, cluster: Cluster) -> None:
    """Deleting writes, which is held, and destroys, which is blocked."""
    before = len(cluster.seen)
    for command in (
        ("delete", "--raw", f"{SHOP}/pods"),
        ("delete", "--raw", f"{SHOP}/pods/web-1?dryRun=All"),
        ("exec", "web-1", "--", "sh", "-c", "true && rm -rf /srv/data"),
    ):
        got = gateway.kubectl(*command)
        assert got.exit != 0
        assert "Nothing is deleted through an agent." in got.err
    assert not [seen for seen in cluster.seen[before:] if seen[0] == "DELETE" or "/exec" in seen[1]]


def test_unknown_is_not_no(gateway: ClusterGateway, cluster: Cluster) -> None:
    token = gateway.token()
    before = len(cluster.seen)
    with connected(gateway) as connection:
        for path, body, kind in (
            (f"{SHOP}/services/web/proxy/unknown-1", "", ""),
            (f"{SHOP}/pods/web-1/unknown-2", "", ""),
            (f"{SHOP}/pods?what=unknown-3;watch=1", "", ""),
            (f"{SHOP}/configmaps?what=unknown-4", "k8s\0", "application/vnd.kubernetes.protobuf"),
        ):
            wanted = path[path.index("unknown") :][:9]
            with gateway.api.deciding("deny", containing=wanted) as seen:
                code, said = asked(connection, token, "POST" if body else "GET", path, body, kind)
            assert (code, said["kind"]) == (403, "Status")
            assert "unknown" in seen[0]["command"]["effects"]
    assert len(cluster.seen) == before


def test_what_was_shown_runs_once(gateway: ClusterGateway, cluster: Cluster) -> None:
    token = gateway.token()
    with gateway.api.deciding("approve", containing='"shown"') as seen:
        assert creates(gateway, manifest("shown", a="one"), token=token).exit == 0
    assert '"one"' in seen[0]["command"]["text"]
    for text in (manifest("shown", a="one"), manifest("shown", a="two")):
        with gateway.api.deciding("deny", containing='"shown"') as again:
            assert creates(gateway, text, token=token).exit == 1
        assert again[0]["id"] != seen[0]["id"]
    assert cluster.objects["configmaps", "shop", "shown"]["data"] == {"a": "one"}


def test_approval_never_unmasks(gateway: ClusterGateway, cluster: Cluster) -> None:
    with gateway.api.deciding("approve", containing='"unmasked"'):
        got = creates(gateway, manifest("unmasked", mail="jane@example.com", ssn="078-05-1120"))
    assert got.exit == 0, got.err
    token = gateway.token()
    with gateway.api.deciding("approve", containing="secrets/db"), connected(gateway) as connection:
        patch = json.dumps({"metadata": {"labels": {"a": "b"}}})
        code, said = asked(
            connection, token, "PATCH", f"{SHOP}/secrets/db", patch, "application/merge-patch+json"
        )
    assert code == 200
    assert set(said["data"].values()) == {encoded("[redacted]")}
    assert encoded(PASSWORD) not in json.dumps(said)


def test_a_child_is_never_wider_and_goes_with_its_parent(gateway: ClusterGateway, cluster: Cluster) -> None:
    parent = gateway.token()
    child = gateway.child(parent, "reader", "cluster:read")
    with connected(gateway) as connection:
        assert asked(connection, child, "GET", f"{SHOP}/pods/web-1")[0] == 200
        code, said = asked(
            connection, child, "POST", f"{SHOP}/configmaps", manifest("wider"), "application/json"
        )
        assert (code, said["reason"]) == (403, "Forbidden")
    gateway.revoke(parent)
    got = gateway.kubectl("get", "pods", token=child)
    assert "You must be logged in to the server" in got.err
    assert ("configmaps", "shop", "wider") not in cluster.objects


def test_nobody_in_the_chain_approves(gateway: ClusterGateway) -> None:
    with gateway.api.meanwhile(lambda: creates(gateway, manifest("by-oneself"))):
        approval = gateway.api.pending('"by-oneself"')
        with pytest.raises(Refused):
            gateway.api.vote(approval, "approve", person=MARIA)
        gateway.api.vote(approval, "deny", person=BEN)


def test_a_refusal_is_polite(gateway: ClusterGateway) -> None:
    token = gateway.token()
    with connected(gateway) as connection:
        for _ in range(3):
            code, said = asked(connection, token, "DELETE", f"{SHOP}/pods/web-1")
            assert code == 403
            assert (said["kind"], said["status"], said["reason"]) == ("Status", "Failure", "Forbidden")
            assert said["message"] == "Nothing is deleted through an agent."
            assert said["details"]["causes"] == [{"reason": "PolicyRule", "message": "nothing-is-deleted"}]
            sock = connection.sock
            assert asked(connection, token, "GET", f"{SHOP}/pods/web-1")[0] == 200
            assert connection.sock is sock


def test_fail_closed(tmp_path: Path) -> None:
    """What is held when the gateway dies has not run, and does not when it is back."""
    with house(tmp_path) as (cluster, gateway):
        sent = threading.Thread(target=creates, args=(gateway, manifest("held")))
        sent.start()
        gateway.api.pending('"held"')
        gateway.kill()
        sent.join(WITHIN)
        gateway.start()
        assert gateway.kubectl("get", "pods").exit == 0
        assert not cluster.of("POST", f"{SHOP}/configmaps")


def test_credentials_stay_inside(gateway: ClusterGateway, cluster: Cluster) -> None:
    token = gateway.token()
    pair = Api(gateway.url, token).call("/oauth/minted", {}, method="POST")
    assert gateway.kubectl("get", "pods", token=token).exit == 0
    assert gateway.kubectl("get", "pods", token=pair["password"], user=pair["user"]).exit == 0
    cluster.put("configmaps", "ConfigMap", "echo", data={"seen": f"Bearer {cluster.credential}"})
    shown = gateway.kubectl("get", "configmap", "echo", "-o", "json")
    assert cluster.credential not in shown.out
    said = gateway.log() + "".join(
        path.read_text(errors="replace") for path in gateway.state.rglob("*") if path.is_file()
    )
    for secret in (cluster.credential, token, pair["password"], PASSWORD, encoded(PASSWORD)):
        assert secret not in said


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /api HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /api HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /api HTTP/1.1\nHost: a\n\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x82\x80\0\0\0\0\r\n\r\n",
    ],
    ids=["two hosts", "two framings", "bare LF", "HTTP/2", "WebSocket"],
)
def test_malformed_is_violation(gateway: ClusterGateway, cluster: Cluster, sent: bytes) -> None:
    before = len(cluster.seen)
    with (
        socket.create_connection(("127.0.0.1", gateway.ports["cluster"]), timeout=WITHIN) as plain,
        trusted(gateway).wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        client.sendall(sent)
        said = b""
        while data := client.recv(4096):
            said += data
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b'"kind": "Status"' in said
    assert len(cluster.seen) == before
