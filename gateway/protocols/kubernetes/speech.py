"""The Kubernetes API, as what is said over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from gateway.facts import kubernetes
from gateway.facts.http import Request
from gateway.masking.values import MARK
from gateway.model import Facts
from gateway.protocols.http.body_mask import NamesUnread
from gateway.protocols.http.framing import Header
from gateway.protocols.http.naming import Names
from gateway.protocols.http.speech import Speech
from gateway.protocols.kubernetes.accepting import accepting, is_json
from gateway.protocols.kubernetes.naming import ENCODED_MARK, ObjectNames, is_doubtful
from gateway.protocols.kubernetes.refusals import refusal
from gateway.wire import AnswerWithheld, Mask

_NO_STREAMS = (
    "exec, attach, port-forward and kubectl cp do not go through the gateway: it judges single requests, "
    "and does not let a connection go on in another protocol."
)
_WRITTEN_BACK = (
    "The object holds what the gateway has put in place of a hidden value, and would lose that value: "
    "write only what is to change."
)
_MARKS = (f'"{MARK}"'.encode(), ENCODED_MARK.encode())
_SCHEMA = frozenset({"openapi", "swagger.json", "swagger-2.0.0.json"})
"""What things are called, and no thing; some clients want it in a form of its own."""


class KubernetesSpeech(Speech):
    name = "kubernetes"
    no_upgrade = _NO_STREAMS

    def read(self, request: Request) -> Facts:
        return kubernetes.read(request)

    def unclear(self, why: str) -> Facts:
        return kubernetes.unclear(why)

    def refuses(self, request: Request) -> str:
        if request.method in {"POST", "PUT", "PATCH"} and any(mark in request.body for mark in _MARKS):
            return _WRITTEN_BACK
        return ""

    def asked(self, headers: Sequence[Header], facts: Facts, mask: Mask) -> list[Header]:
        wanted = super().asked(headers, facts, mask)
        if _is_schema(facts):
            return wanted
        # Of a resource of their own kind, nobody knows what a table's columns are made of.
        named = ObjectNames(mask, facts).any
        return accepting(wanted, tables=not named or not _is_custom(facts))

    def names(self, mask: Mask, facts: Facts, headers: Sequence[Header]) -> Names:
        if _is_schema(facts):
            return _nothing(mask, facts)
        if _is_proxied(facts):
            return Names(mask, facts)
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
        headers: Iterable[Header] = (),
    ) -> bytes:
        del accepts
        return refusal(status, message, without_body=without_body, close=close, rules=rules, headers=headers)


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
