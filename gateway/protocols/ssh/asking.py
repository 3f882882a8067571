"""What a channel asks for, as commands that can be judged."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from gateway.facts.shell import Lines, read
from gateway.model import Command, Effect, Facts, Resource, measured
from gateway.protocols.ssh.packets import Asked, Kind, Packet, behind_path

SHELL = Facts(
    effects=frozenset({Effect.EXEC}),
    attributes={"shell.why_unknown": "keystrokes of a shell are not judged one by one"},
    complete=False,
)
SFTP = Facts(effects=frozenset({Effect.SESSION}))
"""Beginning file transfer does nothing yet: each operation is a command of its own."""


OPENS = measured(b"sftp open")
"""How what is around the text begins where a file is opened."""
NO_TEXT = measured(b"no text")
"""Around what no shell reads."""


def command(text: str, facts: Facts, *exact: bytes, around: bytes = NO_TEXT) -> Command:
    return Command(
        id=secrets.token_hex(6), text=shown(text), facts=facts, exact=(measured(*exact),), around=around
    )


def shown(text: str) -> str:
    r"""As people see it: what is no UTF-8 as `\xe9`, and the facts say that it is none."""
    return as_sent(text).decode("utf-8", "backslashreplace")


def as_sent(text: str) -> bytes:
    """The bytes of a text that a client sent."""
    return text.encode("utf-8", "surrogateescape")


def run(text: str, environment: Mapping[str, str]) -> Command:
    """`ssh host TEXT`, with what the client set beforehand."""
    settings = [as_sent(f"{name}={value}") for name, value in sorted(environment.items())]
    around = measured(b"exec", *settings)
    return command(text, read(text), b"exec", as_sent(text), *settings, around=around)


def line(text: str, lines: Lines) -> Command:
    """One line of a guarded shell, after the lines that changed it."""
    around = measured(b"line", lines.past)
    return command(text, lines.read(text), b"line", as_sent(text), lines.past, around=around)


def shell() -> Command:
    """A whole interactive shell, keystroke by keystroke."""
    return command("an interactive shell", SHELL, b"shell")


def forward(host: str, port: int) -> Command:
    """A connection that the target makes for the client: nothing that flows through it is seen."""
    there = place(host, port)
    facts = Facts(
        effects=frozenset({Effect.EXFIL}),
        resources=(Resource(kind="host", name=there.lower()[:512], effect=Effect.EXFIL),),
        attributes={"shell.remote": there.lower()[:512]},
    )
    return command(f"forward to {there}", facts, b"forward", as_sent(there))


def place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def sftp() -> Command:
    return command("sftp", SFTP, b"subsystem", b"sftp")


def operation(packet: Packet, asked: Asked) -> Command:
    """One operation of file transfer."""
    around = OPENS + measured(behind_path(packet)) if packet.kind is Kind.OPEN else NO_TEXT
    return command(asked.text, asked.facts, b"sftp", packet.data, around=around)
