"""`countersign blast-radius`: what an agent, or the holder of a token, can reach now: without and with approval."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from gateway.commands.check import BY_DEFAULT
from gateway.commands.options import policy_option
from gateway.commands.radius_picture import picture
from gateway.commands.terminal import harmless, tinted
from gateway.commands.token_reading import TokenUnreadable, decode
from gateway.identity import scopes
from gateway.policy.file import PolicyFileError, load
from gateway.policy.model import Policy
from gateway.policy.radius import Radius, Reached, of_agent, of_chain
from gateway.policy.reader import suggestion

HELP = "Show what an agent or the holder of a token can reach now, without and with approval."
WORDS = {"allow": "now", "hold": "with approval", "block": "never"}


class Unclear(Exception):
    """Neither an agent nor a token; the message says what there is."""


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "who",
        nargs="?",
        metavar="AGENT|TOKEN",
        help="a root agent of the policy, or a token; `-` reads a token from stdin, where no other process "
        "sees it; default: every agent",
    )
    policy_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--svg", type=Path, metavar="FILE", help="write a picture as well; `-` is stdout, alone"
    )


def run(arguments: argparse.Namespace) -> int:
    """0: told. 1: the policy is not in order, or the token reaches nothing any more. 2: not asked rightly."""
    from gateway.vocabulary import known

    try:
        policy = load(arguments.policy, known())
    except PolicyFileError as error:
        print(error, file=sys.stderr)
        return 1
    now = time.time()
    who = sys.stdin.readline(65_536).strip() if arguments.who == "-" else arguments.who
    try:
        found, ended = _radii(policy, who, now)
    except Unclear as unclear:
        print(f"countersign: {unclear}", file=sys.stderr)
        return 2
    if arguments.svg is not None and str(arguments.svg) == "-":
        print(picture(found), end="")
        return 1 if ended else 0
    if arguments.svg is not None:
        try:
            arguments.svg.write_text(picture(found), encoding="utf-8")
        except OSError as error:
            print(f"countersign: {arguments.svg} cannot be written: {error.strerror}", file=sys.stderr)
            return 2
    if arguments.json:
        answer = {
            "policy": {"source": policy.source, "version": policy.version},
            "at": now,
            "ended": ended,
            "chains": [_fields(each) for each in found],
        }
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        print(
            "\n\n".join(_told(policy, each) for each in found)
            or "no agent is declared: nobody reaches anything"
        )
        if ended:
            print("This token has ended: it reaches nothing any more. Above is what it reached.")
        elif who is not None and who not in policy.agents:
            print(
                "As the token says of itself; whether it is genuine and not revoked, the gateway alone knows."
            )
    return 1 if ended else 0


def _radii(policy: Policy, who: str | None, now: float) -> tuple[list[Radius], bool]:
    """The chains that are meant, and whether theirs is a token that has ended. Raises `Unclear`."""
    if who is None:
        return [of_agent(policy, agent, now) for agent in policy.agents.values()], False
    if who in policy.agents:
        return [of_agent(policy, policy.agents[who], now)], False
    try:
        claims = decode(who)
        links = claims.get("lineage")
        chain = tuple(str(link["name"]) for link in links) if isinstance(links, list) else ()
        scope = scopes.from_details(claims.get("authorization_details"))
        expires, deeper = float(claims["exp"]), int(claims.get("depth_left") or 0)
    except (TokenUnreadable, scopes.ScopeMalformed, KeyError, TypeError, ValueError):
        raise Unclear(
            f"there is no agent {who[:60]!a} in {policy.source}{suggestion(who[:60], policy.agents)}, and it is no token "
            "of a gateway"
        ) from None
    person, groups = str(claims.get("person") or ""), claims.get("groups")
    said = [each for each in groups if isinstance(each, str)] if isinstance(groups, list) else []
    found = of_chain(policy, chain or ("?",), person=person, scope=scope, deeper=deeper, at=now, said=said)
    return [found], expires <= now


def _fields(radius: Radius) -> dict[str, Any]:
    return {
        "agent": radius.chain[-1],
        "chain": radius.chain,
        "person": radius.person,
        "groups": radius.groups,
        "deeper": radius.deeper,
        "gone": radius.gone,
        "connections": [
            {
                "name": connection.name,
                "protocol": connection.protocol,
                "labels": dict(connection.labels),
                "effects": [_effect(each) for each in reached],
            }
            for connection, reached in radius.connections
        ],
    }


def _effect(reached: Reached) -> dict[str, Any]:
    cell = reached.cell
    return {
        "effect": str(cell.effect),
        "verdict": cell.verdict,
        "reach": WORDS[cell.verdict],
        "default": cell.is_default,
        "rules": cell.rules,
        "masks": cell.masks,
        "asks": [asdict(ask) for ask in reached.asks],
        "elevations": reached.elevations,
        "may": [asdict(each) for each in cell.may],
    }


def _told(policy: Policy, radius: Radius) -> str:
    who = " → ".join(map(harmless, [*([radius.person] if radius.person else []), *radius.chain]))
    below = f"may put {radius.deeper} more below itself" if radius.deeper else "may start nobody"
    lines = [f"{who}  ({below})"]
    rows: list[tuple[str, ...]] = [("CONNECTION", "NOW", "WITH APPROVAL", "NEVER")]
    for connection, reached in radius.connections:
        rows.append(
            (
                connection.name,
                *(
                    ", ".join(_effect_shown(each) for each in reached if each.cell.verdict == verdict) or "-"
                    for verdict in ("allow", "hold", "block")
                ),
            )
        )
    lines += _table(rows) if radius.connections else ["  it reaches nothing"]
    lines += [
        f"  {name} is in its scope, but the policy has no such connection"
        for name in map(harmless, radius.gone)
    ]
    if any(each.cell.is_default for _, reached in radius.connections for each in reached):
        lines.append(BY_DEFAULT)
    for connection, reached in radius.connections:
        for verdict, asked in _asked(reached).items():
            lines.append(
                f"  {connection.name}: {verdict} {'needs' if ',' not in verdict else 'need'} {asked}"
            )
        ways: dict[str, list[str]] = {}
        for each in reached:
            for way in each.cell.may:
                told = f"{WORDS[way.verdict]}, by {way.rule} ({policy.source}:{way.line}), depending on {', '.join(way.on)}"
                ways.setdefault(told, []).append(str(each.cell.effect))
        lines += [f"  ~ {connection.name}: {', '.join(effects)}: {told}" for told, effects in ways.items()]
    return "\n".join(lines)


def _effect_shown(reached: Reached) -> str:
    return (
        str(reached.cell.effect)
        + ("*" if reached.cell.is_default else "")
        + ("~" if reached.cell.may else "")
    )


def _asked(reached: Iterable[Reached]) -> dict[str, str]:
    """Effects that are held -> who has to say yes, and what may be asked for instead."""
    by_need: dict[str, list[str]] = {}
    for each in reached:
        if each.cell.verdict == "hold":
            by_need.setdefault(needs(each), []).append(str(each.cell.effect))
    return {", ".join(effects): need for need, effects in by_need.items()}


def needs(reached: Reached) -> str:
    """`1 of dba and 2 of security, or the elevation fix-forward`"""
    asked = " and ".join(
        f"{ask.quorum} of {'any group' if ask.approvers == '*' else ask.approvers}" for ask in reached.asks
    )
    return asked + (f", or the elevation {' or '.join(reached.elevations)}" if reached.elevations else "")


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    colours = (None, "allow", "hold", "block")
    return [
        "  "
        + "  ".join(
            cell + " " * (width - len(cell))
            if at == 0 or colour is None
            else tinted(colour, cell) + " " * (width - len(cell))
            for cell, width, colour in zip(row, wide, colours, strict=True)
        ).rstrip()
        for at, row in enumerate(rows)
    ]
