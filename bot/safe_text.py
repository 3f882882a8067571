"""The only way for untrusted text into a block.

Slack keeps nobody from writing characters that cannot be seen, that reorder a line, or 500 blank lines that
push the dangerous one below "Show more". `show` makes all of that visible as marks such as ⟦U+202E⟧, cuts long
text to a head and a tail, and says what it did, so that a card can withhold its Approve button. The result goes
into rich text as a literal `text` element, where mentions, links and backticks mean nothing.
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OPEN, CLOSE = "⟦", "⟧"
EMPTY = f"{OPEN}empty{CLOSE}"
BLANK_LINES = 3
"""More blank lines than these in a row are folded into one mark."""
SPACES = 40
"""More spaces than these in a row are folded into one mark."""
COMBINING = 4
"""More combining marks than these on one letter are shown as code points."""
SCANNED = 60_000
"""Characters at each end of a text that are drawn at most, and looked at for folds and mixed alphabets."""
HEAD_SHARE = 0.7
CUT_ROOM = 60
"""Room for the sentence that stands between head and tail."""

COUNTED = 1_000_000
"""Characters in which hidden ones are counted."""

_SEEN = frozenset("\n\t ")
# Letters and symbols that are drawn as nothing: fillers, the blank Braille cell, variation selectors; and what looks
# like one of our marks, which must not pass for one.
_TREACHEROUS = frozenset(
    chr(point)
    for low, high in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
        (ord(OPEN), ord(CLOSE)),
    )
    for point in range(low, high + 1)
)
_ASCII_SEEN = bytes([*b"\n\t", *range(0x20, 0x7F)])
# What may not be drawn as it stands; `odd` is looked at character by character.
_SPECIAL = re.compile(
    r"(?P<odd>[^\n\t\x20-\x7e]+)"
    rf"|(?P<lines>\n(?:[ \t]*\n){{{BLANK_LINES + 1},}})"
    rf"|(?P<spaces>[ \t]{{{SPACES + 1},}})"
)
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
"""Alphabets with letters that pass for those of another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Text as it may be drawn, and what had to be done to it."""

    text: str
    length: int
    """Characters of the original."""
    hidden: int = 0
    """Characters that could not have been seen, in the first million."""
    folded: int = 0
    """Runs of blank lines or spaces that were folded, and combining marks that were piled up."""
    mixed: int = 0
    """Words that mix alphabets, such as a Cyrillic letter among Latin ones."""
    omitted: int = 0
    """Characters between head and tail that are not drawn."""

    @property
    def faithful(self) -> bool:
        """All of the original is there to be read, as it is."""
        return not (self.hidden or self.folded or self.mixed or self.omitted)

    def remarks(self) -> tuple[str, ...]:
        """What a reader has to know, in words; nothing where the text is faithful."""
        said = []
        if self.omitted:
            said.append(f"{self.omitted:,} of {self.length:,} characters not shown")
        if self.hidden:
            said.append(f"{_count(self.hidden, 'hidden character')} marked {OPEN}U+…{CLOSE}")
        if self.folded:
            said.append(f"{_count(self.folded, 'run')} of blank lines, spaces or accents folded")
        if self.mixed:
            said.append(f"{_count(self.mixed, 'word')} mixing alphabets")
        return tuple(said)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def show(text: str, *, limit: int) -> Shown:
    """`text` with everything unseen marked, in at most `limit` characters: all of it, or head and tail."""
    original, text = text, text.replace("\r\n", "\n")
    found = _found(text)
    if len(text) <= 2 * SCANNED:
        drawn, taken = _take(text, room=limit)
        if taken == len(text):
            return Shown(text=drawn, length=len(original), **found)
    room = max(limit - CUT_ROOM, 0)
    head, from_head = _take(text[:SCANNED], room=int(room * HEAD_SHARE))
    tail, from_tail = _take_back(text[max(from_head, len(text) - SCANNED) :], room=room - len(head))
    omitted = len(text) - from_head - from_tail
    cut = f"\n{OPEN}… {omitted:,} characters not shown …{CLOSE}\n"
    return Shown(text=head + cut + tail, length=len(original), omitted=omitted, **found)


def oddities(text: str) -> tuple[str, ...]:
    """What a reader has to know who gets all of `text` in `pieces`."""
    return Shown(text="", length=len(text), **_found(text.replace("\r\n", "\n"))).remarks()


def _found(text: str) -> dict[str, int]:
    ends = text if len(text) <= 2 * SCANNED else text[:SCANNED] + "\n" + text[-SCANNED:]
    return {"hidden": _count_hidden(text), "folded": _count_folds(ends), "mixed": _count_mixed(ends)}


def pieces(text: str, *, size: int, most: int) -> tuple[list[str], int]:
    """All of `text` in at most `most` drawn pieces of up to `size` characters, and how many characters are left over.

    A piece ends at a line's end where there is one in its last third, and never inside a mark.
    """
    text = text.replace("\r\n", "\n")
    parts: list[str] = []
    while text and len(parts) < most:
        _drawn, taken = _take(text[: size * 2], room=size)
        if taken < len(text):
            line_end = text.rfind("\n", taken * 2 // 3, taken)
            taken = line_end + 1 if line_end > 0 else taken
        drawn, taken = _take(text[:taken], room=size)
        parts.append(drawn)
        text = text[taken:]
    return parts, len(text)


def inline(text: str, *, limit: int = 80) -> str:
    """`text` for the middle of a line: no line ends or tabs, cut with an ellipsis, never empty."""
    flat = text[: limit * 2].replace("\t", " ")
    if not (flat.isascii() and flat.isprintable()):
        flat = "".join(_mark(one) if _is_hidden(one) or one == "\n" else one for one in flat)
    if len(flat) > limit or len(text) > limit * 2:
        flat = _before_mark(flat, limit - 1) + "…"
    return flat or EMPTY


def escape(text: str, *, limit: int = 300) -> str:
    """`text` for mrkdwn: exactly & < > escaped, after cutting, and backticks kept from opening code."""
    flat = inline(text, limit=limit)
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "ˋ")


def literal(text: str) -> dict[str, Any]:
    """A `rich_text_preformatted` of text that `show` or `pieces` made."""
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text or EMPTY}]}


def plain(text: str, *, limit: int = 150) -> dict[str, Any]:
    """A `plain_text` object in which :names: stay text."""
    return {"type": "plain_text", "text": inline(text, limit=limit), "emoji": False}


def _mark(character: str) -> str:
    return f"{OPEN}U+{ord(character):04X}{CLOSE}"


def _is_hidden(character: str) -> bool:
    """Whether a character has no shape of its own, or changes that of its neighbours.

    `isprintable` is false for exactly those categories: controls, format characters (bidi, zero width, tags),
    surrogates, private use, unassigned, line and paragraph separators, and spaces other than " ".
    """
    return character in _TREACHEROUS or (not character.isprintable() and character not in _SEEN)


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """`text` as runs in order: (run, "") is drawn as it stands, else the second says what it is."""
    end = 0
    for found in _SPECIAL.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], ""
        if found.lastgroup == "odd":
            yield from _odd_runs(found[0])
        else:
            yield found[0], found.lastgroup or ""
        end = found.end()
    if end < len(text):
        yield text[end:], ""


def _odd_runs(text: str) -> Iterator[tuple[str, str]]:
    start = piled = 0
    for at, character in enumerate(text):
        piled = piled + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        special = "hidden" if _is_hidden(character) else "stacked" if piled > COMBINING else ""
        if special:
            if start < at:
                yield text[start:at], ""
            yield character, special
            start = at + 1
    if start < len(text):
        yield text[start:], ""


def _drawn(run: str, special: str) -> str:
    match special:
        case "hidden" | "stacked":
            return _mark(run)
        case "lines":
            return f"\n{OPEN}{run.count(chr(10)) - 1:,} blank lines{CLOSE}\n"
        case "spaces":
            return f"{OPEN}{len(run):,} spaces{CLOSE}"
        case _:
            return run


def _take(text: str, *, room: int) -> tuple[str, int]:
    """As much from the front as fits: what is drawn, and how many characters of `text` that was."""
    drawn: list[str] = []
    taken = 0
    for run, special in _runs(text):
        shown = _drawn(run, special)
        if len(shown) > room:
            if not special:
                drawn.append(run[:room])
                taken += room
            break
        drawn.append(shown)
        taken += len(run)
        room -= len(shown)
    return "".join(drawn), taken


def _take_back(text: str, *, room: int) -> tuple[str, int]:
    """As much from the end as fits, like `_take`."""
    drawn: list[str] = []
    taken = 0
    for run, special in reversed(list(_runs(text))):
        shown = _drawn(run, special)
        if len(shown) > room:
            if not special and room:
                drawn.append(run[-room:])
                taken += room
            break
        drawn.append(shown)
        taken += len(run)
        room -= len(shown)
    return "".join(reversed(drawn)), taken


def _before_mark(text: str, at: int) -> str:
    """`text[:at]`, or less where that would end inside a mark."""
    opened = text.rfind(OPEN, 0, at)
    return text[:opened] if opened > text.rfind(CLOSE, 0, at) else text[:at]


def _count_hidden(text: str) -> int:
    text = text[:COUNTED]
    if text.isascii():
        return len(text.encode().translate(None, _ASCII_SEEN))
    return sum(number for character, number in Counter(text).items() if _is_hidden(character))


def _count_folds(text: str) -> int:
    return sum(special in {"lines", "spaces", "stacked"} for _, special in _runs(text))


def _count_mixed(text: str) -> int:
    if text.isascii():
        return 0
    return sum(not word.isascii() and _mixes(word) for word in re.findall(r"\w+", text))


def _mixes(word: str) -> bool:
    scripts: set[str] = set()
    for letter in set(word):
        name = unicodedata.name(letter, "")
        scripts.update(script for script in _SCRIPTS if name.startswith(script))
    return len(scripts) > 1
