"""rsync: what a user calls, and what a client's rsync starts on the target."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.programs.remote import transfer
from gateway.facts.shell.values import DEEP, WILD, words
from gateway.model import Effect

_PLAIN_SHELL = re.compile(
    r"""ssh(?:\s+(?:-p\s*\d+|-i\s*[\w./~-]+|-[46Cqv]+
    |-o\s*(?:StrictHostKeyChecking|UserKnownHostsFile|ConnectTimeout|BatchMode)=[\w./]+))*""",
    re.VERBOSE,
)
_LETTERS = re.compile(
    r"-(?=.)[abcdghiklmnopqrtuvxyzACDEHIJKLNORSUWX0]*(?:B[0-9]+)?(?:e[0-9]*\.[0-9]*[A-Za-z]*)?"
)
"""What a client's rsync sends as one word: `-logDtpre.iLsfxCIvu`. Not `s`: the real command line would come behind it, unseen."""
_WRITTEN = words("--backup-dir --temp-dir --partial-dir")
_COMPARED = words("--compare-dest --copy-dest --link-dest")
_PLAIN = words(
    """
    --append --backup --bwlimit --checksum-choice --checksum-seed --compress-choice --compress-level --copy-devices
    --copy-unsafe-links --debug --delay-updates --dirs --existing --fake-super --force --from0 --fuzzy --groupmap --iconv
    --ignore-errors --ignore-existing --ignore-missing-args --info --inplace --list-only --log-format --max-alloc --max-delete
    --max-size --min-size --mkpath --modify-window --msgs2stderr --munge-links --new-compress --no-W --no-i-r
    --no-implied-dirs --no-msgs2stderr --no-r --no-relative --no-specials --no-compress --numeric-ids --old-compress
    --one-file-system --open-noatime --partial --preallocate --safe-links --size-only --skip-compress --sparse --specials
    --stats --stop-at --suffix --super --timeout --use-qsort --usermap
    """
)
_REMOVES = words("--remove-source-files --remove-sent-files")
_NOT_SENT = "a transfer's command line is not the one that rsync sends"


def _rsync(call: Call) -> str | None:
    given = options(
        call.args,
        takes="efBTM@",
        long="""
            rsh rsync-path exclude include exclude-from include-from files-from filter password-file log-file
            temp-dir partial-dir backup-dir compare-dest copy-dest link-dest chmod chown bwlimit timeout port
            max-size min-size block-size out-format remote-option suffix info debug
            write-batch only-write-batch read-batch
        """,
    )
    if "--server" in call.args:
        return _server(call)
    for shell in given.values("e", "rsh"):
        if not _PLAIN_SHELL.fullmatch(shell):
            call.execute("rsync runs a program of its options")
    if given.has("rsync-path", "M", "remote-option", "daemon", "config"):
        call.execute("rsync runs a program of its options")
    for path in given.values("files-from", "exclude-from", "include-from", "password-file"):
        call.read(path)
    for path in given.values("log-file", "write-batch", "only-write-batch"):
        call.write(path)
    if given.has("read-batch"):
        call.doubt("a batch decides which files are written")
    if given.has("remove-source-files") or any(flag.startswith("del") for flag in given.flags):
        call.add(Effect.DESTRUCTIVE)
    return transfer(call, given.operands, deep=True)


def _server(call: Call) -> str | None:
    """`rsync --server [--sender] -flags . path`: any other option may read, write or run what no path here shows."""
    sends = "--sender" in call.args
    operands: list[str] = []
    args = iter(call.args)
    if next(args) != "--server":
        call.doubt(_NOT_SENT)
    for arg in args:
        name, _, value = arg.partition("=")
        if arg.startswith(WILD):
            call.doubt(_NOT_SENT)
        elif not arg.startswith("-"):
            operands.append(arg)
        elif name in _WRITTEN:
            call.write(value or next(args, ""))
        elif name in _COMPARED:
            call.read(value or next(args, ""), deep=True)
        elif name.startswith("--del"):
            call.add(Effect.DESTRUCTIVE)
        elif not (arg == "--sender" or name in _PLAIN or name in _REMOVES or _LETTERS.fullmatch(arg)):
            call.doubt(_NOT_SENT)
    removes = not _REMOVES.isdisjoint(call.args)
    for path in operands[1:]:
        if sends:
            call.read(path, deep=True)
            if removes:
                call.remove(path, deep=True)
        else:
            call.write(path, truncates=True)
            call.below(path, DEEP)
    if len(operands) < 2 or operands[0] != ".":
        call.doubt(_NOT_SENT)
    return None


HANDLERS: Mapping[str, Handler] = {"rsync": _rsync}
