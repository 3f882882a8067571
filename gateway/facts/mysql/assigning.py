"""SET: variables, settings, character sets; what decides how later texts read is kept for them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.mysql import settings
from gateway.facts.mysql.grammar import NotParsed, outermost, parsed, split
from gateway.facts.mysql.lexer import Token, cuts_alike
from gateway.facts.mysql.queries import EXPRESSIONS
from gateway.facts.mysql.reading import Reading
from gateway.facts.mysql.sources import NOTHING, Scope, Sources
from gateway.facts.mysql.state import Variable
from gateway.model import Effect

_SCOPES = frozenset({"GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"})
_NESTED_MOST = 8
_TEXT_MOST = 64 * 1024
"""What a text that is put together may measure."""


def assign(reading: Reading, tokens: Sequence[Token]) -> None:
    """What stands behind SET, up to the end."""
    if "TRANSACTION" in [token.upper for token in tokens[:2]]:
        reading.does(Effect.PRIVILEGE if tokens[0].upper == "GLOBAL" else Effect.SESSION)
        return
    for part in split(tokens):
        _one(reading, part)


def _one(reading: Reading, part: Sequence[Token]) -> None:
    words = [token.upper for token in part[:3]]
    match words:
        case ["PASSWORD", *_]:
            reading.does(Effect.PRIVILEGE)
        case ["DEFAULT", "ROLE", *_]:
            reading.does(Effect.PRIVILEGE)
        case ["ROLE", *_]:
            reading.does(Effect.PRIVILEGE, Effect.SESSION)
        case ["RESOURCE", *_]:
            reading.does(Effect.SESSION)
        case ["NAMES" | "CHARSET", *_]:
            _charset(reading, part[1:2])
        case ["CHARACTER" | "CHAR", "SET", *_]:
            _charset(reading, part[2:3])
        case _:
            _assignment(reading, part)


def _charset(reading: Reading, value: Sequence[Token]) -> None:
    reading.does(Effect.SESSION)
    alike = bool(value) and value[0].kind in {"word", "string"} and cuts_alike(value[0].text)
    if not alike:
        reading.doubt("a character set decides how later texts are cut")
    reading.state.cuts_otherwise = not alike


def _assignment(reading: Reading, part: Sequence[Token]) -> None:
    equals = next((at for at, token in enumerate(part) if token.is_mark("=", ":=")), None)
    if equals is None or equals + 1 >= len(part):
        reading.doubt("an assignment cannot be read")
        return
    target, value = part[:equals], part[equals + 1 :]
    sources = made_of(reading, value)
    name = "".join(token.text for token in target if token.upper not in _SCOPES).lstrip(".")
    if name.startswith("@") and not name.startswith("@@"):
        reading.does(Effect.SESSION)
        reading.state.assign(name, _kept(reading, value, sources))
        return
    scope = next((token.upper for token in target if token.upper in _SCOPES), "")
    if name.startswith("@@"):
        first, dot, rest = name[2:].partition(".")
        if dot and first.upper() in _SCOPES:
            scope, name = first.upper(), rest
        else:
            name = name[2:]
    reading.carries("", sources)  # a setting can be shown, and one that is refused is quoted
    _setting(reading, name.lower(), scope, value)


def _setting(reading: Reading, name: str, scope: str, value: Sequence[Token]) -> None:
    word = text_of(reading, value)
    effects = settings.effects_of(name, scope, word)
    everyone = Effect.PRIVILEGE in effects and Effect.SESSION not in effects
    if name == "sql_mode" and not everyone:
        kept = reading.state.variable(value[0].text).modes if _is_variable(value) else None
        if kept is not None:
            reading.state.modes = kept
            effects = frozenset({Effect.SESSION})
        elif word is not None:
            reading.state.modes, reading.state.unclear = settings.modes_of(word)
        elif settings.keeps_modes([token.text for token in value if token.kind == "string"], value):
            effects = frozenset({Effect.SESSION})
        else:
            reading.state.unclear = "sql_mode was set to what is not written out"
    elif name == "character_set_client" and not everyone:
        alike = Effect.UNKNOWN not in effects or _is_kept_charset(reading, value)
        reading.state.cuts_otherwise = not alike
        effects = frozenset({Effect.SESSION}) if alike else effects
    reading.does(*effects)
    if Effect.UNKNOWN in effects:
        reading.doubt("a setting decides how later texts are read")
    reading.touches("setting", name, *sorted(effects - {Effect.SESSION} or effects))


def _is_variable(value: Sequence[Token]) -> bool:
    return len(value) == 1 and value[0].kind == "variable"


def _is_kept_charset(reading: Reading, value: Sequence[Token]) -> bool:
    """`SET character_set_client = @saved`, where it was saved while texts were cut alike."""
    return _is_variable(value) and reading.state.variable(value[0].text).modes is not None


def _kept(reading: Reading, value: Sequence[Token], sources: Sources) -> Variable:
    setting = value[0].text.lower().removeprefix("@@").removeprefix("session.") if _is_variable(value) else ""
    unclear = reading.state.unclear or reading.state.cuts_otherwise
    keeps = setting in {"sql_mode", "character_set_client"} and not unclear
    return Variable(
        sources=sources, text=text_of(reading, value), modes=reading.state.modes if keeps else None
    )


def made_of(reading: Reading, value: Sequence[Token]) -> Sources:
    """The stored columns behind a value that stands by itself."""
    if len(value) == 1 and value[0].kind in {"word", "string", "number"}:
        return NOTHING
    if len(value) == 1 and value[0].kind == "variable" and not value[0].text.startswith("@@"):
        return reading.state.variable(value[0].text).sources
    try:
        node = parsed([Token("word", "SELECT"), *value])
    except NotParsed:
        reading.doubt("a value cannot be parsed")
        return NOTHING
    return EXPRESSIONS.gather(reading, list(node.expressions), Scope())


def text_of(reading: Reading, value: Sequence[Token], depth: int = 0) -> str | None:
    """A value that is written out: a word, a string, some of them put together, a variable that holds one."""
    if not value or depth > _NESTED_MOST:
        return None
    if len(value) == 1:
        only = value[0]
        if only.kind == "variable":
            return reading.state.variable(only.text).text
        if only.kind == "number":
            return _spelt(only.text)
        return only.text if only.kind in {"word", "string"} else None
    if all(token.kind == "string" for token in value):
        return "".join(token.text for token in value)
    if value[0].upper == "CONCAT" and value[1].is_mark("(") and value[-1].is_mark(")"):
        parts = [text_of(reading, each, depth + 1) for each in split(value[2:-1])]
        whole = "".join(part or "" for part in parts)
        return None if None in parts or len(whole) > _TEXT_MOST else whole
    return None


def _spelt(number: str) -> str | None:
    """A number as a text; one in hexadecimal is the text that its bytes spell."""
    digits = number[2:].strip("'")
    if number[:2] in {"0x", "x'", "X'"}:
        try:
            return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2)).decode()
        except ValueError:
            return None
    return None if number[:2] in {"0b", "b'", "B'"} else number


def statement_of(tokens: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]] | None:
    """The two halves of MariaDB's SET STATEMENT ... FOR ..., without those words."""
    at = outermost(tokens, "FOR")
    return None if at is None else (tokens[2:at], tokens[at + 1 :])
