"""Requests to a SAML provider: signed, and in a form."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.x509 import load_pem_x509_certificate
from lxml import etree

from gateway.identity import saml_xml
from gateway.identity.logins import LoginRefused, Wishes
from gateway.policy.credentials import SecretRef
from tests.identity.providers import Noted
from tests.identity.saml_documents import opened
from tests.identity.saml_idp import key_pair
from tests.identity.saml_stage import STATE, refused

# signed requests


@pytest.fixture
def own_key(stage) -> Path:
    """The gateway's key and certificate, in one file."""
    directory = stage.directory / "own"
    directory.mkdir()
    key_pair(directory)
    path = directory / "both.pem"
    path.write_bytes((directory / "key.pem").read_bytes() + (directory / "certificate.pem").read_bytes())
    stage.configure(key=SecretRef(source="file", name=str(path)))
    return path


async def test_a_provider_that_wants_signed_requests_gets_them(stage, own_key):
    stage.found(wants_signed="yes")
    assert b'AuthnRequestsSigned="true"' in stage.corp.own_metadata()
    assert (await stage.proven()).person == "ada@example.com"
    started = await stage.corp.start(STATE, Wishes())
    for altered in (
        started.url.replace("RelayState=s", "RelayState=t"),
        re.sub("&Signature=.*", "", started.url),
        started.url.replace("Signature=", "Signature=AA"),
    ):
        with pytest.raises(Exception, match=r"(?i)sign|verif|Incorrect"):
            stage.idp.asked(altered)


async def test_without_a_key_nobody_is_sent_to_a_provider_that_wants_signed_requests(stage):
    stage.found(wants_signed="yes")
    assert "wants signed requests" in await refused(stage.corp.start(STATE, Wishes()))


async def test_a_key_that_cannot_sign_is_told(stage, own_key):
    whole = own_key.read_text()
    key, certificate = whole.split("-----BEGIN CERTIFICATE")
    other = stage.directory / "other"
    other.mkdir()
    key_pair(other)
    foreign = key + (other / "certificate.pem").read_text()
    for pem in (key, f"-----BEGIN CERTIFICATE{certificate}", "x", foreign):
        own_key.write_text(pem)
        assert "`key` has to hold" in await refused(stage.corp.start(STATE, Wishes()))
    own_key.unlink()
    assert "cannot be read" in await refused(stage.corp.start(STATE, Wishes()))
    with pytest.raises(LoginRefused):
        stage.corp.own_metadata()


# requests in a form


@pytest.mark.parametrize("wants_signed", ["", "yes"])
async def test_a_provider_that_takes_forms_alone_gets_one(stage, own_key, wants_signed):
    stage.found(wants_signed=wants_signed, by_post=True)
    started = await stage.corp.start(STATE, Wishes(max_age=60))
    assert (started.url, started.form["RelayState"]) == ("https://idp.example/sso", STATE)
    request, _ = stage.idp.asked_by_form(started.form)
    assert (request.destination, request.force_authn) == ("https://idp.example/sso", "true")
    assert (await stage.corp.finish(stage.answered(request), started.kept)).person == "ada@example.com"


async def test_a_signed_form_is_signed_as_a_whole(stage, own_key):
    stage.found(wants_signed="yes", by_post=True)
    started = await stage.corp.start(STATE, Wishes())
    root = opened(started.form["SAMLRequest"])
    # Where the schema has it: behind the issuer.
    assert [etree.QName(each).localname for each in root][:2] == ["Issuer", "Signature"]
    certificates = [load_pem_x509_certificate(own_key.read_bytes())]
    assert saml_xml.signed(root, certificates).get("ID") == root.get("ID")
    root.set("ForceAuthn", "true")
    with pytest.raises(saml_xml.XmlRefused):
        saml_xml.signed(root, certificates)


async def test_an_address_is_taken_where_there_are_both(stage):
    data = stage.metadata.read_bytes()
    (service,) = re.findall(rb"<[^<]*SingleSignOnService[^>]*/>", data)
    form = service.replace(b"HTTP-Redirect", b"HTTP-POST").replace(b"/sso", b"/form")
    stage.metadata.write_bytes(data.replace(service, form + service))
    started = await stage.corp.start(STATE, Wishes())
    assert not started.form
    assert started.url.startswith("https://idp.example/sso?SAMLRequest=")


async def test_a_person_logs_in_at_a_provider_that_takes_forms_alone(browser):
    stage, client = browser
    stage.found(login=stage.idp_address, by_post=True)
    purpose = Noted()
    address = stage.logins.begin(purpose)
    page = await client.go(address)
    assert (await client.bring(page))[0] == 200
    assert [each.person for each in purpose.proven] == ["ada@example.com"]


async def test_the_page_with_the_form_runs_that_one_script(browser):
    stage, client = browser
    stage.found(login=stage.idp_address, by_post=True)
    answer = await client.client.post(
        urlsplit(stage.logins.begin(Noted())).path, data={"provider": "corp"}, headers={"Origin": client.own}
    )
    policy = dict(each.strip().split(" ", 1) for each in answer.headers["Content-Security-Policy"].split(";"))
    (script,) = re.findall(r"<script>(.*?)</script>", await answer.text())
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["script-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["form-action"].split()[0] == stage.idp_address.removesuffix("/sso")
