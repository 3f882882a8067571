"""policies.yaml -> Policy, strictly: whatever is not understood is an error with its line and column.

One reading finds as many errors as it can, each with a sentence that names the fix. Nothing half-read is ever used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from gateway.policy import elevations, identifying, secrets, sections, tree
from gateway.policy.conditions import Declared
from gateway.policy.credentials import SecretPolicy
from gateway.policy.detectors import detectors
from gateway.policy.identities import IdentityPolicy
from gateway.policy.model import (
    BOT_CREDENTIAL,
    ApiPolicy,
    Blocking,
    Limits,
    Policy,
    Retention,
    Slack,
    TokenPolicy,
)
from gateway.policy.reader import Fault, Look
from gateway.policy.rules import default, examples, rules
from gateway.policy.values import given, group
from gateway.policy.vocabulary import Vocabulary

SECTIONS = (
    "connections",
    "agents",
    "groups",
    "identity",
    "operators",
    "rules",
    "default",
    "elevations",
    "detectors",
    "masks",
    "retention",
    "limits",
    "slack",
    "bot",
    "secrets",
    "api",
    "tls",
    "tokens",
    "examples",
)


class PolicyFileError(Exception):
    """The file is no policy. `errors` has every fault that was found; the other fields speak of the first."""

    def __init__(self, source: str, errors: Sequence[Fault]) -> None:
        self.source = source
        self.errors = tuple(sorted(errors))
        super().__init__("\n".join(f"{source}:{error}" for error in self.errors))

    @property
    def line(self) -> int:
        return self.errors[0].line

    @property
    def column(self) -> int:
        return self.errors[0].column

    @property
    def key(self) -> str:
        return self.errors[0].key

    @property
    def message(self) -> str:
        return self.errors[0].message


def load(path: Path, vocabulary: Vocabulary) -> Policy:
    """The policy in `path`. Raises `PolicyFileError`, also where the file cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(tree.MAX_BYTES + 1)
    except OSError as error:
        why = f"it cannot be read: {error.strerror}; name the policy's file on the command line"
        raise PolicyFileError(str(path), [Fault(1, 1, "", why)]) from None
    return parse_bytes(data, str(path), vocabulary)


def parse_bytes(data: bytes, source: str, vocabulary: Vocabulary) -> Policy:
    """The policy in the bytes of a file called `source`. Raises `PolicyFileError`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        at = Fault(
            before.count(b"\n") + 1,
            len(before) - before.rfind(b"\n"),
            "",
            "this is not UTF-8; save the file as UTF-8 text",
        )
        raise PolicyFileError(source, [at]) from None
    faults: list[Fault] = []
    try:
        root = Look(node=tree.read(text), path="", faults=faults, places={})
    except tree.NotYaml as error:
        raise PolicyFileError(source, [Fault(error.line, error.column, "", str(error))]) from None
    policy = _policy(root, hashlib.sha256(data).hexdigest()[:12], source, vocabulary)
    faults += _storeless(policy)
    if faults:
        raise PolicyFileError(source, faults)
    return policy


def _storeless(policy: Policy) -> list[Fault]:
    """Secrets that are in Vault where the file does not say how that is asked."""
    if policy.secrets.vault is not None:
        return []
    return [
        Fault(
            *policy.places.get(key, (1, 1)),
            key,
            "there is no `secrets.vault` that says how Vault is asked; add it",
        )
        for key, ref in secrets.references(policy)
        if ref.source == "vault"
    ]


def parse(text: str, source: str, vocabulary: Vocabulary) -> Policy:
    """The policy in `text`, which a file called `source` holds. Raises `PolicyFileError`."""
    return parse_bytes(text.encode("utf-8", "surrogatepass"), source, vocabulary)


def _policy(root: Look, version: str, source: str, vocabulary: Vocabulary) -> Policy:
    keys = root.fields(SECTIONS, required=("connections", "rules", "default"))
    slack = given(keys, "slack", sections.slack, Slack())
    tokens = given(keys, "tokens", sections.tokens, TokenPolicy())
    groups = given(keys, "groups", sections.groups, {})
    targets = given(keys, "connections", lambda look: sections.targets(look, vocabulary, slack), {})
    custom = given(keys, "detectors", lambda look: detectors(look, vocabulary), {})
    masks = given(keys, "masks", lambda look: sections.masks(look, vocabulary, custom), {})
    declared = Declared(vocabulary=vocabulary, targets=targets, groups=groups, masks=masks)
    found_rules = given(keys, "rules", lambda look: rules(look, declared), ())
    agents = given(keys, "agents", lambda look: sections.agents(look, targets, tokens), {})
    identity = given(
        keys,
        "identity",
        lambda look: identifying.identity(look, connections=targets, agents=agents, groups=groups),
        IdentityPolicy(),
    )
    return Policy(
        version=version,
        source=source,
        targets=targets,
        agents=agents,
        groups=groups,
        identity=identity,
        rules=found_rules,
        default=given(keys, "default", lambda look: default(look, declared), Blocking()),
        elevations=given(keys, "elevations", lambda look: elevations.offers(look, declared), ()),
        masks=masks,
        retention=given(keys, "retention", sections.retention, Retention()),
        limits=given(keys, "limits", sections.limits, Limits()),
        slack=slack,
        api=given(keys, "api", sections.api, ApiPolicy()),
        bot_credential=given(keys, "bot", sections.bot, BOT_CREDENTIAL),
        secrets=given(keys, "secrets", secrets.stores, SecretPolicy()),
        tls=given(keys, "tls", sections.tls, None),
        tokens=tokens,
        operators=given(keys, "operators", lambda look: look.each(lambda each: group(each, groups)), ()),
        examples=given(keys, "examples", lambda look: examples(look, declared, found_rules), ()),
        places=root.places,
    )
