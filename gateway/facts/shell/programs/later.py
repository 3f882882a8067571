"""Programs that run a command later, or in a terminal or unit of its own."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import static
from gateway.model import Effect


def _later(call: Call) -> str | None:
    """at, batch: what stdin holds runs later."""
    given = options(call.args, takes="qft", long="")
    if given.has("l") or call.name == "atq":
        call.add(Effect.READ)
        return None
    if given.has("d", "r") or call.name == "atrm":
        call.add(Effect.DESTRUCTIVE)
        return None
    call.add(Effect.EXEC)
    if call.stdin is not None and static(call.stdin):
        return call.script(call.stdin)
    return call.execute("a shell later reads what the text does not show")


def _crontab(call: Call) -> str | None:
    given = options(call.args, takes="u")
    if given.has("l") and not given.operands:
        call.add(Effect.READ)
        return None
    call.add(Effect.EXEC, Effect.PRIVILEGE)
    if given.has("r"):
        call.add(Effect.DESTRUCTIVE)
    return None


def _systemd_run(call: Call) -> str | None:
    given = options(
        call.args,
        takes="upMHEptG",
        long="""
            unit property machine host setenv description slice uid gid on-calendar on-active on-boot working-directory
            timer-property service-type
        """,
        until_operand=True,
    )
    call.add(Effect.EXEC, Effect.PRIVILEGE)
    return call.run(given.operands) if given.operands else None


_LISTS = frozenset({"ls", "list-sessions", "lsw", "list-windows", "list-panes", "info"})


def _multiplexer(call: Call) -> str | None:
    words = [arg for arg in call.args if not arg.startswith("-")]
    listed = (words[:1] and words[0] in _LISTS) or call.args[:1] in {("-ls",), ("-list",)}
    # Behind a semicolon stands another command of tmux's, and in `#(` one of a shell's.
    if listed and not any(arg.endswith(";") or "#(" in arg for arg in call.args):
        call.add(Effect.READ)
        return None
    if any(word.startswith("kill") for word in words) or "quit" in words:
        call.add(Effect.DESTRUCTIVE)
    for word in words:
        if " " in word and static(word):
            call.script(word)
    return call.execute("a terminal of its own runs what the text does not show")


HANDLERS: Mapping[str, Handler] = {
    **each("at batch atq atrm", _later),
    "crontab": _crontab,
    "systemd-run": _systemd_run,
    **each("tmux screen byobu dtach zellij", _multiplexer),
}
