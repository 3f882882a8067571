"""What proves a login and what does not: answers of a real provider, also of another time, place or request, and what is no answer."""

from __future__ import annotations

import base64
import copy

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS
from signxml.algorithms import SignatureMethod

from gateway.identity.saml_response import LARGEST, ResponseRefused, asserted
from gateway.identity.saml_times import written
from tests.identity.saml_corp import AFFILIATION, SP, refusal
from tests.identity.saml_documents import NS, A, P, assertion, closed, one, opened, signed_by_xmlsec
from tests.identity.saml_idp import key_pair

# what has to be believed


@pytest.mark.parametrize("which", ["signed", "signed_whole", "signed_twice"])
def test_a_signed_answer_says_who_came_when_and_how(corp, which):
    said = corp.says(getattr(corp, which))
    assert (said.name_id, said.format) == ("ada@example.com", NAMEID_FORMAT_EMAILADDRESS)
    assert said.attributes[AFFILIATION] == ("db-admins", "staff")
    assert said.context.endswith(":PasswordProtectedTransport")
    assert abs(said.at - corp.now) < 10
    assert corp.now < said.ends < corp.now + 600


@pytest.mark.parametrize(
    "method", [SignatureMethod.RSA_SHA512, SignatureMethod.SHA256_RSA_MGF1], ids=lambda one: one.name
)
@pytest.mark.parametrize("whole", [False, True])
def test_strong_algorithms_are_taken(corp, method, whole):
    assert corp.says(corp.changed(lambda root: None, method=method, whole=whole)).name_id == "ada@example.com"


def test_ecdsa_is_taken(corp):
    certificate = key_pair(corp.foreign, key=ec.generate_private_key(ec.SECP256R1()))
    message = corp.changed(lambda root: None, keys=corp.foreign, method=SignatureMethod.ECDSA_SHA256)
    both = (*corp.expected.certificates, certificate)
    assert corp.says(message, certificates=both).name_id == "ada@example.com"
    assert refusal(corp, message)


@pytest.mark.parametrize(
    "method", ["http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"]
)
@pytest.mark.parametrize("whole", [False, True])
def test_namespaces_of_the_document_may_be_in_what_is_signed(corp, method, whole):
    message = signed_by_xmlsec(corp.signed, keys=corp.keys, whole=whole, method=method)
    assert corp.says(message).name_id == "ada@example.com"


def _only(*children):
    def change(key):
        key[:] = [etree.fromstring(f"<d:x xmlns:d='{NS['d']}'>{each}</d:x>")[0] for each in children]

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key.getparent().remove(key),
        _only("<d:KeyName>k</d:KeyName>"),
        _only(
            "<d:KeyValue><d:RSAKeyValue><d:Modulus>AQAB</d:Modulus><d:Exponent>AQAB</d:Exponent></d:RSAKeyValue></d:KeyValue>"
        ),
        _only("<d:X509Data><d:X509Certificate>AAAA</d:X509Certificate></d:X509Data>"),
    ],
    ids=["nothing", "a name", "another key", "no certificate"],
)
def test_what_a_signature_says_of_its_key_is_of_no_interest(corp, change):
    root = opened(corp.signed)
    change(one(root, "//d:KeyInfo"))
    assert corp.says(closed(root)).name_id == "ada@example.com"


def test_every_key_of_the_metadata_counts_so_that_they_can_roll_over(corp):
    new = key_pair(corp.foreign)
    both = (new, *corp.expected.certificates)
    assert corp.says(corp.signed, certificates=both).name_id
    rolled = corp.changed(lambda root: None, keys=corp.foreign)
    assert corp.says(rolled, certificates=both[::-1]).name_id
    assert "not the provider's" in refusal(corp, corp.signed, certificates=(new,))
    assert "no certificate" in refusal(corp, corp.signed, certificates=())


def test_the_dates_of_a_certificate_bind_nobody(corp):
    ended = key_pair(corp.foreign, days=-1)
    message = corp.changed(lambda root: None, keys=corp.foreign)
    assert corp.says(message, certificates=(ended,)).name_id == "ada@example.com"


def test_whitespace_around_values_and_line_breaks_in_the_field_do_no_harm(corp):
    def spread(root):
        name = one(root, "//a:NameID")
        name.text = f"\n   {name.text}\n  "

    message = corp.changed(spread)
    assert corp.says(message).name_id == "ada@example.com"
    assert corp.says("\r\n".join(message[at : at + 76] for at in range(0, len(message), 76))).name_id


def test_further_audiences_and_confirmations_do_no_harm(corp):
    def more(root):
        restriction = one(root, "//a:AudienceRestriction")
        etree.SubElement(restriction, f"{A}Audience").text = "https://elsewhere.example"
        first = one(root, "//a:SubjectConfirmation")
        other = copy.deepcopy(first)
        other.set("Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches")
        first.addprevious(other)
        foreign = copy.deepcopy(first)
        one(foreign, "a:SubjectConfirmationData").set("Recipient", "https://elsewhere.example/acs")
        first.addprevious(foreign)

    assert corp.says(corp.changed(more)).name_id == "ada@example.com"


# what is of another time, place or request, well signed

HOUR = 3_600


def _set(path, attribute, value):
    return lambda root: one(root, path).set(attribute, value)


def _unset(path, attribute):
    return lambda root: one(root, path).attrib.pop(attribute)


def _remove(path):
    def change(root):
        found = one(root, path)
        found.getparent().remove(found)

    return change


def _both(*changes):
    return lambda root: [change(root) for change in changes]


