"""Subresources by which one gets into a container, a pod, a service or a node, whatever the method."""

from __future__ import annotations

import shlex

from gateway.facts import shell
from gateway.facts.http.request import Request
from gateway.facts.kubernetes.info import Info, is_on
from gateway.facts.kubernetes.reading import Reading
from gateway.model import Effect

STREAMS = frozenset({"exec", "attach", "portforward", "proxy"})


def command(request: Request) -> str:
    """The command line of an exec, quoted as a shell would read it back."""
    return shlex.join(value for key, value in request.query if key == "command")


def is_interactive(request: Request) -> bool:
    return is_on(request, "stdin") or is_on(request, "tty")


def judge(request: Request, info: Info, reading: Reading) -> bool:
    """Whether the request is one of these; it is then all judged."""
    part = "proxy" if info.verb == "proxy" else info.subresource
    if part not in STREAMS:
        return False
    effects = reading.effects
    effects.add(Effect.EXEC)
    match info.resource, part:
        case "pods", "exec":
            text = command(request)
            facts = shell.read(text)
            effects |= facts.effects - {Effect.UNKNOWN}
            if not text:
                reading.doubt("there is no command")
            elif not facts.complete:
                reading.doubt("what the command does cannot be read")
        case "pods", "attach":
            if is_interactive(request):
                reading.doubt("what is typed into the process cannot be read")
            else:
                effects.add(Effect.READ)
        case _, "portforward" | "proxy":
            effects.add(Effect.EXFIL)
            reading.doubt("what is asked of the pod, service or node behind it cannot be read")
        case _:
            reading.doubt("the subresource is not known here")
    return True
