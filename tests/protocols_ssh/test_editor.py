"""What of a command's output the line editor is given."""

from __future__ import annotations

import pytest

from gateway.protocols.ssh.editor import COUNTED, parted


@pytest.mark.parametrize("text", ["", "x", "a\nb", "x" * COUNTED, "x\n" * COUNTED])
def test_what_is_short_or_ends_its_lines_goes_through_it(text: str) -> None:
    assert parted(text, 100) == ("", "", text)


@pytest.mark.parametrize("width", [0, 1, 7, 80, 10_000])
def test_of_a_long_line_whole_rows_pass_it_by(width: int) -> None:
    text = "begun\n" + "x" * 100_003
    before, rows, rest = parted(text, width)
    assert before + rows + rest == text
    assert before == "begun\n"
    assert len(rows) % (width or 80) == 0
    assert COUNTED <= len(rest) < COUNTED + (width or 80)
