"""Programs that print or compare what files hold."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, Options, each, options
from gateway.facts.shell.values import COUNT, DEEP, STAR, TAME, static, words
from gateway.model import Effect

_CONTENT = words(
    """
    cat tac nl head tail more zcat zmore zless bzcat xzcat zstdcat lz4cat
    wc cut paste join comm fold fmt column colrm rev expand unexpand pr look ul tsort
    od hexdump hd hexyl strings base32 basenc uuencode
    md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum shasum
    diff diff3 cmp colordiff zdiff zcmp
    nm size readelf mediainfo pdfinfo zipinfo lzmainfo
    csvcut csvlook csvstat csvgrep csvsort jsonlint yamllint html2text msgcat jo gron tomlq
    checkbashisms shellcheck
    """
)
_SEARCHING = words("grep egrep fgrep zgrep zegrep zfgrep bzgrep xzgrep rg ag ack pcregrep pcre2grep ugrep")
HUNTED = re.compile(
    r"passw|pwd=|secret|api.?key|access.?key|private.key|AKIA|credential|BEGIN .*KEY", re.IGNORECASE
)
"""What a search through a tree looks for where it looks for credentials."""
_ONLY_DIGITS = re.compile(r"(?:\[0-9\]|\\d)[+*]|(?:\[0-9\]|\\d)")
_JQ_STRINGS = re.compile(r'"(?:\\.|[^"\\])*"')
_JQ_ENVIRONMENT = re.compile(r"\$ENV\b|(?<![.\w$])env\b")
_YQ_READS = re.compile(r"(?<![.\w])(?:load(?:_\w+)?\s*\(|strenv\b|envsubst\b)")
_TAKES = {
    "head": "nc",
    "tail": "ncs",
    "cut": "dfbc",
    "od": "AjNtS",
    "hexdump": "efns",
    "fold": "w",
    "nl": "bdfhilnsvw",
    "join": "12ejotv",
    "base64": "w",
    "column": "socHNRWOnETrip",
    "fmt": "wgp",
    "pr": "DhlNowW",
    "strings": "nteTs",
    "iconv": "fto",
    "paste": "d",
    "diff": "UCxXIS",
    "xmllint": "",
    "basenc": "w",
    "base32": "w",
    "shasum": "a",
    "cmp": "in",
    "sdiff": "oWw",
    "diff3": "L",
    "readelf": "xpR",
}
_LONG = "lines bytes output delimiter fields characters encoding shell output-error from-file to-file diff-program"
_BINARIES = words("nm size strings readelf objdump")
"""Programs that take options from a file behind an @."""
_THROUGH = words("cat tac head tail more")
_DIGITS = {("0-9",), ("[:digit:]",), ("0-9.",)}
_KERNEL = re.compile(r"/(?:proc/(?:sys|loadavg|uptime)|sys)/?[\w/.-]*\Z")
"""Files in which the kernel shows numbers."""


def _options(call: Call) -> Options:
    return options(call.args, takes=_TAKES.get(call.name, ""), long=_LONG)


def _content(call: Call) -> str | None:
    """What is printed is made of the files that are named, or of what the program is fed."""
    call.add(Effect.READ)
    given = _options(call)
    if given.has("diff-program"):
        call.execute("a program is run that an option names")
    # Where another version of the program takes no value there, it is a file.
    values = [value for several in given.flags.values() for value in several]
    for path in (value for value in values if len(value) > 1 and "/" in value):
        call.read(path)
    for path in (*given.operands, *given.values("files0-from", "from-file", "to-file")):
        if path.startswith("@") and call.name in _BINARIES:
            call.read(path[1:])
        call.read(path, deep=call.name == "diff" and given.has("r", "recursive"))
    if call.name in _THROUGH and (not given.operands or given.operands == ("-",)):
        return call.stdin if call.name == "cat" else some_lines(call.stdin, narrowed=bool(call.args))
    counts = call.name == "wc" and not given.operands
    return COUNT if counts or all(_KERNEL.match(path) for path in given.operands or " ") else None


def _with_output(call: Call) -> str | None:
    for path in _options(call).values("o", "output"):
        call.write(path, truncates=True)
    return _content(call)


def _tr(call: Call) -> str | None:
    call.add(Effect.READ)
    given = _options(call)
    deletes_the_rest = given.has("d", "delete") and given.has("c", "C", "complement")
    if deletes_the_rest and given.operands[:1] in _DIGITS:
        return COUNT
    return call.stdin if call.stdin in {TAME + "\n", COUNT + "\n"} else None


def _bat(call: Call) -> str | None:
    if any(arg.startswith("--pager") for arg in call.args):
        call.execute()
    return _content(call)


def _ldd(call: Call) -> str | None:
    if any(not path.startswith(("/bin/", "/usr/", "/lib", "/sbin/")) for path in _options(call).operands):
        call.execute("ldd may run the program that it looks at")
    return _content(call)


def _xmllint(call: Call) -> str | None:
    if _options(call).has("shell"):
        call.execute("a shell of the program reads what the text does not show")
    return _with_output(call)


def _exiftool(call: Call) -> str | None:
    if any(re.match(r"-(?:if|config|\w+[-+<^]*=)|-o\Z", arg) for arg in call.args):
        call.execute("exiftool runs code or writes")
    return _content(call)


def _coded(call: Call) -> str | None:
    if any(re.match(r"[a-z]+:", arg) for arg in _options(call).operands):
        call.execute("what is read may be a program's own language")
    return _content(call)


def _base64(call: Call) -> str | None:
    printed = _content(call)
    return _decoded(call) if _options(call).has("d", "D", "decode") else printed


def some_lines(text: str | None, *, narrowed: bool = True) -> str | None:
    """What is left of a text that a filter narrows or sorts; `None` where that decides which of its words stays."""
    if text is None or (not narrowed and "\n" not in text.strip("\n")):
        return text
    return None if any(static(line) for line in text.strip("\n").split("\n")) else text


def _decoded(call: Call) -> str | None:
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
        long="""
            regexp file after-context before-context context max-count include exclude exclude-dir color glob
            type type-not max-depth threads pre iglob
        """,
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
    included = [
        value.replace("*", STAR)
        for value in given.values("include", "g", "glob")
        if not value.startswith("!")
    ]
    for path in paths:
        call.read(path, deep=recursive and not included)
        for name in included:
            call.read(f"{path.rstrip('/')}/{DEEP}/{name}")
    patterns = given.values("e", "regexp") or given.operands[:1]
    hunts = recursive and any(HUNTED.search(pattern) for pattern in patterns)
    if hunts and not (paths and all(path.startswith("/var/log") for path in paths)):
        call.add(Effect.EXFIL)
    if given.has("l", "files-with-matches", "L", "files-without-match"):
        return "\n".join(f"{path.rstrip('/')}/{DEEP}" if recursive else path for path in paths) + "\n"
    if (given.has("c", "count") and len(paths) < 2) or (
        given.has("o") and all(_ONLY_DIGITS.fullmatch(p) for p in patterns)
    ):
        return COUNT
    return some_lines(call.stdin) if not paths and not given.has("o") else None


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


_JQ_FILES = frozenset({"--slurpfile", "--rawfile"})
_JQ_PAIRS = _JQ_FILES | {"--arg", "--argjson"}
"""Options that take a name and a value."""
_JQ_IMPORTS = re.compile(r'(?<![.\w$])(?:import|include)\s*""')
_YQ_VERBS = frozenset((verb,) for verb in words("e ea eval eval-all"))


def _jq(call: Call) -> str | None:
    call.add(Effect.READ)
    args = list(call.args)
    while (at := next((at for at, arg in enumerate(args) if arg in _JQ_PAIRS), None)) is not None:
        for path in args[at + 2 : at + 3] if args[at] in _JQ_FILES else ():
            call.read(path)
        del args[at : at + 3]
    given = options(args, takes="fLI", long="from-file indent expression")
    for path in given.values("f", "from-file"):
        call.read(path)
        call.doubt("a program of jq lies in a file")
    if call.name == "yq" and any(_YQ_READS.search(operand) for operand in given.operands):
        call.add(Effect.EXFIL)
        call.doubt("an expression of yq reads what else there is")
    programs = [*given.operands[: 2 if given.operands[:1] in _YQ_VERBS else 1], *given.values("expression")]
    if any(_JQ_ENVIRONMENT.search(_JQ_STRINGS.sub('""', program)) for program in programs):
        call.add(Effect.EXFIL)
    if any(_JQ_IMPORTS.search(_JQ_STRINGS.sub('""', program)) for program in programs):
        call.doubt("a program of jq takes in other files")
    for path in given.operands[1:]:
        call.read(path)
    if call.name == "yq" and given.has("i", "inplace", "in-place"):
        for path in given.operands[1:]:
            call.write(path)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_CONTENT, _content),
    **each("iconv sdiff", _with_output),
    "tr": _tr,
    **each("bat batcat", _bat),
    "ldd": _ldd,
    "xmllint": _xmllint,
    "exiftool": _exiftool,
    **each("identify ffprobe", _coded),
    "base64": _base64,
    **each(_SEARCHING, _searching),
    "xxd": _xxd,
    "less": _less,
    "man": _man,
    **each("jq yq", _jq),
}
