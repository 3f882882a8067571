"""What a client's whole messages mean: which are commands, to be asked about, and which only prepare or end one.

A command is what executes: a Query, or an Execute with what was bound for it. A Bind waits for its Execute, so that
nothing that could run code goes ahead of its verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

from gateway.facts.postgres.tree import LARGEST
from gateway.model import Allow, Block, Command
from gateway.protocols.postgres import messages, refusals
from gateway.protocols.postgres.answers import Answers
from gateway.protocols.postgres.exchange import IN_TRANSACTION, Exchange, Kind
from gateway.protocols.postgres.messages import Bind
from gateway.protocols.postgres.parameters import shown
from gateway.protocols.postgres.reading import Reader
from gateway.protocols.postgres.sending import EXECUTIONS, Asked, Sending
from gateway.protocols.postgres.statements import LONGEST_NAME, Portal, Statement
from gateway.protocols.postgres.trials import Trial, refused
from gateway.wire import CommandAsked, CommandWithdrawn, Event, Hangup, Mask

_DESCRIBE: Final = ord("D")
_EXECUTE: Final = ord("E")
_TERMINATE: Final = ord("X")
_STATEMENT: Final = ord("S")
_PORTAL: Final = ord("P")
_HEAVY = 4_096
"""Bytes of a statement's text from which on it is weighed together with those that are kept."""
_TEXTS = 4
"""How many of the largest messages the texts of a session's prepared statements may come to."""


class Bound:
    """A Bind that has come and has not been asked about, with what goes with it."""

    def __init__(self, portal: Portal, name: bytes, raw: bytes) -> None:
        self.portal = portal
        self.name = name
        self.raw = [raw]

    def takes(self, tag: int, data: bytes, pos: int, end: int) -> bool:
        """Whether this message can wait, or be asked about, together with the Bind before it."""
        if tag == _EXECUTE:
            return messages.read_execute(data, pos, end) == self.name
        if tag == _DESCRIBE:
            return messages.read_target(data, pos, end) == (_PORTAL, self.name)
        return tag == _TERMINATE


