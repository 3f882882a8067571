"""echo and printf: what they print of a text that is known."""

from __future__ import annotations

import re

from gateway.facts.shell.call import Call
from gateway.facts.shell.values import COUNT, WILD
from gateway.model import Effect

_HEXADECIMAL = r"x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}"
_PRINTF = re.compile(
    rf"\\([abeEfnrtv\\\"'?]|[0-7]{{1,3}}|{_HEXADECIMAL})|%([-+ 0#]*\d*(?:\.\d+)?[a-zA-Z%])|(%)"
)
_ECHO = re.compile(rf"\\([abceEfnrtv\\]|0[0-7]{{0,3}}|{_HEXADECIMAL})")
_ENDING = re.compile(r"(?<!\\)(?:\\\\)*\\c")
"""Nothing behind it is printed."""
_LETTERS = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


def echo(call: Call) -> str:
    call.add(Effect.READ)
    args = list(call.args)
    flags = ""
    while args and re.fullmatch(r"-[neE]+", args[0]):
        flags += args.pop(0)
    escapes, newline = flags.rfind("e") > flags.rfind("E"), "n" not in flags
    text = " ".join(args)
    shown = _unescaped(text)
    if escapes:
        return shown + "\n" * newline
    if shown != text:
        return WILD  # dash's echo reads escapes without being asked to, and these may name another file
    return text + "\n" * newline


def _unescaped(text: str) -> str:
    """As `echo -e` prints it, and `%b`."""
    return _ECHO.sub(lambda found: _escape(found[1]), _ENDING.split(text)[0])


def _escape(code: str) -> str:
    if code in _LETTERS:
        return _LETTERS[code]
    if code[0] in "xuU":
        number = int(code[1:], 16)
    elif code[0].isdigit():
        number = int(code, 8) & 0xFF
    else:
        return code
    return chr(number) if 0 < number < 0x80 else WILD


def printf(call: Call) -> str:
    call.add(Effect.READ)
    args = list(call.args)
    name = None
    if args and args[0].startswith("-v"):
        option = args.pop(0)
        name = option[2:] or (args.pop(0) if args else "")
    if args[:1] == ["--"]:
        args = args[1:]
    printed = _formatted(args[0], args[1:]) if args else ""
    if name is None:
        return printed
    call.walker.assign(name, [printed])
    return ""


def _formatted(form: str, args: list[str]) -> str:
    if any(found[3] for found in _PRINTF.finditer(form)):
        return WILD  # a width that is an argument, a time, or a form that is not known
    if "%b" in form and any(map(_ENDING.search, args)):
        return WILD
    rest = list(args)

    def one(found: re.Match[str]) -> str:
        if found[1]:
            return _escape(found[1])
        if found[2] == "%":
            return "%"
        value = rest.pop(0) if rest else ""
        if found[2] == "s":
            return value
        if found[2] == "b":
            return _ECHO.sub(lambda found: _escape(found[1]), re.sub(r"\\([1-7])", r"\\0\1", value))
        return COUNT if found[2][-1] in "difeEgGuxXo" else WILD

    printed = [_PRINTF.sub(one, form)]
    while rest and len(rest) < len(args) and len(printed) < 100:
        args = list(rest)
        printed.append(_PRINTF.sub(one, form))
    return "".join(printed)
