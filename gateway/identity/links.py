"""Which Slack user is which person, as a login showed: a Slack user asks for it, and whoever logs in with that becomes theirs.

policies.yaml has the last word: whom it names is not linked to anybody else. Where Slack knows a user by a confirmed
address, the login has to show the same one, so that nobody becomes somebody else by having them open an address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.identity.logins import CLOCKS_APART, LoginRefused, Proven, Wishes
from gateway.journal import Journal
from gateway.policy.model import Policy
from gateway.store import Store

TABLE = "slack_links"
LINKS = 50_000
FRESH = 300.0
"""A link lasts, so nobody's browser makes one by itself: the login for it is at most so many seconds old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackUser:
    """A member of the workspace, as Slack describes them to the bot."""

    id: str
    team: str
    name: str
    email: str = ""
    """The address that Slack has confirmed; "" where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A Slack user who is a person."""

    slack_id: str
    team: str
    person: str
    provider: str
    at: float


class SlackLinks:
    """The links there are; durable, and in the journal."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        *,
        policy: Callable[[], Policy],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._journal = journal
        self._policy = policy
        self._clock = clock

    def of(self, slack_id: str) -> Link | None:
        """The link of a Slack user, over or not."""
        document = self._store.get(TABLE, slack_id)
        return _link(document) if document is not None else None

    def all(self) -> list[Link]:
        """Every link, over or not, the newest last."""
        links = [_link(document) for document in self._store.all(TABLE).values()]
        return sorted(links, key=lambda link: (link.at, link.slack_id))

    def ends(self, link: Link) -> float | None:
        """When its login no longer shows who that is, by policies.yaml as it is now; None for never."""
        lasts = self._policy().slack.link_lasts
        return link.at + lasts if lasts is not None else None

    def over(self, link: Link) -> bool:
        """Its time is over; a link of a time that is yet to come shows that a clock was set back, and counts no more."""
        ends, now = self.ends(link), self._clock()
        return ends is not None and not link.at - CLOCKS_APART <= now < ends

    def people(self) -> dict[str, str]:
        """Slack user to person: those of policies.yaml, and those whose link holds and whom it does not name."""
        named = dict(self._policy().slack.people)
        taken = {person.lower() for person in named.values()}
        holding = (link for link in self.all() if not self.over(link))
        return {each.slack_id: each.person for each in holding if each.person not in taken} | named

    def are(self, slack_id: str, person: str) -> bool:
        """Whether a Slack user may speak for a person now, as far as it is known here."""
        known = self.people().get(slack_id)
        if known is None:
            # Who is known by an address alone is the bot's to say, where policies.yaml lets it.
            return self._policy().slack.match_people_by_email and person.lower() not in self.people().values()
        return known.lower() == person.strip().lower()

    def login(self, user: SlackUser) -> Linking:
        """The login by which a Slack user becomes a person."""
        return Linking(self, user)

    async def tie(self, user: SlackUser, proven: Proven) -> Link:
        """Links them; one person has one Slack user. Raises `LoginRefused`, `StoreFailed` and `JournalFailed`."""
        self._check(user, proven)
        link = Link(
            slack_id=user.id, team=user.team, person=proven.person, provider=proven.provider, at=self._clock()
        )
        before = [each.slack_id for each in self._of_person(proven.person) if each.slack_id != user.id]
        for slack_id in before:
            self._store.delete(TABLE, slack_id)
        self._store.put(TABLE, user.id, _document(link))
        await self._store.commit()
        await self._journal.append("linked", {**_document(link), "in_place_of": before})
        return link

    async def untie(self, slack_id: str, *, by: str, reason: str = "") -> Link | None:
        """Ends a link; what was linked. Raises `StoreFailed` and `JournalFailed`."""
        link = self.of(slack_id)
        if link is not None:
            self._store.delete(TABLE, slack_id)
            await self._store.commit()
            await self._journal.append("unlinked", {**_document(link), "by": by, "reason": reason})
        return link

    async def part(self, person: str) -> None:
        """A person was logged out everywhere: no Slack user is them. Raises `StoreFailed` and `JournalFailed`."""
        for link in self._of_person(person):
            await self.untie(link.slack_id, by="operator")

    def _check(self, user: SlackUser, proven: Proven) -> None:
        people = self._policy().slack.people
        named = people.get(user.id, "")
        if named and named.lower() != proven.person:
            raise LoginRefused(
                f"policies.yaml says that {user.id} is {named}, and you logged in as {proven.person}."
            )
        if not named and proven.person in {each.lower() for each in people.values()}:
            raise LoginRefused(f"policies.yaml ties {proven.person} to another Slack user.")
        linked = self.of(user.id)
        if linked is not None and not self.over(linked) and linked.person != proven.person:
            raise LoginRefused(
                f"This Slack user is linked to {linked.person}: they run /countersign unlink first."
            )
        if user.email and user.email.lower() != proven.person:
            raise LoginRefused(
                f"Slack knows this user as {user.email}, and you logged in as {proven.person}. If both are you, an "
                f"operator names {user.id} under `slack: people` of policies.yaml."
            )
        if linked is None and len(self._store.all(TABLE)) >= LINKS:
            raise LoginRefused("The gateway keeps no more links.")

    def _of_person(self, person: str) -> list[Link]:
        return [each for each in self.all() if each.person == person]


class Linking:
    """The login that makes a link (`gateway.identity.logins.Purpose`)."""

    title = "Link your Slack user"
    wishes = Wishes(max_age=FRESH)

    def __init__(self, links: SlackLinks, user: SlackUser) -> None:
        self._links = links
        self._user = user

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        user = self._user
        return (
            ("Slack user", f"{user.name} ({user.id})"),
            ("Workspace", user.team),
            ("From then on", "what this Slack user clicks counts as yours. Go on only if it is you."),
        )

    async def done(self, proven: Proven) -> str:
        link = await self._links.tie(self._user, proven)
        return f"In Slack, {self._user.name} is {link.person} to the gateway now."


def _document(link: Link) -> dict[str, Any]:
    return {
        "slack_id": link.slack_id,
        "team": link.team,
        "person": link.person,
        "provider": link.provider,
        "at": link.at,
    }


def _link(document: Mapping[str, Any]) -> Link:
    return Link(
        slack_id=str(document["slack_id"]),
        team=str(document["team"]),
        person=str(document["person"]),
        provider=str(document["provider"]),
        at=float(document["at"]),
    )
