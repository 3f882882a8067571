"""Patterns over names."""

from __future__ import annotations

import fnmatch

from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.globs import Globs, Names
from tests.policy.house import patient

words = st.text(alphabet="ab.*?", max_size=8)
names = st.text(alphabet="abAB.\n", max_size=10)


@patient
@given(words, names)
def test_a_pattern_means_what_fnmatch_says_of_stars_and_question_marks(pattern, name) -> None:
    assert Globs((pattern,)).match(name) == fnmatch.fnmatchcase(name, pattern)


@patient
@given(st.lists(words, min_size=1, max_size=3), names)
def test_what_a_name_is_exactly_it_also_could_be(patterns, name) -> None:
    some = Names(tuple(patterns))
    assert some.could_be(name) or not some.is_exactly(name)


def test_many_stars_over_a_long_name_take_no_time_that_grows_with_both() -> None:
    pattern = "*a" * 40 + "*b"
    assert not Globs((pattern,)).match("a" * 20_000)
    assert not Names((pattern,)).could_be("a" * 20_000)


def test_a_name_is_read_widely_only_where_something_is_stopped() -> None:
    orders = Names(("public.orders",))
    assert orders.could_be("orders")
    assert not orders.is_exactly("orders")
    assert orders.could_be("shop.public.ORDERS")
    assert not orders.could_be("public.orders2")
    assert not Names(("audit.*",)).could_be("orders")
    assert not Names(("audit.*",)).could_be("orders.*")
    assert Names(("customers.ssn",)).could_be("customers.*")


def test_a_name_that_is_a_pattern_could_be_what_it_covers_and_is_allowed_only_where_all_of_it_is() -> None:
    assert Names(("nginx",)).could_be("ngin*")
    assert Names(("nginx*",)).could_be("*-web")
    assert Names(("nginx",)).could_be("ngin?")
    assert not Names(("nginx",)).could_be("post*")
    assert not Names(("nginx",)).could_be("*.conf")
    assert Names(("web-*",)).is_exactly("web-1*")
    assert not Names(("web-?",)).is_exactly("web-*")
    assert not Names(("web-1",)).is_exactly("web-?")
