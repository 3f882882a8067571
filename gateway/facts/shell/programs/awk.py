"""awk: a program is read token by token, so that words in its strings and patterns are no commands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import WILD, words
from gateway.model import Effect

_LONGEST = 8_192
"""Characters of a program that are read."""
_TOKEN = re.compile(
    r"""(?P<blank>(?:[ \t\r]|\\\n)+|\#[^\n]*)
    |(?P<string>"(?:\\.|[^"\\\n])*")
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    |(?P<name>[A-Za-z_]\w*(?:::\w+)?)
    |(?P<directive>@\s*[A-Za-z_]\w*)
    |(?P<operator>\|\||&&|\|&|>>|[-+*/%^=!<>]=|\*\*=?|\+\+|--|!~|[-+*/%^=!<>~?:,;(){}\[\]$|&\n])""",
    re.VERBOSE | re.DOTALL,
)
_PATTERN = re.compile(r"/(?:\\.|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\\n])*\]|[^/\\\n\[])*/")
_VALUES = frozenset({"string", "number", "name"})
_BEFORE_PATTERN = words("print printf return in case do else getline")
"""Names behind which a slash opens a pattern."""
_STANDARD = words('"/dev/stdout" "/dev/stderr" "-" "/dev/null" "/dev/tty"')
Token = tuple[str, str]


_WRITTEN = re.compile(r"-[dop](.*)", re.DOTALL)
"""Options that write to a file, one that may stand behind them."""


_HARMLESS = words("version help usage posix traditional interactive")
"""What may stand behind -W, by which gawk and mawk take any of their long options."""


class _Unclear(Exception):
    """The program is none that is known."""


def _awk(call: Call) -> str | None:
    written = [found[1] for arg in call.args if (found := _WRITTEN.fullmatch(arg))]
    for path in written:
        call.write(path or "awkvars.out", truncates=True)
    given = options(
        [arg for arg in call.args if not _WRITTEN.fullmatch(arg)],
        takes="fFvieElW",
        long="file assign field-separator include exec load source",
        until_operand=True,
    )
    call.add(Effect.READ)
    if given.has("D", "debug") or not _HARMLESS.issuperset(given.values("W")):
        call.execute("an option of awk reads what to do from elsewhere")
    elsewhere = given.values("f", "file", "E", "exec", "i", "include", "l", "load")
    for path in elsewhere:
        call.read(path)
        call.execute("an awk program is read from a file")
    for path in given.values("dump-variables", "profile", "pretty-print"):
        call.write(path or "awkprof.out", truncates=True)
    sources = given.values("e", "source")
    own = not (sources or given.has("f", "file", "E", "exec"))
    for program in sources or given.operands[: int(own)]:
        if WILD in program or len(program) > _LONGEST:
            call.doubt("an awk program is not known")
            continue
        try:
            _follow(call, [token for token in _tokens(program) if token[0] != "blank"])
        except _Unclear:
            call.doubt("an awk program is not understood")
    for path in given.operands[int(own) :]:
        if not re.match(r"[A-Za-z_]\w*=", path):
            call.read(path)
    return None


def _tokens(program: str) -> list[Token]:
    tokens: list[Token] = []
    at, last = 0, ("operator", "\n")
    while at < len(program):
        value_before = (last[0] in _VALUES and last[1] not in _BEFORE_PATTERN) or last[1] in {")", "]", "$"}
        pattern = None if value_before else _PATTERN.match(program, at)
        found = pattern or _TOKEN.match(program, at)
        if found is None:
            raise _Unclear
        kind = "string" if pattern else str(found.lastgroup)
        token = (kind, "//" if pattern else found[0])
        tokens.append(token)
        at = found.end()
        if kind != "blank":
            last = token
    return tokens


def _follow(call: Call, tokens: Sequence[Token]) -> None:
    depth = 0
    printing: int | None = None
    for at, (kind, text) in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ("operator", "\n")
        if kind == "directive" or (
            kind == "name" and text in {"system", "extension"} and following[1] == "("
        ):
            call.execute("awk runs a command")
        elif kind == "name" and text == "ENVIRON":
            call.add(Effect.EXFIL)
        elif kind == "name" and text in {"print", "printf"}:
            printing = depth
        elif kind == "name" and text == "ARGV" and _assigned(tokens, at):
            call.doubt("which file awk reads is not known")
        elif text in {"|", "|&"}:
            _piped(call, tokens, at, printing=printing is not None and text == "|")
        elif text == "<" and at and _getline(tokens, at):
            _file(call, tokens, at + 1, writes=False)
        elif text in {">", ">>"} and printing == depth:
            _file(call, tokens, at + 1, writes=True)
        elif text in {"(", "[", "{"}:
            depth += 1
        elif text in {")", "]", "}"}:
            depth -= 1
        if text in {";", "\n", "}"}:
            printing = None


def _piped(call: Call, tokens: Sequence[Token], at: int, *, printing: bool) -> None:
    """`print | "command"` hands lines to a shell's command: a written one is followed, others run unseen."""
    kind, text = tokens[at + 1] if at + 1 < len(tokens) else ("", "")
    whole = at + 2 >= len(tokens) or tokens[at + 2][1] in {";", "\n", "}"}
    if printing and kind == "string" and whole and text != "//" and "\\" not in text:
        call.walker.child(text[1:-1], stdin=WILD)
    else:
        call.execute("awk runs a command")


def _getline(tokens: Sequence[Token], at: int) -> bool:
    """Whether the `<` at `at` belongs to a getline: directly, or behind the variable that it sets."""
    back = at - 1
    while back >= 0 and at - back <= 8 and tokens[back][1] not in {";", "\n", "{", "}", "(", "&&", "||"}:
        if tokens[back][1] == "getline":
            return True
        back -= 1
    return False


def _assigned(tokens: Sequence[Token], at: int) -> bool:
    """Whether `ARGV[...]` is set there."""
    rest = [text for _, text in tokens[at + 1 : at + 12]]
    return rest[:1] == ["["] and "]" in rest and rest[rest.index("]") + 1 : rest.index("]") + 2] == ["="]


def _file(call: Call, tokens: Sequence[Token], at: int, *, writes: bool) -> None:
    """The file that is named behind `>` or `<`: a text, or doubt."""
    kind, text = tokens[at] if at < len(tokens) else ("", "")
    following = tokens[at + 1][1] if at + 1 < len(tokens) else ";"
    whole = following in {";", "\n", "}", ")", ">", "&&", "||"}
    if kind != "string" or text == "//" or not whole:
        call.doubt("which file awk opens is not known")
        if writes:
            call.add(Effect.WRITE)
        return
    if text in _STANDARD:
        return
    path = text[1:-1]
    if "\\" in path:
        call.doubt("which file awk opens is not known")
    if path.startswith("/inet"):
        call.execute("awk talks to another host")
    elif writes:
        call.write(path, truncates=True)
    else:
        call.read(path)


HANDLERS: Mapping[str, Handler] = {
    **each("awk gawk mawk nawk", _awk),
}
