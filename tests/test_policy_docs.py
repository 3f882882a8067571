"""docs/policy.md says what the code does: every key, default, name and sample in it is tried."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import orjson
import pytest

from gateway.commands.explain import Explainer, explain_line
from gateway.model import Effect
from gateway.policy.conditions import CONDITIONS
from gateway.policy.examples import failures
from gateway.policy.expressions import DEEPEST, FUNCTIONS, LONGEST
from gateway.policy.file import SECTIONS, PolicyFileError, load, parse
from gateway.policy.identities import Binding, OidcProvider, PeopleGrant, SamlProvider
from gateway.policy.lint import warnings
from gateway.policy.model import Limits, Policy
from gateway.vocabulary import known

ROOT = Path(__file__).parents[1]
DOC = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"`([^`\n]+)`", DOC))
BLOCKS = re.findall(r"```(\S*)(?: (\S+))?\n(.*?)```", DOC, re.DOTALL)
SAMPLE = next(text for language, kind, text in BLOCKS if (language, kind) == ("yaml", ""))
RULES = next(text for language, kind, text in BLOCKS if (language, kind) == ("yaml", "rules"))
STORES = next(text for language, kind, text in BLOCKS if (language, kind) == ("yaml", "secrets"))
RECIPES = [text for language, kind, text in BLOCKS if (language, kind) == ("yaml", "recipe")]


def section(title: str) -> str:
    return re.split(r"^## ", DOC.split(f"\n## {title}")[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> dict[str, list[str]]:
    """First column of the tables in `text` (each name in it) -> the other columns."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            first, *rest = [cell.strip() for cell in line.strip("|").split("|")]
            found.update(dict.fromkeys(re.findall(r"`([^`]+)`", first), rest))
    return found


KEYS = {
    "connections.c": ("connections:\n  c: {zzz: 1}", "connections"),
    "credential": ("connections:\n  c: {credential: {zzz: 1}}", "connections"),
    "channels": ("connections:\n  c: {channels: {zzz: 1}}", "connections"),
    "agents": ("agents:\n  a: {zzz: 1}", "agents"),
    "groups": ("groups:\n  g: {zzz: 1}", "groups, operators"),
    "identity": ("identity: {zzz: 1}", "identity"),
    "identity.providers": ("identity:\n  providers:\n    a: {zzz: 1}", "identity"),
    "identity.providers.saml": (
        "identity:\n  providers:\n    a: {saml: file:x, domains: [x.example], zzz: 1}",
        "identity",
    ),
    "identity.people": ("identity:\n  people:\n    a: {zzz: 1}", "identity"),
    "identity.workloads": ("identity:\n  workloads:\n    a: {zzz: 1}", "identity"),
    "identity.rules": ("identity:\n  workloads:\n    a: {rules: [{zzz: 1}]}", "identity"),
    "elevations": ("connections: {}\nelevations: [{zzz: 1}]", "elevations"),
    "masks": ("masks:\n  m: {zzz: 1}", "masks"),
    "detectors": ("detectors:\n  d: {zzz: 1}", "detectors"),
    "roles": (
        "connections:\n  c: {protocol: postgres, credential: {user: u, roles: {zzz: 1}}}",
        "connections",
    ),
    "secrets": ("secrets: {zzz: 1}", "secrets"),
    "vault": ("secrets: {vault: {zzz: 1}}", "secrets"),
    "aws": ("secrets: {aws: {zzz: 1}}", "secrets"),
    "auth": ("secrets: {vault: {address: 'https://v', auth: {zzz: 1, yyy: 1}}}", "secrets"),
    "approle": ("secrets: {vault: {address: 'https://v', auth: {approle: {zzz: 1}}}}", "secrets"),
    "service_account": (
        "secrets: {vault: {address: 'https://v', auth: {service_account: {zzz: 1}}}}",
        "secrets",
    ),
    "retention": ("retention: {zzz: 1}", "retention"),
    "limits": ("limits: {zzz: 1}", "limits"),
    "rule": ("connections: {}\nrules: [{zzz: 1}]", "rules"),
    "when": ("connections: {}\nrules: [{when: {zzz: 1}}]", "rules"),
    "then": ("connections: {}\nrules: [{then: {zzz: 1}}]", "rules"),
    "hold": ("connections: {}\nrules: [{then: {hold: {zzz: 1}}}]", "rules"),
    "for_a_while": (
        "connections: {}\nrules: [{then: {hold: {approvers: '*', for_a_while: {zzz: 1}}}}]",
        "rules",
    ),
    "examples": ("connections: {}\nexamples: [{zzz: 1}]", "examples"),
    **{
        name: (f"{name}: {{zzz: 1}}", "slack, bot, api, tls, tokens")
        for name in ("slack", "bot", "api", "tls", "tokens")
    },
}
DOTTED = {"identity", "slack", "bot", "api", "tls", "tokens"}
"""Sections whose keys are documented with the section's name before them."""


