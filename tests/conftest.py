"""Refuses to test code that is not the code in the tree, and keeps what was collected out of what tests measure."""

from __future__ import annotations

import gc
import sysconfig
from pathlib import Path

import pytest
from hypothesis import settings

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
ROOT = Path(__file__).parent.parent


# How long an example takes says how busy the machine is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_sessionstart() -> None:
    stale = [
        str(source.relative_to(ROOT))
        for built in (ROOT / "gateway").rglob(f"*{SUFFIX}")
        if (source := built.with_name(built.name.removesuffix(SUFFIX) + ".py")).stat().st_mtime
        > built.stat().st_mtime
    ]
    if stale:
        pytest.exit(f"edited after it was compiled: {', '.join(stale)}; run `make install`", returncode=4)


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: looking through them for garbage would take a second of some test's time."""
    gc.collect()
    gc.freeze()
