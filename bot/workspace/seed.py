"""Who and what a workspace starts with: the default, and the seed file that may replace it.

A seed file is one JSON object; each key given replaces that part of the default:

    {"team":     {"id": "T0DEMO", "name": "Countersign demo", "domain": "countersign-demo"},
     "people":   [{"id": "U0ANA", "name": "ana.silva", "real_name": "Ana Silva", "email": "...", "title": "DBA"}],
     "groups":   [{"id": "S0DBA", "handle": "dba", "name": "Database administrators", "users": ["U0ANA"]}],
     "channels": [{"id": "C0APPROVALS", "name": "approvals", "topic": "...", "private": false,
                   "members": ["U0ANA"], "app_is_member": true}],
     "app":      {"id", "name", "bot_id", "bot_user_id", "signing_secret", "verification_token",
                  "commands": [{"command", "description", "usage_hint", "should_escape"}],
                  "shortcuts": [{"name", "type": "message"|"global", "callback_id", "description"}],
                  "events": ["message.channels", "app_home_opened", ...], "request_url": "http://127.0.0.1:3000/slack/events"},
     "tokens":   [{"token": "xoxb-...", "kind": "bot"|"app"|"user", "user": "U0...", "scopes": ["chat:write"]}],
     "timings":  {"ack_seconds": 3, "trigger_seconds": 3, "response_url_seconds": 1800, "retry_seconds": [0, 60, 300],
                  "ping_seconds": 10, "refresh_grace_seconds": 2},
     "rate":     "off" | "normal" | "strict"}

Without `request_url` the app is reached over Socket Mode, with it over signed HTTP. `members` absent
means everybody. An unknown key is an error.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

# The scopes and events of the app's manifest: what is missing here is missing in a real workspace too.
SCOPES = (
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:write",
    "pins:write",
    "reactions:write",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
EVENTS = ("app_home_opened", "member_joined_channel", "message.channels", "message.groups")


class SeedError(ValueError):
    """The seed is not usable; the sentence names the key and what is wanted."""


class Rate(StrEnum):
    """How strictly the rate model answers 429."""

    OFF = "off"
    NORMAL = "normal"
    STRICT = "strict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    id: str = "T0DEMO"
    name: str = "Countersign demo"
    domain: str = "countersign-demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPerson:
    id: str
    name: str
    real_name: str
    email: str
    title: str = ""
    deleted: bool = False
    guest: bool = False
    stranger: bool = False
    email_confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedGroup:
    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedChannel:
    id: str
    name: str
    topic: str = ""
    private: bool = False
    members: tuple[str, ...] | None = None
    app_is_member: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    name: str
    type: str
    callback_id: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The one installed app and how it is reached."""

    id: str = "A0COUNTERSIGN"
    name: str = "Countersign"
    bot_id: str = "B0COUNTERSIGN"
    bot_user_id: str = "U0COUNTERSIGN"
    signing_secret: str = field(default="local-signing-secret", repr=False)
    verification_token: str = field(default="local-verification-token", repr=False)
    commands: tuple[SlashCommand, ...] = (
        SlashCommand(
            command="/countersign",
            description="Look at approvals, sessions and lineages",
            usage_hint="help | approvals | sessions | kill SESSION",
        ),
        SlashCommand(
            command="/elevate",
            description="Do more for a while, or let an agent",
            usage_hint="[[AGENT] CONNECTION EFFECTS TIME REASON] | list | end GRANT",
        ),
        SlashCommand(command="/sessions", description="The open sessions that you may see"),
        SlashCommand(command="/lineage", description="Which agents run for whom, and who started them"),
        SlashCommand(command="/whoami", description="Who you are to the gateway"),
        SlashCommand(
            command="/audit",
            description="Find words in the transcripts that you may see",
            usage_hint="search WORDS",
        ),
    )
    shortcuts: tuple[Shortcut, ...] = (
        Shortcut(
            name="Ask for access",
            type="message",
            callback_id="countersign.ask_access",
            description="Ask for what was refused here",
        ),
    )
    events: tuple[str, ...] = EVENTS
    request_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential of the Web API. `user` is whom it speaks as (none for app-level tokens)."""

    token: str = field(repr=False)
    kind: str
    user: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds that Slack keeps to, in one place so that tests can shorten them."""

    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    response_url_seconds: float = 1800.0
    retry_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    ping_seconds: float = 10.0
    refresh_grace_seconds: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Everything a workspace starts with."""

    team: Team = Team()
    people: tuple[SeedPerson, ...] = (
        SeedPerson(
            id="U0MARIA",
            name="maria.lopez",
            real_name="Maria Lopez",
            email="maria.lopez@example.com",
            title="Starts pipelines",
        ),
        SeedPerson(
            id="U0ANA", name="ana.silva", real_name="Ana Silva", email="ana.silva@example.com", title="DBA"
        ),
        SeedPerson(
            id="U0BEN", name="ben.okafor", real_name="Ben Okafor", email="ben.okafor@example.com", title="DBA"
        ),
        SeedPerson(
            id="U0SAM", name="sam.chen", real_name="Sam Chen", email="sam.chen@example.com", title="Security"
        ),
    )
    groups: tuple[SeedGroup, ...] = (
        SeedGroup(id="S0DBA", handle="dba", name="Database administrators", users=("U0ANA", "U0BEN")),
        SeedGroup(id="S0SECURITY", handle="security", name="Security", users=("U0SAM",)),
    )
    channels: tuple[SeedChannel, ...] = (
        SeedChannel(id="C0APPROVALS", name="approvals", topic="Commands that wait for a decision"),
        SeedChannel(id="C0AUDITSHOP", name="audit-shop", topic="Masked transcripts of the shop database"),
        SeedChannel(id="C0AUDIT", name="audit", topic="Notices about the gateway itself"),
        SeedChannel(id="C0GENERAL", name="general", topic="Everything else"),
    )
    app: App = App()
    tokens: tuple[Token, ...] = (
        Token(token="xoxb-local-countersign", kind="bot", user="U0COUNTERSIGN", scopes=SCOPES),  # noqa: S106
        Token(token="xapp-local-countersign", kind="app", scopes=("connections:write",)),  # noqa: S106
        Token(token="xoxp-local-sam", kind="user", user="U0SAM", scopes=("search:read",)),  # noqa: S106
    )
    timings: Timings = Timings()
    rate: Rate = Rate.NORMAL


T = TypeVar("T")


def read_seed(path: Path) -> Seed:
    """The default with the parts that the JSON file at `path` replaces. Raises SeedError."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SeedError(f"{path}: not a readable JSON file ({error}).") from None
    return parse_seed(given)


