"""A provider whose answers are taken apart: its keys, and what the gateway expects of it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from gateway.identity import saml_metadata
from gateway.identity.saml_response import Expected, ResponseRefused, asserted
from tests.identity.saml_documents import resigned
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


def refusal(corp, message, **expected):
    with pytest.raises(ResponseRefused) as refused:
        corp.says(message, **expected)
    return str(refused.value)
