"""What is asked about: the one command of a session that has no answer yet, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

from gateway.facts.mysql import Context
from gateway.model import Allow, Block, Command, Facts
from gateway.protocols.mysql import errors, refusals
from gateway.protocols.mysql.answers import Answers, Kind, Running
from gateway.protocols.mysql.packets import Packet
from gateway.protocols.mysql.refusals import Refusal
from gateway.protocols.mysql.session import Reading
from gateway.protocols.mysql.statements import Statement, Statements
from gateway.wire import CommandAsked, CommandWithdrawn, Event, Limits, Mask, Send, Side

_UPSTREAM: Final = Side.UPSTREAM


class Asked:
    """A command without an answer, and what it becomes once it may run."""

    def __init__(self, command: Command, raw: list[bytes], running: Callable[[Mask | None], Running]) -> None:
        self.command: Final = command
        self.raw: Final = raw
        self.running: Final = running
        self.statement: Statement | None = None
        self.types: tuple[int, ...] | None = None


class Asking:
    """The way up of one session: what is forwarded, asked about, refused."""

    def __init__(
        self,
        limits: Limits,
        answers: Answers,
        reading: Reading,
        statements: Statements,
        *,
        next_id: Callable[[], str],
    ) -> None:
        self.limits: Final = limits
        self.answers: Final = answers
        self.reading: Final = reading
        self.statements: Final = statements
        self._next_id = next_id
        self.asked: Asked | None = None
        """The command that has no answer yet."""
        self.number = 0
        """Of the client's last packet: what answers it has the next."""

    @property
    def sequence(self) -> int:
        """The number of what is said next to the client."""
        if self.answers.running is not None:
            return self.answers.next_sequence()
        return self.number + 1 if self.asked is not None else 1

    def send(self, raw: list[bytes], running: Running | None, out: list[Event]) -> None:
        out.append(Send(_UPSTREAM, raw[0] if len(raw) == 1 else b"".join(raw)))
        if running is not None:
            self.answers.run(running)

    def refuse(self, refusal: Refusal, out: list[Event]) -> None:
        code, state, message = refusal
        out.append(Send(Side.CLIENT, errors.err(code, state, message, self.number + 1)))

    def say_ok(self, out: list[Event]) -> None:
        out.append(Send(Side.CLIENT, errors.ok(self.number + 1, status=self.answers.status)))

    def ask(
        self,
        text: str,
        facts: Facts,
        exact: bytes,
        packet: Packet,
        kind: Kind,
        out: list[Event],
        *,
        context: Context,
        parameters: tuple[str | None, ...] = (),
        statement: Statement | None = None,
        raw: list[bytes] | None = None,
        done: Callable[[list[Event]], None] | None = None,
        follows: bool = True,
    ) -> Asked:
        namespace = self.reading.namespace(context)
        command = Command(
            id=self._next_id(),
            text=text,
            parameters=parameters,
            facts=facts,
            exact=(exact, namespace),
            around=namespace,
        )

        def running(mask: Mask | None) -> Running:
            return Running(
                kind,
                command_id=command.id,
                facts=facts,
                each=self.reading.each(text, facts, context) if mask is not None else (),
                mask=mask,
                text=text,
                context=context if follows else None,
                statement=statement,
                done=done,
            )

        self.asked = Asked(command, raw or [packet.raw], running)
        out.append(CommandAsked(command))
        return self.asked

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask, out: list[Event]) -> None:
        """The verdict on the command that is asked about; one for any other comes too late."""
        asked = self.asked
        if asked is None or asked.command.id != command_id:
            return
        self.asked = None
        match verdict:
            case Allow():
                self._release(asked, None if mask.empty else mask, out)
            case Block():
                self._forget(asked)
                self.refuse(refusals.blocked(verdict, asked.command.facts), out)
            case _:
                assert_never(verdict)

    def _release(self, asked: Asked, mask: Mask | None, out: list[Event]) -> None:
        statement = asked.statement
        if statement is not None:
            self.answers.close_cursor(statement, out)
            statement.told = asked.types
        self.send(asked.raw, asked.running(mask), out)
        self._forget(asked)

    def _forget(self, asked: Asked) -> None:
        """What came ahead of an execution is gone with it."""
        if asked.statement is not None:
            self.statements.forget_long(asked.statement)

    def cancel(self, out: list[Event]) -> bool:
        """Take the waiting command back, if one waits."""
        asked, self.asked = self.asked, None
        if asked is None:
            return False
        self._forget(asked)
        out.append(CommandWithdrawn(asked.command.id))
        self.refuse(refusals.CANCELLED, out)
        return True
