"""The corpus of shell texts that try to get past, judged by their effects, and rewritten."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway.facts.shell import builtins, read
from gateway.model import Effect

ROWS = YAML(typ="safe").load((Path(__file__).parent / "ssh.yaml").read_text())
DANGEROUS = [row for row in ROWS if row["verdict"] == "block" and "before" not in row]
BLOCKED = {Effect.DESTRUCTIVE, Effect.PRIVILEGE}
ALLOWED = {Effect.READ, Effect.SESSION}
RANK = {"allow": 0, "hold": 1, "block": 2}


def verdict(effects: frozenset[Effect]) -> str:
    if effects & BLOCKED:
        return "block"
    return "allow" if effects <= ALLOWED else "hold"


@pytest.mark.parametrize("row", ROWS, ids=[row["shell"][:70] for row in ROWS])
def test_nothing_gets_past_and_nothing_harmless_is_stopped(row):
    facts = read(row["shell"], before=row.get("before", ()))
    assert {Effect(effect) for effect in row["effects"]} <= facts.effects
    assert verdict(facts.effects) == row["verdict"], sorted(facts.effects)
    assert facts.complete == (Effect.UNKNOWN not in facts.effects)


def test_more_than_a_third_of_the_corpus_is_harmless():
    assert sum(row["verdict"] == "allow" for row in ROWS) > len(ROWS) / 3


@pytest.mark.parametrize(
    "wrapper",
    ["$( {})", "echo {{}}; {}", "sudo bash -c {quoted}", "env bash -c {quoted}", "true && {{ {}\n}}", "if true; then {}\nfi", "( {}\n)", "eval {quoted}", "timeout 9 sh -c {quoted}"],
)  # fmt: skip
def test_no_wrapping_lowers_a_verdict(wrapper):
    for row in DANGEROUS:
        text = row["shell"]
        if "<<" in text or "`" in text or text.endswith("&") or "#" in text:
            continue
        wrapped = (
            wrapper.replace("{quoted}", shlex.quote(text)) if "{quoted}" in wrapper else wrapper.format(text)
        )
        assert RANK[verdict(read(wrapped).effects)] >= RANK["block"], wrapped


OF_THE_SHELL = (builtins.HANDLERS.keys() - {"kill", "echo"}) | {
    "coproc",
    "if",
    "for",
    "while",
    "until",
    "case",
    "select",
    "function",
    "time",
}
PLAIN = {
    row["shell"]: row["verdict"]
    for row in ROWS
    if row["verdict"] != "allow" and "before" not in row and re.fullmatch(r"[\w./:-]+(?: [\w./:=-]+)*", row["shell"])
    and row["shell"].split()[0] not in OF_THE_SHELL
}  # fmt: skip
"""Commands of plain words, which may be spelled in many ways."""


def spellings(word: str, cut: int) -> list[str]:
    start, end = word[:cut], word[cut:]
    return [
        word,
        f"'{word}'",
        f'"{word}"',
        f"{start}''{end}",
        f'{start}""{end}',
        f"{start}\\\n{end}",
        f"{start}$'{end}'",
        f"{start}$@{end}",
        "$'" + "".join(f"\\x{ord(c):02x}" for c in word) + "'",
        "$'" + "".join(f"\\{ord(c):03o}" for c in word) + "'",
        # what echo takes for its own option it does not say
        *(() if re.fullmatch(r"-[neE]+", word) else (f"$(echo {word})", f"`echo {word}`")),
        f"$(printf %s {word})",
        f"${{never_set:-{word}}}",
        f"{{{word},}}",
    ]


WRAPPED = ["{}", "command {}", "exec {}", "time {}", "! {}", "nohup {}", "env {}", "nice {}", "timeout 9 {}", "x=1 {}", "({})", "{{ {}; }}", "true && {}", "$({})", "eval {}", "{} &", "ls; {}", "ls | {}"]  # fmt: skip


@st.composite
def respelled(draw):
    plain = draw(st.sampled_from(sorted(PLAIN)))
    words = [
        draw(st.sampled_from(spellings(word, draw(st.integers(0, len(word)))))) for word in plain.split()
    ]
    text = draw(st.sampled_from([" ", "\t", "  ", " \\\n "])).join(words)
    return plain, draw(st.sampled_from(WRAPPED)).format(text)


@settings(max_examples=600, deadline=None)
@given(respelled())
def test_no_spelling_lowers_a_verdict(spelled):
    plain, text = spelled
    assert RANK[verdict(read(text).effects)] >= RANK[PLAIN[plain]], text


@pytest.mark.parametrize(
    "text", ["r${never_set}m -rf /srv", "${never_set}rm -rf /srv", "shut$never_set; shutdown now"]
)
def test_what_nothing_set_is_most_likely_empty(text):
    assert verdict(read(text).effects) == "block"


@pytest.mark.parametrize(
    "word", ["r''m", "r\\m", "$'\\x72m'", "$'\\162m'", '"r"m', "r\\\nm", "{rm,}", "$(echo rm)", "`echo rm`"]
)
def test_bash_itself_spells_rm_there(word):
    printed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, text=True, check=True)
    assert printed.stdout == "rm"
    assert verdict(read(f"{word} -rf /srv").effects) == "block"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="$(){}`'\"\\<>|&; \nab=[]!#*")))
def test_arbitrary_text_never_raises(text):
    facts = read(text)
    assert facts.complete == (Effect.UNKNOWN not in facts.effects)


@pytest.mark.parametrize(
    "text", ["x" * 10_000_000, "$(" * 100_000, "$(" * 30_000, "a|" * 30_000, "cat " + "/a" * 30_000, "a=xx;" + "a=$a$a;" * 100, "\0", "\ud800", "((" * 9_000],
    ids=["long", "deep", "deep and short", "pipes", "path", "doubling", "nul", "surrogate", "arithmetic"],
)  # fmt: skip
def test_hostile_text_is_unknown(text):
    assert Effect.UNKNOWN in read(text).effects
