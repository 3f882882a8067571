"""What every errand has in common: it has no client, so that nobody logs in, asks or is told anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.model import Allow, Block, Session
from gateway.wire import Event, Hangup, Login, Mask


class Unattended:
    """The client's half of a wire that has none."""

    cancel_key = b""
    buffered = 0

    def challenge(self, verifiers: Mapping[str, str] | None) -> Sequence[Event]:
        raise AssertionError(verifiers)

    def admit(self, session: Session, login: Login) -> Sequence[Event]:
        raise AssertionError(session, login)

    def refuse(self, message: str, *, unreachable: bool = False) -> Sequence[Event]:
        del unreachable
        return (Hangup(message),)

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask) -> Sequence[Event]:
        raise AssertionError(command_id, verdict, mask)

    def notice(self, command_id: str, text: str) -> Sequence[Event]:
        raise AssertionError(command_id, text)

    def cancel(self) -> Sequence[Event]:
        return ()

    def end(self, message: str) -> Sequence[Event]:
        return (Hangup(message),)
