"""Whether the name of a method, a tool or an action says that it only looks."""

from __future__ import annotations

import re

from gateway.facts.http.credentials import STRONG, is_credential
from gateway.facts.http.vocabulary import CLEAR_DEEDS, READING, SENDING, SHOWN, VERBS
from gateway.facts.http.words import parts, words

_LINKING = frozenset({"and", "or", "then"})
_PARTICLES = frozenset({"in", "out", "off", "on"})
"""Behind a verb they make another one of it: `check_out`."""
_RESOLVED = frozenset({"id", "name", "address", "host", "url", "uri", "ref"})
"""What is looked up by being resolved; issues and incidents are not."""
_CALLED_TO_LOOK = frozenset(
    {"get", "list", "search", "find", "describe", "lookup", "query", "count", "info", "history"}
)
_LOOKED_AT = frozenset({"read", "get", "list", "describe"})


def plainly_reads(name: str) -> bool:
    """Whether a method's or tool's name says that it only looks, and nothing in it says otherwise.

    The first verb decides (`get_issue`, `github_list_commits`, `OrderService.GetOrder`), or what ends the name where
    things come first (`issue_read`, `order_status`).
    """
    found, everything = parts(name), words(name)
    if found[:1] == ("resolve",) and found[-1] in _RESOLVED:
        found, everything = ("lookup", *found[1:]), everything - {"resolve"}
    after = {found[at + 1] for at, word in enumerate(found[:-1]) if word in _LINKING}
    if not found or everything & CLEAR_DEEDS or after - READING or _PARTICLES & set(found[1:2]):
        return False
    if is_credential(name) or everything & STRONG or found[-1] in {"token", "tokens"}:
        return False
    first = next((word for word in found[:3] if word in VERBS - SHOWN), "")
    called = parts(re.split(r"[./]", name)[-1])[:1]
    if first in READING or not READING.isdisjoint(called):
        return True
    return found[-1] in _LOOKED_AT | SHOWN and found[0] not in SENDING


def is_reading_call(name: str) -> bool:
    """Whether a name is that of a call that only looks: `GetOrder`, `orders.list`, and not a thing as `status` may be."""
    found = parts(name)
    called = found[:1] if "." not in name else parts(name.rpartition(".")[2])[:1]
    return len(found) > 1 and not _CALLED_TO_LOOK.isdisjoint(called) and plainly_reads(name)
