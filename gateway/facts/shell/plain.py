"""Programs that only look or compute, whatever their arguments, and those of them with an argument that does more."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.values import TAME, static
from gateway.model import Effect

LOOKING = frozenset(
    ["ps", "pgrep", "pidof", "pstree", "uptime", "w", "who", "whoami", "id", "groups", "users", "last", "lastlog", "lastb", "nproc", "free", "vmstat", "iostat", "mpstat", "pidstat", "lscpu", "lsmem", "lspci", "lsusb", "lsmod", "lsns", "lsipc", "lslocks", "lslogins", "lsb_release", "lshw", "dmidecode", "hwinfo", "inxi", "arch", "uname", "tty", "locale", "getconf", "getent", "df", "findmnt", "numfmt", "factor", "seq", "expr", "cal", "ncal", "which", "whereis", "whatis", "apropos", "type", "basename", "dirname", "realpath", "readlink", "ping", "ping6", "traceroute", "traceroute6", "tracepath", "mtr", "netstat", "ss", "lsof", "host", "dig", "nslookup", "whois", "finger", "blkid", "lsblk", "tput", "stty", "logname", "hostid", "groups", "nstat", "uuidgen", "mktemp-dry", "ipcs", "slabtop", "htop", "atop", "nmon", "iotop", "iftop", "nethogs", "sar", "dstat", "glances", "tload", "modinfo", "ldconfig-p", "faillog-r", "resolvectl-status", "file", "stat", "namei", "cksum-n", "infocmp", "clear", "reset-n", "getcap", "getfacl", "lsattr", "xdpyinfo", "sensors", "acpi", "numactl-s", "rpmquery", "dpkg-query", "apt-cache", "man-db", "locate", "mlocate", "plocate", "pmap-x", "fuser-n", "ldd-n", "nm", "size", "strings-n", "readelf-n", "objdump-n", "journalctl-n", "sha-n", "bc-n", "tzselect-n", "yes-n", "jobs", "uptime", "pathchk", "hostnamectl-status", "timedatectl-n", "loginctl-n", "sestatus", "getenforce", "aa-status", "chage-l", "arping", "rdate-n", "jps", "jstat", "kubectx-n", "tree-n", "du-n", "pwd", "ncdu-n", "systemd-analyze", "systemd-cgls", "systemd-cgtop", "systemd-detect-virt", "bootctl-n", "efibootmgr-n", "nvidia-smi", "rocm-smi", "ipcalc", "sipcalc", "whoami", "cpupower-n", "turbostat-n", "perf-n", "fc-list", "fc-match"]
)  # fmt: skip
CONTENT = frozenset(
    ["cat", "tac", "nl", "head", "tail", "more", "zcat", "zmore", "zless", "bzcat", "xzcat", "zstdcat", "lz4cat", "wc", "cut", "paste", "join", "comm", "fold", "fmt", "column", "colrm", "rev", "expand", "unexpand", "od", "hexdump", "hd", "strings", "md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "b2sum", "cksum", "sum", "diff", "diff3", "cmp", "sdiff", "colordiff", "zdiff", "zcmp", "base64", "base32", "basenc", "uuencode", "tsort", "uniq-n", "iconv", "pr", "look", "csvcut", "csvlook", "csvstat", "csvgrep", "csvsort", "bat", "batcat", "nm", "size", "readelf", "objdump-d", "exiftool", "identify", "pdfinfo", "pdftotext-n", "ul", "msgcat", "zipinfo", "lzmainfo", "unrar-l", "asciinema-n", "jsonlint", "xmllint", "yamllint", "html2text", "tr", "logger-n", "ts", "dos2unix-n", "checkbashisms", "shellcheck", "shasum", "ldd", "mediainfo", "ffprobe", "jo", "gron", "yq-n", "tomlq", "hexyl", "xclip-n"]
)  # fmt: skip
_SEARCHING = frozenset(
    [
        "grep",
        "egrep",
        "fgrep",
        "zgrep",
        "zegrep",
        "zfgrep",
        "bzgrep",
        "xzgrep",
        "rg",
        "ag",
        "ack",
        "pcregrep",
        "pcre2grep",
        "ugrep",
    ]
)
_TAME_OUTPUT = frozenset(
    [
        "pgrep",
        "pidof",
        "nproc",
        "whoami",
        "id",
        "uname",
        "arch",
        "tty",
        "seq",
        "expr",
        "hostid",
        "uuidgen",
        "logname",
        "wc",
        "basename",
        "getconf",
    ]
)


def _looking(call: Call) -> str | None:
    call.add(Effect.READ)
    return TAME if call.name in _TAME_OUTPUT else None


def _listing(call: Call) -> str | None:
    """Ls and its like: names and metadata; the names below are what it prints."""
    call.add(Effect.READ)
    for arg in call.args:
        call.list(arg)
    return TAME if call.name == "ls" and not any(a.startswith("-") and "R" in a for a in call.args) else None


_TAKES = {"head": "nc", "tail": "ncs", "cut": "dfbc", "od": "AjNtw", "hexdump": "efns", "fold": "w", "nl": "bdfhilnsvw", "join": "12ejotv", "base64": "w", "column": "stocHNRWOn", "fmt": "wgpu", "pr": "DehilnNoSwW", "strings": "nteTs", "iconv": "fto", "paste": "d", "diff": "UCxXIS", "xmllint": "", "basenc": "w", "base32": "w", "shasum": "a", "cmp": "in", "readelf": "xpRw"}  # fmt: skip
_THROUGH = frozenset(["cat", "tac", "head", "tail", "more"])


def _content(call: Call) -> str | None:
    call.add(Effect.READ)
    given = options(
        call.args,
        takes=_TAKES.get(call.name, ""),
        long="lines bytes output delimiter fields characters encoding shell output-error",
    )
    if call.name in {"iconv", "xmllint"} and given.has("o", "output"):
        for path in given.values("o", "output"):
            call.write(path, truncates=True)
    if call.name == "tr":
        return (
            None
            if call.stdin is not None and "\n" in call.stdin.strip("\n")
            else call.stdin
            if call.stdin == TAME + "\n"
            else None
        )
    if call.name in {"bat", "batcat"} and any(a.startswith("--pager") for a in call.args):
        call.execute()
    for path in (*given.operands, *given.values("files0-from", "from-file")):
        call.read(path, deep=call.name == "diff" and given.has("r", "recursive"))
    if call.name == "base64" and given.has("d", "D", "decode"):
        return _decoded(call)
    if call.name in _THROUGH and (not given.operands or given.operands == ("-",)):
        return call.stdin
    return TAME if call.name == "wc" else None


def _decoded(call: Call) -> str | None:
    import base64
    import binascii

    if call.stdin is None or len(call.stdin) > 65_536 or not call.stdin.isascii():
        return None
    try:
        return base64.b64decode(call.stdin).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _searching(call: Call) -> str | None:
    call.add(Effect.READ)
    given = options(
        call.args,
        takes="efABCmdDgtTMjEr" if call.name == "rg" else "efABCmdD",
        long="regexp file after-context before-context context max-count include exclude exclude-dir color glob type type-not max-depth threads pre iglob",
    )
    if given.has("pre", "hostname-bin", "pager"):
        call.execute()
    for path in given.values("f", "file"):
        call.read(path)
    paths = given.operands if given.has("e", "f", "regexp", "file") else given.operands[1:]
    recursive = given.has("r", "R", "recursive", "dereference-recursive") or call.name in {
        "rg",
        "ag",
        "ack",
        "ugrep",
    }
    narrowed = any(
        value
        and not value.startswith("*.env")
        and "key" not in value
        and "secret" not in value
        and value.strip("*\ue010")
        for value in given.values("include", "g", "glob")
    )
    for path in paths:
        call.read(path, deep=recursive and not narrowed)
    if given.has("l", "files-with-matches", "L", "files-without-match"):
        return "\n".join(f"{path.rstrip('/')}/\ue013" if recursive else path for path in paths) + "\n"
    return call.stdin if not paths and not given.has("c", "o") else None


def _date(call: Call) -> str | None:
    given = options(call.args, takes="dfrsI", long="date file reference set")
    if given.has("s", "set") or any(not operand.startswith("+") for operand in given.operands):
        call.add(Effect.PRIVILEGE, Effect.WRITE)
    for path in given.values("f", "file"):
        call.read(path)
    call.add(Effect.READ)
    return TAME


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


def _xxd(call: Call) -> str | None:
    given = options(call.args, takes="closn", long="cols len seek")
    call.add(Effect.READ)
    for path in given.operands[:1]:
        call.read(path)
    for path in given.operands[1:2]:
        call.write(path, truncates=True)
    if given.has("r") and call.stdin is not None and static(call.stdin) and given.has("p", "ps", "rp"):
        digits = "".join(call.stdin.split())
        try:
            return bytes.fromhex(digits).decode()
        except ValueError:
            return None
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


def _less(call: Call) -> str | None:
    given = options(
        call.args, takes="bhjkoOpPtTxyzD", long="log-file LOG-FILE lesskey-file lesskey-src lesskey-content"
    )
    for path in given.values("o", "O", "log-file", "LOG-FILE"):
        call.write(path, truncates=True)
    if any(
        a.startswith("+") and ("!" in a or "|" in a or "v" in a or "s" in a) for a in call.args
    ) or given.has("k", "lesskey-file", "lesskey-src", "lesskey-content"):
        call.execute()
    for path in given.operands:
        if not path.startswith("+"):
            call.read(path)
    call.add(Effect.READ)
    return call.stdin if not given.operands else None


def _man(call: Call) -> str | None:
    given = options(call.args, takes="PCLMSermHpl", long="pager html preprocessor config-file")
    call.add(Effect.READ)
    if given.has("P", "pager", "H", "html", "C", "config-file", "M", "p", "preprocessor", "gxditview", "X"):
        call.execute()
    for path in given.values("l", "local-file"):
        call.read(path)
    return None


def _environment(call: Call) -> str | None:
    """printenv: every variable, secrets among them, or named ones."""
    call.add(Effect.READ)
    names = [arg for arg in call.args if not arg.startswith("-")]
    if not names or any(revealing(name) for name in names):
        call.add(Effect.EXFIL)
    return None


def revealing(name: str) -> bool:
    """Whether a variable's name says that it holds a credential."""
    upper = name.upper()
    return any(word in upper for word in ("PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "AUTH", "PRIVATE", "DSN", "DATABASE_URL", "CONN", "\ue000"))  # fmt: skip


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


def _jq(call: Call) -> str | None:
    call.add(Effect.READ)
    given = options(call.args, takes="fLI", long="from-file indent arg argjson slurpfile rawfile")
    for path in given.values("f", "from-file"):
        call.read(path)
    if any(
        "env" in operand or "$ENV" in operand or "input_filename" in operand for operand in given.operands[:1]
    ):
        call.add(Effect.EXFIL)
    for path in given.operands[1:]:
        call.read(path)
    if call.name == "yq" and given.has("i", "inplace", "in-place"):
        for path in given.operands[1:]:
            call.write(path)
    return None


HANDLERS: Mapping[str, Handler] = {
    **{name: _looking for name in LOOKING if "-n" not in name},
    **dict.fromkeys(CONTENT, _content),
    **dict.fromkeys(_SEARCHING, _searching),
    **dict.fromkeys(("ls", "dir", "vdir", "ll", "la", "exa", "eza", "lsd", "stat", "file", "readlink", "realpath", "namei", "getfacl", "lsattr"), _listing),
    "date": _date, "hostname": _hostname, "top": _top, "ps": _ps, "xxd": _xxd, "du": _du, "tree": _tree, "less": _less, "man": _man,
    "printenv": _environment, "yes": _yes, "sysctl": _sysctl, "dmesg": _dmesg, "jq": _jq, "yq": _jq,
}  # fmt: skip
