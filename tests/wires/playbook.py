"""Both sides of a PostgreSQL session, scripted: what the client and the server say, and what the wire makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gateway.facts.postgres import read, read_each
from gateway.model import Allow, Block, Command
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.wire import PostgresWire
from gateway.wire import CommandAsked, Event, Limits, Login, Mask, Opening, Send, Side
from tests.wires.masks import NOTHING
from tests.wires.pump import SESSION

ALLOW = Allow(rules=("test",))
BLOCK = Block(rules=("never",), message="Not through here.")
KEY = (4711).to_bytes(4, "big") + b"real"
AUTH_OK = messages.AUTHENTICATION_OK
STATUS = {"standard_conforming_strings": "on", "client_encoding": "UTF8", "server_version": "18.4"}


def counting() -> Callable[[int], bytes]:
    """Bytes that no two calls share, and that every run repeats."""
    numbers: Iterator[int] = iter(range(1, 1_000_000))
    return lambda size: next(numbers).to_bytes(4, "big").rjust(size, b"\xaa")[-size:]


def opening(**changes: object) -> Opening:
    base = Opening(random=counting(), client_trusted_path=True, upstream_tls="disable")
    return replace(base, **changes)  # type: ignore[arg-type]


class BlankRows:
    """Masks rows by blanking one word; enough to see where masking happens."""

    def __init__(self, word: bytes) -> None:
        self.word = word
        self.masked: dict[str, int] = {}
        self.kept = b""
        self.idle = False

    def rows(self, data: bytes, encoding: str = "UTF8") -> bytes:
        hits = data.count(self.word)
        if hits:
            self.masked["word"] = self.masked.get("word", 0) + hits
            return data.replace(self.word, b"*" * len(self.word))
        return data

    data = rows

    def end(self) -> bytes:
        return b""


def make_wire(start: Opening) -> PostgresWire:
    return PostgresWire(
        start,
        read=read,
        read_each=read_each,
        plan_rows=lambda _description, _facts, _mask: BlankRows(b"secret"),
        plan_copy=lambda _response, _text, _facts, _mask, **_more: BlankRows(b"secret"),
    )


def startup(version: int = messages.PROTOCOL_3_0, **parameters: str) -> bytes:
    pairs = "".join(f"{name}\0{value}\0" for name, value in parameters.items()).encode()
    body = version.to_bytes(4, "big") + pairs + b"\0"
    return (len(body) + 4).to_bytes(4, "big") + body


def server_hello(status: Mapping[str, str] = STATUS) -> bytes:
    reported = b"".join(messages.parameter_status(name, value) for name, value in status.items())
    return AUTH_OK + reported + messages.frame(b"K", KEY) + ready()


def ready(status: str = "I") -> bytes:
    return messages.ready(ord(status))


def query(text: str) -> bytes:
    return messages.query(text.encode())


def parse(text: str, name: str = "") -> bytes:
    return messages.parse(name.encode(), text.encode())


def bind(
    *values: bytes | None, portal: str = "", statement: str = "", formats: tuple[int, ...] = ()
) -> bytes:
    body = b"".join(
        b"\xff\xff\xff\xff" if value is None else len(value).to_bytes(4, "big") + value for value in values
    )
    return messages.frame(
        b"B",
        portal.encode() + b"\0" + statement.encode() + b"\0",
        len(formats).to_bytes(2, "big") + b"".join(code.to_bytes(2, "big") for code in formats),
        len(values).to_bytes(2, "big") + body,
        b"\0\0",
    )


def execute(portal: str = "", rows: int = 0) -> bytes:
    return messages.frame(b"E", portal.encode() + b"\0", rows.to_bytes(4, "big"))


def describe(kind: str, name: str = "") -> bytes:
    return messages.frame(b"D", kind.encode() + name.encode() + b"\0")


def close(kind: str, name: str = "") -> bytes:
    return messages.frame(b"C", kind.encode() + name.encode() + b"\0")


def row_description(*names: str, oid: int = 25, written: int = 0) -> bytes:
    columns = b"".join(
        name.encode()
        + b"\0"
        + bytes(6)
        + oid.to_bytes(4, "big")
        + b"\xff\xff"
        + b"\xff" * 4
        + written.to_bytes(2, "big")
        for name in names
    )
    return messages.frame(b"T", len(names).to_bytes(2, "big"), columns)


def row(*values: str) -> bytes:
    cells = [value.encode() for value in values]
    return messages.frame(
        b"D", len(cells).to_bytes(2, "big"), *(len(cell).to_bytes(4, "big") + cell for cell in cells)
    )


def done(tag: str) -> bytes:
    return messages.frame(b"C", tag.encode() + b"\0")


def copy_response(tag: str) -> bytes:
    return messages.frame(tag.encode(), b"\0\0\1\0\0")


SYNC, FLUSH, TERMINATE = messages.SYNC, messages.FLUSH, messages.TERMINATE
PARSED, BOUND, CLOSED = (messages.frame(tag) for tag in (b"1", b"2", b"3"))
NO_DATA, SUSPENDED, COPIED = (messages.frame(tag) for tag in (b"n", b"s", b"c"))


@dataclass
class Play:
    """An admitted session. `client` and `server` say something and give the events; `judge` answers what is asked."""

    wire: PostgresWire
    judge: Callable[[Command], Allow | Block | None] = lambda _command: ALLOW
    mask: Mask = NOTHING
    to_client: bytes = b""
    to_server: bytes = b""
    asked: list[Command] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def client(self, data: bytes) -> list[Event]:
        return self._step(list(self.wire.receive(Side.CLIENT, data)))

    def server(self, data: bytes) -> list[Event]:
        return self._step(list(self.wire.receive(Side.UPSTREAM, data)))

    def answer(self, verdict: Allow | Block) -> list[Event]:
        return self._step(list(self.wire.answer(self.asked[-1].id, verdict, self.mask)))

    def cancel(self) -> list[Event]:
        return self._step(list(self.wire.cancel()))

    def _step(self, queue: list[Event]) -> list[Event]:
        seen: list[Event] = []
        while queue:
            event = queue.pop(0)
            seen.append(event)
            match event:
                case Send(Side.CLIENT, data):
                    self.to_client += data
                case Send(_, data):
                    self.to_server += data
                case CommandAsked(command):
                    self.asked.append(command)
                    verdict = self.judge(command)
                    if verdict is not None:
                        queue[:0] = self.wire.answer(command.id, verdict, self.mask)
                case _:
                    pass
        self.events += seen
        return seen

    def said_to_client(self) -> bytes:
        """What the client has got since this was last asked."""
        said, self.to_client = self.to_client, b""
        return said

    def said_to_server(self) -> bytes:
        said, self.to_server = self.to_server, b""
        return said

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def play(
    judge: Callable[[Command], Allow | Block | None] = lambda _command: ALLOW,
    *,
    mask: Mask = NOTHING,
    limits: Limits | None = None,
    status: Mapping[str, str] = STATUS,
    version: int = messages.PROTOCOL_3_0,
    **parameters: str,
) -> Play:
    """A session that is in: the client's start-up, its token, and the server's greeting have passed."""
    made = Play(make_wire(opening(limits=limits or Limits())), judge=judge, mask=mask)
    made.client(startup(version, user="alice", database="shop", **parameters))
    made._step(list(made.wire.challenge(None)))
    made.client(messages.password(b"token\0"))
    made._step(list(made.wire.admit(SESSION, Login(user="gateway", database="shop", application="cs-1"))))
    made.server(server_hello(status))
    made.said_to_client()
    made.said_to_server()
    made.events.clear()
    return made


def tags(data: bytes) -> str:
    """The tags of whole messages: `1 2 D C Z` as `12DCZ`."""
    found, pos = "", 0
    while pos < len(data):
        found += chr(data[pos])
        pos += 1 + int.from_bytes(data[pos + 1 : pos + 5], "big")
    assert pos == len(data), "the data ends inside a message"
    return found


def fields(data: bytes) -> dict[str, str]:
    """Of the first ErrorResponse or NoticeResponse in `data`."""
    pos = 0
    while data[pos : pos + 1] not in {b"E", b"N"}:
        pos += 1 + int.from_bytes(data[pos + 1 : pos + 5], "big")
    end = pos + 1 + int.from_bytes(data[pos + 1 : pos + 5], "big")
    return {
        letter.decode(): value.decode() for letter, value in messages.read_fields(data, pos + 5, end).items()
    }
