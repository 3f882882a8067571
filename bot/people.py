"""Who clicked: from a Slack user to a person the gateway knows, and the groups the bot can vouch for.

policies.yaml names people by Slack id, or they have logged in and the gateway has linked them; by e-mail only where the
policy says so, since a workspace's administrators can change addresses. Bots, guests, deleted users, strangers and addresses nobody confirmed are refused. What Slack says
is kept for a minute; when it cannot be asked, nobody is anybody and no group is vouched for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks import Faces
from bot.outbox import code_of
from gateway.contract import Directory, LinkRequest

log = logging.getLogger(__name__)

KEPT = 60.0
"""Seconds for which an answer of Slack's or the gateway's directory is believed."""
KEPT_AT_MOST = 2_000
MENTIONS_WITHIN = 2.0
"""Seconds that looking up mentions may delay a card."""

SLACK_TROUBLE = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)

K = TypeVar("K")
V = TypeVar("V")


class Unknown(Exception):
    """Slack user who is nobody to the gateway; `reason` is a sentence for that user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unlinked(Unknown):
    """A member of the workspace who is nobody yet, and may log in to be known."""

    def __init__(self, user: LinkRequest) -> None:
        super().__init__("The gateway does not know yet who you are. Run /countersign link, and log in once.")
        self.user = user


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A Slack user who is a person."""

    slack_id: str
    person: str


class Kept(Generic[K, V]):
    """Answers kept for a while; one call at a time for each key. A failed call is not kept."""

    def __init__(
        self, ask: Callable[[K], Awaitable[V]], *, clock: Callable[[], float], seconds: float = KEPT
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._seconds = seconds
        self._answers: dict[K, tuple[float, V]] = {}
        self._asking: dict[K, asyncio.Lock] = {}

    async def get(self, key: K) -> V:
        """The answer for `key`, asked for when it is older than it may be. Raises what the call raises."""
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:
            kept = self._answers.get(key)
            if kept is not None and self._clock() - kept[0] < self._seconds:
                return kept[1]
            self._answers.pop(key, None)
            answer = await self._ask(key)
            if len(self._answers) >= KEPT_AT_MOST:
                self._answers.clear()
                self._asking = {key: lock}
            self._answers[key] = (self._clock(), answer)
            return answer

    def forget(self, key: K) -> None:
        """The next `get` asks again."""
        self._answers.pop(key, None)


class People:
    """One workspace's users as the gateway's persons."""

    def __init__(
        self,
        client: AsyncWebClient,
        directory: Callable[[], Awaitable[Directory]],
        *,
        team: str,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._team = team
        self._directories: Kept[str, Directory] = Kept(lambda _: directory(), clock=clock)
        self._users: Kept[str, Mapping[str, Any]] = Kept(self._ask_user, clock=clock)
        self._ids: Kept[str, str] = Kept(self._ask_id, clock=clock)
        self._handles: Kept[str, Mapping[str, str]] = Kept(self._ask_handles, clock=clock)
        self._faces: Kept[str, Faces] = Kept(self._ask_faces, clock=clock)
        self._members: Kept[str, frozenset[str]] = Kept(self._ask_members, clock=clock)

    async def directory(self) -> Directory:
        """What policies.yaml says, at most a minute old. Raises GatewayError."""
        return await self._directories.get("")

    async def member(self, slack_id: str, *, team: str) -> Member:
        """The person behind a Slack user of workspace `team`. Raises Unknown and GatewayError."""
        if team and team != self._team:
            raise Unknown(
                "You are in this channel from another workspace; only members of this one can decide."
            )
        directory = await self.directory()
        try:
            profile = await self._users.get(slack_id)
        except SLACK_TROUBLE as error:
            log.warning("users.info failed: %s", error)
            raise Unknown(
                "Slack cannot say who you are just now. Nothing was decided; please try again."
            ) from error
        self._refuse_outsiders(profile)
        if directory.login:
            # A link may have begun or ended a moment ago; the gateway is near, and it is asked at each click.
            self._directories.forget("")
            directory = await self.directory()
        mapped = directory.people.get(slack_id)
        if mapped:
            return Member(slack_id=slack_id, person=mapped)
        email = confirmed(profile)
        if directory.match_by_email and email:
            if email in {person.lower() for person in directory.people.values()}:
                # That person has a Slack user of their own: an address that was changed to theirs is not them.
                raise Unknown("Your e-mail address belongs to a person who has another Slack user.")
            return Member(slack_id=slack_id, person=email)
        if directory.login:
            raise Unlinked(self._described(profile))
        if directory.match_by_email:
            raise Unknown("Your e-mail address is not confirmed in Slack, so it cannot say who you are.")
        raise Unknown(
            f"policies.yaml does not say who you are: an operator adds {slack_id} under slack: people."
        )

    async def described(self, slack_id: str, *, team: str) -> LinkRequest:
        """A member of the workspace, for the gateway to link. Raises Unknown and GatewayError."""
        try:
            await self.member(slack_id, team=team)
            profile = await self._users.get(slack_id)
        except Unlinked as unlinked:
            return unlinked.user
        return self._described(profile)

    async def vouched(self, member: Member) -> tuple[str, ...]:
        """The groups of policies.yaml whose Slack user group this user is in right now; none when in doubt."""
        vouched = []
        for name, group in (await self.directory()).groups.items():
            if not group.slack:
                continue
            try:
                usergroup_id = await self._usergroup(group.slack)
                if usergroup_id and member.slack_id in await self._members.get(usergroup_id):
                    vouched.append(name)
            except SLACK_TROUBLE as error:
                log.warning("user group %s cannot be read, nobody is in it: %s", group.slack, error)
        return tuple(vouched)

    async def faces(self) -> Faces:
        """How the directory's people and groups are mentioned; groups in words where Slack does not say quickly."""
        return await self._faces.get("")

    async def slack_id(self, person: str) -> str:
        """The Slack user of a person, "" where there is none to be found. Raises GatewayError."""
        directory = await self.directory()
        for slack_id, mapped in directory.people.items():
            if mapped.lower() == person.lower():
                return slack_id
        if not person or not directory.match_by_email:
            return ""
        try:
            return await self._ids.get(person.lower())
        except SLACK_TROUBLE as error:
            log.info("users.lookupByEmail failed: %s", error)
            return ""

    def _described(self, profile: Mapping[str, Any]) -> LinkRequest:
        shown = profile.get("profile") or {}
        name = str(shown.get("display_name") or profile.get("real_name") or profile.get("name") or "")
        return LinkRequest(slack_id=str(profile["id"]), team=self._team, name=name, email=confirmed(profile))

    def _refuse_outsiders(self, profile: Mapping[str, Any]) -> None:
        enterprise = profile.get("enterprise_user") or {}
        teams = {profile.get("team_id"), *(enterprise.get("teams") or [])}
        if self._team not in teams or profile.get("is_stranger"):
            raise Unknown("You are not a member of this workspace; only its members can decide.")
        if profile.get("deleted"):
            raise Unknown("Your Slack account is deactivated.")
        if profile.get("is_bot") or profile.get("is_workflow_bot") or profile.get("id") == "USLACKBOT":
            raise Unknown("Apps and workflows cannot decide; a person has to.")
        if profile.get("is_restricted") or profile.get("is_ultra_restricted"):
            raise Unknown("Guests of this workspace cannot decide.")

    async def _ask_faces(self, _: str) -> Faces:
        # Cards are drawn with this: a Slack that is slow or refuses must cost them a moment a minute, no more.
        directory = await self.directory()
        groups: dict[str, str] = {}
        try:
            async with asyncio.timeout(MENTIONS_WITHIN):
                for name, group in directory.groups.items():
                    if group.slack and (usergroup_id := await self._usergroup(group.slack)):
                        groups[name] = usergroup_id
        except SLACK_TROUBLE as error:
            log.info("user groups cannot be listed, cards name them in words: %s", error)
        return Faces(people={person: one for one, person in directory.people.items()}, groups=groups)

    async def _usergroup(self, slack: str) -> str:
        handles = await self._handles.get("")
        return handles.get(slack.removeprefix("@"), "")

    async def _ask_user(self, slack_id: str) -> Mapping[str, Any]:
        answer = await self._client.users_info(user=slack_id)
        user: Mapping[str, Any] = answer["user"]
        return user

    async def _ask_id(self, email: str) -> str:
        try:
            answer = await self._client.users_lookupByEmail(email=email)
        except SlackApiError as error:
            if code_of(error) == "users_not_found":
                return ""
            raise
        user: Mapping[str, Any] = answer["user"]
        try:
            self._refuse_outsiders(user)
        except Unknown:
            return ""
        return str(user["id"])

    async def _ask_handles(self, _: str) -> Mapping[str, str]:
        answer = await self._client.usergroups_list(include_disabled=False)
        groups: list[Mapping[str, Any]] = answer.get("usergroups") or []
        # A policy may name a group by its handle or, safe against a renamed handle, by its id.
        return {str(group[key]): str(group["id"]) for group in groups for key in ("handle", "id")}

    async def _ask_members(self, usergroup_id: str) -> frozenset[str]:
        answer = await self._client.usergroups_users_list(usergroup=usergroup_id)
        users: list[str] = answer.get("users") or []
        return frozenset(users)


def confirmed(profile: Mapping[str, Any]) -> str:
    """The address that Slack has confirmed, in lower case; "" where there is none."""
    email = str((profile.get("profile") or {}).get("email") or "")
    return email.lower() if profile.get("is_email_confirmed") is True else ""
