"""Programs that draw on the whole screen and read keystrokes: without a terminal they hang, fail or print what nobody can read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.facts.shell.values import words

_EDITORS = words(
    "vi vim nvim rvim view rview gvim vimdiff nvimdiff vimtutor nano rnano pico joe jed mcedit micro helix hx kak"
)
_MANAGERS = words(
    "mc ranger nnn vifm lf ncdu tig lazygit lazydocker k9s dialog whiptail vipw vigr cfdisk alsamixer"
)
_MONITORS = words(
    "htop btop bashtop bpytop gotop atop powertop tload irqtop bmon nethogs watch mtop mytop pg_top ctop"
)
_BATCH: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(_EDITORS, re.compile(r"-[eE]s?|-s|--headless|-l")),
    **dict.fromkeys(_MANAGERS, re.compile(r"-o.*|-0x?o?|--exec|-P")),
    **dict.fromkeys(_MONITORS, re.compile(r"-[Prw]|-t|--csv.*|--html.*|--stdout|[0-9]+")),
    "watch": re.compile(r"(?!)"),
    "emacs": re.compile(r"--?batch|--script.*|-x|--?daemon.*"),
    "top": re.compile(r"-[a-zA-Z0-9.]*b[a-zA-Z0-9.]*|--batch.*"),
    "iotop": re.compile(r"-[a-zA-Z]*b[a-zA-Z]*|--batch"),
    "iftop": re.compile(r"-[a-zA-Z]*t[a-zA-Z]*"),
    "slabtop": re.compile(r"-o|--once"),
    "nmon": re.compile(r"-[fFxXzt].*"),
    "glances": re.compile(r"--stdout.*|--export.*|-q|--quiet|-s|-w"),
    "systemd-cgtop": re.compile(r"-b|--batch|-n.*|--iterations.*|-1"),
    "visudo": re.compile(r"-[a-zA-Z]*c[a-zA-Z]*|--check"),
}
"""What makes them do without, as an argument."""
_INSTEAD: Mapping[str, str] = {"crontab": "-e", "systemctl": "edit"}
"""Programs that take the screen with this argument alone."""
_ATTACHING = words("attach attach-session a at new new-session")
_DETACHED = re.compile(r"-[a-zA-Z]*d[a-zA-Z]*")


def takes_screen(name: str, args: Sequence[str]) -> bool:
    """Whether this call is of no use without a terminal."""
    if any(arg in {"--version", "--help", "-V"} for arg in args):
        return False
    if name in _INSTEAD:
        return _INSTEAD[name] in args
    if name in {"tmux", "byobu", "zellij"}:
        commands = [arg for arg in args if not arg.startswith("-")]
        detached = any(_DETACHED.fullmatch(arg) for arg in args)
        return not args or (bool(commands) and commands[0] in _ATTACHING and not detached)
    if name == "screen":
        return not any(
            arg in {"-ls", "-list", "-wipe", "-X", "-v", "-Q"} or arg.startswith(("-d", "-D")) for arg in args
        )
    batch = _BATCH.get(name)
    return batch is not None and not any(batch.fullmatch(arg) for arg in args)
