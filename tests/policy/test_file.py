"""Broken files: where the fault is, and what the sentence about it says."""

from __future__ import annotations

import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Effect, StepUp
from gateway.policy.credentials import SecretMissing, SecretRef
from gateway.policy.file import SECTIONS, PolicyFileError, load, parse, parse_bytes
from gateway.policy.model import (
    ANYBODY,
    Address,
    Allowing,
    AskedGroup,
    Blocking,
    Holding,
    Upstream,
)
from gateway.policy.reader import Fault
from gateway.secrets.places import read
from tests.policy.house import MINIMAL, WHOLE, patient


def test_a_whole_file_means_what_it_says(vocabulary) -> None:
    policy = parse(WHOLE, "policies.yaml", vocabulary)
    assert policy.version == hashlib.sha256(WHOLE.encode()).hexdigest()[:12]
    target = policy.targets["shop"]
    assert target.listen == Address(host="127.0.0.1", port=15432)
    assert target.upstream == Upstream(host="127.0.0.1", port=5433, database="shop", tls="disable")
    assert target.credential.password == SecretRef(source="env", name="SHOP_PASSWORD")
    assert (target.approvals_channel, target.audit_channel) == ("#approvals", "#audit-shop")
    agent = policy.agents["release-pipeline"]
    assert agent.scope == {"shop": frozenset({Effect.READ, Effect.WRITE})}
    assert (agent.person, agent.ttl, agent.max_depth) == ("maria.lopez@example.com", 1800.0, 3)
    assert policy.groups["dba"].members == ("ana.silva@example.com",)
    assert policy.operators == ("dba",)
    writes, reads = policy.rules
    assert writes.then == Holding(
        asks=(AskedGroup(approvers="dba"),), message="A DBA looks.", within=900.0, masks=("pii",)
    )
    assert reads.then == Allowing(masks=("pii",))
    assert dict(reads.when.attributes) == {"sql.has_where": (True,)}
    assert isinstance(policy.default, Holding)
    assert policy.default.asks == ANYBODY
    assert policy.masks["pii"].except_ == ("orders.id",)
    assert policy.limits.wire.command_bytes == 16 * 1024 * 1024
    assert (policy.limits.wire.statements, policy.limits.rejoin, policy.limits.connections) == (100, 30.0, 10)
    assert policy.api.listen == Address(host="::1", port=8480)
    assert policy.api.public_url == "https://countersign.example.com"
    assert policy.bot_credential == SecretRef(source="file", name="/run/bot")
    assert policy.tls is not None
    assert policy.examples[0].agents == ("a", "b")
    assert policy.places["rules[1].when.effects"] == (23, 12)


@pytest.mark.parametrize("asks", ["approvers: dba", "asks: [{approvers: dba}, {approvers: '*'}]"])
def test_a_step_up_is_of_every_ask_of_its_hold(vocabulary, asks) -> None:
    text = WHOLE.replace("approvers: dba, quorum: 1", f"{asks}, step_up: {{max_age: 5m, acr: urn:x}}")
    writes = parse(text, "policies.yaml", vocabulary).rules[0].then
    assert isinstance(writes, Holding)
    assert {ask.step_up for ask in writes.asks} == {StepUp(max_age=300.0, acr="urn:x")}


def test_what_is_left_out_has_the_documented_default(vocabulary) -> None:
    policy = parse(MINIMAL, "policies.yaml", vocabulary)
    assert policy.targets["shop"].upstream == Upstream(
        host="db.internal", port=5432, database="shop", tls="verify-full"
    )
    assert policy.targets["shop"].approvals_channel == "#approvals"
    assert policy.rules[0].when.effects == frozenset({Effect.READ}), "one value is a list of one"
    assert isinstance(policy.default, Blocking)
    assert policy.bot_credential.name == "COUNTERSIGN_BOT_TOKEN"
    assert (policy.tokens.ttl, policy.tokens.max_ttl) == (3600.0, 43200.0)


def changed(old: str, new: str) -> str:
    assert WHOLE.count(old) == 1, old
    return WHOLE.replace(old, new)


