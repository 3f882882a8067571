"""`countersign run`: start a program as a child agent, with a token of its own that is narrower than ours.

The program gets that token and the variables by which its clients find the connections in scope, and nothing of ours:
our token, operators' and bots' credentials and the accounts of our own clients are taken out of its environment. Signals are
passed on to it, its exit status is ours, and its token is revoked when it ends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from gateway.commands.proving import KEY, Key, bound
from gateway.commands.token_client import (
    OPERATOR_TOKEN,
    TOKEN,
    URL,
    Misused,
    Refused,
    TokenClient,
    Unreachable,
    client,
    duration,
    login_token,
    run_verb,
    url_option,
)

if TYPE_CHECKING:
    from gateway.commands.reach import Account, Reached

HELP = "Start a program as a child agent, with a narrower token of its own."

NOT_FOUND = 127
NOT_STARTED = 126

_OURS = (OPERATOR_TOKEN, "COUNTERSIGN_BOT_TOKEN", TOKEN, KEY)
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="name", required=True, metavar="NAME", help="what the child is called")
    parser.add_argument(
        "--scope", default="", metavar="SCOPE", help='"orders:read"; default: all that we have'
    )
    parser.add_argument("--ttl", type=duration, metavar="TIME", help="90s, 15m, 2h; default: as long as ours")
    parser.add_argument(
        "--task", default="", metavar="TEXT", help="what it is for, in one line; people read it on cards"
    )
    parser.add_argument(
        "--connection", default="", metavar="NAME", help="set variables for this connection alone"
    )
    parser.add_argument(
        "--minted", action="store_true", help="give a minted user and password, not the token, to clients"
    )
    url_option(parser)
    parser.add_argument("--json", action="store_true", help="say on stderr, as JSON, what was derived")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- CMD ...", help="the program and its arguments"
    )


def run(arguments: argparse.Namespace) -> int:
    return run_verb(_run, arguments)


def _run(arguments: argparse.Namespace) -> int:
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise Misused("name the program to start: countersign run --as NAME --scope SCOPE -- CMD ...")
    gateway = client(arguments)
    # Standard input is the program's.
    parent = os.environ.get(TOKEN, "").strip() or login_token(gateway.url)
    signals = _Signals()
    with _own_key(parent) as key, tempfile.TemporaryDirectory(prefix="countersign-") as files:
        answer = gateway.derive(
            parent,
            name=arguments.name,
            scope=arguments.scope,
            ttl=arguments.ttl or "",
            task=arguments.task,
            bound_to=Key(key, make=True).thumbprint if key else "",
        )
        token = str(answer.get("access_token", ""))
        gateway.key = key
        try:
            variables, root = _variables(gateway, token, arguments, Path(files))
            if arguments.json:
                _report(answer, variables)
            inherited = _inherited(os.environ, parent=parent, root=root)
            own = {URL: gateway.url, TOKEN: token, **({KEY: f"{key}"} if key else {})}
            return signals.run(command, {**inherited, **variables, **own})
        finally:
            _revoke(gateway, token)


@contextlib.contextmanager
def _own_key(parent: str) -> Iterator[Path | None]:
    """Where a key of the program's own is to be, where our token is bound to ours; it is gone when the program is."""
    if not bound(parent):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="countersign-") as directory:
        yield Path(directory) / "dpop.pem"


def _variables(
    gateway: TokenClient, token: str, arguments: argparse.Namespace, files: Path
) -> tuple[Mapping[str, str], str]:
    """What the program's clients need, and the root agent's name. Files of theirs are put into `files`."""
    from gateway.commands.reach import Account, environment, mint, reach, without_collisions

    holder = reach(gateway, token)
    chosen = (holder.only(arguments.connection),) if arguments.connection else _served(holder.connections)
    account = Account(user=holder.agent, secret=token)
    if arguments.minted or not all(connection.takes(token) for connection in chosen):
        account = mint(gateway, token)
    variables = without_collisions([environment(connection, account) for connection in chosen])
    if variables is None:
        names = ", ".join(connection.name for connection in chosen)
        print(
            f"countersign: no variables are set: {names} would share them; pick one with --connection",
            file=sys.stderr,
        )
        return {}, holder.root
    alone = account if account.secret != token else replace(account, user="")
    return {**variables, **_configurations(chosen, alone, files)}, holder.root


def _configurations(connections: Sequence[Reached], account: Account, directory: Path) -> Mapping[str, str]:
    """Variables that name files, which are written."""
    from gateway.commands.connect import write
    from gateway.commands.reach import configuration
    from gateway.protocols import CONFIGURED, configured

    found: dict[str, str] = {}
    for connection in connections:
        if connection.protocol in CONFIGURED:
            path = directory / connection.name
            write(path, configuration(connection, account))
            found[configured(connection.protocol).CONFIGURATION] = str(path)
    return found


def _served(connections: Sequence[Reached]) -> Sequence[Reached]:
    """Those that clients can use; of the others is said why not."""
    from gateway.commands.reach import clients

    found: list[Reached] = []
    for connection in connections:
        try:
            clients(connection)
        except Refused as why:
            print(f"countersign: no variables are set: {why}", file=sys.stderr)
        else:
            found.append(connection)
    return found


def _inherited(ours: Mapping[str, str], *, parent: str, root: str) -> dict[str, str]:
    """Our environment without anything that would let the program be more than it was made.

    Variables of clients go even where none take their place: what they hold may be a pair minted for our own token.
    """
    from gateway.commands.reach import every_variable

    secret = root.upper().replace("-", "_").replace(".", "_") + "_SECRET"
    taken = {*_OURS, secret, *every_variable()}
    return {name: value for name, value in ours.items() if name not in taken and parent not in value}


class _Signals:
    """Passes signals on to the program, those that come before it was started included."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        # A terminal sends its interrupt to the whole foreground group: the program gets it without us.
        terminal = {signal.SIGINT, signal.SIGQUIT} if _in_foreground() else set()
        for number in _PASSED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._ignored if number in terminal else self._passed_on)

    def run(self, command: list[str], environment: Mapping[str, str]) -> int:
        """The program's exit status, 128 + N where signal N ended it."""
        if self._early:
            return 128 + self._early[0]
        try:
            self._process = subprocess.Popen(command, env=dict(environment))
        except FileNotFoundError:
            print(f"countersign: {command[0]}: not found", file=sys.stderr)
            return NOT_FOUND
        except OSError as error:
            print(f"countersign: {command[0]}: {error.strerror}", file=sys.stderr)
            return NOT_STARTED
        for number in self._early:
            self._process.send_signal(number)
        status = self._process.wait()
        return 128 - status if status < 0 else status

    def _passed_on(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)

    def _ignored(self, number: int, frame: FrameType | None) -> None:
        # A function rather than SIG_IGN, which the program would inherit.
        del number, frame


def _in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _revoke(gateway: TokenClient, token: str) -> None:
    try:
        gateway.post("/oauth/revoke", {"token": token, "reason": "its program has ended"})
    except (Refused, Unreachable) as failure:
        print(f"countersign: the child's token is not revoked and ends by itself: {failure}", file=sys.stderr)


def _report(answer: Mapping[str, object], variables: Mapping[str, str]) -> None:
    import json

    told = {key: answer.get(key) for key in ("token_id", "scope", "expires_in")}
    print(json.dumps({**told, "variables": sorted(variables)}), file=sys.stderr)
