"""The sections of the file that say what there is: connections, agents, groups, masks, limits and addresses."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

from gateway import wire
from gateway.masking.paths import PathUnclear, json_path
from gateway.model import Connection
from gateway.policy import identifying, tree
from gateway.policy.credentials import SecretRef, StoredCredential
from gateway.policy.globs import FOREIGN
from gateway.policy.logins import credential
from gateway.policy.model import (
    Address,
    Agent,
    ApiPolicy,
    CustomDetector,
    Group,
    Limits,
    MaskPolicy,
    Retention,
    Slack,
    Target,
    Tls,
    TlsPolicy,
    TokenPolicy,
    Upstream,
)
from gateway.policy.offers import BY_HAND
from gateway.policy.reader import Look, suggestion
from gateway.policy.secrets import NOWHERE, secret
from gateway.policy.values import PERSON, address, given, ip, is_loopback, pattern, person, scope
from gateway.policy.vocabulary import Vocabulary

TLS_MODES = ("disable", "require", "verify-full")
HANDLE = re.compile(r"@[^\s@]{1,80}")
CHANNEL = re.compile(r"#[^\s#,]{1,80}|[CG][A-Z0-9]{8,}")
SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,}")

PUBLIC_KEY = re.compile(r"(?:ssh|ecdsa|sk-)[a-z0-9@.-]* AAAA[A-Za-z0-9+/=]{40,}(?: |$)")

# connections


def targets(look: Look, vocabulary: Vocabulary, slack: Slack) -> dict[str, Target]:
    found: dict[str, Target] = {}
    listening: dict[str, str] = {}
    for name, entry in look.entries("a connection").items():
        keys = entry.fields(
            ("protocol", "listen", "upstream", "credential", "labels", "channels", "options"),
            required=("protocol", "listen", "upstream", "credential"),
        )
        protocol = given(keys, "protocol", lambda look: look.choice(vocabulary.protocols, "a protocol"), "")
        listen = given(keys, "listen", address, Address(host="", port=0))
        if listen.port and "listen" in keys:
            other = listening.setdefault(str(listen), name)
            both = {protocol, found[other].connection.protocol} if other in found else {protocol}
            if other != name and not (len(both) == 1 and both <= vocabulary.shares_addresses):
                keys["listen"].fault(
                    f"the connection `{other}` already listens on {listen}; choose another port"
                )
        channels = given(keys, "channels", _channels, {})
        labels = given(keys, "labels", _labels, {})
        schemes = vocabulary.protocols.get(protocol, {})
        found[name] = Target(
            connection=Connection(name=name, protocol=protocol, labels=labels),
            listen=listen,
            upstream=_upstream(
                keys["upstream"],
                protocol,
                schemes,
                own=protocol in vocabulary.encrypts,
                by_scheme=vocabulary.scheme_tls.get(protocol, {}),
            )
            if "upstream" in keys
            else Upstream(host="", port=0),
            credential=given(
                keys,
                "credential",
                partial(credential, makes_roles=protocol in vocabulary.makes_roles),
                StoredCredential(),
            ),
            approvals_channel=channels.get("approvals", slack.approvals),
            audit_channel=channels.get("audit", slack.audit),
            options=given(
                keys, "options", partial(_options, choices=vocabulary.options.get(protocol, {})), {}
            ),
        )
    return found


def _labels(look: Look) -> dict[str, str]:
    return {key: each.text() for key, each in look.entries("a label").items()}


def _options(look: Look, *, choices: Mapping[str, Collection[str]]) -> dict[str, str]:
    return {key: each.choice(choices[key], "a choice") for key, each in look.fields(tuple(choices)).items()}


def _channels(look: Look) -> dict[str, str]:
    return {key: _channel(each) for key, each in look.fields(("approvals", "audit")).items()}


def _channel(look: Look) -> str:
    value = look.text()
    if value and not CHANNEL.fullmatch(value):
        look.fault(f'`{value[:60]}` is no Slack channel; write its name with #, in quotes: "#approvals"')
    return value


def _upstream(
    look: Look, protocol: str, schemes: Mapping[str, int], *, own: bool, by_scheme: Mapping[str, str]
) -> Upstream:
    """`scheme://host[:port][/database][?sslmode=...&sslrootcert=...]` or `[?known_hosts=...]`; no user, no password.

    Where the scheme says whether there is TLS, there are no databases.
    """
    nowhere = Upstream(host="", port=0)
    value = look.text()
    if not value:
        return nowhere
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        look.fault("this is no address; write it as in postgresql://orders.internal:5432/orders")
        return nowhere
    if protocol and url.scheme not in schemes:
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        look.fault(
            f"the address of a {protocol} connection begins with {begins}, as in {next(iter(schemes))}://host"
        )
        return nowhere
    if url.username is not None or url.password is not None:
        look.fault("user and password do not belong in the address; put them under `credential`")
        return nowhere
    if not url.hostname or url.fragment:
        look.fault("the address names no host; write it as in postgresql://orders.internal:5432/orders")
        return nowhere
    if by_scheme and url.path not in {"", "/"}:
        look.fault("this address has no path: the connection is to the whole service")
    tls, ca = _upstream_tls(look, url, own=own)
    told = cast("Tls | None", by_scheme.get(url.scheme))
    if told and tls and (tls == "disable") is not (told == "disable"):
        look.fault(f"the address says {url.scheme}:// and sslmode={tls}; only one of them can hold")
    return Upstream(
        host=url.hostname,
        port=port or schemes.get(url.scheme, 0),
        database=url.path.removeprefix("/"),
        tls=tls or told or ("disable" if is_loopback(url.hostname) else "verify-full"),
        ca=ca,
    )


def _upstream_tls(look: Look, url: SplitResult, *, own: bool) -> tuple[Tls | None, str | None]:
    """`own`: the protocol encrypts by itself, and nothing may be said of TLS."""
    known = ("known_hosts",) if own else ("sslmode", "sslrootcert")
    mode: str | None = "own" if own else None
    ca: str | None = None
    for key, value in parse_qsl(url.query, keep_blank_values=True):
        match key:
            case _ if key not in known:
                look.fault(
                    f"`{key[:40]}` is no parameter of such an address; known here: {', '.join(known)}"
                    f"{suggestion(key, known)}"
                )
            case "sslmode" if value in TLS_MODES:
                mode = value
            case "sslmode":
                look.fault(f"sslmode `{value[:40]}` is not known{suggestion(value, TLS_MODES)}")
            case _ if value:
                ca = value
            case _:
                look.fault(f"`{key}` names no file")
    if ca is not None and mode not in {None, "verify-full", "own"}:
        look.fault(f"sslrootcert is of no use with sslmode={mode}; write sslmode=verify-full")
    return cast("Tls | None", mode or ("verify-full" if ca else None)), ca


# who


def groups(look: Look) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for name, entry in look.entries("a group").items():
        keys = entry.fields(("slack", "members", "claim"))
        slack = given(keys, "slack", Look.text, "")
        if slack and not HANDLE.fullmatch(slack):
            keys["slack"].fault(
                f'`{slack[:60]}` is no handle of a Slack user group; write it with @, in quotes: "@dba"'
            )
        members = given(keys, "members", lambda look: look.each(person), ())
        claim = given(keys, "claim", lambda look: look.each(Look.text), ())
        found[name] = Group(name=name, slack=slack, members=members, claim=claim)
    return found


def agents(look: Look, connections: Mapping[str, Target], tokens: TokenPolicy) -> dict[str, Agent]:
    found: dict[str, Agent] = {}
    for name, entry in look.entries("an agent").items():
        if PERSON.fullmatch(name):
            entry.fault_at_key(f"`{name[:60]}` is a person's address; name the program that acts for them")
        keys = entry.fields(
            ("secret", "scope", "max_depth", "person", "persons", "ttl", "keys", "bound", "reuse"),
            required=("scope",),
        )
        if name == BY_HAND:
            entry.fault_at_key(f"`{BY_HAND}` is a person's own hands, and no agent; choose another name")
        ttl = given(keys, "ttl", Look.duration, min(tokens.ttl, tokens.max_ttl))
        if ttl > tokens.max_ttl and "ttl" in keys:
            keys["ttl"].fault("this is longer than `tokens.max_ttl`; shorten it, or raise that")
        found[name] = Agent(
            name=name,
            secret=given(keys, "secret", secret, None),
            scope=given(keys, "scope", lambda look: scope(look, connections=connections), {}),
            max_depth=given(keys, "max_depth", lambda look: look.integer(least=1, most=32), 3),
            person=given(keys, "person", person, ""),
            persons=given(keys, "persons", lambda look: look.each(_person_or_all), ()),
            ttl=ttl,
            keys=given(keys, "keys", lambda look: look.each(_public_key), ()),
            binding=identifying.binding(keys),
        )
    return found


def _public_key(look: Look) -> str:
    value = look.text()
    if value and not PUBLIC_KEY.match(value):
        look.fault("this is no public key; write the line of a .pub file: ssh-ed25519 AAAA...")
    return value


def _person_or_all(look: Look) -> str:
    return "*" if getattr(look.node, "value", None) == "*" else person(look)


def slack(look: Look) -> Slack:
    keys = look.fields(("approvals", "audit", "people", "match_people_by_email", "link_lasts"))
    own = Slack()
    people: dict[str, str] = {}
    if "people" in keys:
        for user, entry in keys["people"].pairs().items():
            if not SLACK_USER.fullmatch(user):
                entry.fault_at_key(
                    f"`{user[:60]}` is no Slack user id; it looks like U012AB3CD (in the member's profile)"
                )
            people[user] = person(entry)
    return Slack(
        approvals=given(keys, "approvals", _channel, own.approvals),
        audit=given(keys, "audit", _channel, own.audit),
        people=people,
        match_people_by_email=given(keys, "match_people_by_email", Look.flag, False),
        link_lasts=given(keys, "link_lasts", Look.duration, None),
    )


# what may not be seen


def masks(look: Look, vocabulary: Vocabulary, custom: Mapping[str, CustomDetector]) -> dict[str, MaskPolicy]:
    known = vocabulary.detectors | custom.keys()

    def detector(look: Look) -> str:
        name = look.choice(known, "a detector")
        if command := vocabulary.uninstalled.get(name):
            look.fault(f"`{name}` needs an engine that is not installed; run: {command}")
        return name

    found: dict[str, MaskPolicy] = {}
    for name, entry in look.entries("a mask").items():
        keys = entry.fields(("detect", "columns", "except", "keep_length"))
        if not keys.keys() & {"detect", "columns"} and hasattr(entry.node, "entries"):
            entry.fault_at_key("this mask masks nothing; give it `detect` or `columns`")
        columns: dict[str, str] = {}
        for column, strategy in given(keys, "columns", Look.pairs, {}).items():
            if fault := _column_fault(column):
                strategy.fault_at_key(f"`{column[:60]}` is no column pattern; {fault}")
            if isinstance(strategy.node, tree.Scalar) and strategy.node.value is None:
                strategy.fault('write the strategy that leaves nothing in quotes, as "null"')
            else:
                columns[column] = strategy.choice(vocabulary.strategies, "a strategy")
        detect = given(keys, "detect", lambda look: look.each(detector), ())
        columns_left, detectors_left = given(keys, "except", lambda look: _except(look, detector), ((), ()))
        found[name] = MaskPolicy(
            name=name,
            detect=detect,
            custom=tuple(custom[each] for each in detect if each in custom),
            columns=columns,
            except_=columns_left,
            except_detect=detectors_left,
            keep_length=given(keys, "keep_length", Look.flag, False),
        )
    return found


def _column_fault(column: str) -> str:
    """What is wrong with a column pattern, or with the path into JSON behind it; "" for nothing."""
    name, sign, path = column.partition("$")
    if sign:
        try:
            json_path(sign + path)
        except PathUnclear as unclear:
            return str(unclear)
        name = name.removesuffix(".")
    if (FOREIGN.search(name) or not name.strip("*?.")) and not (sign and not name):
        return 'write a name with `*` (anything) or `?`, as in "*.ssn"'
    if _QUOTES.search(name):
        return "leave out the quotes: upper and lower case are the same here"
    if name and "" in name.split("."):
        return "a name is missing beside a dot"
    return ""


_QUOTES = re.compile("[\"`']")
"""What names are quoted with in SQL. A pattern with one would fit no column, and hide nothing."""


def _except(look: Look, detector: Callable[[Look], str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns and detectors that are left alone. A plain list is of columns."""
    if not isinstance(look.node, tree.Mapping):
        return look.each(pattern), ()
    keys = look.fields(("columns", "detect"))
    return (
        given(keys, "columns", lambda look: look.each(pattern), ()),
        given(keys, "detect", lambda look: look.each(detector), ()),
    )


