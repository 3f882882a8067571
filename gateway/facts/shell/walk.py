"""Follows the commands of a text: what each would do, with what it is fed, and what it would print.

Nothing is run. A variable has every value that it may have; what is conditional or repeated may happen or not; both
sides count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from gateway.facts.shell import builtins, programs
from gateway.facts.shell.call import Call
from gateway.facts.shell.expansion import Expander
from gateway.facts.shell.grammar import parse
from gateway.facts.shell.paths import read_path, write_path
from gateway.facts.shell.programs.looking import revealing
from gateway.facts.shell.reading import Reading, Shell
from gateway.facts.shell.tree import (
    Assignment,
    Background,
    Block,
    Define,
    Expression,
    ForEach,
    Node,
    Piece,
    Pipeline,
    Redirect,
    Simple,
    Text,
    Unreadable,
    Variable,
    Word,
)
from gateway.facts.shell.values import DEEP, WILD, static, words
from gateway.model import Effect

_NESTED = 24
"""Texts inside texts, and calls inside calls."""
_NESTED_CHARACTERS = 262_144
_MANY = 16
_GUARDS = words(
    """
    PATH IFS ENV BASH_ENV SHELLOPTS BASHOPTS PROMPT_COMMAND PS0 PS1 PS2 PS4 LD_PRELOAD LD_LIBRARY_PATH
    LD_AUDIT BASH_XTRACEFD CDPATH GLOBIGNORE
    """
)
_RUN_LATER = words(
    """
    PAGER EDITOR VISUAL GIT_PAGER GIT_EDITOR GIT_SSH GIT_SSH_COMMAND GIT_EXTERNAL_DIFF GIT_ASKPASS
    GIT_PROXY_COMMAND GIT_SEQUENCE_EDITOR GIT_EXEC_PATH GIT_CONFIG_COUNT GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM
    GIT_CONFIG_PARAMETERS GIT_TEMPLATE_DIR GIT_DIR LESSOPEN LESSCLOSE LESS MANPAGER MANOPT BROWSER
    SSH_ASKPASS SUDO_ASKPASS SUDO_EDITOR SYSTEMD_PAGER SYSTEMD_EDITOR KUBE_EDITOR PYTHONSTARTUP PYTHONPATH
    PYTHONHOME PYTHONINSPECT PYTHONWARNINGS PYTHONBREAKPOINT PERL5OPT PERL5LIB PERL5DB RUBYOPT RUBYLIB
    NODE_OPTIONS NODE_PATH JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS PHPRC LUA_INIT LUA_PATH
    TAR_OPTIONS GZIP ZIPOPT TEXINPUTS GCONV_PATH LOCPATH OPENSSL_CONF OPENSSL_ENGINES LIBRARY_PATH
    HOSTALIASES PSQL_PAGER PSQLRC PSQL_EDITOR MYSQL_PAGER RSYNC_RSH RSYNC_CONNECT_PROG CVS_RSH SVN_SSH
    HGEDITOR AWKPATH AWKLIBPATH INPUTRC TERMINFO XDG_CONFIG_HOME DOCKER_CONFIG HELM_PLUGINS
    HELM_POST_RENDERER ANSIBLE_CONFIG TF_CLI_CONFIG_FILE DEBUGINFOD_URLS RUSTC_WRAPPER MAKEFLAGS CC CXX
    """
)
_PAGERS_AND_EDITORS = frozenset(
    ["", "cat", "true", "/bin/true", "/bin/cat", "less", "-R", "-FRX", "vi", "vim", "nano"]
)
_READ_OPERATORS = frozenset({"<", "<&"})


class Walker:
    """One shell being followed. `nested` counts the texts and calls around it."""

    __slots__ = ("calling", "expander", "nested", "reading", "shell", "sure")

    def __init__(self, reading: Reading, shell: Shell, *, nested: int = 0) -> None:
        self.reading = reading
        self.shell = shell
        self.nested = nested
        self.sure = True
        self.calling: list[str] = []
        self.expander = Expander(shell, self._substituted, reading.doubt)

    def text(self, text: str, *, stdin: str | None = None) -> str:
        """Follow a text that this shell reads. What it prints comes back."""
        self._enter(len(text))
        try:
            return self.node(parse(text), stdin)
        except Unreadable as unreadable:
            self.reading.doubt(str(unreadable))
            return WILD
        finally:
            self.nested -= 1

    def child(self, text: str, *, stdin: str | None = None, arguments: tuple[str, ...] = ()) -> str:
        """Follow a text that another shell reads, which inherits the variables."""
        if not static(text):
            self.reading.add(Effect.EXEC)
            self.reading.doubt("a shell runs a text that only the target knows")
            if text.startswith(WILD):
                return WILD
        shell = Shell(
            variables=dict(self.shell.variables), positionals=arguments, directory=self.shell.directory
        )
        walker = Walker(self.reading, shell, nested=self.nested)
        return walker.text(text, stdin=stdin)

    def node(self, node: Node, stdin: str | None) -> str:
        self.reading.step()
        match node:
            case Simple():
                return self._simple(node, stdin)
            case Pipeline():
                return self._pipeline(node, stdin)
            case Block():
                return self._block(node, stdin)
            case Background():
                return self._unsure([node.part], stdin)
            case ForEach():
                return self._for_each(node, stdin)
            case Define():
                known = () if self.sure else self.shell.functions.get(node.name, ())
                self.shell.functions[node.name] = (*known, node.body)[-4:]
                self.reading.add(Effect.SESSION)
                return ""
            case Expression():
                for word in node.words:
                    if any(builtins.INDEXED.search(value) for value in self.expander.values(word.pieces)):
                        self.reading.add(Effect.EXEC)
                        self.reading.doubt("a subscript holds a command that the shell runs")
                self._redirect(node.redirects, stdin)
                return ""
            case _:
                assert_never(node)

    def run(self, argv: Sequence[str], *, stdin: str | None = None, raw: Sequence[Word] = ()) -> str:
        """One command with its arguments. What it prints comes back."""
        self.reading.step()
        if not argv:
            return ""
        name, arguments = argv[0], tuple(argv[1:])
        self.reading.commands += 1
        if name in self.shell.aliases and raw:
            return self._alias(name, raw, stdin)
        if name in self.shell.functions:
            return self._function(name, arguments, stdin)
        call = Call(name=name, args=arguments, stdin=stdin, walker=self)
        printed = builtins.run(call)
        if printed is None:
            printed = programs.run(call)
        return printed

    def _enter(self, characters: int) -> None:
        self.nested += 1
        self.reading.parsed += characters
        if self.nested > _NESTED or self.reading.parsed > _NESTED_CHARACTERS:
            raise Unreadable("the text nests too deep")

    def _substituted(self, script: Node) -> str:
        return self._unsure([script], None)

    def _unsure(self, parts: Sequence[Node], stdin: str | None) -> str:
        """Parts that may run or not, or run in a shell of their own."""
        before, self.sure = self.sure, False
        printed = [self.node(part, stdin) for part in parts]
        self.sure = before
        return _joined(printed)

    def _block(self, node: Block, stdin: str | None) -> str:
        fed, hidden = self._redirect(node.redirects, stdin)
        if node.sure:
            printed = _joined([self.node(part, fed) for part in node.parts])
        else:
            printed = self._unsure(node.parts, fed)
            if node.repeated and self.shell.variables:
                # Variables were set: a second round may do what the first did not.
                printed = self._unsure(node.parts, fed)
        return "" if hidden else printed

    def _for_each(self, node: ForEach, stdin: str | None) -> str:
        fed, hidden = self._redirect(node.redirects, stdin)
        values: list[str] = []
        for word in node.values or ():
            values.extend(value for fields in self.expander.fields(word) for value in fields)
        if node.values is None:
            values = list(self.shell.positionals) if self.shell.positionals is not None else [WILD]
        distinct = list(dict.fromkeys(values))
        self.shell.variables[node.name] = tuple(distinct) if 0 < len(distinct) <= _MANY else (WILD,)
        printed = self._unsure([node.body], fed)
        if len(self.shell.variables) > 1:
            printed = self._unsure([node.body], fed)
        return "" if hidden else printed if static(printed) and len(distinct) == 1 else WILD

    def _pipeline(self, node: Pipeline, stdin: str | None) -> str:
        self._bomb(node)
        before, self.sure = self.sure, False
        for part in node.parts:
            stdin = self.node(part, stdin)
        self.sure = before
        return stdin or ""

    def _bomb(self, node: Pipeline | Background) -> None:
        """A function that starts itself in a pipeline starts without end."""
        parts = node.parts if isinstance(node, Pipeline) else (node.part,)
        for part in parts:
            if isinstance(part, Simple) and part.words and part.words[0].source in self.calling:
                self.reading.add(Effect.DESTRUCTIVE)

    def _function(self, name: str, arguments: tuple[str, ...], stdin: str | None) -> str:
        if name in self.calling:
            return WILD
        if len(self.calling) > _NESTED:
            raise Unreadable("functions call one another too deep")
        self.calling.append(name)
        before, self.shell.positionals = self.shell.positionals, arguments
        printed = [self.node(body, stdin) for body in self.shell.functions[name]]
        self.shell.positionals = before
        self.calling.pop()
        return printed[0] if len(printed) == 1 else WILD

    def _alias(self, name: str, raw: Sequence[Word], stdin: str | None) -> str:
        text = " ".join([self.shell.aliases[name], *(word.source for word in raw[1:])])
        known = dict(self.shell.aliases)
        del self.shell.aliases[name]
        printed = self.text(text, stdin=stdin)
        self.shell.aliases = known
        return printed

    def _simple(self, node: Simple, stdin: str | None) -> str:
        for assignment in node.assignments:
            self._assign(assignment, lasting=not node.words)
        fed, hidden = self._redirect(node.redirects, stdin)
        if not node.words:
            if not node.redirects:
                self.reading.add(Effect.SESSION)
            return WILD if any(r.operator == "<" for r in node.redirects) else ""
        for why in self.shell.doubts:
            self.reading.doubt(why)
        if node.words[0].source in {"echo", "printf", "print", "cat"}:
            self._revealed([*node.words[1:], *(r.target for r in node.redirects)])
        forms = self.expander.argv(node.words)
        raw = node.words if isinstance(first := node.words[0].pieces[0], Text) and not first.quoted else ()
        printed = [self.run(argv, stdin=fed, raw=raw) for argv in forms]
        if hidden:
            return ""
        return printed[0] if len(printed) == 1 else WILD

    def _revealed(self, words: Sequence[Word]) -> None:
        """Printing a variable of the target's whose name says that it holds a credential reads one."""
        for word in words:
            for piece in word.pieces:
                if (
                    isinstance(piece, Variable)
                    and revealing(piece.name)
                    and piece.name not in self.shell.variables
                ):
                    self.reading.add(Effect.EXFIL)

    def _assign(self, assignment: Assignment, *, lasting: bool) -> None:
        name = assignment.name
        self.expander.values(assignment.subscript)
        if assignment.elements is not None:
            values = [
                v for word in assignment.elements for fields in self.expander.fields(word) for v in fields
            ]
            values = [" ".join(values)] if len(values) == 1 else [WILD]
        else:
            values = self.expander.value(assignment.value)
        self.assign(name, values, lasting=lasting, partial=assignment.partial)

    def assign(
        self, name: str, values: Sequence[str], *, lasting: bool = True, partial: bool = False
    ) -> None:
        """Set a variable: one that changes what later words mean is a guard, one that names a program runs it."""
        if name in _GUARDS or name.startswith(("LD_", "BASH_FUNC_", "DYLD_")):
            self.reading.add(Effect.PRIVILEGE)
            if name in {"PATH", "IFS", "BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS"}:
                doubt = "a variable was changed that decides what later commands mean"
                self.reading.doubt(doubt)
                if lasting:
                    self.shell.doubts = (doubt,)
        elif (
            name in _RUN_LATER or name.startswith(("GIT_CONFIG_KEY", "GIT_CONFIG_VALUE"))
        ) and not _PAGERS_AND_EDITORS.issuperset(values):
            self.reading.add(Effect.EXEC)
            self.reading.doubt("a variable names a program that a command will run")
        if partial or not self.sure or not lasting:
            values = [*self.shell.variables.get(name, ()), *values]
        if partial:
            values = [WILD]
        if lasting:
            distinct = tuple(dict.fromkeys(values))
            self.shell.variables[name] = distinct if len(distinct) <= _MANY else (WILD,)

    def _redirect(self, redirects: Sequence[Redirect], stdin: str | None) -> tuple[str | None, bool]:
        """What the command is fed then, and whether its output goes to a file."""
        hidden = False
        for redirect in redirects:
            match redirect.operator:
                case "<<":
                    stdin = self._document(redirect.document)
                case "<<<":
                    values = self.expander.value(redirect.target)
                    stdin = values[0] + "\n" if len(values) == 1 else WILD
                case operator:
                    for target in self.expander.value(redirect.target):
                        if operator in {"<&", ">&"} and (
                            target.isdigit() or target.rstrip("-").isdigit() or target == "-"
                        ):
                            continue
                        if operator in _READ_OPERATORS:
                            read_path(self.reading, target, directory=self.shell.directory)
                            stdin = WILD
                            continue
                        if operator == "<>":
                            read_path(self.reading, target, directory=self.shell.directory)
                        write_path(
                            self.reading,
                            target,
                            directory=self.shell.directory,
                            truncates=operator not in {">>", "&>>", "<>"},
                        )
                        hidden = hidden or operator != "<>"
        return stdin, hidden

    def _document(self, pieces: Sequence[Piece]) -> str:
        values = self.expander.values(pieces, tilde=False)
        return values[0] if len(values) == 1 else WILD


def _joined(printed: Sequence[str]) -> str:
    kept = [text for text in printed if text]
    if len(kept) <= 1:
        return kept[0] if kept else ""
    return "".join(kept) if all(WILD not in text or DEEP in text for text in kept) else WILD
