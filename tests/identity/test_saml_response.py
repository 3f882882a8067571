"""What proves a login and what does not: answers of a real provider, and the same ones rearranged, altered and aged."""

from __future__ import annotations

import base64
import copy
import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS
from signxml.algorithms import CanonicalizationMethod, SignatureMethod

from gateway.identity import saml_metadata
from gateway.identity.saml_response import LARGEST, Expected, ResponseRefused, asserted
from gateway.identity.saml_times import written
from tests.identity.saml_documents import (
    NS,
    A,
    D,
    P,
    assertion,
    closed,
    evil,
    one,
    opened,
    resigned,
    signed_by_xmlsec,
    unsigned,
)
from tests.identity.saml_idp import ENTITY, SamlIdp, key_pair

SP = "https://gate.example/login/saml/corp"
ACS = "https://gate.example/login/back/corp"
REQUEST = "_0123456789abcdef"
AFFILIATION = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"
SHA1 = {
    "sign_alg": "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "digest_alg": "http://www.w3.org/2000/09/xmldsig#sha1",
}


class Corp:
    """The provider, its keys, and what the gateway expects of it."""

    def __init__(self, directory) -> None:
        self.keys = directory / "corp"
        self.idp = SamlIdp(self.keys, sp_metadata=saml_metadata.write(entity_id=SP, acs=ACS))
        self.foreign = directory / "foreign"
        self.foreign.mkdir()
        key_pair(self.foreign)
        metadata = saml_metadata.read(self.idp.metadata)
        self.expected = Expected(
            issuer=ENTITY,
            certificates=metadata.certificates,
            audience=SP,
            acs=ACS,
            request_id=REQUEST,
        )
        self.now = time.time()
        self.signed = self.answer()
        self.signed_whole = self.answer(sign_response=True, sign_assertion=False)
        self.signed_twice = self.answer(sign_response=True)

    def answer(self, **wanted):
        return self.idp.answer(REQUEST, acs=ACS, audience=SP, **wanted)

    def says(self, message, **expected):
        return asserted(message, replace(self.expected, **expected), now=self.now)

    def changed(self, change, **signing):
        return resigned(self.signed, change, **{"keys": self.keys, **signing})


@pytest.fixture(scope="module")
def corp(tmp_path_factory):
    return Corp(tmp_path_factory.mktemp("saml"))


def refusal(corp, message, **expected):
    with pytest.raises(ResponseRefused) as refused:
        corp.says(message, **expected)
    return str(refused.value)


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


# what is rearranged: the eight classes of signature wrapping, and their relatives


def _into_object(signature, original):
    holder = etree.SubElement(signature, f"{D}Object")
    holder.append(original)


def _wrapped(message, *, whole, place):
    """An evil answer that carries the original one somewhere, with the signature that fits the original."""
    root = opened(message)
    if whole:
        original = copy.deepcopy(root)
        for signature in list(original.iter(f"{D}Signature")):
            signature.getparent().remove(signature)
        fake = evil(root)
        signature = copy.deepcopy(root.find(f"{D}Signature"))
        place(fake, signature, original)
        return closed(fake)
    original = assertion(root)
    fake = evil(original)
    place(root, original, fake)
    return closed(root)


def _under(name):
    def place(fake, signature, original):
        fake.insert(1, signature)
        if name == "signature":
            signature.append(original)
        elif name == "object":
            _into_object(signature, original)
        elif name == "extensions":
            etree.SubElement(fake, f"{P}Extensions").append(original)
        elif name == "before":
            fake.insert(0, original)
        else:
            fake.append(original)

    return place


@pytest.mark.parametrize("name", ["signature", "object", "extensions", "before", "after"])
@pytest.mark.parametrize("which", ["signed_whole", "signed_twice"])
def test_a_signed_answer_wrapped_in_another_one_proves_nothing(corp, name, which):
    assert refusal(corp, _wrapped(getattr(corp, which), whole=True, place=_under(name)))


def _evil_first(root, original, fake):
    original.addprevious(fake)


def _evil_last(root, original, fake):
    original.addnext(fake)


def _evil_around(root, original, fake):
    root.replace(original, fake)
    fake.append(original)


def _evil_with_the_signature(root, original, fake):
    fake.insert(1, original.find(f"{D}Signature"))
    original.addprevious(fake)


