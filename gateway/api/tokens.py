"""The endpoints that agents speak to: tokens (RFC 6749, 8693, 7523, 8628), revocation (7009), metadata (8414), keys (7517).

Each authenticates its caller itself: an agent by its secret, a workload by its issuer's token, a child by its parent's
token, an operator by the operators' credential. Nothing is handed out before it is durable, and no answer that holds a
token may be cached.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from gateway.api.agents import Agents
from gateway.api.grants import GRANTS, Granting
from gateway.api.oauth import guarded
from gateway.api.reaching import Certify, Reaching
from gateway.api.revoking import Revoking
from gateway.identity import scopes
from gateway.identity.devices import Devices
from gateway.identity.failures import Failures
from gateway.identity.keys import KeyRing
from gateway.identity.lineages import Lineages
from gateway.identity.members import Members
from gateway.identity.minted import Minted
from gateway.identity.possession import Possession
from gateway.identity.proofs import ALGORITHMS
from gateway.identity.tokens import Issuer, issuer_name
from gateway.identity.workloads import Workloads
from gateway.policy.model import Policy
from gateway.store import Store


def routes(
    *,
    issuer: Issuer,
    possession: Possession,
    minted: Minted,
    keys: KeyRing,
    lineages: Lineages,
    members: Members,
    workloads: Workloads,
    devices: Devices,
    failures: Failures,
    store: Store,
    policy: Callable[[], Policy],
    part: Callable[[str], Awaitable[None]],
    is_operator: Callable[[str], bool],
    certify: Certify,
    authorities: Mapping[str, str],
    hosts: Mapping[str, Mapping[str, str]],
) -> list[web.RouteDef]:
    """Routes for `api.app.build`. `is_operator(credential)` compares a bearer credential in constant time."""
    agents = Agents(failures, policy)
    granting = Granting(issuer, possession, workloads, devices, agents, store)
    revoking = Revoking(
        issuer, possession, keys, lineages, members, agents, store, part=part, is_operator=is_operator
    )
    reaching = Reaching(
        issuer, possession, minted, store, policy, certify=certify, authorities=authorities, hosts=hosts
    )

    async def metadata(request: web.Request) -> web.Response:
        """RFC 8414."""
        del request
        base = issuer_name(policy())
        methods = ["client_secret_basic", "client_secret_post"]
        return web.json_response(
            {
                "issuer": base,
                "token_endpoint": base + "/oauth/token",
                "device_authorization_endpoint": base + "/oauth/device_authorization",
                "revocation_endpoint": base + "/oauth/revoke",
                "jwks_uri": base + "/.well-known/jwks.json",
                "response_types_supported": [],
                "grant_types_supported": list(GRANTS),
                "token_endpoint_auth_methods_supported": [*methods, "none"],
                "revocation_endpoint_auth_methods_supported": [*methods, "none"],
                "dpop_signing_alg_values_supported": list(ALGORITHMS),
                "authorization_details_types_supported": [scopes.DETAILS_TYPE],
            }
        )

    async def jwks(request: web.Request) -> web.Response:
        del request
        return web.json_response(keys.jwks(), content_type="application/jwk-set+json")

    return [
        web.post("/oauth/token", guarded(granting.token)),
        web.post("/oauth/revoke", guarded(revoking.revoke)),
        web.post("/oauth/minted", guarded(reaching.mint)),
        web.get("/.well-known/oauth-authorization-server", metadata),
        web.get("/.well-known/jwks.json", jwks),
        web.get("/v1/authorities", reaching.trusted),
        web.get("/v1/hosts", reaching.known),
        web.get("/v1/connections", guarded(reaching.connections)),
        web.post("/v1/keys/rotate", guarded(revoking.rotate)),
        web.post("/v1/people/logout", guarded(revoking.log_out)),
    ]
