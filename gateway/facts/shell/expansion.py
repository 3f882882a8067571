"""Words to values, in the shell's order: braces, tilde, parameters, substitutions, splitting; globs stay marked."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import assert_never

from gateway.facts.shell.state import Shell
from gateway.facts.shell.tree import (
    Arithmetic,
    Node,
    Piece,
    Process,
    Substitution,
    Text,
    Unreadable,
    Variable,
    Word,
)
from gateway.facts.shell.values import CLASS, COUNT, GLOBS, SPLIT, STAR, TAME, WILD, static, words

_ALTERNATIVES = 16
_BRACES = 64
_LONGEST = 65_536
_RANGE = re.compile(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.-?\d+)?\Z")
_KNOWN = {"HOME": "~", "PWD": ".", "OLDPWD": WILD, "IFS": " ", "SHELL": "/bin/bash", "BASH": "/bin/bash"}
_COUNT_NAMES = words("? # $ ! RANDOM SECONDS UID EUID PPID LINENO EPOCHSECONDS SHLVL")
_TAME_NAMES = words("HOSTNAME USER LOGNAME")
_NAME_CHARACTERS = f"{string.ascii_letters}{string.digits}_"
_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Run = Callable[[Node], str]
"""Follows a substituted script and says what it prints."""


class Expander:
    """Expands words for one shell; `run` follows what is substituted."""

    __slots__ = ("doubt", "run", "shell")

    def __init__(self, shell: Shell, run: Run, doubt: Callable[[str], None]) -> None:
        self.shell = shell
        self.run = run
        self.doubt = doubt

    def fields(self, word: Word) -> list[tuple[str, ...]]:
        """Every list of words that this one may come to."""
        results: list[tuple[str, ...]] = [()]
        for pieces in _braces(word.pieces):
            alternatives = [_split(value, pieces) for value in self.values(pieces)]
            results = list(dict.fromkeys(a + b for a in results for b in alternatives))
            if len(results) > _ALTERNATIVES:
                results = [(WILD,)]
        return results

    def value(self, word: Word) -> list[str]:
        """Every single value that the word may have where nothing is split."""
        return [value.replace(SPLIT, " ") for value in self.values(word.pieces)]

    def argv(self, words: Sequence[Word]) -> list[tuple[str, ...]]:
        """Every argument list that the words may come to."""
        each = [self.fields(word) for word in words]
        bare = self._bare(words[0])
        if bare is not None:
            each[0] = list(dict.fromkeys((*each[0], *self.fields(bare))))
        count = 1
        for alternatives in each:
            count *= len(alternatives)
        if count > _ALTERNATIVES:
            self.doubt("a command has too many possible forms")
            each = [alternatives if i == 0 else [(WILD,)] for i, alternatives in enumerate(each)]
        return [tuple(itertools.chain(*parts)) for parts in itertools.product(*each)]

    def _bare(self, word: Word) -> Word | None:
        """A command word without what nothing set, which most likely is empty: `r$@m` is rm."""
        kept = tuple(
            piece
            for piece in word.pieces
            if not isinstance(piece, Variable)
            or piece.operator
            or self.lookup(piece.name) not in {None, (WILD,)}
        )
        return Word(pieces=kept, source=word.source) if 0 < len(kept) < len(word.pieces) else None

    def values(self, pieces: Sequence[Piece], *, tilde: bool = True) -> list[str]:
        results = [""]
        for number, piece in enumerate(pieces):
            found = self._piece(piece, first=number == 0 and tilde)
            results = list(dict.fromkeys(a + b for a in results for b in found))
            if any(len(value) > _LONGEST for value in results):
                raise Unreadable("a value grows too long")
            if len(results) > _ALTERNATIVES:
                results = [WILD]
        return results

    def _piece(self, piece: Piece, *, first: bool) -> list[str]:
        match piece:
            case Text():
                return [piece.text if piece.quoted else _glob(piece.text, first=first)]
            case Variable():
                return self._spread(self._variable(piece), quoted=piece.quoted)
            case Substitution():
                return self._spread([self.run(piece.script).rstrip("\n")], quoted=piece.quoted)
            case Process():
                self.run(piece.script)
                return ["/dev/fd/" + TAME]
            case Arithmetic():
                text = "".join(self.values(piece.pieces)[:1])
                self.shell.compute(text)
                for name in _NAMES.findall(text):
                    if any("$(" in v or "`" in v or WILD in v for v in self.shell.variables.get(name, ())):
                        self.doubt("arithmetic computes with a value that may hold a command")
                return [COUNT]
            case _:
                assert_never(piece)

    def _spread(self, values: list[str], *, quoted: bool) -> list[str]:
        if quoted:
            return values
        return [re.sub(r"[ \t\n]+", SPLIT, value).translate(_GLOBBING) for value in values]

    def _variable(self, piece: Variable) -> list[str]:
        known = self.lookup(piece.name)
        match piece.operator:
            case "":
                return list(known) if known is not None else [WILD]
            case ":-" | "-" | ":=" | "=" | ":+" | "+" | ":?" | "?":
                other = [value.replace(SPLIT, " ") for value in self.values(piece.argument)]
                if piece.operator in {":=", "="}:
                    self.shell.variables[piece.name] = tuple(dict.fromkeys([*(known or (WILD,)), *other]))
                if piece.operator in {":+", "+"}:
                    return list(dict.fromkeys([*other, ""]))
                if known is None:
                    # A name that nothing set is either unset or comes from the environment.
                    return [*other, *([WILD] if piece.name.isupper() else [])]
                return list(dict.fromkeys([*known, *other]))
            case "#" | "##" | "%" | "%%" | "^" | "^^" | "," | ",,":
                argument = self.values(piece.argument)
                plain = all(_is_plain(piece.operator, each) for each in argument)
                if known is not None and plain and all(static(v) for v in (*known, *argument)):
                    return [_trimmed(v, piece.operator, a) for v in known for a in argument]
                tame = known is not None and all(WILD not in v and "/" not in v for v in known)
                counts = tame and known is not None and all(TAME not in v for v in known)
                return [COUNT if counts else TAME if tame else WILD]
            case "length":
                return [COUNT]
            case "@":
                self.values(piece.argument)
                if any(isinstance(p, Text) and "P" in p.text for p in piece.argument):
                    self.doubt("a prompt expansion runs what a variable holds")
                return [WILD]
            case ":" | "/" | "//":
                self.values(piece.argument)
                return self._cut(piece, known)
            case _:
                self.values(piece.argument)
                return [WILD]

    def _cut(self, piece: Variable, known: tuple[str, ...] | None) -> list[str]:
        text = "".join(p.text for p in piece.argument if isinstance(p, Text))
        plain = all(isinstance(p, Text) for p in piece.argument)
        if known is None or not plain or not all(static(v) for v in known):
            return [WILD]
        if piece.operator == ":":
            found = re.fullmatch(r"\s*(\d{1,6})\s*(?::\s*(\d{1,6})\s*)?", text)
            if found is None:
                return [WILD]
            start = int(found[1])
            return [v[start : start + int(found[2]) if found[2] else None] for v in known]
        old, _, new = text.partition("/")
        if not old or re.search(r"[*?\[\\#%]", old) or "&" in new:
            return [WILD]
        return [v.replace(old, new, 1 if piece.operator == "/" else -1) for v in known]

    def lookup(self, name: str) -> tuple[str, ...] | None:
        if name in self.shell.variables:
            return self.shell.variables[name]
        positionals = self.shell.positionals
        if positionals is not None:
            if name in {"@", "*"}:
                return (SPLIT.join(positionals),)
            if positionals and name.isdigit() and name != "0":
                at = int(name) - 1
                return (positionals[at],) if at < len(positionals) else ("",)
        if name in {"@", "*"}:
            return (WILD,)
        if name == "PWD" and self.shell.directories != ("",):
            return self.shell.directories
        if name in _KNOWN:
            return (_KNOWN[name],)
        if name in _COUNT_NAMES:
            return (COUNT,)
        return (TAME,) if name in _TAME_NAMES else None


_GLOBBING = {ord("*"): STAR, ord("?"): "\ue011"}


def _glob(text: str, *, first: bool) -> str:
    """Unquoted characters with their globs marked."""
    if first and text.startswith("~"):
        text = re.sub(r"\A~root(?=/|\Z)", "/root", text)
    if "[" in text and "]" in text[text.index("[") :]:
        text = re.sub(r"\[[^\]\[/]+\]", CLASS, text)
    return "".join(GLOBS.get(character, character) for character in text)


def _split(value: str, pieces: Sequence[Piece]) -> tuple[str, ...]:
    """The fields of a value; an empty one stays only where something was quoted."""
    if SPLIT not in value:
        quoted = any(not isinstance(p, Process) and p.quoted for p in pieces)
        return (value,) if value or quoted else ()
    return tuple(part for part in value.split(SPLIT) if part)


_PATTERN = re.compile(r"[*?\[\\(]")


def _is_plain(operator: str, argument: str) -> bool:
    """Whether what is cut off stands there letter by letter; a pattern is one inside of double quotes, too."""
    return not argument if operator[0] in "^," else _PATTERN.search(argument) is None


def _trimmed(value: str, operator: str, argument: str) -> str:
    match operator[0]:
        case "^":
            return value.upper() if operator == "^^" else value[:1].upper() + value[1:]
        case ",":
            return value.lower() if operator == ",," else value[:1].lower() + value[1:]
        case "#":
            return value.removeprefix(argument)
        case _:
            return value.removesuffix(argument)


def _braces(pieces: tuple[Piece, ...]) -> list[tuple[Piece, ...]]:
    """The words that brace expansion makes of one."""
    unquoted = "".join(p.text for p in pieces if isinstance(p, Text) and not p.quoted)
    if "{" not in unquoted or "}" not in unquoted or ("," not in unquoted and ".." not in unquoted):
        return [pieces]
    atoms: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Text) and not piece.quoted:
            atoms.extend(Text(text=character, quoted=False) for character in piece.text)
        else:
            atoms.append(piece)
    return [tuple(_named(_joined(atoms))) for atoms in _expanded(tuple(atoms))]


def _named(pieces: list[Piece]) -> list[Piece]:
    """Braces come first: of `$x{a,b}` are made `$xa` and `$xb`."""
    for at, piece in enumerate(pieces[:-1]):
        following = pieces[at + 1]
        if not (isinstance(piece, Variable) and piece.bare and _NAMES.fullmatch(piece.name)):
            continue
        if piece.quoted or not isinstance(following, Text):
            continue
        if following.text.startswith(COUNT):
            pieces[at] = Text(text=WILD, quoted=True)
        if following.quoted:
            continue
        rest = following.text.lstrip(_NAME_CHARACTERS)
        more = following.text[: len(following.text) - len(rest)]
        pieces[at] = replace(piece, name=piece.name + more)
        pieces[at + 1] = Text(text=rest, quoted=False)
    return pieces


def _expanded(atoms: tuple[Piece, ...]) -> list[tuple[Piece, ...]]:
    """Every alternative of the first brace group, times those of the rest."""
    for start, atom in enumerate(atoms):
        if not _is(atom, "{"):
            continue
        found = _group(atoms, start)
        if found is None:
            continue
        parts, end = found
        tails = _expanded(atoms[end + 1 :])
        results = [
            (*atoms[:start], *head, *tail) for part in parts for head in _expanded(part) for tail in tails
        ]
        if len(results) > _BRACES:
            raise Unreadable("braces spell too many words")
        return results
    return [atoms]


def _group(atoms: tuple[Piece, ...], start: int) -> tuple[list[tuple[Piece, ...]], int] | None:
    """The alternatives of the brace group at `start`, and where it ends."""
    depth, begun, parts = 0, start + 1, list[tuple[Piece, ...]]()
    for at in range(start, len(atoms)):
        if _is(atoms[at], "{"):
            depth += 1
        elif _is(atoms[at], "}"):
            depth -= 1
            if not depth:
                parts.append(atoms[begun:at])
                return (parts, at) if len(parts) > 1 else _range(atoms[start + 1 : at], at)
        elif _is(atoms[at], ",") and depth == 1:
            parts.append(atoms[begun:at])
            begun = at + 1
    return None


def _range(atoms: tuple[Piece, ...], end: int) -> tuple[list[tuple[Piece, ...]], int] | None:
    text = "".join(p.text for p in atoms if isinstance(p, Text))
    found = _RANGE.match(text)
    if found is None or len(text) > 24:
        return None
    first, last = found[1], found[2]
    if first.isalpha() and last.isalpha():
        low, high = sorted((ord(first), ord(last)))
        letters: list[tuple[Piece, ...]] = [
            (Text(text=chr(code), quoted=False),) for code in range(low, high + 1)
        ]
        return letters[:_BRACES], end
    return [(Text(text=COUNT, quoted=True),)], end


def _is(piece: Piece, character: str) -> bool:
    return isinstance(piece, Text) and not piece.quoted and piece.text == character


def _joined(atoms: Sequence[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for atom in atoms:
        last = joined[-1] if joined else None
        if isinstance(atom, Text) and isinstance(last, Text) and not atom.quoted and not last.quoted:
            joined[-1] = Text(text=last.text + atom.text, quoted=False)
        else:
            joined.append(atom)
    return joined
