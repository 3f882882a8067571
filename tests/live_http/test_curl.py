"""curl through the gateway, to a real service: read, held, blocked, refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.live.house import SAM, Api
from tests.live_http.house import HttpGateway
from tests.live_http.service import MASKED_PEOPLE, Service


def test_a_read_is_answered_and_masked(gateway: HttpGateway, shop: Service) -> None:
    got = gateway.curl("/customers?of=curl")
    assert (got.status, got.exit) == (200, 0)
    assert got.text == MASKED_PEOPLE
    assert "etag" not in got.headers
    assert shop.of("?of=curl") == [("GET", "/customers?of=curl", b"")]


def test_the_service_sees_the_gateways_credential_and_who_asks(gateway: HttpGateway, shop: Service) -> None:
    token = gateway.token()
    gateway.curl(
        "/seen-by", "-H", "X-Forwarded-For: 10.0.0.1", "-H", "Cookie: a=b", connection="echo-api", token=token
    )
    headers = next(
        each for each, (_, path, _) in zip(shop.headers, shop.seen, strict=True) if path == "/seen-by"
    )
    assert headers["authorization"] == f"Bearer {gateway.credential}"
    assert headers["host"] == f"127.0.0.1:{shop.port}"
    assert "maria.lopez@example.com" in headers["x-countersign-lineage"]
    assert headers["user-agent"].startswith("curl/")
    assert "x-forwarded-for" not in headers
    assert token not in str(headers)


def test_the_credential_is_in_no_echo_of_it(gateway: HttpGateway, shop: Service) -> None:
    for connection in ("echo-api", "shop-api"):
        got = gateway.curl("/echo?q=1", connection=connection)
        assert got.status == 200
        told = json.loads(got.text)
        assert told["args"] == {"q": "1"}
        assert gateway.credential not in got.text + str(got.headers)
    assert json.loads(gateway.curl("/echo", connection="echo-api").text)["headers"][
        "Authorization"
    ] == "Bearer " + "*" * len(gateway.credential)


def test_a_write_waits_for_a_person_and_runs_once(gateway: HttpGateway, shop: Service) -> None:
    body = json.dumps({"item": 7, "count": 2})
    with gateway.api.deciding("approve", containing="/orders/approved") as seen:
        got = gateway.curl("/orders/approved", "--json", body)
    assert got.status == 201
    assert json.loads(got.text)["sha256"] == hashlib.sha256(body.encode()).hexdigest()
    assert shop.of("/orders/approved") == [("POST", "/orders/approved", body.encode())]
    assert body in seen[0]["command"]["text"]


def test_a_write_that_is_denied_never_arrives(gateway: HttpGateway, shop: Service) -> None:
    with gateway.api.deciding("deny", containing="/orders/denied", reason="Not on a Friday."):
        got = gateway.curl("/orders/denied", "--json", "{}")
    assert got.status == 403
    assert "Not on a Friday." in got.text
    assert not shop.of("/orders/denied")


def test_what_is_blocked_says_why(gateway: HttpGateway, shop: Service) -> None:
    got = gateway.curl("/orders", "-X", "DELETE", "-H", "Accept: text/plain")
    assert got.status == 403
    assert "Nothing is deleted through an agent." in got.text
    assert not shop.of("/orders")


def test_without_a_token_nothing_moves(gateway: HttpGateway, shop: Service) -> None:
    for shown in ([], ["--oauth2-bearer", "nonsense"], ["-u", "agent:nonsense"]):
        got = gateway.curl("/unasked", *shown, anonymous=True)
        assert got.status == 401
        assert got.headers["www-authenticate"]
    assert not shop.of("/unasked")


def test_a_token_may_come_as_password_and_as_a_minted_pair(gateway: HttpGateway) -> None:
    token = gateway.token()
    assert gateway.curl("/customers", "-u", f"agent:{token}", anonymous=True).text == MASKED_PEOPLE
    pair = Api(gateway.url, token).call("/oauth/minted", {}, method="POST")
    minted = f"{pair['user']}:{pair['password']}"
    assert gateway.curl("/customers", "-u", minted, anonymous=True).text == MASKED_PEOPLE


def test_the_lines_that_are_printed_work(gateway: HttpGateway) -> None:
    fetch = 'curl -sS --user "$COUNTERSIGN_HTTP_USER:$COUNTERSIGN_HTTP_PASSWORD" "$COUNTERSIGN_HTTP_URL/customers"'
    run = ("run", "--as", "reader", "--scope", "shop-api:read", "--", "sh", "-c", fetch)
    done = gateway.countersign(*run, COUNTERSIGN_TOKEN=gateway.token())
    assert done.stdout == MASKED_PEOPLE, done.stderr
    token = gateway.token()
    line = gateway.countersign("connect", "shop-api", COUNTERSIGN_TOKEN=token).stdout.strip()
    assert token not in line
    asked = subprocess.run(
        ["sh", "-c", f"{line}seen/by/curl -sS"],
        env={"PATH": os.environ["PATH"], "COUNTERSIGN_TOKEN": token},
        capture_output=True,
        check=False,
        text=True,
    )
    assert json.loads(asked.stdout)["done"] == "GET", asked.stderr


def test_an_upload_in_chunks_is_judged_whole(gateway: HttpGateway, shop: Service) -> None:
    data = b"x" * 3_000_000
    got = gateway.curl(
        "/upload",
        "-T",
        "-",
        "-H",
        "Content-Type: application/octet-stream",
        connection="echo-api",
        stdin=data,
    )
    assert got.status == 201
    assert json.loads(got.text)["sha256"] == hashlib.sha256(data).hexdigest()
    assert "transfer-encoding" not in shop.headers[-1]


def test_an_upload_that_is_too_large_is_refused_unsent(gateway: HttpGateway, shop: Service) -> None:
    data = b"x" * (17 * 1024 * 1024)
    said = gateway.curl(
        "/too-large", "--data-binary", "@-", "-H", "Expect: 100-continue", connection="echo-api", stdin=data
    )
    assert said.status == 413
    # Without a length it is noticed only amid the body.
    unsaid = gateway.curl("/too-large", "-T", "-", connection="echo-api", stdin=data)
    assert unsaid.status == 413
    assert not shop.of("/too-large")


def test_a_client_that_leaves_takes_its_request_back(gateway: HttpGateway, shop: Service) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gateway.curl, "/orders/left", "--json", "{}", "--max-time", "3")
        approval = gateway.api.pending("/orders/left")
        assert waiting.result().exit == 28
    assert gateway.api.until(approval, "withdrawn")
    assert not shop.of("/orders/left")


def test_a_session_that_is_ended_ends_what_waits(gateway: HttpGateway, shop: Service) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gateway.curl, "/orders/killed", "--json", "{}")
        approval = gateway.api.pending("/orders/killed")
        gateway.api.call(f"/v1/sessions/{approval['session']}/kill", {"person": SAM, "reason": "enough"})
        got = waiting.result()
    assert got.status == 503
    assert "enough" in got.text
    assert not shop.of("/orders/killed")