def test_the_sample_of_stores_is_read_and_each_place_of_a_secret_is_one() -> None:
    assert parse(f"{SAMPLE}{STORES}", "policies.yaml", known()).secrets.vault is not None
    places = list(rows(section("secrets").partition("Variables and files")[0]))
    assert len(places) == 5
    for place in places:
        parse(SAMPLE.replace("env:ORDERS_PASSWORD", place) + STORES, "policies.yaml", known())


@pytest.mark.parametrize("name", KEYS)
def test_every_key_of_a_section_is_documented_there(name: str) -> None:
    text, where = KEYS[name]
    with pytest.raises(PolicyFileError) as refused:
        parse(text, "policies.yaml", known())
    (said,) = [fault.message for fault in refused.value.errors if "unknown key `zzz`" in fault.message]
    keys = said.partition("one of: ")[2].removesuffix(", ...").split(", ")
    assert keys
    documented = section(where)
    for key in keys:
        dotted = f"{name}.{key}" if name in DOTTED else key
        assert re.search(rf"`{re.escape(dotted)}\b", documented), (
            f"{key} of {name} is missing in `## {where}`"
        )


def test_every_section_condition_effect_and_name_is_documented() -> None:
    headings = set(re.findall(r"[\w]+", " ".join(re.findall(r"^## (.*)$", DOC, re.MULTILINE))))
    assert set(SECTIONS) <= headings
    vocabulary = known()
    for names in (CONDITIONS, Effect, vocabulary.attributes, vocabulary.detectors, vocabulary.strategies):
        assert {str(name) for name in names} <= WORDS
    assert set(vocabulary.protocols) <= set(re.findall(r"`([^`]+)`", section("connections")))


def test_no_condition_limit_or_attribute_is_documented_that_does_not_exist() -> None:
    limits = {field.name for field in dataclasses.fields(Limits)} - {"wire"}
    limits |= {field.name for field in dataclasses.fields(Limits().wire)}
    assert set(rows(section("limits"))) == limits
    sql = {name for name in known().attributes if name.startswith("sql.")}
    assert {name for name in rows(section("rules")) if name.startswith("sql.")} == sql
    assert set(rows(section("agents"))) == {
        "secret",
        "scope",
        "max_depth",
        "person",
        "persons",
        "ttl",
        "bound",
        "reuse",
        "keys",
    }
    assert rows(section("agents"))["reuse"][0] == Binding().reuse


@pytest.mark.parametrize("key", rows(section("limits")))
def test_defaults_of_limits_are_what_the_doc_says(key: str) -> None:
    said = rows(section("limits"))[key][0]
    spelled = parse(f"{SAMPLE}limits: {{{key}: {said}}}\n", "policies.yaml", known()).limits
    assert spelled == Limits(), f"{key} is not {said}"


@pytest.mark.parametrize(
    ("where", "key", "line"),
    [
        ("retention", "recordings", "retention: {{recordings: {}}}"),
        ("retention", "required", "retention: {{required: {}}}"),
        ("secrets", "refresh", "secrets: {{refresh: {}}}"),
        ("secrets", "stale", "secrets: {{stale: {}}}"),
        ("identity", "identity.remembered", "identity: {{remembered: {}}}"),
        ("slack, bot, api, tls, tokens", "slack.approvals", 'slack: {{approvals: "{}"}}'),
        ("slack, bot, api, tls, tokens", "slack.audit", 'slack: {{audit: "{}"}}'),
        (
            "slack, bot, api, tls, tokens",
            "slack.match_people_by_email",
            "slack: {{match_people_by_email: {}}}",
        ),
        ("slack, bot, api, tls, tokens", "bot.credential", "bot: {{credential: {}}}"),
        ("slack, bot, api, tls, tokens", "api.listen", "api: {{listen: {}}}"),
        ("slack, bot, api, tls, tokens", "tokens.ttl", "tokens: {{ttl: {}}}"),
        ("slack, bot, api, tls, tokens", "tokens.max_ttl", "tokens: {{max_ttl: {}}}"),
    ],
)
def test_other_defaults_are_what_the_doc_says(where: str, key: str, line: str) -> None:
    said = rows(section(where))[key][0]
    assert said
    spelled, silent = (
        parse(f"{SAMPLE}{more}\n", "policies.yaml", known()) for more in (line.format(said), "")
    )
    for field in dataclasses.fields(Policy):
        if field.name not in {"version", "places"}:
            assert getattr(spelled, field.name) == getattr(silent, field.name)


