"""Vault's key-value engines by a real server: every way in, both versions, namespaces, tokens that end."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.policy.credentials import (
    AppRole,
    SecretMissing,
    SecretRef,
    SecretUnavailable,
    ServiceAccount,
    VaultStore,
)
from gateway.secrets.places import read
from gateway.secrets.vault import Vault
from tests.certificates import Authority
from tests.ports import free_port

ORDERS = SecretRef(source="vault", name="secret/data/orders", key="password")
TOKEN = SecretRef(source="env", name="TEST_VAULT_TOKEN")


@pytest.fixture
def entered(vault, clock, monkeypatch):
    """`entered(auth)`: a client of the server, logged in so; the secret of orders is `first`."""
    vault.keep("orders", password="first", port=5432)
    monkeypatch.setenv("TEST_VAULT_TOKEN", vault.token())

    async def near(ref):
        return read(ref)

    def build(auth=TOKEN, **store):
        return Vault(VaultStore(address=vault.address, auth=auth, **store), near, clock=clock)

    return build


async def closing(place, ref):
    try:
        return (await place.fetch(ref)).value
    finally:
        await place.close()


async def test_both_versions_of_the_engine(entered, vault):
    vault.call("POST", "old/orders", {"password": "of old", "data": {"a": 1}, "metadata": {}})
    assert await closing(entered(), ORDERS) == "first"
    assert await closing(entered(), SecretRef(source="vault", name="old/orders", key="password")) == "of old"


async def test_an_approle_logs_in(entered, vault, monkeypatch):
    monkeypatch.setenv(
        "TEST_ROLE_ID", vault.call("GET", "auth/approle/role/gateway/role-id")["data"]["role_id"]
    )
    made = vault.call("POST", "auth/approle/role/gateway/secret-id", {})
    monkeypatch.setenv("TEST_SECRET_ID", made["data"]["secret_id"])
    way = AppRole(
        role_id=SecretRef(source="env", name="TEST_ROLE_ID"),
        secret_id=SecretRef(source="env", name="TEST_SECRET_ID"),
    )
    assert await closing(entered(way), ORDERS) == "first"
    monkeypatch.setenv("TEST_SECRET_ID", "no such id")
    with pytest.raises(SecretUnavailable, match="did not let the gateway in"):
        await closing(entered(way), ORDERS)


class Reviews(BaseHTTPRequestHandler):
    """Kubernetes' API, as far as it says whose a service account's token is."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = asked["spec"]["token"] == GOOD
        user = {"username": "system:serviceaccount:prod:countersign", "uid": "1", "groups": []}
        status = {"authenticated": True, "user": user} if good else {"authenticated": False}
        body = json.dumps({**asked, "status": status}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


KEY = ec.generate_private_key(ec.SECP256R1())


def account_token(**claims):
    return jwt.encode(claims, KEY, algorithm="ES256")


CA = Authority().certificate.decode()
GOOD = account_token(
    iss="kubernetes/serviceaccount",
    sub="system:serviceaccount:prod:countersign",
    **{
        "kubernetes.io/serviceaccount/namespace": "prod",
        "kubernetes.io/serviceaccount/service-account.name": "countersign",
        "kubernetes.io/serviceaccount/service-account.uid": "1",
        "kubernetes.io/serviceaccount/secret.name": "token",
    },
)


async def test_a_service_account_of_kubernetes(entered, vault, tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Reviews) as cluster:
        threading.Thread(target=cluster.serve_forever, daemon=True).start()
        try:
            vault.call("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
            host = f"http://127.0.0.1:{cluster.server_address[1]}"
            config = {"kubernetes_host": host, "token_reviewer_jwt": GOOD, "kubernetes_ca_cert": CA}
            vault.call("POST", "auth/kubernetes/config", config)
            role = {
                "bound_service_account_names": ["countersign"],
                "bound_service_account_namespaces": ["prod"],
            }
            vault.call("POST", "auth/kubernetes/role/countersign", {**role, "token_policies": ["orders"]})
            account = tmp_path / "token"
            account.write_text(GOOD)
            way = ServiceAccount(
                role="countersign", token=SecretRef(source="file", name=str(account)), mount="kubernetes"
            )
            assert await closing(entered(way), ORDERS) == "first"
            account.write_text(account_token(iss="somebody"))
            with pytest.raises(SecretUnavailable):
                await closing(entered(way), ORDERS)
        finally:
            cluster.shutdown()


async def test_a_secret_is_read_in_its_namespace(entered, vault, monkeypatch):
    vault.call("POST", "sys/namespaces/data", {})
    vault.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, namespace="data")
    vault.call("POST", "secret/data/orders", {"data": {"password": "of the namespace"}}, namespace="data")
    monkeypatch.setenv("TEST_VAULT_TOKEN", vault.root)
    assert await closing(entered(namespace="data"), ORDERS) == "of the namespace"
    assert await closing(entered(), ORDERS) == "first"


async def test_what_is_not_there_is_missing_and_what_may_not_be_read_is_not(entered, vault):
    vault.keep("gone", password="x")
    vault.call("DELETE", "secret/data/gone")
    for name, key, said in [
        ("secret/data/nothing", "password", "Vault has no"),
        ("secret/data/gone", "password", "Vault has no"),
        ("secret/data/orders", "passwd", "no text under that key"),
        ("secret/data/orders", "port", "no text under that key"),
        ("secret/orders", "password", "data/ behind its mount"),
    ]:
        with pytest.raises(SecretMissing, match=said) as failure:
            await closing(entered(), SecretRef(source="vault", name=name, key=key))
        assert not isinstance(failure.value, SecretUnavailable)
        assert "first" not in str(failure.value)
    with pytest.raises(SecretUnavailable, match="does not let"):
        await closing(entered(), SecretRef(source="vault", name="secret/data/others", key="password"))


async def test_a_token_is_renewed_before_it_ends(entered, vault, clock, monkeypatch):
    token = vault.token(ttl="90s", renewable=True)
    monkeypatch.setenv("TEST_VAULT_TOKEN", token)
    place = entered()
    await place.fetch(ORDERS)
    assert vault.call("GET", "auth/token/lookup-self", token=token)["data"].get("last_renewal") is None
    clock.now += 61
    assert (await place.fetch(ORDERS)).value == "first"
    await place.close()
    assert vault.call("GET", "auth/token/lookup-self", token=token)["data"]["last_renewal"]


async def test_a_token_that_is_no_longer_taken_is_got_anew_once(entered, vault, monkeypatch):
    first = vault.token()
    monkeypatch.setenv("TEST_VAULT_TOKEN", first)
    place = entered()
    await place.fetch(ORDERS)
    vault.call("POST", "auth/token/revoke", {"token": first})
    with pytest.raises(SecretUnavailable, match="does not let"):
        await place.fetch(ORDERS)
    monkeypatch.setenv("TEST_VAULT_TOKEN", vault.token())
    assert (await place.fetch(ORDERS)).value == "first"
    await place.close()


async def test_an_address_that_is_none_and_one_that_never_answers(vault, clock, caplog):
    caplog.set_level(logging.DEBUG)

    async def near(_ref):
        return vault.root

    with pytest.raises(SecretUnavailable, match="cannot be asked"):
        await closing(
            Vault(VaultStore(address=f"http://127.0.0.1:{free_port()}", auth=TOKEN), near, clock=clock),
            ORDERS,
        )
    assert vault.root not in caplog.text


async def test_a_redirect_is_not_followed(clock, entered):
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers["X-Vault-Token"])
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{server.server_address[1]}/v1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            return

    async def near(_ref):
        return "the-token"

    seen: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        store = VaultStore(address=f"http://127.0.0.1:{server.server_address[1]}", auth=TOKEN)
        with pytest.raises(SecretUnavailable, match="elsewhere"):
            await closing(Vault(store, near, clock=clock), ORDERS)
        server.shutdown()
    assert seen == ["the-token"] * 2  # what it may do was asked, and the secret
