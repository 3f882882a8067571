"""Times as SAML writes them: xs:dateTime in UTC (SAML core §1.3.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def moment(text: str | None) -> float:
    """Unix seconds; raises `ValueError` for what is no time in UTC."""
    written = (text or "").strip()
    if not _WRITTEN.fullmatch(written):
        raise ValueError("not a time in UTC")
    whole, _, fraction = written.removesuffix("Z").partition(".")
    seconds = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
    return seconds + (float(f"0.{fraction}") if fraction else 0.0)


def written(at: float) -> str:
    return datetime.fromtimestamp(int(at), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
