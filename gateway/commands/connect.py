"""`countersign connect`: how to enter a connection with the token at hand, ready to paste.

What is printed refers to the token's variable and does not contain it, so that neither the terminal's scrollback nor a
shell's history holds a secret. Only `--minted` prints one, a password that ends with the token; `--out` puts it into a
file of mode 0600 instead.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gateway.commands.token_client import (
    TOKEN,
    Misused,
    TokenClient,
    Unreachable,
    client,
    own_token,
    run_verb,
    url_option,
)

if TYPE_CHECKING:
    from gateway.commands.reach import Account, Reached

HELP = "Print a ready client line, a URL or variables for a connection."

FORMATS = ("psql", "url", "env", "json")


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection", metavar="CONNECTION", help="a connection in the token's scope")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=FORMATS[0],
        help="the usual client's line (default), a URL, exports, JSON",
    )
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="the same as --format json"
    )
    parser.add_argument(
        "--minted", action="store_true", help="mint a user and password for this, and print them"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write there, readable by you alone, and print nothing"
    )
    hosted = parser.add_mutually_exclusive_group()
    hosted.add_argument(
        "--known-host",
        action="store_true",
        help="print the gateway's host key as known_hosts files have it, for protocols that know host keys (ssh)",
    )
    hosted.add_argument(
        "--certificate",
        type=Path,
        metavar="DIR",
        help="make a key there and have it certified, for protocols that know certificates (ssh); print the line that uses it",
    )
    hosted.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="write the file by which clients enter, readable by you alone, for protocols that have one (kubernetes: a kubeconfig)",
    )
    parser.add_argument(
        "--ca",
        type=Path,
        metavar="PEM",
        help="with --config: whose certificates clients trust at the gateway, in place of the system's",
    )
    url_option(parser)


def run(arguments: argparse.Namespace) -> int:
    return run_verb(_run, arguments)


def _run(arguments: argparse.Namespace) -> int:
    from gateway.commands import kept_login
    from gateway.commands.reach import Account, clients, mint, reach
    from gateway.protocols import HOSTED

    gateway = client(arguments)
    token = own_token(gateway.url)
    holder = reach(gateway, token)
    connection = holder.only(arguments.connection)
    if arguments.known_host:
        print(_known_host(gateway, connection))
        return 0
    if arguments.certificate is not None:
        print(_certified(gateway, token, connection, arguments.certificate))
        return 0
    clients(connection)
    minted = mint(gateway, token) if arguments.minted else None
    if minted is None and not connection.takes(token):
        print(
            f"countersign: the token is no password for {connection.name}: it is bound to a key, too long for the usual client, "
            "or the way is neither encrypted nor on this machine; use --minted"
            + (", or better --certificate DIR" if connection.protocol in HOSTED else ""),
            file=sys.stderr,
        )
    if arguments.config is not None:
        print(_configured(connection, minted or Account(user="", secret=token), arguments))
        return 0
    kept = "" if os.environ.get(TOKEN) or token != kept_login.token(gateway.url) else gateway.url
    text = _text(
        arguments.format,
        connection,
        minted or Account(user=holder.agent, secret=""),
        holder.expires_at,
        kept_at=kept,
    )
    if arguments.out is None:
        print(text)
    else:
        write(arguments.out, text + "\n")
    return 0


def _known_host(gateway: TokenClient, connection: Reached) -> str:
    from gateway.protocols import HOSTED, load_hosted

    if connection.protocol not in HOSTED:
        raise Misused(
            f"{connection.name} speaks {connection.protocol}, which knows no host keys: leave --known-host out"
        )
    try:
        host = gateway.get("/v1/hosts")[connection.protocol]
        keys = [str(host["host_key"]), *([str(host["next_host_key"])] if "next_host_key" in host else [])]
        known = load_hosted(connection.protocol).known_host
        return "\n".join(known(connection.host, connection.port, key) for key in keys)
    except (KeyError, TypeError, ValueError):
        raise Unreachable(f"{gateway.url} answers, but not as a gateway of this version does") from None


def _certified(gateway: TokenClient, token: str, connection: Reached, directory: Path) -> str:
    """The line that enters by a certificate in `directory`."""
    from gateway.protocols import HOSTED, load_hosted

    if connection.protocol not in HOSTED:
        raise Misused(
            f"{connection.name} speaks {connection.protocol}, which knows no certificates: leave --certificate out"
        )

    def certify(public_key: str) -> Mapping[str, Any]:
        form = {"connection": connection.name, "public_key": public_key}
        return gateway.post("/oauth/minted", form, bearer=token)

    try:
        return load_hosted(connection.protocol).write_access(
            directory, name=connection.name, host=connection.host, port=connection.port, certify=certify
        )
    except OSError as error:
        raise Misused(f"{directory} cannot be written: {error.strerror}") from None


def _configured(connection: Reached, account: Account, arguments: argparse.Namespace) -> str:
    """The line after which clients use the file that is written."""
    from gateway.commands.reach import configuration
    from gateway.protocols import configured

    try:
        ca = arguments.ca.read_bytes() if arguments.ca is not None else b""
    except OSError as error:
        raise Misused(f"{arguments.ca} cannot be read: {error.strerror}") from None
    write(arguments.config, configuration(connection, account, ca=ca))
    return f"export {configured(connection.protocol).CONFIGURATION}={shlex.quote(str(arguments.config.resolve()))}"


def _text(form: str, connection: Reached, account: Account, expires_at: float, *, kept_at: str) -> str:
    """`account` without a secret stands for the token in its variable, or of the login that is kept for `kept_at`."""
    from gateway.commands.reach import clients, environment
    from gateway.protocols import scheme

    match form:
        case "url":
            secret = f":{quote(account.secret, safe='')}" if account.secret else ""
            host = f"[{connection.host}]" if ":" in connection.host else connection.host
            database = quote(connection.database, safe="")
            user = quote(account.user, safe="")
            begins = scheme(connection.protocol, tls=connection.tls)
            return f"{begins}://{user}{secret}@{host}:{connection.port}/{database}"
        case "json":
            return json.dumps(
                {
                    "connection": connection.name,
                    "protocol": connection.protocol,
                    "host": connection.host,
                    "port": connection.port,
                    "database": connection.database,
                    "tls": connection.tls,
                    "effects": list(connection.effects),
                    "expires_at": expires_at,
                    "user": account.user,
                    **_password(account, kept_at),
                }
            )
    token = f"$(countersign whoami --token --url {shlex.quote(kept_at)})" if kept_at else f"${TOKEN}"
    # A stand-in tells which of the variables carries the secret.
    stand_in = account.secret or "\0"
    variables = environment(connection, replace(account, secret=stand_in))
    assigned = {
        name: f'"{token}"' if value == "\0" else shlex.quote(value) for name, value in variables.items()
    }
    if form == "env":
        return "\n".join(f"export {name}={value}" for name, value in assigned.items())
    line = clients(connection).client_line(
        host=connection.host,
        port=connection.port,
        database=connection.database,
        user=account.user,
        tls=connection.tls,
    )
    secrets = [f"{name}={assigned[name]}" for name, value in variables.items() if value == stand_in]
    return " ".join([*secrets, line])


def _password(account: Account, kept_at: str) -> Mapping[str, str]:
    """Where the password is."""
    if account.secret:
        return {"password": account.secret}
    return (
        {"password_by": f"countersign whoami --token --url {kept_at}"} if kept_at else {"password_in": TOKEN}
    )


def write(path: Path, text: str) -> None:
    """Readable by us alone. Raises `Misused`."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
    except OSError as error:
        raise Misused(f"{path} cannot be written: {error.strerror}") from None
