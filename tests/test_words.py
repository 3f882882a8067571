from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.words import WORDS, words


def test_every_word_is_plain_and_there_once():
    assert len(WORDS) == len(set(WORDS)) == 1024
    assert all(word.isascii() and word.islower() and word.isalpha() and 3 <= len(word) <= 8 for word in WORDS)


def test_a_digest_keeps_its_words():
    assert words("0" * 64) == "-".join([WORDS[0]] * 4)
    assert words("f" * 64) == "-".join([WORDS[-1]] * 4)
    assert words("ab" * 32) == "prize-puzzle-rough-tuna"


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**216 - 1))
def test_the_words_say_the_first_forty_bits_and_nothing_else(first, rest):
    said = words(f"{first << 216 | rest:064x}").split("-")
    assert sum(WORDS.index(word) << 10 * place for place, word in enumerate(reversed(said))) == first


def test_what_is_no_digest_has_no_words():
    with pytest.raises(ValueError, match="64 hexadecimal"):
        words("ab")
