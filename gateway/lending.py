"""What the grants of a chain change in a verdict: a hold that one answers lets go, and answers are shown unmasked.

Apart from the gate, since few commands come here: those that are held, and those that a grant may reveal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from gateway.approvals.lasting import Wanted, covers
from gateway.approvals.opening import ask_view
from gateway.elevations.grant import Grant
from gateway.elevations.grants import Grants
from gateway.identity.tokens import groups_of
from gateway.model import Allow, Command, Facts, Hold, Shape, Verdict
from gateway.policy.granting import covered, satisfied
from gateway.policy.model import Policy
from gateway.sessions import LiveSession, lineage_view
from gateway.shaping import shape_key

Shaper = Callable[[str, Command, Facts], Shape | None]
"""(protocol, command, what it does) -> its shape; None where nobody can tell."""


class Lending:
    """Lets commands run under grants."""

    def __init__(self, grants: Grants, shaper: Shaper) -> None:
        self._grants = grants
        self._shaper = shaper

    def elevated(
        self, policy: Policy, live: LiveSession, command: Command, verdict: Hold, seen: Facts
    ) -> Verdict:
        """A hold that a grant of this chain satisfies lets go, masked as it would have been."""
        key = cache(lambda: self.likeness(live, command, seen)[1])

        def satisfies(grant: Grant) -> bool:
            """Whether what was granted answers what the verdict asks."""
            if grant.narrow is None:
                return satisfied(policy, verdict, seen, grant.effects, grant.things)
            wanted = Wanted(
                lineage=lineage_view(live.session.lineage),
                digest=command.digest,
                shape=key,
                effects=frozenset(seen.effects),
                asks=tuple(map(ask_view, verdict.asks)),
                offered=tuple(verdict.lasting.what) if verdict.lasting is not None else (),
            )
            return covers(grant.narrow, grant.token_id, frozenset(grant.effects), wanted)

        grant = self._spend(live, satisfies)
        if grant is None:
            return verdict
        allow = Allow(rules=(*verdict.rules, f"grant:{grant.id}"), masks=verdict.masks)
        return _under(policy, live, command, seen, grant, allow)

    def revealed(
        self, policy: Policy, live: LiveSession, command: Command, verdict: Allow, seen: Facts
    ) -> Allow:
        """What is let through anyway, shown unmasked where a grant of this chain says so."""
        if not verdict.masks:
            return verdict
        groups = _groups(policy, live)
        grant = self._spend(
            live, lambda each: each.shows_to(groups) and covered(seen, each.effects, each.things)
        )
        return verdict if grant is None else _under(policy, live, command, seen, grant, verdict)

    def likeness(self, live: LiveSession, command: Command, seen: Facts) -> tuple[Shape | None, str]:
        """What a command has in common with others that may be let go with it, and by which key they are known."""
        shape = self._shaper(live.session.connection.protocol, command, seen)
        return shape, shape_key(shape, command, seen)

    def _spend(self, live: LiveSession, lets: Callable[[Grant], bool]) -> Grant | None:
        session = live.session
        return self._grants.spend(session.lineage.token_ids, session.connection.name, lets)


def lend(live: LiveSession, command: Command, seen: Facts, grant_id: str) -> None:
    """From now on the command runs under a grant; what it may leave behind is known to be of these effects."""
    live.elevated[command.id] = grant_id
    live.lent.setdefault(grant_id, set()).update(seen.effects)


def _under(
    policy: Policy, live: LiveSession, command: Command, seen: Facts, grant: Grant, verdict: Allow
) -> Allow:
    """The command runs under the grant; what that shows is recorded as shown, and not itself."""
    lend(live, command, seen, grant.id)
    if not (verdict.masks and grant.shows_to(_groups(policy, live))):
        return verdict
    reveal = grant.reveal
    live.recording.withhold(command.id, (*reveal.columns, *reveal.detect) if reveal is not None else ())
    return replace(verdict, rules=(*verdict.rules, f"reveal:{grant.id}"), reveal=reveal)


def _groups(policy: Policy, live: LiveSession) -> frozenset[str]:
    """Those of the person that the session was admitted with, as far as the policy in force has them still."""
    lineage = live.session.lineage
    return lineage.groups & groups_of(policy, lineage.person)
