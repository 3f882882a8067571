"""Text tools that are languages of their own or have options that write or run: sed, awk, sort, uniq, tee."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import WILD
from gateway.model import Effect

_PROGRAM = 4_096
_SED_FLAGS = re.compile(r"s(.)(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1([a-zA-Z0-9]*)", re.DOTALL)
_SED_RUNS = re.compile(r"(?:^|[;{}\n]|[0-9$/!]\s*)\s*e(?:\s|$|;|\})")
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
        long="""
            key output field-separator temporary-directory buffer-size compress-program files0-from batch-size
            parallel
        """,
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


HANDLERS: Mapping[str, Handler] = {
    **each("sed gsed", _sed),
    **each("awk gawk mawk nawk", _awk),
    "sort": _sort,
    "uniq": _uniq,
    "tee": _tee,
}
