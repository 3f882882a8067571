"""A login by SAML from end to end: the gateway's pages, a browser, and a provider that others wrote, on loopback."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree

from gateway.identity.logins import LoginRefused, Wishes
from gateway.identity.saml import EMAIL_FORMAT
from gateway.store import StoreFailed
from tests.identity.providers import Noted
from tests.identity.saml_documents import one, resigned
from tests.identity.saml_stage import STATE, refused

# with a browser


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
