"""One reading of a target's catalogue, whatever the protocol: bounded in time, and closed where it fails.

What is not known is read as doubt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from gateway.facts.schema import Schema

WITHIN = 20.0
"""Seconds that one reading of a catalogue may take."""

Told = TypeVar("Told")


class Known(Protocol[Told]):
    """What is known of one target."""

    told: Told | None
    """What its catalogue said when it was read last."""

    def renew(self, told: Told | None, schema: Schema | None) -> None:
        """`schema` follows from what is told now; it is left out where that is nothing, or nothing new."""


async def renewed(
    known: Known[Told],
    asked: Awaitable[Told | None],
    *,
    resolved: Callable[[Told], Schema],
    refusal: Callable[[Exception], str],
    most: str,
) -> str:
    """Renew `known` by what is told; "" or why it could not be. Never raises for what the target does.

    `asked` gives None where there is more than `most`; `refusal` puts into words what went wrong, and holds nothing
    that the target said.
    """
    told, note = None, ""
    try:
        async with asyncio.timeout(WITHIN):
            told = await asked
    except TimeoutError:
        note = f"the target did not answer within {WITHIN:g} s"
    except Exception as error:  # noqa: BLE001  whatever the client library makes of a strange server
        note = refusal(error)
    else:
        if told is None:
            note = f"there are more than {most}"
    if told is None or told == known.told:
        known.renew(told, None)
    else:
        # Views are parsed here, thousands at worst: beside the loop that carries sessions.
        known.renew(told, await asyncio.to_thread(resolved, told))
    return note
