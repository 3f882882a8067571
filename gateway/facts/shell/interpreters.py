"""Shells and languages that run a text: shells' texts are followed, the others' are `exec` and unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.values import WILD, static
from gateway.model import Effect

_SHELLS = frozenset(
    [
        "sh",
        "bash",
        "dash",
        "ash",
        "ksh",
        "ksh93",
        "mksh",
        "zsh",
        "rbash",
        "lksh",
        "yash",
        "posh",
        "bash5",
        "rzsh",
    ]
)
_LANGUAGES = frozenset(
    ["python", "python2", "python3", "pypy", "pypy3", "ipython", "perl", "ruby", "irb", "node", "nodejs", "deno", "bun", "php", "php-cgi", "lua", "luajit", "tclsh", "wish", "expect", "guile", "scheme", "racket", "java", "jshell", "groovy", "scala", "kotlin", "swift", "go", "rustc", "gcc", "g++", "cc", "clang", "make", "gmake", "cmake", "ninja", "rake", "ant", "mvn", "gradle", "bazel", "just", "task", "R", "Rscript", "octave", "julia", "erl", "elixir", "iex", "ghci", "runghc", "ocaml", "sbcl", "clisp", "gforth", "m4", "bc-n", "dc-n", "gdb", "lldb", "gdbserver", "jdb", "pdb", "pry", "vim", "vi", "nvim", "view", "ex", "ed", "emacs", "nano", "pico", "joe", "mcedit", "micro", "helix", "kak", "rvim", "vimdiff", "fish", "csh", "tcsh", "elvish", "nu", "xonsh", "pwsh", "powershell", "osascript", "cscript", "gimp", "latex", "tex", "pdflatex", "xelatex", "ghostscript", "gs", "tclsh8", "easy_install", "ansible", "ansible-playbook", "ansible-console", "salt", "salt-call", "puppet", "chef-client", "knife", "fab", "cap", "invoke", "pytest", "tox", "nox", "cpan", "gem-exec", "bundle", "npx", "pipx", "uvx", "yarn-run", "slsh", "rlwrap", "ltrace", "strace-n", "perf", "valgrind", "mc", "ranger", "nnn", "links", "lynx", "w3m", "elinks", "watchman", "entr", "inotifywait-n", "incrond", "pry", "capsh-n", "dotnet", "mono", "wine", "qemu-system-x86_64", "qemu-x86_64"]
)  # fmt: skip
_HARMLESS = re.compile(r"(?:-V|--version|-v|-h|--help|-version)\Z")


def _shell(call: Call) -> str | None:
    given = options(call.args, takes="Oo", long="rcfile init-file", until_operand=True)
    if given.has("rcfile", "init-file"):
        call.execute("a shell reads a file first")
    if given.has("n", "version", "help") and not given.has("c"):
        call.add(Effect.READ)
        return None
    if given.has("c"):
        if not given.operands:
            call.doubt("a shell has no text to run")
            return None
        return call.script(given.operands[0], *given.operands[2:])
    if (
        given.operands
        and not given.has("s")
        and given.operands[0] not in {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}
    ):
        call.resource("file", given.operands[0], Effect.READ)
        return call.execute("a script is run that the text does not show")
    if call.stdin is not None and static(call.stdin):
        call.add(Effect.EXEC)
        return call.script(call.stdin)
    return call.execute("a shell reads what the text does not show")


def _language(call: Call) -> str | None:
    if call.args and all(_HARMLESS.match(arg) for arg in call.args):
        call.add(Effect.READ)
        return None
    return call.execute("a program is run whose code is not read")


def _python(call: Call) -> str | None:
    if call.args[:2] == ("-m", "json.tool"):
        call.add(Effect.READ)
        for path in call.args[2:3]:
            call.read(path)
        for path in call.args[3:4]:
            call.write(path, truncates=True)
        return None
    return _language(call)


def _busybox(call: Call) -> str | None:
    if not call.args or call.args[0].startswith("--"):
        call.add(Effect.READ)
        return None
    return call.run(call.args)


def _calculator(call: Call) -> str | None:
    if call.name == "dc" and (
        call.stdin is None or "!" in call.stdin or WILD in call.stdin or any("!" in a for a in call.args)
    ):
        return call.execute()
    call.add(Effect.READ)
    for path in options(call.args, takes="ef", long="expression file").operands:
        call.read(path)
    return "\ue001"


def versioned(name: str) -> Handler | None:
    """The reader of a name with a version in it, as `python3.11`."""
    base = re.sub(r"[-.]?\d[\d.]*\Z", "", name)
    if base == name:
        return None
    if base == "python":
        return _python
    return _shell if base in _SHELLS else _language if base in _LANGUAGES else None


HANDLERS: Mapping[str, Handler] = {
    **{name: _language for name in _LANGUAGES if not name.endswith("-n")},
    **dict.fromkeys(_SHELLS, _shell),
    "python": _python, "python3": _python, "busybox": _busybox, "toybox": _busybox, "bc": _calculator, "dc": _calculator,
}  # fmt: skip
