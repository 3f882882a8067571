"""Untrusted text: whatever it holds, what is drawn holds no surprise and says what was done to it."""

from __future__ import annotations

import json
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.safe_text import CLOSE, OPEN, escape, inline, literal, pieces, plain, show

NASTY = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(
            "\x00\x1b\r\n\t \u202e\u2066\u200b\ufeff\u3164\u2800\ufe0f\U000e0041\u0301⟦⟧`<>&*_~@#:"
        ),
    ),
    max_size=400,
) | st.builds(
    lambda one, times: one * times,
    st.sampled_from(["\n", " ", "a\u0301", "\n \n", "<!channel>", "\u202e"]),
    st.integers(0, 300),
)
MARK = re.compile(rf"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")


def unseen(character: str) -> bool:
    return character not in "\n\t " and (
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
        or character in "\u3164\u2800\ufe0f\u115f\uffa0\u034f"
    )


@given(NASTY, st.integers(0, 300))
def test_nothing_unseen_is_ever_drawn(text: str, limit: int) -> None:
    for drawn in (
        show(text, limit=limit).text,
        inline(text),
        escape(text),
        plain(text)["text"],
        *pieces(text, size=50, most=3)[0],
    ):
        assert not any(unseen(character) for character in drawn)


@given(NASTY, st.integers(80, 300))
def test_no_more_is_drawn_than_there_is_room_for(text: str, limit: int) -> None:
    assert len(show(text, limit=limit).text) <= limit
    assert len(inline(text, limit=limit)) <= limit


@given(NASTY, st.integers(80, 300))
def test_marks_are_whole_and_only_ours(text: str, limit: int) -> None:
    for drawn in (show(text, limit=limit).text, inline(text, limit=limit)):
        rest = MARK.sub("", drawn)
        assert OPEN not in rest
        assert CLOSE not in rest


@given(NASTY)
def test_faithful_means_that_the_text_stands_there_as_it_is(text: str) -> None:
    shown = show(text, limit=10_000)
    assert shown.faithful == (shown.text == text.replace("\r\n", "\n") and not shown.mixed)


@given(NASTY, st.integers(80, 300))
def test_what_was_cut_is_counted_and_the_ends_are_kept(text: str, limit: int) -> None:
    shown = show(text, limit=limit)
    whole = show(text, limit=100_000).text
    if shown.omitted:
        head, tail = shown.text.split(f"\n{OPEN}… {shown.omitted:,} characters not shown …{CLOSE}\n")
        assert whole.startswith(head)
        assert whole.endswith(tail)
        assert 0 < shown.omitted <= len(text)
    else:
        assert shown.text == whole


@given(NASTY, st.integers(30, 200))
def test_pieces_together_are_everything(text: str, size: int) -> None:
    parts, left = pieces(text, size=size, most=10_000)
    assert left == 0
    assert all(0 < len(part) <= size for part in parts)
    assert "".join(parts).count(f"{OPEN}U+") >= show(text, limit=10_000).hidden


@given(NASTY, st.integers(20, 200))
def test_escaped_text_has_no_mention_no_link_and_no_half_entity(text: str, limit: int) -> None:
    escaped = escape(text, limit=limit)
    assert not set("<>`") & set(escaped)
    assert all(re.match(r"&(amp|lt|gt);", escaped[at:]) for at, one in enumerate(escaped) if one == "&")
    assert len(escaped) <= limit * 5


@given(NASTY)
def test_every_result_survives_json(text: str) -> None:
    json.dumps(literal(show(text, limit=300).text), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\x1b[31mb", "a⟦U+001B⟧[31mb"),
        ("a\rb", "a⟦U+000D⟧b"),
        ("a\u00a0b", "a⟦U+00A0⟧b"),
        ("⟦U+0000⟧", "⟦U+27E6⟧U+0000⟦U+27E7⟧"),
        ("x\ud800y", "x⟦U+D800⟧y"),
        ("a" + "\n" * 213 + "b", "a\n⟦212 blank lines⟧\nb"),
        ("a" + " " * 99 + "b", "a⟦99 spaces⟧b"),
    ],
)
def test_each_trick_is_made_visible(text: str, mark: str) -> None:
    shown = show(text, limit=1_000)
    assert shown.text == mark
    assert not shown.faithful


def test_a_word_that_mixes_alphabets_is_counted() -> None:
    assert show("DROP TABLE us\u0435rs", limit=100).mixed == 1
    assert show("ПРИВЕТ users naïve", limit=100).mixed == 0


def test_windows_line_ends_are_line_ends() -> None:
    assert show("a\r\nb", limit=100).text == "a\nb"
    assert show("a\r\nb", limit=100).faithful


def test_ten_megabytes_are_drawn_in_bounded_time() -> None:
    text = "SELECT 1;\u202e`<!channel>`--\n" * 400_000
    before = time.process_time()
    shown = show(text, limit=2_500)
    assert time.process_time() - before < 20
    assert len(shown.text) <= 2_500
    assert shown.hidden == 1_000_000 // 25
