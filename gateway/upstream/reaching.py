"""Everything by which the gateway reaches targets, built in one place: secrets, roles, logins, surveys and estimates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.policy.model import Policy
from gateway.secrets import EVERY as SECRETS_EVERY
from gateway.secrets import Secrets
from gateway.store import Store
from gateway.upstream.logins import Logins
from gateway.upstream.measure import Measure
from gateway.upstream.roles import EVERY as ROLES_EVERY
from gateway.upstream.roles import Roles
from gateway.upstream.surveys import EVERY as SURVEYS_EVERY
from gateway.upstream.surveys import Surveys


class Reaching:
    """`secrets`, `logins`, `surveys` and `estimate`, and what has to be done for them again and again."""

    def __init__(
        self,
        store: Store,
        policy: Callable[[], Policy],
        *,
        announce: Callable[[str, str], None],
        clock: Callable[[], float],
    ) -> None:
        self.secrets = Secrets(policy, announce=announce)
        self._roles = Roles(store, self.secrets, policy, announce=announce, clock=clock)
        self.logins = Logins(self.secrets, self._roles)
        self.surveys = Surveys(policy, self.logins)
        self.estimate = Measure(policy, self.logins).estimate

    def keep_up(self, scheduler: AsyncIOScheduler, now: datetime) -> None:
        """From `now` on renew secrets, read catalogues, and drop roles that are left over."""
        scheduler.add_job(self.secrets.renew, "interval", seconds=SECRETS_EVERY)
        scheduler.add_job(self.surveys.renew, "interval", seconds=SURVEYS_EVERY, next_run_time=now)
        scheduler.add_job(self._roles.sweep, "interval", seconds=ROLES_EVERY, next_run_time=now)

    async def close(self) -> None:
        """Drop the roles of the last sessions, and forget all secrets."""
        await self._roles.close()
        await self.secrets.close()