def parse_seed(given: object) -> Seed:
    """The default with the parts that `given` replaces. Raises SeedError."""
    seed = _build(Seed, given, "seed")
    known = {person.id for person in seed.people} | {seed.app.bot_user_id}
    for group in seed.groups:
        _all_known(group.users, known, f"seed.groups[{group.handle}].users")
    for channel in seed.channels:
        _all_known(channel.members or (), known, f"seed.channels[{channel.name}].members")
    for token in seed.tokens:
        if token.kind not in {"bot", "app", "user"}:
            raise SeedError(f"seed.tokens: kind {token.kind!r} is none of bot, app, user.")
        _all_known((token.user,) if token.user else (), known, "seed.tokens.user")
    return seed


def _all_known(ids: tuple[str, ...], known: set[str], where: str) -> None:
    for one in ids:
        if one not in known:
            raise SeedError(f"{where}: nobody in seed.people has the id {one!r}.")


def _build(kind: type[T], given: object, where: str) -> T:
    if not isinstance(given, Mapping):
        raise SeedError(f"{where}: an object is wanted.")
    hints = get_type_hints(kind)
    unknown = set(given) - set(hints)
    if unknown:
        raise SeedError(f"{where}: unknown key {min(unknown)!r}; known: {', '.join(hints)}.")
    values = {key: _value(hints[key], value, f"{where}.{key}") for key, value in given.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise SeedError(f"{where}: {error}.") from None


def _value(hint: Any, given: object, where: str) -> object:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, given, where)
    options = get_args(hint)
    if get_origin(hint) is tuple:
        if not isinstance(given, list):
            raise SeedError(f"{where}: a list is wanted.")
        return tuple(_value(options[0], one, f"{where}[{at}]") for at, one in enumerate(given))
    if type(None) in options:
        return None if given is None else _value(options[0], given, where)
    if hint is Rate:
        if given not in set(Rate):
            raise SeedError(f"{where}: one of {', '.join(Rate)} is wanted.")
        return Rate(str(given))
    if hint is float and isinstance(given, (int, float)) and not isinstance(given, bool):
        return float(given)
    if not isinstance(given, hint):
        raise SeedError(f"{where}: {hint.__name__} is wanted.")
    return given
