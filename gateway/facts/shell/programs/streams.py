"""sort, uniq and tee: streams of lines, with options that write or run."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.programs.content import some_lines
from gateway.model import Effect


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
    if any(option.startswith("files0") or "files0-from".startswith(option) for option in given.flags):
        call.doubt("which files are read stands in a file")
    return some_lines(call.stdin, narrowed=False) if not given.operands else None


def _uniq(call: Call) -> str | None:
    given = options(call.args, takes="fsw", long="skip-fields skip-chars check-chars")
    call.add(Effect.READ)
    for path in given.operands[:1]:
        call.read(path)
    for path in given.operands[1:2]:
        call.write(path, truncates=True)
    return some_lines(call.stdin, narrowed=bool(call.args)) if not given.operands else None


def _shuf(call: Call) -> str | None:
    given = options(call.args, takes="inoe", long="input-range head-count output random-source")
    call.add(Effect.READ)
    for path in given.values("o", "output"):
        call.write(path, truncates=True)
    for path in (
        *(() if given.has("e", "echo", "i", "input-range") else given.operands),
        *given.values("random-source"),
    ):
        call.read(path)
    return None


def _tee(call: Call) -> str | None:
    given = options(call.args, long="output-error")
    call.add(Effect.READ)
    for path in given.operands:
        call.write(path, truncates=not given.has("a", "append"))
    return call.stdin


HANDLERS: Mapping[str, Handler] = {
    "sort": _sort,
    "uniq": _uniq,
    "shuf": _shuf,
    "tee": _tee,
}
