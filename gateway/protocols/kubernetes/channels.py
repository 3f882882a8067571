"""What goes through an exec that is under way: WebSocket messages, each for one of its channels.

Toward the cluster go input and the size of a terminal, as they come. Output and errors are masked as texts that stream, each on
its own; what ended the command is read for the record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.protocols.http.framing import Malformed
from gateway.protocols.http.scrubbing import Scrub
from gateway.protocols.http.websocket import BINARY, CLOSE, CONTINUED, PING, PONG, TEXT, frame, take_frame
from gateway.wire import AnswerWithheld, Limits, Mask, MaskedStream

INPUT, OUTPUT, ERRORS, STATUS, SIZE, CLOSED = 0, 1, 2, 3, 4, 255
PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_ASKING: Final = frozenset({INPUT, SIZE, CLOSED})
_ANSWERING: Final = frozenset({OUTPUT, ERRORS, STATUS, CLOSED})


def refused(message: str) -> bytes:
    """The sentence among the errors, and the end of a command that could not be run (126, as shells have it)."""
    status = {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": "126"}]},
    }
    return b"".join(
        (
            frame(BINARY, bytes((ERRORS,)) + f"{message}\n".encode()),
            frame(BINARY, bytes((STATUS,)) + json.dumps(status).encode()),
            frame(CLOSE, (1000).to_bytes(2)),
        )
    )


class _Text:
    """One of the two that are shown."""

    def __init__(self, mask: Mask, secrets: Sequence[bytes]) -> None:
        self._scrub = Scrub(secrets)
        self._stream: MaskedStream | None = mask.stream() if mask.detects else None

    def feed(self, data: bytes) -> bytes:
        data = self._scrub.feed(data)
        return data if self._stream is None else self._stream.feed(data) + self._stream.flush()

    def close(self) -> bytes:
        data = self._scrub.close()
        return data if self._stream is None else self._stream.feed(data) + self._stream.close()

    def settle(self, counts: dict[str, int]) -> None:
        if self._stream is not None:
            for _, _, name in self._stream.hits:
                counts[name] = counts.get(name, 0) + 1
            self._stream.hits.clear()


class Channels:
    """One exec, from the answer that begins it."""

    def __init__(self, mask: Mask, secrets: Sequence[bytes], limits: Limits) -> None:
        self._limits = limits
        self._mask, self._secrets = mask, secrets
        self._texts = self._begun()
        self._scrub = Scrub(secrets)
        self._counts: dict[str, int] = {}
        self._asked_more = False
        """The client's message goes on."""
        self._message: bytearray | None = None
        """The cluster's message, as far as it has come."""
        self.done = False
        self.outcome = "ended without a status"
        self.failed = True

    @property
    def masked(self) -> Mapping[str, int]:
        self._settle()
        return self._counts

    def _settle(self) -> None:
        for text in self._texts.values():
            text.settle(self._counts)

    def _begun(self) -> Mapping[int, _Text]:
        return {channel: _Text(self._mask, self._secrets) for channel in (OUTPUT, ERRORS)}

    def ended(self, message: str) -> bytes:
        return refused(message)

    def from_client(self, inbox: bytearray) -> bytes:
        """What goes on to the cluster. Raises `Malformed`."""
        out: list[bytes] = []
        while (got := take_frame(inbox, masked=True, longest=self._limits.pipelined_bytes)) is not None:
            if got.kind in {BINARY, TEXT, CONTINUED}:
                if (got.kind == CONTINUED) is not self._asked_more:
                    raise Malformed("a message begins amid another")
                if got.kind != CONTINUED and got.data[:1] and got.data[0] not in _ASKING:
                    raise Malformed("a message is for no channel of a client's")
                self._asked_more = not got.ends
            out.append(got.raw)
        return b"".join(out)

    def from_target(self, inbox: bytearray) -> bytes:
        """What the client gets. Raises `Malformed` and `AnswerWithheld`."""
        out: list[bytes] = []
        while (
            not self.done
            and (got := take_frame(inbox, masked=False, longest=self._limits.row_bytes)) is not None
        ):
            if got.kind == CLOSE:
                out += [*self._rest(), got.raw]
                self.done = True
            elif got.kind in {PING, PONG}:
                out.append(got.raw)
            elif got.kind not in {BINARY, CONTINUED} or (got.kind == CONTINUED) is (self._message is None):
                raise Malformed("a message is no binary one, or begins amid another")
            else:
                message = self._message if self._message is not None else bytearray()
                message += got.data
                if len(message) > self._limits.row_bytes:
                    raise Malformed("a message is longer than it may be")
                self._message = None if got.ends else message
                if got.ends:
                    out += self._shown(bytes(message))
        return b"".join(out)

    def _shown(self, message: bytes) -> list[bytes]:
        channel, data = message[:1], message[1:]
        if not channel or channel[0] not in _ANSWERING:
            raise Malformed("a message is of no channel of a cluster's")
        if not data:
            return [frame(BINARY, message)]  # a server says so which channels there are
        if channel[0] == STATUS:
            self._ended(data)
            return [*self._rest(), frame(BINARY, channel + self._scrub.value(data))]
        text = self._texts.get(channel[0])
        if text is None:
            return [frame(BINARY, message)]
        try:
            shown = text.feed(data)
        except Exception as error:  # noqa: BLE001  # a mask runs the patterns of a policy over the data of strangers
            raise AnswerWithheld(error) from None
        return [frame(BINARY, channel + shown)] if shown else []

    def _rest(self) -> list[bytes]:
        """What was kept of texts that end."""
        try:
            rests = [(channel, text.close()) for channel, text in self._texts.items()]
        except Exception as error:  # noqa: BLE001  # as above
            raise AnswerWithheld(error) from None
        self._settle()
        self._texts = self._begun()
        return [frame(BINARY, bytes((channel,)) + rest) for channel, rest in rests if rest]

    def _ended(self, data: bytes) -> None:
        try:
            status = json.loads(data)
            causes = (status.get("details") or {}).get("causes") or []
            code = next((each["message"] for each in causes if each.get("reason") == "ExitCode"), "")
        except (ValueError, AttributeError, KeyError, TypeError):
            return
        self.failed = status.get("status") != "Success"
        self.outcome = f"exit {code}"[:20] if code else str(status.get("reason") or status.get("status"))[:60]
