"""What the bot and operators ask of the gateway itself: whom the policy names, whether it is well, and its counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from gateway.api.answers import answer
from gateway.api.metrics import Meters
from gateway.contract import VERSION, Directory, GroupView
from gateway.identity.links import SlackLinks
from gateway.journal import Journal
from gateway.policy.model import Policy
from gateway.store import Store


class Operating:
    """The routes that are about no session, approval or token."""

    def __init__(
        self,
        *,
        policy: Callable[[], Policy],
        slack_links: SlackLinks,
        store: Store,
        journal: Journal,
        meters: Meters,
    ) -> None:
        self._policy = policy
        self._slack_links = slack_links
        self._store = store
        self._journal = journal
        self._meters = meters

    async def directory(self, request: web.Request) -> web.StreamResponse:
        del request
        return answer(_directory(self._policy(), self._slack_links.people()))

    async def healthz(self, request: web.Request) -> web.StreamResponse:
        """Ready when decisions can be kept; not ready is 503, so that a balancer looks elsewhere."""
        del request
        parts = {"store": self._store.healthy, "journal": self._journal.healthy}
        ready = all(parts.values())
        return answer({"ready": ready, "contract": VERSION, **parts}, status=200 if ready else 503)

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(
            body=self._meters.text(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store"},
        )


def _directory(policy: Policy, people: Mapping[str, str]) -> Directory:
    """What the bot may know of the policy, and of the Slack users who are `people`."""
    return Directory(
        people=dict(people),
        match_by_email=policy.slack.match_people_by_email,
        groups={
            name: GroupView(slack=group.slack, members=tuple(group.members))
            for name, group in policy.groups.items()
        },
        approvals_channel=policy.slack.approvals,
        audit_channel=policy.slack.audit,
        public_url=policy.api.public_url,
        login=bool(policy.identity.providers),
    )