BROKEN = [
    # keys
    ("unknown section", ("retention:", "retentoin:"), 28, 1, "retentoin", "did you mean `retention`?"),
    ("unknown key", ("    max_depth: 3", "    max_deep: 3"), 14, 5, "max_deep", "did you mean `max_depth`?"),
    (
        "unknown condition",
        ("labels: {env: prod}, eff", "label: {env: prod}, eff"),
        20,
        12,
        "when.label",
        "`labels`",
    ),
    ("missing key", ("    listen: 127.0.0.1:15432\n", ""), 2, 3, "connections.shop", "`listen` is missing"),
    ("missing section", ("default: hold\n", ""), 1, 1, "", "`default` is missing"),
    (
        "duplicate key",
        ("    max_depth: 3", "    secret: env:B"),
        14,
        5,
        "secret",
        "already there, in line 11",
    ),
    ("duplicate rule", ("name: reads", "name: writes"), 22, 11, "rules[1].name", "already there, in line 19"),
    ("merge key", ("  dba: {slack", "  dba: {<<: 1, slack"), 16, 9, "<<", "repeat the keys"),
    # names
    (
        "unknown protocol",
        ("protocol: postgres", "protocol: postgers"),
        3,
        15,
        "protocol",
        "did you mean `postgres`?",
    ),
    ("unknown effect", ("[write, ddl]", "[write, dll]"), 20, 50, "effects[1]", "did you mean `ddl`?"),
    ("unknown effect in scope", ("[read, write]", "[read, wirte]"), 13, 26, "scope.shop[1]", "`write`?"),
    ("scope elsewhere", ("scope: {shop:", "scope: {shp:"), 13, 13, "scope.shp", "did you mean `shop`?"),
    (
        "unknown attribute",
        ("sql.has_where", "sql.has_were"),
        23,
        51,
        "sql.has_were",
        "did you mean `sql.has_where`?",
    ),
    (
        "undeclared group",
        ("approvers: dba", "approvers: dbas"),
        21,
        30,
        "hold.approvers",
        "did you mean `dba`?",
    ),
    (
        "undeclared operators",
        ("operators: [dba]", "operators: [sec]"),
        17,
        13,
        "operators[0]",
        "not declared",
    ),
    ("unknown mask", ("true, mask: pii", "true, mask: pi"), 24, 31, "then.mask", "did you mean `pii`?"),
    (
        "unknown detector",
        ("[email, secrets]", "[emial, secrets]"),
        27,
        18,
        "detect[0]",
        "did you mean `email`?",
    ),
    ("unknown strategy", ('"*.ssn": redact', '"*.ssn": redacted'), 27, 54, "pii.columns.*.ssn", "`redact`?"),
    ("unknown limit", ("rejoin: 30s", "rejion: 30s"), 29, 49, "limits.rejion", "did you mean `rejoin`?"),
    ("unknown expectation", ("expect: hold", "expect: held"), 36, 101, "expect", "did you mean `hold`?"),
    ("unknown rule in an example", ("rules: [writes]", "rules: [write]"), 36, 115, "rules[0]", "`writes`?"),
    ("example elsewhere", ("- {connection: shop", "- {connection: shpo"), 36, 18, "connection", "`shop`?"),
    # values
    ("literal secret", ("password: env:SHOP_PASSWORD", "password: hunter2"), 6, 43, "password", "env:NAME"),
    (
        "literal agent secret",
        ("secret: env:RELEASE_PIPELINE_SECRET", "secret: x:hunter2"),
        11,
        13,
        "secret",
        "must not",
    ),
    ("numeric secret", ("password: env:SHOP_PASSWORD", "password: 12345"), 6, 43, "password", "env:NAME"),
    ("bad variable", ("env:SHOP_PASSWORD", "env:SHOP-PASSWORD"), 6, 43, "password", "letters, digits and _"),
    ("duration without unit", ("within: 15m", "within: 15"), 21, 54, "hold.within", "did you mean `15s`?"),
    ("duration of nothing", ("within: 15m", "within: 0m"), 21, 54, "hold.within", "90s, 15m, 2h or 30d"),
    ("compound duration", ("ttl: 30m", "ttl: 1h30m"), 34, 15, "tokens.ttl", "90s, 15m, 2h or 30d"),
    ("size in MB", ("16MiB", "16MB"), 29, 25, "command_bytes", "64KiB, 16MiB or 1GiB"),
    ("number as text", ("quorum: 1", 'quorum: "1"'), 21, 43, "hold.quorum", "a whole number"),
    ("no age of a login", ("quorum: 1", "step_up: {acr: x}"), 21, 35, "hold.step_up", "`max_age` is missing"),
    ("an age without unit", ("quorum: 1", "step_up: {max_age: 300}"), 21, 54, "step_up.max_age", "`300s`?"),
    ("quorum of none", ("quorum: 1", "quorum: 0"), 21, 43, "hold.quorum", "from 1 to"),
    ("yes for true", ("{allow: true,", "{allow: yes,"), 24, 19, "then.allow", "true or false"),
    ("allow: false", ("{allow: true,", "{allow: false,"), 24, 19, "then.allow", "says nothing"),
    ("text for a number", ("max_depth: 3", "max_depth: three"), 14, 16, "max_depth", "a whole number"),
    ("number for text", ("{env: prod}\n", "{env: 1}\n"), 7, 19, "labels.env", "put it in quotes"),
    ("list for a mapping", ("bot: {credential: file:/run/bot}", "bot: []"), 31, 6, "bot", "a mapping"),
    (
        "section twice",
        ("slack: {approvals", "operators: {}\nslack: {approvals"),
        30,
        1,
        "operators",
        "already there",
    ),
    ("nothing where something is due", ("default: hold", "default:"), 25, 1, "default", "not nothing"),
    ("empty list", ("operators: [dba]", "operators: []"), 17, 12, "operators", "leave the key out"),
    ("twice in a list", ("[write, ddl]", "[write, write]"), 20, 50, "effects[1]", "already in this list"),
    ("port out of range", ("127.0.0.1:15432", "127.0.0.1:154320"), 4, 13, "listen", "127.0.0.1:15432"),
    ("no port", ("listen: 127.0.0.1:15432", "listen: 127.0.0.1"), 4, 13, "listen", "host:port"),
    ("bad IP address", ("listen: 127.0.0.1:15432", "listen: 127.0.0.256:1"), 4, 13, "listen", "no address"),
    ("bad IPv6 address", ('"[::1]:8480"', '"[::g]:8480"'), 32, 15, "api.listen", "no address"),
    ("scheme", ("upstream: postgresql:", "upstream: mysql:"), 5, 15, "upstream", "begins with postgresql://"),
    (
        "password in the address",
        ("//127.0.0.1:5433", "//a:b@127.0.0.1:5433"),
        5,
        15,
        "upstream",
        "credential",
    ),
    ("bad sslmode", (":5433/shop", ":5433/shop?sslmode=verify-ful"), 5, 15, "upstream", "`verify-full`?"),
    ("unknown parameter", (":5433/shop", ":5433/shop?sslmod=require"), 5, 15, "upstream", "`sslmode`?"),
    ("known hosts", (":5433/shop", ":5433/shop?known_hosts=k"), 5, 15, "upstream", "sslmode, sslrootcert"),
    ("no file", (":5433/shop", ":5433/shop?sslrootcert="), 5, 15, "upstream", "names no file"),
    ("port in the address", (":5433/shop", ":543300/shop"), 5, 15, "upstream", "no address"),
    ("no e-mail", ("members: [ana.silva@example.com]", "members: [ana]"), 16, 34, "members[0]", "e-mail"),
    ("handle", ('slack: "@dba"', "slack: dba"), 16, 16, "groups.dba.slack", "with @"),
    ("channel", ('audit: "#audit-shop"', "audit: audit-shop"), 8, 48, "channels.audit", "with #"),
    ("Slack user", ("U012ABCDE", "ana"), 30, 43, "people.ana", "U012AB3CD"),
    (
        "retention upside down",
        ("required: 30d", "required: 300d"),
        28,
        40,
        "required",
        "longer than `recordings`",
    ),
    ("ttl too long", ("ttl: 30m", "ttl: 3h"), 34, 15, "tokens.ttl", "longer than `max_ttl`"),
    ("public_url", ("https://countersign.example.com/", "countersign"), 32, 41, "public_url", "https://"),
    # rules
    ("two thens", ("{allow: true,", "{allow: true, block: No.,"), 24, 5, "rules[1].then", "allow and block"),
    ("no then", ("    then: {allow: true, mask: pii}\n", ""), 22, 5, "rules[1]", "`then` is missing"),
    ("empty then", ("{allow: true, mask: pii}", "{mask: pii}"), 24, 5, "rules[1].then", "say what happens"),
    (
        "mask on a block",
        ("{allow: true, mask", "{block: No., mask"),
        24,
        24,
        "then.mask",
        "no answer to mask",
    ),
    ("hold without approvers", ("approvers: dba, ", ""), 21, 12, "then.hold", "`approvers` is missing"),
    (
        "asks and approvers",
        ("quorum: 1,", "asks: [{approvers: dba}],"),
        21,
        19,
        "approvers",
        "move it into `asks`",
    ),
    ("default allows", ("default: hold", "default: allow"), 25, 10, "default", "may not allow"),
    (
        "default allows at length",
        ("default: hold", "default: {allow: true}"),
        25,
        10,
        "default",
        "may not allow",
    ),
    ("rule called default", ("name: reads", "name: default"), 22, 11, "rules[1].name", "choose another name"),
    ("rule with a blank", ("name: reads", "name: all reads"), 22, 11, "rules[1].name", "no blank"),
    (
        "connection typo",
        ("labels: {env: prod}, eff", "connections: shp, eff"),
        20,
        25,
        "connections",
        "`shop`?",
    ),
    (
        "wildcard that fits none",
        ("labels: {env: prod}, eff", "connections: prod-*, eff"),
        20,
        25,
        "connections",
        "no conn",
    ),
    (
        "SQL's wildcard",
        ("labels: {env: prod}, eff", 'resources: "pay%", eff'),
        20,
        23,
        "resources",
        "`*` (anything)",
    ),
    (
        "a regular expression",
        ("labels: {env: prod}, eff", 'agents: "^ci", eff'),
        20,
        20,
        "agents",
        "`*` (anything)",
    ),
    (
        "a resource's kind",
        ("labels: {env: prod}, eff", "resources: 'table:', eff"),
        20,
        23,
        "resources",
        "no resource",
    ),
    (
        "mixed kinds",
        ("sql.has_where: true", "sql.has_where: [true, 1]"),
        23,
        66,
        "sql.has_where",
        "different kinds",
    ),
    ("floats", ("sql.has_where: true", "sql.has_where: 1.5"), 23, 66, "sql.has_where", "a whole number"),
    # YAML
    ("tab", ("  shop:", "\tshop:"), 2, 1, "", "use spaces"),
    ("unquoted star", ('"*.ssn": redact', "*.ssn: redact"), 27, 45, "", "quotes"),
    ("alias", ("operators: [dba]", "operators: *x"), 17, 12, "", 'in quotes: "*x"'),
    ("anchor", ("operators: [dba]", "operators: &x [dba]"), 17, 12, "", "repeat the value"),
    ("tag", ("operators: [dba]", "operators: !!set [dba]"), 17, 12, "", "put the text in quotes"),
    ("two documents", ("default: hold", "default: hold\n---\nx: 1"), 26, 1, "", "one document"),
    ("colon in text", ("default: hold", "default: hold: on"), 25, 14, "", "in quotes"),
    ("control character", ("default: hold", "default: \x07hold"), 25, 10, "", "U+0007"),
    ("unclosed bracket", ("operators: [dba]", "operators: [dba"), 18, 6, "", "no YAML"),
    ("a list as key", ("operators: [dba]", "? [a]\n: b"), 17, 3, "", "a key must be a word"),
]


