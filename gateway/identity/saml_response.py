"""What an identity provider answers: from the form field of a browser's POST to an assertion that may be believed.

Everything that is believed is read from what the provider's signature covers, and is meant for this gateway, this
address, this request and this moment (SAML profiles §4.1.4.2 and §4.1.4.3). The rest of the document is only held to its shape.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.x509 import Certificate

from gateway.identity.saml_times import moment
from gateway.identity.saml_xml import (
    ASSERTION,
    PROTOCOL,
    SIGNATURE,
    Element,
    SignatureMissing,
    XmlRefused,
    parse,
    q,
    signed,
)

LARGEST = 256 * 1024
"""Bytes of a response; one with hundreds of groups has some 40,000."""
CLOCKS_APART = 60.0
"""How far the provider's clock may be from ours, in seconds."""
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
_CONDITIONS = {
    q(ASSERTION, "AudienceRestriction"),
    q(ASSERTION, "OneTimeUse"),
    q(ASSERTION, "ProxyRestriction"),
}


class ResponseRefused(Exception):
    """A response that proves nothing; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """For whom, where and in answer to what a response has to be."""

    issuer: str
    certificates: Sequence[Certificate] = field(repr=False)
    audience: str
    acs: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """What the provider says of a person."""

    id: str
    """The assertion's, for the memory of those that were used."""
    ends: float
    """From when on it would be refused in any case."""
    name_id: str
    format: str
    attributes: dict[str, tuple[str, ...]]
    at: float
    """When the person proved themselves to the provider."""
    context: str


def asserted(message: str, expected: Expected, *, now: float) -> Asserted:
    """What `message`, a SAMLResponse of the POST binding, proves. Raises `ResponseRefused`."""
    try:
        root = _root(message)
        assertion = _believed(root, expected)
    except XmlRefused as refusal:
        raise ResponseRefused(f"its answer is refused: {refusal}") from None
    try:
        return _judged(assertion, expected, now)
    except ValueError:
        raise ResponseRefused("a time in its assertion is no time in UTC") from None


