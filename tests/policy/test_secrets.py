"""Where secrets may be said to be, what is refused with its place, and that the schema sees the same."""

from __future__ import annotations

import io

import jsonschema
import pytest
from ruamel.yaml import YAML

from gateway.policy.credentials import AppRole, SecretRef, ServiceAccount
from gateway.policy.file import PolicyFileError, parse
from gateway.policy.schema import schema
from gateway.policy.secrets import references
from gateway.vocabulary import known
from tests.policy.house import MINIMAL

VOCABULARY = known()
SCHEMA = schema(VOCABULARY)
STORES = 'secrets: {vault: {address: "https://vault.internal:8200", auth: {token: env:VAULT_TOKEN}}}\n'
HEAD = """
connections:
  c:
    protocol: postgres
    listen: 127.0.0.1:1
    upstream: postgresql://127.0.0.1:2/d
    credential: {user: u, password: PLACE}
rules: [{name: r, when: {effects: [read]}, then: {allow: true}}]
default: hold
"""


def valid(text: str) -> bool:
    document = YAML(typ="safe", pure=True).load(io.StringIO(text))
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(document))


def refused(text: str) -> PolicyFileError:
    with pytest.raises(PolicyFileError) as raised:
        parse(text, "policies.yaml", VOCABULARY)
    return raised.value


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        ("env:A_1", SecretRef(source="env", name="A_1")),
        ("file:/run/secrets/a b", SecretRef(source="file", name="/run/secrets/a b")),
        (
            '"vault:secret/data/orders#password"',
            SecretRef(source="vault", name="secret/data/orders", key="password"),
        ),
        (
            '"vault:team-a/kv/data/a/b.c#db_password"',
            SecretRef(source="vault", name="team-a/kv/data/a/b.c", key="db_password"),
        ),
        ('"aws:orders/prod#password"', SecretRef(source="aws", name="orders/prod", key="password")),
        ("aws:orders/prod", SecretRef(source="aws", name="orders/prod")),
        (
            '"aws:arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf#password"',
            SecretRef(
                source="aws",
                name="arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf",
                key="password",
            ),
        ),
        (
            "{command: [/usr/bin/pass, show, 'a b; c']}",
            SecretRef(source="command", command=("/usr/bin/pass", "show", "a b; c")),
        ),
    ],
)
def test_every_place_is_read_and_valid(spelt: str, meant: SecretRef) -> None:
    text = HEAD.replace("PLACE", spelt) + STORES
    policy = parse(text, "policies.yaml", VOCABULARY)
    assert policy.targets["c"].credential.password == meant
    assert ("connections.c.credential.password", meant) in list(references(policy))
    assert valid(text)


@pytest.mark.parametrize(
    ("spelt", "said"),
    [
        ("hunter2", "must not stand in the policy"),
        ("12345", "must say where"),
        ("[env:A]", "must say where"),
        ("env:A-B", "cannot name an environment variable"),
        ("'file:'", "needs a path"),
        ('"vault:secret/data/orders"', "which of its values"),
        ('"vault:/secret/data/orders#password"', "as Vault's API has it"),
        ('"vault:v1/secret/data/orders#password"', "without v1/"),
        ('"vault:secret/data/../sys#password"', "as Vault's API has it"),
        ('"vault:orders#password"', "as Vault's API has it"),
        ('"vault:secret/data/orders#"', "which of its values"),
        ('"vault:secret/data/or ders#password"', "as Vault's API has it"),
        ('"vault:secret/data/orders?version=1#password"', "as Vault's API has it"),
        ("'aws:'", "name or ARN"),
        ('"aws:orders prod"', "name or ARN"),
        ('"aws:orders#"', "name or ARN"),
        ("{command: pass show orders}", "a command is a list"),
        ("{command: [pass, show, orders]}", "whole path"),
        ("{command: []}", "empty"),
        ("{command: [/usr/bin/pass, '']}", "empty"),
        ("{command: [/usr/bin/pass, 5]}", "must be text"),
        ("{run: [/usr/bin/pass]}", "unknown key `run`"),
        ("{}", "`command` is missing"),
    ],
)
def test_what_is_no_place_is_refused_where_it_stands_and_never_repeated(spelt: str, said: str) -> None:
    text = HEAD.replace("PLACE", spelt) + STORES
    faults = [fault for fault in refused(text).errors if said in fault.message]
    assert [fault.line for fault in faults] == [7]
    assert faults[0].column >= 27
    assert "hunter2" not in str(faults)


