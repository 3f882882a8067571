"""Programs that pack and unpack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gateway.facts.shell.call import Call, Handler, Options, each, options
from gateway.facts.shell.values import DEEP, WILD, words
from gateway.model import Effect

_COMPRESSORS = """
    gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd lz4 compress uncompress pigz lzma lzop brotli
"""


_TAR_TAKES = "fCTXIFgbHKNLV"
_TAR_LONG = """
    file directory files-from exclude exclude-from use-compress-program checkpoint-action to-command info-script
    new-volume-script rsh-command owner group mode transform checkpoint format strip-components rmt-command index-file
"""
_TAR_COMPRESSORS = words("zstd pigz pbzip2 lz4 xz gzip bzip2 zstdmt pxz")
"""What may stand behind -I without being a program that nobody knows."""


def _tar(call: Call) -> str | None:
    args = _spelled_out(call.args)
    given = _tar_options(args)
    if (
        given.has("F", "info-script", "new-volume-script")
        or given.has("checkpoint-action", "to-command", "rsh-command", "rmt-command")
        or not _TAR_COMPRESSORS.issuperset(given.values("I", "use-compress-program"))
    ):
        call.execute("tar runs a program")
    archives = given.values("f", "file")
    if any(":" in path and not path.startswith("/") for path in archives) and not given.has("force-local"):
        call.add(Effect.EXFIL)
    if any(arg.startswith(WILD) for arg in call.args):
        call.doubt("an option of tar may be hidden in a value")
    for path in given.values("T", "files-from", "X", "exclude-from"):
        call.read(path)
    for path in given.values("index-file"):
        call.write(path, truncates=True)
    if given.has("t", "list", "d", "diff", "compare"):
        for path in archives:
            call.read(path)
    elif given.has("x", "extract", "get"):
        _unpacked(call, given, archives, args)
    else:
        _packed(call, given, archives, args)
    return None


def _spelled_out(args: Sequence[str]) -> list[str]:
    """The first word may be letters without a dash; their values follow it in the letters' order."""
    if not args or not re.fullmatch(r"[A-Za-z]+", args[0]):
        return list(args)
    rest, spelled = list(args[1:]), []
    for letter in args[0]:
        spelled.append(f"-{letter}")
        if letter in _TAR_TAKES and rest:
            spelled.append(rest.pop(0))
    return [*spelled, *rest]


def _tar_options(args: Sequence[str], *, until_operand: bool = False) -> Options:
    return options(args, takes=_TAR_TAKES, long=_TAR_LONG, until_operand=until_operand)


def _unpacked(call: Call, given: Options, archives: Sequence[str], args: Sequence[str]) -> None:
    for path in archives:
        call.read(path)
    if given.has("O", "to-stdout"):
        return
    places = dict.fromkeys(place for place, _ in _named(args))
    for place in (*places, *filter(None, given.values("one-top-level"))):
        call.write(f"{place}/{DEEP}")
    if given.has("P", "absolute-names"):
        call.doubt("an archive decides which files are written")


def _packed(call: Call, given: Options, archives: Sequence[str], args: Sequence[str]) -> None:
    call.add(Effect.READ)
    for path in archives:
        call.write(path, truncates=not given.has("r", "u", "A", "append", "update"))
    for place, path in _named(args):
        if path:
            call.read(_below(place, path), deep=True)
    if given.has("remove-files"):
        call.add(Effect.DESTRUCTIVE)
    if given.values("T", "files-from"):
        call.doubt("which files are read stands in a file")


def _named(args: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The files that are named, each with where -C has gone by then; "" for all of them, at the end."""
    place = "."
    while True:
        part = _tar_options(args, until_operand=True)
        for step in part.values("C", "directory"):
            place = _below(place, step)
        if not part.operands:
            break
        yield place, part.operands[0]
        args = part.operands[1:]
    yield place, ""


def _below(place: str, path: str) -> str:
    return path if place == "." or path.startswith(("/", WILD)) else f"{place}/{path}"


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
            call.write(f"{path}/{DEEP}")
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
