"""Programs that only look or compute, whatever their arguments, and those of them with an argument that does more."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import COUNT, STAR, TAME, leaks, words
from gateway.model import Effect

_LOOKING = words(
    """
    ps pgrep pidof pstree lsof uptime w who whoami id groups users last lastlog lastb logname finger
    arch uname tty locale getconf getent nproc hostid lsb_release
    free vmstat iostat mpstat pidstat sar dstat nmon htop atop iotop iftop nethogs glances slabtop tload
    lscpu lsmem lspci lsusb lsns lsipc lslocks lslogins lshw dmidecode hwinfo inxi sensors acpi nvidia-smi rocm-smi
    df findmnt blkid lsblk ipcs modinfo getcap sestatus getenforce aa-status
    netstat ss nstat traceroute6 arping ipcalc sipcalc
    systemd-analyze systemd-cgls systemd-cgtop systemd-detect-virt
    dpkg-query rpmquery apt-cache locate mlocate plocate which whereis whatis apropos type
    basename dirname pwd pathchk numfmt factor seq expr cal ncal uuidgen jobs
    pwdx pmap prtstat lsinitramfs lastcomm systemd-path systemd-delta systemd-escape systemd-id128
    getfattr lsscsi lsdev lshal numastat cpuid x86info zramctl lsfd lsirq irqtop
    biosdecode procinfo runlevel
    jps jstat infocmp xdpyinfo fc-list fc-match
    """
)
_TAME_OUTPUT = words("whoami id uname arch tty hostid logname basename")
_REVEALING = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|AUTH|PRIVATE|DSN|DATABASE_URL|CONN", re.IGNORECASE)
_NUMBERS = re.compile(r"(?:%[aAbBdDfghiorstTuwWXYZ]|[ ,:])+")
_COUNT_OUTPUT = words("pgrep pidof nproc seq expr uuidgen getconf")


def _looking(call: Call) -> str | None:
    call.add(Effect.READ)
    if call.name == "getent" and any(arg in {"shadow", "gshadow"} for arg in call.args):
        call.add(Effect.EXFIL)
    return COUNT if call.name in _COUNT_OUTPUT else TAME if call.name in _TAME_OUTPUT else None


def _listing(call: Call) -> str | None:
    """Names and metadata. What ls prints are the names that it is given, or those below, as a glob finds them."""
    call.add(Effect.READ)
    for arg in call.args:
        call.list(arg)
    given = options(call.args, takes="cft", long="format printf files-from")
    if call.name == "file":
        for path in given.values("f", "files-from"):
            call.read(path)
    forms = given.values("c", "format")
    if call.name == "stat" and forms and all(_NUMBERS.fullmatch(form) for form in forms):
        return COUNT
    if call.name != "ls" or given.has("R", "recursive", "l", "a", "A"):
        return None
    paths = [
        path if STAR in path or given.has("d") else f"{path.rstrip('/')}/{STAR}" for path in given.operands
    ]
    return "\n".join(paths or [STAR]) + "\n"


def _date(call: Call) -> str | None:
    given = options(call.args, takes="dfrsI", long="date file reference set")
    if given.has("s", "set") or any(not operand.startswith("+") for operand in given.operands):
        call.add(Effect.PRIVILEGE, Effect.WRITE)
    for path in given.values("f", "file"):
        call.read(path)
    call.add(Effect.READ)
    return COUNT


def _hostname(call: Call) -> str | None:
    given = options(call.args, takes="F", long="file")
    call.add(Effect.PRIVILEGE if given.operands or given.has("F", "file", "b") else Effect.READ)
    return TAME


def _ps(call: Call) -> str | None:
    """BSD's letter `e` shows every process's environment."""
    call.add(Effect.READ)
    if any("e" in arg and arg.isalpha() for arg in call.args[:1]):
        call.add(Effect.EXFIL)
    return None


def _top(call: Call) -> str | None:
    call.add(Effect.READ)
    return None


def _du(call: Call) -> str | None:
    given = options(
        call.args, takes="dBtX", long="max-depth block-size threshold exclude exclude-from files0-from"
    )
    call.add(Effect.READ)
    for path in given.operands:
        call.list(path)
    for path in given.values("X", "exclude-from", "files0-from"):
        call.read(path)
    return None


def _tree(call: Call) -> str | None:
    given = options(call.args, takes="LPIoHT", long="filelimit sort fromfile")
    call.add(Effect.READ)
    for path in given.values("o"):
        call.write(path, truncates=True)
    for path in given.operands:
        call.list(path)
    return None


def _environment(call: Call) -> str | None:
    """printenv: every variable, secrets among them, or named ones."""
    call.add(Effect.READ)
    names = [arg for arg in call.args if not arg.startswith("-")]
    if not names or any(revealing(name) for name in names):
        call.add(Effect.EXFIL)
    return None


def revealing(name: str) -> bool:
    """Whether a variable's name says that it holds a credential, or may turn out to."""
    return leaks(name) or _REVEALING.search(name) is not None


def _yes(call: Call) -> str | None:
    call.add(Effect.READ)
    return "\n".join([" ".join(call.args) or "y"] * 2)


def _sysctl(call: Call) -> str | None:
    given = options(call.args, takes="pfr", long="load pattern")
    writes = given.has("w", "write", "p", "load", "system") or any(
        "=" in operand for operand in given.operands
    )
    call.add(Effect.PRIVILEGE if writes else Effect.READ)
    return None


def _dmesg(call: Call) -> str | None:
    given = options(call.args, takes="lfFns")
    if given.has("c", "C", "read-clear", "clear"):
        call.add(Effect.DESTRUCTIVE, Effect.PRIVILEGE)
    if given.has("n", "D", "E", "console-level", "console-off", "console-on"):
        call.add(Effect.PRIVILEGE)
    call.add(Effect.READ)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_LOOKING, _looking),
    **each("ls dir vdir ll la exa eza lsd stat file readlink realpath namei getfacl lsattr", _listing),
    "date": _date,
    "hostname": _hostname,
    "top": _top,
    "ps": _ps,
    "du": _du,
    "tree": _tree,
    "printenv": _environment,
    "yes": _yes,
    "sysctl": _sysctl,
    "dmesg": _dmesg,
}
