"""Where secrets are: the places that stand in the file, and the section that says how stores are asked for them.

What stands where a place should may be a secret, so no message repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.policy import tree
from gateway.policy.credentials import (
    AppRole,
    AwsStore,
    SecretPolicy,
    SecretRef,
    ServiceAccount,
    VaultLogin,
    VaultStore,
)
from gateway.policy.identities import OidcProvider, SamlProvider
from gateway.policy.model import Policy
from gateway.policy.reader import Look
from gateway.policy.values import given, is_loopback

ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
VAULT = re.compile(r"(?!v1/)[A-Za-z0-9_.@~+=-]+(?:/[A-Za-z0-9_.@~+=-]+)+#[^\s#]+")
AWS = re.compile(r"[A-Za-z0-9/_+=.@:-]{1,512}(?:#[^\s#]+)?")
MOUNT = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")
LONGEST_COMMAND = 64
"""Words of a command."""
NOWHERE = SecretRef(source="env")
SPELT = "env:NAME, file:PATH, vault:PATH#KEY, aws:NAME#KEY or {command: [...]}"
SERVICE_ACCOUNT = SecretRef(source="file", name="/var/run/secrets/kubernetes.io/serviceaccount/token")


def secret(look: Look) -> SecretRef:
    """Any place that a secret may have."""
    if isinstance(look.node, tree.Mapping):
        keys = look.fields(("command",), required=("command",))
        return given(keys, "command", _command, NOWHERE)
    value = look.node.value if isinstance(look.node, tree.Scalar) else None
    if not isinstance(value, str):
        look.fault(f"this must say where the secret is found: write {SPELT}")
        return NOWHERE
    source, colon, name = value.partition(":")
    before, _, key = name.partition("#")
    match source if colon else "":
        case "env" if ENVIRONMENT.fullmatch(name):
            return SecretRef(source="env", name=name)
        case "file" if name:
            return SecretRef(source="file", name=name)
        case "vault" if VAULT.fullmatch(name) and not _climbs(before):
            return SecretRef(source="vault", name=before, key=key)
        case "aws" if AWS.fullmatch(name):
            return SecretRef(source="aws", name=before, key=key)
        case "env":
            look.fault("what follows env: cannot name an environment variable; use letters, digits and _")
        case "file":
            look.fault("file: needs a path behind it")
        case "vault":
            look.fault(
                "what follows vault: is the path as Vault's API has it, without v1/, and which of its values is meant: "
                "vault:secret/data/orders#password"
            )
        case "aws":
            look.fault(
                "what follows aws: is the name or ARN of a secret, and which of its values is meant where it is JSON: "
                "aws:orders/prod#password"
            )
        case _:
            look.fault(
                f"a secret must not stand in the policy: say where it is found: {SPELT}, as in env:ORDERS_PASSWORD"
            )
    return NOWHERE


def _climbs(path: str) -> bool:
    return not {".", ".."}.isdisjoint(path.split("/"))


def _command(look: Look) -> SecretRef:
    if not isinstance(look.node, tree.Sequence):
        look.fault(
            "a command is a list, the program first, as no shell reads it: [/usr/bin/pass, show, orders]"
        )
        return NOWHERE
    words = tuple(each.text() for each in look.items())
    if not words or not all(words):
        return NOWHERE
    if len(words) > LONGEST_COMMAND or any("\0" in word for word in words):
        look.fault(f"no such command can be run; it has at most {LONGEST_COMMAND} words")
    elif not words[0].startswith("/"):
        look.items()[0].fault("write the program's whole path, so that no search path decides what runs")
    return SecretRef(source="command", command=words)


def stores(look: Look) -> SecretPolicy:
    """The section `secrets`."""
    own = SecretPolicy()
    keys = look.fields(("refresh", "stale", "vault", "aws"))
    return SecretPolicy(
        refresh=given(keys, "refresh", Look.duration, own.refresh),
        stale=given(keys, "stale", Look.duration, own.stale),
        vault=given(keys, "vault", _vault, None),
        aws=given(keys, "aws", _aws, own.aws),
    )


def _vault(look: Look) -> VaultStore | None:
    keys = look.fields(("address", "namespace", "ca", "auth"), required=("address", "auth"))
    address = given(keys, "address", Look.text, "")
    if address and not _is_safe(address):
        keys["address"].fault(
            "this is no address of a Vault; write it as in https://vault.internal:8200; without TLS only on loopback"
        )
    namespace = given(keys, "namespace", Look.text, "").strip("/")
    if namespace and not MOUNT.fullmatch(namespace):
        keys["namespace"].fault("this cannot be a namespace; write it as in teams/data")
    auth = given(keys, "auth", _auth, None)
    if auth is None:
        return None
    return VaultStore(
        address=address.rstrip("/"), auth=auth, namespace=namespace, ca=given(keys, "ca", Look.text, None)
    )


def _is_safe(address: str) -> bool:
    try:
        url = urlsplit(address)
        port_is_right = url.port is None or url.port > 0
    except ValueError:
        return False
    return (
        port_is_right
        and bool(url.hostname)
        and url.username is None
        and not (url.query or url.fragment or url.path.strip("/"))
        and (url.scheme == "https" or (address.startswith("http:") and is_loopback(url.hostname or "")))
    )


def _auth(look: Look) -> VaultLogin | None:
    keys = look.fields(("token", "approle", "service_account"))
    if len(keys) != 1:
        if isinstance(look.node, tree.Mapping):
            look.fault_at_key("say one way to log in: `token`, `approle` or `service_account`")
        return None
    if "token" in keys:
        return _near(keys["token"])
    if "approle" in keys:
        inner = keys["approle"].fields(("role_id", "secret_id", "mount"), required=("role_id", "secret_id"))
        return AppRole(
            role_id=given(inner, "role_id", _near, NOWHERE),
            secret_id=given(inner, "secret_id", _near, NOWHERE),
            mount=given(inner, "mount", _mount, "approle"),
        )
    inner = keys["service_account"].fields(("role", "token", "mount"), required=("role", "mount"))
    return ServiceAccount(
        role=given(inner, "role", Look.text, ""),
        token=given(inner, "token", _near, SERVICE_ACCOUNT),
        mount=given(inner, "mount", _mount, ""),
    )


def _near(look: Look) -> SecretRef:
    """A secret that no store has to be asked for: what a store is asked with."""
    ref = secret(look)
    if ref.source in {"vault", "aws"}:
        look.fault(
            "what the gateway logs in to Vault with is not in a store itself: use env:, file: or command:"
        )
        return NOWHERE
    return ref


def _mount(look: Look) -> str:
    value = look.text().strip("/")
    if value and not MOUNT.fullmatch(value):
        look.fault("this cannot be where a login method is mounted; write it as in approle")
    return value


def _aws(look: Look) -> AwsStore:
    keys = look.fields(("region", "profile"))
    region = given(keys, "region", Look.text, "")
    if region and not REGION.fullmatch(region):
        keys["region"].fault("this is no region; write it as in eu-central-1")
    return AwsStore(region=region, profile=given(keys, "profile", Look.text, ""))


def references(policy: Policy) -> Iterator[tuple[str, SecretRef]]:
    """Every secret that the gateway needs, and the path of keys where the file names it."""
    for name, target in policy.targets.items():
        for kind in ("password", "key", "token"):
            ref: SecretRef | None = getattr(target.credential, kind)
            if ref is not None:
                yield f"connections.{name}.credential.{kind}", ref
    for name, agent in policy.agents.items():
        if agent.secret is not None:
            yield f"agents.{name}.secret", agent.secret
    for name, provider in policy.identity.providers.items():
        if isinstance(provider, OidcProvider) and provider.client_secret is not None:
            yield f"identity.providers.{name}.client_secret", provider.client_secret
        if isinstance(provider, SamlProvider) and provider.key is not None:
            yield f"identity.providers.{name}.key", provider.key
    yield "bot.credential", policy.bot_credential
