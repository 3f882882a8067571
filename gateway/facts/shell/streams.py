"""Text tools that are languages of their own or have options that write or run: sed, awk, sort, find, xargs, tar."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.values import DEEP, WILD, static
from gateway.model import Effect

_PROGRAM = 4_096
"""Characters of a program that are read."""
_SED_RUNS = re.compile(r"(?:^|[;{}\n]|[0-9$/!]\s*)\s*e(?:\s|$|;|\})")
_SED_FLAGS = re.compile(r"s(.)(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1([a-zA-Z0-9]*)", re.DOTALL)
_SED_WRITES = re.compile(r"(?:^|[;{}\n0-9$/!]|\bs(.).*?\1.*?\1[gpiIm0-9]*)\s*[wW]\s+(\S+)")
_SED_READS = re.compile(r"(?:^|[;{}\n0-9$/!])\s*[rR]\s*(\S+)")
_AWK_RUNS = re.compile(r"\bsystem\s*\(|\||@load|@include|/inet\d?/|\bextension\s*\(")
_AWK_STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"')
_AWK_REGEX = re.compile(r"(?:(?<=[~(,{!;&|])|^)\s*/(?:\\.|[^/\\\n])+/")
_AWK_WRITES = re.compile(r"(?:print|printf)\b[^;}\n]*?>")
_AWK_TARGET = re.compile(r'(?:print|printf)\b[^;}\n]*?>>?\s*"([^"]*)"')
_AWK_ENVIRON = re.compile(r"\bENVIRON\b")


def _sed(call: Call) -> str | None:
    given = options(call.args, takes="efl", long="expression file line-length")
    call.add(Effect.READ)
    inline = given.values("e", "expression")
    scripts = inline or (() if given.has("f", "file") else given.operands[:1])
    paths = given.operands if inline or given.has("f", "file") else given.operands[1:]
    for path in given.values("f", "file"):
        call.read(path)
        call.execute("a sed script is read from a file")
    in_place = given.has("i", "in-place") or any(a.startswith("-i") for a in call.args)
    for script in scripts:
        if script.startswith(WILD) or len(script) > _PROGRAM:
            call.doubt("a sed script is not known")
        script = script[:_PROGRAM]  # noqa: PLW2901
        flags = "".join(found[2] for found in _SED_FLAGS.finditer(script))
        bare = _SED_FLAGS.sub(";", script)
        bare = re.sub(r"/(?:\\.|[^/\\\n])*/", "/", bare)
        if (
            "e" in flags
            or _SED_RUNS.search(bare)
            or re.search(r"(?:^|[;{}0-9$/!,\s])e\s*\S", re.sub(r"[aic]\\?\s.*", "", bare))
        ):
            call.execute("sed runs a command")
        targets = re.findall(r"(?:^|[;{}\n0-9$/!,])\s*[wW]\s*([^\s;}]+)", bare)
        targets += (
            re.findall(r"s(?:(\W)).*\1[gpiIm0-9]*w\s*(\S+)", script) and [script.rsplit("w", 1)[1].strip()]
            if "w" in flags
            else []
        )
        for target in targets:
            call.write(target, truncates=True)
        for source in re.findall(r"(?:^|[;{}\n0-9$/!,])\s*[rR]\s*([^\s;}]+)", bare):
            call.read(source)
    for path in paths:
        call.read(path)
        if in_place:
            call.write(path)
    return None


def _awk(call: Call) -> str | None:
    given = options(
        call.args,
        takes="fFvieEl",
        long="file assign field-separator include exec load source",
        until_operand=True,
    )
    call.add(Effect.READ)
    if given.has("f", "file", "E", "exec", "i", "include", "l", "load"):
        for path in given.values("f", "file", "E", "exec", "i", "include"):
            call.read(path)
        call.execute("an awk program is read from a file")
    for option in ("o", "p", "d", "dump-variables", "profile", "pretty-print"):
        for path in given.values(option):
            if path:
                call.write(path, truncates=True)
    sources = given.values("e", "source")
    programs = sources or (() if given.has("f", "file", "E", "exec") else given.operands[:1])
    paths = given.operands if sources or given.has("f", "file") else given.operands[1:]
    for program in programs:
        _awk_program(call, program)
    for path in paths:
        if not re.match(r"[A-Za-z_]\w*=", path):
            call.read(path)
    return None


def _awk_program(call: Call, program: str) -> None:
    if WILD in program or len(program) > _PROGRAM:
        call.doubt("an awk program is not known")
        program = program[:_PROGRAM]
    bare = (
        _AWK_REGEX.sub(" r ", _AWK_STRINGS.sub('"s"', program)).replace("||", " or ").replace("&&", " and ")
    )
    strings = " ".join(_AWK_STRINGS.findall(program))
    if _AWK_RUNS.search(bare) or "/inet/" in strings or "@load" in program:
        call.execute("awk runs a command")
    if _AWK_ENVIRON.search(bare):
        call.add(Effect.EXFIL)
    if "getline" in bare:
        named = re.findall(r'getline[^;}<]*<\s*"([^"]*)"', program)
        for path in named:
            call.read(path)
        if not named and "<" in bare[bare.index("getline") :]:
            call.doubt("which file awk reads is not known")
    for path in re.findall(r"FILENAME|ARGV\s*\[[^\]]*\]\s*=", bare):
        if path.startswith("ARGV"):
            call.doubt("which file awk reads is not known")
    if _AWK_WRITES.search(re.sub(r"\([^()]*\)", "()", bare)):
        targets = _AWK_TARGET.findall(program)
        for target in targets:
            call.write(target, truncates=True)
        if not targets:
            call.add(Effect.WRITE)
            call.doubt("which file awk writes is not known")


def _sort(call: Call) -> str | None:
    given = options(
        call.args,
        takes="kotTS",
        long="key output field-separator temporary-directory buffer-size compress-program files0-from batch-size parallel",
    )
    call.add(Effect.READ)
    if any(option.startswith("comp") for option in given.flags):
        call.execute()
    for path in given.values("o", "output"):
        call.write(path, truncates=True)
    for path in (*given.operands, *given.values("files0-from")):
        call.read(path)
    return call.stdin if not given.operands else None


def _uniq(call: Call) -> str | None:
    given = options(call.args, takes="fsw", long="skip-fields skip-chars check-chars")
    call.add(Effect.READ)
    for path in given.operands[:1]:
        call.read(path)
    for path in given.operands[1:2]:
        call.write(path, truncates=True)
    return call.stdin if not given.operands and not given.has("c") else None


def _tee(call: Call) -> str | None:
    given = options(call.args, long="output-error")
    call.add(Effect.READ)
    for path in given.operands:
        call.write(path, truncates=not given.has("a", "append"))
    return call.stdin


_FIND_OPERATORS = frozenset(["(", ")", "!", ",", "-a", "-o", "-and", "-or", "-not"])
_FIND_PLAIN = frozenset(
    [
        "-name",
        "-iname",
        "-path",
        "-ipath",
        "-wholename",
        "-iwholename",
        "-regex",
        "-iregex",
        "-type",
        "-xtype",
        "-size",
        "-mtime",
        "-atime",
        "-ctime",
        "-mmin",
        "-amin",
        "-cmin",
        "-newer",
        "-anewer",
        "-cnewer",
        "-user",
        "-group",
        "-uid",
        "-gid",
        "-perm",
        "-maxdepth",
        "-mindepth",
        "-links",
        "-inum",
        "-samefile",
        "-fstype",
        "-lname",
        "-ilname",
        "-context",
        "-used",
        "-printf",
        "-regextype",
        "-newermt",
        "-newerat",
        "-newerct",
        "-newermm",
        "-newerBt",
        "-newerac",
        "-D",
        "-O",
    ]
)
_FIND_FLAGS = frozenset(
    ["-print", "-print0", "-ls", "-empty", "-prune", "-depth", "-d", "-mount", "-xdev", "-follow", "-readable", "-writable", "-executable", "-nouser", "-nogroup", "-true", "-false", "-quit", "-daystart", "-noleaf", "-ignore_readdir_race", "-noignore_readdir_race", "-warn", "-nowarn", "-H", "-L", "-P", "-E", "-X"]
)  # fmt: skip


def _find(call: Call) -> str | None:
    args = list(call.args)
    call.add(Effect.READ)
    roots: list[str] = []
    while args and (not args[0].startswith(("-", "(", "!")) or args[0] in {"-H", "-L", "-P"}):
        root = args.pop(0)
        if not root.startswith("-"):
            roots.append(root)
            call.list(root)
    names = [value for option, value in itertools.pairwise(args) if option in {"-name", "-iname"}]
    below = [f"{root.rstrip('/')}/{DEEP}" for root in roots or ["."]]
    printed = (
        "\n".join(
            path
            + (
                names[0].replace("*", "\ue010")
                if len(names) == 1 and "-o" not in args and not any(root == "/" for root in roots)
                else ""
            )
            for path in below
        )
        + "\n"
    )
    # A name that is searched for narrows what is found: `-name '*.log'` finds no keys.
    if len(names) == 1 and "-o" not in args and "/" not in names[0]:
        printed = (
            "\n".join(f"{root.rstrip('/')}/{names[0].replace('*', chr(0xE010))}" for root in roots or ["."])
            + "\n"
        )
    while args:
        arg = args.pop(0)
        if arg in _FIND_PLAIN:
            args = args[1:]
        elif arg in {"-exec", "-execdir", "-ok", "-okdir"}:
            args = _find_exec(call, arg, args, printed)
        elif arg == "-delete":
            call.add(Effect.DESTRUCTIVE, Effect.WRITE)
            for root in roots or ["."]:
                call.remove(root, deep=True)
        elif arg in {"-fprint", "-fprint0", "-fls", "-fprintf"}:
            for path in args[:1]:
                call.write(path, truncates=True)
            args = args[2 if arg == "-fprintf" else 1 :]
        elif arg == "-files0-from":
            for path in args[:1]:
                call.read(path)
            args = args[1:]
        elif arg not in _FIND_FLAGS | _FIND_OPERATORS and not arg.startswith(("-O", "-newer")):
            call.doubt("a test or action of find is not known")
    return printed


def _find_exec(call: Call, _action: str, args: list[str], printed: str) -> list[str]:
    end = next(
        (i for i, a in enumerate(args) if a == ";" or (a == "+" and i and args[i - 1] == "{}")), len(args)
    )
    for found in printed.split("\n"):
        if found:
            call.run([part.replace("{}", found) for part in args[:end]], stdin="")
    return args[end + 1 :]


def _xargs(call: Call) -> str | None:
    given = options(
        call.args,
        takes="IiEdLnPsa",
        long="replace delimiter max-args max-lines max-procs max-chars arg-file eof process-slot-var",
        until_operand=True,
    )
    call.add(Effect.READ)
    for path in given.values("a", "arg-file"):
        call.read(path)
    stdin = WILD if call.stdin is None or given.has("a", "arg-file") else call.stdin
    items = [part for part in re.split(r"[\n\0]+" if given.has("0", "null", "d", "delimiter", "I", "i") else r"[\s\0]+", stdin) if part] if static(stdin.replace(DEEP, "").replace("\ue010", "").replace("\ue001", "")) else [WILD]  # fmt: skip
    items = items[:32]
    command = list(given.operands) or ["echo"]
    if command[0].startswith(WILD):
        call.execute()
        return None
    replaced = [value or "{}" for value in given.values("I", "i", "replace")]
    if replaced:
        for item in items:
            call.run([part.replace(replaced[0], item) for part in command], stdin="")
        return None
    call.run([*command, *items], stdin="")
    return None


def _tar(call: Call) -> str | None:
    args = list(call.args)
    if args and not args[0].startswith("-") and re.fullmatch(r"[A-Za-z]+", args[0]):
        args[0] = "-" + args[0]
    if any("f" in a[1:-1] and a[0] == "-" and a[1:2] != "-" for a in args[:1]):
        first = args[0].replace("f", "") + "f"
        args[0] = first
    given = options(
        args,
        takes="fCTXIFgbHKNLV",
        long="file directory files-from exclude exclude-from use-compress-program checkpoint-action to-command info-script new-volume-script rsh-command owner group mode transform checkpoint format strip-components rmt-command",
    )
    if any(
        flag.startswith(("checkpoint-a", "to-c", "use-comp", "info-s", "new-vol", "rsh", "rmt"))
        for flag in given.flags
    ) or given.has("I", "F"):
        programs = given.values("I", "use-compress-program")
        if (
            not programs
            or any(
                p not in {"zstd", "pigz", "pbzip2", "lz4", "xz", "gzip", "bzip2", "zstdmt", "pxz"}
                for p in programs
            )
            or len(given.flags.keys() & {"checkpoint-action", "to-command"})
        ):
            call.execute("tar runs a program")
    archives = given.values("f", "file")
    if any(":" in a and not a.startswith("/") for a in archives) and not given.has("force-local"):
        call.add(Effect.EXFIL)
    if any(not static(a) and a.startswith(WILD) for a in args):
        call.doubt("an option of tar may be hidden in a value")
    for path in given.values("T", "files-from", "X", "exclude-from"):
        call.read(path)
    if given.has("t", "list", "d", "diff", "compare"):
        for path in archives:
            call.read(path)
        return None
    if given.has("x", "extract", "get"):
        for path in archives:
            call.read(path)
        for path in given.values("C", "directory") or (".",):
            call.write(path + "/" + DEEP)
        if given.has("P", "absolute-names"):
            call.doubt("an archive decides which files are written")
        return None
    for path in archives:
        call.write(path, truncates=not given.has("r", "u", "A", "append", "update"))
    for path in given.operands:
        call.read(path, deep=True)
    if given.has("remove-files"):
        call.add(Effect.DESTRUCTIVE)
    call.add(Effect.READ)
    return None


HANDLERS: Mapping[str, Handler] = {
    "sed": _sed, "gsed": _sed, "awk": _awk, "gawk": _awk, "mawk": _awk, "nawk": _awk, "sort": _sort, "uniq": _uniq, "tee": _tee,
    "find": _find, "xargs": _xargs, "tar": _tar, "bsdtar": _tar, "gtar": _tar,
}  # fmt: skip
