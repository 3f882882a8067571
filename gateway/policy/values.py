"""Single values of the file: people, effects, groups, patterns, addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from gateway.model import Effect, Scope
from gateway.policy.globs import FOREIGN
from gateway.policy.model import Address
from gateway.policy.reader import NAME, Look, suggestion

EFFECTS = tuple(str(effect) for effect in Effect)
PERSON = re.compile(r"[^@\s]+@[^@\s]+")

T = TypeVar("T")
D = TypeVar("D")


def given(keys: Mapping[str, Look], name: str, read: Callable[[Look], T], default: D) -> T | D:
    """What `read` makes of the key `name`, or `default` where it is not there."""
    return read(keys[name]) if name in keys else default


def person(look: Look) -> str:
    value = look.text()
    if value and not PERSON.fullmatch(value):
        look.fault(
            f"`{value[:60]}` is no e-mail address; people are named by theirs, as in maria.lopez@example.com"
        )
        return ""
    return value.lower()


def effect(look: Look) -> str:
    return look.choice(EFFECTS, "an effect")


def scope(look: Look, *, connections: Collection[str]) -> Scope:
    """Connection to effects."""
    found: dict[str, frozenset[Effect]] = {}
    for name, entry in look.pairs().items():
        if name not in connections:
            entry.fault_at_key(f"the connection `{name[:60]}` is not declared{suggestion(name, connections)}")
        found[name] = frozenset(Effect(each) for each in entry.each(effect))
    return found


def group(look: Look, groups: Collection[str]) -> str:
    value = look.text()
    if value and value not in groups:
        look.fault(f"the group `{value[:60]}` is not declared under `groups`{suggestion(value, groups)}")
        return ""
    return value


def pattern(look: Look) -> str:
    """A glob over dotted names."""
    value = look.text()
    if found := FOREIGN.search(value):
        look.fault(
            f"`{found[0]}` means nothing in a pattern; the wildcards are `*` (anything) and `?` (one character)"
        )
        return ""
    if re.search(r"\s", value):
        look.fault("a pattern holds no blanks; write one list item for each")
        return ""
    return value


def address(look: Look) -> Address:
    """`host:port`, `[::1]:port`."""
    nowhere = Address(host="", port=0)
    value = look.text()
    if not value:
        return nowhere
    host, colon, port = value.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        plausible = _is_ip(host, version=6)
    else:
        plausible = bool(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", host)) and not _bad_ip(host)
    if not (colon and plausible and re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65_535):
        look.fault(f"`{value[:80]}` is no address; write host:port, as in 127.0.0.1:15432 or [::1]:15432")
        return nowhere
    return Address(host=host, port=int(port))


def ip(look: Look) -> str:
    """An IP address, in its usual spelling."""
    value = look.text()
    try:
        return str(ipaddress.ip_address(value)) if value else ""
    except ValueError:
        look.fault(f"`{value[:60]}` is no IP address; write it as in 127.0.0.1 or ::1")
        return ""


def _is_ip(host: str, *, version: int) -> bool:
    try:
        return ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _bad_ip(host: str) -> bool:
    """Looks like an IPv4 address and is none, as 127.0.0.256."""
    return bool(re.fullmatch(r"[0-9.]+", host)) and not _is_ip(host, version=4)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def name_is_free(look: Look, name: str, taken: Mapping[str, int]) -> bool:
    """Notes a fault where a rule may not bear this name."""
    if not NAME.fullmatch(name):
        look.fault(f"`{name[:60]}` cannot name a rule; use letters, digits and `-_.@`, at most 100, no blank")
    elif name in taken:
        look.fault(f"the rule `{name}` is already there, in line {taken[name]}; give each its own name")
    else:
        return True
    return False
