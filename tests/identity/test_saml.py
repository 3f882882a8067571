"""A login by SAML from end to end: the gateway's pages, a browser, and a provider that others wrote, on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import re
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.x509 import load_pem_x509_certificate
from lxml import etree

from gateway.api import saml as saml_api
from gateway.api.login import LoginPages
from gateway.identity import saml_metadata, saml_xml
from gateway.identity.logins import LoginRefused, Logins, Proven, Wishes
from gateway.identity.saml import EMAIL_FORMAT, Saml, SamlProviders
from gateway.policy.credentials import SecretRef
from gateway.policy.identities import SamlProvider
from gateway.secrets.places import read
from gateway.store import StoreFailed
from tests.certificates import Authority
from tests.identity.house import MemoryStore
from tests.identity.providers import Noted
from tests.identity.saml_documents import closed, one, opened, resigned
from tests.identity.saml_idp import SamlIdp, key_pair

AFFILIATION = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"
STATE = "s" * 43


class Stage:
    """A gateway and a provider that know each other by their metadata."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.base = "https://gate.example"
        self.late = 0.0
        self.idp_address = ""
        self.store = MemoryStore()
        self.metadata = directory / "corp.xml"
        self.configured = SamlProvider(
            name="corp", metadata=f"file:{self.metadata}", groups=AFFILIATION, domains=("example.com",)
        )
        self.restart()

    def restart(self) -> None:
        self.samls = SamlProviders(self.store, secret=read, clock=self.clock)
        self.remembered: list[Proven] = []
        self.logins = Logins(
            lambda: {"corp": self.corp}, self.remember, base=lambda: self.base, clock=self.clock
        )

    async def remember(self, proven: Proven) -> None:
        self.remembered.append(proven)

    def clock(self) -> float:
        return time.time() + self.late

    @property
    def corp(self) -> Saml:
        return self.samls.of(self.configured, base=self.base)

    def found(
        self, login: str = "https://idp.example/sso", *, wants_signed: str = "", by_post: bool = False
    ) -> SamlIdp:
        """The provider, as it gets to know the gateway and the gateway it."""
        self.keys = self.directory / "corp"
        self.idp = SamlIdp(
            self.keys,
            sp_metadata=self.corp.own_metadata(),
            login=login,
            wants_signed=wants_signed,
            by_post=by_post,
        )
        self.metadata.write_bytes(self.idp.metadata)
        return self.idp

    def configure(self, **changed: Any) -> None:
        values = {name: getattr(self.configured, name) for name in SamlProvider.__dataclass_fields__}
        self.configured = SamlProvider(**{**values, **changed})

    async def went(self, wishes: Wishes | None = None) -> tuple[Any, Any]:
        started = await self.corp.start(STATE, wishes or Wishes())
        return self.idp.asked(started.url)[0], started.kept

    def answered(self, request: Any, **wanted: Any) -> dict[str, str]:
        message = self.idp.answer(request.id, acs=self.corp.acs, audience=self.corp.entity_id, **wanted)
        return {"SAMLResponse": message, "RelayState": STATE}

    async def proven(self, **wanted: Any) -> Any:
        request, kept = await self.went()
        return await self.corp.finish(self.answered(request, **wanted), kept)

    def pages(self) -> web.Application:
        application = web.Application()
        application.add_routes(LoginPages(self.logins, base=lambda: self.base).routes())
        application.add_routes(saml_api.routes(lambda name: self.corp if name == "corp" else None))
        return application


@pytest.fixture
def stage(tmp_path) -> Stage:
    stage = Stage(tmp_path)
    stage.found()
    return stage


async def refused(awaitable) -> str:
    with pytest.raises(LoginRefused) as refusal:
        await awaitable
    return str(refusal.value)


# with a browser


