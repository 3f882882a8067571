"""Output at a terminal whose line editor is the gateway's: the library's counts columns character by character.

That is dear where a line is long and never ends, so the editor gets its end alone. What passes it by fills whole rows: the
columns are right all the same where each character takes one, and a line that is typed meanwhile is drawn where it belongs.
"""

from __future__ import annotations

COUNTED = 2_048
"""Characters of an unfinished line whose columns are counted."""
_USUAL_WIDTH = 80


def parted(text: str, width: int) -> tuple[str, str, str]:
    """What the editor is given first, whole rows that pass it by, perhaps none, and what it is given then."""
    width = width or _USUAL_WIDTH
    begins = text.rfind("\n") + 1
    rows = (len(text) - begins - COUNTED) // width
    if rows <= 0:
        return "", "", text
    ends = begins + rows * width
    return text[:begins], text[begins:ends], text[ends:]
