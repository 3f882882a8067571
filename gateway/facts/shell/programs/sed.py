"""sed: a script is read command by command, as GNU sed reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import COUNT, STAR, static, words
from gateway.model import Effect

_LONGEST = 8_192
"""Characters of a script that are read."""
_BLANK = re.compile(r"[\s;}]*")
_ADDRESS = re.compile(r"\s*(?:\d+(?:~\d+)?|\$|[+~]\d+)\s*")
_PLAIN = frozenset("={dDgGhHlnNpPqQxzF")
_MODIFIERS = re.compile(r"[IM]*\s*")
_BRACKET = re.compile(r"\[\^?\]?(?:\[[:.=][^\]]*[:.=]\]|[^\]\n])*\]")
_NUMBER = re.compile(r"\s*\d*")
_FLAGS = re.compile(r"[gpiImMe0-9]*")
_LINE = re.compile(r"(?:\\.|[^\\\n])*", re.DOTALL)
_LABEL = re.compile(r"[^\n;}]*")
_STANDARD = words("/dev/stdout /dev/stderr /dev/stdin")


class _Unclear(Exception):
    """The script is none that is known."""


def _sed(call: Call) -> str | None:
    given = options(call.args, takes="efl", long="expression file line-length")
    call.add(Effect.READ)
    inline = given.values("e", "expression")
    scripts = ["\n".join(inline)] if inline else list(given.operands[:1])
    paths = given.operands if inline or given.has("f", "file") else given.operands[1:]
    for path in given.values("f", "file"):
        call.read(path)
        call.execute("a sed script is read from a file")
        scripts = []
    for script in scripts:
        script = script.replace(COUNT, "1").replace(STAR, "*")  # noqa: PLW2901
        if not static(script) or len(script) > _LONGEST:
            call.doubt("a sed script is not known")
            continue
        try:
            _follow(call, script)
        except _Unclear:
            call.doubt("a sed script is not understood")
    in_place = given.has("i", "in-place") or any(re.match(r"-[nrEsuz]*i", arg) for arg in call.args)
    for path in paths:
        call.read(path)
        if in_place:
            call.write(path)
    return None


def _follow(call: Call, script: str) -> None:
    at = _after(_BLANK, script, 0)
    while at < len(script):
        at = _addressed(script, at)
        command = script[at : at + 1]
        at += 1
        if command in _PLAIN:
            at = _after(_NUMBER, script, at)
        elif command in "aic#" and command:
            at = _after(_LINE, script, at)
        elif command in ":btTv" and command:
            at = _after(_LABEL, script, at)
        elif command == "e":
            call.execute("sed runs a command")
            return
        elif command in "rRwW" and command:
            end = script.find("\n", at)
            end = len(script) if end < 0 else end
            _file(call, script[at:end].strip(), writes=command in "wW")
            at = end
        elif command == "s":
            at = _substitution(call, script, at)
        elif command == "y":
            at = _delimited(script, at, parts=2)
        else:
            raise _Unclear
        at = _after(_BLANK, script, at)


def _addressed(script: str, at: int) -> int:
    """Behind the addresses and the `!` in front of a command."""
    while True:
        found = _ADDRESS.match(script, at)
        if found:
            at = found.end()
        elif script[at : at + 1] in {"/", "\\"} and script[at : at + 1]:
            at = _delimited(script, at + (script[at] == "\\"), parts=1, pattern=True)
            at = _after(_MODIFIERS, script, at)
        elif script[at : at + 1] in {",", "!", " ", "\t"} and script[at : at + 1]:
            at += 1
        else:
            return at


def _substitution(call: Call, script: str, at: int) -> int:
    at = _delimited(script, at, parts=2, pattern=True)
    flags = _FLAGS.match(script, at)
    assert flags is not None
    if "e" in flags[0]:
        call.execute("sed runs a command")
    at = flags.end()
    if script[at : at + 1] != "w":
        return at
    end = script.find("\n", at)
    end = len(script) if end < 0 else end
    _file(call, script[at + 1 : end].strip(), writes=True)
    return end


def _file(call: Call, path: str, *, writes: bool) -> None:
    if path in _STANDARD:
        return
    if writes:
        call.write(path, truncates=True)
    else:
        call.read(path)


def _delimited(script: str, at: int, *, parts: int, pattern: bool = False) -> int:
    """Behind `parts` texts that the character at `at` opens, divides and closes.

    `pattern`: the first is one, in whose brackets the delimiter is a character like any other.
    """
    delimiter = script[at : at + 1]
    if delimiter in {"", "\n", "\\"}:
        raise _Unclear
    at += 1
    while parts:
        character = script[at : at + 1]
        if not character:
            raise _Unclear
        if character == "\\":
            at += 1
        elif character == delimiter:
            parts -= 1
            pattern = False
        elif character == "[" and pattern and (bracket := _BRACKET.match(script, at)):
            at = bracket.end()
            continue
        at += 1
    return at


def _after(pattern: re.Pattern[str], script: str, at: int) -> int:
    found = pattern.match(script, at)
    return found.end() if found else at


HANDLERS: Mapping[str, Handler] = {
    **each("sed gsed", _sed),
}
