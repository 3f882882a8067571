"""Just-in-time elevation: agents and people ask for more for a while, people grant it, and it ends by itself."""

from __future__ import annotations

from gateway.elevations.asking import AgentUnknown, Elevations, NotOffered
from gateway.elevations.grant import Grant
from gateway.elevations.grants import Grants
from gateway.elevations.wish import Request, Wish

__all__ = ["AgentUnknown", "Elevations", "Grant", "Grants", "NotOffered", "Request", "Wish"]
