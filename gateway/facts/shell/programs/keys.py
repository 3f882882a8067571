"""Programs that keep key material."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import E, R, W
from gateway.facts.shell.values import words

_LOOKS = words("--list-keys -k --fingerprint --verify")
_LOOKS_HOW = words("--with-colons --with-fingerprint --keyid-format --batch --no-tty")


def _keyscan(call: Call) -> str | None:
    for path in options(call.args, takes="fpTt").values("f"):
        call.read(path)
    call.add(R)
    return None


def _secrets(call: Call) -> str | None:
    """What keeps key material: whatever does more than look at public keys may show it."""
    how = {arg.partition("=")[0] for arg in call.args[1:] if arg.startswith("-")}
    if call.args and call.args[0] in _LOOKS and how <= _LOOKS_HOW:
        call.add(R)
        return None
    call.add(E, W)
    given = options(call.args, takes="o", long="output out")
    for path in given.values("o", "output", "out"):
        call.write(path, truncates=True)
    for arg in given.operands:
        call.read(arg)
    return None


HANDLERS: Mapping[str, Handler] = {
    "ssh-keyscan": _keyscan,
    **each("gpg gpg2 pass op bw age sops keytool security secret-tool chamber", _secrets),
}