# the gateway itself


def retention(look: Look) -> Retention:
    own = Retention()
    keys = look.fields(("recordings", "required"))
    recordings = given(keys, "recordings", Look.duration, own.recordings)
    required = given(keys, "required", Look.duration, min(own.required, recordings))
    if required > recordings:
        keys["required"].fault(
            "this is longer than `recordings`: what must be kept would be deleted; shorten it"
        )
    return Retention(recordings=recordings, required=required)


def limits(look: Look) -> Limits:
    in_wires = {each.name: each for each in dataclasses.fields(wire.Limits)}
    durations, counts = (
        ("dial", "login", "idle", "session", "rejoin"),
        ("connections", "connections_per_lineage"),
    )
    keys = look.fields((*durations, *counts, "answer_recorded", "waiting_bytes", *in_wires))
    own = Limits()
    of_wires = {
        name: _count(keys[name]) if name == "statements" else keys[name].size()
        for name in in_wires
        if name in keys
    }
    return Limits(
        wire=wire.Limits(**of_wires),
        dial=given(keys, "dial", Look.duration, own.dial),
        login=given(keys, "login", Look.duration, own.login),
        idle=given(keys, "idle", Look.duration, own.idle),
        session=given(keys, "session", Look.duration, own.session),
        rejoin=given(keys, "rejoin", Look.duration, own.rejoin),
        connections=given(keys, "connections", _count, own.connections),
        connections_per_lineage=given(keys, "connections_per_lineage", _count, own.connections_per_lineage),
        answer_recorded=given(keys, "answer_recorded", Look.size, own.answer_recorded),
        waiting_bytes=given(keys, "waiting_bytes", Look.size, own.waiting_bytes),
    )


