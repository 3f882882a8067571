"""XML that somebody sent: parsed without anything that reaches beyond it, and read only where a signature covers it.

`signed` gives back the element that the signature's digest was taken of, parsed from those very octets. What a caller
reads there is what the identity provider signed, and a document that was rearranged around it has nothing to offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from cryptography.x509 import Certificate
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

Element: TypeAlias = Any

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"

_CAREFUL = {
    "encoding": "utf-8",
    "resolve_entities": False,
    "load_dtd": False,
    "dtd_validation": False,
    "no_network": True,
    "huge_tree": False,
}
_TRANSFORMS = {
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
}
"""SAML core §5.4.4 knows no others."""
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


class XmlRefused(Exception):
    """Not XML that is read here; the message says why."""


class SignatureMissing(XmlRefused):
    """The element carries no signature of its own."""


class _Unsuitable(Exception):
    """One certificate does not verify the signature; another might."""


def q(namespace: str, name: str) -> str:
    """An element's name as lxml spells it."""
    return f"{{{namespace}}}{name}"


def parse(data: bytes) -> Element:
    """The root of a document without a DTD, entities, comments and processing instructions. Raises `XmlRefused`.

    No provider writes any of these. A DTD is how a document reaches for files and for memory; a comment splits a text
    in two, of which a careless reader takes the first.
    """
    root = _parsed(data, etree.XMLParser(**_CAREFUL))
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise XmlRefused("it carries comments, processing instructions or entities")
    return root


def parse_annotated(data: bytes) -> Element:
    """As `parse`, for a file that people edit: their comments are taken out. Raises `XmlRefused`."""
    return _parsed(data, etree.XMLParser(**_CAREFUL, remove_comments=True, remove_pis=True))


def _parsed(data: bytes, parser: Any) -> Element:
    if b"<!DOCTYPE" in data:
        raise XmlRefused("it carries a document type")
    try:
        root = etree.fromstring(data, parser=parser)
    except (etree.XMLSyntaxError, ValueError):
        raise XmlRefused("it is not well-formed XML") from None
    if root.getroottree().docinfo.doctype:
        raise XmlRefused("it carries a document type")
    return root


def signed(element: Element, certificates: Sequence[Certificate]) -> Element:
    """What the signature of `element` covers, which is all of it. Raises `SignatureMissing` and `XmlRefused`."""
    _usual(element)
    octets = etree.tostring(element, with_tail=False)
    refusals = [_Unsuitable("no certificate of the provider's is known")]
    for certificate in certificates:
        try:
            return _covered(element, octets, certificate)
        except _Unsuitable as refusal:
            refusals.append(refusal)
    raise XmlRefused(str(refusals[-1]))


def _covered(element: Element, octets: bytes, certificate: Certificate) -> Element:
    configuration = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        # The key is the one that metadata named: what the signature says of its key is of no interest.
        ignore_ambiguous_key_info=True,
        # A certificate is how metadata spells a key, and its dates bind nobody (SAML metadata interoperability
        # profile §2.6.1): providers go on for years with one that has ended.
        verification_time=certificate.not_valid_after_utc,
    )
    try:
        found = XMLVerifier().verify(
            octets, x509_cert=certificate, id_attribute="ID", expect_config=configuration
        )
    except (InvalidSignature, InvalidCertificate):
        raise _Unsuitable("its signature is not the provider's, or it was changed since") from None
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, LookupError) as error:
        raise _Unsuitable(f"its signature cannot be verified ({error})") from None
    covered = None if isinstance(found, list) else found.signed_xml
    if covered is None or covered.tag != element.tag or covered.get("ID") != element.get("ID"):
        raise XmlRefused("its signature covers something else")
    if covered.find(q(SIGNATURE, "Signature")) is not None:
        raise XmlRefused("its signature covers a signature")
    return covered


def _usual(element: Element) -> None:
    """Raises `XmlRefused` where a signature is not built as SAML core §5.4 says: one reference, to its parent."""
    found = element.findall(q(SIGNATURE, "Signature"))
    if not found:
        raise SignatureMissing("it is not signed")
    if len(found) > 1:
        raise XmlRefused("it carries several signatures")
    signature = found[0]
    references = list(signature.iter(q(SIGNATURE, "Reference")))
    name = element.get("ID")
    if not name or [each.get("URI") for each in references] != [f"#{name}"]:
        raise XmlRefused("its signature refers to something else")
    if next(signature.iter(q(SIGNATURE, "Object"), q(SIGNATURE, "Manifest")), None) is not None:
        raise XmlRefused("its signature carries an object")
    transforms = [each.get("Algorithm") for each in signature.iter(q(SIGNATURE, "Transform"))]
    if len(transforms) > 2 or not _TRANSFORMS.issuperset(transforms):
        raise XmlRefused("its signature was taken of something made from it")
    if signature.find(f"{q(SIGNATURE, 'SignedInfo')}/{q(SIGNATURE, 'Reference')}") is not references[0]:
        raise XmlRefused("its signature refers to something else")
