"""Policies and commands to judge: one file that has everything, one that has the least, and who asks."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from gateway.model import Actor, Connection, Effect, Facts, Lineage, Resource
from gateway.policy.live import LivePolicy

# Machines are shared: how long one example takes says nothing here.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

WHOLE = """\
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:15432
    upstream: postgresql://127.0.0.1:5433/shop
    credential: {user: gateway, password: env:SHOP_PASSWORD}
    labels: {env: prod}
    channels: {approvals: "#approvals", audit: "#audit-shop"}
agents:
  release-pipeline:
    secret: env:RELEASE_PIPELINE_SECRET
    person: maria.lopez@example.com
    scope: {shop: [read, write]}
    max_depth: 3
groups:
  dba: {slack: "@dba", members: [ana.silva@example.com]}
operators: [dba]
rules:
  - name: writes
    when: {labels: {env: prod}, effects: [write, ddl]}
    then: {hold: {approvers: dba, quorum: 1, within: 15m, message: "A DBA looks."}, mask: pii}
  - name: reads
    when: {effects: [read, session], attributes: {sql.has_where: true}}
    then: {allow: true, mask: pii}
default: hold
masks:
  pii: {detect: [email, secrets], columns: {"*.ssn": redact}, except: [orders.id]}
retention: {recordings: 90d, required: 30d}
limits: {command_bytes: 16MiB, statements: 100, rejoin: 30s, connections: 10}
slack: {approvals: "#approvals", people: {U012ABCDE: ana.silva@example.com}, match_people_by_email: true}
bot: {credential: file:/run/bot}
api: {listen: "[::1]:8480", public_url: https://countersign.example.com/}
tls: {certificate: /etc/cert.pem, key: /etc/key.pem}
tokens: {ttl: 30m, max_ttl: 2h}
examples:
  - {connection: shop, command: write, agent: [a, b], person: x@example.com, groups: [dba], expect: hold, rules: [writes]}
"""

MINIMAL = """\
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:15432
    upstream: postgresql://db.internal/shop
    credential: {user: gateway}
rules:
  - {name: reads, when: {effects: read}, then: {allow: true}}
default: block
"""

SHOP = Connection(name="shop", protocol="postgres", labels={"env": "prod"})
READ, WRITE, DDL, EXFIL, SESSION, UNKNOWN = (
    Effect.READ,
    Effect.WRITE,
    Effect.DDL,
    Effect.EXFIL,
    Effect.SESSION,
    Effect.UNKNOWN,
)


def chain(
    *names: str, person: str = "maria.lopez@example.com", groups: frozenset[str] = frozenset()
) -> Lineage:
    return Lineage(
        person=person, chain=tuple(Actor(name=name, token_id=name) for name in names), groups=groups
    )


AGENT = chain("release-pipeline", "planner", "migrator")


def does(*effects: Effect, **more) -> Facts:
    return Facts(effects=frozenset(effects), **more)


def on(
    *touched: tuple[str, Effect], kind: str = "table", more: tuple[Resource, ...] = (), attributes=None
) -> Facts:
    """A command that has these effects on these things."""
    return Facts(
        effects=frozenset(effect for _, effect in touched),
        resources=(*(Resource(kind=kind, name=name, effect=effect) for name, effect in touched), *more),
        attributes=attributes or {},
    )


def rule(name: str, hold: str) -> str:
    """A rule that holds what writes."""
    return f"- {{name: {name}, when: {{effects: [write]}}, then: {{hold: {{{hold}}}}}}}"


def reloaded(live: LivePolicy) -> str | None:
    """Has the file read again, as the gateway does. None, or why the old policy stays."""
    return live.take(live.read())
