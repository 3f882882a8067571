"""What may be asked of a token, and how it is refused: for whom, for how long, how much of a scope, with what told."""

from __future__ import annotations

from typing import TypedDict

from gateway.identity import scopes
from gateway.identity.people import is_person
from gateway.model import Scope
from gateway.policy.model import Agent, Policy

TASK_CHARACTERS = 200
ORIGIN_CHARACTERS = 64
UNPROVED = "invalid_dpop_proof"
"""RFC 9449's word for a proof that does not do, or is not there."""

HOW_TO_PROVE = (
    "the token is bound to a key: it counts with a proof of that key alone (DPoP, RFC 9449); where none can be shown, "
    "use a user and password, or a certificate, that were minted with one (`countersign connect NAME --minted`)"
)


class Terms(TypedDict, total=False):
    """What a root's token may be asked to be."""

    scope: Scope | None
    """Less than there is; None for all."""
    ttl: float | None
    """In seconds; more than policies.yaml allows is cut to that."""
    task: str
    origin: str
    key: str
    """The thumbprint of a key that the client proved to hold, to which the token is then bound."""


class TokenRefused(Exception):
    """No token, or not this one. `error` is an RFC 6749 §5.2 code, `message` says what to do about it."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message


def person_for(agent: Agent, wanted: str) -> str:
    """The human that answers for the token. E-mails are compared in lower case, as votes are."""
    person = (wanted or agent.person).strip().lower()
    if person and not is_person(person):
        raise TokenRefused("invalid_request", "person must be an e-mail address")
    if not may_name(agent, person):
        raise TokenRefused(
            "invalid_request",
            f"{agent.name} may not act for that person: add them to `persons` of the agent in policies.yaml",
        )
    return person


def may_name(agent: Agent, person: str) -> bool:
    """Whether an agent may act for a person, or for nobody where it is nobody's."""
    if person == agent.person.lower():
        return True
    return bool(person) and ("*" in agent.persons or person in map(str.lower, agent.persons))


def inside(wanted: Scope | None, held: Scope, *, holder: str) -> Scope:
    """What is wanted of what `holder` has; all of it where nothing is said."""
    granted = held if wanted is None else wanted
    beyond = scopes.excess(held, granted)
    if beyond:
        raise TokenRefused("invalid_scope", f"{holder} does not have {scopes.text(beyond)}")
    if not granted or not all(granted.values()):
        raise TokenRefused(
            "invalid_scope", f"no scope is left of what {holder} has: name connections and effects"
        )
    return granted


def lifetime(wanted: float | None, *, default: float) -> float:
    """In seconds."""
    if wanted is None:
        return default
    if not wanted >= 1:
        raise TokenRefused("invalid_request", "expires_in must be at least one second")
    return wanted


def task_of(task: str) -> str:
    """The agent's own word for what it is doing."""
    if len(task) > TASK_CHARACTERS or not task.isprintable():
        raise TokenRefused(
            "invalid_request",
            f"task must be at most {TASK_CHARACTERS} characters, none of them a control character",
        )
    return task


def origin_of(origin: str) -> str:
    """Where the request came from, as far as that can be shown."""
    return origin[:ORIGIN_CHARACTERS] if origin.isprintable() else ""


def bound_as(root: Agent | None, key: str) -> None:
    """Raises `TokenRefused` where policies.yaml wants a token bound to a key, and `key` is none."""
    if root is not None and "proof" in root.binding.to and not key:
        raise TokenRefused(
            UNPROVED,
            f"policies.yaml binds the tokens of {root.name} to keys: ask for one with a DPoP proof (RFC 9449), as "
            "`countersign token` does by `--dpop-key FILE`, and every verb where COUNTERSIGN_DPOP_KEY names the file",
        )


def issuer_name(policy: Policy) -> str:
    """`api.public_url` of policies.yaml, or the address that the API listens on."""
    if policy.api.public_url:
        return policy.api.public_url.rstrip("/")
    host = policy.api.listen.host
    return f"http://{f'[{host}]' if ':' in host else host}:{policy.api.listen.port}"
