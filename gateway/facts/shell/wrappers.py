"""Programs that run another command: as someone else, elsewhere, later, watched, or under limits."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.values import WILD, static
from gateway.model import Effect

_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)


def _assigned(call: Call, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words behind leading `NAME=value` ones, which are set for the command."""
    at = 0
    while at < len(words) and (found := _ASSIGNED.match(words[at])):
        call.walker.assign(found[1], [found[2]], lasting=False)
        at += 1
    return words[at:]


def _sudo(call: Call) -> str | None:
    given = options(
        call.args,
        takes="CDghpRrTtuU" if call.name == "sudo" else "Cu",
        long="user group host prompt chdir chroot role type command-timeout other-user close-from",
        until_operand=True,
    )
    call.walker.reading.sudo = True
    call.add(Effect.PRIVILEGE)
    if given.has("e", "edit"):
        for path in given.operands:
            call.write(path)
        return call.execute()
    words = _assigned(call, given.operands)
    if words:
        return call.run(words)
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
    words = _assigned(call, given.operands)
    if words:
        return call.run(words)
    call.add(Effect.READ, Effect.EXFIL)  # prints every variable, secrets among them
    return None


_SIMPLE: Mapping[str, tuple[str, str, int]] = {
    # name: letters and long options that take a value, and operands before the command
    "nice": ("n", "adjustment", 0), "ionice": ("cnpPu", "class classdata pid", 0), "nohup": ("", "", 0), "timeout": ("ks", "kill-after signal", 1),
    "stdbuf": ("ioe", "input output error", 0), "setsid": ("", "", 0), "time": ("fo", "format output", 0), "chrt": ("TPD", "sched-runtime sched-period sched-deadline", 1),
    "taskset": ("", "", 1), "unbuffer": ("", "", 0), "catchsegv": ("", "", 0), "cgexec": ("g", "", 0), "prlimit": ("", "", 0),
    "chronic": ("", "", 0), "ts": ("", "", 0), "ltrace": ("aeFlnopsSuwx", "", 0), "strace": ("aeEIOopPsSuUX", "trace output attach", 0), "dbus-run-session": ("", "config-file dbus-daemon", 0),
    "linux64": ("", "", 0), "linux32": ("", "", 0), "setarch": ("", "", 1), "firejail": ("", "", 0), "bwrap": ("", "", 0), "proot": ("", "", 0), "xvfb-run": ("ensp", "", 0), "faketime": ("", "", 1), "torsocks": ("", "", 0), "proxychains": ("f", "", 0), "proxychains4": ("f", "", 0),
    "softlimit": ("acdflmorst", "", 0), "choom": ("np", "", 0), "numactl": ("NmCpi", "", 0), "eatmydata": ("", "", 0), "fakeroot": ("lsib", "", 0), "gtimeout": ("ks", "", 1),
}  # fmt: skip
_MORE = frozenset(
    [
        "strace",
        "ltrace",
        "bwrap",
        "firejail",
        "proot",
        "cgexec",
        "softlimit",
        "torsocks",
        "proxychains",
        "proxychains4",
        "fakeroot",
    ]
)


def _simple(call: Call) -> str | None:
    takes, long, skipped = _SIMPLE[call.name]
    given = options(call.args, takes=takes, long=long, until_operand=True)
    call.add(Effect.SESSION)
    if call.name in _MORE:
        call.add(Effect.EXEC)
    if any(
        not static(arg) and arg.startswith(WILD)
        for arg in call.args[: len(call.args) - len(given.operands) + 1 + skipped]
    ):
        call.doubt("which program is run is not known")
    if call.name in {"ionice", "taskset", "chrt", "strace", "ltrace"} and given.has("p", "pid", "attach"):
        call.add(Effect.PRIVILEGE)
        if not given.operands[skipped:]:
            return None
    for path in given.values("o", "output") if call.name in {"time", "strace"} else ():
        call.write(path, truncates=True)
    rest = given.operands[skipped:]
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
        long="target userspec groups root wd setuid setgid propagation setgroups reuid regid inh-caps ambient-caps bounding-set",
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
    given = options(call.args, takes="ndqs", long="interval differences equexit shotsdir", until_operand=True)
    return call.script(" ".join(given.operands)) if given.operands else None


def _parallel(call: Call) -> str | None:
    given = options(
        call.args,
        takes="jaINnLPS",
        long="jobs arg-file delay timeout retries sshlogin joblog results tmpdir colsep",
        until_operand=True,
    )
    if given.has("S", "sshlogin", "sshloginfile"):
        call.add(Effect.EXFIL)
    words = given.operands
    cut = next((i for i, w in enumerate(words) if w.startswith(":::")), len(words))
    command, values = words[:cut], words[cut + 1 :] or (WILD,)
    if not command:
        for value in values:
            call.script(value)
        return call.execute() if values == (WILD,) else None
    for value in values[:32]:
        text = " ".join(command)
        call.script(text.replace("{}", value) if "{" in text else f"{text} {value}")
    if any("\ue000" in w for w in values) and any("{" in w for w in command[:1]):
        call.execute()
    return None


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
        long="unit property machine host setenv description slice uid gid on-calendar on-active on-boot working-directory timer-property service-type",
        until_operand=True,
    )
    call.add(Effect.EXEC, Effect.PRIVILEGE)
    return call.run(given.operands) if given.operands else None


def _multiplexer(call: Call) -> str | None:
    words = [arg for arg in call.args if not arg.startswith("-")]
    if (
        words[:1] and words[0] in {"ls", "list-sessions", "lsw", "list-windows", "list-panes", "info"}
    ) or call.args[:1] in {("-ls",), ("-list",)}:
        call.add(Effect.READ)
        return None
    if any(word.startswith("kill") for word in words) or "quit" in words:
        call.add(Effect.DESTRUCTIVE)
    for word in words:
        if " " in word and static(word):
            call.script(word)
    return call.execute("a terminal of its own runs what the text does not show")


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
    "sudo": _sudo, "doas": _sudo, "su": _su, "runuser": _su, "env": _env, **dict.fromkeys(_SIMPLE, _simple),
    "pkexec": _sudo, "gosu": _entering_user, "su-exec": _entering_user, "setuidgid": _entering_user,
    **dict.fromkeys(("chroot", "unshare", "nsenter", "setpriv", "capsh", "sg", "newgrp"), _entering),
    "watch": _joined, "parallel": _parallel, "script": _script, "flock": _flock, "at": _later, "batch": _later, "atq": _later, "atrm": _later, "crontab": _crontab,
    "systemd-run": _systemd_run, "tmux": _multiplexer, "screen": _multiplexer, "byobu": _multiplexer, "dtach": _multiplexer, "zellij": _multiplexer,
}  # fmt: skip
