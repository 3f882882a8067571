"""Programs that only look or compute, whatever their arguments, and those of them with an argument that does more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import COUNT, STAR, TAME, WILD, leaks, static, words
from gateway.model import Effect

_LOOKING = words(
    """
    ps pgrep pidof pstree lsof uptime w who whoami id groups users last lastlog lastb logname finger arch
    uname tty locale getconf getent nproc hostid lsb_release free vmstat iostat mpstat pidstat sar dstat nmon
    htop atop iotop iftop nethogs glances slabtop tload lscpu lsmem lspci lsusb lsns lsipc lslocks lslogins
    lshw dmidecode hwinfo inxi sensors acpi nvidia-smi rocm-smi df findmnt blkid lsblk ipcs modinfo getcap
    sestatus getenforce aa-status netstat ss nstat traceroute6 arping ipcalc sipcalc systemd-analyze
    systemd-cgls systemd-cgtop systemd-detect-virt dpkg-query rpmquery locate mlocate plocate which whereis
    whatis apropos type basename dirname pwd pathchk numfmt factor seq expr cal ncal uuidgen jobs pwdx pmap
    prtstat lsinitramfs lastcomm systemd-path systemd-delta systemd-escape systemd-id128 getfattr lsscsi lsdev
    lshal numastat cpuid x86info zramctl lsfd lsirq irqtop biosdecode procinfo runlevel jps jstat infocmp
    xdpyinfo fc-list fc-match info jstack pg_lsclusters pg_controldata iptables-save ip6tables-save varnishstat varnishtop
    """
)
_TAME_OUTPUT = words("whoami id uname arch tty hostid logname basename")
_REVEALING = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|AUTH|PRIVATE|DSN|DATABASE_URL|CONN", re.IGNORECASE)
_NUMBERS = re.compile(r"(?:%[aAbBdDfghiorstTuwWXYZ]|[ ,:])+")
_COUNT_OUTPUT = words("pgrep pidof nproc seq expr uuidgen getconf")
_STILL_COUNTS = {
    "pgrep": re.compile(r"-[cfinox]+|-[gGPstuU].*"),
    "pidof": re.compile(r"-[cqswxz]+"),
    "seq": re.compile(r"-\d+"),
    "expr": re.compile(r"-\d+|-"),
}
"""Options with which they still print numbers alone: others put texts between these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """Options of a program that else looks: with a command, a file to read, a file to write."""

    runs: str = ""
    reads: str = ""
    writes: str = ""
    guards: str = ""


_DOING: Mapping[str, _Options] = {
    "pidstat": _Options(runs="e"),
    "sar": _Options(writes="o"),
    "atop": _Options(writes="w"),
    "nmon": _Options(writes="F"),
    "glances": _Options(
        runs="enable-plugin", writes="export-csv-file export-json-file", guards="w webserver s server"
    ),
    "iftop": _Options(runs="c"),
    "ss": _Options(reads="F filter", writes="D diag", guards="K kill"),
    "dmidecode": _Options(reads="from-dump", writes="dump-bin"),
    "lshw": _Options(writes="dump"),
    "hwinfo": _Options(writes="log save-config"),
    "blkid": _Options(writes="w"),
    "inxi": _Options(writes="output-file"),
    "pmap": _Options(reads="c read-rc-from", writes="N create-rc-to"),
    "locate": _Options(reads="d database"),
    "plocate": _Options(reads="d database"),
    "lsof": _Options(reads="A", writes="D"),
    "systemd-analyze": _Options(guards="generators"),
    "finger": _Options(),
    "iptables-save": _Options(writes="f file"),
    "ip6tables-save": _Options(writes="f file"),
    "info": _Options(writes="o output"),
}


_NUMERIC = re.compile(rf"-?\d+|{COUNT}|[-+*/%<>=()]|[<>!]=")
"""What `expr` computes with; it gives texts back as they are."""


def _looking(call: Call) -> str | None:
    call.add(Effect.READ)
    if call.name == "getent" and any(arg in {"shadow", "gshadow"} for arg in call.args):
        call.add(Effect.EXFIL)
    if call.name in _DOING:
        _doing(call, _DOING[call.name])
    if call.name == "which":
        return f"{TAME}/{call.args[-1]}\n" if call.args else WILD
    if call.name == "basename" and len(call.args) == 1 and static(call.args[0]):
        return call.args[0].rstrip("/").rsplit("/", 1)[-1] + "\n"
    if call.name in _COUNT_OUTPUT:
        told = any(WILD in arg for arg in call.args)
        if call.name == "expr":
            told = not all(_NUMERIC.fullmatch(arg) for arg in call.args)
        plain = _STILL_COUNTS.get(call.name)
        if plain is not None:
            told = told or any(arg.startswith("-") and not plain.fullmatch(arg) for arg in call.args)
        return WILD if plain is not None and told else COUNT
    return TAME if call.name in _TAME_OUTPUT else None


