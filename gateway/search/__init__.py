"""Finding words in transcripts: an index that is derived from the recordings, and can be made anew at any time."""

from __future__ import annotations

from gateway.search.index import Found, Index, Seen

__all__ = ["Found", "Index", "Seen"]
