"""One call of a program, as its reader sees it: name, arguments, what it is fed, and ways to say what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gateway.facts.shell.paths import guarded, list_path, read_path, remove_path, write_path
from gateway.facts.shell.reading import Reading
from gateway.facts.shell.state import Shell
from gateway.facts.shell.values import WILD
from gateway.model import Effect


class Following(Protocol):
    """What a program's reader may ask of the walk."""

    reading: Reading
    shell: Shell

    def run(self, argv: Sequence[str], *, stdin: str | None = None) -> str: ...

    def text(self, text: str, *, stdin: str | None = None) -> str: ...

    def child(self, text: str, *, stdin: str | None = None, arguments: tuple[str, ...] = ()) -> str: ...

    def assign(self, name: str, values: Sequence[str]) -> None: ...

    def local(self, name: str) -> None: ...

    def holds(self, value: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    name: str
    args: tuple[str, ...]
    stdin: str | None
    """What a pipe or document feeds it; `None` where nothing does."""
    walker: Following

    def add(self, *effects: Effect) -> None:
        self.walker.reading.add(*effects)

    def doubt(self, why: str) -> None:
        self.walker.reading.doubt(why)

    def resource(self, kind: str, name: str, effect: Effect) -> None:
        self.walker.reading.resource(kind, name, effect)

    def host(self, name: str, effect: Effect) -> None:
        self.walker.reading.hosts[name] = None
        self.resource("host", name, effect)

    def list(self, path: str) -> None:
        for directory in self.walker.shell.directories:
            list_path(self.walker.reading, path, directory=directory)

    def read(self, path: str, *, deep: bool = False) -> None:
        for directory in self.walker.shell.directories:
            read_path(self.walker.reading, path, directory=directory, deep=deep)

    def write(self, path: str, *, truncates: bool = False) -> None:
        for directory in self.walker.shell.directories:
            write_path(self.walker.reading, path, directory=directory, truncates=truncates)

    def below(self, directory: str, name: str) -> None:
        """Something may be written under this name there: it counts where that place is guarded."""
        path = f"{directory.rstrip('/')}/{name}"
        if guarded(path):
            self.write(path)

    def remove(self, path: str, *, deep: bool = False) -> None:
        for directory in self.walker.shell.directories:
            remove_path(self.walker.reading, path, directory=directory, deep=deep)

    def run(self, argv: Sequence[str], *, stdin: str | None = None) -> str:
        """Another command that this one starts."""
        if not argv:
            return ""
        return self.walker.run(argv, stdin=self.stdin if stdin is None else stdin)

    def script(self, text: str, *arguments: str) -> str:
        """A text that this program gives to a shell."""
        return self.walker.child(text, stdin=self.stdin, arguments=arguments)

    def execute(self, why: str = "a program runs code that cannot be read") -> str:
        """It runs what the text does not show."""
        self.add(Effect.EXEC)
        self.doubt(why)
        return WILD


Handler: TypeAlias = Callable[[Call], str | None]
"""Says what the call does and returns what it prints, `None` for what only the target knows."""


def each(names: str | Iterable[str], handler: Handler) -> dict[str, Handler]:
    """Rows of a table of programs that are read alike."""
    return dict.fromkeys(names.split() if isinstance(names, str) else names, handler)


@dataclass(frozen=True, slots=True)
class Options:
    """Arguments taken apart as getopt does."""

    flags: Mapping[str, tuple[str, ...]]
    """By name without dashes: the values given, "" for an option without one."""
    operands: tuple[str, ...]

    shortened: frozenset[str] = frozenset()
    """Flags that may be the beginning of a longer name, as getopt_long takes them."""

    def has(self, *names: str) -> bool:
        return any(self._flags(name) for name in names)

    def values(self, *names: str) -> tuple[str, ...]:
        return tuple(value for name in names for flag in self._flags(name) for value in self.flags[flag])

    def _flags(self, name: str) -> list[str]:
        exact = [name] if name in self.flags else []
        return exact + [flag for flag in self.shortened if flag != name and name.startswith(flag)]


def options(args: Sequence[str], *, takes: str = "", long: str = "", until_operand: bool = False) -> Options:
    """Take arguments apart. `takes`: letters that take a value; `long`: names (space-separated) that do."""
    flags: dict[str, list[str]] = {}
    operands: list[str] = []
    shortened: set[str] = set()
    named = set(long.split())
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--":
            operands.extend(rest)
            break
        if arg.startswith("--"):
            name, equals, value = arg[2:].partition("=")
            if name not in named and len(name) > 1:
                shortened.add(name)
                if not equals and rest and any(one.startswith(name) for one in named):
                    value = rest[0]  # or an operand, if the name is a whole one: it counts as both
            if not equals and name in named and rest:
                value = rest.pop(0)
            flags.setdefault(name, []).append(value)
        elif len(arg) > 1 and arg[0] == "-":
            if arg[1:] in named:
                flags.setdefault(arg[1:], []).append(rest.pop(0) if rest else "")
                continue
            for at, letter in enumerate(arg[1:], 2):
                if letter in takes:
                    flags.setdefault(letter, []).append(arg[at:] or (rest.pop(0) if rest else ""))
                    break
                flags.setdefault(letter, []).append("")
        else:
            operands.append(arg)
            if until_operand:
                operands.extend(rest)
                break
    return Options(
        {name: tuple(values) for name, values in flags.items()}, tuple(operands), frozenset(shortened)
    )
