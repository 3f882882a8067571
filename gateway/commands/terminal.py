"""How verbs print for people: colour where a terminal wants it, and hostile text made harmless."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

_COLOURS: Mapping[str, str] = {"allow": "32", "hold": "33", "block": "31", "error": "31", "warning": "33"}


def tinted(word: str, text: str | None = None, *, stream: TextIO | None = None) -> str:
    """`text`, or the word itself, in the colour of a verdict; as it is where the reader is no terminal (https://no-color.org)."""
    shown = word if text is None else text
    stream = stream or sys.stdout
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return shown
    return f"\x1b[{_COLOURS[word]}m{shown}\x1b[0m"


def harmless(text: str) -> str:
    """Without control and formatting characters, which a terminal would obey."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