def _count(look: Look) -> int:
    return look.integer(least=1, most=1_000_000)


def tokens(look: Look) -> TokenPolicy:
    own = TokenPolicy()
    keys = look.fields(("ttl", "max_ttl", "nonce"))
    max_ttl = given(keys, "max_ttl", Look.duration, own.max_ttl)
    ttl = given(keys, "ttl", Look.duration, min(own.ttl, max_ttl))
    if ttl > max_ttl:
        keys["ttl"].fault("this is longer than `max_ttl`; shorten it, or raise that")
    return TokenPolicy(ttl=ttl, max_ttl=max_ttl, nonce=given(keys, "nonce", Look.flag, own.nonce))


def api(look: Look) -> ApiPolicy:
    own = ApiPolicy()
    keys = look.fields(("listen", "public_url", "proxies"))
    url = given(keys, "public_url", Look.text, "")
    if url and not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", url):
        keys["public_url"].fault(
            "this is no address of a page; write it as in https://countersign.example.com"
        )
    return ApiPolicy(
        listen=given(keys, "listen", address, own.listen),
        public_url=url.rstrip("/"),
        proxies=given(keys, "proxies", lambda look: look.each(ip), ()),
    )


def bot(look: Look) -> SecretRef:
    keys = look.fields(("credential",), required=("credential",))
    return given(keys, "credential", secret, NOWHERE)


def tls(look: Look) -> TlsPolicy:
    keys = look.fields(("certificate", "key"), required=("certificate", "key"))
    return TlsPolicy(
        certificate=given(keys, "certificate", Look.text, ""),
        key=given(keys, "key", Look.text, ""),
    )