@pytest.mark.parametrize(
    ("change", "line", "column", "key", "says"),
    [case[1:] for case in BROKEN],
    ids=[case[0] for case in BROKEN],
)
def test_a_broken_file_is_refused_with_place_key_and_fix(vocabulary, change, line, column, key, says) -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse(changed(*change), "policies.yaml", vocabulary)
    told = [(fault.line, fault.column) for fault in refused.value.errors]
    fault = next(
        (fault for fault in refused.value.errors if (fault.line, fault.column) == (line, column)), None
    )
    assert fault is not None, f"{told}: {refused.value}"
    assert fault.key.endswith(key)
    assert says in fault.message
    assert f"policies.yaml:{line}:{column}: " in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert "12345" not in str(refused.value)


def test_one_look_finds_many_faults_in_the_files_order(vocabulary) -> None:
    text = (
        WHOLE.replace("protocol: postgres", "protocol: pg")
        .replace("[write, ddl]", "[wirte, dll]")
        .replace("within: 15m", "within: soon")
        .replace("default: hold", "default: maybe")
        .replace("30d}", "ever}")
    )
    with pytest.raises(PolicyFileError) as refused:
        parse(text, "policies.yaml", vocabulary)
    assert [fault.line for fault in refused.value.errors] == [3, 20, 20, 21, 25, 28]
    assert (refused.value.line, refused.value.key) == (3, "connections.shop.protocol")
    assert str(refused.value).count("\n") == 5


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "[]\n", "rules\n", "{}\n", "1\n"])
def test_a_file_that_says_nothing_is_refused(vocabulary, text) -> None:
    with pytest.raises(PolicyFileError):
        parse(text, "policies.yaml", vocabulary)