class Browser:
    """Follows the pages as a browser does: what it may send where is aiohttp's to know."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.own = f"http://{client.host}:{client.port}"

    async def go(self, address: str) -> str:
        """Through the login page to the provider, and what the provider's page holds."""
        answer = await self.client.post(
            urlsplit(address).path, data={"provider": "corp"}, headers={"Origin": self.own}
        )
        text = await answer.text()
        if "SAMLRequest'" in text:
            form = etree.HTML(text).find(".//form")
            values = {each.get("name"): each.get("value") for each in form.iterfind(".//input[@name]")}
            async with self.client.session.post(form.get("action"), data=values) as page:
                return await page.text()
        away = re.search(r"0;url=([^']+)", text)
        assert away, text
        async with self.client.session.get(html.unescape(away[1])) as page:
            return await page.text()

    async def bring(self, page: str) -> tuple[int, str]:
        """Sends the provider's form to where it says, and goes on from there."""
        form = etree.HTML(page).find(".//form")
        values = {each.get("name"): each.get("value") for each in form.iterfind(".//input[@name]")}
        async with self.client.session.post(form.get("action"), data=values) as answer:
            return answer.status, await answer.text()


@pytest_asyncio.fixture
async def browser(tmp_path) -> AsyncIterator[tuple[Stage, Browser]]:
    stage = Stage(tmp_path)
    provider = web.Application()

    async def sso(request: web.Request) -> web.Response:
        return await stage.idp.sso(request)

    provider.router.add_route("*", "/sso", sso)
    gateway = TestServer(stage.pages())
    async with (
        TestServer(provider) as there,
        TestClient(gateway, cookie_jar=CookieJar(unsafe=True)) as client,
    ):
        stage.base = str(gateway.make_url("")).rstrip("/")
        stage.idp_address = str(there.make_url("/sso"))
        stage.found(login=stage.idp_address)
        yield stage, Browser(client)


async def test_a_person_logs_in_at_a_real_provider(browser):
    stage, client = browser
    purpose = Noted()
    page = await client.go(stage.logins.begin(purpose))
    status, told = await client.bring(page)
    assert (status, "You are ada@example.com." in told) == (200, True), told
    (proven,) = purpose.proven
    assert (proven.groups, proven.provider) == ({"db-admins", "staff"}, "corp")
    assert proven.acr.endswith(":PasswordProtectedTransport")
    # The same form again, by the same browser, is over.
    status, told = await client.bring(page)
    assert (status, len(purpose.proven)) == (403, 1)


async def test_the_gateway_s_metadata_is_what_a_provider_needs(browser):
    stage, client = browser
    answer = await client.client.get("/login/saml/corp")
    assert answer.content_type == "application/samlmetadata+xml"
    service = one(
        etree.fromstring(await answer.read()),
        "/*[local-name() = 'EntityDescriptor']/*/*[local-name() = 'AssertionConsumerService']",
    )
    assert service.get("Location") == f"{stage.base}/login/back/corp"
    assert (await client.client.get("/login/saml/other")).status == 404


async def test_a_login_that_nobody_began_here_is_refused(browser):
    """IdP-initiated: the provider's form comes without a login that waits for it."""
    stage, client = browser
    request, _ = await stage.went()
    answer = await client.client.post("/login/back/corp", data=stage.answered(request))
    assert answer.status == 403


# without one


async def test_a_request_says_what_is_wished_for(stage):
    plain, _ = await stage.went()
    assert (plain.force_authn, plain.requested_authn_context) == ("false", None)
    assert plain.issuer.text == stage.corp.entity_id
    assert plain.assertion_consumer_service_url == stage.corp.acs
    fresh, _ = await stage.went(Wishes(max_age=300, acr="urn:strong"))
    assert fresh.force_authn == "true"
    (context,) = fresh.requested_authn_context.authn_context_class_ref
    assert (context.text, fresh.requested_authn_context.comparison) == ("urn:strong", "exact")
    assert plain.id != fresh.id


async def test_an_address_with_a_query_keeps_it(stage):
    stage.found(login="https://idp.example/sso?tenant=7")
    started = await stage.corp.start(STATE, Wishes())
    assert parse_qs(urlsplit(started.url).query)["tenant"] == ["7"]
    assert stage.idp.asked(started.url)[1] == STATE


