"""bash's own commands, as far as they change the shell or run something."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gateway.facts.shell.call import Call, options
from gateway.facts.shell.printing import echo, printf
from gateway.facts.shell.values import CLASS, TAME, WILD, static, words
from gateway.model import Effect

_NAME = re.compile(rf"([A-Za-z_][A-Za-z0-9_]*)(\[.*\]|{CLASS})?(\+?)(?:=(.*))?\Z", re.DOTALL)
_ALTERING = re.compile(r"[-+][A-Za-z]*[luci]")
"""Options of `declare` by which a variable takes its values in another case, or as numbers."""
_SESSION = words(
    """
    : true false wait times ulimit umask bg fg disown suspend caller dirs compopt
    """
)
_READ = words("test [ type pwd help")
OTHERWISE = words("nocaseglob cdable_vars xpg_echo keyword -k")
"""Options of `shopt` and `set`, and those of bash itself, by which words mean something else than they say."""


def indexed(value: str) -> bool:
    """Whether the shell, computing a subscript in the value, may run a command."""
    opened = value.find("[")
    return opened >= 0 and max(value.rfind("$("), value.rfind("`")) > opened


def run(call: Call) -> str | None:
    """What a builtin prints; `None` where the name is none that is known here."""
    if any(indexed(arg) for arg in call.args) and call.name in _EVALUATING:
        call.execute("a subscript holds a command that the shell runs")
    handler = HANDLERS.get(call.name)
    if handler is not None:
        return handler(call)
    if call.name in _SESSION:
        call.add(Effect.SESSION)
        return WILD if call.name in {"dirs", "times", "caller"} else ""
    if call.name in _READ:
        call.add(Effect.READ)
        return WILD if call.name in {"type", "pwd"} else ""
    return None


_EVALUATING = words(
    """
    test [ [[ printf read unset let local declare typeset export readonly mapfile readarray wait getopts
    """
)


def _declare(call: Call) -> str:
    call.add(Effect.SESSION)
    if call.name in {"export", "declare", "typeset"} and not [a for a in call.args if not a.startswith("-")]:
        call.add(Effect.READ, Effect.EXFIL)  # prints every variable, secrets among them
    for arg in call.args:
        if arg.startswith(("-", "+")):
            if "n" in arg and call.name != "export":
                why = "a variable becomes another name for one that is not known"
                call.doubt(why)
                call.walker.shell.doubts = (why,)
            continue
        found = _NAME.match(arg)
        if found is None:
            if not static(arg):
                call.doubt("which variable is set is not known")
            continue
        if call.name in {"local", "declare", "typeset"}:
            call.walker.local(found[1])
        if any(_ALTERING.match(option) for option in call.args):
            call.walker.shell.altered |= {found[1]}
        if found[4] is not None:
            call.walker.assign(found[1] + (found[2] or ""), [found[4]])
        if call.name == "readonly" or any(arg.startswith("-") and "r" in arg for arg in call.args):
            call.walker.shell.fixed |= {found[1]}
    return ""


def _read(call: Call) -> str:
    call.add(Effect.SESSION)
    given = options(call.args, takes="dnNptiua")
    line = (call.stdin or "").strip("\n")
    known = line if call.stdin is not None and static(line) and "\n" not in line else WILD
    names = [name for name in (*given.operands, *given.values("a")) if _NAME.match(name)] or ["REPLY"]
    for name in names:
        call.walker.assign(name, [known if len(names) == 1 and not given.has("a") else WILD])
    return ""


def _mapfile(call: Call) -> str:
    call.add(Effect.SESSION)
    given = options(call.args, takes="dnOsuCc")
    for callback in given.values("C"):
        call.walker.text(callback + " 0 x")
    for name in given.operands or ("MAPFILE",):
        call.walker.assign(name, [WILD])
    return ""


_SURE = words("/ /etc /tmp /usr /var /home /bin /usr/bin /usr/lib /usr/share /var/log /var/lib /var/tmp ~")
"""Directories that a `cd` gets to on whatever target, as whatever user."""
_KEPT = re.compile(
    r"(?:/(?:etc|root|proc|sys|boot|dev|usr|s?bin|lib|var/(?:lib|spool))|(?:~|/home/[^/]+)/\.\w+)(?:/|\Z)"
)
"""Where a bare name may be a guard's or a credential's, so that it counts that one may still be there."""
_KEPT_MOST = 3


def _cd(call: Call) -> str:
    call.add(Effect.SESSION)
    shell = call.walker.shell
    if call.name != "cd" and "-n" in call.args:
        return ""
    default = "~" if call.name == "cd" else "-"
    target = next((arg for arg in call.args if not arg.startswith("-") or arg == "-"), default)
    kept = [] if target in _SURE else [place for place in shell.directories if _KEPT.match(place)]
    if target == "-" or call.name == "popd" or re.match(r"[-+]\d", target):
        shell.go(*shell.visited)
    elif target[:1] in {"/", "~"}:
        shell.go(target, *kept[-_KEPT_MOST:])
    elif target:
        there = [f"{place.rstrip('/')}/{target}" if place else target for place in shell.directories]
        places = [*there, *kept]
        # Where they get many, the one that every `cd` led to, and the oldest of the others.
        shell.go(*(places if len(places) <= 2 * _KEPT_MOST else [there[0], *kept[-_KEPT_MOST:]]))
    return ""


def _eval(call: Call) -> str:
    text = " ".join(call.args[1:] if call.args[:1] == ("--",) else call.args)
    if not static(text):
        call.execute("a shell runs a text that only the target knows")
        if text.startswith(WILD):
            return WILD
    return call.walker.text(text, stdin=call.stdin)


def _exec(call: Call) -> str:
    given = options(call.args, takes="a", until_operand=True)
    call.add(Effect.SESSION)
    return call.run(given.operands) if given.operands else ""


def _command(call: Call) -> str:
    given = options(call.args, until_operand=True)
    if given.has("v", "V"):
        call.add(Effect.READ)
        return f"{TAME}/{given.operands[0]}\n" if len(given.operands) == 1 else WILD
    if not given.operands:
        return ""
    shell = call.walker.shell
    hidden = shell.functions.pop(given.operands[0], None)
    printed = call.run(given.operands)
    if hidden is not None:
        shell.functions[given.operands[0]] = hidden
    return printed


def _source(call: Call) -> str:
    if call.args:
        call.read(call.args[0])
    return call.execute("a script is run that the text does not show")


def _alias(call: Call) -> str:
    call.add(Effect.SESSION)
    for arg in call.args:
        name, equals, value = arg.partition("=")
        if equals:
            if not static(arg):
                call.doubt("an alias stands for what is not known")
                continue
            call.walker.shell.aliases[name] = (value,)
    return WILD


def _unalias(call: Call) -> str:
    call.add(Effect.SESSION)
    for arg in call.args:
        call.walker.shell.aliases.pop(arg, None)
    return ""


def _trap(call: Call) -> str:
    call.add(Effect.SESSION)
    given = options(call.args, until_operand=True)
    if not given.operands or given.has("l", "p"):
        return ""
    code, *signals = given.operands
    shell = call.walker.shell
    for signal in signals:
        if not shell.left:
            shell.traps.pop(signal, None)
    if code not in {"-", ""}:
        before = shell.copy()
        _eval(Call(name="eval", args=(code,), stdin=None, walker=call.walker))
        shell.join(before)  # it runs when the signal comes
        for signal in signals:
            shell.traps[signal] = (*shell.traps.get(signal, ()), code)
        if any(not static(name) or name.upper() in {"DEBUG", "SIGDEBUG"} for name in signals):
            call.walker.reading.traps_each = True
            _lasting(call, "a trap runs before each command that follows")
    return ""


def _enable(call: Call) -> str:
    call.add(Effect.SESSION)
    if any(arg not in {"-a", "-p", "-s"} for arg in call.args):
        _lasting(call, "a builtin is loaded or switched off")
    return WILD


def _lasting(call: Call, why: str) -> None:
    """Names mean something else from now on, also for later lines."""
    call.execute(why)
    call.walker.shell.doubts = (why,)


def _shopt(call: Call) -> str:
    call.add(Effect.SESSION)
    if any(arg in OTHERWISE or not static(arg) for arg in call.args):
        _lasting(call, "an option makes the shell read words otherwise")
    return WILD


def _set(call: Call) -> str:
    call.add(Effect.SESSION)
    shell = call.walker.shell
    if not call.args:
        call.add(Effect.READ, Effect.EXFIL)
    given = list(call.args)
    while given and re.match(r"[-+]\w", given[0]):
        letters = given.pop(0)
        # Each `o` takes one of the words that follow, wherever among the letters it stands.
        names = [given.pop(0) for letter in letters if letter == "o" and given]
        if letters.startswith("+") and "history" in names:
            call.add(Effect.PRIVILEGE)
        if "keyword" in names or (letters.startswith("-") and "k" in letters) or not all(map(static, names)):
            _lasting(call, "an option makes the shell read words otherwise")
    if given and not static(given[0]):
        call.doubt("which options the shell gets is not known")
    if given:
        for value in given:
            call.walker.holds(value)
        shell.positionals = None if shell.left else tuple(given[1:] if given[0] in {"--", "-"} else given)
    return ""


def _let(call: Call) -> str:
    call.add(Effect.SESSION)
    for arg in call.args:
        call.walker.shell.compute(arg)
    return ""


def _getopts(call: Call) -> str:
    call.add(Effect.SESSION)
    for name in ("OPTARG", *call.args[1:2]):
        call.walker.assign(name, [WILD])
    return ""


def _jobs(call: Call) -> str:
    call.add(Effect.SESSION)
    given = options(call.args, until_operand=True)
    return call.run(given.operands) if given.has("x") and given.operands else WILD


def _shift(call: Call) -> str:
    call.add(Effect.SESSION)
    shell = call.walker.shell
    by = call.args[0] if call.args else "1"
    if shell.positionals is not None:
        shell.positionals = shell.positionals[int(by) :] if by.isdigit() and not shell.left else None
    return ""


def _leave(call: Call) -> str:
    """What follows in the text may not run."""
    call.add(Effect.SESSION)
    call.walker.shell.left = True
    return ""


def _unset(call: Call) -> str:
    call.add(Effect.SESSION)
    shell = call.walker.shell
    for arg in call.args:
        if arg in {"PATH", "IFS", "HISTFILE"}:
            call.add(Effect.PRIVILEGE)
        if shell.left:
            shell.set(arg, [""])
            if arg in shell.functions:
                shell.functions[arg] = (*shell.functions[arg], None)
        else:
            shell.variables.pop(arg, None)
            shell.functions.pop(arg, None)
    return ""


def _hooked(call: Call) -> str:
    """bind, complete, compgen, hash: with some options they name what will run."""
    call.add(Effect.SESSION)
    if any(arg.startswith("-") and set(arg) & set("xCFpfW") for arg in call.args) or any(
        ":" in arg for arg in call.args
    ):
        _lasting(call, "the shell is told what to run later")
    return WILD


def _history(call: Call) -> str:
    given = options(call.args, takes="d")
    if given.has("c", "d", "w", "a", "r"):
        call.add(Effect.PRIVILEGE, Effect.DESTRUCTIVE)
    call.add(Effect.READ, Effect.EXFIL)
    return WILD


def _fc(call: Call) -> str:
    return _history(call) if "-l" in call.args else call.execute()


def _kill(call: Call) -> str:
    first = call.args[:1]
    if first in {("-l",), ("-L",), ("--list",), ("-0",)} or call.args[:2] in {("-s", "0"), ("-n", "0")}:
        call.add(Effect.READ)
        return WILD
    targets = [target for target in call.args if not target.startswith("-")]
    if targets and all(_OWN_JOB.fullmatch(target) for target in targets):
        call.add(Effect.SESSION)
        return WILD
    call.add(Effect.DESTRUCTIVE)
    for target in targets:
        call.resource("process", target, Effect.DESTRUCTIVE)
    return WILD


_OWN_JOB = re.compile(r"%(?:[0-9]+|[%+-])?")
"""What the same text has begun, by its number."""


def _sleep(call: Call) -> str:
    call.add(Effect.SESSION)
    return ""


HANDLERS: Mapping[str, Callable[[Call], str]] = {
    "echo": echo,
    "printf": printf,
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), _declare),
    "read": _read,
    **dict.fromkeys(("mapfile", "readarray"), _mapfile),
    **dict.fromkeys(("cd", "pushd", "popd"), _cd),
    "eval": _eval,
    "exec": _exec,
    **dict.fromkeys(("command", "builtin"), _command),
    **dict.fromkeys(("source", "."), _source),
    "alias": _alias,
    "unalias": _unalias,
    "trap": _trap,
    "enable": _enable,
    "shopt": _shopt,
    "set": _set,
    "unset": _unset,
    "let": _let,
    "getopts": _getopts,
    "jobs": _jobs,
    "shift": _shift,
    **dict.fromkeys(("break", "continue", "return", "exit", "logout"), _leave),
    **dict.fromkeys(("bind", "complete", "compgen", "hash"), _hooked),
    "history": _history,
    "fc": _fc,
    "kill": _kill,
    "sleep": _sleep,
}
