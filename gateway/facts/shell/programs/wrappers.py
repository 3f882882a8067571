"""Programs that run another command: as someone else, elsewhere, later, watched, or under limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import WILD, static, words
from gateway.model import Effect

_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)


def _run_with(call: Call, words: tuple[str, ...]) -> str | None:
    """Run what stands behind leading `NAME=value` words, which hold for it alone; `None` where nothing does."""
    shell = call.walker.shell
    variables, doubts = dict(shell.variables), shell.doubts
    at = 0
    while at < len(words) and (found := _ASSIGNED.match(words[at])):
        call.walker.assign(found[1], [found[2]])
        at += 1
    printed = call.run(words[at:]) if at < len(words) else None
    shell.variables, shell.doubts = variables, doubts
    return printed


_LISTING = frozenset({"l", "list", "n", "non-interactive"})


def _sudo(call: Call) -> str | None:
    given = options(
        call.args,
        takes="CDghpRrTtuU" if call.name == "sudo" else "Cu",
        long="user group host prompt chdir chroot role type command-timeout other-user close-from",
        until_operand=True,
    )
    if (
        call.name == "sudo"
        and not given.operands
        and given.flags
        and set(given.flags) <= _LISTING
        and given.has("l", "list")
    ):
        call.add(Effect.READ)  # what one may do
        return None
    call.walker.reading.sudo = True
    call.add(Effect.PRIVILEGE)
    if given.has("e", "edit"):
        for path in given.operands:
            call.write(path)
        return call.execute()
    if (printed := _run_with(call, given.operands)) is not None:
        return printed
    if given.has("s", "i", "shell", "login"):
        return call.execute("a shell of another user reads what the text does not show")
    return None


def _su(call: Call) -> str | None:
    given = options(
        call.args,
        takes="cCgGsTwu",
        long="command session-command shell group supp-group whitelist-environment user",
    )
    call.walker.reading.sudo = True
    call.add(Effect.PRIVILEGE)
    texts = given.values("c", "command", "session-command", "C")
    for text in texts:
        call.script(text)
    if given.has("s", "shell"):
        call.add(Effect.EXEC)
    if call.name == "runuser" and given.has("u", "user") and given.operands:
        return call.run(given.operands)
    return None if texts else call.execute("a shell of another user reads what the text does not show")


def _env(call: Call) -> str | None:
    given = options(call.args, takes="uCSP", long="unset chdir split-string argv0", until_operand=True)
    split = given.values("S", "split-string")
    if split:
        return call.script(" ".join([*split, *given.operands]))
    # A lone dash is -i.
    words = given.operands[1:] if given.operands[:1] == ("-",) else given.operands
    if (printed := _run_with(call, words)) is not None:
        return printed
    call.add(Effect.READ, Effect.EXFIL)  # prints every variable, secrets among them
    return None


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a wrapper's own words end: letters and long options that take a value, operands before the command."""

    takes: str = ""
    long: str = ""
    operands: int = 0
    runs: bool = False
    """It does more than change limits: it watches, redirects or replaces what the command does."""


_SIMPLE: Mapping[str, _Shape] = {
    "nice": _Shape("n", "adjustment"),
    "ionice": _Shape("cnpPu", "class classdata pid"),
    "chrt": _Shape("TPD", "sched-runtime sched-period sched-deadline", 1),
    "taskset": _Shape(operands=1),
    "numactl": _Shape("NmCpi"),
    "choom": _Shape("np"),
    "prlimit": _Shape(),
    "timeout": _Shape("ks", "kill-after signal", 1),
    "gtimeout": _Shape("ks", operands=1),
    "time": _Shape("fo", "format output"),
    "nohup": _Shape(),
    "setsid": _Shape(),
    "stdbuf": _Shape("ioe", "input output error"),
    "unbuffer": _Shape(),
    "chronic": _Shape(),
    "ts": _Shape(),
    "catchsegv": _Shape(),
    "eatmydata": _Shape(),
    "faketime": _Shape(operands=1),
    "linux32": _Shape(),
    "linux64": _Shape(),
    "setarch": _Shape(operands=1),
    "xvfb-run": _Shape("ensp"),
    "dbus-run-session": _Shape(long="config-file dbus-daemon"),
    "cgexec": _Shape("g", runs=True),
    "softlimit": _Shape("acdflmorst", runs=True),
    "strace": _Shape("aeEIOopPsSuUX", "trace output attach", runs=True),
    "ltrace": _Shape("aeFlnopsSuwx", runs=True),
    "fakeroot": _Shape("lsib", runs=True),
    "proot": _Shape(runs=True),
    "bwrap": _Shape(runs=True),
    "firejail": _Shape(runs=True),
    "torsocks": _Shape(runs=True),
    "proxychains": _Shape("f", runs=True),
    "proxychains4": _Shape("f", runs=True),
}


