"""An identity provider that others wrote (pysaml2, signing by xmlsec1), and its answers on loopback."""

from __future__ import annotations

import base64
import datetime
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

with warnings.catch_warnings():
    # It names ciphers that it could use if it encrypted.
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
    from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
    from saml2.config import IdPConfig
    from saml2.metadata import entity_descriptor
    from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NameID
    from saml2.server import Server
    from saml2.sigver import get_xmlsec_binary
    from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

ENTITY = "https://idp.example/metadata"
ATTRIBUTES = {"givenName": ["Ada"], "eduPersonAffiliation": ["db-admins", "staff"]}


class SamlIdp:
    """One provider with a key pair of its own; `metadata` is what it says of itself."""

    def __init__(
        self,
        directory: Path,
        *,
        sp_metadata: bytes,
        login: str = "https://idp.example/sso",
        entity: str = ENTITY,
        wants_signed: str = "",
        by_post: bool = False,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "sp.xml").write_bytes(sp_metadata)
        key_pair(directory)
        config = IdPConfig()
        config.load(
            {
                "entityid": entity,
                "xmlsec_binary": get_xmlsec_binary(),
                "key_file": str(directory / "key.pem"),
                "cert_file": str(directory / "certificate.pem"),
                "encryption_keypairs": [],
                "metadata": {"local": [str(directory / "sp.xml")]},
                "service": {
                    "idp": {
                        "want_authn_requests_signed": bool(wants_signed),
                        "endpoints": {
                            "single_sign_on_service": [
                                (login, BINDING_HTTP_POST if by_post else BINDING_HTTP_REDIRECT)
                            ]
                        },
                        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
                    }
                },
            }
        )
        self.server = Server(config=config)
        self.metadata = str(entity_descriptor(config)).encode()
        self.requests: list[Any] = []
        self.person = "ada@example.com"
        """Who sits at the browser."""

    def asked(self, address: str) -> tuple[Any, str]:
        """The request in an address that the gateway sent a browser to, and its RelayState."""
        values = {name: each[0] for name, each in parse_qs(urlsplit(address).query).items()}
        request = self.server.parse_authn_request(
            values["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=values["RelayState"],
            sigalg=values.get("SigAlg"),
            signature=values.get("Signature"),
        ).message
        self.requests.append(request)
        return request, values["RelayState"]

    def asked_by_form(self, form: Mapping[str, str]) -> tuple[Any, str]:
        """As `asked`, for a request that the browser sent in a form."""
        request = self.server.parse_authn_request(form["SAMLRequest"], BINDING_HTTP_POST).message
        self.requests.append(request)
        return request, form["RelayState"]

    def answer(
        self,
        request_id: str,
        *,
        acs: str,
        audience: str,
        person: str = "ada@example.com",
        attributes: Mapping[str, list[str]] = ATTRIBUTES,
        context: str = PASSWORDPROTECTEDTRANSPORT,
        **wanted: Any,
    ) -> str:
        """The SAMLResponse of a login: the assertion is signed, unless `wanted` says otherwise."""
        signing = {
            "sign_assertion": True,
            "sign_response": False,
            "sign_alg": SIG_RSA_SHA256,
            "digest_alg": DIGEST_SHA256,
        }
        response = self.server.create_authn_response(
            dict(attributes),
            in_response_to=request_id,
            destination=acs,
            sp_entity_id=audience,
            name_id=NameID(format=NAMEID_FORMAT_EMAILADDRESS, text=person),
            authn={"class_ref": context},
            **{**signing, **wanted},
        )
        return base64.b64encode(str(response).encode()).decode()

    async def sso(self, request: web.Request) -> web.Response:
        """A login that asks nothing: its form is for the browser to send on."""
        if request.method == "POST":
            asked, state = self.asked_by_form(
                {key: f"{value}" for key, value in (await request.post()).items()}
            )
        else:
            asked, state = self.asked(str(request.url))
        acs = asked.assertion_consumer_service_url
        answer = base64.b64decode(
            self.answer(asked.id, acs=acs, audience=asked.issuer.text, person=self.person)
        ).decode()
        bound = self.server.apply_binding(BINDING_HTTP_POST, answer, acs, state, response=True)
        return web.Response(body=bound["data"], content_type="text/html")


def key_pair(
    directory: Path,
    *,
    days: int = 30,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
) -> x509.Certificate:
    """A key and its certificate, as files and the latter as an answer."""
    key = key or rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate
