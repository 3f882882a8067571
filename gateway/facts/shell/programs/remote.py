"""ssh and scp: what runs on another host, and what is carried between them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.web import host_of
from gateway.facts.shell.values import DEEP, WILD, static
from gateway.model import Effect

_REMOTE = re.compile(r"(?:[^/:]+@)?[^/:]+:|[a-z]+://")


_RUNNING_OPTION = re.compile(
    r"""\s*(?:proxycommand|proxyusefdpass|localcommand|permitlocalcommand|remotecommand|knownhostscommand|match|include
    |pkcs11provider|securitykeyprovider|sendenv|setenv|xauthlocation)\b""",
    re.VERBOSE | re.IGNORECASE,
)


def _ssh(call: Call) -> str | None:
    takes = {"autossh": "BbcDEeFIiJLlMmOopQRSWw", "rsh": "lp"}.get(call.name, "BbcDEeFIiJLlmOopQRSWw")
    given = options(call.args, takes=takes, until_operand=True)
    if given.has("V", "Q", "G"):
        call.add(Effect.READ)
        if given.has("G") and given.has("F"):
            call.execute("ssh reads options from a file")  # of which `Match exec` runs
        return None
    for option in (*given.values("o"), *given.values("J")):
        if _RUNNING_OPTION.match(option):
            call.execute("ssh runs a command of its options")
    if given.has("F", "I"):
        call.execute("ssh reads options from a file")
    if given.has("L", "R", "D", "w", "W", "A", "X", "Y", "N"):
        call.add(Effect.EXFIL)
    if given.has("E"):
        for path in given.values("E"):
            call.write(path)
    if not given.operands:
        call.execute()
        return None
    host = given.operands[0]
    if host.startswith("-") or not static(host):
        call.doubt("which host is meant is not known")
    call.host(host.rsplit("@", 1)[-1], Effect.EXEC)
    if len(given.operands) > 1:
        return call.script(" ".join(given.operands[1:]))
    if call.stdin is not None and static(call.stdin):
        return call.script(call.stdin)
    return call.execute("a shell on another host reads what the text does not show")


def _sshpass(call: Call) -> str | None:
    """It types a password for the command behind it."""
    given = options(call.args, takes="fdpP", until_operand=True)
    call.add(Effect.EXFIL)
    for path in given.values("f"):
        call.read(path)
    return call.run(given.operands) if given.operands else None


def _mosh(call: Call) -> str | None:
    given = options(
        call.args, takes="p", long="client server predict port ssh bind-server family", until_operand=True
    )
    call.add(Effect.EXFIL)
    if given.has("client", "server", "ssh"):
        call.execute("mosh runs a program of its options")
    for host in given.operands[:1]:
        call.host(host.rsplit("@", 1)[-1], Effect.EXEC)
    behind = [arg for at, arg in enumerate(given.operands[1:]) if at or arg != "--"]
    return call.run(behind) if behind else call.execute("a shell on another host reads what is typed")


def _scp(call: Call) -> str | None:
    given = options(call.args, takes="cDFiJloPSX")
    if given.has("S", "F", "D") or any(
        re.match(r"\s*(?:proxy|local|permitlocal|knownhosts)command", o, re.IGNORECASE)
        for o in given.values("o")
    ):
        call.execute()
    if given.has("t", "f"):
        return _scp_server(call)
    return transfer(call, given.operands, deep=True)


def _scp_server(call: Call) -> str | None:
    """`scp -t path` and `scp -f path`: what a client's scp starts on the target."""
    given = options(call.args)
    if set(given.flags) - set("tfrpdvq") or len(given.operands) != 1 or given.has("t") == given.has("f"):
        call.doubt("a transfer's command line is not the one that scp sends")
    for path in given.operands:
        if given.has("t"):
            call.write(path, truncates=True)
            call.below(path, DEEP)  # where it is a directory, names come behind the command
        if given.has("f"):
            call.read(path, deep=given.has("r"))
    return None


def transfer(call: Call, operands: tuple[str, ...], *, deep: bool) -> str | None:
    """From all operands but the last to that; either may be `host:path`."""
    if len(operands) < 2:
        call.add(Effect.READ)
        return None
    *sources, target = operands
    if target.startswith(WILD) or any(source.startswith(WILD) for source in sources):
        call.doubt("where a transfer goes is not known")
    if _REMOTE.match(target):
        address = host_of(target) if "://" in target else target.split(":", 1)[0].rsplit("@", 1)[-1]
        call.host(address, Effect.EXFIL)
    else:
        call.write(target, truncates=True)
        call.below(target, DEEP)
    for source in sources:
        if _REMOTE.match(source):
            call.host(source.split(":", 1)[0].rsplit("@", 1)[-1], Effect.READ)
        else:
            call.read(source, deep=deep and not source.endswith(DEEP))
    return None


HANDLERS: Mapping[str, Handler] = {
    **each("ssh slogin autossh rsh", _ssh),
    "sshpass": _sshpass,
    "mosh": _mosh,
    "scp": _scp,
}
