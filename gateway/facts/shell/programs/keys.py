"""Programs that keep key material."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import E, R, W


def _secrets(call: Call) -> str | None:
    """gpg, pass, ssh-keyscan: key material."""
    if call.name == "ssh-keyscan":
        for path in options(call.args, takes="fpTt").values("f"):
            call.read(path)
    if call.name == "ssh-keyscan" or call.args[:1] in {
        ("--list-keys",),
        ("-k",),
        ("--fingerprint",),
        ("--verify",),
    }:
        call.add(R)
        return None
    call.add(E, W)
    for arg in call.args:
        if not arg.startswith("-"):
            call.read(arg)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each("gpg gpg2 pass op bw ssh-keyscan age sops keytool security secret-tool chamber", _secrets),
}