def _doing(call: Call, more: _Options) -> None:
    letters = "".join(name for name in f"{more.runs} {more.reads} {more.writes}".split() if len(name) == 1)
    given = options(call.args, takes=letters, long=f"{more.runs} {more.reads} {more.writes}")
    if given.has(*more.runs.split()):
        call.execute("a program is run that an option names")
    if given.has(*more.guards.split()):
        call.add(Effect.PRIVILEGE)
    for path in given.values(*more.reads.split()):
        call.read(path)
    for path in given.values(*more.writes.split()):
        call.write(path, truncates=True)
    if call.name == "systemd-analyze" and any(arg.startswith(("set-", "log-")) for arg in call.args):
        call.add(Effect.PRIVILEGE)
    if call.name == "finger" and any(leaks(arg) and "@" in arg for arg in call.args):
        call.add(Effect.EXFIL)


_TAKEN = {
    "ls": (
        "ITw",
        "block-size format hide ignore indicator-style quoting-style sort tabsize time time-style width",
    ),
    "stat": ("ct", "format printf"),
    "file": ("fFemP", "files-from separator exclude magic-file parameter"),
}
"""Options that take a value, by program."""
_DIRECTORIES = words(
    """
    . / /bin /boot /dev /etc /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys /sys/class/net /tmp /usr /usr/bin
    /usr/lib /usr/local /usr/share /var /var/cache /var/lib /var/log /var/spool /var/tmp /var/www
    """
)


def _listing(call: Call) -> str | None:
    """Names and metadata. What ls prints are the names that it is given, or those below, as a glob finds them."""
    call.add(Effect.READ)
    for arg in call.args:
        call.list(arg)
    takes, long = _TAKEN.get(call.name, ("", ""))
    given = options(call.args, takes=takes, long=long)
    if call.name == "file":
        # What it cannot use of a file of magic it prints.
        debugged = given.operands if given.has("d", "debug") else ()
        magic = [path for value in given.values("m", "magic-file") for path in value.split(":")]
        for path in (*given.values("f", "files-from"), *magic, *debugged):
            call.read(path)
    forms = given.values("c", "format")
    if call.name == "stat" and forms and all(_NUMBERS.fullmatch(form) for form in forms):
        return COUNT
    if call.name == "realpath" or (call.name == "readlink" and given.has("f", "e", "m", "canonicalize")):
        return _resolved(given.operands)
    if call.name != "ls" or given.has("R", "recursive", "l", "a", "A"):
        return None
    printed: list[str] = []
    for path in given.operands:
        # A file is printed as it is given, of a directory the names below.
        if STAR in path or given.has("d", "directory"):
            printed.append(path)
        else:
            printed += [STAR] if path in _DIRECTORIES or path.endswith("/") else [path, STAR]
    return "\n".join(printed or [STAR]) + "\n"


def _resolved(paths: Sequence[str]) -> str | None:
    """What links point at is not seen."""
    if len(paths) != 1 or not static(paths[0]):
        return None
    return (paths[0] if "/" in paths[0] else f"./{paths[0]}") + "\n"


def _date(call: Call) -> str | None:
    given = options(call.args, takes="dfrsI", long="date file reference set")
    if given.has("s", "set") or any(not operand.startswith("+") for operand in given.operands):
        call.add(Effect.PRIVILEGE, Effect.WRITE)
    for path in given.values("f", "file"):
        call.read(path)
    call.add(Effect.READ)
    forms = [operand[1:] for operand in given.operands if operand.startswith("+")]
    return re.sub(r"%[-_0^#]?\d*[a-zA-Z%]", COUNT, forms[0]) if forms else TAME


def _hostname(call: Call) -> str | None:
    given = options(call.args, takes="F", long="file")
    call.add(Effect.PRIVILEGE if given.operands or given.has("F", "file", "b") else Effect.READ)
    return TAME


def _ps(call: Call) -> str | None:
    """BSD's letter `e` shows every process's environment, wherever it stands."""
    given = options(
        call.args,
        takes="oOCuUgGpqst",
        long="sort pid ppid user group format tty cols columns rows lines sid quick-pid",
    )
    call.add(Effect.READ)
    if given.has("E") or any("e" in letters and letters.isalpha() for letters in given.operands):
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
    for operand in given.operands:
        if "/" in operand or ".." in operand:
            call.read(f"/proc/sys/{operand}")
    return None


def _dmesg(call: Call) -> str | None:
    given = options(call.args, takes="lfFns", long="file facility level")
    for path in given.values("F", "file"):
        call.read(path)
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
