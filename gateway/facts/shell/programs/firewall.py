"""Who may reach the machine, and by which way: filters, interfaces, tunnels."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import words
from gateway.model import Effect

_TABLES = re.compile(
    r"(?:-[LSnvxt]+|--(?:list|list-rules|line-numbers|numeric|verbose|exact|table)|nat|filter|mangle|raw|security|[A-Z][\w-]*)\Z"
)
"""Each argument of an iptables that only lists."""
_LOOKS: Mapping[str, re.Pattern[str]] = {
    "nft": re.compile(r"(?:-\S+ )*(?:list|describe|monitor)\b"),
    "ufw": re.compile(r"(?:status|version|show)\b|app (?:list|info)\b"),
    "firewall-cmd": re.compile(
        r"(?:--(?:list|get|state|query|zone|info|permanent|version)\S*(?: [\w.-]+)?(?: |\Z))+\Z"
    ),
    "ipset": re.compile(r"(?:list|test|-L|--list|version)\b"),
    "pfctl": re.compile(r"-s\b|-s\w+"),
    "fail2ban-client": re.compile(r"(?:status|ping|version|banned)\b|get "),
    "tc": re.compile(r"(?:-\S+ )*\w+ (?:show|list|ls)\b"),
    "ethtool": re.compile(r"(?:(?:-[SikgcalmTnudeTP]|--(?:statistics|driver|show-\S+)) )?[\w.@:-]+\Z"),
    "iw": re.compile(r"(?:list|dev|phy|reg get)\Z|dev \S+ (?:link|info|station dump|scan)\b"),
    "brctl": re.compile(r"show"),
    "ovs-vsctl": re.compile(r"(?:show|list\S*|get)\b"),
    "wg": re.compile(r"(?:show\b.*)?\Z"),
}
_NMCLI_LOOKS = re.compile(
    r"""(?:g\w*(?:\ (?:s\w*|p\w*|hostname|logging))?
    |n\w*(?:\ c\w*(?:\ check)?)?
    |r\w*(?:\ (?:all|wifi|wwan))?
    |c\w*(?:\ (?:s\w*|mon\w*)(?:\ .*)?)?
    |d\w*(?:\ (?:s(?:t\w*|h\w*)?|mon\w*)(?:\ .*)?|\ (?:w\w*|ll\w*)(?:\ l\w*(?:\ .*)?)?)?
    |m\w*)?\Z""",
    re.VERBOSE | re.DOTALL,
)
"""nmcli takes the beginning of a word for the whole, and of several the one that it lists first."""
NFT_FLAGS = """
    -a -n -nn -nnn -s -j -N -S -u -p -t -y -o -c -e -i -T --handle --numeric --stateless --terse --service
    --reversedns --guid --numeric-priority --numeric-protocol --numeric-time --echo --check --optimize
"""
"""Options of nft that take no value."""
_FLUSHES = words("-F -X --flush flush disable reset stop down del delete")
_ALWAYS_CHANGE = words("iptables-restore ip6tables-restore csf shorewall wg-quick openvpn")


def _firewall(call: Call) -> str | None:
    if call.name.endswith("tables"):
        looks = bool(call.args) and all(_TABLES.match(arg) for arg in call.args)
    elif call.name == "nmcli":
        looks = _nmcli_looks(call)
    else:
        pattern = _LOOKS.get(call.name)
        looks = pattern is not None and pattern.match(" ".join(call.args)) is not None
    call.add(Effect.READ if looks else Effect.PRIVILEGE)
    if call.name == "wg" and {"private-key", "preshared-keys", "dump"}.intersection(call.args):
        call.add(Effect.EXFIL)
    if not looks and _FLUSHES.intersection(call.args):
        call.add(Effect.DESTRUCTIVE)
    return None


def _nmcli_looks(call: Call) -> bool:
    given = options(call.args, takes="femcgw", long="fields get-values mode colors wait escape")
    return not given.has("s", "show-secrets") and bool(_NMCLI_LOOKS.match(" ".join(given.operands)))


HANDLERS: Mapping[str, Handler] = {
    **each("iptables ip6tables ebtables arptables nmcli", _firewall),
    **each(_LOOKS, _firewall),
    **each(_ALWAYS_CHANGE, _firewall),
}
