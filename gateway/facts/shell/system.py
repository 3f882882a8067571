"""The machine: packages, services, users, firewall, kernel, power, logs."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.values import static
from gateway.model import Effect

_PACKAGE_READS = frozenset(
    [
        "list",
        "search",
        "show",
        "info",
        "policy",
        "depends",
        "rdepends",
        "check-update",
        "repolist",
        "provides",
        "history",
        "changelog",
        "outdated",
        "deps",
        "why",
        "ls",
        "view",
        "help",
        "version",
        "-v",
        "--version",
        "freeze",
        "check",
        "config-list",
        "whatprovides",
        "repoquery",
        "updateinfo",
        "-l",
        "-L",
        "-S",
        "-s",
        "-Q",
        "-Qi",
        "-Ql",
        "-Qs",
        "-Ss",
        "-Si",
        "-qa",
        "-q",
        "-qi",
        "-ql",
        "-qf",
        "-qR",
        "-V",
        "--list",
        "--listfiles",
        "--status",
        "--search",
        "--get-selections",
        "-p",
        "--print-architecture",
        "audit",
        "madison",
        "pkgnames",
        "dotty",
        "stats",
        "--audit",
        "-C",
        "-W",
        "--show",
        "list-installed",
        "audit",
        "explain",
        "root",
        "bin",
        "fund",
        "home",
    ]
)
_PACKAGE_REMOVES = frozenset(
    [
        "remove",
        "purge",
        "autoremove",
        "uninstall",
        "erase",
        "rm",
        "del",
        "delete",
        "-R",
        "-Rs",
        "-Rns",
        "-r",
        "-P",
        "-e",
        "--remove",
        "--purge",
        "dist-upgrade",
        "full-upgrade",
        "un",
        "unlink",
    ]
)


def _packages(call: Call) -> str | None:
    given = options(
        call.args, takes="otca" if call.name.startswith("apt") else "", long="option config-file root prefix"
    )
    verb = next((a for a in call.args if not a.startswith("-")), "")
    first = call.args[0] if call.args else ""
    if any(
        a.startswith(("-o", "--option", "-c=")) or a in {"-c", "-c="} for a in call.args
    ) and call.name.startswith("apt"):
        call.execute("a package manager runs a hook of its options")
    if (
        call.name in {"npm", "yarn", "pnpm"}
        and verb in {"run", "exec", "start", "test", "x", "dlx", "explore"}
    ) or (call.name in {"pip", "pip3"} and verb == "config" and "edit" in call.args):
        return call.execute()
    if not call.args:
        call.add(Effect.READ)
    elif not static(first):
        call.doubt("a subcommand is not known")
    elif (
        verb in _PACKAGE_READS
        or (call.name in {"dpkg", "rpm", "pacman", "apt-file", "snap-n"} and first in _PACKAGE_READS)
        or (call.name == "rpm" and first.startswith("-q"))
        or (call.name == "dpkg" and first in {"-l", "-L", "-s", "-S"})
    ):
        call.add(Effect.READ)
    else:
        call.add(Effect.WRITE, Effect.EXEC)
        if verb in _PACKAGE_REMOVES or first in _PACKAGE_REMOVES:
            call.add(Effect.DESTRUCTIVE)
        for name in given.operands[1:]:
            call.resource("package", name, Effect.EXEC)
        if call.name in {"apt-key", "add-apt-repository", "rpm-key"}:
            call.add(Effect.PRIVILEGE)
    return None


_UNIT_READS = frozenset(["status", "show", "list-units", "list-unit-files", "list-timers", "list-sockets", "list-dependencies", "list-jobs", "is-active", "is-enabled", "is-failed", "is-system-running", "cat", "help", "get-default", "show-environment", "list-machines", "list-paths", "list-automounts", "whoami"])  # fmt: skip


def _systemctl(call: Call) -> str | None:
    given = options(
        call.args,
        takes="tpHMnosP",
        long="type property host machine lines output signal state root what kill-whom kill-who job-mode",
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
        if verb == "show-environment":
            call.add(Effect.EXFIL)
    else:
        if verb in {"start", "daemon-reload", "reload", "reset-failed"}:
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
    call.resource("service", name, Effect.READ)
    return None


def _verbs(reads: str, *, otherwise: Effect, empty: Effect = Effect.READ) -> Handler:
    """A program whose first word among `reads` looks and whose others do what `otherwise` says."""
    known = frozenset(reads.split())

    def read(call: Call) -> str | None:
        verb = next((arg for arg in call.args if not arg.startswith("-") or arg in known), "")
        call.add(empty if not call.args else Effect.READ if verb in known else otherwise)
        return None

    return read


def _always(*effects: Effect) -> Handler:
    def read(call: Call) -> str | None:
        call.add(*effects)
        for operand in call.args:
            if (
                operand
                and not operand.startswith("-")
                and Effect.PRIVILEGE in effects
                and call.name in _ACCOUNTS
            ):
                call.resource("user", operand, Effect.PRIVILEGE)
        return None

    return read


_ACCOUNTS = frozenset(["useradd", "adduser", "usermod", "userdel", "deluser", "passwd", "chpasswd", "groupadd", "addgroup", "groupmod", "groupdel", "delgroup", "gpasswd", "chage", "chsh", "chfn", "newusers", "vipw", "vigr", "visudo", "pwconv", "pwunconv", "grpconv", "adduser", "saslpasswd2", "htpasswd", "smbpasswd", "faillock", "pam_tally2", "loginctl", "authselect", "authconfig", "realm", "kadmin", "kadmin.local", "ktutil", "kinit", "kdestroy"])  # fmt: skip
_FIREWALLS = frozenset(["iptables", "ip6tables", "nft", "ufw", "firewall-cmd", "ebtables", "arptables", "ipset", "iptables-restore", "ip6tables-restore", "pfctl", "fail2ban-client", "csf", "shorewall", "tc", "ethtool", "iw", "nmcli", "brctl", "ovs-vsctl", "wg", "wg-quick", "openvpn"])  # fmt: skip


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


def _journalctl(call: Call) -> str | None:
    given = options(
        call.args,
        takes="unpSUotDgM",
        long="unit lines priority since until output identifier directory grep file",
    )
    if any(
        flag.startswith(("vacuum", "rotate", "flush", "sync", "relinquish", "setup-keys"))
        for flag in given.flags
    ):
        call.add(
            Effect.DESTRUCTIVE if any(flag.startswith("vacuum") for flag in given.flags) else Effect.WRITE,
            Effect.PRIVILEGE,
        )
    call.add(Effect.READ)
    return None


def _control(call: Call) -> str | None:
    """hostnamectl, timedatectl and their like."""
    verb = next((arg for arg in call.args if not arg.startswith("-")), "status")
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
    call.add(Effect.READ if reads else Effect.PRIVILEGE)
    if verb.startswith(("terminate", "kill", "poweroff", "reboot")):
        call.add(Effect.DESTRUCTIVE)
    return None


def sftp_server(call: Call) -> str | None:
    """Each operation is judged on its own where the subsystem is spoken; a bare command line shows none of them."""
    return call.execute("a file server serves what the text does not show")


def _logger(call: Call) -> str | None:
    given = options(call.args, takes="fipPntuT", long="file server socket tag priority port")
    call.add(Effect.WRITE)
    for path in given.values("f", "file"):
        call.read(path)
    if given.has("n", "server"):
        call.add(Effect.EXFIL)
    return None


def _chage(call: Call) -> str | None:
    call.add(Effect.READ if "-l" in call.args or "--list" in call.args else Effect.PRIVILEGE)
    return None


def _ldconfig(call: Call) -> str | None:
    call.add(Effect.READ if call.args in {("-p",), ("-v", "-N")} else Effect.PRIVILEGE)
    return None


def _terminal(call: Call) -> str | None:
    call.add(Effect.SESSION)
    return None


HANDLERS: Mapping[str, Handler] = {
    **dict.fromkeys(["apt", "apt-get", "aptitude", "dpkg", "rpm", "yum", "dnf", "zypper", "pacman", "apk", "brew", "port", "snap", "flatpak", "pip", "pip3", "pipenv", "poetry", "uv", "conda", "mamba", "npm", "yarn", "pnpm", "gem", "cargo", "composer", "cpanm", "luarocks", "emerge", "nix", "nix-env", "guix", "apt-key", "add-apt-repository", "dpkg-reconfigure", "update-alternatives", "apt-mark", "apt-file", "microdnf", "alien", "opkg"], _packages),
    "systemctl": _systemctl, "service": _service, "rc-service": _service, "invoke-rc.d": _service, "journalctl": _journalctl,
    **dict.fromkeys(["shutdown", "reboot", "halt", "poweroff", "init", "telinit", "killall", "killall5", "pkill", "xkill", "skill", "slay", "rtcwake", "pm-suspend", "kexec", "crash", "fuser-k", "initctl", "supervisor-kill", "wall", "write", "mesg-n"], _always(Effect.DESTRUCTIVE)),
    **dict.fromkeys(_ACCOUNTS - {"chage", "loginctl"}, _always(Effect.PRIVILEGE)), "chage": _chage,
    **dict.fromkeys(_FIREWALLS, _firewall),
    **dict.fromkeys(["hostnamectl", "timedatectl", "loginctl", "localectl", "resolvectl", "networkctl", "chronyc", "bootctl", "machinectl-n"], _control),
    **dict.fromkeys(["setenforce", "setsebool", "semanage", "semodule", "auditctl", "aureport-n", "augenrules", "aa-disable", "aa-enforce", "aa-complain", "aa-teardown", "apparmor_parser", "insmod", "rmmod", "modprobe", "depmod", "update-grub", "grub-install", "grub-mkconfig", "update-initramfs", "dracut", "hwclock", "update-rc.d", "chkconfig", "rc-update", "ssh-keygen", "ssh-copy-id", "ssh-add", "ssh-agent", "certbot", "update-ca-certificates", "update-crypto-policies", "fips-mode-setup", "visudo", "sysctl-w", "tpm2_clear", "mokutil", "bpftool", "perf-trace", "quotaon", "setquota", "edquota", "exportfs"], _always(Effect.PRIVILEGE)),
    "supervisorctl": _verbs("status avail tail pid maintail version", otherwise=Effect.DESTRUCTIVE), "pm2": _verbs("list ls status show describe logs monit info prettylist jlist", otherwise=Effect.DESTRUCTIVE),
    "fuser": lambda call: call.add(Effect.DESTRUCTIVE if any(a.startswith("-") and "k" in a for a in call.args) else Effect.READ),
    "lsmod": _always(Effect.READ), "ausearch": _always(Effect.READ), "aureport": _always(Effect.READ), "sync": _always(Effect.SESSION), "postqueue": _verbs("-p -j", otherwise=Effect.WRITE), "mailq": _always(Effect.READ), "postsuper": _always(Effect.DESTRUCTIVE),
    **dict.fromkeys(["nginx", "apachectl", "apache2ctl", "httpd", "haproxy", "named-checkconf", "sshd", "php-fpm"], _verbs("-t -T -v -V configtest status -c -S -M", otherwise=Effect.DESTRUCTIVE)),
    "logrotate": _verbs("-d", otherwise=Effect.WRITE), "logger": _logger, "ldconfig": _ldconfig, "chronyd": _always(Effect.PRIVILEGE), "ntpdate": _verbs("-q", otherwise=Effect.PRIVILEGE), "ntpq": _always(Effect.READ),
    "reset": _terminal, "clear": _terminal, "stty": _terminal, "tput": _terminal, "setterm": _terminal, "sftp-server": sftp_server, "renice": _always(Effect.PRIVILEGE), "wall": _always(Effect.WRITE), "write": _always(Effect.WRITE), "smartctl": _verbs("-a -A -H -i -x --all --info --health -l --scan", otherwise=Effect.WRITE), "pvs": _always(Effect.READ), "vgs": _always(Effect.READ), "lvs": _always(Effect.READ), "pvdisplay": _always(Effect.READ), "vgdisplay": _always(Effect.READ), "lvdisplay": _always(Effect.READ), "showmount": _always(Effect.READ), "rpcinfo": _always(Effect.READ), "quota": _always(Effect.READ), "repquota": _always(Effect.READ), "needs-restarting": _always(Effect.READ), "needrestart": _verbs("-b", otherwise=Effect.READ), "ab": _always(Effect.WRITE), "stress": _always(Effect.DESTRUCTIVE), "stress-ng": _always(Effect.DESTRUCTIVE),
}  # fmt: skip
