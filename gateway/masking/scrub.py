"""Texts for people: commands and parameters on cards, in recordings and in logs, with what is sensitive hidden."""

from __future__ import annotations

from gateway.masking.engine import Masks


class Scrubber:
    """Hides secrets always, and personal data as far as any mask of the policy detects it."""

    def __init__(self, masks: Masks) -> None:
        self._mask = masks.everything()

    def text(self, value: str) -> tuple[str, bool]:
        """The text to show, and whether anything in it was hidden."""
        shown = self._mask.text(value)
        return shown, shown != value
