"""Just-in-time elevation: agents and people ask for more for a while, people grant it, and it ends by itself."""

from __future__ import annotations

from gateway.elevations.asking import AgentUnknown, Elevations, NotOffered, Wish
from gateway.elevations.grants import Grant, Grants

__all__ = ["AgentUnknown", "Elevations", "Grant", "Grants", "NotOffered", "Wish"]
