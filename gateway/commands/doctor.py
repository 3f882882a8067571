"""`countersign doctor`: what stands between this machine and a gateway that works, one line each."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import stat
import sys
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gateway.commands.options import policy_option, state_option

if TYPE_CHECKING:
    from gateway.policy.model import Policy, Upstream
    from gateway.secrets import Secrets

HELP = "Check this machine, the policy file, secrets, identity providers, targets and the state directory."

DIAL_WITHIN = 3.0
DAY = 86_400.0
KEPT = 90
"""Days for which recordings should be kept."""
COMPILED = {
    "gateway.gate": "short commands",
    "gateway.protocols.postgres.frames": "large answers",
    "gateway.protocols.postgres.rows": "large answers",
}
"""One module of each compilation, and what is slower without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check. `advice` says what to do about it."""

    state: Literal["ok", "warning", "error"]
    what: str
    advice: str = ""


def options(parser: argparse.ArgumentParser) -> None:
    policy_option(parser)
    state_option(parser)
    parser.add_argument(
        "--around",
        action="store_true",
        help="run where agents run: only look whether targets can be reached around the gateway",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as a JSON array")


def run(arguments: argparse.Namespace) -> int:
    findings = list(
        _from_an_agent(arguments.policy) if arguments.around else _findings(arguments.policy, arguments.state)
    )
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            print(
                f"{finding.state:8} {finding.what}"
                + (f"\n         {finding.advice}" if finding.advice else "")
            )
    return 1 if any(finding.state == "error" for finding in findings) else 0


def _findings(policy_file: Path, state: Path) -> Iterator[Finding]:
    yield from _machine()
    yield from _state(state)
    policy = yield from _policy(policy_file)
    if policy is not None:
        yield from asyncio.run(_elsewhere(policy))
        yield from _hosts(policy, state / "keys")
        yield from _retention(policy)
    yield from _slack()


def _from_an_agent(policy_file: Path) -> Iterator[Finding]:
    policy = yield from _policy(policy_file)
    if policy is not None:
        yield from _around(policy)


def _machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(state="ok", what=f"Python {version}")
    for name, slower in COMPILED.items():
        spec = find_spec(name)
        compiled = spec is not None and (spec.origin or "").endswith(tuple(EXTENSION_SUFFIXES))
        if compiled:
            yield Finding(state="ok", what=f"{name} is compiled")
        else:
            yield Finding(
                state="warning",
                what=f"{name} runs uncompiled: {slower} are slower",
                advice="install a C compiler and Python's headers (gcc, python3-dev), then run make install again",
            )


def _state(state: Path) -> Iterator[Finding]:
    if not state.exists():
        yield Finding(state="ok", what=f"{state} does not exist yet; `countersign serve` makes it")
        return
    mode = stat.S_IMODE(state.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            state="error", what=f"{state} can be read by others (mode {mode:o})", advice=f"chmod 700 {state}"
        )
    else:
        yield Finding(state="ok", what=f"{state} is private")
    yield _seed(state / "keys")


def _seed(directory: Path) -> Finding:
    from gateway.identity.private_files import KeysUnsafe
    from gateway.identity.seed import SEED, look, mark_of

    path, mark = directory / SEED, mark_of(directory)
    try:
        seed, marked = look(directory)
    except (KeysUnsafe, OSError) as error:
        return Finding(
            state="error", what=f"the gateway does not start with the seed in {path}", advice=str(error)
        )
    if seed is None:
        return Finding(state="ok", what=f"{path} does not exist yet; `countersign serve` makes it")
    if not marked:
        return Finding(
            state="warning",
            what=f"{mark} is missing: should {path} be lost, a new one is made and every host key with it",
            advice="restart the gateway: it writes the mark. Keep both in a backup",
        )
    return Finding(state="ok", what=f"{path} is the one that this gateway began with")


def _hosts(policy: Policy, directory: Path) -> Iterator[Finding]:
    """By what clients know the gateway, to compare with what they see."""
    from gateway.hosting import hosts
    from gateway.identity.host_keys import numbers, secrets_of
    from gateway.identity.private_files import KeysUnsafe
    from gateway.identity.seed import look

    try:
        seed, _ = look(directory)
    except (KeysUnsafe, OSError):
        return  # as was said
    try:
        chosen = numbers(directory)
    except KeysUnsafe as error:
        yield Finding(state="error", what="the gateway does not start with its host keys", advice=str(error))
        return
    if seed is not None:
        served = {target.connection.protocol for target in policy.targets.values()}
        for protocol, host in hosts(secrets_of(seed, chosen)).items():
            if protocol in served:
                following = f", and next {host['next_fingerprint']}" if "next_fingerprint" in host else ""
                what = f"{protocol}: the gateway's host key is {host['fingerprint']}{following}"
                yield Finding(state="ok", what=what)


def _policy(path: Path) -> Generator[Finding, None, Policy | None]:
    """Yields findings, and returns the policy where it holds."""
    from gateway.policy.examples import failures
    from gateway.policy.file import PolicyFileError, load
    from gateway.vocabulary import known

    try:
        vocabulary = known()
        policy = load(path, vocabulary)
        broken = failures(policy, vocabulary)
        if broken:
            raise PolicyFileError(policy.source, broken)
    except PolicyFileError as error:
        yield Finding(state="error", what=f"{path} does not hold", advice=str(error))
        return None
    yield Finding(state="ok", what=f"{path} holds, with {len(policy.examples)} examples")
    return policy


async def _elsewhere(policy: Policy) -> list[Finding]:
    """All that the policy needs of others; each secret is fetched once."""
    from gateway.secrets import Secrets

    secrets = Secrets(lambda: policy)
    try:
        return [
            *await _secrets(policy, secrets),
            *await _identity(policy),
            *await asyncio.to_thread(lambda: list(_targets(policy))),
            *await _credentials(policy, secrets),
        ]
    finally:
        await secrets.close()


async def _secrets(policy: Policy, secrets: Secrets) -> list[Finding]:
    """Each is fetched where it is, as the gateway would."""
    from gateway.policy.credentials import SecretMissing, SecretRef
    from gateway.policy.secrets import references

    async def find(key: str, ref: SecretRef) -> Finding:
        try:
            await secrets.get(ref)
        except SecretMissing as missing:
            return Finding(state="error", what=f"the secret {key} is missing", advice=str(missing))
        return Finding(state="ok", what=f"the secret {key} is there ({ref})")

    return list(await asyncio.gather(*(find(key, ref) for key, ref in references(policy))))


async def _identity(policy: Policy) -> list[Finding]:
    from gateway.commands.answering import answering, too_weak

    return [
        *(
            Finding(state="error" if advice else "ok", what=what, advice=advice)
            for what, advice in await answering(policy)
        ),
        *(Finding(state="warning", what=what, advice=advice) for what, advice in await too_weak(policy)),
    ]


def _targets(policy: Policy) -> Iterator[Finding]:
    from gateway.protocols import NEEDS_TLS

    for name, target in policy.targets.items():
        upstream = target.upstream
        if policy.tls is None and (protocol := target.connection.protocol) in NEEDS_TLS:
            yield Finding(
                state="warning",
                what=f"{name}: the gateway has no certificate, and clients of {protocol} show no credential in clear",
                advice="give the policy a certificate and its key: `tls`",
            )
        if silent := _silent(upstream):
            yield Finding(
                state="error",
                what=f"{name}: {upstream} cannot be reached ({silent})",
                advice="check the address, name resolution and firewalls between here and there",
            )
            continue
        if upstream.tls in {"verify-full", "own"}:
            yield Finding(state="ok", what=f"{name}: {upstream} can be reached")
        else:
            yield Finding(
                state="ok" if upstream.host in {"127.0.0.1", "::1", "localhost"} else "warning",
                what=f"{name}: {upstream} can be reached; its certificate is not verified ({upstream.tls})",
            )


def _silent(upstream: Upstream) -> str:
    """Why nobody answers there; "" where somebody does."""
    try:
        socket.create_connection((upstream.host, upstream.port), DIAL_WITHIN).close()
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__
    return ""


async def _credentials(policy: Policy, secrets: Secrets) -> list[Finding]:
    from gateway.commands.excess import excess

    found: list[Finding] = []
    for name, powers in await excess(policy, secrets):
        if powers is None:
            found.append(
                Finding(state="warning", what=f"{name}: nobody could tell what its credential may do")
            )
        elif powers:
            found.append(
                Finding(
                    state="warning",
                    what=f"{name}: its credential may do more than any scope: it {', '.join(powers)}",
                    advice="take that away at the target, or let `credential.roles` make a role for each session",
                )
            )
        else:
            found.append(Finding(state="ok", what=f"{name}: its credential may do no more than some scope"))
    return found


def _retention(policy: Policy) -> Iterator[Finding]:
    days = policy.retention.recordings / DAY
    if days < KEPT:
        yield Finding(
            state="warning",
            what=f"recordings are kept for {days:.3g} days",
            advice=f"intrusions are often found after months: set `retention.recordings` to {KEPT}d or more",
        )
    else:
        yield Finding(state="ok", what=f"recordings are kept for {days:.0f} days")


def _around(policy: Policy) -> Iterator[Finding]:
    """From where agents run nothing but the gateway should answer."""
    for name, target in policy.targets.items():
        if _silent(target.upstream):
            yield Finding(state="ok", what=f"{name}: {target.upstream} does not answer here")
        else:
            yield Finding(
                state="error",
                what=f"{name}: {target.upstream} can be reached from here, around the gateway",
                advice="let a firewall or network policy at the target admit the gateway's address alone",
            )


def _slack() -> Iterator[Finding]:
    missing = [
        name
        for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "COUNTERSIGN_BOT_TOKEN")
        if not os.environ.get(name)
    ]
    if missing:
        yield Finding(
            state="warning",
            what=f"for the bot these variables are not set here: {', '.join(missing)}",
            advice="docs/slack.md says where each comes from",
        )
    else:
        yield Finding(state="ok", what="the bot's variables are set")
