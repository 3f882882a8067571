"""What is hidden of objects, lists, tables and watches, however they are cut."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gateway.facts.http import RequestUnclear, request_of
from gateway.facts.kubernetes import read
from gateway.masking.engine import CompiledMask, Masks
from gateway.model import Facts
from gateway.policy.model import MaskPolicy
from gateway.protocols.http.body_mask import BodyMask
from gateway.protocols.kubernetes.speech import KUBERNETES
from gateway.wire import AnswerWithheld, Limits

SHOP = "/api/v1/namespaces/shop"
LOG = f"{SHOP}/pods/web/log"
HIDDEN = base64.b64encode(b"[redacted]").decode()


def compiled(
    *, detect: Sequence[str] = (), columns: Mapping[str, str] | None = None, spared: Sequence[str] = ()
) -> CompiledMask:
    policy = MaskPolicy(name="m", detect=tuple(detect), columns=dict(columns or {}), except_=tuple(spared))
    return Masks({"m": policy}, key=b"k" * 32).mask(["m"])


DETECTING = compiled(detect=("secrets",))
NAMING = compiled(columns={"*.ssn": "redact", "configmaps.blob": "redact"})
BOTH = compiled(detect=("email", "secrets"), columns={"*.ssn": "redact"})
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SECRET = {
    "kind": "Secret",
    "apiVersion": "v1",
    "metadata": {"name": "db", "labels": {"app": "db"}},
    "data": {"password": "aHVudGVyMg==", "tls.crt": "eA==", "empty": ""},
    "type": "Opaque",
}


def facts(target: str, method: str = "GET") -> Facts:
    return read(request_of({"method": method, "path": target}))


def shown(
    target: str,
    body: bytes,
    mask: CompiledMask,
    *,
    kind: str = "application/json",
    every: int = 1_000_000,
    method: str = "GET",
) -> bytes:
    headers = [(b"Content-Type", kind.encode())]
    masked = BodyMask(
        mask=mask,
        names=KUBERNETES.names(mask, facts(target, method), target, headers),
        status=200,
        headers=headers,
        secrets=[],
        limits=Limits(),
    )
    return (
        b"".join(masked.receive(body[at : at + every]) for at in range(0, len(body), every)) + masked.finish()
    )


def document(target: str, said: Mapping[str, Any], mask: CompiledMask, **how: Any) -> Any:
    return json.loads(shown(target, json.dumps(said).encode(), mask, **how))


@pytest.mark.parametrize("every", [1, 7, 1_000_000])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE"])
def test_every_value_of_a_secret_is_hidden_and_stays_base64(every: int, method: str) -> None:
    got = document(f"{SHOP}/secrets/db", SECRET, DETECTING, every=every, method=method)
    assert got == {**SECRET, "data": dict.fromkeys(SECRET["data"], HIDDEN)}


@pytest.mark.parametrize("every", [1, 11, 1_000_000])
def test_lists_and_watches_of_secrets_are_hidden(every: int) -> None:
    hidden = {**SECRET, "data": dict.fromkeys(SECRET["data"], HIDDEN)}
    got = document(f"{SHOP}/secrets", {"kind": "SecretList", "items": [SECRET]}, DETECTING, every=every)
    assert got["items"] == [hidden]
    events = "".join(json.dumps({"type": how, "object": SECRET}) + "\n" for how in ("ADDED", "DELETED"))
    lines = shown(f"{SHOP}/secrets?watch=1", events.encode(), DETECTING, every=every).splitlines()
    assert [json.loads(line)["object"] for line in lines] == [hidden, hidden]


def test_what_was_last_applied_is_hidden_as_the_object_is() -> None:
    annotations = {APPLIED: json.dumps({**SECRET, "stringData": {"pin": "4711"}}), "note": "n"}
    partial = {"kind": "PartialObjectMetadata", "metadata": {"name": "db", "annotations": annotations}}
    got = document(f"{SHOP}/secrets/db", partial, DETECTING)["metadata"]["annotations"]
    applied = json.loads(got[APPLIED])
    assert applied["data"] == dict.fromkeys(SECRET["data"], HIDDEN)
    assert applied["stringData"] == {"pin": "[redacted]"}
    assert got["note"] == "n"


def test_an_annotation_that_is_no_json_is_hidden_whole() -> None:
    said = {"metadata": {"annotations": {APPLIED: '{"data": {"a": "aHVudGVyMg=="'}}}
    got = document(f"{SHOP}/secrets/db", said, DETECTING)
    assert got["metadata"]["annotations"] == {APPLIED: "[redacted]"}


def test_rules_reach_what_was_last_applied_to_any_object() -> None:
    said = {"metadata": {"annotations": {APPLIED: '{"data": {"ssn": "078-05-1120"}}'}}}
    got = document(f"{SHOP}/configmaps/c", said, NAMING)
    assert got["metadata"]["annotations"][APPLIED] == '{"data": {"ssn": "[redacted]"}}'


def test_what_stands_beside_the_values_of_a_secret_is_searched() -> None:
    said = {**SECRET, "metadata": {"name": "db", "annotations": {"owner": "jane@example.com"}}}
    got = document(f"{SHOP}/secrets/db", said, BOTH)
    assert got["metadata"]["annotations"]["owner"] == "****@example.com"


def test_a_mask_may_make_an_exception_of_secrets() -> None:
    mask = compiled(detect=("email",), spared=("secrets.data",))
    assert document(f"{SHOP}/secrets/db", SECRET, mask) == SECRET


def test_without_a_mask_a_secret_is_as_it_is() -> None:
    body = json.dumps(SECRET).encode()
    assert shown(f"{SHOP}/secrets/db", body, compiled()) == body


def test_values_that_a_rule_hides_stay_base64() -> None:
    said = {"binaryData": {"blob": "aHVudGVyMg=="}, "data": {"blob": "plain"}}
    got = document(f"{SHOP}/configmaps/c", said, NAMING)
    assert got == {"binaryData": {"blob": HIDDEN}, "data": {"blob": "[redacted]"}}
    mask = compiled(columns={"secrets.password": "partial"})
    got = document(f"{SHOP}/secrets/db", SECRET, mask)["data"]
    assert got == {**SECRET["data"], "password": HIDDEN}


def table(columns: Sequence[str], *rows: Sequence[object]) -> dict[str, Any]:
    return {
        "kind": "Table",
        "columnDefinitions": [{"name": name, "type": "string"} for name in columns],
        "rows": [{"cells": list(cells), "object": {"metadata": {"name": "x"}}} for cells in rows],
    }


@pytest.mark.parametrize("every", [1, 13, 1_000_000])
def test_cells_are_hidden_by_the_names_of_their_columns(every: int) -> None:
    said = table(["Name", "SSN", "Age"], ["jane", "078-05-1120", "9d"], ["john", "219-09-9999", "8d"])
    got = document(f"{SHOP}/pods", said, NAMING, every=every)
    assert [row["cells"] for row in got["rows"]] == [
        ["jane", "[redacted]", "9d"],
        ["john", "[redacted]", "8d"],
    ]
    assert [row["object"] for row in got["rows"]] == [{"metadata": {"name": "x"}}] * 2


@pytest.mark.parametrize(
    ("rule", "column"), [("*.podip", "IP"), ("pods.nodename", "Node"), ("*.ip", "IP"), ("pods.node", "Node")]
)
def test_a_cell_is_hidden_by_the_member_that_it_shows(rule: str, column: str) -> None:
    mask = compiled(columns={rule: "redact"})
    got = document(f"{SHOP}/pods", table(["Name", column], ["web", "10.0.0.1"]), mask)
    assert got["rows"][0]["cells"] == ["web", "[redacted]"]


@pytest.mark.parametrize("target", [f"{SHOP}/secrets/db;x=1", f"{SHOP}/secrets/db/a/b", "/api/v1/%2e%2e"])
def test_what_nobody_can_tell_is_hidden_as_a_secret_is(target: str) -> None:
    assert not unclear_or(target).complete
    headers = [(b"Content-Type", b"application/json")]
    names = KUBERNETES.names(DETECTING, unclear_or(target), target, headers)
    masked = BodyMask(mask=DETECTING, names=names, status=200, headers=headers, secrets=[], limits=Limits())
    got = masked.receive(json.dumps(SECRET).encode()) + masked.finish()
    assert json.loads(got)["data"] == dict.fromkeys(SECRET["data"], HIDDEN)


def unclear_or(target: str) -> Facts:
    try:
        return facts(target)
    except RequestUnclear as why:
        return KUBERNETES.unclear(str(why))


def test_a_cell_that_no_column_is_known_of_is_hidden() -> None:
    said = {"rows": table([], ["jane", "x"])["rows"], "columnDefinitions": []}
    assert document(f"{SHOP}/pods", said, NAMING)["rows"][0]["cells"] == ["[redacted]", "[redacted]"]


def test_later_tables_of_a_watch_need_not_say_their_columns_again() -> None:
    first, second = table(["Name", "SSN"], ["a", "1"]), {**table([], ["b", "2"]), "columnDefinitions": None}
    body = "".join(json.dumps({"type": "ADDED", "object": each}) + "\n" for each in (first, second))
    lines = shown(f"{SHOP}/pods?watch=true", body.encode(), NAMING).splitlines()
    assert [json.loads(line)["object"]["rows"][0]["cells"] for line in lines] == [
        ["a", "[redacted]"],
        ["b", "[redacted]"],
    ]


@pytest.mark.parametrize(
    "kind",
    ["application/vnd.kubernetes.protobuf", "application/cbor", "application/yaml", "application/cbor-seq"],
)
@pytest.mark.parametrize("mask", [DETECTING, NAMING])
def test_an_object_in_another_form_is_withheld(kind: str, mask: CompiledMask) -> None:
    with pytest.raises(AnswerWithheld):
        shown(f"{SHOP}/secrets/db", b"k8s\0\n\x0c", mask, kind=kind)


def test_a_schema_passes_in_whatever_form() -> None:
    kind = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    body = b"\n\x032.0\x12\x15\n\nKubernetes\x12\x07v1.32.4" * 40
    assert shown("/openapi/v2", body, BOTH, kind=kind) == body


@pytest.mark.parametrize("every", [1, 9, 1_000_000])
def test_lines_of_a_log_are_read_as_what_each_is(every: int) -> None:
    log = (
        b'{"ssn": "078-05-1120"}\n2026-01-01T00:00:00Z {"a": {"ssn": 1}}\n[x] {"ssn": "1"}\n'
        b'{"ssn": "broken\nssn jane@example.com\n{"ssn": "last"}'
    )
    assert shown(f"{SHOP}/pods/web/log", log, BOTH, kind="text/plain", every=every) == (
        b'{"ssn": "[redacted]"}\n2026-01-01T00:00:00Z {"a": {"ssn": 0}}\n[x] {"ssn": "[redacted]"}\n'
        b'{"ssn": "broken\nssn ****@example.com\n{"ssn": "[redacted]"}'
    )


def test_a_line_of_a_log_is_shown_once_it_has_ended() -> None:
    headers = [(b"Content-Type", b"text/plain")]
    names = KUBERNETES.names(BOTH, facts(LOG), LOG, headers)
    masked = BodyMask(mask=BOTH, names=names, status=200, headers=headers, secrets=[], limits=Limits())
    assert masked.receive(b"one\ntw") == b"one\n"
    assert masked.receive(b"o\n") == b"two\n"


def test_a_line_that_does_not_end_is_withheld() -> None:
    headers = [(b"Content-Type", b"text/plain")]
    names = KUBERNETES.names(BOTH, facts(LOG), LOG, headers)
    limits = Limits(row_bytes=100)
    masked = BodyMask(mask=BOTH, names=names, status=200, headers=headers, secrets=[], limits=limits)
    with pytest.raises(AnswerWithheld):
        masked.receive(b"x" * 101)


@pytest.mark.parametrize("way", ["services/web:80/proxy/customers/7", "pods/web/proxy/c%75stomers/7?a=b"])
def test_what_a_service_answers_is_masked_as_over_http(way: str) -> None:
    mask = compiled(columns={"customers.name": "redact"})
    said = {"name": "Jane", "metadata": {"name": "x"}, "data": "y"}
    got = document(f"{SHOP}/{way}", said, mask)
    assert got == {"name": "[redacted]", "metadata": {"name": "[redacted]"}, "data": "y"}
