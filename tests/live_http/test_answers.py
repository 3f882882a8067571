"""Answers of a real service, as curl gets them through the gateway: masked, streamed, cut or withheld, and recorded so."""

from __future__ import annotations

import subprocess

import pytest

from tests.live.house import eventually
from tests.live_http.house import HttpGateway
from tests.live_http.service import CODINGS, LINES, MASKED_PEOPLE, PEOPLE, PICTURE, Service


@pytest.mark.parametrize("coding", CODINGS)
def test_what_comes_compressed_is_masked(gateway: HttpGateway, coding: str) -> None:
    got = gateway.curl(f"/packed/{coding}", "--compressed")
    assert got.text == MASKED_PEOPLE
    assert "content-encoding" not in got.headers
    assert gateway.curl(f"/packed/{coding}", "--compressed", connection="echo-api").text == PEOPLE


def test_without_a_mask_an_answer_is_what_it_was(gateway: HttpGateway) -> None:
    got = gateway.curl("/customers", connection="echo-api")
    assert got.text == PEOPLE
    assert got.headers["etag"] == '"v1"'
    assert got.headers["content-length"] == str(len(PEOPLE))


def test_a_picture_passes(gateway: HttpGateway) -> None:
    assert gateway.curl("/picture.png").body == PICTURE


@pytest.mark.parametrize("path", ["/feed.xml", "/broken"])
def test_what_a_rule_cannot_be_kept_for_is_withheld(gateway: HttpGateway, path: str) -> None:
    got = gateway.curl(path)
    assert got.status == 502
    assert "could not be masked" in got.text
    assert "078-05" not in got.text
    assert b"078-05" in gateway.curl(path, connection="echo-api").body


def test_a_table_is_masked_by_its_columns(gateway: HttpGateway) -> None:
    assert gateway.curl("/export.csv").text == "name,ssn\nJane,[redacted]\n"


def test_events_arrive_one_by_one(gateway: HttpGateway, shop: Service) -> None:
    with subprocess.Popen(
        ["curl", "-sSN", "--oauth2-bearer", gateway.token(), f"{gateway.base()}/events"],
        stdout=subprocess.PIPE,
    ) as curl:
        assert curl.stdout is not None
        for number in range(1, 4):
            event = b"".join(curl.stdout.readline() for _ in range(3))
            assert event == b'id: %d\ndata: {"mail": "*****@example.com"}\n\n' % number
            shop.gate.release()  # the next one is sent only now
        assert curl.stdout.read() == b""
    assert curl.returncode == 0
    assert shop.gate.acquire(blocking=False)


def test_a_client_that_leaves_a_stream_is_missed(gateway: HttpGateway, shop: Service) -> None:
    curl = subprocess.Popen(
        ["curl", "-sSN", "--oauth2-bearer", gateway.token(), f"{gateway.base()}/events"],
        stdout=subprocess.PIPE,
    )
    assert curl.stdout is not None
    assert curl.stdout.readline() == b"id: 1\n"
    curl.kill()
    curl.wait()
    curl.stdout.close()
    eventually(lambda: not [each for each in gateway.api.call("/v1/sessions") if each["closed_at"] is None])
    shop.gate.release(2)


def test_a_long_stream_is_masked_line_by_line(gateway: HttpGateway) -> None:
    got = gateway.curl("/lines")
    lines = got.text.splitlines()
    assert len(lines) == LINES
    assert lines[0] == '{"n": 0, "mail": "*@example.com"}'
    assert lines[-1] == f'{{"n": {LINES - 1}, "mail": "*@example.com"}}'
    assert "x@example.com" not in got.text


def test_head_has_no_body(gateway: HttpGateway) -> None:
    got = gateway.curl("/customers", "-I")
    assert got.status == 200
    assert got.body.startswith(b"HTTP/1.1 200 OK\r\n")
    assert "etag" not in got.headers


def test_a_way_home_leads_through_the_gateway_and_no_way_out_carries_the_credential(
    gateway: HttpGateway, shop: Service
) -> None:
    home = gateway.curl("/moved?to=home", "-L")
    assert home.text == MASKED_PEOPLE
    away = gateway.curl("/moved?to=away")
    assert (away.status, away.headers["location"]) == (302, "http://elsewhere.example/x")
    assert away.headers["set-cookie"] == "sid=[redacted]; Path=/"
    assert gateway.credential not in str(away.headers)


def test_an_answer_that_is_cut_off_is_cut_off(gateway: HttpGateway) -> None:
    got = gateway.curl("/cut", connection="echo-api")
    assert got.exit == 18
    assert got.body in {b"half of it\n", b""}


def test_a_range_of_what_is_masked_is_all_of_it(gateway: HttpGateway, shop: Service) -> None:
    assert gateway.curl("/customers", "-r", "0-20").text == MASKED_PEOPLE
    assert "range" not in shop.headers[-1]


def test_what_was_answered_is_recorded_as_it_was_given(gateway: HttpGateway) -> None:
    token = gateway.token()
    gateway.curl("/customers?of=record", token=token)
    gateway.curl("/echo?of=record", token=token, connection="echo-api")
    sessions = gateway.operator.call("/v1/sessions?closed=2")
    assert {each["connection"] for each in sessions} == {"shop-api", "echo-api"}
    for session in sessions:
        done = gateway.countersign("replay", session["id"], "--no-wait", "--state", str(gateway.state))
        assert "of=record" in done.stdout, done.stderr
        assert "HTTP/1.1 200 OK" in done.stdout
        assert gateway.credential not in done.stdout
        assert token not in done.stdout
        if session["connection"] == "shop-api":
            assert MASKED_PEOPLE.splitlines()[1] in done.stdout
    verified = gateway.countersign("verify", "--all", "--state", str(gateway.state))
    assert verified.returncode == 0, verified.stdout + verified.stderr
