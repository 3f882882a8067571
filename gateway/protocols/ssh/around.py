"""What the gateway says to a shell around each line, and what the shell is between two lines.

`set -x` and `set -v` would print the gateway's words and `history` keep them, so all three are off between lines, and the
first thing that a line does is to bring back what the last one left: options, `$?`, and with bash `$_` and PIPESTATUS.
Ctrl-C ends a line and all of it, as it does at a terminal, and not the shell; a script's would go on behind what was
interrupted, or end. Variables of the gateway's exist while no line runs, under names that nobody can guess.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

LONGEST_LAST = 4_096
"""Characters of `$_` that live on."""
_LETTERS = {"x": "xtrace", "v": "verbose"}
_MUTED = ">/dev/null 2>&1"
_INTERRUPTED = 130
_LOOPS = 999
"""More than anybody has around one another."""
_BODY = re.compile(rb"([0-9]{1,10})\|([^|]*)\|([0-9 ]*)\|(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The shell at the target, once it has said what it is."""

    mark: str
    """What `started` was given."""
    leader: int
    """Its process, and the group of what it runs."""
    bash: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a line leaves for the next one."""

    status: int = 0
    options: frozenset[str] = frozenset()
    pipe: str = ""
    """bash's PIPESTATUS."""
    last: str = ""
    """bash's `$_`."""


def left(body: bytes, *, bash: bool) -> Left:
    """What stands in a mark. Whatever a line could have printed in its place is no more than values here."""
    found = _BODY.fullmatch(body)
    if found is None:
        return Left()
    options = found[2].decode("ascii", "replace")
    return Left(
        status=int(found[1]),
        options=frozenset(
            options.split(":") if bash else (_LETTERS[each] for each in options if each in _LETTERS)
        ),
        pipe=found[3].decode(),
        last=found[4].decode("utf-8", "surrogateescape"),
    )


def started(mark: str) -> str:
    """The first words to a shell: its own number stands in the mark, and whether it is bash."""
    said = _say(mark, "$$", '"${BASH_VERSION:+bash}"')
    skips, raises = shlex.quote(_skip_the_rest(mark)), shlex.quote(_raise(mark))
    # zsh has it that `command` finds what is built in.
    posix = "case ${ZSH_VERSION:+zsh} in (zsh) setopt posixbuiltins;; esac"
    trap = f"case ${{BASH_VERSION:+bash}} in (bash) trap {skips} INT;; (*) {posix}; trap {raises} INT;; esac"
    return f"exec 7>&1 8>&2; {trap}; {said}\n"


def said(mark: str, body: bytes) -> Shell:
    """What a shell answers to that."""
    number, kind, *_ = body.split(b"|")
    return Shell(mark=mark, leader=int(number), bash=kind == b"bash")


def _skip_the_rest(mark: str) -> str:
    """What Ctrl-C does in bash, which cannot leave a line: loops end, and up to the gateway's words no command runs."""
    ours = "s_" + "[0-9a-f]" * 32 + "=*"
    each = (
        f"case $BASH_COMMAND in ({ours}) \\command trap - DEBUG; \\command shopt -u extdebug;; "
        f"(*) ! \\command break {_LOOPS} 2>/dev/null;; esac"
    )
    return (
        f"i_{mark}={_INTERRUPTED}; \\command shopt -s extdebug; \\command trap {shlex.quote(each)} DEBUG; "
        f"\\command break {_LOOPS} 2>/dev/null"
    )


def _raise(mark: str) -> str:
    """In other shells: an error that ends a script, and within `command eval` no more than that (POSIX, XCU 2.8.1).

    zsh and mksh take it for the end of all.
    """
    return (
        f"case ${{r_{mark}-}} in (1) r_{mark}= i_{mark}={_INTERRUPTED}; \\. /dev/null/none 2>/dev/null;; esac"
    )