@pytest.mark.parametrize(
    "spelt",
    [
        "hunter2",
        "12345",
        '"vault:secret/data/orders"',
        '"vault:v1/secret/data/orders#password"',
        '"aws:orders prod"',
        "{command: pass}",
        "{command: [pass]}",
        "{command: []}",
        "{}",
    ],
)
def test_the_schema_refuses_them_too(spelt: str) -> None:
    assert not valid(HEAD.replace("PLACE", spelt) + STORES)


def test_a_secret_in_vault_needs_a_way_to_ask_it() -> None:
    (fault,) = refused(HEAD.replace("PLACE", '"vault:secret/data/orders#password"')).errors
    assert (fault.line, fault.column, fault.key) == (7, 27, "connections.c.credential.password")
    assert "secrets.vault" in fault.message


@pytest.mark.parametrize(
    ("auth", "meant"),
    [
        ("{token: env:T}", SecretRef(source="env", name="T")),
        ("{token: {command: [/bin/t]}}", SecretRef(source="command", command=("/bin/t",))),
        (
            "{approle: {role_id: env:R, secret_id: file:/s}}",
            AppRole(role_id=SecretRef(source="env", name="R"), secret_id=SecretRef(source="file", name="/s")),
        ),
        (
            "{service_account: {role: countersign, mount: prod/kubernetes}}",
            ServiceAccount(
                role="countersign",
                mount="prod/kubernetes",
                token=SecretRef(source="file", name="/var/run/secrets/kubernetes.io/serviceaccount/token"),
            ),
        ),
    ],
)
def test_every_way_into_vault_is_read(auth: str, meant: object) -> None:
    text = (
        MINIMAL
        + f"secrets: {{refresh: 1m, stale: 5m, vault: {{address: 'https://v', auth: {auth}, namespace: a/b/}}}}\n"
    )
    found = parse(text, "policies.yaml", VOCABULARY).secrets
    assert found.vault is not None
    assert (found.refresh, found.stale, found.vault.auth, found.vault.namespace) == (
        60.0,
        300.0,
        meant,
        "a/b",
    )
    assert valid(text)


@pytest.mark.parametrize(
    ("section", "said", "seen"),
    [
        (
            "{vault: {address: 'http://vault.internal', auth: {token: env:T}}}",
            "without TLS only on loopback",
            False,
        ),
        ("{vault: {address: 'https://u:p@v', auth: {token: env:T}}}", "no address of a Vault", False),
        ("{vault: {address: 'https://v/v1', auth: {token: env:T}}}", "no address of a Vault", False),
        ("{vault: {address: 'vault.internal:8200', auth: {token: env:T}}}", "no address of a Vault", True),
        ("{vault: {address: 'https://v'}}", "`auth` is missing", True),
        ("{vault: {auth: {token: env:T}}}", "`address` is missing", True),
        ("{vault: {address: 'https://v', auth: {}}}", "one way to log in", True),
        (
            "{vault: {address: 'https://v', auth: {token: env:T, service_account: {role: r, mount: m}}}}",
            "one way to log in",
            True,
        ),
        ("{vault: {address: 'https://v', auth: {token: hunter2}}}", "must not stand in the policy", True),
        ("{vault: {address: 'https://v', auth: {token: 'aws:t'}}}", "not in a store itself", True),
        (
            "{vault: {address: 'https://v', auth: {approle: {role_id: env:R}}}}",
            "`secret_id` is missing",
            True,
        ),
        (
            "{vault: {address: 'https://v', auth: {token: env:T}, namespace: 'a b'}}",
            "cannot be a namespace",
            False,
        ),
        ("{aws: {region: Frankfurt}}", "no region", True),
        ("{refresh: 0s}", "duration", False),
        ("{refresh: often}", "duration", True),
        ("{gcp: {}}", "unknown key `gcp`", True),
    ],
)
def test_what_is_no_way_is_refused(section: str, said: str, seen: bool) -> None:
    text = f"{MINIMAL}secrets: {section}\n"
    failure = refused(text)
    assert said in str(failure)
    assert "hunter2" not in str(failure)
    if seen:
        assert not valid(text)
