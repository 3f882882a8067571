"""Masking of text that arrives in pieces: whatever the cuts, what comes out is what masking it whole would give.

What cannot be part of something sensitive any more is given out at once, so that a line appears when it is
ended and a prompt when it is written. Kept back is the tail that might go on: the last run of characters that
values are made of, digits in groups, the password of an unfinished URL, and a value whose end has not come.
"""

from __future__ import annotations

import re
from itertools import zip_longest

from gateway.masking.colours import ESCAPE, Plain
from gateway.masking.credentials import LONGEST_KEY
from gateway.masking.detectors import READ, expand
from gateway.masking.engine import CompiledMask
from gateway.masking.lines import may_go_on
from gateway.masking.passages import passages
from gateway.masking.scanner import Hit
from gateway.masking.tails import LONGEST_TAIL, Tails, unended

_CONTEXT = LONGEST_TAIL
"""Bytes already given out that a candidate, or a check, may still have to see."""
_LONGEST_HIT = 2 * LONGEST_KEY
"""More than any hit's length: what is longer is decided without waiting for its end."""
_LITTLE = 4 * 1024
"""Bytes kept back that may be searched again with every byte that comes."""
_WORTH = 16
"""How many bytes more than that may be searched again for each byte that comes."""
_ADVANCE = 1024 * 1024
_ARMOUR_END = 64
_PERSONAL = frozenset(expand(("personal", "ip")))
"""Detectors of values that show where they end before anything follows."""

_ARMOUR_ENDED = re.compile(rb"-{3,5} ?END [A-Z0-9 ]{0,40}-{1,5}(?:\\r)?(?:\\n)?\Z")
_MAY_BE_LAST = re.compile(rb"(?:\\(?:r(?:\\n?)?|n\\?)?)?\Z")
"""The escaped end of the last line of an armour, which is hidden with it where a quote follows."""
_PASSAGE_ENDS = re.compile(rb"[\0\r\n]")
_MAY_BE_DOUBLED = re.compile(rb"''?\Z")
"""A quote of SQL or YAML, which may stand within the value: `'it''s'`."""
_PASSWORD_FOLLOWS = re.compile(rb":[\"']?|[ \t]?[/|][ \t]?|[ \t]\Z")
_TOKEN_ENDS = re.compile(rb"[^A-Za-z0-9._~+/=%:-]")
_VALUE_ENDS = re.compile(rb"[\s\0\"'<>;`]")
_LINE_ENDS = re.compile(rb"[\r\n\0\"']")


_WORD = rb"(?:[A-Z]?[a-z\x80-\xff]{0,12}|[0-9])"
_PAUSED = re.compile(
    rb"[(\[{<~*!'.-]{0,4}(?:%s(?:[/'-]%s){0,2}|[A-Z]{1,6}|[0-9]{1,3})[$#%%?!.,*|)\]}>~-]{0,8}"
    % (_WORD, _WORD)
)
"""How prompts end: `Continue?`, `[y/N]`, `~]$`, `Press ENTER`, `50%`, `Working...`."""
_MORE = (b"2", b"2kQ7x9Zp", b"2kQ7x9Zp4Rt8Vb3Nc6Ws1Yd5Gh0Jf8Ka2Se4Tm7L")
"""What might come of a secret whose beginning was given out."""


