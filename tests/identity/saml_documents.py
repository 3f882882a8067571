"""Real answers of the identity provider, taken apart and put together again: by whoever has its key, and by whoever has not."""

from __future__ import annotations

import base64
import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

NS = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "d": "http://www.w3.org/2000/09/xmldsig#",
}
A, P, D = (f"{{{NS[each]}}}" for each in "apd")


def opened(message: str) -> Any:
    return etree.fromstring(base64.b64decode(message))


def closed(root: Any) -> str:
    data = root if isinstance(root, bytes) else etree.tostring(root)
    return base64.b64encode(data).decode()


def one(root: Any, path: str) -> Any:
    (found,) = root.xpath(path, namespaces=NS)
    return found


def assertion(root: Any) -> Any:
    return one(root, "/p:Response/a:Assertion")


def unsigned(element: Any) -> Any:
    """A copy of an element without any signature."""
    element = copy.deepcopy(element)
    for signature in list(element.iter(f"{D}Signature")):
        signature.getparent().remove(signature)
    return element


def resigned(
    message: str,
    change: Callable[[Any], object],
    *,
    keys: Path,
    whole: bool = False,
    method: SignatureMethod = SignatureMethod.RSA_SHA256,
    c14n: CanonicalizationMethod = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
) -> str:
    """The answer after `change`, signed with the key of `keys` as the provider would have."""
    root = unsigned(opened(message))
    change(root)
    target = root if whole else assertion(root)
    signer = XMLSigner(
        signature_algorithm=method, digest_algorithm=DigestAlgorithm.SHA256, c14n_algorithm=c14n
    )
    # Where the signature goes (SAML core §5.4.2: behind the issuer) is the signer's to be told.
    place = etree.Element(f"{D}Signature", Id="placeholder", nsmap={"ds": NS["d"]})
    target.insert(1, place)
    signed = signer.sign(
        etree.fromstring(etree.tostring(target, with_tail=False)),
        key=(keys / "key.pem").read_bytes(),
        cert=(keys / "certificate.pem").read_text(),
        reference_uri=target.get("ID"),
        id_attribute="ID",
    )
    if whole:
        return closed(signed)
    # lxml would take the document's prefixes for the signature's, and so change what was signed.
    target.getparent().replace(target, etree.Element("signed"))
    return closed(etree.tostring(root).replace(b"<signed/>", etree.tostring(signed)))


def evil(element: Any, person: str = "mallory@example.com") -> Any:
    """A copy of an answer or assertion that names somebody else, with an ID of its own and no signature."""
    element = unsigned(element)
    element.set("ID", "_evil")
    for name in element.iter(f"{A}NameID"):
        name.text = person
    return element


_SIGNATURE = """\
<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
  <ds:CanonicalizationMethod Algorithm="{method}"/>
  <ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
  <ds:Reference URI="#{name}"><ds:Transforms>
    <ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
    <ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">
      <ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs xsi"/>
    </ds:Transform></ds:Transforms>
    <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/>
  </ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>"""


def signed_by_xmlsec(message: str, *, keys: Path, whole: bool, method: str) -> str:
    """The answer, signed with namespaces of the document in what is signed, as some providers do."""
    root = unsigned(opened(message))
    target = root if whole else assertion(root)
    target.insert(1, etree.fromstring(_SIGNATURE.format(method=method, name=target.get("ID"))))
    spread = etree.tostring(root).replace(
        b" ", b' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:z="urn:z" ', 1
    )
    unfinished, finished = keys / "unfinished.xml", keys / "finished.xml"
    unfinished.write_bytes(spread)
    kind = etree.QName(target)
    command = ["xmlsec1", "--sign", "--privkey-pem", keys / "key.pem"]
    command += ["--id-attr:ID", f"{kind.namespace}:{kind.localname}", "--output", finished, unfinished]
    subprocess.run(command, check=True, capture_output=True)
    return closed(finished.read_bytes())
