"""A Slack user who is deactivated is nobody from then on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.desk import read_click
from bot.gateway_client import GatewayUnreachable
from bot.listeners.events import user_changed
from gateway.contract import LinkView, RevokeRequest

SAM = "U0SAM"


class Gateway:
    """As much of the client as knows links."""

    def __init__(self) -> None:
        self.links = {
            SAM: LinkView(slack_id=SAM, team="T0DEMO", person="sam@example.com", provider="corp", at=0.0)
        }
        self.asked: list[RevokeRequest] = []
        self.gone = False

    async def linked(self, slack_id: str) -> LinkView | None:
        if self.gone:
            raise GatewayUnreachable("gone")
        return self.links.get(slack_id)

    async def unlink(self, slack_id: str, request: RevokeRequest) -> None:
        self.asked.append(request)
        del self.links[slack_id]


async def told(gateway: Gateway, **user: Any) -> None:
    desk: Any = SimpleNamespace(gateway=gateway)
    await user_changed(desk, read_click({"event": {"type": "user_change", "user": {"id": SAM, **user}}}))


async def test_their_link_ends() -> None:
    gateway = Gateway()
    await told(gateway, deleted=True)
    assert gateway.links == {}
    assert [(each.person, each.reason) for each in gateway.asked] == [
        ("sam@example.com", "deactivated in Slack")
    ]
    await told(gateway, deleted=True)
    assert len(gateway.asked) == 1


@pytest.mark.parametrize("user", [{}, {"deleted": False}, {"deleted": "true"}, {"real_name": "Sam"}])
async def test_any_other_change_ends_nothing(user: dict[str, Any]) -> None:
    gateway = Gateway()
    await told(gateway, **user)
    assert SAM in gateway.links


async def test_a_gateway_that_is_away_is_told_to_nobody() -> None:
    gateway = Gateway()
    gateway.gone = True
    await told(gateway, deleted=True)