def _root(message: str) -> Element:
    if len(message) > LARGEST * 4 // 3 + 4_096:
        raise ResponseRefused(f"its answer has more than {LARGEST:,} bytes")
    try:
        data = base64.b64decode("".join(message.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ResponseRefused("its answer is not in Base64") from None
    if len(data) > LARGEST:
        raise ResponseRefused(f"its answer has more than {LARGEST:,} bytes")
    return parse(data)


def _believed(root: Element, expected: Expected) -> Element:
    """The one assertion, as it was signed."""
    if root.tag != q(PROTOCOL, "Response") or root.get("Version") != "2.0":
        raise ResponseRefused("its answer is no SAML 2.0 response")
    whole = signed(root, expected.certificates) if _is_signed(root) else None
    response = root if whole is None else whole
    _answers(response, expected)
    if next(response.iter(q(ASSERTION, "EncryptedAssertion")), None) is not None:
        raise ResponseRefused(
            "its assertion is encrypted, which the gateway does not read: turn encryption off for it, TLS is enough"
        )
    assertions = list(response.iter(q(ASSERTION, "Assertion")))
    if len(assertions) != 1 or assertions[0].getparent() is not response:
        raise ResponseRefused(f"its answer has {len(assertions)} assertions; one is needed")
    _only_usual_signatures(response, assertions[0])
    if whole is not None and not _is_signed(assertions[0]):
        return assertions[0]
    try:
        return signed(assertions[0], expected.certificates)
    except SignatureMissing:
        raise ResponseRefused("neither its answer nor its assertion is signed") from None


def _is_signed(element: Element) -> bool:
    return element.find(q(SIGNATURE, "Signature")) is not None


def _only_usual_signatures(response: Element, assertion: Element) -> None:
    """A signature in an unusual place is what documents are rearranged with."""
    for signature in response.iter(q(SIGNATURE, "Signature")):
        if signature.getparent() is not response and signature.getparent() is not assertion:
            raise ResponseRefused("its answer has a signature where none belongs")


def _answers(response: Element, expected: Expected) -> None:
    """The response's own words: they need not be signed, so they can only refuse."""
    if response.get("Destination") not in {None, "", expected.acs}:
        raise ResponseRefused("its answer is meant for another address")
    if response.get("InResponseTo") != expected.request_id:
        raise ResponseRefused("its answer is not to the request that was made here")
    issuer = response.find(q(ASSERTION, "Issuer"))
    if issuer is not None and _text(issuer) != expected.issuer:
        raise ResponseRefused("its answer names another identity provider")
    status = response.find(f"{q(PROTOCOL, 'Status')}/{q(PROTOCOL, 'StatusCode')}")
    if status is None or status.get("Value") != _SUCCESS:
        raise ResponseRefused(f"it did not log you in ({_reason(status)})")


def _reason(status: Element | None) -> str:
    if status is None:
        return "without a status"
    codes = [each.get("Value", "") for each in status.iter(q(PROTOCOL, "StatusCode"))]
    return codes[-1].rpartition(":")[2][:64] or "without a reason"


def _judged(assertion: Element, expected: Expected, now: float) -> Asserted:
    issuer = assertion.find(q(ASSERTION, "Issuer"))
    if assertion.get("Version") != "2.0" or not assertion.get("ID"):
        raise ResponseRefused("its assertion is not one of SAML 2.0")
    if issuer is None or _text(issuer) != expected.issuer or issuer.get("Format", _ENTITY) != _ENTITY:
        raise ResponseRefused("its assertion is of another identity provider")
    if moment(assertion.get("IssueInstant")) > now + CLOCKS_APART:
        raise ResponseRefused("its assertion is of a time that is yet to come: compare the clocks")
    ends = [_conditions(assertion, expected, now), _confirmed(assertion, expected, now)]
    at, context, session = _statement(assertion, now)
    subject = assertion.find(f"{q(ASSERTION, 'Subject')}/{q(ASSERTION, 'NameID')}")
    return Asserted(
        id=assertion.get("ID"),
        ends=min(end for end in [*ends, session] if end is not None) + CLOCKS_APART,
        name_id="" if subject is None else _text(subject),
        format="" if subject is None else subject.get("Format", ""),
        attributes=_attributes(assertion),
        at=at,
        context=context,
    )


def _conditions(assertion: Element, expected: Expected, now: float) -> float | None:
    """When they end. The audience has to be named: an assertion without one is for everybody."""
    found = assertion.findall(q(ASSERTION, "Conditions"))
    if len(found) != 1:
        raise ResponseRefused("its assertion has no conditions")
    conditions = found[0]
    if any(each.tag not in _CONDITIONS for each in conditions):
        raise ResponseRefused("its assertion has a condition that is not known here")
    restrictions = conditions.findall(q(ASSERTION, "AudienceRestriction"))
    for restriction in restrictions:
        audiences = {_text(each) for each in restriction.findall(q(ASSERTION, "Audience"))}
        if expected.audience not in audiences:
            raise ResponseRefused("its assertion is for another audience")
    if not restrictions:
        raise ResponseRefused("its assertion names no audience")
    return _within(conditions, now)


def _confirmed(assertion: Element, expected: Expected, now: float) -> float:
    """Until when the bearer of it may come here with it; one confirmation that holds is enough (core §2.4.1)."""
    subjects = assertion.findall(q(ASSERTION, "Subject"))
    if len(subjects) != 1:
        raise ResponseRefused("its assertion has no subject")
    refusal = ResponseRefused("its assertion is not for whoever brings it")
    for confirmation in subjects[0].findall(q(ASSERTION, "SubjectConfirmation")):
        data = confirmation.find(q(ASSERTION, "SubjectConfirmationData"))
        if confirmation.get("Method") != _BEARER or data is None:
            continue
        try:
            if data.get("Recipient") != expected.acs:
                raise ResponseRefused("its assertion is meant for another address")
            if data.get("InResponseTo") != expected.request_id:
                raise ResponseRefused("its assertion is not for the request that was made here")
            end = _within(data, now)
            if end is None or data.get("NotBefore") is not None:
                raise ResponseRefused("its assertion has no time by which it has to be here")
        except ResponseRefused as why:
            refusal = why
        else:
            return end
    raise refusal


def _statement(assertion: Element, now: float) -> tuple[float, str, float | None]:
    """When and how the person proved themselves, and when the provider's session with them ends."""
    found = assertion.findall(q(ASSERTION, "AuthnStatement"))
    if len(found) != 1:
        raise ResponseRefused(f"its assertion says {len(found)} times how you logged in; once is needed")
    statement = found[0]
    end = statement.get("SessionNotOnOrAfter")
    ends = None if end is None else moment(end)
    if ends is not None and ends <= now - CLOCKS_APART:
        raise ResponseRefused("its session with you is over")
    context = statement.find(f"{q(ASSERTION, 'AuthnContext')}/{q(ASSERTION, 'AuthnContextClassRef')}")
    return moment(statement.get("AuthnInstant")), "" if context is None else _text(context), ends


def _within(element: Element, now: float) -> float | None:
    """When the time of an element ends, if it does. Raises `ResponseRefused` outside of it."""
    start, end = element.get("NotBefore"), element.get("NotOnOrAfter")
    if start is not None and moment(start) > now + CLOCKS_APART:
        raise ResponseRefused("its assertion does not hold yet: compare the clocks")
    if end is None:
        return None
    ends = moment(end)
    if ends <= now - CLOCKS_APART:
        raise ResponseRefused("its assertion does not hold any more: log in again, and compare the clocks")
    return ends


def _attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    """Values by name; a name that is there twice has all of its values."""
    attributes: dict[str, tuple[str, ...]] = {}
    for statement in assertion.findall(q(ASSERTION, "AttributeStatement")):
        for attribute in statement.findall(q(ASSERTION, "Attribute")):
            values = tuple(_text(value) for value in attribute.findall(q(ASSERTION, "AttributeValue")))
            name = attribute.get("Name", "")
            attributes[name] = (*attributes.get(name, ()), *values)
    return attributes


def _text(element: Element) -> str:
    """All of an element's text, however it is cut; "" where it has elements of its own."""
    return "" if len(element) else "".join(element.itertext()).strip()
