"""Metadata: what an identity provider says of itself, and what the gateway says of itself to be registered there."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import Certificate, load_der_x509_certificate
from lxml import etree

from gateway.identity.saml_times import moment
from gateway.identity.saml_xml import METADATA, PROTOCOL, SIGNATURE, Element, XmlRefused, parse_annotated, q

LARGEST = 4 * 1024 * 1024
"""Bytes of metadata; a federation's aggregate is larger, and is not what one provider is trusted by."""
RSA_BITS = 2_048
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

_PLACE = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(?:[/?][\x21-\x7e]*)?")


class MetadataRefused(Exception):
    """Metadata that no login can be made of; the message is a sentence for an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """An identity provider."""

    entity_id: str
    login: str
    """Where it takes requests."""
    by_post: bool = False
    """It takes them by HTTP-POST, and not by HTTP-Redirect."""
    certificates: tuple[Certificate, ...]
    """Of the keys that it signs with: two while it rolls over from one to the next."""
    wants_signed: bool = False
    """It takes signed requests alone."""
    valid_until: float | None = None


def read(data: bytes, *, entity_id: str = "") -> Metadata:
    """The identity provider of a metadata document: the only one, or the one called `entity_id`."""
    if len(data) > LARGEST:
        raise MetadataRefused(f"the metadata has more than {LARGEST:,} bytes")
    try:
        root = parse_annotated(data)
    except XmlRefused as refusal:
        raise MetadataRefused(f"the metadata cannot be read: {refusal}") from None
    found = [
        (entity, provider)
        for entity in root.iter(q(METADATA, "EntityDescriptor"))
        if entity_id in {"", entity.get("entityID")}
        for provider in entity.findall(q(METADATA, "IDPSSODescriptor"))
        if PROTOCOL in provider.get("protocolSupportEnumeration", "").split()
    ]
    if len(found) != 1:
        which = f"called {entity_id}" if entity_id else "in the metadata (say which by entity_id)"
        raise MetadataRefused(f"there are {len(found)} SAML 2.0 identity providers {which}; one is needed")
    entity, provider = found[0]
    name = entity.get("entityID", "")
    if not name or len(name) > 1_024:
        raise MetadataRefused("the identity provider has no usable entityID")
    login, by_post = _login(name, provider)
    return Metadata(
        entity_id=name,
        login=login,
        by_post=by_post,
        certificates=_certificates(name, provider),
        wants_signed=provider.get("WantAuthnRequestsSigned") in {"true", "1"},
        valid_until=_earliest(root, entity, provider),
    )


def write(*, entity_id: str, acs: str, certificate: str = "") -> bytes:
    """The gateway's own metadata as a service provider; `certificate` is of the key that it signs requests with."""
    root = etree.Element(q(METADATA, "EntityDescriptor"), nsmap={None: METADATA}, entityID=entity_id)
    service = etree.SubElement(
        root,
        q(METADATA, "SPSSODescriptor"),
        AuthnRequestsSigned="true" if certificate else "false",
        WantAssertionsSigned="true",
        protocolSupportEnumeration=PROTOCOL,
    )
    if certificate:
        info = etree.SubElement(
            etree.SubElement(service, q(METADATA, "KeyDescriptor"), use="signing"), q(SIGNATURE, "KeyInfo")
        )
        data = etree.SubElement(info, q(SIGNATURE, "X509Data"))
        etree.SubElement(data, q(SIGNATURE, "X509Certificate")).text = certificate
    etree.SubElement(
        service,
        q(METADATA, "AssertionConsumerService"),
        Binding=POST,
        Location=acs,
        index="0",
        isDefault="true",
    )
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _login(name: str, provider: Element) -> tuple[str, bool]:
    """Where it takes requests, and whether by HTTP-POST: an address alone is simpler for a browser than a form."""
    for binding in (REDIRECT, POST):
        for service in provider.findall(q(METADATA, "SingleSignOnService")):
            location: str = service.get("Location", "")
            if service.get("Binding") == binding and _PLACE.fullmatch(location):
                return location, binding == POST
    raise MetadataRefused(f"{name} takes requests neither by HTTP-Redirect nor by HTTP-POST")


def _certificates(name: str, provider: Element) -> tuple[Certificate, ...]:
    certificates = []
    for key in provider.findall(q(METADATA, "KeyDescriptor")):
        if key.get("use", "signing") != "signing":
            continue
        for written in key.iter(q(SIGNATURE, "X509Certificate")):
            try:
                certificate = load_der_x509_certificate(base64.b64decode("".join(written.itertext())))
                public = certificate.public_key()
            except ValueError:
                raise MetadataRefused(f"a signing certificate of {name} cannot be read") from None
            strong = isinstance(public, rsa.RSAPublicKey) and public.key_size >= RSA_BITS
            if strong or isinstance(public, ec.EllipticCurvePublicKey):
                certificates.append(certificate)
    if not certificates:
        raise MetadataRefused(
            f"{name} names no certificate of a signing key that is ECDSA, or RSA of {RSA_BITS} bits"
        )
    return tuple(certificates)


def _earliest(*elements: Element) -> float | None:
    try:
        ends = [moment(each.get("validUntil")) for each in elements if each.get("validUntil")]
    except ValueError:
        raise MetadataRefused("the metadata's validUntil is no time") from None
    return min(ends, default=None)
