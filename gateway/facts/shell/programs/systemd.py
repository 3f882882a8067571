"""Units, logs, and what controls the machine through D-Bus."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import GLOBS, leaks, matcher, static, words
from gateway.model import Effect

_UNIT_READS = words(
    """
    status show list-units list-unit-files list-timers list-sockets list-dependencies list-jobs is-active
    is-enabled is-failed is-system-running cat help get-default show-environment list-machines list-paths
    list-automounts whoami
    """
)

TAKES = "tpHMnosP"
LONG = "type property host machine lines output signal state root what kill-whom kill-who job-mode"
"""Options of systemctl that take a value: letters, and names."""
_BEGINS = frozenset({"start", "daemon-reload", "reload", "reset-failed"})
_GUARDS = words(
    """
    apparmor auditbeat auditd clamav-daemon clamav-freshclam crowdsec fail2ban falco falcon-sensor filebeat firewalld
    ip6tables iptables mdatp netfilter-persistent nftables ossec osqueryd rsyslog selinux-autorelabel sentinelone
    snort sshguard suricata syslog syslog-ng systemd-journald systemd-journald-audit tripwire ufw usbguard wazuh-agent
    """
)
"""Services that watch the machine, keep others out of it, or remember what was done there."""


def _guards(unit: str) -> bool:
    """Whether a unit, or pattern of units, means one that guards. One that nobody can know is taken for another."""
    name = unit.rpartition(".")[0] if unit.endswith((".service", ".socket")) else unit
    for written, mark in GLOBS.items():
        name = name.replace(written, mark)
    meant = matcher(name)
    return not leaks(name) and any(meant.match(guard) for guard in _GUARDS)


def _systemctl(call: Call) -> str | None:
    given = options(
        call.args,
        takes=TAKES,
        long=LONG,
    )
    verb = given.operands[0] if given.operands else "list-units"
    if given.has("H", "host"):
        call.add(Effect.EXEC)
    units = given.operands[1:]
    if not static(verb):
        call.doubt("a subcommand is not known")
    elif verb in _UNIT_READS:
        call.add(Effect.READ)
        for unit in units:
            call.resource("service", unit, Effect.READ)
        properties = ",".join(given.values("p", "P", "property"))
        if verb == "show-environment" or "Environment" in properties:
            call.add(Effect.EXFIL)
    else:
        if verb in _BEGINS:
            call.add(Effect.EXEC if verb in {"start", "reload"} else Effect.WRITE)
        elif verb in {
            "enable",
            "disable",
            "mask",
            "unmask",
            "edit",
            "link",
            "preset",
            "set-default",
            "set-property",
            "revert",
            "set-environment",
            "import-environment",
            "unset-environment",
        }:
            call.add(Effect.PRIVILEGE)
        else:
            call.add(Effect.DESTRUCTIVE)
        for unit in units:
            call.resource("service", unit, Effect.WRITE)
        if verb not in _BEGINS and any(map(_guards, units)):
            call.add(Effect.PRIVILEGE)
        if (verb in {"enable", "disable"} and given.has("now")) or verb == "mask":
            call.add(Effect.DESTRUCTIVE)
    return None


def _service(call: Call) -> str | None:
    verb = call.args[1] if len(call.args) > 1 else ""
    name = call.args[0] if call.args else ""
    if call.name in {"rc-service", "service", "invoke-rc.d"} and (verb == "status" or name == "--status-all"):
        call.add(Effect.READ)
    elif verb in {"start", "reload"}:
        call.add(Effect.EXEC)
    else:
        call.add(Effect.DESTRUCTIVE)
        if _guards(name):
            call.add(Effect.PRIVILEGE)
    call.resource("service", name, Effect.READ)
    return None


def _journalctl(call: Call) -> str | None:
    given = options(
        call.args,
        takes="unpSUotDgM",
        long="unit lines priority since until output identifier directory grep file cursor-file",
    )
    call.add(Effect.READ)
    if given.has("vacuum-size", "vacuum-files", "vacuum-time"):
        call.add(Effect.DESTRUCTIVE, Effect.PRIVILEGE)
    if given.has(
        "rotate", "flush", "sync", "setup-keys", "relinquish-var", "smart-relinquish-var", "update-catalog"
    ):
        call.add(Effect.WRITE, Effect.PRIVILEGE)
    for path in given.values("cursor-file"):
        call.write(path, truncates=True)
    return None


def _control(call: Call) -> str | None:
    """hostnamectl, timedatectl and their like."""
    verb = next((arg for arg in call.args if not arg.startswith("-")), "")
    if not verb and call.name == "chronyc":
        return call.execute("commands are read that the text does not show")
    verb = verb or "status"
    reads = verb in {
        "status",
        "show",
        "list-timezones",
        "timesync-status",
        "show-timesync",
        "list-sessions",
        "list-users",
        "list-seats",
        "session-status",
        "user-status",
        "show-session",
        "show-user",
        "list-locales",
        "list-keymaps",
        "query",
        "statistics",
        "dns",
        "domain",
        "list",
        "info",
        "show-seat",
        "service",
        "sources",
        "tracking",
        "sourcestats",
        "activity",
        "list-images",
    }
    if call.name == "resolvectl" and verb in {"dns", "domain"} and len(call.args) > 2:
        reads = False
    call.add(Effect.READ if reads else Effect.PRIVILEGE)
    if verb.startswith(("terminate", "kill", "poweroff", "reboot")):
        call.add(Effect.DESTRUCTIVE)
    return None


def _busctl(call: Call) -> str | None:
    given = options(call.args, takes="HM", long="address host machine", until_operand=True)
    call.add(Effect.READ)
    if given.has("address", "H", "host"):
        call.execute("a bus elsewhere is spoken to")
    if given.operands and given.operands[0] not in _BUS_READS:
        call.add(Effect.PRIVILEGE, Effect.EXEC)
    return None


_BUS_READS = words("list status tree introspect get-property help")


HANDLERS: Mapping[str, Handler] = {
    "systemctl": _systemctl,
    "busctl": _busctl,
    **each("service rc-service invoke-rc.d", _service),
    "journalctl": _journalctl,
    **each("hostnamectl timedatectl loginctl localectl resolvectl networkctl chronyc bootctl", _control),
}
