"""The routes of elevation, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from gateway.api.access import Credentials
from gateway.api.asking import Askers
from gateway.api.elevations import Elevating
from gateway.api.entering import Entering
from gateway.approvals import Approvals
from gateway.elevations.house import Elevation
from gateway.identity.lineages import Link
from gateway.identity.possession import Possession
from gateway.identity.tokens import Issuer
from gateway.policy.model import Policy
from gateway.store import Store


def elevation_routes(
    elevation: Elevation,
    approvals: Approvals,
    *,
    issuer: Issuer,
    possession: Possession,
    links: Callable[[], Mapping[str, Link]],
    policy: Callable[[], Policy],
    store: Store,
    addresses: Callable[[], Mapping[str, str]],
    credentials: Credentials,
    clock: Callable[[], float],
) -> list[web.RouteDef]:
    askers = Askers(credentials, possession, issuer)
    asking = Elevating(
        elevation.requests,
        elevation.grants,
        approvals,
        askers=askers,
        links=links,
        policy=policy,
        clock=clock,
    )
    entering = Entering(
        elevation.access,
        elevation.grants,
        addresses=addresses,
        policy=policy,
        store=store,
        askers=askers,
    )
    return [*asking.routes(), *entering.routes()]