def test_hostile_sizes_are_refused_quickly(vocabulary) -> None:
    deep = "a: " + "[" * 20_000
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\n"
    large = WHOLE + "#" * (1024 * 1024)
    for text, says in ((deep, "nested deeper"), (bomb, "anchor"), (large, "larger than 1024 KiB")):
        with pytest.raises(PolicyFileError, match=says):
            parse(text, "policies.yaml", vocabulary)


def test_bytes_that_are_no_utf8_have_a_place_too(vocabulary) -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse_bytes(b"connections:\n  caf\xe9: {}\n", "policies.yaml", vocabulary)
    assert (refused.value.line, refused.value.column) == (2, 6)
    assert parse_bytes(b"\xef\xbb\xbf" + WHOLE.encode(), "policies.yaml", vocabulary).rules


def test_a_file_that_cannot_be_read_is_a_fault_of_the_file(tmp_path, vocabulary) -> None:
    with pytest.raises(PolicyFileError, match="No such file"):
        load(tmp_path / "none.yaml", vocabulary)
    with pytest.raises(PolicyFileError, match="cannot be read"):
        load(tmp_path, vocabulary)
    path = tmp_path / "policies.yaml"
    path.write_text(WHOLE)
    assert load(path, vocabulary).version == parse(WHOLE, "", vocabulary).version


