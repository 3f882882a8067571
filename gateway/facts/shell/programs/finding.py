"""find and xargs: what is found, and what is run for it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import COUNT, DEEP, STAR, TAME, WILD, static, words
from gateway.model import Effect

_FOLLOWED = {ord(mark): None for mark in (DEEP, STAR, TAME, COUNT)}
"""Marks of values that xargs may pass on one by one."""
_FIND_OPERATORS = words(
    """
    ( ) ! , -a -o -and -or -not
    """
)
_FIND_PLAIN = words(
    """
    -name -iname -path -ipath -wholename -iwholename -regex -iregex -type -xtype -size -mtime -atime -ctime
    -mmin -amin -cmin -newer -anewer -cnewer -user -group -uid -gid -perm -maxdepth -mindepth -links -inum
    -samefile -fstype -lname -ilname -context -used -printf -regextype -newermt -newerat -newerct -newermm
    -newerBt -newerac -D -O
    """
)
_FIND_FLAGS = words(
    """
    -print -print0 -ls -empty -prune -depth -d -mount -xdev -follow -readable -writable -executable -nouser
    -nogroup -true -false -quit -daystart -noleaf -ignore_readdir_race -noignore_readdir_race -warn -nowarn
    -H -L -P -E -X
    """
)


_FIRST_ITEMS = 32


def _find(call: Call) -> str | None:
    args = list(call.args)
    call.add(Effect.READ)
    roots: list[str] = []
    while args and (not args[0].startswith(("-", "(", "!")) or args[0] in {"-H", "-L", "-P"}):
        root = args.pop(0)
        if roots and root.startswith(WILD):
            call.doubt("what find is told is not known")
        if not root.startswith("-"):
            roots.append(root)
            call.list(root)
    names = [value for option, value in itertools.pairwise(args) if option in {"-name", "-iname"}]
    below = [f"{root.rstrip('/')}/{DEEP}" for root in roots or ["."]]
    # A name that is searched for narrows what is found: `-name '*.log'` finds no keys.
    if len(names) == 1 and "-o" not in args and "/" not in names[0]:
        below = [f"{path}/{names[0].replace('*', STAR)}" for path in below]
    printed = "\n".join(below) + "\n"
    while args:
        arg = args.pop(0)
        if arg in _FIND_PLAIN:
            args = args[1:]
        elif arg in {"-exec", "-execdir", "-ok", "-okdir"}:
            args = _find_exec(call, args, printed)
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


def _find_exec(call: Call, args: list[str], printed: str) -> list[str]:
    end = next(
        (i for i, a in enumerate(args) if a == ";" or (a == "+" and i and args[i - 1] == "{}")), len(args)
    )
    for found in printed.split("\n"):
        if found:
            call.run([part.replace("{}", found) for part in args[:end]], stdin="")
    return args[end + 1 :]


_ATTACHED = re.compile(r"(-[0oprtx]*[iel])(.*)", re.DOTALL)
"""Options of xargs whose value stands in the same word or not at all."""


def _xargs(call: Call) -> str | None:
    given = options(
        [found[1] if (found := _ATTACHED.fullmatch(arg)) else arg for arg in call.args],
        takes="IEdLnPsa",
        long="delimiter max-args max-procs max-chars arg-file process-slot-var",
        until_operand=True,
    )
    own = len(call.args) - len(given.operands)
    command = list(call.args[own:]) or ["echo"]
    call.add(Effect.READ)
    for path in given.values("a", "arg-file"):
        call.read(path)
    if command[0].startswith(WILD):
        call.execute()
        return None
    attached = [found for arg in call.args[:own] if (found := _ATTACHED.fullmatch(arg))]
    replaced = [
        *given.values("I"),
        *(value or "{}" for value in given.values("replace")),
        *(found[2] or "{}" for found in attached if found[1].endswith("i")),
    ]
    stdin = WILD if call.stdin is None or given.has("a", "arg-file") else call.stdin
    items = _items(stdin, by_line=bool(replaced) or given.has("0", "null", "d", "delimiter"))
    if replaced:
        for item in items:
            call.run([part.replace(replaced[0], item) for part in command], stdin="")
    else:
        call.run([*command, *items], stdin="")
    return None


def _items(text: str, *, by_line: bool) -> list[str]:
    """What xargs makes words of, as far as that is known; the first of them stand for the rest."""
    if not static(text.translate(_FOLLOWED)):
        return [WILD]
    return [part for part in re.split(r"[\n\0]+" if by_line else r"[\s\0]+", text) if part][:_FIRST_ITEMS]


def _fd(call: Call) -> str | None:
    """Find's relative, whose `-x` takes all that follows for a command."""
    for at, arg in enumerate(call.args):
        if arg in {"-x", "-X", "--exec", "--exec-batch"}:
            command = [re.sub(r"\{(?:/{0,2}|/?\.)\}", DEEP, word) for word in call.args[at + 1 :]]
            return call.run([*command, DEEP] if command == list(call.args[at + 1 :]) else command)
    if any(re.match(r"--exec|-[a-zA-Z]*[xX]", arg) for arg in call.args):
        return call.execute("a program is run on what is found")
    given = options(
        call.args,
        takes="eEtSdcjoC",
        long="extension exclude type size max-depth min-depth exact-depth color threads owner changed-within changed-before",
    )
    call.add(Effect.READ)
    for path in given.operands[1:]:
        call.list(path)
    return DEEP


HANDLERS: Mapping[str, Handler] = {
    "find": _find,
    **each("fd fdfind", _fd),
    "xargs": _xargs,
}
