"""Votes in a test's house, and what comes of them."""

from __future__ import annotations

import asyncio

from gateway.contract import Choice, VoteRequest


def request(person="sam@example.com", choice=Choice.APPROVE, seen=1, **changes):
    return VoteRequest(person=person, choice=choice, seen_version=seen, **changes)


async def vote(house, approval_id, *args, vouched=frozenset(), **changes):
    return await house.approvals.vote(
        approval_id, request(*args, **changes), through="slack", vouched=vouched
    )


async def settled(waiting):
    async with asyncio.timeout(60):
        return await waiting.outcome()


def journalled(house):
    return [record.fields["approval"] for record in house.journal.recent() if record.kind == "approval"]