class StreamMask:
    """One stream of bytes in UTF-8, or in anything else that contains ASCII."""

    def __init__(self, mask: CompiledMask) -> None:
        self.hits: list[Hit] = []
        """Every hit so far, in offsets of the whole stream. Callers may empty it."""
        self._mask = mask
        self._tails = Tails(mask.detectors)
        self._window = b""
        self._base = 0
        self._given = 0
        """Up to where the window has been given out."""
        self._passage = 0
        """Where the first passage begins that a model has not read to its end, if one reads."""
        self._free = 0
        """From where on a hit may begin: the end of the last one."""
        self._credit = _ADVANCE

    @property
    def pending(self) -> int:
        """Bytes kept back."""
        return len(self._window) - self._given

    def feed(self, data: bytes) -> bytes:
        """What may be given out now that `data` has come."""
        if self._mask.empty:
            return data
        self._window += data
        if not self._worth_searching(len(data)):
            return b""
        if ESCAPE not in self._window:
            return self._give(self._hold(self._window, self._given, self._passage))
        plain = Plain(self._window, begun=True)
        held = self._hold(plain.data, plain.place(self._given), plain.place(self._passage))
        return self._give(plain.original(held))

    def _worth_searching(self, new: int) -> bool:
        """Whether that much more is enough to look again at what is kept back.

        A value that does not end would be searched from its beginning with each of its pieces, however small they are.
        """
        self._credit = min(_ADVANCE, self._credit + new * _WORTH)
        kept = self.pending - new
        if kept <= _LITTLE:
            return True
        if kept > self._credit:
            return False
        self._credit -= kept
        return True

    def close(self) -> bytes:
        """The rest, at the end of the text."""
        return self._give(len(self._window), closing=True)

    def flush(self) -> bytes:
        """For a stream that has gone quiet, as a terminal does that waits for its user: all but a secret that has begun.

        Personal data at the end is hidden as far as it has come. What was given out so cannot be hidden any more,
        should it turn out to have been the first part of something.
        """
        return self._give(len(self._window), whole=_PERSONAL)

    def pause(self) -> bytes:
        """For a stream that has been quiet for a moment: the word or the signs that a prompt ends with.

        Kept back is still all that does not look like a word, what stands between quotes that are open, and what would be
        the beginning of something sensitive if more came. Of what goes on all the same the rest is hidden.
        """
        window, given = self._window, self._given
        if self._mask.reads or _PAUSED.fullmatch(window, given) is None:
            return b""
        if unended(window):
            return b""
        begun = window[max(0, given - _CONTEXT) :]
        for more in _MORE:
            for start, end, _ in self._mask.find_from(begun + more, 0):
                if start < len(begun) < end:
                    return b""
        return self._give(len(window))

    def _give(self, upto: int, *, closing: bool = False, whole: frozenset[str] = frozenset()) -> bytes:
        window = self._window
        out: list[bytes] = []
        at = self._given
        read = (self._passage, upto)
        hits = self._mask.find_from(window, max(self._free, at - _CONTEXT), read)
        for (start, end, name), following in zip_longest(hits, hits[1:]):
            if end <= at:
                continue
            ended = closing or name in whole or (end <= upto and _settled(window, start, end, name))
            if ended and not closing and _leads(window, end, following, upto):
                ended = False
            if start >= upto or not ended:
                upto = min(upto, max(start, at))
                break
            # What `flush` gave out of it cannot be taken back: the rest gets as many stars, and the text stays as long as it was.
            hidden = self._mask.stand_in(window, start, end, name) if start >= at else b"*" * (end - at)
            out += window[at : max(start, at)], hidden
            self.hits.append((self._base + start, self._base + end, name))
            at = self._free = end
        if upto > at:
            out.append(window[at:upto])
            at = upto
        self._given = at
        if self._mask.reads:
            self._read_on()
        self._trim()
        return b"".join(out)

    def _read_on(self) -> None:
        """Behind a passage that was given out whole; what `flush` gave out of one is one."""
        for _, end, whole in passages(self._window, self._passage):
            behind = end + (whole and _PASSAGE_ENDS.match(self._window, end) is not None)
            if behind > self._given and not (end == self._given == len(self._window)):
                break
            self._passage = behind

    def _trim(self) -> None:
        cut = self._given - _CONTEXT
        if cut > 0:
            self._window = self._window[cut:]
            self._base += cut
            self._given -= cut
            self._free = max(0, self._free - cut)
            self._passage = max(0, self._passage - cut)

    def _hold(self, window: bytes, given: int, passage: int) -> int:
        """Where the tail begins that may yet become, or be a part of, something sensitive."""
        start = self._tails.begin(window, given)
        if self._mask.reads:
            for begin, _, whole in passages(window, passage):
                if not whole:
                    start = min(start, max(given, begin))
        return start


def _leads(window: bytes, end: int, following: Hit | None, upto: int) -> bool:
    """Whether the hit that ends there goes before a password that cannot be given out yet.

    What led to the password is looked for again only from the last hit on, and stands before the address.
    """
    between = _PASSWORD_FOLLOWS.match(window, end)
    if following is None or between is None:
        return False
    start, finish, name = following
    close = name == "password" and start <= between.end() + 1
    return close and (finish > upto or not _settled(window, start, finish, name))


def _settled(window: bytes, start: int, end: int, name: str) -> bool:
    """Whether bytes still to come cannot change this hit."""
    if len(window) - start > _LONGEST_HIT or name in READ:
        return True
    match name:
        case "private_key":
            ended = _ARMOUR_ENDED.search(window, max(start, end - _ARMOUR_END), end) is not None
            return _MAY_BE_LAST.match(window, end) is None if ended else len(window) - end >= _ARMOUR_END
        case "auth_header" | "cookie":
            return _LINE_ENDS.search(window, end) is not None
        case "email" if follows := _PASSWORD_FOLLOWS.match(window, end):
            # a password may follow, known by what led to the address
            value = follows.end()
            return _VALUE_ENDS.search(window, value) is not None and not _MAY_BE_DOUBLED.match(window, end)
        case "bearer":  # a dot or a colon at its end is its own if more of it follows
            return _TOKEN_ENDS.search(window, end) is not None
        case "password":
            return _VALUE_ENDS.search(window, end) is not None and not may_go_on(window, start, end)
        case _:
            return end < len(window)