def _simple(call: Call) -> str | None:
    shape = _SIMPLE[call.name]
    given = options(call.args, takes=shape.takes, long=shape.long, until_operand=True)
    call.add(Effect.SESSION)
    if shape.runs:
        call.add(Effect.EXEC)
    if any(
        not static(arg) and arg.startswith(WILD)
        for arg in call.args[: len(call.args) - len(given.operands) + 1 + shape.operands]
    ):
        call.doubt("which program is run is not known")
    if call.name in {"ionice", "taskset", "chrt", "strace", "ltrace"} and given.has("p", "pid", "attach"):
        looks = (
            len(given.operands) < 2
            and not given.has("c", "class")
            and call.name in {"ionice", "taskset", "chrt"}
        )
        call.add(Effect.READ if looks else Effect.PRIVILEGE)
        if looks or not given.operands[shape.operands :]:
            return None
    for path in given.values("o", "output") if call.name in {"time", "strace"} else ():
        if call.name == "strace" and path.startswith(("|", "!")):
            call.script(path[1:])
        else:
            call.write(path, truncates=True)
    rest = given.operands[shape.operands :]
    if not rest:
        call.add(Effect.READ)
        return None
    return call.run(rest)


def _entering(call: Call) -> str | None:
    """chroot, unshare, nsenter: another root or name space."""
    takes = {
        "nsenter": "tSG",
        "unshare": "RwSG",
        "chroot": "",
        "setpriv": "",
        "capsh": "",
        "sg": "",
        "newgrp": "",
    }[call.name]
    given = options(
        call.args,
        takes=takes,
        long="""
            target userspec groups root wd setuid setgid propagation setgroups reuid regid inh-caps ambient-caps
            bounding-set
        """,
        until_operand=True,
    )
    call.add(Effect.PRIVILEGE)
    if call.name in {"capsh", "sg"}:
        for at, arg in enumerate(call.args[:-1]):
            if arg in {"--", "-c"}:
                call.script(" ".join(call.args[at + 1 :]))
        return call.execute()
    rest = given.operands[1:] if call.name == "chroot" else given.operands
    return call.run(rest) if rest else call.execute("a shell reads what the text does not show")


def _joined(call: Call) -> str | None:
    """watch, and others that hand their words to a shell."""
    given = options(call.args, takes="nqs", long="interval equexit shotsdir", until_operand=True)
    return call.script(" ".join(given.operands)) if given.operands else None


_PARALLEL_PLAIN = words(
    """
    j jobs P max-procs n N max-args L l k keep-order bar eta progress halt timeout delay retries 0 null a arg-file
    dry-run t verbose v line-buffer lb u ungroup group tag q quote will-cite
    """
)
"""Options that neither run, write nor send anything, nor make another meaning for the command's words."""
_PARALLEL_PLACE = re.compile(r"\{(?:[-+]?\d+)?(?:\.|//|/\.|/|##?|%)?\}")


def _parallel(call: Call) -> str | None:
    given = options(
        call.args,
        takes="jaINnLPS",
        long="jobs arg-file delay timeout retries halt sshlogin joblog results tmpdir colsep",
        until_operand=True,
    )
    if not _PARALLEL_PLAIN.issuperset(given.flags):
        call.execute("an option of parallel decides what runs, or where")
    if given.has("S", "sshlogin", "sshloginfile"):
        call.add(Effect.EXFIL)
    for path in given.values("a", "arg-file"):
        call.read(path)
    cut = next((at for at, word in enumerate(given.operands) if word.startswith(":::")), len(given.operands))
    text, values = " ".join(given.operands[:cut]), _inputs(call, given.operands[cut:])
    if "{=" in text:
        call.execute("parallel runs Perl between braces")
    for value in values[:32] or [WILD]:
        filled = _PARALLEL_PLACE.sub(WILD, text.replace("{}", value))
        call.script(filled if filled != text else f"{text} {value}".lstrip())
    return None


def _inputs(call: Call, words: Sequence[str]) -> list[str]:
    """What is put into the command: words behind `:::`, lines of the files behind `::::`."""
    values: list[str] = []
    files = False
    for word in words:
        if word.startswith(":::"):
            files = word.startswith("::::")
        elif files:
            call.read(word)
            values.append(WILD)
        else:
            values.append(word)
    return values


def _script(call: Call) -> str | None:
    given = options(call.args, takes="cIOBTomE", long="command log-in log-out log-io log-timing")
    for path in given.operands:
        call.write(path, truncates=True)
    for text in given.values("c", "command"):
        call.script(text)
    return None if given.has("c", "command") else call.execute()


def _flock(call: Call) -> str | None:
    given = options(
        call.args, takes="wEc", long="wait timeout conflict-exit-code command", until_operand=True
    )
    call.add(Effect.SESSION)
    rest = given.operands[1:]
    if rest[:1] in {("-c",), ("--command",)}:
        return call.script(" ".join(rest[1:]))
    return call.run(rest) if rest else None


def loader(call: Call) -> str | None:
    """ld.so PROGRAM runs it, whatever its mode says."""
    given = options(call.args, long="library-path preload audit argv0 inhibit-rpath", until_operand=True)
    call.add(Effect.EXEC)
    if given.has("preload", "audit", "library-path"):
        call.add(Effect.PRIVILEGE)
    return call.run(given.operands) if given.operands else None


def _entering_user(call: Call) -> str | None:
    call.add(Effect.PRIVILEGE)
    return call.run(call.args[1:])


HANDLERS: Mapping[str, Handler] = {
    **each("sudo doas pkexec", _sudo),
    **each("su runuser", _su),
    **each("gosu su-exec setuidgid", _entering_user),
    **each("chroot unshare nsenter setpriv capsh sg newgrp", _entering),
    "env": _env,
    **each(_SIMPLE, _simple),
    "watch": _joined,
    "parallel": _parallel,
    "script": _script,
    "flock": _flock,
}
