"""Root agents prove who they are by the secret that policies.yaml says where to find."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable

from gateway.policy.credentials import SecretMissing, SecretRef
from gateway.policy.model import Agent, Policy

SECRET_CHARACTERS = 4_096

log = logging.getLogger(__name__)


class NoSuchAgent(Exception):
    """No agent has that name and secret."""


class AgentSecrets:
    """Compares in constant time, whatever is missing (RFC 6749 §2.3.1, §10.10)."""

    def __init__(self, policy: Callable[[], Policy], secret: Callable[[SecretRef], str]) -> None:
        """`secret(ref)` is a secret as it is now; it raises `SecretMissing`."""
        self._policy = policy
        self._secret = secret
        # What the secret of an unknown agent is compared with: the same work, and never equal.
        self._nobody = secrets.token_bytes(32)

    def agent(self, name: str, secret: str) -> Agent:
        """The agent whose these are. Raises `NoSuchAgent`."""
        agent = self._policy().agents.get(name)
        expected = self._nobody if agent is None else self._digest_of(agent)
        equal = hmac.compare_digest(_digest(secret), expected)
        if agent is None or not equal or len(secret) > SECRET_CHARACTERS:
            raise NoSuchAgent
        return agent

    def _digest_of(self, agent: Agent) -> bytes:
        if agent.secret is None:
            return self._nobody
        try:
            return _digest(self._secret(agent.secret))
        except SecretMissing as missing:
            log.warning("agent %s cannot authenticate: %s", agent.name, missing)
            return self._nobody


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
