"""The key with which the gateway signs its requests, where a provider wants that (SAML bindings §3.4.4.1, core §5)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificate
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from gateway.identity.saml_xml import SIGNATURE, q

ALGORITHM = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


class KeyRefused(Exception):
    """What stands there is no key to sign with; the message is a sentence for an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """An RSA key and the certificate by which the provider knows it."""

    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: Certificate

    def signed(self, query: str) -> str:
        """The query of an address with its signature: over exactly this spelling of it."""
        whole = f"{query}&SigAlg={quote(ALGORITHM, safe='')}"
        signature = base64.b64encode(self.key.sign(whole.encode(), padding.PKCS1v15(), SHA256())).decode()
        return f"{whole}&Signature={quote(signature, safe='')}"

    def enveloped(self, document: bytes) -> bytes:
        """The document with its signature inside, behind the issuer, where its schema has the place for it."""
        root = etree.fromstring(document)
        place = etree.Element(q(SIGNATURE, "Signature"), nsmap={"ds": SIGNATURE}, Id="placeholder")
        root.insert(1, place)
        signer = XMLSigner(
            signature_algorithm=SignatureMethod.RSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        signed: bytes = etree.tostring(
            signer.sign(
                root,
                key=self.key,
                cert=[self.certificate],
                reference_uri=root.get("ID"),
                id_attribute="ID",
            )
        )
        return signed

    @property
    def published(self) -> str:
        """The certificate as metadata writes it."""
        return base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()


def read(pem: str) -> Signing:
    """Both from one PEM. Raises `KeyRefused`."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
        certificate = load_pem_x509_certificate(pem.encode())
    except (ValueError, TypeError):
        raise KeyRefused("`key` has to hold a private key and its certificate, both in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey) or certificate.public_key() != key.public_key():
        raise KeyRefused("`key` has to hold an RSA key and a certificate of that very key")
    return Signing(key=key, certificate=certificate)
