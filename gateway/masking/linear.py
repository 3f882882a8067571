"""Patterns over bytes that cost in proportion to the text whatever it is: RE2, which never goes back.

What a detector asks of hostile text is asked through these wherever a repeat could be followed by what it repeats:
`re` would try every way of parting the text, and sixty bytes are enough to hold it for hours.
"""

from __future__ import annotations

import functools
from typing import Any

import re2


def options(*, memory: int | None = None) -> Any:
    """How patterns are read here. `memory` is what RE2 may take for its states."""
    made = re2.Options()
    made.log_errors = False
    made.encoding = re2.Options.Encoding.LATIN1
    if memory is not None:
        made.max_mem = memory
    return made


@functools.cache
def linear(pattern: bytes) -> Any:
    """The pattern, compiled once: without looking around, and without going back to what was found."""
    return re2.compile(pattern, options())
