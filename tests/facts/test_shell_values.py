"""Values of words, against bash itself: what is taken for known is what bash makes of it."""

from __future__ import annotations

import re
import shlex
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts.shell import read

VALUES = st.text("abB?*", min_size=1, max_size=6)
PATTERNS = st.text("abB?*[]!^-", max_size=4)
EXPANSIONS = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["#", "##", "%", "%%", "^", "^^", ",", ",,"]), PATTERNS),
    st.builds("{}{}/{}".format, st.sampled_from(["/", "//"]), PATTERNS, st.text("ab&", max_size=2)),
    st.builds(":{}:{}".format, st.integers(0, 4), st.integers(0, 4)),
    st.builds("{}{}".format, st.sampled_from([":-", "-", ":+", "+"]), st.text("ab", max_size=3)),
)
FORMATS = st.lists(
    st.sampled_from(
        [
            "%s",
            "%5s",
            "%-3s",
            "%.2s",
            "%*s",
            "%b",
            "%d",
            "%x",
            "%%",
            "%(x)T",
            "%c",
            "%q",
            "\\n",
            "\\c",
            "\\141",
            "a",
            " ",
        ]
    ),
    min_size=1,
    max_size=4,
).map("".join)
ARGUMENTS = st.lists(
    st.sampled_from(["a", "b c", "3", "", "\\141", "a\\cb", "\\0142", "%s", "-v"]), max_size=4
)


def check(word: str, before: str = "") -> None:
    """`word` is a name of a file to the facts and to bash, or they do not say that they read it completely."""
    facts = read(f"{before} cat {word}")
    done = subprocess.run(
        ["bash", "-c", f"{before} printf '%s' {word}"], capture_output=True, text=True, check=False
    )
    if facts.complete and not done.stderr:
        names = [resource.name for resource in facts.resources if resource.kind == "file"]
        assert any(_may_be(name, done.stdout) for name in names), (before, word, names, done.stdout)


def _may_be(name: str, value: str) -> bool:
    """Whether a resource's name, with `?` and `*` for what is not known, may stand for the value."""
    return re.fullmatch(re.sub(r"(?:\\\?|\\\*)+", ".*", re.escape(name)), value, re.DOTALL) is not None


@settings(max_examples=400, deadline=None)
@given(VALUES, EXPANSIONS)
def test_an_expansion_is_what_bash_makes_of_it(value: str, operator: str) -> None:
    check(f'"f${{x{operator}}}"', f"x={shlex.quote(value)};")


@settings(max_examples=400, deadline=None)
@given(FORMATS, ARGUMENTS, st.sampled_from(["", "-- "]))
def test_printf_prints_what_bash_prints(form: str, arguments: list[str], ending: str) -> None:
    words = " ".join(map(shlex.quote, [form, *arguments]))
    check(f'"f$(printf {ending}{words})"')
    check('"f$y"', f"printf -v y {ending}{words};")
    check('"f$y"', f"printf -vy {ending}{words};")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["-n", "-e", "-E", "-ne", "-x", "a", "\\141", "\\0141", "b\\c", "--"]), max_size=4
    )
)
def test_echo_prints_what_bash_prints(arguments: list[str]) -> None:
    check(f'"f$(echo {" ".join(map(shlex.quote, arguments))})"')
