"""Files that mean something else to another reader, or cost more than they are worth: refused, with place and fix."""

from __future__ import annotations

import os

import pytest

from gateway.policy.file import PolicyFileError, parse_bytes
from gateway.policy.lint import warnings
from gateway.policy.live import LivePolicy
from tests.policy.house import MINIMAL, reloaded

BLOCK = 'then: {block: "No."}'


def rule(text: str) -> str:
    return MINIMAL.replace("default:", f"  - {text}\ndefault:")


def when(condition: str) -> str:
    return rule(f"{{name: x, when: {{{condition}}}, {BLOCK}}}")


@pytest.fixture
def refused(vocabulary):
    def refuse(data: str | bytes) -> str:
        encoded = data.encode() if isinstance(data, str) else data
        with pytest.raises(PolicyFileError) as error:
            parse_bytes(encoded, "p.yaml", vocabulary)
        return str(error.value)

    return refuse


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINIMAL.replace("credential: {", "credential: &a {"), "6:17: `&a` would be a YAML anchor"),
        (MINIMAL + "masks: *a\n", "`*a` would be a YAML alias"),
        (rule("{<<: {name: x}, then: {block: a}}"), "merge keys are not understood"),
        (rule("{name: !!python/object:os.system x, then: {block: a}}"), "YAML tags such as"),
        (rule("{name: !x x, then: {block: a}}"), "YAML tags such as `!x`"),
        (MINIMAL + "default: hold\n", "10:1: default: `default` is already there, in line 9"),
        (rule("{name: x, name: y, then: {block: a}}"), "`name` is already there"),
        (when("labels: {1: a, '1': b}"), "`1` is already there"),
        (rule("{? [a]: b}"), "a key must be a word"),
        (rule("{~: b, name: x, then: {block: a}}"), "unknown key `null`"),
        (rule("{name: \u0430dmin, then: {block: a}}"), "cannot name a rule"),
        (rule("{name: scope, then: {block: a}}"), "how the gateway names its own decisions"),
        (rule("{name: 'grant:x', then: {block: a}}"), "cannot name a rule"),
        (MINIMAL + "---\n" + MINIMAL, "a second document begins here"),
        (MINIMAL + "...\nfoo: bar\n", "a second document begins here"),
        (rule("{name: x, then: {allow: yes}}"), "must be true or false, not the text `yes`"),
        (when("min_depth: 0o1"), "a whole number"),
        (when("min_depth: 1.0"), "a whole number"),
        (when("min_depth: " + "9" * 500), "a whole number"),
        (MINIMAL + "\tfoo: bar\n", "a tab stands where spaces indent"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "nested deeper than 32"),
        (MINIMAL + "#" * 1_100_000, "larger than 1024 KiB"),
        (rule('{name: x, then: {block: "a\\u202eb"}}'), "a character that nobody sees, U+202E"),
        (rule('{name: x, then: {block: "a\\x1b[31mb"}}'), "a character that nobody sees, U+001B"),
        (rule('{name: x, then: {block: "\\ud800"}}'), "half a character"),
        (MINIMAL + "\0", "U+0000 may not stand in a policy"),
        (MINIMAL.encode("utf-16"), "this is not UTF-8"),
        (when("agents: 'a[b]'"), "`[` means nothing in a pattern"),
        (when("agents: 'a{b,c}'"), "`{` means nothing in a pattern"),
        (when("agents: '!a'"), "`!` means nothing in a pattern"),
        (when("resources: '(?i)a'"), "`(` means nothing in a pattern"),
        (when("resources: 'path:/orders/{id}'"), "`{` means nothing in a pattern"),
        (when('agents: "a\\nb"'), "a pattern holds no blanks"),
        (when("resources: '/etc/**'"), "write path: (of HTTP), file: or k8s: before it"),
        (when("resources: 'prod/secrets/*'"), "write path: (of HTTP), file: or k8s: before it"),
        (when("resources: 'path:admin/**'"), "write path:/admin/**"),
        (when("resources: ':a'"), "names no resource"),
        (rule("{name: x, when: , then: {block: a}}"), "must be a mapping"),
        ("", "the file is empty"),
        ("hello", "must be a mapping"),
    ],
)
def test_what_could_be_read_otherwise_is_refused(refused, text, says) -> None:
    assert says in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + MINIMAL,
        MINIMAL.replace("\n", "\r\n"),
        "%YAML 1.2\n---\n" + MINIMAL + "...\n",
        rule('{name: x, then: {block: "🤷‍♂️ Nein, größer nicht.\\nAsk a DBA."}}'),
        when(
            "resources: ['program:g++', 'table:public.*', 'file:/etc/**', 'file:notes.txt', 'host:*.internal']"
        ),
    ],
)
def test_what_is_only_unusual_is_read(vocabulary, text) -> None:
    assert parse_bytes(text.encode(), "p.yaml", vocabulary).rules[0].name == "reads"


def test_a_kind_that_nothing_has_is_doubtful(vocabulary) -> None:
    policy = parse_bytes(when("resources: 'tabel:orders'").encode(), "p.yaml", vocabulary)
    assert [fault.message for fault in warnings(policy) if fault.key == "rules[1].when.resources"] == [
        "no command is known to touch a `tabel`; did you mean `table`?"
    ]


def test_a_change_in_place_that_keeps_size_and_time_is_seen(vocabulary, tmp_path) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(MINIMAL)
    live = LivePolicy(path, vocabulary=vocabulary, on_error=pytest.fail)
    before = path.stat()
    path.write_text(MINIMAL.replace("default: block", "default: hold "))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert live.changed()
    assert reloaded(live) is None
    assert live.current.version != parse_bytes(MINIMAL.encode(), "", vocabulary).version


def test_a_file_that_changes_while_it_is_read_is_read_again(vocabulary, tmp_path) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(MINIMAL)
    live = LivePolicy(path, vocabulary=vocabulary, on_error=pytest.fail)
    path.write_text(MINIMAL.replace("block", "hold"))
    found = live.read()
    path.write_text(MINIMAL.replace("block", "hold # again"))
    assert live.take(found) is None
    assert live.changed()