def around(text: str, mark: str, before: Left, *, shell: Shell, open_end: bool = False) -> str:
    """A line as it is sent. `open_end`: a document in it ends with the input, so nothing may follow it.

    The text is a quoted argument: where the shell reads another end into it than the gateway did, nothing else is
    drawn into it, and it has no descriptor of the gateway's.
    """
    bash = shell.bash
    parts = [_first(text, before, shell), text, *([] if open_end else ["\n", kept(mark, shell)])]
    after = f"s_{mark}=${{i_{shell.mark}:-${{s_{mark}-$?}}}} o_{mark}={'$SHELLOPTS' if bash else '$-'}"
    off = "\\command set +xv"
    history, evaluated = "", "\\eval" if bash else "\\command eval"
    if bash:
        off += "; \\command set +o history"
        if "history" in before.options:
            history = _muted(f"\\command history -s -- {shlex.quote(text)}; \\command set -o history") + "; "
        elif not open_end:
            # The line that began it was followed by words of ours.
            off = f"case $SHELLOPTS in (*history*) \\command history -d -1;; esac; {off}"
    said = _say(mark, f'"$s_{mark}"', f'"$o_{mark}"', f'"${{p_{mark}-}}"', f'"${{l_{mark}-}}"')
    interrupted = f"\\command unset -v i_{shell.mark} {'s' if bash else 'r'}_{shell.mark}"
    # Ctrl-C may have come when the line before was over.
    fresh = f"s_{shell.mark}=; {interrupted}; " if bash else ""
    forgotten = " ".join(f"{each}_{mark}" for each in "sopl")
    return (
        f"{fresh}{history}{evaluated} {shlex.quote(''.join(parts))} </dev/null 7>&- 8>&-; "
        f"{_muted(f'{after}; {off}')}; {said}; \\command unset -v {forgotten}; {interrupted}\n"
    )


def kept(mark: str, shell: Shell) -> str:
    """What follows a line within `eval`, which so never fails itself: that would end a shell with `set -e` once more.

    bash prints it on its standard error where it prints what it reads.
    """
    more = (
        f" l_{mark}=${{_:0:{LONGEST_LAST}}} p_{mark}=${{PIPESTATUS[*]}}"
        if shell.bash
        else f" r_{shell.mark}="
    )
    return _muted(f"s_{mark}=$?{more}")


def _first(text: str, before: Left, shell: Shell) -> str:
    """Brings back what the last line left, as a line of its own; "" where that is nothing."""
    shown = ""
    back = [f"\\command set -{letter}" for letter, name in _LETTERS.items() if name in before.options]
    if shell.bash and before.last:
        back.append(f"\\command : {shlex.quote(before.last)}")
    elif not shell.bash and "verbose" in before.options:
        # Other shells than bash print what they read, but not what they evaluate.
        shown = f"\\command printf '%s\\n' {shlex.quote(text)} >&2; "
    if status := _status(before):
        back.append(status)
    if not shell.bash:
        back.insert(0, f"r_{shell.mark}=1")
    return f"{shown}{_muted('; '.join(back))}\n" if back else ""


def _status(before: Left) -> str:
    """Sets `$?` and PIPESTATUS, in a way that neither `set -e` nor a trap takes for a failure."""
    each = [int(one) for one in before.pipe.split()] or [before.status]
    failed = [one for one in each if one]
    gives = failed[-1] if failed and "pipefail" in before.options else each[-1]
    turned = before.status != gives and before.status == (not gives)
    if before.status != gives and not turned:
        each = [before.status]
    pipe = " | ".join(f"(exit {one})" for one in each)
    if turned:
        return f"! {pipe}"
    if before.status:
        return f"{pipe} && \\command :"
    return pipe if failed else ""


def _muted(words: str) -> str:
    return f"{{ {words}; }} {_MUTED}"


def _say(mark: str, *values: str) -> str:
    """Print the mark on both streams, wherever a line has sent them."""
    values = (*values, *("''",) * (4 - len(values)))
    return (
        f"\\command printf '\\036{mark}:%d|%s|%s|%s:{mark}\\036' {' '.join(values)} >&7; "
        f"\\command printf '\\036{mark}:0|||:{mark}\\036' >&8"
    )
