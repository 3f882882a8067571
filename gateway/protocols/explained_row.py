"""A row of `countersign explain --jsonl`, as far as its command is text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any


def command_bytes(row: Mapping[str, Any]) -> bytes:
    """`command`, or the exact bytes in `command_b64`. Raises `ValueError` for a row without a command."""
    if "command_b64" in row:
        try:
            return base64.b64decode(str(row["command_b64"]), validate=True)
        except binascii.Error:
            raise ValueError("command_b64 is not base64") from None
    if isinstance(row.get("command"), str):
        return str(row["command"]).encode("utf-8", "surrogatepass")
    raise ValueError("the row has neither command nor command_b64")
