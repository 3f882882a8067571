"""Tokens of MySQL and MariaDB text as the servers cut it: strings, quoted names, comments, and comments that run.

`/*! ... */` is a comment to nobody: its content is part of the statement. `/*!50700 ... */` runs where the server is of
that version or later; MariaDB skips numbers from 50700 to 99999, which MySQL runs. `/*M! ... */` runs in MariaDB alone.
So a text is read once for each server it may be meant for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

TOKENS_MOST = 50_000


class Server(Enum):
    MYSQL = "mysql"
    MARIADB = "mariadb"


class LexUnclear(Exception):
    """Where the text ends, or what belongs to it, cannot be told; the message holds nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """What of `sql_mode` decides where tokens end."""

    ansi_quotes: bool = False
    no_backslash_escapes: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    """`word`, `name` (in backquotes), `string`, `number`, `variable`, `mark`."""
    text: str
    """A string's and a name's content; anything else as it is written."""
    start: int

    @property
    def upper(self) -> str:
        """A word in upper case; "" for anything that is no word, so that quoted text is never a keyword."""
        return self.text.upper() if self.kind == "word" else ""


_BLANKS = re.compile(r"[\s\x00-\x20]+")
_WORD = re.compile(r"[A-Za-z_$\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]+|0[bB][01]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DIGITS_IN_NAME = re.compile(r"[0-9]+[A-Za-z_$\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_VARIABLE = re.compile(r"@@?(?:[A-Za-z0-9_.$]+)?")
_MARK = re.compile(r":=|<=>|->>|->|<<|>>|<=|>=|<>|!=|\|\||&&|[-+*/%=<>!~^&|(),.;:?@{}\[\]]")
_RUNS = re.compile(r"/\*(M?)!([0-9]{5,6})?")
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_NEWEST = {Server.MYSQL: 99_999, Server.MARIADB: 129_999}


def tokens(text: str, server: Server, modes: Modes) -> list[Token]:
    """Raises `LexUnclear`."""
    found: list[Token] = []
    at, end, running = 0, len(text), 0
    while at < end:
        if len(found) > TOKENS_MOST:
            raise LexUnclear("the text is too long")
        character = text[at]
        blank = _BLANKS.match(text, at)
        if blank is not None:
            if "\0" in blank[0]:
                raise LexUnclear("the text holds a NUL")
            at = blank.end()
        elif character == "#" or (text.startswith("--", at) and (at + 2 >= end or text[at + 2] <= " ")):
            newline = text.find("\n", at)
            at = end if newline < 0 else newline + 1
        elif text.startswith("/*", at):
            at, runs = _comment(text, at, server)
            running += runs
        elif running and text.startswith("*/", at):
            running -= 1
            at += 2
        elif character in "'\"`":
            name = character == "`" or (character == '"' and modes.ansi_quotes)
            value, at2 = _quoted(text, at, escapes=not name and not modes.no_backslash_escapes)
            found.append(Token("name" if name else "string", value, at))
            at = at2
        else:
            token = _plain(text, at, found)
            found.append(token)
            at += len(token.text)
    if running:
        raise LexUnclear("a comment that runs does not end")
    return found


def _plain(text: str, at: int, before: list[Token]) -> Token:
    behind_dot = bool(before) and before[-1].text == "." and before[-1].kind == "mark"
    for kind, pattern in (
        ("word", _DIGITS_IN_NAME),
        ("number", _NUMBER),
        ("word", _WORD),
        ("variable", _VARIABLE),
        ("mark", _MARK),
    ):
        match = pattern.match(text, at)
        if match is None:
            continue
        if pattern is _DIGITS_IN_NAME and not behind_dot and _NUMBER.fullmatch(match[0]):
            continue
        return Token(kind, match[0], at)
    raise LexUnclear("a character belongs to no token")


def _comment(text: str, at: int, server: Server) -> tuple[int, int]:
    """Where to go on behind the beginning of a comment, and 1 where its content runs."""
    runs = _RUNS.match(text, at)
    if runs is not None and _is_run(runs, server):
        return runs.end(), 1
    end = text.find("*/", at + 2)
    if end < 0:
        raise LexUnclear("a comment does not end")
    if runs is not None and "/*" in text[runs.end() : end]:
        raise LexUnclear("a comment stands in one that does not run")
    return end + 2, 0


def _is_run(runs: re.Match[str], server: Server) -> bool:
    if runs[1] and server is Server.MYSQL:
        return False
    version = int(runs[2] or 0)
    if server is Server.MARIADB and not runs[1] and 50_700 <= version <= 99_999:
        return False
    return version <= _NEWEST[server]


def _quoted(text: str, at: int, *, escapes: bool) -> tuple[str, int]:
    quote, at, parts = text[at], at + 1, []
    while True:
        if at >= len(text):
            raise LexUnclear("a string or quoted name does not end")
        character = text[at]
        if character == "\\" and escapes and at + 1 < len(text):
            parts.append(_ESCAPES.get(text[at + 1], text[at + 1]))
            at += 2
        elif character == quote and text.startswith(quote, at + 1):
            parts.append(quote)
            at += 2
        elif character == quote:
            return "".join(parts), at + 1
        else:
            stop = at + 1
            while stop < len(text) and text[stop] != quote and text[stop] != "\\":
                stop += 1
            parts.append(text[at:stop])
            at = stop


def cut(found: list[Token]) -> list[list[Token]]:
    """Cut at semicolons; bodies of stored programs stay whole."""
    each: list[list[Token]] = [[]]
    for token in found:
        if token.kind == "mark" and token.text == ";" and not _in_body(each[-1]):
            each.append([])
        else:
            each[-1].append(token)
    return [statement for statement in each if statement]


def _in_body(statement: list[Token]) -> bool:
    words = [token.upper for token in statement[:12]]
    return (
        words[:1] in (["CREATE"], ["ALTER"], ["BEGIN"])
        and any(word in {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"} for word in words)
        and "BEGIN" in {token.upper for token in statement}
    ) or (words[:2] == ["BEGIN", "NOT"])


def written(found: list[Token]) -> str:
    """The tokens as text that a parser reads alike: standard quotes, no comments."""
    parts: list[str] = []
    for token in found:
        match token.kind:
            case "string":
                parts.append("'" + token.text.replace("\\", "\\\\").replace("'", "''") + "'")
            case "name":
                parts.append("`" + token.text.replace("`", "``") + "`")
            case _:
                parts.append(token.text)
    return " ".join(parts)
