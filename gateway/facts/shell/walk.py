"""Follows the commands of a text: what each would do, with what it is fed, and what it would print.

Nothing is run. A variable has every value that it may have; what is conditional or repeated may happen or not; both
sides count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from gateway.facts.shell import builtins, programs
from gateway.facts.shell.assigning import Assigning
from gateway.facts.shell.call import Call
from gateway.facts.shell.expansion import Expander
from gateway.facts.shell.grammar import parse
from gateway.facts.shell.programs.looking import revealing
from gateway.facts.shell.reading import Reading
from gateway.facts.shell.redirecting import either
from gateway.facts.shell.state import Shell, several
from gateway.facts.shell.tree import (
    Block,
    Chain,
    Choice,
    Define,
    Expression,
    ForEach,
    Loop,
    Node,
    Pipeline,
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
_SPECIAL = words(": . eval exec export readonly return set shift source times trap unset break continue exit")
"""Behind an assignment, dash leaves it as it is when one of these has run."""
_PRINTERS = words("echo printf print cat")


class Walker(Assigning):
    """One shell being followed. `nested` counts the texts and calls around it."""

    __slots__ = ("calling", "expander", "locals", "nested", "reading", "shell")

    def __init__(self, reading: Reading, shell: Shell, *, nested: int = 0) -> None:
        self.reading = reading
        self.shell = shell
        self.nested = nested
        self.calling: list[str] = []
        self.locals = []
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
        before = self._copied()
        # Functions may be exported, and what is no bash does not have them even then.
        functions = {name: (*bodies, None) for name, bodies in before.functions.items()}
        shell = replace(
            before,
            functions=functions,
            aliases={},
            traps={},
            trapped=frozenset(),
            positionals=arguments,
            left=False,
        )
        walker = Walker(self.reading, shell, nested=self.nested)
        for value in arguments:
            walker.holds(value)
        return walker.text(text, stdin=stdin)

    def node(self, node: Node, stdin: str | None) -> str:
        self.reading.step()
        printed = self._node(node, stdin)
        if self.shell.traps and isinstance(node, Simple | Define | Expression | ForEach):
            self._trapped()
        return printed

    def _trapped(self) -> None:
        """What was to run at a signal or the end may run now, with what the shell has become.

        What it would have done before counts already.
        """
        for code in {code: None for codes in self.shell.traps.values() for code in codes}:
            reading, shell = Reading(steps=self.reading.steps), self._copied()
            shell.traps = {}
            Walker(reading, shell, nested=self.nested + 1).text(code)
            self.reading.steps = reading.steps
            found = (code, reading.seen())
            if found not in self.shell.trapped:
                self.shell.trapped |= {found}
                self.reading.include(reading)
            left = self.shell.left
            shell.traps = self.shell.traps
            shell.trapped = self.shell.trapped
            self.shell.join(shell)
            self.shell.left = left

    def _node(self, node: Node, stdin: str | None) -> str:
        match node:
            case Simple():
                return self._simple(node, stdin)
            case Pipeline():
                return self._pipeline(node, stdin)
            case Block():
                return self.redirected(node.redirects, stdin, lambda fed: self._block(node, fed))
            case Chain():
                return self._chain(node, stdin)
            case Choice():
                return self.redirected(node.redirects, stdin, lambda fed: self._choice(node, fed))
            case Loop():
                return self.redirected(node.redirects, stdin, lambda fed: self._loop(node, fed))
            case ForEach():
                return self.redirected(node.redirects, stdin, lambda fed: self._for_each(node, fed))
            case Define():
                known = self.shell.functions.get(node.name, (None,)) if self.shell.left else ()
                self.shell.functions[node.name] = (*known, node.body)
                self.reading.add(Effect.SESSION)
                if node.name.startswith("command_not_found_handle"):
                    self._apart(node.body, None)  # for every name that the target does not know
                return ""
            case Expression():
                for word in node.words:
                    values = self.expander.values(word.pieces)
                    for value in values:
                        self.shell.compute(value)
                    if any(map(builtins.indexed, values)):
                        self.reading.add(Effect.EXEC)
                        self.reading.doubt("a subscript holds a command that the shell runs")
                return self.redirected(node.redirects, stdin, lambda _: "")
            case _:
                assert_never(node)

    def run(self, argv: Sequence[str], *, stdin: str | None = None, raw: Sequence[Word] = ()) -> str:
        """One command with its arguments. What it prints comes back."""
        self.reading.step()
        if not argv:
            return ""
        name, arguments = argv[0], tuple(argv[1:])
        self.reading.commands += 1
        # Whether the target's shell expands aliases is not known: the command counts both ways.
        aliased = [self._alias(name, raw, stdin)] if name in self.shell.aliases and raw else []
        bodies = self.shell.functions.get(name, (None,))
        printed = self._function(name, bodies, arguments, stdin) if bodies != (None,) else []
        if None in bodies:
            call = Call(name=name, args=arguments, stdin=stdin, walker=self)
            plain = builtins.run(call)
            printed.append(programs.run(call) if plain is None else plain)
        return either([*aliased, *printed])

    def _enter(self, characters: int) -> None:
        self.nested += 1
        self.reading.parsed += characters
        if self.nested > _NESTED or self.reading.parsed > _NESTED_CHARACTERS:
            raise Unreadable("the text nests too deep")

    def _copied(self) -> Shell:
        """The state as it is, to come back to or to join; where many variables are set, that costs steps."""
        for _ in range(len(self.shell.variables) // 32):
            self.reading.step()
        return self.shell.copy()

    def _substituted(self, script: Node) -> str:
        return self._apart(script, None)

    def _apart(self, node: Node, stdin: str | None) -> str:
        """In a shell of its own: what it changes stays there."""
        before = self._copied()
        printed = self.node(node, stdin)
        self.shell.become(before)
        return printed

    def _maybe(self, node: Node, stdin: str | None) -> str:
        """It may run or not: both states count."""
        before = self._copied()
        printed = self.node(node, stdin)
        self.shell.join(before)
        return printed

    def _block(self, node: Block, stdin: str | None) -> str:
        before = self._copied() if node.apart else None
        printed = _joined([self.node(part, stdin) for part in node.parts])
        if before is not None:
            self.shell.become(before)
        return printed

    def _chain(self, node: Chain, stdin: str | None) -> str:
        """Behind `&&` the state is the one that the part before left; behind `||` any part may have failed."""
        printed = self.node(node.first, stdin)
        anywhere = self._copied()
        later: list[str] = []
        for operator, part in node.rest:
            before = self._copied()
            if operator == "||":
                self.shell.become(anywhere.copy())
            later.append(self.node(part, stdin))
            anywhere.join(self.shell)
            if operator == "||":
                self.shell.join(before)
        self.shell.become(anywhere)
        return WILD if any(later) else printed

    def _choice(self, node: Choice, stdin: str | None) -> str:
        printed = self.node(node.head, stdin)
        start = self._copied()
        ends = [] if node.always else [start.copy()]
        outcomes: list[str] = [] if node.always else [""]
        for branch in node.branches:
            self.shell.become(start.copy())
            outcomes.append(self.node(branch, stdin))
            ends.append(self._copied())
        self.shell.become(ends[0])
        for end in ends[1:]:
            self.shell.join(end)
        return _joined([printed, either(outcomes)])

    def _loop(self, node: Loop, stdin: str | None) -> str:
        before = dict(self.shell.variables)
        printed = [self.node(node.head, stdin)]
        by_head = [name for name, values in self.shell.variables.items() if before.get(name) is not values]
        body = Block(parts=(node.body, node.head))
        # Where variables are set, a second round may do what the first did not.
        printed += [self._maybe(body, stdin) for _ in range(2 if self.shell.variables else 1)]
        for name in by_head:  # the `read` that ends a loop leaves nothing in them
            self.shell.variables[name] = several((*self.shell.variables.get(name, ()), ""))
        return WILD if any(printed) else ""

    def _for_each(self, node: ForEach, stdin: str | None) -> str:
        values: list[str] = []
        for word in node.values or ():
            values.extend(value for fields in self.expander.fields(word) for value in fields)
        if node.values is None:
            values = list(self.shell.positionals) if self.shell.positionals is not None else [WILD]
        distinct = several(values) or (WILD,)
        before = self._copied()
        for _ in range(2 if len(self.shell.variables) > 0 else 1):
            self.assign(node.name, distinct)
            printed = self.node(node.body, stdin)
            self.shell.join(before)
        return printed if static(printed) and len(values) == 1 else WILD

    def _pipeline(self, node: Pipeline, stdin: str | None) -> str:
        for part in node.parts:
            if isinstance(part, Simple) and part.words and part.words[0].source in self.calling:
                self.reading.add(
                    Effect.DESTRUCTIVE
                )  # a function that starts itself in a pipeline starts without end
        for part in node.parts[:-1]:
            stdin = self._apart(part, stdin)
        return self._maybe(node.parts[-1], stdin)

    def _function(
        self, name: str, bodies: Sequence[Node | None], arguments: tuple[str, ...], stdin: str | None
    ) -> list[str]:
        """What each body that the function may have prints."""
        if name in self.calling:
            return [WILD]
        if len(self.calling) > _NESTED:
            raise Unreadable("functions call one another too deep")
        for value in arguments:
            self.holds(value)
        self.calling.append(name)
        self.locals.append({})
        positionals, left = self.shell.positionals, self.shell.left
        printed: list[str] = []
        start = self._copied()
        for number, body in enumerate(body for body in bodies if body is not None):
            before = self._copied()
            self.shell.become(replace(start.copy(), positionals=arguments))
            printed.append(self.node(body, stdin))
            if number or None in bodies:
                self.shell.join(before)
        self.shell.positionals, self.shell.left = positionals, left
        for variable, values in self.locals.pop().items():
            self.shell.variables[variable] = several((*values, *self.shell.variables.get(variable, (WILD,))))
        self.calling.pop()
        return printed

    def _alias(self, name: str, raw: Sequence[Word], stdin: str | None) -> str:
        before = self._copied()
        printed: list[str] = []
        for alias in before.aliases[name]:
            self.shell.aliases.pop(name, None)
            printed.append(self.text(" ".join([alias, *(word.source for word in raw[1:])]), stdin=stdin))
        self.shell.join(before)
        return either(printed)

    def _simple(self, node: Simple, stdin: str | None) -> str:
        if not node.words:
            for assignment in node.assignments:
                self.assigned(assignment)
            self.redirected(node.redirects, stdin, lambda _: "")
            if not node.redirects:
                self.reading.add(Effect.SESSION)
            return WILD if any(r.operator == "<" for r in node.redirects) else ""
        for why in self.shell.doubts:
            self.reading.doubt(why)
        if node.words[0].source in _PRINTERS:
            self._revealed([*node.words[1:], *(r.target for r in node.redirects)])
        forms = self.expander.argv(node.words)
        before = self._copied() if node.assignments else None
        for assignment in node.assignments:
            if assignment.name != "IFS" or any(form[:1] != ("read",) for form in forms):
                self.assigned(assignment)
        raw = node.words if isinstance(first := node.words[0].pieces[0], Text) and not first.quoted else ()
        printed = self.redirected(node.redirects, stdin, lambda fed: self._any_of(forms, stdin=fed, raw=raw))
        if before is not None:
            # They hold for the command alone, unless it is one that the shell itself runs.
            for assignment in node.assignments:
                kept = before.variables.get(assignment.name)
                if any(form[:1] and form[0] in _SPECIAL for form in forms):
                    self.shell.variables[assignment.name] = several(
                        (*(kept or (WILD,)), *self.shell.variables.get(assignment.name, (WILD,)))
                    )
                elif kept is None:
                    self.shell.variables.pop(assignment.name, None)
                else:
                    self.shell.variables[assignment.name] = kept
            self.shell.doubts = before.doubts
        return printed

    def _any_of(self, forms: Sequence[tuple[str, ...]], *, stdin: str | None, raw: Sequence[Word]) -> str:
        """One of these argument lists runs: each from where the shell stands now."""
        if len(forms) == 1:
            return self.run(forms[0], stdin=stdin, raw=raw)
        start = self._copied()
        printed: list[str] = []
        for number, argv in enumerate(forms):
            before = self._copied()
            if number:
                self.shell.become(start.copy())
            printed.append(self.run(argv, stdin=stdin, raw=raw))
            if number:
                self.shell.join(before)
        return either(printed)

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


def _joined(printed: Sequence[str]) -> str:
    """What several that all run print."""
    kept = [text for text in printed if text]
    if len(kept) <= 1:
        return kept[0] if kept else ""
    return "".join(kept) if all(WILD not in text or DEEP in text for text in kept) else WILD
