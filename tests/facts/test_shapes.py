from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import shapes
from tests.uncompiled import uncompiled

both = pytest.mark.parametrize(
    "blanked", [shapes.blanked, uncompiled(shapes).blanked], ids=["installed", "uncompiled"]
)
INTEGER = re.compile(r"[0-9](?<![\w.][0-9])[0-9]*+(?![\w.])")


@both
@given(st.text(alphabet="019aZ_. -/*+(,;", max_size=30))
def test_integers_are_blanked_and_nothing_else(blanked, text: str) -> None:
    wanted = None if "--" in text or "/*" in text else INTEGER.sub("\0", text)
    assert blanked(text) == wanted


@both
@pytest.mark.parametrize("text", ["a '1'", 'a "1"', "a $1", "a \\ 1", "a \0 1", "é 1", "1 -- 2", "1 /* 2"])
def test_where_a_digit_may_be_anything_else_there_is_no_shape(blanked, text: str) -> None:
    assert blanked(text) is None
