"""Texts for people: commands and parameters on cards, in recordings and in logs, with what is sensitive hidden."""

from __future__ import annotations

from typing import Final

from gateway.masking.engine import Masks
from gateway.masking.values import MARK

SHORTEST: Final = 6
"""No detector finds anything in fewer characters."""
_SHORT: Final = 256
"""Characters that are sooner searched than remembered, where there is nothing in them."""
_KEPT_TEXT: Final = 4_096
_KEPT: Final = 1_024


class Scrubber:
    """Hides secrets always, and personal data as far as any mask of the policy detects it."""

    def __init__(self, masks: Masks) -> None:
        self._mask = masks.everything()
        self._bare = self._mask.bare
        self._known: dict[str, tuple[str, bool]] = {}

    def text(self, value: str) -> tuple[str, bool]:
        """The text to show, and whether anything in it was hidden. Texts that come again are remembered."""
        if len(value) < SHORTEST:
            return value, False
        try:
            if len(value) <= _SHORT and self._bare(value.encode("utf-8", "surrogatepass")):
                return value, False
            return self._remembered(value)
        except Exception:  # noqa: BLE001  # whatever it was: what cannot be searched is not shown
            return MARK, True

    def _remembered(self, value: str) -> tuple[str, bool]:
        known = self._known.get(value)
        if known is None:
            bare = len(value) > _SHORT and self._bare(value.encode("utf-8", "surrogatepass"))
            shown = value if bare else self._mask.text(value)
            known = (shown, shown is not value and shown != value)
            if len(value) <= _KEPT_TEXT:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[value] = known
        return known
