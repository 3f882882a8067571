"""What can be made to go wrong on purpose, and how often.

A test or a presenter adds faults over the control API; the Web API and the delivery ask here
whether one strikes. A fault strikes `times` times and is then gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

ANY = "*"


class FaultError(ValueError):
    """The fault's description is not usable; the sentence says what is wanted."""


@dataclass(slots=True, kw_only=True)
class RateLimited:
    """The method answers 429 with Retry-After."""

    method: str = ANY
    times: int = 1
    retry_after: int = 1


@dataclass(slots=True, kw_only=True)
class ServerError:
    """The method answers a 5xx and does nothing."""

    method: str = ANY
    times: int = 1
    status: int = 503


@dataclass(slots=True, kw_only=True)
class Latency:
    """The method answers late."""

    method: str = ANY
    times: int = 1
    seconds: float = 0.5


@dataclass(slots=True, kw_only=True)
class ApiError:
    """The method answers {"ok": false} with this error, as edit_window_closed."""

    method: str = ANY
    times: int = 1
    error: str = "fatal_error"


@dataclass(slots=True, kw_only=True)
class LostAnswer:
    """The method does its work, then the connection breaks before the answer."""

    method: str = ANY
    times: int = 1


@dataclass(slots=True, kw_only=True)
class DropAck:
    """The app's acknowledgement of such an envelope is lost."""

    envelope: str = ANY
    times: int = 1


@dataclass(slots=True, kw_only=True)
class Duplicate:
    """The envelope is delivered twice."""

    envelope: str = ANY
    times: int = 1


@dataclass(slots=True, kw_only=True)
class ClockSkew:
    """Signed requests carry a time-stamp this many seconds off."""

    envelope: str = ANY
    times: int = 1
    seconds: float = -600.0


Fault = RateLimited | ServerError | Latency | ApiError | LostAnswer | DropAck | Duplicate | ClockSkew
F = TypeVar("F", RateLimited, ServerError, Latency, ApiError, LostAnswer, DropAck, Duplicate, ClockSkew)

KINDS: Mapping[str, type[Fault]] = {
    "rate_limited": RateLimited,
    "server_error": ServerError,
    "latency": Latency,
    "api_error": ApiError,
    "lost_answer": LostAnswer,
    "drop_ack": DropAck,
    "duplicate": Duplicate,
    "clock_skew": ClockSkew,
}


def parse_fault(given: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form: `{"kind": ..., its fields}`. Raises FaultError."""
    rest = dict(given)
    name = rest.pop("kind", None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise FaultError(f"kind {name!r} is none of {', '.join(KINDS)}.")
    defaults = {one.name: one.default for one in fields(kind)}
    for key, value in rest.items():
        wanted = type(defaults[key]) if key in defaults else None
        if wanted is None:
            raise FaultError(f"{name} has no {key!r}; it has {', '.join(defaults)}.")
        if wanted is float and isinstance(value, int):
            rest[key] = float(value)
        elif type(value) is not wanted:
            raise FaultError(f"{name}.{key} must be of type {wanted.__name__}.")
    return kind(**rest)


class Faults:
    """The faults that wait to strike."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def strike(self, kind: type[F], *, target: str = ANY) -> F | None:
        """The first waiting fault of this kind that is meant for `target`, counted."""
        for fault in self._waiting:
            if not isinstance(fault, kind):
                continue
            aim = getattr(fault, "method", None) or getattr(fault, "envelope", ANY)
            if aim not in {ANY, target}:
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.remove(fault)
            return fault
        return None

    def to_json(self) -> list[dict[str, Any]]:
        names = {kind: name for name, kind in KINDS.items()}
        return [{"kind": names[type(one)], **asdict(one)} for one in self._waiting]