def test_the_sample_holds_without_a_warning() -> None:
    policy = parse(SAMPLE, "policies.yaml", known())
    assert failures(policy, known()) == []
    assert warnings(policy) == []


def test_the_identities_shown_are_understood() -> None:
    (shown,) = [text for language, kind, text in BLOCKS if (language, kind) == ("yaml", "identity")]
    policy = parse(SAMPLE + shown, "policies.yaml", known())
    assert set(policy.identity.providers) == {"okta", "corp"}
    assert isinstance(policy.identity.providers["corp"], SamlProvider)
    assert set(policy.identity.workloads) == {"github", "cluster"}
    provider = policy.identity.providers["okta"]
    own = OidcProvider(name="okta", issuer=provider.issuer, client_id=provider.client_id)
    said = rows(section("identity"))
    assert (own.scopes, own.verified) == ((said["scopes"][0],), said["verified"][0] != "false")
    assert f"(`{own.person}`)" in said["claims"][1]
    assert f"(`{own.groups}`)" in said["claims"][1]
    assert PeopleGrant(name="x").max_depth == 3
    assert PeopleGrant(name="x").ttl == 8 * 3_600


def test_the_sample_rules_do_what_they_say() -> None:
    groups = "groups:\n  dba: {members: [a@b.example]}\n  security: {members: [c@d.example]}\n"
    indented = "".join(f"  {line}\n" for line in RULES.splitlines())
    text = (
        SAMPLE.partition("rules:\n")[0].partition("groups:")[0]
        + groups
        + "rules:\n"
        + indented
        + "default: block\n"
    )
    policy = parse(text, "policies.yaml", known())
    explainer = Explainer(policy, known())

    def said(command: str, *agents: str) -> tuple[str, list[str]]:
        row = {"id": 1, "protocol": "postgres", "command": command, "agent": agents or ["a"]}
        answer = orjson.loads(explain_line(explainer, orjson.dumps(row)))
        return answer["verdict"], answer["rules"]

    assert said("UPDATE public.carts SET n = 1 WHERE id = 7") == ("allow", ["small-updates"])
    assert said("UPDATE carts SET n = 1 WHERE id = 7") == ("block", ["default"])
    assert said("UPDATE public.carts SET n = 1 WHERE id = 7", "a", "b", "c")[1] == ["deep-chains-only-read"]
    assert said("INSERT INTO payroll.runs VALUES (1)") == ("hold", ["payroll-needs-two-groups"])


@pytest.mark.parametrize("recipe", RECIPES[1:])
def test_every_recipe_does_what_its_examples_say(recipe: str) -> None:
    policy = parse(RECIPES[0] + recipe, "policies.yaml", known())
    assert len(policy.examples) >= 1
    assert failures(policy, known()) == []
    assert not [fault for fault in warnings(policy) if fault.key.startswith("rules")]
    every = set(re.findall(r"name: ([\w-]+)", recipe))
    assert {rule.name for rule in policy.rules} == every


def test_recipes_show_every_condition_of_the_moment_and_shadows_and_cel() -> None:
    shown = "".join(RECIPES)
    for word in (
        "during:",
        "outside:",
        "budget:",
        "estimated_rows:",
        "where:",
        "enforce: false",
        "ancestors:",
    ):
        assert word in shown


def test_functions_and_limits_of_expressions_are_what_the_doc_says() -> None:
    assert {f"`{name}`" for name in FUNCTIONS} <= set(re.findall(r"`\w+`", section("rules")))
    assert f"at most {LONGEST} characters" in section("recipes")
    assert DEEPEST == 2


def test_the_errors_shown_are_the_errors_told() -> None:
    shown = next(text for _, _, text in BLOCKS if text.startswith("$ countersign check"))
    broken = SAMPLE.replace("[write, ddl]", "[write, dll]").replace("default: hold", "default: allow")
    with pytest.raises(PolicyFileError) as refused:
        parse(broken, "policies.yaml", known())
    assert str(refused.value).splitlines() == shown.splitlines()[1:3]


def test_the_row_shown_is_the_row_answered() -> None:
    shown = next(text for _, _, text in BLOCKS if text.startswith('{"id"'))
    asked, answered = shown.splitlines()
    explainer = Explainer(parse(SAMPLE, "policies.yaml", known()), known())
    assert explain_line(explainer, asked.encode()).decode() == answered + "\n"


def test_the_shipped_policy_is_in_order() -> None:
    policy = load(ROOT / "policies.yaml", known())
    assert failures(policy, known()) == []
    assert warnings(policy) == []
    assert len(policy.examples) >= 10
