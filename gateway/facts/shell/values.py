"""What a word comes to: a string in which private characters stand for what only the target knows.

`WILD` may be any text, `TAME` one without slash, blank, quote or leading dash (a host's or user's name), `COUNT` such a
one that says nothing of the target (a number, a date), the others are globs that are still to be matched.
"""

from __future__ import annotations

import re

WILD = "\ue000"
TAME = "\ue001"
COUNT = "\ue003"
SPLIT = "\ue002"
"""Where an unquoted expansion is split into words; never left in a finished value."""
STAR = "\ue010"
QUESTION = "\ue011"
CLASS = "\ue012"
DEEP = "\ue013"
"""Any path below the one in front of it."""

MARKS = re.compile("[\ue000-\ue01f]")
GLOBS = {"*": STAR, "?": QUESTION}
_SHOWN = {WILD: "?", TAME: "?", COUNT: "?", STAR: "*", QUESTION: "?", CLASS: "?", DEEP: "**", SPLIT: " "}


def static(value: str) -> bool:
    """Whether the target has no say in the value."""
    return MARKS.search(value) is None


def leaks(value: str) -> bool:
    """Whether the value carries something that only the target knows."""
    return WILD in value or TAME in value


def shown(value: str) -> str:
    """The value as a resource's name shows it: what is not known is a `?`, `*` or `**`."""
    return MARKS.sub(lambda mark: _SHOWN.get(mark[0], "?"), value)


def matcher(value: str) -> re.Pattern[str]:
    """What the value may turn out to be."""
    forms = {
        WILD: ".*",
        DEEP: ".*",
        TAME: "[^/]*",
        COUNT: "[^/]*",
        STAR: "[^/]*",
        QUESTION: "[^/]",
        CLASS: "[^/]",
    }
    parts = [
        "(?:.*/)?" if part == DEEP + "/" else "".join(forms.get(c, re.escape(c)) for c in part)
        for part in re.split(f"({DEEP}/)", value)
    ]
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


def words(text: str) -> frozenset[str]:
    """The names in a table that is written as text."""
    return frozenset(text.split())
