"""A request for a login: an AuthnRequest in the address that the browser is sent to, or in a form (SAML bindings §3.4, §3.5)."""

from __future__ import annotations

import base64
import zlib
from urllib.parse import quote, urlencode, urlsplit

from lxml import etree

from gateway.identity.saml_metadata import POST
from gateway.identity.saml_signing import Signing
from gateway.identity.saml_times import written
from gateway.identity.saml_xml import ASSERTION, PROTOCOL, q


def request(
    *, request_id: str, entity_id: str, acs: str, destination: str, at: float, afresh: str, context: str
) -> bytes:
    """The document. `afresh`: `true` where the person has to prove themselves again; `context`: the class it needs."""
    root = etree.Element(
        q(PROTOCOL, "AuthnRequest"),
        nsmap={"samlp": PROTOCOL, "saml": ASSERTION},
        ID=request_id,
        Version="2.0",
        IssueInstant=written(at),
        Destination=destination,
        AssertionConsumerServiceURL=acs,
        ProtocolBinding=POST,
        ForceAuthn=afresh,
    )
    etree.SubElement(root, q(ASSERTION, "Issuer")).text = entity_id
    if context:
        wanted = etree.SubElement(root, q(PROTOCOL, "RequestedAuthnContext"), Comparison="exact")
        etree.SubElement(wanted, q(ASSERTION, "AuthnContextClassRef")).text = context
    document: bytes = etree.tostring(root)
    return document


def address(destination: str, document: bytes, *, state: str, signing: Signing | None = None) -> str:
    """Where the browser goes with it, signed where there is a key; `state` comes back as RelayState."""
    squeezed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    message = base64.b64encode(squeezed.compress(document) + squeezed.flush()).decode()
    query = urlencode({"SAMLRequest": message, "RelayState": state}, quote_via=quote, safe="")
    if signing is not None:
        query = signing.signed(query)
    return f"{destination}{'&' if urlsplit(destination).query else '?'}{query}"


def form(document: bytes, *, state: str, signing: Signing | None = None) -> dict[str, str]:
    """What the browser sends instead where the provider takes forms alone; the document itself carries the signature."""
    whole = document if signing is None else signing.enveloped(document)
    return {"SAMLRequest": base64.b64encode(whole).decode(), "RelayState": state}
