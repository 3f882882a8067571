"""What a body in XML calls (SOAP, XML-RPC). Looked for by name alone: it only ever makes a request more than it says."""

from __future__ import annotations

import re

from gateway.facts.http import rpc
from gateway.facts.http.bodies import Body
from gateway.facts.http.reading import Reading
from gateway.model import Effect

_ENVELOPE = re.compile(rb"<(?:[\w.-]+:)?(?:Envelope|methodCall)[\s>/]")
_CALLED = re.compile(
    rb"<(?:[\w.-]+:)?methodName[^<>]*>\s*([^<]+)"
    rb"|<(?:[\w.-]+:)?Body(?:\s[^<>]*)?>\s*(?:<![^<>]*>\s*)*<(?:[\w.-]+:)?([\w.-]+)",
)
_GRAMMAR = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_WIDE = re.compile(rb"\A(?:\xff\xfe|\xfe\xff|<\0|\0<)|\A\s*<\?xml[^>]*encoding=[\"'](?!utf-?8|us-ascii|iso-8859-1)", re.IGNORECASE)  # fmt: skip


def read(reading: Reading, body: Body) -> None:
    if not is_xml(body):
        return
    if _WIDE.match(body.data):
        reading.doubt("the body is in another character set")
    if _GRAMMAR.search(body.data):
        reading.does(Effect.EXFIL)
        reading.doubt("the XML has a grammar of its own, by which its reader may open files and addresses")
    called = [(a or b).decode("utf-8", "replace").strip() for a, b in _CALLED.findall(body.data)]
    for name in called[: rpc.BATCH_MOST]:
        rpc.read_call(reading, "action", name)
    if len(called) > rpc.BATCH_MOST or (not called and _ENVELOPE.search(body.data)):
        reading.doubt("nobody can tell what the XML calls")


def is_xml(body: Body) -> bool:
    """Whether it says so, or says nothing of its type and looks like it."""
    return body.kind == "xml" or (
        body.kind == "other" and body.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    )
