"""Tokens of MySQL and MariaDB text as the servers cut it: strings, quoted names, comments, and comments that run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.facts.mysql.servers import EXECUTABLE, Version

TOKENS_MOST = 20_000


class LexUnclear(Exception):
    """Where the text ends, or what belongs to it, cannot be told; the message holds nothing of it."""

    before: Sequence[Token] = ()
    """What was cut before that: its statements run before the server finds out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """What of `sql_mode` decides where tokens end and what they mean."""

    ansi_quotes: bool = False
    no_backslash_escapes: bool = False
    pipes_as_concat: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    """`word`, `name` (quoted), `string`, `number`, `variable`, `mark`, or a `hint` to MySQL's optimizer."""
    text: str
    """A string's and a name's content, a variable's name with its @; anything else as it is written."""
    quote: str = ""
    """What a string or name was quoted with; a double-quoted string is a name where sql_mode says ANSI_QUOTES."""

    @property
    def upper(self) -> str:
        """A word in upper case; "" for anything that is no word, so that quoted text is never a keyword."""
        return self.text.upper() if self.kind == "word" else ""

    def is_mark(self, *marks: str) -> bool:
        return self.kind == "mark" and self.text in marks


_CUT_ALIKE = frozenset({"utf8", "utf8mb3", "utf8mb4", "latin1", "ascii", "binary", "default", "null"})
"""Character sets in which no second byte looks like a quote or backslash, as those of gbk, sjis and big5 do."""
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")
_LINE_COMMENT = re.compile(r"(?:#|--(?=[\x00-\x20\x7f]|\Z))[^\n]*")
_BYTES = re.compile(r"[xX]'[0-9A-Fa-f]*'|[bB]'[01]*'")
_WORD = re.compile(r"[A-Za-z_$\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BYTES_NUMBER = re.compile(r"(?:0x[0-9A-Fa-f]+|0b[01]+)(?![A-Za-z0-9_$\x80-\U0010ffff])")
_DIGITS_IN_NAME = re.compile(r"[0-9]+[A-Za-z_$\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_EXPONENT = re.compile(r"[0-9]+[eE](?:[+-]?[0-9])")
_JOINS = re.compile(r"[A-Za-z0-9_$`\x80-\U0010ffff]\.[A-Za-z0-9_$\x80-\U0010ffff]")
"""A dot that stands in a name, as in `t.1a`."""
_VARIABLE = re.compile(r"@@?(?:[A-Za-z0-9_.$\x80-\U0010ffff]+)?")
_MARK = re.compile(r":=|<=>|->>|->|<<|>>|<=|>=|<>|!=|\|\||&&|[-+*/%=<>!~^&|(),.;:?{}\[\]]")
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_PLAIN_IN_QUOTES = {quote: re.compile(rf"[^{quote}\\]+") for quote in "'\"`"}


def cuts_alike(charset: str) -> bool:
    """Whether a client's character set cuts tokens where UTF-8 does."""
    return charset.lower() in _CUT_ALIKE


def tokens(text: str, version: Version, modes: Modes) -> list[Token]:
    """Raises `LexUnclear`."""
    found: list[Token] = []
    try:
        _cut(text, version, modes, found)
    except LexUnclear as unclear:
        unclear.before = found
        raise
    return found


def _cut(text: str, version: Version, modes: Modes, found: list[Token]) -> None:
    at, end, running = 0, len(text), False
    while at < end:
        if len(found) > TOKENS_MOST:
            raise LexUnclear("the text is too long")
        blank = _BLANKS.match(text, at) or _LINE_COMMENT.match(text, at)
        if blank is not None:
            at = blank.end()
        elif text.startswith("/*", at):
            start = at
            at, runs = _comment(text, at, version)
            running = running or runs
            if text.startswith("/*+", start):
                found.append(Token("hint", text[start + 3 : at - 2]))
        elif running and text.startswith("*/", at):
            running, at = False, at + 2
        else:
            token, at = _token(text, at, found, modes)
            found.append(token)
    if running:
        raise LexUnclear("a comment that runs does not end")


def _token(text: str, at: int, before: Sequence[Token], modes: Modes) -> tuple[Token, int]:
    character = text[at]
    behind_dot = bool(before) and before[-1].is_mark(".")
    if character in "'\"`":
        return _in_quotes(text, at, modes, before)
    if character == "@":
        return _variable(text, at, modes)
    if character == "\\" and text[at + 1 : at + 2] in {"G", "g"}:
        return Token("mark", ";"), at + 2
    if character == "\\" and text[at + 1 : at + 2] == "N":
        return Token("word", "NULL"), at + 2
    if character == "." and _JOINS.match(text, at - 1):
        return Token("mark", "."), at + 1
    if not behind_dot:
        if character in "nN" and text[at + 1 : at + 2] == "'":
            token, end = _in_quotes(text, at + 1, modes)
            return Token("string", token.text, "N'"), end
        match = _BYTES.match(text, at) or _BYTES_NUMBER.match(text, at)
        if match is not None:
            return Token("number", match[0]), match.end()
    names = (_DIGITS_IN_NAME, _WORD) if behind_dot or not _EXPONENT.match(text, at) else ()
    for kind, pattern in (*(("word", name) for name in names), ("number", _NUMBER), ("mark", _MARK)):
        match = pattern.match(text, at)
        if match is not None:
            return Token(kind, match[0]), match.end()
    raise LexUnclear("a character belongs to no token")


def _hides_quotes(before: Sequence[Token]) -> bool:
    """Whether an introducer stands before a string, of a character set whose characters may look like quotes."""
    word = before[-1].text.lower() if before and before[-1].kind == "word" else ""
    return word.startswith("_") and not cuts_alike(word[1:])


def _in_quotes(text: str, at: int, modes: Modes, before: Sequence[Token] = ()) -> tuple[Token, int]:
    quote = text[at]
    name = quote == "`" or (quote == '"' and modes.ansi_quotes)
    value, end = _quoted(text, at, escapes=not name and not modes.no_backslash_escapes)
    if not value.isascii() and _hides_quotes(before):
        raise LexUnclear("a character set decides where a string ends")
    return Token("name" if name else "string", value, quote), end


def _variable(text: str, at: int, modes: Modes) -> tuple[Token, int]:
    """`@v`, `@'v'`, `@@setting`, `@@global.setting`, quoted or not; also the @ between an account and its host."""
    match = _VARIABLE.match(text, at)
    name, end = (match[0], match.end()) if match is not None else ("@", at + 1)
    while text[end : end + 1] in {"'", '"', "`"} and (name in {"@", "@@"} or name.endswith(".")):
        token, end = _in_quotes(text, end, modes)
        name += token.text
        if name.startswith("@@") and text.startswith(".", end):
            name, end = name + ".", end + 1
            rest = _WORD.match(text, end)
            if rest is not None:
                name, end = name + rest[0], rest.end()
    return Token("variable", name), end


def _comment(text: str, at: int, version: Version) -> tuple[int, bool]:
    """Where to go on behind the beginning of a comment, and whether its content runs."""
    comment = EXECUTABLE.match(text, at)
    if comment is not None:
        runs = version.runs(comment)
        if runs is not None:
            return runs, True
    end = text.find("*/", at + 2)
    inner = text.find("/*", at + 2, end if end >= 0 else None) if comment is not None else -1
    if inner >= 0 and end >= 0:
        # A comment that is skipped may hold whole comments, which hold none.
        end = _skipped(text, at + 2)
    if end < 0:
        raise LexUnclear("a comment does not end")
    return end + 2, False


def _skipped(text: str, at: int) -> int:
    while True:
        end, inner = text.find("*/", at), text.find("/*", at)
        if inner < 0 or end < inner:
            return end
        at = text.find("*/", inner + 2) + 2
        if at < 2:
            return -1


def _quoted(text: str, at: int, *, escapes: bool) -> tuple[str, int]:
    quote, at, parts = text[at], at + 1, []
    plain = _PLAIN_IN_QUOTES[quote]
    while True:
        if at >= len(text):
            raise LexUnclear("a string or quoted name does not end")
        character = text[at]
        if character == "\\" and escapes and at + 1 < len(text):
            following = text[at + 1]
            # Before a wildcard the backslash stays: LIKE is to see it.
            parts.append("\\" + following if following in "%_" else _ESCAPES.get(following, following))
            at += 2
        elif character == quote and text.startswith(quote, at + 1):
            parts.append(quote)
            at += 2
        elif character == quote:
            return "".join(parts), at + 1
        else:
            match = plain.match(text, at)
            stop = match.end() if match is not None else at + 1
            parts.append(text[at:stop])
            at = stop


def written(found: Sequence[Token]) -> str:
    """The tokens as text that any reader cuts alike: standard quotes, no comments."""
    return " ".join(map(_written, found))


def _written(token: Token) -> str:
    match token.kind:
        case "string":
            return "'" + token.text.replace("\\", "\\\\").replace("'", "''") + "'"
        case "name":
            return "`" + token.text.replace("`", "``") + "`"
        case "variable" if not re.fullmatch(r"@@?[A-Za-z0-9_.$]+", token.text):
            return "@`" + token.text.lstrip("@").replace("`", "``") + "`"
        case _:
            return token.text
