"""Which rules of a mask reach what stands in an object, a list of them, a table or a watch.

Rules name members as of HTTP's bodies, in something that is called as the resource is: `configmaps.password`. Of Secrets all
values are hidden wherever secrets are looked for, whatever they look like; what takes their place is base64 where they were.
"""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import unquote

from gateway.masking.strategies import strictest
from gateway.masking.values import MARK
from gateway.model import Facts
from gateway.protocols.http.naming import Found, Names, Place
from gateway.wire import Mask

ENCODED_MARK: Final = base64.b64encode(MARK.encode()).decode()
_VALUES: Final = frozenset({"data", "stringdata"})
"""Where a Secret has its values."""
_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""An annotation that holds the whole object, as it was last written."""
_OF_SECRET: Final = "secret"  # noqa: S105 - a name
"""Counts, among the names of detectors, what was hidden because it was a Secret's."""
_BASE64: Final = "base64"
_NO_NAME: Final = re.compile(r"[^a-z0-9_]+")


_SHOWN: Final = """
    ip: podIP podIPs ip; node: nodeName; nominated_node: nominatedNodeName; status: phase reason status; cluster_ip: clusterIP clusterIPs
    external_ip: externalIPs loadBalancerIP ip hostname address; internal_ip: address; address: ip hostname; addresses: address addresses
    endpoints: ip addresses port; ports: port ports; port_s_: port nodePort; hosts: host; images: image; containers: name; selector: matchLabels
    volume: volumeName; claim: name namespace; holder: holderIdentity; requestor: username; signername: signerName; role: name
    users: name; groups: name; serviceaccounts: name; object: name kind; subobject: fieldPath; source: component host; message: message
    os_image: osImage; kernel_version: kernelVersion; container_runtime: containerRuntimeVersion; version: kubeletVersion; roles: labels
    labels: labels; storageclass: storageClassName; reference: name; class: ingressClassName; controller: controller; service: name
"""
_SHOWN_IN: Final = {
    column.strip(): tuple(members.split())
    for column, members in (
        each.split(":") for line in _SHOWN.strip().splitlines() for each in line.split(";")
    )
}
"""Column of the API server's own tables -> the members it is made of."""


def is_doubtful(facts: Facts) -> bool:
    """Whether nobody knows what the answer is about."""
    return not facts.complete and not facts.attributes.get("k8s.resource")


class ProxiedNames(Names):
    """Of an answer that something in the cluster gives, and not the API."""

    def __init__(self, mask: Mask, facts: Facts, target: str) -> None:
        self._target = target
        super().__init__(mask, facts)

    def _path(self, facts: Facts) -> str:
        del facts
        return unquote(self._target.partition("?")[0])


class ObjectNames(Names):
    def __init__(self, mask: Mask, facts: Facts) -> None:
        resource = str(facts.attributes.get("k8s.resource", ""))
        super().__init__(mask, facts)
        self._columns: list[str] = []
        """Of the table, as far as its head has come."""
        of_secrets = resource == "secrets" and not facts.attributes.get("k8s.group")
        if is_doubtful(facts):
            of_secrets = True  # for all anybody knows
        self._hides_values = of_secrets and mask.detects and not mask.spares(("secrets.data",))
        self._in_base64 = frozenset({"data", "binarydata"} if of_secrets else {"binarydata"})
        """Where values are base64, and have to stay so."""
        self.apart = self._hides_values
        self._by_rules = self.any
        self.any = self.any or self._hides_values

    def _path(self, facts: Facts) -> str:
        """With a `/` behind the resource: a body here is no value of that name."""
        return f"/{facts.attributes.get('k8s.resource', '')}/"

    def hidden(self, strategy: str, item: object) -> object:
        if strategy == _BASE64:
            return ENCODED_MARK if isinstance(item, str) else None
        return super().hidden("redact" if strategy == _OF_SECRET else strategy, item)

    def told(self, text: str) -> None:
        self._columns.append(_NO_NAME.sub("_", text.lower()))

    def element(self, place: Place, number: int) -> Found:
        found = super().element(place, number)
        if not self._by_rules or not {"rows", "cells"} <= place.around:
            return found
        if number >= len(self._columns):
            return Found("redact", found.place)  # nobody has said what it is
        column = self._columns[number]
        outside = Place(place.around - {"rows", "cells"}, ())
        cells = [self._ruled(outside, name) for name in (column, *_SHOWN_IN.get(column, ()))]
        strategies = (each.strategy for each in (found, *cells) if each.strategy is not None)
        return Found(strictest(strategies), found.place)

    def _ruled(self, place: Place, name: str) -> Found:
        """By the mask's own rules alone."""
        return super()._member(place, name)

    def _member(self, place: Place, name: str) -> Found:
        found = self._ruled(place, name)
        called = name.lower()
        if name == _APPLIED and "annotations" in place.around:
            return Found(found.strategy, self.top, is_document=True)
        if called == "name" and "columndefinitions" in place.around:
            return Found(None, found.place, tells=True)
        if called == "cells" and "rows" in place.around:
            self.placed = True
        strategy = found.strategy
        if self._hides_values and called in _VALUES:
            strategy = strategy or _OF_SECRET
        if strategy is not None and not self._in_base64.isdisjoint({*place.around, called}):
            strategy = _BASE64
        return Found(strategy, found.place, found.inside)
