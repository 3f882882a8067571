"""What kubectl does not get to see, and does not write back."""

from __future__ import annotations

import json

import pytest

from tests.live_kubernetes.cluster import APPLIED, PASSWORD, Cluster, encoded
from tests.live_kubernetes.house import ClusterGateway

HIDDEN = encoded("[redacted]")


@pytest.mark.parametrize("shown", [("get", "secret", "db"), ("get", "secrets"), ("get", "secrets", "-A")])
def test_values_of_secrets_are_hidden_and_stay_base64(
    gateway: ClusterGateway, shown: tuple[str, ...]
) -> None:
    got = gateway.kubectl(*shown, "-o", "json")
    assert got.exit == 0, got.err
    found = got.json if got.json["kind"] == "Secret" else got.json["items"][0]
    assert found["data"] == {"password": HIDDEN, "pin": HIDDEN}
    applied = json.loads(found["metadata"]["annotations"][APPLIED])
    assert applied["data"] == {"password": HIDDEN, "pin": HIDDEN}
    assert encoded(PASSWORD) not in got.out


def test_a_table_of_secrets_tells_how_many_values_there_are(gateway: ClusterGateway) -> None:
    got = gateway.kubectl("get", "secrets")
    assert got.out.splitlines()[1].split() == ["db", "Opaque", "2", "9d"]


def test_a_value_is_hidden_from_a_template(gateway: ClusterGateway) -> None:
    assert gateway.kubectl("get", "secret", "db", "-o", "jsonpath={.data.password}").out == HIDDEN


def test_members_are_hidden_by_name_and_by_what_they_look_like(gateway: ClusterGateway) -> None:
    got = gateway.kubectl("get", "configmap", "settings", "-o", "json")
    assert got.json["data"] == {"contact": "****@example.com", "ssn": "[redacted]"}


def test_a_column_is_hidden_by_its_name(gateway: ClusterGateway) -> None:
    got = gateway.kubectl("get", "pods")
    assert [line.split()[3] for line in got.out.splitlines()] == ["IP", "10.0.*.*", "10.0.*.*"]


def test_columns_of_resources_of_their_own_kind_are_not_asked_for(
    gateway: ClusterGateway, cluster: Cluster
) -> None:
    got = gateway.kubectl("get", "customers")
    assert got.out.splitlines()[0].split() == ["NAME", "AGE"]
    got = gateway.kubectl("get", "customers", "-o", "jsonpath={.items[*].spec.ssn}")
    assert got.out == "[redacted]"


def test_a_hidden_value_is_not_written_back(gateway: ClusterGateway, cluster: Cluster) -> None:
    shown = gateway.kubectl("get", "secret", "db", "-o", "json").out
    got = gateway.kubectl("replace", "--validate=false", "-f", "-", stdin=shown)
    assert got.exit == 1
    assert "would lose that value" in got.err
    assert cluster.objects["secrets", "shop", "db"]["data"]["password"] == encoded(PASSWORD)
    assert not cluster.of("PUT", "/api/v1/namespaces/shop/secrets/db")


def test_a_secret_is_written_and_its_answer_is_hidden(gateway: ClusterGateway, cluster: Cluster) -> None:
    patch = json.dumps({"data": {"extra": encoded("another-Value-99")}})
    with gateway.api.deciding("approve", containing="PATCH"):
        got = gateway.kubectl("patch", "secret", "db", "--type", "merge", "-p", patch, "-o", "json")
    assert got.exit == 0, got.err
    assert set(got.json["data"].values()) == {HIDDEN}
    assert cluster.objects["secrets", "shop", "db"]["data"]["extra"] == encoded("another-Value-99")


def test_a_secret_is_applied_and_edited_though_its_values_are_hidden(
    gateway: ClusterGateway, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"password": encoded(PASSWORD), "added": encoded("new-Value-5")}
    metadata = {"name": "applied", "namespace": "shop"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "data": {"password": values["password"]},
    }
    cluster.put(
        "secrets",
        "Secret",
        "applied",
        data=dict(secret["data"]),
        metadata={"annotations": {APPLIED: json.dumps(secret)}},
    )
    try:
        with gateway.api.deciding("approve", containing="secrets/applied"):
            text = json.dumps({**secret, "data": values})
            got = gateway.kubectl("apply", "--validate=false", "-f", "-", stdin=text)
        assert (got.exit, got.out) == (0, "secret/applied configured\n"), got.err
        assert cluster.objects["secrets", "shop", "applied"]["data"] == values
        monkeypatch.setenv("KUBE_EDITOR", "sed -i 's/^  name: applied/  labels: {a: b}\\n&/'")
        with gateway.api.deciding("approve", containing='"labels"'):
            got = gateway.kubectl("edit", "--validate=false", "secret", "applied")
        assert got.exit == 0, got.err
        edited = cluster.objects["secrets", "shop", "applied"]
        assert (edited["data"], edited["metadata"]["labels"]) == (values, {"a": "b"})
    finally:
        del cluster.objects["secrets", "shop", "applied"]
