"""What a SAML provider says of itself: where it comes from, when it counts, and what no login can be made of."""

from __future__ import annotations

import re
import ssl

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from lxml import etree

from gateway.identity import saml_metadata
from gateway.identity.logins import Wishes
from tests.certificates import Authority
from tests.identity.saml_documents import closed, opened
from tests.identity.saml_stage import STATE, refused


async def test_metadata_that_was_replaced_counts_at_once(stage):
    before = stage.idp
    request, kept = await stage.went()
    values = {"SAMLResponse": before.answer(request.id, acs=stage.corp.acs, audience=stage.corp.entity_id)}
    stage.found()
    assert "not the provider's" in await refused(stage.corp.finish(values, kept))
    assert (await stage.proven()).person == "ada@example.com"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: b"", "cannot be read"),
        (lambda data: b"<x/>", "0 SAML 2.0 identity providers"),
        (lambda data: b"<!DOCTYPE x>" + data, "document type"),
        (
            lambda data: data.replace(b"HTTP-Redirect", b"HTTP-Artifact"),
            "neither by HTTP-Redirect nor by HTTP-POST",
        ),
        (lambda data: data.replace(b"idp.example/sso", b"idp.example; script-src *"), "neither by"),
        (
            lambda data: data.replace(b'"https://idp.example/sso', b'"javascript://idp.example/sso'),
            "neither by",
        ),
        (lambda data: data.replace(b'use="signing"', b'use="encryption"'), "no certificate of a signing key"),
        (
            lambda data: re.sub(rb"X509Certificate>.*?<", b"X509Certificate>AAAA<", data, flags=re.DOTALL),
            "cannot be read",
        ),
        (
            lambda data: data.replace(b'WantAuthnRequestsSigned="false"', b'WantAuthnRequestsSigned="true"'),
            "signed requests",
        ),
        (
            lambda data: data.replace(b"entityID=", b'validUntil="2020-01-01T00:00:00Z" entityID='),
            "out of date",
        ),
        (lambda data: data.replace(b"entityID=", b'validUntil="tomorrow" entityID='), "no time"),
        (
            lambda data: data.replace(b"SAML:2.0:protocol", b"SAML:1.1:protocol"),
            "0 SAML 2.0 identity providers",
        ),
    ],
)
async def test_metadata_that_no_login_can_be_made_of_is_told(stage, change, says):
    data = stage.metadata.read_bytes()
    assert change(data) != data
    stage.metadata.write_bytes(change(data))
    assert says in await refused(stage.corp.start(STATE, Wishes()))


async def test_what_people_write_into_metadata_does_no_harm(stage):
    data = stage.metadata.read_bytes()
    noted = data.replace(b"<ns0:IDPSSODescriptor", b"<!-- ours, since May --><?note x?><ns0:IDPSSODescriptor")
    noted = re.sub(rb"(X509Certificate>[^<]{64})", rb"\1<!-- and on -->\n", noted)
    assert noted.count(b"<!--") >= 2
    stage.metadata.write_bytes(b"<!-- of corp -->\n" + noted)
    assert (await stage.proven()).person == "ada@example.com"


async def test_of_several_providers_the_one_that_is_meant_is_taken(stage):
    data = stage.metadata.read_bytes()
    other = data.replace(b"https://idp.example", b"https://other.example")
    both = (
        b'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">%s%s</md:EntitiesDescriptor>'
    )
    stage.metadata.write_bytes(both % (data, other))
    assert "2 SAML 2.0 identity providers" in await refused(stage.corp.start(STATE, Wishes()))
    stage.configure(entity_id="https://other.example/metadata")
    assert (await stage.corp.start(STATE, Wishes())).url.startswith("https://other.example/sso?")


async def test_metadata_of_an_address_is_kept_and_asked_for_again(stage):
    asked = []
    answer = {"body": stage.idp.metadata, "status": 200}

    async def metadata(request):
        asked.append(request)
        return web.Response(**answer)

    application = web.Application()
    application.router.add_get("/metadata", metadata)
    async with TestServer(application) as server:
        stage.configure(metadata=str(server.make_url("/metadata")))
        samls = stage.samls
        await stage.corp.start(STATE, Wishes())
        await stage.corp.start(STATE, Wishes())
        assert len(asked) == 1
        stage.late = -4_000
        await stage.corp.start(STATE, Wishes())
        assert len(asked) == 2
        asked.clear()
        stage.late = 4_000
        answer["status"] = 500
        await stage.corp.start(STATE, Wishes())
        assert len(asked) == 1
        stage.late = 90_000
        assert "answers with 500" in await refused(stage.corp.start(STATE, Wishes()))
        answer.update(status=302, headers={"Location": "/elsewhere"})
        assert "answers with 302" in await refused(stage.corp.start(STATE, Wishes()))
        answer.update(status=200, headers={}, body=b" " * (saml_metadata.LARGEST + 1))
        assert "more than" in await refused(stage.corp.start(STATE, Wishes()))
        assert samls is stage.samls
    assert "does not answer" in await refused(stage.corp.start(STATE, Wishes()))


async def test_metadata_of_an_address_may_be_vouched_for_by_an_authority_of_its_own(stage):
    authority = Authority()
    certificate, key = authority.issue("127.0.0.1").write(stage.directory, "idp")
    trusted = stage.directory / "authority.pem"
    trusted.write_bytes(authority.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def metadata(request):
        return web.Response(body=stage.idp.metadata)

    application = web.Application()
    application.router.add_get("/metadata", metadata)
    server = TestServer(application, scheme="https")
    await server.start_server(ssl=context)
    async with server:
        stage.configure(metadata=str(server.make_url("/metadata")))
        assert "does not answer" in await refused(stage.corp.start(STATE, Wishes()))
        stage.configure(ca=str(trusted))
        assert (await stage.corp.start(STATE, Wishes())).url


def test_a_document_is_taken_apart_and_put_together_unchanged(stage):
    message = stage.idp.answer("_x", acs=stage.corp.acs, audience=stage.corp.entity_id)
    assert etree.tostring(opened(closed(opened(message)))) == etree.tostring(opened(message))
