r"""JSON as it comes: what rules name is hidden, and every other byte stays as it was.

Numbers, blanks, the order of members and their doubles are not touched. Texts that write their signs otherwise
(`jane\u0040example.com`) are searched as what they say. Values may follow one another, as in NDJSON. What is no JSON cannot
be hidden by names: it raises `JsonUnreadable`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from gateway.masking.documents import UNREADABLE, hide_paths
from gateway.protocols.http.headed import Headed, holds, tells
from gateway.protocols.http.json_open import HOLDS, NAMED, PASSES, TELLS, Open, bounded, is_harmless
from gateway.protocols.http.json_tokens import BLANKS, ELEMENT, MEMBER, SCALAR, SCALAR_SIGNS
from gateway.protocols.http.naming import Found, Names
from gateway.protocols.http.texts import BODY, ESCAPE_BEGINS, Texts, said
from gateway.wire import Mask

_DEEPEST = 64
_LONGEST_SCALAR = 4_096
_LONGEST_NUMBER = 300
"""Digits of a number that is more than its type to anybody."""
_QUOTE, _PARENTHESIS, _SEMICOLON = b'");'
_CLOSE_SIGN, _COMMA_SIGN = b"}", b","
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY, _COLON, _COMMA = b"{}[]:,"


class JsonUnreadable(Exception):
    """Bytes that are no JSON."""


class JsonText:
    def __init__(
        self,
        names: Names,
        mask: Mask,
        texts: Texts,
        *,
        longest: int,
        wrapped: bool = False,
        headed: Headed | None = None,
    ) -> None:
        """`longest`: bytes of a text that may be kept until it is whole. `wrapped`: a parenthesis may end it (JSONP).

        `headed`: what was told before it, in the same answer.
        """
        self._names = names
        self._mask = mask
        self._texts = texts
        self._headed = headed if headed is not None else Headed(names)
        self._longest = longest
        self._wrapped = wrapped
        self._buffer = bytearray()
        self._at = 0
        self._resume = 0
        """Up to where a text that has not ended has been read."""
        self._done = 0
        self._out: list[bytes] = []
        self._stack: list[Open] = []
        self._expects: Callable[[int, bool], bool] = self._value

    @property
    def between(self) -> bool:
        """Whether all that has come is whole values."""
        return not self._stack and self._at == len(self._buffer)

    def feed(self, data: bytes) -> bytes:
        """What may be given out. Raises `JsonUnreadable`."""
        self._buffer += data
        self._walk(final=False)
        if len(self._buffer) - self._at > self._longest:
            raise JsonUnreadable("a text is longer than may be kept")
        return self._given()

    def close(self) -> bytes:
        self._walk(final=True)
        if not self.between:
            raise JsonUnreadable("it ends before its end")
        return self._given()

    def _given(self) -> bytes:
        self._out.append(bytes(self._buffer[self._done : self._at]))
        out = b"".join(self._out)
        self._out.clear()
        del self._buffer[: self._at]
        self._resume = max(0, self._resume - self._at)
        self._at = self._done = 0
        return out

    def _walk(self, *, final: bool) -> None:
        buffer = self._buffer
        while True:
            blanks = BLANKS.match(buffer, self._at)
            assert blanks is not None
            self._at = blanks.end()
            if self._at == len(buffer) or not self._expects(buffer[self._at], final):
                return

    # Each of these reads one token and says whether there was a whole one.

    def _value(self, sign: int, final: bool) -> bool:  # noqa: FBT001
        if self._wrapped and sign == _PARENTHESIS and not self._stack:
            self._at += 1
            self._expects = self._behind
            return True
        found = self._found()
        if self._stack and self._stack[-1].free and found.strategy is None and self._skip_elements():
            return True
        if sign in {_OPEN_OBJECT, _OPEN_ARRAY}:
            self._at += 1
            if len(self._stack) >= _DEEPEST:
                raise JsonUnreadable("it nests deeper than anything real")
            strategy = found.strategy
            if self._stack and self._stack[-1].strategy is not None:
                strategy = self._stack[-1].strategy
            if sign == _OPEN_OBJECT:
                plain, harmless = self._names.plain(found.place), self._headed.harmless(found.place)
                self._stack.append(Open(_CLOSE_OBJECT, found.place, strategy, plain, harmless))
                self._expects = self._first_name
            else:
                self._stack.append(
                    Open(_CLOSE_ARRAY, found.place, strategy, {}, self._headed.harmless(found.place))
                )
                self._expects = self._first_element
            return True
        start = self._at
        end = self._text_end(final) if sign == _QUOTE else self._scalar_end(final)
        if end < 0:
            return False
        strategy = found.strategy if self._stack else self._names.value
        if self._stack and self._stack[-1].strategy is not None:
            strategy = self._stack[-1].strategy
        if self._stack and strategy is None:
            strategy = self._as_headed(start, end, text=sign == _QUOTE)
        if strategy is not None:
            self._hide(start, end, strategy)
        elif sign == _QUOTE and found.is_document:
            self._hide_document(start, end)
        elif sign == _QUOTE and found.inside:
            self._hide_inside(start, end, found)
        elif sign == _QUOTE:
            self._search(start, end)
        if sign == _QUOTE and found.tells:
            self._names.told(said(bytes(self._buffer[start:end])))
        self._at = end
        self._after()
        return True

    def _as_headed(self, start: int, end: int, *, text: bool) -> str | None:
        """How a leaf is hidden by what is told of its place; a name that it tells is taken down."""
        top = self._stack[-1]
        above = self._stack[-2] if len(self._stack) > 1 else None
        listed = above is not None and above.closes == _CLOSE_ARRAY
        at: int | None
        if top.closes == _CLOSE_ARRAY:
            at, told, held = top.count, text, listed or above is None
        else:
            at = above.count if above is not None and listed else None
            told, held = text and tells(top.name), holds(top.name)
        strategy = self._headed.hidden(at) if held and self._headed.any else None
        if strategy is not None:
            return strategy
        if told:
            token = bytes(self._buffer[start:end])
            if not self._headed.told(top.place, said(token), at):
                bounded(top.harmless).add(token)
            elif top.held:
                raise JsonUnreadable("a value stands before its name")
        top.held = top.held or (held and top.closes == _CLOSE_OBJECT and not tells(top.name))
        return None

    def _found(self) -> Found:
        """What rules say of the value that begins here."""
        if not self._stack:
            return Found(None, self._names.top)
        top = self._stack[-1]
        if top.closes == _CLOSE_OBJECT:
            assert top.found is not None
            return top.found
        return self._names.element(top.place, top.count)

    def _after(self) -> None:
        self._expects = self._comma if self._stack else self._value

    def _behind(self, sign: int, final: bool) -> bool:  # noqa: FBT001
        del final
        if sign != _SEMICOLON:
            raise JsonUnreadable("something follows the call")
        self._at += 1
        return True

    def _first_name(self, sign: int, final: bool) -> bool:  # noqa: FBT001
        return self._close() if sign == _CLOSE_OBJECT else self._name(sign, final)

    def _first_element(self, sign: int, final: bool) -> bool:  # noqa: FBT001
        return self._close() if sign == _CLOSE_ARRAY else self._value(sign, final)

    def _name(self, sign: int, final: bool) -> bool:  # noqa: FBT001
        if sign != _QUOTE:
            raise JsonUnreadable("a member has no name")
        top = self._stack[-1]
        if top.strategy is None and not self._resume and not self._names.apart and self._skip_members(top):
            return True
        start = self._at
        end = self._text_end(final)
        if end < 0:
            return False
        top.name = bytes(self._buffer[start:end])
        top.found = self._names.member(top.place, said(top.name))
        self._search(start, end)
        self._at = end
        self._expects = self._colon
        return True

    def _colon(self, sign: int, final: bool) -> bool:  # noqa: FBT001
        del final
        if sign != _COLON:
            raise JsonUnreadable("a name has no value")
        self._at += 1
        self._expects = self._value
        return True

    def _comma(self, sign: int, final: bool) -> bool:  # noqa: FBT001
        del final
        top = self._stack[-1]
        if sign == top.closes:
            return self._close()
        if sign != _COMMA:
            raise JsonUnreadable("a value goes on behind its end")
        self._at += 1
        top.count += 1
        self._expects = self._name if top.closes == _CLOSE_OBJECT else self._value
        return True

    def _close(self) -> bool:
        self._at += 1
        self._stack.pop()
        self._after()
        return True

    def _skip_members(self, top: Open) -> bool:
        """Pass over members that no rule names; whether there was one."""
        buffer, plain, at = self._buffer, top.plain, self._at
        while (member := MEMBER.match(buffer, at)) is not None:
            name, value, ended = member.groups()
            says = plain[name] if name in plain else self._says(top, name)
            if says != PASSES:
                if says == NAMED or self._headed.any or (says == TELLS and not is_harmless(value, top)):
                    break
                top.held = top.held or says == HOLDS
            at = member.end()
            if ended == _CLOSE_SIGN:
                return self._skipped_to(at)
        if at == self._at:
            return False
        self._at, self._expects = at, self._name
        return True

    def _says(self, top: Open, name: bytes) -> int:
        found = self._names.member(top.place, said(name))
        if not found.is_plain:
            says = NAMED
        elif tells(name):
            says = TELLS
        else:
            says = HOLDS if holds(name) else PASSES
        bounded(top.plain)[name] = says
        return says

    def _skip_elements(self) -> bool:
        """Pass over elements of an array that hold nothing else; whether there was one."""
        top, at = self._stack[-1], self._at
        if self._resume or self._names.placed or self._names.apart or self._headed.any:
            return False
        while (element := ELEMENT.match(self._buffer, at)) is not None:
            value, ended = element.groups()
            if not is_harmless(value, top):
                break
            at = element.end()
            if ended != _COMMA_SIGN:
                return self._skipped_to(at)
            top.count += 1
        if at == self._at:
            return False
        self._at, self._expects = at, self._value
        return True

    def _skipped_to(self, at: int) -> bool:
        """An object or array has ended there."""
        self._at = at
        self._stack.pop()
        self._after()
        return True

    def _text_end(self, final: bool) -> int:  # noqa: FBT001
        """Behind the text that begins here; -1 where its end has not come."""
        body = BODY.match(self._buffer, max(self._resume, self._at + 1))
        assert body is not None
        end = body.end()
        if end < len(self._buffer) and self._buffer[end] == _QUOTE:
            self._resume = 0
            return end + 1
        self._resume = end
        if final or not (end == len(self._buffer) or ESCAPE_BEGINS.match(self._buffer, end)):
            raise JsonUnreadable("a text holds what no text may")
        return -1

    def _scalar_end(self, final: bool) -> int:  # noqa: FBT001
        signs = SCALAR_SIGNS.match(self._buffer, self._at)
        assert signs is not None
        end = signs.end()
        if end - self._at > _LONGEST_SCALAR:
            raise JsonUnreadable("a number is longer than any")
        if end == len(self._buffer) and not final and end > self._at:
            return -1
        if SCALAR.fullmatch(self._buffer, self._at, end) is None:
            raise JsonUnreadable("a value is none")
        return end

    def _hide(self, start: int, end: int, strategy: str) -> None:
        token = bytes(self._buffer[start:end])
        item = _item(token)
        shown = json.dumps(self._names.hidden(strategy, item)).encode() if item is not None else b"null"
        self._put(start, end, shown)
        self._texts.count(strategy, 1)

    def _hide_inside(self, start: int, end: int, found: Found) -> None:
        document = said(bytes(self._buffer[start:end])).encode("utf-8", "surrogatepass")
        shown, count = hide_paths(document, found.inside, self._mask)
        if shown is document:
            self._search(start, end)
            return
        self._put(start, end, json.dumps(shown.decode("utf-8", "surrogatepass")).encode())
        self._texts.count(found.inside[0][1], count)

    def _hide_document(self, start: int, end: int) -> None:
        document = said(bytes(self._buffer[start:end])).encode("utf-8", "surrogatepass")
        inner = JsonText(self._names, self._mask, self._texts, longest=self._longest)
        try:
            shown = inner.feed(document) + inner.close()
        except JsonUnreadable:
            self._put(start, end, UNREADABLE)
            self._texts.count("redact", 1)
            return
        if shown == document:
            self._search(start, end)
        else:
            token = json.dumps(shown.decode("utf-8", "surrogatepass")).encode()
            self._put(start, end, token if self._names.apart else self._texts.searched(token))

    def _search(self, start: int, end: int) -> None:
        token = bytes(self._buffer[start:end])
        shown = self._texts.searched(token, apart=self._names.apart)
        if shown is not token:
            self._put(start, end, shown)

    def _put(self, start: int, end: int, shown: bytes) -> None:
        self._out += bytes(self._buffer[self._done : start]), shown
        self._done = end


def _item(token: bytes) -> object:
    """What a leaf is; a number that no integer type holds is none that has to stay one."""
    if token[0] == _QUOTE:
        return said(token)
    item = 0.0 if len(token) > _LONGEST_NUMBER else json.loads(token)
    return float(item) if isinstance(item, int) and not -(2**63) <= item < 2**64 else item
