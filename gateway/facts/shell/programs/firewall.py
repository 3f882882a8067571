"""Who may reach the machine."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each
from gateway.facts.shell.values import words
from gateway.model import Effect

_FIREWALLS = words(
    """
    iptables ip6tables nft ufw firewall-cmd ebtables arptables ipset iptables-restore ip6tables-restore
    pfctl fail2ban-client csf shorewall tc ethtool iw nmcli brctl ovs-vsctl wg wg-quick openvpn
    """
)


def _firewall(call: Call) -> str | None:
    words = " ".join(call.args)
    reads = (
        call.name in {"iptables", "ip6tables", "ebtables", "arptables"}
        and call.args
        and all(
            a
            in {
                "-L",
                "-S",
                "-n",
                "-v",
                "-t",
                "nat",
                "filter",
                "mangle",
                "raw",
                "--line-numbers",
                "--list",
                "--list-rules",
                "-x",
                "INPUT",
                "OUTPUT",
                "FORWARD",
            }
            or a in {"-nvL", "-vnL", "-nL", "-Ln", "-vL", "-Lnv", "-nvxL", "-Lvn"}
            for a in call.args
        )
    )
    if call.name == "wg" and call.args[:1] in {(), ("show",)}:
        call.add(Effect.READ)
        if any(a in {"private-key", "preshared-keys", "dump"} for a in call.args):
            call.add(Effect.EXFIL)
        return None
    first = call.args[0] if call.args else ""
    reads = (
        reads
        or (call.name == "nft" and "list" in call.args[:3])
        or (call.name == "ufw" and first in {"status", "version", "show"})
    )
    reads = reads or (
        call.name == "firewall-cmd"
        and bool(call.args)
        and all(
            a.startswith(("--list", "--get", "--state", "--query", "--zone", "--info")) for a in call.args
        )
    )
    reads = (
        reads
        or (call.name == "ipset" and first in {"list", "test"})
        or (call.name == "fail2ban-client" and first in {"status", "ping"})
    )
    reads = reads or (
        call.name == "nmcli"
        and not any(
            w in words.split()
            for w in (
                "add",
                "mod",
                "modify",
                "del",
                "delete",
                "up",
                "down",
                "on",
                "off",
                "edit",
                "import",
                "connect",
                "disconnect",
                "-s",
                "--show-secrets",
                "reload",
                "set",
                "hostname",
                "export",
                "clone",
                "load",
            )
        )
    )
    reads = (
        reads
        or (call.name == "tc" and "show" in call.args)
        or (call.name == "ethtool" and len(call.args) == 1)
        or (call.name == "brctl" and first == "show")
        or (call.name == "ovs-vsctl" and first == "show")
    )
    call.add(Effect.READ if reads else Effect.PRIVILEGE)
    if not reads and any(
        flag in call.args for flag in ("-F", "-X", "--flush", "flush", "disable", "reset", "stop", "down")
    ):
        call.add(Effect.DESTRUCTIVE)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_FIREWALLS, _firewall),
}