def _evil_around_by_its_signature(root, original, fake):
    signature = original.find(f"{D}Signature")
    root.replace(original, fake)
    fake.insert(1, signature)
    signature.append(original)


def _evil_around_by_an_object(root, original, fake):
    signature = original.find(f"{D}Signature")
    root.replace(original, fake)
    fake.insert(1, signature)
    _into_object(signature, original)


def _evil_in_extensions(root, original, fake):
    extensions = etree.Element(f"{P}Extensions")
    extensions.append(fake)
    root.insert(1, extensions)


def _original_in_extensions(root, original, fake):
    root.replace(original, fake)
    extensions = etree.Element(f"{P}Extensions")
    extensions.append(original)
    root.insert(1, extensions)


def _evil_of_the_same_id(root, original, fake):
    fake.set("ID", original.get("ID"))
    original.addprevious(fake)


def _evil_of_the_same_id_around(root, original, fake):
    fake.set("ID", original.get("ID"))
    root.replace(original, fake)
    fake.insert(1, copy.deepcopy(original.find(f"{D}Signature")))
    etree.SubElement(fake, f"{A}Advice").append(original)


def _evil_advised(root, original, fake):
    advice = etree.Element(f"{A}Advice")
    original.find(f"{A}Conditions").addnext(advice)
    advice.append(fake)


def _evil_beside_in_a_list(root, original, fake):
    holder = etree.SubElement(root, f"{P}Holder")
    holder.append(fake)


def _evil_answer_inside(root, original, fake):
    inner = evil(root)
    root.append(inner)


WRAPPINGS = [value for name, value in list(globals().items()) if name.startswith(("_evil", "_original"))]


@pytest.mark.parametrize("place", WRAPPINGS, ids=lambda place: place.__name__.strip("_"))
@pytest.mark.parametrize("which", ["signed", "signed_twice"])
def test_a_signed_assertion_beside_around_or_inside_another_one_proves_nothing(corp, place, which):
    assert refusal(corp, _wrapped(getattr(corp, which), whole=False, place=place))


def test_nothing_outside_of_what_is_signed_is_read(corp):
    """Statements that were put beside a signed assertion are not part of it."""
    root = opened(corp.signed)
    statement = copy.deepcopy(one(root, "//a:AttributeStatement"))
    one(statement, f"a:Attribute[@Name='{AFFILIATION}']")[0].text = "root"
    root.append(statement)
    root.append(copy.deepcopy(one(root, "//a:Subject")))
    assert "root" not in corp.says(closed(root)).attributes[AFFILIATION]


NAMES = ["ada@example.com", "mallory@example.com", "", "db-admins", "root"]


def _operated(root, draw):
    """One cut into the document: a node goes, is copied or moved elsewhere, or says something else."""
    nodes = list(root.iter())
    node = draw(st.sampled_from(nodes))
    where = draw(st.sampled_from(nodes))
    match draw(st.sampled_from(["remove", "copy", "move", "text", "attribute", "rename", "wrap"])):
        case "remove" if node.getparent() is not None:
            node.getparent().remove(node)
        case "copy":
            where.insert(draw(st.integers(0, len(where))), copy.deepcopy(node))
        case "move" if node.getparent() is not None and where not in node.iter():
            where.insert(draw(st.integers(0, len(where))), node)
        case "text":
            node.text = draw(st.sampled_from(NAMES))
        case "attribute" if node.attrib:
            name = draw(st.sampled_from(sorted(node.attrib)))
            node.set(
                name, draw(st.sampled_from([*NAMES, "_evil", *(each.get("ID") or "" for each in nodes)]))
            )
        case "rename":
            node.tag = where.tag
        case "wrap" if node.getparent() is not None:
            around = etree.Element(where.tag, dict(where.attrib))
            node.getparent().replace(node, around)
            around.append(node)
        case _:
            pass


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_is_cut_and_pasted_it_is_refused_or_says_the_same(corp, data):
    """All that the signature does not cover may go, so a document may survive; never with other words in it."""
    which = data.draw(st.sampled_from(["signed", "signed_whole", "signed_twice"]))
    root = opened(getattr(corp, which))
    for _ in range(data.draw(st.integers(1, 4))):
        _operated(root, data.draw)
    try:
        said = corp.says(closed(root))
    except ResponseRefused:
        return
    assert said == corp.says(getattr(corp, which))


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
