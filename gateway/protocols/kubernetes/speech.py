"""The Kubernetes API, as what is said over HTTP."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus

from gateway.facts import kubernetes
from gateway.facts.http import Request
from gateway.facts.http.headers import Headers
from gateway.masking.values import MARK
from gateway.model import Facts
from gateway.protocols.http.body_mask import NamesUnread
from gateway.protocols.http.framing import Header, written
from gateway.protocols.http.naming import Names
from gateway.protocols.http.refusals import SOURCE
from gateway.protocols.http.speech import Parting, Speech, Tunnel
from gateway.protocols.http.websocket import accept
from gateway.protocols.kubernetes.accepting import accepting, is_json
from gateway.protocols.kubernetes.channels import PROTOCOLS, Channels, Refusal
from gateway.protocols.kubernetes.naming import ENCODED_MARK, ObjectNames, ProxiedNames, is_doubtful
from gateway.protocols.kubernetes.refusals import refusal
from gateway.wire import AnswerWithheld, Limits, Mask

_NO_STREAMS = (
    "attach and port-forward do not go through the gateway, nor does what goes on in SPDY: it lets a connection go on for "
    "exec over WebSocket alone, as kubectl has it from 1.31 on."
)
_EXEC = re.compile(r"/api/v1/namespaces/[^/?%]+/pods/[^/?%]+/exec(?:\?.*)?")
_WRITTEN_BACK = (
    "The object holds what the gateway has put in place of a hidden value, and would lose that value: "
    "write only what is to change."
)
_MARKS = (f'"{MARK}"'.encode(), ENCODED_MARK.encode())
_SCHEMA = frozenset({"openapi", "swagger.json", "swagger-2.0.0.json"})
"""What things are called, and no thing; some clients want it in a form of its own."""


class KubernetesSpeech(Speech):
    name = "kubernetes"
    unjudged = frozenset({"sec-websocket-key", "kubectl-session"})

    def refuses_upgrade(self, method: str, target: str, headers: Headers) -> str:
        said = dict(headers)
        offered = [each.strip() for each in said.get("sec-websocket-protocol", "").split(",")]
        is_exec = method == "GET" and _EXEC.fullmatch(target) is not None
        speaks = said.get("upgrade", "").lower() == "websocket" and not {*PROTOCOLS}.isdisjoint(offered)
        return "" if is_exec and speaks and said.get("sec-websocket-version") == "13" else _NO_STREAMS

    def upgrade_refused(self, headers: Headers, message: str) -> Parting:
        """For kubectl any other answer is of a server without WebSocket, which it asks again in SPDY."""
        said = dict(headers)
        offered = _spoken(said.get("sec-websocket-protocol", "").encode("latin-1"))
        agreed: list[Header] = [
            SOURCE,
            (b"Connection", b"Upgrade"),
            (b"Upgrade", b"websocket"),
            (b"Sec-WebSocket-Accept", accept(said.get("sec-websocket-key", "").encode("latin-1"))),
            (b"Sec-WebSocket-Protocol", offered.partition(b",")[0]),
        ]
        return Refusal(written(b"HTTP/1.1 101 Switching Protocols", agreed), message)

    def tunnel(self, mask: Mask, secrets: Sequence[bytes], limits: Limits) -> Tunnel:
        return Channels(mask, secrets, limits)

    def read(self, request: Request) -> Facts:
        return kubernetes.read(request)

    def unclear(self, why: str) -> Facts:
        return kubernetes.unclear(why)

    def refuses(self, request: Request) -> str:
        if request.method in {"POST", "PUT", "PATCH"} and any(mark in request.body for mark in _MARKS):
            return _WRITTEN_BACK
        return ""

    def asked(self, headers: Sequence[Header], facts: Facts, mask: Mask) -> list[Header]:
        wanted = [
            (name, _spoken(value) if name.lower() == b"sec-websocket-protocol" else value)
            for name, value in super().asked(headers, facts, mask)
            if name.lower() != b"sec-websocket-extensions"
        ]
        if _is_schema(facts):
            return wanted
        # Of a resource of their own kind, nobody knows what a table's columns are made of.
        named = ObjectNames(mask, facts).any
        return accepting(wanted, tables=not named or not _is_custom(facts))

    def names(self, mask: Mask, facts: Facts, target: str, headers: Sequence[Header]) -> Names:
        if _is_schema(facts):
            return _nothing(mask, facts)
        if _is_proxied(facts):
            return ProxiedNames(mask, facts, target)
        is_object = is_doubtful(facts) or "k8s.resource" in facts.attributes
        kind = b"".join(value for name, value in headers if name.lower() == b"content-type")
        if is_object and not mask.empty and not is_json(kind.decode("latin-1")):
            raise AnswerWithheld(NamesUnread())
        names = ObjectNames(mask, facts)
        names.lines = facts.attributes.get("k8s.subresource") == "log"
        return names

    def refusal(
        self,
        status: HTTPStatus,
        message: str,
        *,
        accepts: str = "",
        without_body: bool = False,
        close: bool,
        rules: Sequence[str] = (),
    ) -> bytes:
        del accepts
        return refusal(status, message, without_body=without_body, close=close, rules=rules)


def _spoken(offered: bytes) -> bytes:
    """Of the forms in which an exec may go on, those that are read here."""
    kept = [each.strip() for each in offered.decode("latin-1").split(",") if each.strip() in PROTOCOLS]
    return ", ".join(kept).encode()


def _is_schema(facts: Facts) -> bool:
    return not facts.attributes.get("k8s.resource") and any(
        each.kind == "path" and each.name.split("/")[1] in _SCHEMA for each in facts.resources
    )


def _is_custom(facts: Facts) -> bool:
    group = str(facts.attributes.get("k8s.group", ""))
    return "." in group and not group.endswith(".k8s.io")


def _is_proxied(facts: Facts) -> bool:
    """Whether something in the cluster answers, and not the API."""
    return "proxy" in {facts.attributes.get("k8s.verb"), facts.attributes.get("k8s.subresource")}


def _nothing(mask: Mask, facts: Facts) -> Names:
    names = Names(mask, facts)
    names.any = False
    return names


KUBERNETES = KubernetesSpeech()
