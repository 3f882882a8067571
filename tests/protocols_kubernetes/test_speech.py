"""What the API server is asked for, and how the gateway answers in its place."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus

import pytest

from gateway.facts.http import request_of
from gateway.facts.kubernetes import read
from gateway.masking.engine import CompiledMask
from gateway.protocols.kubernetes.speech import KUBERNETES
from tests.protocols_http.answers import compiled
from tests.wires.conformance import ALLOW, BLOCK
from tests.wires.web import answer, request, status, web

PODS = "/api/v1/namespaces/shop/pods"
SECRETS = "/api/v1/namespaces/shop/secrets"
CUSTOMERS = "/apis/shop.example.com/v1/customers"
NOTHING = compiled()
NAMING = compiled(columns={"*.ssn": "redact"})
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def accepted(target: str, wanted: str, mask: CompiledMask = NOTHING) -> str | None:
    headers = [(b"Accept", wanted.encode())] if wanted else []
    asked = KUBERNETES.asked(headers, read(request_of({"method": "GET", "path": target})), mask)
    return next((value.decode() for name, value in asked if name == b"Accept"), None)


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ("", None),
        ("application/json", "application/json"),
        ("application/json, */*", "application/json, */*"),
        ("application/vnd.kubernetes.protobuf", "application/json"),
        ("application/vnd.kubernetes.protobuf,application/json;q=0.9", "application/json;q=0.9"),
        ("application/cbor, application/yaml", "application/json"),
        (f"{TABLE},application/json", f"{TABLE}, application/json"),
        ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", "application/json"),
        ("APPLICATION/JSON ; as=PartialObjectMetadata", "APPLICATION/JSON ; as=PartialObjectMetadata"),
    ],
)
def test_only_json_is_asked_for(wanted: str, asked: str | None) -> None:
    assert accepted(PODS, wanted) == asked


def test_a_schema_is_had_in_the_form_that_is_wanted() -> None:
    wanted = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    assert accepted("/openapi/v2", wanted, NAMING) == wanted


def test_tables_of_resources_of_their_own_kind_are_not_asked_for_where_rules_name_anything() -> None:
    assert accepted(CUSTOMERS, f"{TABLE},application/json", NAMING) == "application/json"
    assert accepted(CUSTOMERS, TABLE, NAMING) == "application/json"
    assert accepted(CUSTOMERS, TABLE) == TABLE
    assert accepted(PODS, TABLE, NAMING) == TABLE


def test_what_is_blocked_is_a_status() -> None:
    session = web(lambda _command: BLOCK, speech=KUBERNETES)
    said = session.client(request(f"DELETE {PODS}/web", "Accept: text/plain"))
    head, _, body = said.partition(b"\r\n\r\n")
    assert status(said) == 403
    assert b"Content-Type: application/json" in head
    told = json.loads(body)
    assert (told["kind"], told["apiVersion"], told["status"]) == ("Status", "v1", "Failure")
    assert (told["reason"], told["code"]) == ("Forbidden", 403)
    assert told["message"] == BLOCK.message
    assert session.sent() == b""


@pytest.mark.parametrize("code", [400, 401, 403, 413, 502, 503])
def test_every_refusal_has_a_reason_that_clients_know(code: int) -> None:
    said = KUBERNETES.refusal(HTTPStatus(code), "No.", close=True)
    told = json.loads(said.partition(b"\r\n\r\n")[2])
    assert told["code"] == code
    assert told["reason"]


def test_who_shows_nothing_is_told_so() -> None:
    session = web(speech=KUBERNETES)
    said = session.client(request(f"GET {PODS}", token=b""))
    assert json.loads(said.partition(b"\r\n\r\n")[2])["reason"] == "Unauthorized"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("protocol", ["websocket", "SPDY/3.1"])
def test_streams_are_refused_unasked(method: str, protocol: str) -> None:
    session = web(speech=KUBERNETES)
    said = session.client(
        request(f"{method} {PODS}/web/exec?command=ls", "Connection: Upgrade", f"Upgrade: {protocol}")
    )
    assert status(said) == 403
    assert b"exec, attach, port-forward" in said
    assert session.asked == []
    assert session.sent() == b""


def written(value: str) -> bytes:
    return json.dumps({"kind": "Secret", "metadata": {"name": "db"}, "data": {"a": value}}).encode()


HIDDEN = base64.b64encode(b"[redacted]").decode()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("mark", ["[redacted]", HIDDEN])
def test_what_stands_for_a_hidden_value_is_not_written_back(method: str, mark: str) -> None:
    session = web(speech=KUBERNETES)
    said = session.client(
        request(f"{method} {SECRETS}/db", "Content-Type: application/json", body=written(mark))
    )
    assert status(said) == 403
    assert b"would lose that value" in said
    assert session.asked == []
    session.client(
        request(f"{method} {SECRETS}/db", "Content-Type: application/json", body=written("aHVudGVyMg=="))
    )
    assert len(session.asked) == 1


def test_a_schema_in_bytes_passes() -> None:
    session = web(lambda _command: ALLOW, speech=KUBERNETES)
    session.client(request("GET /openapi/v2"))
    assert session.target(answer(body=b"\n\x032.0")).endswith(b"\n\x032.0")