def _wrong(now):
    late, early = written(now - HOUR), written(now + HOUR)
    confirmed = "//a:SubjectConfirmationData"
    return {
        "late": _set("//a:Conditions", "NotOnOrAfter", late),
        "early": _set("//a:Conditions", "NotBefore", early),
        "late bearer": _set(confirmed, "NotOnOrAfter", late),
        "bearer without an end": _unset(confirmed, "NotOnOrAfter"),
        "bearer with a start": _set(confirmed, "NotBefore", late),
        "late session": _set("//a:AuthnStatement", "SessionNotOnOrAfter", late),
        "issued later": _set("//a:Assertion", "IssueInstant", early),
        "no instant": _unset("//a:AuthnStatement", "AuthnInstant"),
        "local time": _set("//a:Conditions", "NotOnOrAfter", early.replace("Z", "+09:00")),
        "a day that is none": _set("//a:Conditions", "NotOnOrAfter", "2027-02-31T00:00:00Z"),
        "no conditions": _remove("//a:Conditions"),
        "no audience": _remove("//a:AudienceRestriction"),
        "empty audience": _remove("//a:Audience"),
        "other audience": lambda root: setattr(one(root, "//a:Audience"), "text", f"{SP}/x"),
        "audience in other case": lambda root: setattr(one(root, "//a:Audience"), "text", SP.upper()),
        "second restriction": lambda root: etree.SubElement(
            etree.SubElement(one(root, "//a:Conditions"), f"{A}AudienceRestriction"), f"{A}Audience"
        ),
        "unknown condition": lambda root: etree.SubElement(one(root, "//a:Conditions"), f"{A}Condition"),
        "other recipient": _set(confirmed, "Recipient", "https://gate.example/login/back/other"),
        "no recipient": _unset(confirmed, "Recipient"),
        "other request": _set(confirmed, "InResponseTo", "_other"),
        "no request": _unset(confirmed, "InResponseTo"),
        "unsolicited": _both(_unset("/p:Response", "InResponseTo"), _unset(confirmed, "InResponseTo")),
        "answer to another request": _set("/p:Response", "InResponseTo", "_other"),
        "answer for another address": _set("/p:Response", "Destination", "https://else.example/"),
        "holder of key": _set(
            "//a:SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
        ),
        "no confirmation": _remove("//a:SubjectConfirmation"),
        "confirmation without data": _remove(confirmed),
        "no subject": _remove("//a:Subject"),
        "no statement": _remove("//a:AuthnStatement"),
        "two statements": lambda root: assertion(root).append(copy.deepcopy(one(root, "//a:AuthnStatement"))),
        "other issuer": lambda root: setattr(
            one(root, "//a:Assertion/a:Issuer"), "text", "https://evil.example"
        ),
        "answer of another issuer": lambda root: setattr(
            one(root, "/p:Response/a:Issuer"), "text", "https://x.example"
        ),
        "issuer by another format": _set("//a:Assertion/a:Issuer", "Format", NAMEID_FORMAT_EMAILADDRESS),
        "SAML 1.1": _set("//a:Assertion", "Version", "1.1"),
        "answer of SAML 1.1": _set("/p:Response", "Version", "1.1"),
        "failed": _set("//p:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder"),
        "no status": _remove("//p:Status"),
    }


@pytest.mark.parametrize("name", _wrong(0.0))
@pytest.mark.parametrize("whole", [False, True])
def test_what_is_well_signed_but_for_another_time_place_or_request_proves_nothing(corp, name, whole):
    assert refusal(corp, corp.changed(_wrong(corp.now)[name], whole=whole))


def test_clocks_may_be_a_minute_apart(corp):
    said = corp.says(corp.signed)
    for now, holds in [(-50, True), (-70, False), (300 + 50, True), (300 + 70, False)]:
        at = said.at + now
        try:
            asserted(corp.signed, corp.expected, now=at)
        except ResponseRefused:
            assert not holds, now
        else:
            assert holds, now
            assert at < said.ends


def test_a_refusal_of_the_provider_says_its_reason(corp):
    def fail(root):
        code = one(root, "//p:StatusCode")
        code.set("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
        etree.SubElement(code, f"{P}StatusCode", Value="urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext")

    assert "NoAuthnContext" in refusal(corp, corp.changed(fail))


def test_an_encrypted_assertion_is_refused_in_words_that_help(corp):
    def encrypt(root):
        found = assertion(root)
        root.replace(found, etree.Element(f"{A}EncryptedAssertion"))

    root = opened(corp.signed)
    encrypt(root)
    assert "turn encryption off" in refusal(corp, closed(root))


# what is no answer at all


@pytest.mark.parametrize(
    "message",
    ["", "=", "!!", "PHg+", base64.b64encode(b"<x/>").decode(), base64.b64encode(b"\0" * 9).decode(), "é"],
)
def test_what_is_no_answer_is_refused(corp, message):
    assert refusal(corp, message)


def test_size_and_depth_are_bounded(corp):
    assert "bytes" in refusal(corp, "A" * (LARGEST * 2))
    padded = base64.b64decode(corp.signed).replace(b"</ns0:Response>", b" " * LARGEST + b"</ns0:Response>")
    assert "bytes" in refusal(corp, base64.b64encode(padded).decode())
    deep = b"<a>" * 20_000 + b"</a>" * 20_000
    assert "well-formed" in refusal(corp, base64.b64encode(deep).decode())


def test_a_cut_answer_is_refused_wherever_it_is_cut(corp):
    data = base64.b64decode(corp.signed)
    for at in range(0, len(data) - 1, 97):
        assert refusal(corp, base64.b64encode(data[:at]).decode())
