"""Programs that pack and unpack."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import DEEP, WILD, static
from gateway.model import Effect

_COMPRESSORS = """
    gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd lz4 compress uncompress pigz lzma lzop brotli
"""


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
        long="""
            file directory files-from exclude exclude-from use-compress-program checkpoint-action to-command
            info-script new-volume-script rsh-command owner group mode transform checkpoint format
            strip-components rmt-command index-file
        """,
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
    for path in given.values("index-file"):
        call.write(path, truncates=True)
    if given.values("T", "files-from") and not given.has("t", "list", "x", "extract", "get"):
        call.doubt("which files are read stands in a file")
    if given.has("t", "list", "d", "diff", "compare"):
        for path in archives:
            call.read(path)
        return None
    if given.has("x", "extract", "get"):
        for path in archives:
            call.read(path)
        if given.has("O", "to-stdout"):
            return None
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


def _compress(call: Call) -> str | None:
    given = options(call.args, takes="SbTM", long="suffix threads")
    call.add(Effect.READ)
    for path in given.operands:
        call.read(path, deep=given.has("r"))
        if not given.has("c", "stdout", "to-stdout", "l", "list", "t", "test"):
            call.write(path)
    return None


def _zip(call: Call) -> str | None:
    given = options(call.args, takes="bntPxi", long="unzip-command")
    if given.has("unzip-command", "TT") or any(a.startswith("-TT") for a in call.args):
        call.execute()
    for path in given.operands[:1]:
        call.write(path, truncates=True)
    for path in given.operands[1:]:
        call.read(path, deep=given.has("r"))
    return None


def _unzip(call: Call) -> str | None:
    given = options(call.args, takes="dxP")
    for path in given.operands[:1]:
        call.read(path)
    if not given.has("l", "t", "p", "v", "Z", "c"):
        for path in given.values("d") or (".",):
            call.write(path + "/\ue013")
    return None


def _archive(call: Call) -> str | None:
    verb = call.args[0] if call.args else ""
    call.add(Effect.READ)
    if verb not in {"l", "t", "list", "test"}:
        call.add(Effect.WRITE)
    for path in call.args[1:]:
        call.read(path)
    if any(arg.startswith("-si") or "-to" in arg for arg in call.args):
        call.execute()
    return None


HANDLERS: Mapping[str, Handler] = {
    **each("tar bsdtar gtar", _tar),
    **each(_COMPRESSORS, _compress),
    "zip": _zip,
    "unzip": _unzip,
    **each("7z 7za ar", _archive),
}