def faults_of(text: str, vocabulary) -> tuple[Fault, ...] | None:
    """None where `text` is a policy; whatever else goes wrong is not caught."""
    try:
        parse(text, "policies.yaml", vocabulary)
    except PolicyFileError as error:
        return error.errors
    return None


lines = st.sampled_from(WHOLE.splitlines())
marks = st.sampled_from(
    [*"{}[]:,-&*!|>'\"%@`#?~", "<<", "true", "null", "\t", "  ", "a: b", "é", "\x00", "\ud800"]
)


@patient
@given(
    st.lists(st.one_of(lines, marks, st.sampled_from(SECTIONS)), max_size=12),
    st.sampled_from(["\n", "", "\n  "]),
)
def test_whatever_stands_in_the_file_it_is_a_policy_or_a_policy_file_error(vocabulary, parts, glue) -> None:
    faults = faults_of(glue.join(parts), vocabulary)
    assert faults is None or faults
    assert all(fault.line >= 1 and fault.column >= 1 and fault.message for fault in faults or ())


@patient
@given(st.integers(0, len(WHOLE) - 1), marks, st.integers(0, 3))
def test_one_slip_of_the_keyboard_never_breaks_the_reader(vocabulary, at, mark, cut) -> None:
    faults = faults_of(WHOLE[:at] + mark + WHOLE[at + cut :], vocabulary)
    assert faults is None or faults


@patient
@given(st.integers(1, 10**6), st.sampled_from("smhd"))
def test_durations_are_seconds(vocabulary, number, unit) -> None:
    policy = parse(WHOLE.replace("rejoin: 30s", f"rejoin: {number}{unit}"), "", vocabulary)
    assert policy.limits.rejoin == number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def test_secrets_are_read_where_they_are_and_never_shown(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("A_SECRET", "s3cret\n")
    variable = SecretRef(source="env", name="A_SECRET")
    assert read(variable) == "s3cret"
    assert "s3cret" not in repr(variable) + str(variable)
    monkeypatch.delenv("A_SECRET")
    with pytest.raises(SecretMissing, match="A_SECRET"):
        read(variable)
    path = tmp_path / "secret"
    kept = SecretRef(source="file", name=os.fspath(path))
    for content in (None, b"", b"\n", b"\xff"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SecretMissing, match="secret"):
            read(kept)
    path.write_bytes(b"two\nlines\n")
    assert read(kept) == "two\nlines"
