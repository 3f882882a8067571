"""Answers of a real provider, altered after they were signed, or with something hidden in their text."""

from __future__ import annotations

import base64
import copy

import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod

from gateway.identity.saml_response import ResponseRefused
from tests.identity.saml_corp import ACS, SHA1, refusal
from tests.identity.saml_documents import NS, A, D, assertion, closed, one, opened, unsigned
from tests.identity.saml_idp import key_pair

# what is altered


ALTERED = {
    "name": lambda root: setattr(one(root, "//a:NameID"), "text", "mallory@example.com"),
    "format": lambda root: one(root, "//a:NameID").set("Format", "urn:other"),
    "attribute": lambda root: setattr(root.xpath("//a:AttributeValue", namespaces=NS)[0], "text", "root"),
    "audience": lambda root: setattr(one(root, "//a:Audience"), "text", "https://else.example"),
    "recipient": lambda root: one(root, "//a:SubjectConfirmationData").set("Recipient", f"{ACS}/"),
    "time": lambda root: one(root, "//a:Conditions").set("NotOnOrAfter", "2099-01-01T00:00:00Z"),
    "instant": lambda root: one(root, "//a:AuthnStatement").set("AuthnInstant", "2099-01-01T00:00:00Z"),
    "id": lambda root: assertion(root).set("ID", "_other"),
    "no id": lambda root: assertion(root).attrib.pop("ID"),
    "more": lambda root: etree.SubElement(one(root, "//a:AttributeStatement"), f"{A}Attribute", Name="x"),
    "signature value": lambda root: setattr(one(root, "//a:Assertion//d:SignatureValue"), "text", "AAAA"),
    "no signature value": lambda root: setattr(one(root, "//a:Assertion//d:SignatureValue"), "text", ""),
    "digest": lambda root: setattr(one(root, "//a:Assertion//d:DigestValue"), "text", "AAAA"),
    "empty reference": lambda root: one(root, "//a:Assertion//d:Reference").set("URI", ""),
    "no reference": lambda root: one(root, "//a:Assertion//d:Reference").attrib.pop("URI"),
    "reference to the answer": lambda root: one(root, "//a:Assertion//d:Reference").set(
        "URI", f"#{root.get('ID')}"
    ),
    "reference by pointer": lambda root: one(root, "//a:Assertion//d:Reference").set("URI", "#xpointer(/)"),
    "outer reference": lambda root: one(root, "//a:Assertion//d:Reference").set("URI", "file:///etc/passwd"),
    "two references": lambda root: one(root, "//a:Assertion//d:SignedInfo").append(
        copy.deepcopy(one(root, "//a:Assertion//d:Reference"))
    ),
    "stylesheet": lambda root: one(root, "//a:Assertion//d:Transforms")[0].set(
        "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116"
    ),
    "path filter": lambda root: etree.SubElement(
        one(root, "//a:Assertion//d:Transforms"),
        f"{D}Transform",
        Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116",
    ),
    "hmac": lambda root: one(root, "//a:Assertion//d:SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    ),
    "no algorithm": lambda root: one(root, "//a:Assertion//d:SignatureMethod").set("Algorithm", "none"),
    "ecdsa": lambda root: one(root, "//a:Assertion//d:SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    ),
    "doubled signature": lambda root: assertion(root).insert(
        1, copy.deepcopy(one(root, "//a:Assertion/d:Signature"))
    ),
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_what_was_altered_after_it_was_signed_proves_nothing(corp, change):
    for message in (corp.signed, corp.signed_twice):
        root = opened(message)
        change(root)
        assert refusal(corp, closed(root))


def test_no_character_of_a_signed_assertion_can_be_changed_to_say_something_else(corp):
    """Some are in names that the canonical form leaves out, and in the key that nobody reads."""
    data, said = base64.b64decode(corp.signed), corp.says(corp.signed)
    refused = 0
    for at in range(data.index(b"<ns1:Assertion"), data.index(b"</ns1:Assertion>"), 7):
        other = data[:at] + (b"q" if data[at] != ord("q") else b"r") + data[at + 1 :]
        try:
            assert corp.says(base64.b64encode(other).decode()) == said
        except ResponseRefused:
            refused += 1
    assert refused > 300


@pytest.mark.parametrize("which", ["signed", "signed_whole", "signed_twice"])
def test_an_answer_that_lost_its_signature_proves_nothing(corp, which):
    assert "neither" in refusal(corp, closed(unsigned(opened(getattr(corp, which)))))


def test_an_answer_that_was_never_signed_proves_nothing(corp):
    assert "neither" in refusal(corp, corp.answer(sign_assertion=False))


def test_a_bad_signature_of_the_answer_is_not_made_up_for_by_a_good_one_of_the_assertion(corp):
    root = opened(corp.signed_twice)
    root.set("IssueInstant", "2020-01-01T00:00:00Z")
    assert "signature" in refusal(corp, closed(root))


@pytest.mark.parametrize("whole", [False, True])
def test_somebody_else_s_key_proves_nothing_even_with_its_certificate_inside(corp, whole):
    key_pair(corp.foreign)
    assert "signature" in refusal(corp, corp.changed(lambda root: None, keys=corp.foreign, whole=whole))


@pytest.mark.parametrize("weak", [SHA1, {"sign_alg": SHA1["sign_alg"]}, {"digest_alg": SHA1["digest_alg"]}])
def test_sha_1_proves_nothing(corp, weak):
    assert "SHA1" in refusal(corp, corp.answer(**weak))


# what is hidden in the text


def test_a_comment_does_not_cut_a_name_short(corp):
    """`ada@example.com<!---->.evil.example` was signed as one name, so reading half of it would be another's."""
    hidden = base64.b64decode(corp.answer(person="ada@example.com.evil.example")).replace(
        b"ada@example.com.evil", b"ada@example.com<!---->.evil"
    )
    assert "comments" in refusal(corp, base64.b64encode(hidden).decode())


@pytest.mark.parametrize(
    "c14n",
    [
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0_WITH_COMMENTS,
    ],
    ids=lambda one: one.name,
)
def test_neither_comments_nor_instructions_nor_elements_cut_a_name_that_was_signed_so(corp, c14n):
    def cut(what):
        def change(root):
            name = one(root, "//a:NameID")
            name.text = "ada@example.com"
            name.append(what)
            what.tail = ".evil.example"

        return change

    for what in (etree.Comment("x"), etree.ProcessingInstruction("x"), etree.Element(f"{A}x")):
        try:
            said = corp.says(corp.changed(cut(what), c14n=c14n))
        except ResponseRefused:
            continue
        assert said.name_id != "ada@example.com"


def test_cdata_and_character_references_are_read_as_they_were_signed(corp):
    data = base64.b64decode(corp.signed)
    for spelled in (b"<![CDATA[ada@]]>example.com", b"&#97;da@example.com", b"ada@<![CDATA[example.com]]>"):
        other = data.replace(b"ada@example.com", spelled)
        assert corp.says(base64.b64encode(other).decode()).name_id == "ada@example.com"


DECLARED = {
    "entity": b'<!DOCTYPE x [<!ENTITY e "ada@example.com">]>',
    "file": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
    "address": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    "bomb": b"<!DOCTYPE x [<!ENTITY a '"
    + b"a" * 500
    + b"'>"
    + b"".join(b"<!ENTITY e%d '%s'>" % (at, b"&a;" * 50) for at in range(50))
    + b"]>",
    "empty": b"<!DOCTYPE x>",
}


@pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "utf-7"])
def test_a_document_type_is_refused_in_every_encoding(corp, declared, encoding):
    data = base64.b64decode(corp.signed).partition(b"?>")[2]
    text = (declared + data.replace(b"ada@example.com", b"&e;")).decode()
    document = f"<?xml version='1.0' encoding='{encoding}'?>{text}".encode(encoding)
    assert refusal(corp, base64.b64encode(document).decode())
