"""Programs that make, move, change or remove files, and those that change who may use them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import COUNT, DEEP, WILD
from gateway.model import Effect


def _rm(call: Call) -> str | None:
    given = options(call.args)
    deep = given.has("r", "R", "recursive", "d", "dir", "no-preserve-root") and call.name != "rmdir"
    call.add(Effect.WRITE)
    for path in given.operands:
        call.remove(path, deep=(deep and not given.has("d", "dir")) or given.has("r", "R", "recursive"))
    return ""


def _shred(call: Call) -> str | None:
    given = options(call.args, takes="nse", long="iterations size random-source")
    call.add(Effect.DESTRUCTIVE, Effect.WRITE)
    for path in given.operands:
        call.remove(path, deep=True)
    return ""


def _copy(call: Call) -> str | None:
    given = options(
        call.args, takes="tSmog", long="target-directory suffix mode owner group context strip-program backup"
    )
    call.add(Effect.WRITE)
    targets = given.values("t", "target-directory")
    sources = given.operands if targets else given.operands[:-1]
    for path in targets or given.operands[-1:]:
        call.write(path, truncates=True)
        # The target may be a directory that the sources land in.
        for source in sources:
            call.below(path, source.rstrip("/").rsplit("/", 1)[-1])
    for path in sources:
        if call.name != "ln" or not given.has("s", "symbolic"):
            call.read(path, deep=call.name == "mv" or given.has("r", "R", "a", "recursive", "archive"))
        if call.name == "mv":
            call.remove(path)
        if call.name == "mv":
            call.below(path, DEEP)
        if call.name == "ln":
            for meant in _linked(path, targets or given.operands[-1:]):
                call.read(meant, deep=True)
                call.below(meant, DEEP)
    if (
        call.name == "install"
        and given.has("m", "o", "g", "mode", "owner", "group")
        and any("4" in m[:-3] or "s" in m for m in given.values("m", "mode"))
    ):
        call.add(Effect.PRIVILEGE)
    if given.has("strip-program"):
        call.execute()
    return ""


def _linked(path: str, targets: tuple[str, ...]) -> list[str]:
    """What a link leads to: a relative one begins where it lies, which is where its name says or below that."""
    if path.startswith(("/", "~", WILD)):
        return [path]
    return [
        path,
        *(posixpath.join(base, path) for each in targets for base in (posixpath.dirname(each), each)),
    ]


def _make(call: Call) -> str | None:
    given = options(call.args, takes="mdrtZ", long="mode date reference time")
    call.add(Effect.WRITE)
    for path in given.operands:
        call.write(path)
    return None


def _truncate(call: Call) -> str | None:
    given = options(call.args, takes="srlo", long="size reference length offset")
    for path in given.operands:
        call.write(path, truncates=True)
        call.resource("file", path, Effect.DESTRUCTIVE)
    return ""


def _dd(call: Call) -> str | None:
    call.add(Effect.READ)
    for arg in call.args:
        name, _, value = arg.partition("=")
        if name == "if":
            call.read(value)
        elif name == "of":
            call.write(value, truncates=True)
        elif arg.startswith(WILD):
            call.doubt("an operand of dd is not known")
    return None


def _rights(call: Call) -> str | None:
    call.add(Effect.PRIVILEGE)
    for path in options(call.args, takes="m", long="reference").operands[1:]:
        call.resource("file", path, Effect.PRIVILEGE)
    return None


def _split(call: Call) -> str | None:
    given = options(
        call.args,
        takes="fbn" if call.name == "csplit" else "abClnt",
        long="filter bytes lines number suffix-length additional-suffix prefix suffix-format digits",
    )
    for prefix in given.values("f", "prefix"):
        call.write(prefix)
    if given.has("filter"):
        for text in given.values("filter"):
            call.script(text)
        call.add(Effect.EXEC)
    call.add(Effect.READ, Effect.WRITE)
    for path in given.operands[:1]:
        call.read(path)
    for path in given.operands[1:2]:
        call.write(path)
    return None


def _patch(call: Call) -> str | None:
    call.add(Effect.READ, Effect.WRITE)
    if any(a.startswith("-") and "e" in a[1:3] for a in call.args):
        call.execute()
    call.doubt("a patch decides which files are written")
    return None


def _mktemp(call: Call) -> str | None:
    call.add(Effect.WRITE)
    return "/tmp/tmp." + COUNT  # noqa: S108  # the name that mktemp gives


HANDLERS: Mapping[str, Handler] = {
    **each("rm rmdir unlink", _rm),
    **each("shred wipe srm", _shred),
    **each("cp mv ln link install", _copy),
    **each("mkdir touch mkfifo", _make),
    **each("truncate fallocate", _truncate),
    **each("dd dcfldd", _dd),
    **each("chmod chown chgrp setfacl chattr setcap chcon restorecon setfattr mknod", _rights),
    **each("split csplit", _split),
    "patch": _patch,
    "mktemp": _mktemp,
}
