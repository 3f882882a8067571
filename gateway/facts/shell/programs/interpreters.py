"""Shells and languages that run a text: shells' texts are followed, the others' are `exec` and unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.builtins import OTHERWISE
from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import COUNT, WILD, static, words
from gateway.model import Effect

_SHELLS = words("sh bash dash ash ksh ksh93 mksh zsh rbash lksh yash posh bash5 rzsh")
_LANGUAGES = words(
    """
    python python2 python3 pypy pypy3 ipython pdb perl ruby irb pry node nodejs deno bun php php-cgi lua
    luajit tclsh tclsh8 wish expect guile scheme racket java jshell jdb groovy scala kotlin swift go R Rscript
    octave julia erl elixir iex ghci runghc ocaml sbcl clisp gforth slsh m4 dotnet mono osascript cscript fish
    csh tcsh elvish nu xonsh pwsh powershell rustc gcc g++ cc clang make gmake cmake ninja rake ant mvn gradle
    bazel just task latex tex pdflatex xelatex pytest tox nox bundle npx pipx uvx cpan easy_install invoke fab
    cap ansible ansible-playbook ansible-console salt salt-call puppet chef-client knife gdb lldb gdbserver
    perf valgrind rlwrap entr watchman incrond vim vi nvim view ex ed rvim vimdiff emacs nano pico joe mcedit
    micro helix kak mc ranger nnn links lynx w3m elinks gimp ghostscript gs wine qemu-system-x86_64
    qemu-x86_64
    """
)
_LOOKS: Mapping[str, frozenset[str]] = {
    "go": words("version env list"),
    "php": words("-m -v --ini --modules --rf --ri"),
    "dotnet": words("--info --list-sdks --list-runtimes"),
    "bundle": words("list show info outdated check platform"),
}
"""What only looks, as first argument."""
_GO_RUNS = re.compile(r"--?(?:toolexec|exec|vettool|w|u)\b")
"""Options by which go runs a program while it lists, or remembers settings that name one."""
_HARMLESS = re.compile(r"(?:-V|--version|-v|-h|--help|-version)\Z")


def _shell(call: Call) -> str | None:
    given = options(call.args, takes="Oo", long="rcfile init-file", until_operand=True)
    if given.has("rcfile", "init-file"):
        call.execute("a shell reads a file first")
    if given.has("k") or any(option in OTHERWISE for option in given.values("o", "O")):
        call.execute("an option makes the shell read words otherwise")
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
    if call.args and (
        all(_HARMLESS.match(arg) for arg in call.args)
        or (
            call.args[0] in _LOOKS.get(call.name, ())
            and not (call.name == "go" and any(map(_GO_RUNS.match, call.args)))
        )
    ):
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
    return COUNT


def versioned(name: str) -> Handler | None:
    """The reader of a name with a version in it, as `python3.11`."""
    base = re.sub(r"[-.]?\d[\d.]*\Z", "", name)
    if base == name:
        return None
    if base == "python":
        return _python
    return _shell if base in _SHELLS else _language if base in _LANGUAGES else None


HANDLERS: Mapping[str, Handler] = {
    **each(_LANGUAGES, _language),
    **each(_SHELLS, _shell),
    **each("python python3", _python),
    **each("busybox toybox", _busybox),
    **each("bc dc", _calculator),
}
