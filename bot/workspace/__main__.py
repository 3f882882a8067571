"""`python -m bot.workspace`: runs the local workspace until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import signal
import sys
from pathlib import Path

from bot.workspace import seed as seed_module
from bot.workspace.manifest import install
from bot.workspace.seed import Rate, Seed, SeedError, read_seed
from bot.workspace.server import ListenError, Server, running

CONTROL_TOKEN = "COUNTERSIGN_WORKSPACE_CONTROL_TOKEN"  # noqa: S105


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot.workspace",
        description="A local stand-in for a Slack workspace, with a browser page.",
        epilog=f"{seed_module.__doc__}\nThe control token is taken from {CONTROL_TOKEN}, or made up and shown by --json.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--listen",
        default="127.0.0.1:8088",
        metavar="ADDRESS:PORT",
        help="port 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=Path, metavar="FILE.json", help="replaces parts of the default workspace, see below"
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE.json",
        help="install the app with this manifest's commands, shortcuts, scopes and events",
    )
    parser.add_argument(
        "--request-url", metavar="URL", help="deliver signed HTTP requests there instead of Socket Mode"
    )
    parser.add_argument(
        "--rate", choices=[str(one) for one in Rate], help="how strictly to rate-limit (default: normal)"
    )
    parser.add_argument(
        "--insecure-listen", action="store_true", help="allow an address that other machines reach"
    )
    parser.add_argument("--json", action="store_true", help="print the ready line as a JSON object")
    return parser


def _ready_line(server: Server, *, as_json: bool) -> str:
    if not as_json:
        return f"Local workspace ready: {server.url}/"
    return json.dumps(
        {
            "ready": True,
            "page": f"{server.url}/",
            "api": server.api_url,
            "control": f"{server.url}/_control",
            "control_token": server.control_token,
        }
    )


async def _run(seed: Seed, *, host: str, port: int, insecure_listen: bool, as_json: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stopped.set)
    async with running(
        seed,
        host=host,
        port=port,
        control_token=os.environ.get(CONTROL_TOKEN, ""),
        insecure_listen=insecure_listen,
    ) as server:
        print(_ready_line(server, as_json=as_json), flush=True)
        await stopped.wait()


def main(argv: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; 2 when the arguments or the seed file are not usable."""
    parser = _parser()
    given = parser.parse_args(argv)
    host, colon, port = given.listen.rpartition(":")
    if not colon or not port.isdecimal():
        parser.error("--listen wants ADDRESS:PORT, as 127.0.0.1:8088.")
    try:
        seed = read_seed(given.seed) if given.seed else Seed()
        if given.manifest:
            seed = install(seed, given.manifest)
        if given.request_url:
            seed = dataclasses.replace(seed, app=dataclasses.replace(seed.app, request_url=given.request_url))
        if given.rate:
            seed = dataclasses.replace(seed, rate=Rate(given.rate))
        asyncio.run(
            _run(
                seed,
                host=host.strip("[]"),
                port=int(port),
                insecure_listen=given.insecure_listen,
                as_json=given.json,
            )
        )
    except (SeedError, ListenError, OSError) as error:
        print(f"workspace: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
