"""The contract over HTTP: what the bot asks of the gateway, and how the gateway says no.

Every refusal of the API becomes an error of its own type, so that a listener maps types to sentences and never
reads texts. What cannot be reached, answers with 5xx, or does not speak the contract is `GatewayUnreachable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from gateway.contract import (
    AccessView,
    Approval,
    Changes,
    Directory,
    ElevationRequest,
    GrantView,
    Hits,
    Home,
    LineageNode,
    LinkOffer,
    LinkRequest,
    LinkView,
    Note,
    OfferView,
    Refusal,
    RevokeRequest,
    SessionView,
    Subtree,
    Transcript,
    Twins,
    VoteRequest,
    Whoami,
    WholeText,
    decode,
    encode,
)

ANSWER_WITHIN = 10.0
"""Seconds that the gateway has for an answer (a long poll has these on top of its wait)."""

T = TypeVar("T")


class GatewayError(Exception):
    """The gateway did not do what it was asked; `message` is its own sentence."""

    def __init__(self, message: str, *, url: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        """The part of what was asked that would have to be another."""
        self.url = url
        """Where the person who asked can do what is missing; for their eyes only."""


class GatewayUnreachable(GatewayError):
    """No answer, or none that can be understood: nothing is known to have happened."""


class NotEligible(GatewayError):
    """The person may not do that."""


class AlreadySettled(GatewayError):
    """Too late: somebody decided, or time ran out."""


class Stale(GatewayError):
    """What is asked for has changed since the card was drawn."""


class ReviewFirst(GatewayError):
    """The whole text has to be opened before it can be approved."""


class LoginFirst(GatewayError):
    """A fresh login is needed: at `url`, which only the one who clicked may see."""


class NotFound(GatewayError):
    """The gateway knows nothing by that id."""


class Conflict(GatewayError):
    """A note was written by somebody else in the meantime."""


class BadRequest(GatewayError):
    """The gateway does not understand the request: the two are of different versions."""


class Unauthorized(GatewayError):
    """The bot's credential is not the gateway's: compare COUNTERSIGN_BOT_TOKEN on both sides."""


class WishRefused(GatewayError):
    """What was asked for cannot be had so; its message says what can."""


REFUSALS: Mapping[str, type[GatewayError]] = {
    "not_eligible": NotEligible,
    "already_settled": AlreadySettled,
    "stale": Stale,
    "review_first": ReviewFirst,
    "login_first": LoginFirst,
    "not_found": NotFound,
    "conflict": Conflict,
    "bad_request": BadRequest,
    "wish_refused": WishRefused,
    "unauthorized": Unauthorized,
}
"""`Refusal.error` -> the error it is raised as."""


class GatewayClient:
    """One gateway and the credential for it. `async with` opens and closes its connections."""

    def __init__(self, url: str, credential: str) -> None:
        self._url = URL(url.rstrip("/") + "/", encoded=True)
        self._headers = {"Authorization": f"Bearer {credential}"}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> GatewayClient:
        self._http = aiohttp.ClientSession(
            headers=self._headers, timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN), trust_env=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def changes(self, *, after: int, wait: float) -> Changes:
        """The steps after number `after`; waits up to `wait` seconds for the first one."""
        return await self._get(
            "v1/changes", Changes, wait=wait, query={"after": str(after), "wait": f"{wait:g}"}
        )

    async def approval(self, approval_id: str) -> Approval:
        return await self._get(f"v1/approvals/{_id(approval_id)}", Approval)

    async def pending(self) -> tuple[Approval, ...]:
        """Every approval that still waits for votes."""
        return await self._get("v1/approvals", tuple[Approval, ...], query={"state": "pending"})

    async def vote(self, approval_id: str, request: VoteRequest) -> Approval:
        """The approval after this vote. Raises any of the refusals."""
        return await self._post(f"v1/approvals/{_id(approval_id)}/votes", request, Approval)

    async def whole_text(self, approval_id: str, *, person: str, groups: Iterable[str]) -> WholeText:
        """Everything that would run, unmasked, and the proof that this person opened it."""
        query = {"person": person, "groups": ",".join(groups)}
        return await self._get(f"v1/approvals/{_id(approval_id)}/text", WholeText, query=query)

    async def link(self, user: LinkRequest) -> LinkOffer:
        """Where this Slack user logs in to be known. Raises any of the refusals."""
        return await self._post("v1/links", user, LinkOffer)

    async def linked(self, slack_id: str) -> LinkView | None:
        """As whom a Slack user logged in; None where they have not."""
        try:
            return await self._get(f"v1/links/{_id(slack_id)}", LinkView)
        except NotFound:
            return None

    async def unlink(self, slack_id: str, request: RevokeRequest) -> None:
        """End a link. Raises any of the refusals."""
        await self._post(f"v1/links/{_id(slack_id)}/end", request, LinkView)

    async def family(self, family: str) -> tuple[Approval, ...]:
        """The approvals that belong on one card."""
        return await self._get("v1/approvals", tuple[Approval, ...], query={"family": family})

    async def twins(self, approval_id: str) -> Twins:
        """How many others a yes for a while would release."""
        return await self._get(f"v1/approvals/{_id(approval_id)}/twins", Twins)

    async def elevate(self, request: ElevationRequest) -> Approval:
        """The approval by which people decide about it. Raises any of the refusals."""
        return await self._post("v1/elevations", request, Approval)

    async def offers(self, person: str, *, groups: Iterable[str]) -> tuple[OfferView, ...]:
        """What this person may ask for now."""
        query = {"person": person, "groups": ",".join(groups)}
        return await self._get("v1/elevations", tuple[OfferView, ...], query=query)

    async def access(self, grant_id: str, person: str) -> AccessView:
        """A link that opens once, for who has the grant. Raises any of the refusals."""
        return await self._post(f"v1/grants/{_id(grant_id)}/access", RevokeRequest(person=person), AccessView)

    async def grants(self, person: str, *, groups: Iterable[str]) -> tuple[GrantView, ...]:
        """What is elevated now, as far as this person may see it."""
        query = {"person": person, "groups": ",".join(groups)}
        return await self._get("v1/grants", tuple[GrantView, ...], query=query)

    async def end_grant(self, grant_id: str, request: RevokeRequest) -> GrantView:
        """End a grant now. Raises any of the refusals."""
        return await self._post(f"v1/grants/{_id(grant_id)}/end", request, GrantView)

    async def sessions(self) -> tuple[SessionView, ...]:
        """The sessions that are open."""
        return await self._get("v1/sessions", tuple[SessionView, ...])

    async def session(self, session_id: str) -> SessionView:
        return await self._get(f"v1/sessions/{_id(session_id)}", SessionView)

    async def sessions_of(self, person: str, groups: Iterable[str]) -> tuple[SessionView, ...]:
        """The open sessions that a person may see."""
        return await self._get("v1/sessions", tuple[SessionView, ...], query=_who(person, groups))

    async def session_of(self, session_id: str, person: str, groups: Iterable[str]) -> SessionView:
        """A session that a person may see. Raises NotFound."""
        return await self._get(f"v1/sessions/{_id(session_id)}", SessionView, query=_who(person, groups))

    async def home(self, person: str, groups: Iterable[str]) -> Home:
        """What concerns a person."""
        return await self._get("v1/home", Home, query=_who(person, groups))

    async def whoami(self, person: str, groups: Iterable[str]) -> Whoami:
        return await self._get("v1/whoami", Whoami, query=_who(person, groups))

    async def lineages_of(self, person: str, groups: Iterable[str]) -> tuple[LineageNode, ...]:
        """The live agents that a person may see, parents before children."""
        return await self._get("v1/lineages", tuple[LineageNode, ...], query=_who(person, groups))

    async def search(
        self, words: str, person: str, groups: Iterable[str], *, before: str, limit: int
    ) -> Hits:
        """Entries of transcripts with all the words, as far as a person may see them."""
        query = {**_who(person, groups), "q": words, "before": before, "limit": str(limit)}
        return await self._get("v1/search", Hits, query=query)

    async def transcript(self, session_id: str, *, after: int, limit: int) -> Transcript:
        """Up to `limit` masked entries with numbers above `after`."""
        query = {"after": str(after), "limit": str(limit)}
        return await self._get(f"v1/sessions/{_id(session_id)}/transcript", Transcript, query=query)

    async def kill(self, session_id: str, request: RevokeRequest) -> None:
        """End one session. Raises any of the refusals."""
        await self._post(f"v1/sessions/{_id(session_id)}/kill", request, dict[str, Any])

    async def subtree(self, token_id: str) -> Subtree:
        """What revoking that token would stop."""
        return await self._get(f"v1/lineages/{_id(token_id)}", Subtree)

    async def revoke(self, token_id: str, request: RevokeRequest) -> None:
        """Revoke a token with everything below it. Raises any of the refusals."""
        await self._post(f"v1/lineages/{_id(token_id)}/revoke", request, dict[str, Any])

    async def directory(self) -> Directory:
        return await self._get("v1/directory", Directory)

    async def note(self, key: str) -> Note | None:
        """What was noted under `key`, None where nothing was."""
        try:
            return await self._get(f"v1/notes/{_id(key)}", Note)
        except NotFound:
            return None

    async def put_note(self, key: str, data: Mapping[str, Any], *, version: int) -> int:
        """Write a note over version `version` (0: there was none). The new version. Raises Conflict."""
        headers = {"If-Match": str(version)}
        body = await self._call(
            "PUT", f"v1/notes/{_id(key)}", body=encode({"version": version, "data": data}), headers=headers
        )
        return self._read(body, Note).version if body.strip() else version + 1

    async def _get(
        self, path: str, shape: type[T], *, wait: float = 0, query: Mapping[str, str] | None = None
    ) -> T:
        return self._read(await self._call("GET", path, wait=wait, query=query), shape)

    async def _post(self, path: str, request: object, shape: type[T]) -> T:
        return self._read(await self._call("POST", path, body=encode(request)), shape)

    @staticmethod
    def _read(body: bytes, shape: type[T]) -> T:
        try:
            return decode(body or b"{}", shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayUnreachable(f"The gateway's answer does not fit the contract: {error}") from None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        wait: float = 0,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        assert self._http is not None, "a GatewayClient is used inside `async with`"
        sent = dict(headers or {})
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            async with self._http.request(
                method,
                self._url.join(URL(path, encoded=True)).update_query(query or {}),
                data=body,
                headers=sent,
                timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN + wait),
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise GatewayUnreachable(f"No answer from {self._url}: {type(error).__name__}.") from error
        if status < 300:
            return content
        raise _refusal(status, content)


def _refusal(status: int, content: bytes) -> GatewayError:
    try:
        refusal = decode(content, Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return GatewayUnreachable(f"The gateway answered {status} without saying why.")
    return REFUSALS.get(refusal.error, GatewayUnreachable)(
        refusal.message, url=refusal.url, field=refusal.field
    )


def _id(name: str) -> str:
    return quote(name, safe=":")


def _who(person: str, groups: Iterable[str]) -> dict[str, str]:
    return {"person": person, "groups": ",".join(groups)}
