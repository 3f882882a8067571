"""What the API server is asked for, and how the gateway answers in its place."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus

import pytest

from gateway.facts.http import request_of
from gateway.facts.kubernetes import read
from gateway.masking.engine import CompiledMask
from gateway.protocols.http.websocket import BINARY, CLOSE, frame
from gateway.protocols.kubernetes.channels import refused
from gateway.protocols.kubernetes.speech import KUBERNETES
from gateway.wire import ProtocolViolation
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


KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
EXEC = f"GET {PODS}/web/exec?command=ls"
GOES_ON = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + ACCEPT + b"\r\n"
)


def upgrade(
    start: str = EXEC, *, to: str = "websocket", offers: str = "v5.channel.k8s.io", key: str = KEY
) -> bytes:
    return request(
        start, "Connection: Upgrade", f"Upgrade: {to}", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
        f"Sec-WebSocket-Protocol: {offers}", "Sec-WebSocket-Extensions: permessage-deflate",
    )  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        upgrade(EXEC.replace("GET", "POST"), to="SPDY/3.1"),
        upgrade(to="SPDY/3.1"),
        upgrade(EXEC.replace("GET", "POST")),
        upgrade(EXEC.replace("exec", "attach")),
        upgrade(EXEC.replace("exec", "portforward")),
        upgrade(f"GET {PODS}/web/proxy/exec"),
        upgrade(f"GET {PODS}/web%2fexec/exec"),
        upgrade(offers="base64.channel.k8s.io, channel.k8s.io"),
        upgrade(offers=""),
    ],
)
def test_other_streams_are_refused_unasked(asked: bytes) -> None:
    session = web(speech=KUBERNETES)
    said = session.client(asked)
    assert status(said) == 403
    assert b"attach and port-forward do not go through" in said
    assert session.asked == []
    assert session.sent() == b""


def test_an_exec_goes_on_once_it_is_let_through() -> None:
    session = web(lambda _command: None, speech=KUBERNETES)
    assert session.client(upgrade(offers="v9.channel.k8s.io, v5.channel.k8s.io")) == b""
    assert session.sent() == b""
    assert session.asked[0].facts.attributes["k8s.command"] == "ls"
    session.decide(ALLOW)
    sent = session.sent()
    assert b"Upgrade: websocket\r\n" in sent
    assert f"Sec-WebSocket-Key: {KEY}\r\n".encode() in sent
    assert b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n" in sent
    assert b"deflate" not in sent
    agreed = GOES_ON + b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
    assert session.target(agreed + frame(BINARY, b"\1out\n")) == agreed + frame(BINARY, b"\1out\n")
    typed = b"\x82\x83\0\0\0\0\0in"
    session.client(typed)
    assert session.sent() == typed
    said = session.target(frame(BINARY, b'\3{"status": "Success"}') + frame(CLOSE, b""))
    assert said.endswith(frame(CLOSE, b""))
    assert session.outcomes == [("Success", False)]
    assert session.over


def test_the_same_exec_is_the_same_command_whatever_its_key() -> None:
    session, other = (web(lambda _command: None, speech=KUBERNETES) for _ in range(2))
    session.client(upgrade())
    other.client(upgrade(key="AAAAAAAAAAAAAAAAAAAAAA=="))
    assert session.asked[0].exact == other.asked[0].exact
    assert session.asked[0].text == other.asked[0].text


def test_an_exec_that_is_blocked_says_so_in_its_own_form() -> None:
    session = web(lambda _command: BLOCK, speech=KUBERNETES)
    said = session.client(upgrade())
    assert said.startswith(b"HTTP/1.1 101 ")
    assert ACCEPT in said
    assert said.endswith(refused(BLOCK.message))
    assert session.sent() == b""
    assert session.over


@pytest.mark.parametrize(
    "answered",
    [
        GOES_ON + b"\r\n",
        GOES_ON + b"Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n",
        GOES_ON.replace(b"s3pP", b"S3pP") + b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
        GOES_ON + b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\nSec-WebSocket-Extensions: x\r\n\r\n",
    ],
)
def test_an_agreement_to_something_else_is_a_violation(answered: bytes) -> None:
    session = web(speech=KUBERNETES)
    session.client(upgrade())
    with pytest.raises(ProtocolViolation):
        session.target(answered)


def test_a_cluster_may_say_no_to_an_exec() -> None:
    session = web(speech=KUBERNETES)
    session.client(upgrade())
    assert status(session.target(answer("403 Forbidden", body=b"{}"))) == 403
    assert session.outcomes == [("403 Forbidden", True)]


def test_an_exec_that_is_ended_says_why() -> None:
    session = web(speech=KUBERNETES)
    session.client(upgrade())
    session.target(GOES_ON + b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n")
    assert session.told(session.wire.end("Enough.")) == refused("Enough.")
    assert session.over


def test_a_client_that_speaks_otherwise_amid_an_exec_is_cut_off() -> None:
    session = web(speech=KUBERNETES)
    session.client(upgrade())
    session.target(GOES_ON + b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n")
    session.sent()
    session.client(request(f"DELETE {PODS}/web"))
    assert session.sent() == b""
    assert session.over
    assert session.outcomes[0][1]


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
