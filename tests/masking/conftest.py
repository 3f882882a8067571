"""Masks for these tests."""

from __future__ import annotations

import pytest

from gateway.masking.engine import CompiledMask, Masks
from gateway.policy.model import MaskPolicy

EVERYTHING = MaskPolicy(name="everything", detect=("personal", "secrets", "ip"))


@pytest.fixture(scope="session")
def mask() -> CompiledMask:
    made = Masks({"everything": EVERYTHING}, key=b"k" * 32).mask(["everything"])
    made.find(b"password=hunter2 4111 1111 1111 1111")  # the first search compiles what all others use
    return made
