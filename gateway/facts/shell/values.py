"""What a word comes to: a string in which private characters stand for what only the target knows.

`WILD` may be any text, `TAME` one without slash, blank, quote or leading dash (a number, a date, a host's name),
the others are globs that are still to be matched.
"""

from __future__ import annotations

import re

WILD = "\ue000"
TAME = "\ue001"
SPLIT = "\ue002"
"""Where an unquoted expansion is split into words; never left in a finished value."""
STAR = "\ue010"
QUESTION = "\ue011"
CLASS = "\ue012"
DEEP = "\ue013"
"""Any path below the one in front of it."""

MARKS = re.compile("[\ue000-\ue01f]")
GLOBS = {"*": STAR, "?": QUESTION}
_SHOWN = {WILD: "?", TAME: "?", STAR: "*", QUESTION: "?", CLASS: "?", DEEP: "**", SPLIT: " "}


def static(value: str) -> bool:
    """Whether the target has no say in the value."""
    return MARKS.search(value) is None


def shown(value: str) -> str:
    """The value as a resource's name shows it: what is not known is a `?`, `*` or `**`."""
    return MARKS.sub(lambda mark: _SHOWN.get(mark[0], "?"), value)


def matcher(value: str) -> re.Pattern[str]:
    """What the value may turn out to be."""
    forms = {WILD: ".*", DEEP: ".*", TAME: "[^/]*", STAR: "[^/]*", QUESTION: "[^/]", CLASS: "[^/]"}
    return re.compile("".join(forms.get(c, re.escape(c)) for c in value) + r"\Z", re.DOTALL)


def words(text: str) -> frozenset[str]:
    """The names in a table that is written as text."""
    return frozenset(text.split())
