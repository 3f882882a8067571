"""What leaves the process: the shapes that the gateway's API speaks, and the one package that `bot` may import.

Every shape is a frozen dataclass; `encode` and `decode` turn it into JSON and back. Unknown fields are ignored
on reading, so a field may be added at any time, with a default. Times are Unix seconds.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from gateway.contract.approvals import (
    ActorView,
    Approval,
    AskView,
    Choice,
    CommandView,
    ElevationView,
    Estimate,
    LastingView,
    LineageView,
    LoginView,
    PastView,
    PossibleView,
    ReachedView,
    ResourceView,
    ShapeView,
    State,
    StepUpView,
    StepView,
    TablesView,
    Twins,
    Vote,
    VoteRequest,
    WholeText,
)
from gateway.contract.elevations import (
    AccessView,
    CredentialView,
    ElevationRequest,
    ElevationState,
    GrantView,
    HolderView,
    OfferView,
)
from gateway.contract.feed import Announcement, Change, Changes, Note, Refusal
from gateway.contract.people import Directory, GroupView, Home, LinkOffer, LinkRequest, LinkView, Whoami
from gateway.contract.sessions import (
    Entry,
    Hit,
    Hits,
    LineageNode,
    RevokeRequest,
    SessionView,
    Subtree,
    Transcript,
)
from gateway.model import Reach, StepKind

__all__ = [
    "CARD_TEXT",
    "VERSION",
    "AccessView",
    "ActorView",
    "Announcement",
    "Approval",
    "AskView",
    "Change",
    "Changes",
    "Choice",
    "CommandView",
    "CredentialView",
    "Directory",
    "ElevationRequest",
    "ElevationState",
    "ElevationView",
    "Entry",
    "Estimate",
    "GrantView",
    "GroupView",
    "Hit",
    "Hits",
    "HolderView",
    "Home",
    "LastingView",
    "LineageNode",
    "LineageView",
    "LinkOffer",
    "LinkRequest",
    "LinkView",
    "LoginView",
    "Note",
    "OfferView",
    "PastView",
    "PossibleView",
    "Reach",
    "ReachedView",
    "Refusal",
    "ResourceView",
    "RevokeRequest",
    "SessionView",
    "ShapeView",
    "State",
    "StepKind",
    "StepUpView",
    "StepView",
    "Subtree",
    "TablesView",
    "Transcript",
    "Twins",
    "Vote",
    "VoteRequest",
    "Whoami",
    "WholeText",
    "decode",
    "encode",
]

VERSION = 1
CARD_TEXT = 2_500
"""Characters of a command that fit on a card; a longer one can only be approved after opening it whole."""

T = TypeVar("T")


def encode(value: object) -> bytes:
    return msgspec.json.encode(value)


def decode(data: bytes | str, shape: type[T]) -> T:
    """`data` as `shape`; raises `msgspec.ValidationError` naming the field that does not fit."""
    return msgspec.json.decode(data, type=shape)
