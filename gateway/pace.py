"""How much is worked on at once, so that nobody waits long for the work that somebody else's bytes make."""

from __future__ import annotations

from time import monotonic
from typing import Final

SLICE: Final = 0.005
"""Seconds of work after which the others have their turn."""
LEAST: Final = 4 * 1024
"""Bytes of the smallest portion."""
FIRST: Final = 32 * 1024
"""Bytes of the first: nobody knows yet whether it is slow."""
WHOLE: Final = 1024 * 1024
"""Bytes of the largest, which nothing that is read in one go exceeds."""


class Pace:
    """Of one stream. Text that is made to be slow costs a thousand times what other text does."""

    def __init__(self) -> None:
        self.portion = FIRST
        """Bytes to be taken next; as large as can be where nothing is slow."""
        self._began = 0.0

    def begin(self) -> int:
        """Work begins, on as many bytes as this says or fewer."""
        self._began = monotonic()
        return self.portion

    def worked(self, size: int) -> bool:
        """It was done, on so many bytes; whether it is the others' turn now."""
        spent = monotonic() - self._began
        if spent > SLICE:
            self.portion = max(LEAST, int(size * SLICE / spent))
            return True
        if 2 * size > self.portion:
            self.portion = min(WHOLE, 2 * self.portion)
        return False
