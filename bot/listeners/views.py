"""The modals' submissions: votes with a reason, votes after reading everything, and killing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot import for_a_while
from bot.card_ids import (
    DENY_VIEW,
    KILL_SESSION_VIEW,
    KILL_VIEW,
    REACH_BLOCK,
    REACH_INPUT,
    REACH_SUBTREE,
    REASON_BLOCK,
    REASON_INPUT,
    REVIEW_VIEW,
    ModalState,
    OldCard,
    read_modal_state,
)
from bot.desk import Click, Desk, Work, lazily, only_ack
from bot.listeners.events import publish_home
from bot.modals import LONGEST_REASON
from gateway.contract import Choice, RevokeRequest, VoteRequest


def register(app: AsyncApp, desk: Desk) -> None:
    works: Mapping[str, Work] = {
        DENY_VIEW: deny,
        KILL_VIEW: kill,
        REVIEW_VIEW: approve_reviewed,
        KILL_SESSION_VIEW: kill_session,
    }
    for callback_id, work in works.items():
        app.view(callback_id)(ack=only_ack, lazy=[lazily(desk, work, about=_channel)])
    app.view(re.compile(".*"))(ack=only_ack, lazy=[lazily(desk, old_view)])


async def deny(desk: Desk, click: Click) -> None:
    await _vote(desk, click, Choice.DENY)


async def kill(desk: Desk, click: Click) -> None:
    await _vote(desk, click, Choice.KILL)


async def approve_reviewed(desk: Desk, click: Click) -> None:
    await _vote(desk, click, Choice.APPROVE, for_a_while.chosen(click.view))


async def kill_session(desk: Desk, click: Click) -> None:
    """End a session, or revoke its agent's token with everything below it."""
    state = _state(click)
    member = await desk.member(click)
    request = RevokeRequest(
        person=member.person, reason=_reason(click), groups=await desk.people.vouched(member)
    )
    chosen = (_value(click, REACH_BLOCK, REACH_INPUT).get("selected_option") or {}).get("value")
    if chosen == REACH_SUBTREE and state.token_id:
        await desk.gateway.revoke(state.token_id, request)
        await desk.say(click, "Its token is revoked; everything below it ends.", channel=state.channel)
    else:
        await desk.gateway.kill(state.session, request)
        await desk.say(click, f"Session {state.session} is ended.", channel=state.channel)
    if state.home:
        await publish_home(desk, click)


async def old_view(_: Desk, click: Click) -> None:
    raise OldCard(str(click.view.get("callback_id")))


async def _vote(
    desk: Desk, click: Click, choice: Choice, chosen: for_a_while.Chosen = for_a_while.ONLY_THIS
) -> None:
    state = _state(click)
    if state.target is None:
        raise OldCard("a modal without a target")
    member = await desk.member(click)
    await desk.gateway.vote(
        state.target.id,
        VoteRequest(
            person=member.person,
            choice=choice,
            reason=_reason(click) if choice is not Choice.APPROVE else "",
            seen_version=state.target.version,
            groups=await desk.people.vouched(member),
            opened=state.opened,
            slack_id=member.slack_id,
            reach=chosen.reach,
            seconds=chosen.seconds,
            commands=chosen.commands,
            rows=chosen.rows,
        ),
    )
    if state.home:
        await publish_home(desk, click)


def _state(click: Click) -> ModalState:
    return read_modal_state(str(click.view.get("private_metadata") or ""))


def _channel(click: Click) -> str:
    try:
        return _state(click).channel
    except OldCard:
        return ""


def _value(click: Click, block_id: str, action_id: str) -> Mapping[str, Any]:
    values = (click.view.get("state") or {}).get("values") or {}
    found: Mapping[str, Any] = (values.get(block_id) or {}).get(action_id) or {}
    return found


def _reason(click: Click) -> str:
    return str(_value(click, REASON_BLOCK, REASON_INPUT).get("value") or "").strip()[:LONGEST_REASON]
