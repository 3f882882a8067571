"""How root agents authenticate to the endpoints for tokens, and that guessing at their secrets is slow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from aiohttp import web

from gateway.api.forms import ClientCredentials, client_credentials
from gateway.api.oauth import Wait
from gateway.identity.failures import Failures
from gateway.identity.tokens import TokenRefused
from gateway.policy.model import Policy

T = TypeVar("T")

log = logging.getLogger(__name__)


class Agents:
    """Lets agents act, and counts failures."""

    def __init__(self, failures: Failures, policy: Callable[[], Policy]) -> None:
        self._failures = failures
        self._policy = policy

    def act(self, request: web.Request, form: Mapping[str, str], act: Callable[[ClientCredentials], T]) -> T:
        """`act` by the agent that the request authenticates as. Raises `TokenRefused` and `Wait`."""
        client = client_credentials(request, form)
        if client is None:
            raise TokenRefused(
                "invalid_client", "authenticate as an agent of policies.yaml: its name and secret"
            )
        address, name = request.remote or "", client.name[:64]
        wait = self._failures.wait(address, name)
        if wait:
            raise Wait(wait)
        try:
            return act(client)
        except TokenRefused as refused:
            if refused.error == "invalid_client":
                self._failures.failed(address, name)
                # A name that is none may be a secret in the wrong field.
                known = name if name in self._policy().agents else "an unknown agent"
                log.warning("%s failed to authenticate from %s", known, address)
            raise
