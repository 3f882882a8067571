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
    if not facts.complete:
        return
    done = subprocess.run(
        ["bash", "-c", f"{before} printf '%s\\0' {word}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    names = [resource.name for resource in facts.resources if resource.kind == "file"]
    for value in done.stdout.split("\0")[:-1] if not done.stderr else ():
        assert any(_may_be(name, value) for name in names), (before, word, names, value)


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


PIECES = st.sampled_from(
    [
        "a", '"b c"', "'d'", "\\e", "$x", '"$x"', "${x}", "{a,b}", "{q..s}", "{1..3}", "$'\\x61'", "$'\\101'", "$(echo a)",
        "`echo z`", "*", "?", "[ab]", '"*"', "\\*", "${x:-n}", '"${y-m}"', "${#x}", "$((1+2))", "\\\n", '""', "''", '$"t"',
        '{a,"b c"}', "{a,$x}", "${x}{a,b}", '"\\$x"', '"\\a"', "\\\\", "=", "#", "$", "$1", '"$@"', "$*", "!", "^", "}", "{", "{a}",
    ]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(
    st.lists(PIECES, min_size=1, max_size=4).map("".join),
    st.sampled_from(["", "a", "a b", "*", "{a,b}", "$y", "~"]),
)
def test_a_word_is_what_bash_makes_of_it(word: str, value: str) -> None:
    check(f"f{word}", f'set -- p "q r"; xa=i; x1=j; x={shlex.quote(value)};')


STATEMENTS = st.sampled_from(
    """
    x=a
    x+=b
    y=$x
    x="$y$x"
    x=$y y=c
    set -- a "b c"
    set -- $x "$y"
    x=$1
    x=$2
    x=$#
    x=$*
    x="$*"
    shift
    read x <<< "a b"
    read -r x y <<< "a b c"
    IFS=b
    unset x
    unset -v y
    declare x=a
    declare x
    export y=b
    typeset -u x
    declare -l y=AB
    declare -i x
    declare -n x=y
    x=(a b)
    y=${x[1]}
    x[1]=c
    printf -v x a
    ((y++))
    ((x=1))
    let x=3
    for ((x=0; x<2; x++)); do :; done
    for x in a b; do :; done
    for x in $y; do y=d; done
    for x; do :; done
    case $x in a*) y=b;; *) y=c;; esac
    case $x in (b) x=e;& (c) y=f;; esac
    if [ "$x" = a ]; then y=c; else y=d; fi
    if false; then x=n; fi
    while [ "$x" = a ]; do x=; done
    until true; do x=u; done
    f() { x=c; }
    f() { local x=q; y=$x; }
    f() { x=$1; shift; y=$1; }
    f
    f a b
    unset -f f
    (x=q)
    { x=w; }
    x=z true
    x=z :
    x=z eval y='$x'
    : ${x:=b}
    : ${y=c}
    x=$(echo a)
    x=$(y=k; echo $y)
    echo a | read x
    while read x; do :; done <<< a
    while read x; do y=$x; done < <(echo l)
    eval x=b
    eval "y=\\$x"
    eval "$x=b"
    [ "$x" = a ] && y=g || x=h
    true && x=i
    false && x=j
    false || x=j
    ! x=m
    x=b & wait
    mapfile -t x <<< a
    getopts ab x -a
    trap 'x=t' EXIT
    trap 'x=t' DEBUG
    alias cat='cat -n'
    command eval x=o
    builtin eval x=p
    source /dev/stdin <<< x=r
    . /dev/stdin <<< y=s
    test -n "$x" && x=u
    x=${x:-v}
    x=${y:+w}
    x=${x/a/b}
    x=${x%b}
    x=${!x}
    x=${y@Q}
    x=$((1+1))
    x=a{b,c}
    x='a b'
    x=$y$y
    set -f
    set +f
    shopt -s nocasematch
    return
    exit
    break
    """.strip().split("\n")
).map(str.strip)


@settings(max_examples=600, deadline=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=6))
def test_a_variable_is_what_bash_leaves_in_it(statements: list[str]) -> None:
    before = "\n".join(statements) + "\n"
    check('"f$x"', before)
    check("f$y", before)
