"""One answer on its way to the client: the gateway's credential taken out, and what the masks hide hidden.

Codings are undone, what there is of names is read by what the body is, and everything that need not change stays as it was
to the byte. What cannot be read cannot be masked: it raises `AnswerWithheld`, and nothing more of it may be passed on.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from gateway.masking.decoding import Decoder
from gateway.protocols.http import masked_headers
from gateway.protocols.http.charsets import MARKED, Recoding, charset
from gateway.protocols.http.codings import codings
from gateway.protocols.http.event_stream import Events
from gateway.protocols.http.headed import Headed
from gateway.protocols.http.json_text import JsonText, JsonUnreadable
from gateway.protocols.http.media import LOOKED_AT, Kind, kind_of, says_text, wrapping
from gateway.protocols.http.naming import Names
from gateway.protocols.http.scrubbing import Scrub
from gateway.protocols.http.table import TableText, heads_a_table
from gateway.protocols.http.text_lines import Lines
from gateway.protocols.http.texts import EscapedTexts, Texts
from gateway.wire import AnswerWithheld, Limits, Mask, MaskedStream

_LONGEST_ESCAPED = 256 * 1024
"""Bytes of a text that are kept so that what it says is searched, where no rule names anything."""
_WORDS = re.compile(rb"\s*\[?[A-Za-z ]{1,40}\]?\s*")
"""What ends a stream of events, `[DONE]`."""


@contextlib.contextmanager
def _withholding() -> Iterator[None]:
    """Whatever goes wrong while an answer is masked, nothing more of it is passed on."""
    try:
        yield
    except AnswerWithheld:
        raise
    except Exception as error:  # noqa: BLE001  # a mask runs the patterns of a policy over the data of strangers
        raise AnswerWithheld(error) from None


class NamesUnread(Exception):
    """A rule names something, and what the body calls things cannot be read."""


class PartOfBody(Exception):
    """A part of a body, of which nobody can tell what it is a part of."""


class _Stage(Protocol):
    """Reads what a body is made of."""

    @property
    def between(self) -> bool:
        """Whether all that has come is given out."""

    def feed(self, data: bytes) -> bytes: ...

    def close(self) -> bytes: ...


class BodyMask:
    """Raises `AnswerWithheld`, from its constructor on."""

    def __init__(
        self,
        *,
        mask: Mask,
        names: Names,
        status: int,
        headers: Sequence[tuple[bytes, bytes]],
        secrets: Sequence[bytes],
        limits: Limits,
        head: bool = False,
    ) -> None:
        """`names`: what rules name in the body. `head`: no body follows, whatever the headers say."""
        self._scrub = Scrub(secrets)
        self._mask = mask
        self._counts: dict[str, int] = {}
        with _withholding():
            self.headers = masked_headers.masked(headers, mask, self._scrub.value, self._counts)
            """What the client gets. Where a Content-Length is among them, as many bytes come out."""
        applied = codings(headers)
        self._decoder: Decoder | None = None
        self._body: _MaskedBody | None = None
        if mask.empty and (self._scrub.idle or not applied):
            return
        if head and mask.empty:
            return
        self.headers = masked_headers.without_measures(self.headers)
        if head:
            return
        if status == 206:
            raise AnswerWithheld(PartOfBody())
        with _withholding():
            self._decoder = Decoder(applied)
            if not mask.empty:
                self._body = _MaskedBody(mask, names, headers, self._scrub, limits, self._counts)

    @property
    def masked(self) -> Mapping[str, int]:
        """Rule or detector -> how many values it has hidden so far."""
        if self._body is not None:
            self._body.settle()
        return self._counts

    def receive(self, data: bytes) -> bytes:
        """What may be given out now that `data` of the body has come."""
        with _withholding():
            return b"".join(self._shown(data))

    def _shown(self, data: bytes) -> Iterator[bytes]:
        for piece in self._decoder.feed(data) if self._decoder is not None else (data,):
            scrubbed = self._scrub.feed(piece)
            yield self._body.feed(scrubbed) if self._body is not None else scrubbed
        if self._body is not None:
            yield self._body.rest_now()

    def finish(self) -> bytes:
        """The rest, at the end of the body."""
        with _withholding():
            if self._decoder is not None:
                self._decoder.close()
            rest = self._scrub.close()
            return rest if self._body is None else self._body.feed(rest) + self._body.close()


class _MaskedBody:
    """A body whose codings are undone."""

    def __init__(
        self,
        mask: Mask,
        names: Names,
        headers: Sequence[tuple[bytes, bytes]],
        scrub: Scrub,
        limits: Limits,
        counts: dict[str, int],
    ) -> None:
        self._mask = mask
        self._names = names
        self._headed = Headed(names)
        self._longest = limits.row_bytes
        self._counts = counts
        self._texts = Texts(mask, scrub.value)
        said = next((value for name, value in headers if name.lower() == b"content-type"), b"").decode(
            "latin-1"
        )
        self._declared = said.partition(";")[0].strip().lower()
        named = re.search(r";\s*charset\s*=\s*(\"[^\"]*\"|[^\s;]*)", said, re.IGNORECASE)
        self._charset = named[1] if named else ""
        self._first = b""
        self._recoding: Recoding | None = None
        self._begun = False
        self._begins = b""
        self._decided = False
        self._stage: _Stage | None = None
        self._stream: MaskedStream | None = None
        self._raw: MaskedStream | None = None
        """Over what is given out, where the encoding may be a lie."""

    def feed(self, data: bytes) -> bytes:
        if not self._begun:
            self._first += data
            if len(self._first) < MARKED:
                return b""
            return self._begin(whole=False)
        return self._out(self._text(self._read(data), whole=False))

    def close(self) -> bytes:
        out = b"" if self._begun else self._begin(whole=True)
        if self._recoding is not None:
            out += self._out(self._text(self._recoding.read(b"", final=True), whole=False))
        out += self._out(self._text(b"", whole=True))
        if self._stage is not None:
            out += self._out(self._searched(self._stage.close()))
        if self._stream is not None:
            out += self._out(self._stream.close())
        if self._recoding is not None:
            rest = self._recoding.write(b"", final=True)
            out += rest if self._raw is None else self._raw.feed(rest) + self._raw.close()
        return out

    def rest_now(self) -> bytes:
        """What need not wait for more: an event, or a line of JSON, that is whole."""
        if self._stage is None or self._stream is None or not self._stage.between:
            return b""
        return self._out(self._stream.flush())

    def settle(self) -> None:
        """Bring the counts up to date."""
        for stream in (self._stream, self._raw):
            if stream is not None:
                for _, _, name in stream.hits:
                    self._counts[name] = self._counts.get(name, 0) + 1
                stream.hits.clear()
        for name, count in self._texts.hidden.items():
            self._counts[name] = self._counts.get(name, 0) + count
        self._texts.hidden.clear()

    def _begin(self, *, whole: bool) -> bytes:
        self._begun = True
        first, self._first = self._first, b""
        mark = b""
        if says_text(self._declared):
            name, length = charset(self._charset, first)
            mark, first = first[:length], first[length:]
            if name:
                self._recoding = Recoding(name)
                self._raw = self._mask.stream() if self._mask.detects else None
        return mark + self._out(self._text(self._read(first), whole=whole))

    def _read(self, data: bytes) -> bytes:
        return data if self._recoding is None else self._recoding.read(data)

    def _out(self, data: bytes) -> bytes:
        if self._recoding is None:
            return data
        written = self._recoding.write(data)
        return written if self._raw is None else self._raw.feed(written)

    def _text(self, data: bytes, *, whole: bool) -> bytes:
        if self._decided:
            return self._staged(data)
        self._begins += data
        if self._names.lines:
            begins, self._begins, self._decided = self._begins, b"", True
            self._stage = Lines(self._line, longest=self._longest)
            self._stream = self._mask.stream() if self._mask.detects else None
            return self._staged(begins)
        before = wrapping(self._begins, whole=whole) if self._names.any else 0
        if before is None:
            return b""
        if whole and not self._begins:
            return b""
        kind = Kind.JSON if before else kind_of(self._declared, self._begins, whole=whole)
        if kind is Kind.TEXT and self._names.any and self._declared == "text/plain":
            line, ended, _ = self._begins.partition(b"\n")
            if not ended and not whole and len(line) < LOOKED_AT:
                return b""
            kind = Kind.TABLE if heads_a_table(line.rstrip(b"\r"), self._names) else kind
        if kind is None:
            return b""
        begins, self._begins = self._begins, b""
        self._decided = True
        self._decide(kind, wrapped=before > 0)
        return begins[:before] + self._staged(begins[before:])

    def _decide(self, kind: Kind, *, wrapped: bool) -> None:
        if kind is Kind.MEDIA:
            return
        unread = (
            {Kind.NAMED, Kind.BINARY} if self._names.value is None else {Kind.NAMED, Kind.BINARY, Kind.TEXT}
        )
        if self._names.any and kind in unread:
            raise AnswerWithheld(NamesUnread())
        if kind is Kind.EVENTS:
            self._stage = Events(self._event, longest=self._longest)
        elif self._names.any and kind is Kind.JSON:
            self._stage = JsonText(
                self._names,
                self._mask,
                self._texts,
                longest=self._longest,
                wrapped=wrapped,
                headed=self._headed,
            )
        elif self._names.any and kind is Kind.TABLE:
            self._stage = TableText(self._names, self._mask, self._texts, longest=self._longest)
        elif kind is Kind.JSON:
            self._stage = EscapedTexts(self._texts, longest=_LONGEST_ESCAPED)
        if self._mask.detects and not (self._names.apart and kind is Kind.JSON):
            self._stream = self._mask.stream(binary=kind is Kind.BINARY)

    def _staged(self, data: bytes) -> bytes:
        return self._searched(data if self._stage is None else self._stage.feed(data))

    def _searched(self, data: bytes) -> bytes:
        return data if self._stream is None else self._stream.feed(data)

    def _line(self, data: bytes) -> bytes:
        """What is shown of a line: what stands behind its time and level may be JSON."""
        for sign in (b"{", b"[") if self._names.any else ():
            lead, found, rest = data.partition(sign)
            stage = JsonText(self._names, self._mask, self._texts, longest=self._longest)
            try:
                return lead + stage.feed(found + rest) + stage.close() if found else data
            except JsonUnreadable:
                continue
        texts = EscapedTexts(self._texts, longest=self._longest)
        return texts.feed(data) + texts.close()

    def _event(self, data: bytes) -> bytes:
        """What is shown of an event's data."""
        if not data.lstrip().startswith((b"{", b"[", b'"')) or _WORDS.fullmatch(data):
            return data
        stage: _Stage = (
            JsonText(self._names, self._mask, self._texts, longest=self._longest, headed=self._headed)
            if self._names.any
            else EscapedTexts(self._texts, longest=self._longest)
        )
        shown = stage.feed(data) + stage.close()
        return data if shown == data else shown
