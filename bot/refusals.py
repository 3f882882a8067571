"""What people are told when the gateway says no: one sentence per kind of refusal."""

from __future__ import annotations

from collections.abc import Mapping

from bot.blocks import Element, link, text
from bot.card_ids import OldCard
from bot.gateway_client import (
    AlreadySettled,
    BadRequest,
    Conflict,
    GatewayError,
    GatewayUnreachable,
    LoginFirst,
    NotEligible,
    NotFound,
    ReviewFirst,
    Stale,
    Unauthorized,
    WishRefused,
)
from bot.people import Unknown
from bot.safe_text import inline

SENTENCES: Mapping[type[Exception], str] = {
    NotEligible: "You cannot decide this.",
    AlreadySettled: "Too late, this is settled already.",
    Stale: "This card has changed since you saw it. Look at it again, then decide.",
    LoginFirst: "A yes to this needs a fresh login. The address below is for you alone, works once and for ten minutes; your vote counts when you have logged in.",
    ReviewFirst: "Open it with Review first: the card does not show all of what would run.",
    NotFound: "The gateway knows nothing by that id.",
    Conflict: "Somebody changed this at the same moment. Please try again.",
    BadRequest: "The gateway did not understand the bot. An operator compares their versions.",
    WishRefused: "That was not asked for.",
    Unauthorized: "The gateway does not know the bot's credential. Nothing was decided; tell an operator.",
    GatewayUnreachable: "The gateway cannot be reached. Nothing was decided; what is held stays held.",
    OldCard: "This card is from another version of the bot. Run /countersign pending for what waits.",
}
WITH_THEIR_WORDS = (NotEligible, AlreadySettled, NotFound, WishRefused)
"""Refusals whose own sentence says more: who may, and who did."""

UNEXPECTED = "Something went wrong in the bot and nothing is known to have been decided. Look at the card before you try again."

NOT_OPENED = "Slack lets a form open within three seconds of the click, and they were over. Nothing was decided: click again."
NOT_SHOWN = "It was done, but Slack did not take the answer: it may be too long. The Home tab and the terminal show more."

LINK = "The gateway does not know yet who you are. Log in once; the address is for you alone and works for ten minutes. Then click again."


def sentence(error: Exception) -> str:
    """The sentence for an error; always ends up in rich text, literally."""
    if isinstance(error, Unknown):
        return error.reason
    said = SENTENCES.get(type(error), UNEXPECTED)
    if isinstance(error, GatewayError) and isinstance(error, WITH_THEIR_WORDS) and error.message:
        more = inline(error.message, limit=300)
        return f"{said.removesuffix('.')}: {more}" if more[0].islower() else f"{said} {more}"
    return said


def no_login(error: GatewayError) -> str:
    """Why nobody can log in: a refusal of that is about no vote."""
    if isinstance(error, NotEligible) and error.message:
        return inline(error.message, limit=300)
    return sentence(error)


def way_on(error: Exception) -> tuple[Element, ...]:
    """What stands behind the sentence: the address of a login, where one is all that is missing."""
    return login_at(error.url) if isinstance(error, GatewayError) and error.url else ()


def login_at(url: str) -> tuple[Element, ...]:
    return (text(" "), link(url, "Log in"))
