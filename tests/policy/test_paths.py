"""Patterns of names with slashes, and names that are patterns themselves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Effect
from gateway.policy.kinds import Patterns
from gateway.policy.paths import PathPattern
from tests.policy.house import patient

READ, WRITE, DESTRUCTIVE, EXFIL = Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE, Effect.EXFIL

patterns = st.text(alphabet="ab/*?", max_size=8)
names = st.text(alphabet="ab/", max_size=8)


def spelled(pattern: str) -> re.Pattern[str]:
    """The same, as the standard library reads it."""
    special = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    text = "".join(special.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", pattern))
    return re.compile(re.sub(r"/\.\*$", "(?:/.*)?", text), re.DOTALL)


@patient
@given(patterns, names)
def test_a_name_fits_as_a_regular_expression_says(pattern, name) -> None:
    assert PathPattern(pattern).meets(name) == (spelled(pattern).fullmatch(name) is not None)


@patient
@given(patterns, patterns, names)
def test_two_patterns_that_a_name_fits_meet(one, other, name) -> None:
    both = spelled(one).fullmatch(name) and spelled(other).fullmatch(name)
    if both:
        assert PathPattern(one).meets(other)
    if PathPattern(one).matches_all_of(other) and spelled(other).fullmatch(name):
        assert spelled(one).fullmatch(name), "what is allowed whatever it means is allowed when it means this"


@pytest.mark.parametrize(
    ("pattern", "name", "effect", "meant"),
    [
        ("file:/etc/shadow", "/etc/shadow", READ, True),
        ("file:/etc/shadow", "/etc/shad*", READ, True),
        ("file:/etc/shadow", "/e?c/*", READ, True),
        ("file:/etc/shadow", "/**/shadow", READ, True),
        ("file:/etc/shadow", "shadow", READ, True),
        ("file:/etc/shadow", "../etc/shadow", READ, True),
        ("file:/etc/shadow", "/etc/sh", READ, False),
        ("file:/etc/shadow", "/etc/*.conf", READ, False),
        ("file:/etc/shadow", "/var/*", READ, False),
        ("file:/etc/shadow", "notes.txt", READ, False),
        ("file:/etc/**", "/et*/passwd", READ, True),
        ("file:/etc/**", "/etc", READ, True),
        ("file:/etc/**", "notes.txt", READ, False),
        ("file:/etc/**", "~/notes.txt", READ, False),
        ("file:/etc/**", "/", READ, False),
        ("file:/etc/**", "/", DESTRUCTIVE, True),
        ("file:/etc/**", "/*", DESTRUCTIVE, True),
        ("file:/etc/**", "/", EXFIL, True),
        ("file:/home/*/.ssh/**", "~/.ssh/id_rsa", READ, True),
        ("file:/home/*/.ssh/**", "~maria/.ssh/id_rsa", READ, True),
        ("file:/home/*/.ssh/**", ".ssh/id_rsa", READ, True),
        ("file:/home/*/.ssh/**", "/home/maria", DESTRUCTIVE, True),
        ("file:/root/.ssh/**", "~/.ssh", WRITE, True),
        ("file:/**/.ssh/**", "/tmp/a", WRITE, False),
        ("file:/**/.ssh/**", "/tmp/a", DESTRUCTIVE, True),
        ("path:/**/admin", "/orders", WRITE, False),
        ("path:/orders/*/refunds", "/orders", WRITE, True),
        ("path:/orders/*/refunds", "/orders", READ, False),
        ("path:/orders/*/refunds", "/orders/7/refunds", READ, True),
        ("k8s:prod/*/db", "prod/secrets", READ, True),
        ("k8s:prod/*/db", "-/secrets", READ, True),
        ("k8s:prod/secrets/*", "-/secrets/db", READ, True),
        ("k8s:*/secrets/**", "dev/secrets", READ, True),
        ("k8s:prod/secrets/*", "prod/pods", READ, False),
    ],
)
def test_what_a_pattern_could_mean(pattern, name, effect, meant) -> None:
    kind = pattern.partition(":")[0]
    assert Patterns((pattern,)).could_be(kind, name, effect) == meant


@pytest.mark.parametrize(
    ("pattern", "name", "exact"),
    [
        ("file:/tmp/*", "/tmp/a", True),
        ("file:/tmp/*", "/tmp/*", True),
        ("file:/tmp/*", "/tmp/a*b", True),
        ("file:/tmp/*", "/tmp/**", False),
        ("file:/tmp/**", "/tmp/**/x", True),
        ("file:/*/x", "/**/x", False),
        ("file:/tmp/?", "/tmp/*", False),
        ("file:/tmp/a", "/tmp/A", False),
        ("file:/tmp/a", "tmp/a", False),
        ("file:/tmp/a", "/tmp/?", False),
        ("path:/Orders/*", "/orders/7", True),
        ("path:/orders/*", "/ORDERS/7", True),
        ("k8s:prod/pods/*", "-/pods/x", False),
    ],
)
def test_what_a_pattern_lets_through(pattern, name, exact) -> None:
    assert Patterns((pattern,)).is_exactly(pattern.partition(":")[0], name) == exact


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("path:/*a*a*a*a*a*a*a*b/x", "/" + "a" * 499),
        ("file:/**a**b**c**d**e/x", "/" + "abcd" * 125),
        ("file:/**a**b**c**d**e/x", "/" + "*a*b*c*d" * 60),
    ],
)
def test_hostile_names_are_judged_within_a_bound(pattern, name) -> None:
    kind, _, text = pattern.partition(":")
    assert not PathPattern(text).matches_all_of(name)
    assert isinstance(Patterns((pattern,)).could_be(kind, name, READ), bool)


def test_a_name_that_utf8_cannot_spell_is_a_name() -> None:
    assert Patterns(("file:/tmp/**",)).could_be("file", "/tmp/\ud800", READ)
