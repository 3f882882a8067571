"""Redirections: which files they open, what a command is fed then, and where its output goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gateway.facts.shell.expansion import Expander
from gateway.facts.shell.paths import read_path, write_path
from gateway.facts.shell.reading import Reading
from gateway.facts.shell.state import Shell
from gateway.facts.shell.tree import Redirect
from gateway.facts.shell.values import WILD, static

_READ_OPERATORS = frozenset({"<", "<&"})
_TO_ITSELF = ("/dev/std", "/dev/fd", "/proc")
"""Names under which a command's own output has a path."""


class Redirecting:
    """What a shell that is followed does with redirections."""

    __slots__ = ()

    expander: Expander
    reading: Reading
    shell: Shell

    def redirected(
        self, redirects: Sequence[Redirect], stdin: str | None, follow: Callable[[str | None], str]
    ) -> str:
        """Follow what the redirections stand behind; what of its output is left comes back."""
        elsewhere: str | None = None
        for redirect in redirects:
            stdin, shown = self._redirect(redirect, stdin)
            elsewhere = elsewhere if shown is None else shown
        printed = follow(stdin)
        return printed if elsewhere is None else elsewhere

    def _redirect(self, redirect: Redirect, stdin: str | None) -> tuple[str | None, str | None]:
        """What the command is fed then, and what is left of its output if it goes elsewhere."""
        operator = redirect.operator
        if operator == "<<":
            return either(self.expander.values(redirect.document, tilde=False)), None
        values = self.expander.value(redirect.target)
        if operator == "<<<":
            return values[0] + "\n" if len(values) == 1 else WILD, None
        moves = operator[0] != "<" and redirect.number in {"", "1"}
        elsewhere: str | None = None
        for target in values:
            if operator in {"<&", ">&"} and re.fullmatch(r"\d*-?", target):
                # Another descriptor: where that one leads is not followed.
                if moves:
                    elsewhere = WILD
                elif redirect.number in {"", "0"}:
                    stdin = WILD
                    self._descriptor(target.rstrip("-"))
            elif operator in _READ_OPERATORS:
                self.shell.descriptors[redirect.number] = target
                self._reads(target)
                if redirect.number in {"", "0"}:
                    stdin = "" if target == "/dev/null" else WILD
            else:
                if operator == "<>":
                    self._reads(target)
                truncates = operator not in {">>", "&>>", "<>"}
                for directory in self.shell.directories:
                    write_path(self.reading, target, directory=directory, truncates=truncates)
                if moves:
                    elsewhere = "" if static(target) and not target.startswith(_TO_ITSELF) else WILD
        return stdin, elsewhere

    def _descriptor(self, number: str) -> None:
        """What is read from a descriptor is the file that it was opened for."""
        if number in self.shell.descriptors:
            self._reads(self.shell.descriptors[number])
        elif number not in {"", "0", "1", "2"}:
            self.reading.doubt("which file a descriptor leads to is not known")

    def _reads(self, path: str) -> None:
        for directory in self.shell.directories:
            read_path(self.reading, path, directory=directory)


def either(printed: Sequence[str]) -> str:
    """What one of several that may run prints."""
    return printed[0] if len(set(printed)) == 1 else WILD if any(printed) else ""
