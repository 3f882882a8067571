"""Programs by name: the one place where a command word becomes a meaning."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from gateway.facts.shell.call import Call, Handler
from gateway.facts.shell.programs import (
    archives,
    awk,
    clouds,
    containers,
    content,
    databases,
    disks,
    files,
    finding,
    firewall,
    git,
    interpreters,
    keys,
    kubernetes,
    later,
    looking,
    machine,
    network,
    operations,
    packages,
    remote,
    rsync,
    sed,
    streams,
    systemd,
    tools,
    web,
    wrappers,
)
from gateway.facts.shell.programs.displaced import OWN, readings
from gateway.facts.shell.programs.screens import takes_screen
from gateway.facts.shell.values import WILD, matcher, static
from gateway.model import Effect

FAMILIES = (
    looking,
    content,
    sed,
    awk,
    streams,
    finding,
    files,
    archives,
    disks,
    network,
    web,
    remote,
    rsync,
    packages,
    systemd,
    firewall,
    machine,
    git,
    containers,
    kubernetes,
    clouds,
    tools,
    operations,
    databases,
    keys,
    interpreters,
    wrappers,
    later,
)
READERS: Mapping[str, Handler] = {
    name: handler for family in FAMILIES for name, handler in family.HANDLERS.items()
}
_PLACES = (
    *tuple(f"{prefix}{folder}" for prefix in ("/", "/usr/", "/usr/local/") for folder in ("bin/", "sbin/")),
    "/opt/homebrew/bin/",
    "/snap/bin/",
)
_LIKELY = 8


def run(call: Call) -> str:
    """What a program prints; what it does is said on the call."""
    name = call.name
    reading = call.walker.reading
    reading.programs[name] = None
    if not static(name):
        _guess(call)
        return WILD
    if name.startswith("/"):
        name = posixpath.normpath(name)
    for place in _PLACES:
        if name.startswith(place):
            name = name[len(place) :]
            break
    if takes_screen(name, call.args):
        reading.screens[name] = None
    if "/" in name:
        if name.startswith(("/lib", "/usr/lib")) and "ld" in name.rsplit("/", 1)[-1]:
            return wrappers.loader(call) or WILD
        if name.endswith("/sftp-server"):
            return machine.sftp_server(call) or WILD
        call.resource("program", call.name, Effect.EXEC)
        call.execute("a program of the target's own is run")
        return WILD
    handler = READERS.get(name) or interpreters.versioned(name)
    if handler is None:
        call.resource("program", name, Effect.UNKNOWN)
        call.doubt("a program is not known")
        return WILD
    before = set(reading.effects)
    if call.args in {("--version",), ("--help",), ("-V",)} and name not in {"eval", "xargs", "env"}:
        call.resource("program", name, Effect.READ)
        return WILD
    printed = handler(call if name == call.name else replace(call, name=name))
    if name in OWN:
        _displaced(replace(call, name=name), handler)
    strongest = next((e for e in _STRENGTH if e in reading.effects - before), None)
    strongest = strongest or next(e for e in reversed(_STRENGTH) if e in {Effect.SESSION, *reading.effects})
    reading.resource("program", name, strongest)
    return WILD if printed is None else printed


_STRENGTH = (
    Effect.DESTRUCTIVE,
    Effect.PRIVILEGE,
    Effect.EXFIL,
    Effect.EXEC,
    Effect.DDL,
    Effect.WRITE,
    Effect.UNKNOWN,
    Effect.READ,
    Effect.SESSION,
)


def _displaced(call: Call, handler: Handler) -> None:
    """What it would do as well, if options that are not known take a value."""
    meant = readings(call.args, OWN[call.name])
    if meant is None:
        call.doubt("options that are not known stand before a subcommand")
        return
    for args in meant[1:]:
        call.walker.reading.step()
        handler(replace(call, args=args))


def _guess(call: Call) -> None:
    """A command word that only the target knows: unknown, with what it would do as each program that it may be."""
    call.doubt("which program is run is not known")
    base = call.name.rsplit("/", 1)[-1]
    if base.strip("\ue000\ue001\ue003\ue010\ue011\ue012") == "":
        return
    pattern = matcher(base)
    likely = [name for name in READERS if pattern.match(name)]
    for name in likely[:_LIKELY]:
        handler = READERS[name]
        handler(Call(name=name, args=call.args, stdin=call.stdin, walker=call.walker))
