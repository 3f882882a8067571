"""Who comes in, by which token, and who is inside."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gateway.admission import Admission
from gateway.api.links import Links
from gateway.house.ground import Ground
from gateway.identity.lineages import Lineages
from gateway.identity.minted import Minted
from gateway.identity.origins import Origins
from gateway.identity.possession import Possession
from gateway.identity.tokens import Issuer
from gateway.sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    lineages: Lineages
    issuer: Issuer
    minted: Minted
    links: Links
    sessions: Sessions
    admission: Admission
    possession: Possession


def build_entrance(ground: Ground) -> Entrance:
    """Raises `StoreFailed`."""
    store, policy, clock = ground.store, ground.policy, ground.clock
    lineages = Lineages(store, clock=clock)
    issuer = Issuer(ground.keys, policy, lineages, clock=clock, secret=ground.reaching.secrets.current)
    minted = Minted(store, issuer, key=ground.keys.secret("minted"), clock=clock)
    links = Links(ground.keys.secret("replay"), public_url=lambda: policy().api.public_url, clock=clock)
    sessions = Sessions(ground.feed, link=links.link, clock=clock)
    origins = Origins(
        store,
        issuer,
        policy,
        live=lambda session_id: sessions.get(session_id) is not None,
        announce=ground.announce,
        spawn=ground.tasks.spawn,
        clock=clock,
    )
    return Entrance(
        lineages=lineages,
        issuer=issuer,
        minted=minted,
        links=links,
        sessions=sessions,
        admission=Admission(issuer, minted, policy, origins, clock=clock),
        possession=Possession(issuer, origins, policy, clock=clock, steady=time.monotonic),
    )