class Commands:
    """The commands of one session: at most one is asked about at a time."""

    def __init__(
        self, exchange: Exchange, answers: Answers, reader: Reader, *, next_id: Callable[[], str]
    ) -> None:
        self._exchange = exchange
        self._answers = answers
        self._reader = reader
        self._next_id = next_id
        self._limit = exchange.limits.command_bytes
        self.sending = Sending(exchange, answers, reader)
        self.asked: Asked | None = None
        """The command that has no answer yet."""
        self.bound: Bound | None = None
        self.trial: Trial | None = None
        """A text that the server is asked to parse before anybody is asked about it."""
        self.gone = False
        """The client has said that it leaves."""

    # Messages.

    def turn(self, data: bytes, end: int, out: list[Event]) -> bool:
        """A Bind up to `end` and what executes it, as drivers send them in one piece; False where `data` is not that."""
        described = EXECUTIONS.get(data[end:])
        if described is None:
            return False
        bind = messages.read_bind(data, 5, end)
        statement = self._exchange.names.prepared.get(bind.statement)
        if bind.portal or statement is None:
            return False
        portal = Portal(statement, bind)
        portal.described = described
        self._ask(statement, [data], out, portal=portal, bound=True, whole=True)
        return True

    def query(self, raw: bytes, out: list[Event]) -> None:
        statement = self._reader.statement(messages.read_query(raw, 5, len(raw)))
        if not statement.traits.plain and statement.traits.unread and self._try(statement, raw, out):
            return
        self._ask(statement, [raw], out)

    def flush(self, raw: bytes, out: list[Event]) -> None:
        del out
        messages.Body(raw, 5).end()
        if not self._exchange.copying_in:
            self.sending.stream(raw)

    def end_copy(self, raw: bytes, out: list[Event]) -> None:
        """CopyDone, CopyFail; dropped where nothing is copied."""
        del out
        if self._exchange.copying_in:
            self._exchange.copying_in = False
            self.sending.stream(raw)

    def leave(self, raw: bytes, out: list[Event]) -> None:
        self.gone = True
        self.sending.stream(raw)
        self.sending.flush(out)
        out.append(Hangup("the client left"))

    def parse(self, raw: bytes, out: list[Event]) -> None:
        parse = messages.read_parse(raw, 5, len(raw))
        if self._too_many(parse.name, out, weight=len(parse.query)):
            return
        statement = self._reader.statement(parse.query, parse.types)
        self._exchange.names.prepare(self.sending.number, parse.name, statement)
        reply = self.sending.expect(Kind.PARSE, raw)
        reply.statement = statement
        if statement.traits.unread:
            self.sending.stream(messages.FLUSH)
            self.sending.flush(out)
            self.trial = Trial(reply)

    def _too_many(self, name: bytes, out: list[Event], *, weight: int = 0) -> bool:
        names = self._exchange.names
        if len(name) > LONGEST_NAME:
            refusal = refusals.name_too_long(LONGEST_NAME)
        elif name and len(names) >= self._exchange.limits.statements:
            refusal = refusals.too_many_names(len(names))
        elif name and weight > _HEAVY and names.weight + weight > _TEXTS * self._limit:
            refusal = refusals.too_heavy(_TEXTS * self._limit)
        else:
            return False
        self.refuse_batch(refusal, out)
        return True

    def bind(self, raw: bytes, out: list[Event]) -> None:
        bind = messages.read_bind(raw, 5, len(raw))
        if self._too_many(bind.portal, out):
            return
        statement = self._exchange.names.prepared.get(bind.statement)
        if statement is None:
            statement = self._reader.unknown(f"-- unknown prepared statement {_shown(bind.statement)}")
        portal = Portal(statement, bind)
        self.bound = Bound(portal, bind.portal, raw)

    def describe(self, raw: bytes, out: list[Event]) -> None:
        del out
        kind, name = messages.read_target(raw, 5, len(raw))
        names = self._exchange.names
        if kind == _STATEMENT:
            self.sending.expect(Kind.DESCRIBE, raw).statement = names.prepared.get(name)
        elif self.bound is not None:
            self.bound.raw.append(raw)
        else:
            portal = names.portals.get(name)
            if portal is not None:
                portal.described = True
            self.sending.expect(Kind.DESCRIBE_PORTAL, raw).portal = portal

    def close(self, raw: bytes, out: list[Event]) -> None:
        del out
        kind, name = messages.read_target(raw, 5, len(raw))
        if kind == _STATEMENT:
            self._exchange.names.close(self.sending.number, name)
        else:
            self._exchange.names.close_portal(self.sending.number, name)
        self.sending.expect(Kind.CLOSE, raw)

    def execute(self, raw: bytes, out: list[Event]) -> None:
        if self.bound is not None:
            self.bound.raw.append(raw)
            self.ask_bound(out, executes=True)
            return
        name = messages.read_execute(raw, 5, len(raw))
        portal = self._exchange.names.portals.get(name)
        if portal is not None and (portal.suspended or portal.permitted):
            self.sending.run(portal, name, raw)
            return
        if portal is None:
            cursor = self._exchange.names.cursors.get(name)
            statement = cursor or self._reader.unknown(f"-- unknown portal {_shown(name)}")
            portal = Portal(statement, Bind(name, b"", (), (), ()))
        else:
            portal = Portal(portal.statement, portal.bind)
        self._ask(portal.statement, [raw], out, portal=portal, name=name)

    # Asking.

    def ask_bound(self, out: list[Event], *, executes: bool = False) -> None:
        bound, self.bound = self.bound, None
        assert bound is not None
        self._ask(
            bound.portal.statement,
            bound.raw,
            out,
            portal=bound.portal,
            name=bound.name,
            bound=True,
            executes=executes,
        )

    def _ask(
        self,
        statement: Statement,
        raw: list[bytes],
        out: list[Event],
        *,
        portal: Portal | None = None,
        name: bytes = b"",
        bound: bool = False,
        executes: bool = True,
        whole: bool = False,
        report: bytes = b"",
    ) -> None:
        judged, named = self._reader.judged(statement)
        command = Command(
            id=self._next_id(),
            text=judged.text,
            parameters=() if portal is None else shown(portal.bind, portal.statement.types),
            facts=judged.facts,
            exact=self._reader.exact(statement, named, portal),
            around=self._reader.namespace,
        )
        self.asked = Asked(
            command,
            judged,
            raw,
            portal=portal,
            name=name,
            bound=bound,
            executes=executes,
            whole=whole,
            report=report,
        )
        out.append(CommandAsked(command))

    def refuse_batch(self, refusal: bytes, out: list[Event]) -> None:
        self.bound = None
        self.sending.refuse_batch(refusal, out)

    # What nobody here can read.

    def _try(self, statement: Statement, raw: bytes, out: list[Event]) -> bool:
        """Have the server parse a simple query that may be no SQL; False where that could change what it would do.

        Inside a transaction the server's refusal must be the one that the query itself would get: not so of several
        statements, which a Parse does not take. Within a batch, the Sync behind the Parse would cut it in two.
        """
        exchange = self._exchange
        several = b";" in statement.query.rstrip(b"; \t\r\n")
        if exchange.begun or (several and exchange.status == IN_TRANSACTION):
            return False
        if len(statement.query) > LARGEST:
            return False
        reply = self.sending.parse_only(statement.query, out)
        self.trial = Trial(reply, statement=statement, raw=raw, several=several)
        return True

    def tried(self, out: list[Event]) -> None:
        """Go on with what the server was asked to parse, once it has answered."""
        trial = self.trial
        if trial is None or self._exchange.waiting or trial.reply in self._exchange.expected:
            return
        self.trial = None
        statement = trial.statement
        if statement is None:
            return
        report = trial.refusal()
        self._ask(refused(statement) if report else statement, [trial.raw], out, report=report)

    # What comes of it.

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask, out: list[Event]) -> bool:
        """The verdict on the command that is asked about; False for any other: it comes too late."""
        asked = self.asked
        if asked is None or asked.command.id != command_id:
            return False
        self.asked = None
        match verdict:
            case Allow():
                self.sending.release(asked, None if mask.empty else mask, out)
            case Block():
                self.sending.refuse(asked, refusals.blocked(verdict, asked.command.facts), out)
            case _:
                assert_never(verdict)
        return True

    def notice(self, command_id: str, words: str, out: list[Event]) -> None:
        """A command is held, and its client told so."""
        if self.asked is not None and self.asked.command.id == command_id:
            self.sending.rest(out)
            self._answers.say(messages.notice(words, detail=refusals.unread(self.asked.command.facts)), out)

    def cancel(self, out: list[Event]) -> bool:
        """Take the waiting command back, if one waits."""
        asked, self.asked = self.asked, None
        if asked is None:
            return False
        out.append(CommandWithdrawn(asked.command.id))
        self.sending.refuse(asked, refusals.CANCELLED, out)
        return True

    def discard(self, out: list[Event]) -> None:
        """The server skips what is left of the batch: nothing of it is asked any more."""
        self.bound = None
        if self.asked is not None:
            out.append(CommandWithdrawn(self.asked.command.id))
            self.asked = None


def _shown(name: bytes) -> str:
    return ascii(name.decode("utf-8", "backslashreplace"))