async def test_an_answer_is_used_once_also_across_a_restart(stage):
    request, kept = await stage.went()
    values = stage.answered(request)
    assert (await stage.corp.finish(values, kept)).person == "ada@example.com"
    commits = stage.store.commits
    assert "used before" in await refused(stage.corp.finish(values, kept))
    stage.restart()
    assert "used before" in await refused(stage.corp.finish(values, kept))
    assert commits > 0
    assert (await stage.proven()).person


async def test_of_two_uses_at_the_same_time_one_counts(stage):
    request, kept = await stage.went()
    values = stage.answered(request)
    tries = [stage.corp.finish(values, kept) for _ in range(5)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(each, LoginRefused) for each in found) == 1


async def test_used_answers_are_forgotten_once_they_would_be_refused_anyway(stage):
    await stage.proven()
    request, kept = await stage.went()
    values = stage.answered(request)
    await stage.corp.finish(values, kept)
    assert len(stage.store.all("saml_used")) == 2
    stage.late = 3_600
    assert "any more" in await refused(stage.corp.finish(values, kept))
    stage.late = 0
    assert "used before" in await refused(stage.corp.finish(values, kept))


async def test_a_store_that_fails_lets_nobody_in(stage):
    request, kept = await stage.went()
    stage.store.fails = StoreFailed("disk full")
    with pytest.raises(StoreFailed):
        await stage.corp.finish(stage.answered(request), kept)


async def test_an_answer_to_one_request_does_not_answer_another(stage):
    first, _ = await stage.went()
    _, kept = await stage.went()
    assert "request" in await refused(stage.corp.finish(stage.answered(first), kept))


async def test_a_provider_that_does_not_ask_again_is_noticed(stage):
    request, kept = await stage.went(Wishes(max_age=300))

    def age(root):
        one(root, "//a:AuthnStatement").set("AuthnInstant", "2026-01-01T00:00:00Z")

    values = stage.answered(request)
    values["SAMLResponse"] = resigned(values["SAMLResponse"], age, keys=stage.keys)
    assert "fresh login" in await refused(stage.corp.finish(values, kept))
    request, kept = await stage.went()
    values = stage.answered(request)
    values["SAMLResponse"] = resigned(values["SAMLResponse"], age, keys=stage.keys)
    assert (await stage.corp.finish(values, kept)).at < stage.clock() - 86_400


@pytest.mark.parametrize(
    "person",
    ["mallory@evil.example", "ada@example.com.evil.example", "ada@sub.example.com", "ada@xample.com"],
)
async def test_a_provider_speaks_for_its_own_domains_alone(stage, person):
    assert "may not vouch" in await refused(stage.proven(person=person))


@pytest.mark.parametrize(
    "person", ["ada", "", "a@b@example.com", "ada @example.com", "а@example.com", "@example.com"]
)
async def test_what_is_no_address_is_nobody(stage, person):
    assert "corp" in await refused(stage.proven(person=person))


async def test_an_address_is_compared_in_lower_case(stage):
    assert (await stage.proven(person="Ada@EXAMPLE.com")).person == "ada@example.com"


async def test_a_name_id_of_another_format_is_no_address(stage):
    request, kept = await stage.went()
    values = stage.answered(request)

    def persistent(root):
        one(root, "//a:NameID").set("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")

    values["SAMLResponse"] = resigned(values["SAMLResponse"], persistent, keys=stage.keys)
    assert "does not say" in await refused(stage.corp.finish(values, kept))
    assert EMAIL_FORMAT.endswith("emailAddress")


async def test_the_person_may_be_an_attribute_that_is_said_once(stage):
    stage.configure(person="urn:oid:0.9.2342.19200300.100.1.3")
    assert (
        await stage.proven(person="x7", attributes={"mail": ["Ada@example.com"]})
    ).person == "ada@example.com"
    twice = {"mail": ["ada@example.com", "bob@example.com"]}
    assert "does not say" in await refused(stage.proven(attributes=twice))
    assert "does not say" in await refused(stage.proven(attributes={"givenName": ["Ada"]}))


async def test_too_many_groups_are_refused_rather_than_cut(stage):
    many = {"eduPersonAffiliation": [f"group-{at}" for at in range(600)]}
    assert "more than" in await refused(stage.proven(attributes=many))


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


# metadata


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
