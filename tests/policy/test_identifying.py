"""The section `identity`: what it means, and every way to get it wrong with its place. The schema agrees."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from gateway.__main__ import main
from gateway.model import Effect
from gateway.policy.file import PolicyFileError, parse
from gateway.policy.identities import Binding, OidcProvider, SamlProvider
from gateway.policy.lint import warnings
from gateway.policy.schema import schema
from gateway.vocabulary import known
from tests.policy.house import WHOLE

SCHEMA = jsonschema.Draft202012Validator(schema(known()))
HEAD = WHOLE.partition("examples:")[0]
IDENTITY = """\
identity:
  remembered: 6h
  providers:
    okta:
      oidc: https://shop.okta.com
      client_id: 0oa1
      client_secret: env:OKTA_SECRET
      scopes: [email, groups]
      claims: {person: upn, groups: roles}
      domains: [Example.com]
      verified: true
      ca: /etc/okta.pem
    corp:
      saml: https://login.corp.example/metadata.xml?appid=7
      entity_id: https://login.corp.example/
      attributes: {person: mail, groups: memberOf}
      domains: [corp.example]
      key: file:/etc/saml.pem
      ca: /etc/corp.pem
  people:
    all: {scope: {shop: read}}
    dbas: {groups: dba, scope: {shop: [read, ddl]}, max_depth: 2, ttl: 2h, bound: [address, session], reuse: revoke}
  workloads:
    github:
      issuer: https://token.actions.githubusercontent.com
      audience: countersign
      once: true
      max_age: 10m
      rules:
        - when: {repository: acme/*, run_attempt: 1, protected: true}
          agent: release-pipeline
          scope: {shop: read}
          person: actor_email
    cluster:
      issuer: https://kubernetes.default.svc
      audience: countersign
      keys: file:/etc/jwks.json
      ca: /etc/cluster.pem
      rules: [{when: {kubernetes.io/namespace: [ci, cd]}, agent: release-pipeline}]
"""
WHERE = HEAD.count("\n")


def read(identity: str):
    return parse(HEAD + identity, "policies.yaml", known())


def valid(identity: str) -> bool:
    document = YAML(typ="safe", pure=True).load(io.StringIO(HEAD + identity))
    return bool(SCHEMA.is_valid(document))


def test_it_says_whose_word_is_taken() -> None:
    identity = read(IDENTITY).identity
    assert valid(IDENTITY)
    assert identity.remembered == 6 * 3_600
    okta = identity.providers["okta"]
    assert isinstance(okta, OidcProvider)
    assert (okta.issuer, okta.client_id, str(okta.client_secret)) == (
        "https://shop.okta.com",
        "0oa1",
        "env:OKTA_SECRET",
    )
    assert (okta.person, okta.groups, okta.domains, okta.verified) == ("upn", "roles", ("example.com",), True)
    corp = identity.providers["corp"]
    assert isinstance(corp, SamlProvider)
    assert (corp.metadata, corp.entity_id) == (
        "https://login.corp.example/metadata.xml?appid=7",
        "https://login.corp.example/",
    )
    assert (corp.person, corp.groups, corp.domains) == ("mail", "memberOf", ("corp.example",))
    assert str(corp.key) == "file:/etc/saml.pem"
    everybody, dbas = identity.people
    assert (everybody.groups, everybody.scope) == ((), {"shop": {Effect.READ}})
    assert (dbas.groups, dbas.max_depth, dbas.ttl) == (("dba",), 2, 7_200)
    assert dbas.binding == Binding(to=frozenset({"address", "session"}), reuse="revoke")
    assert everybody.binding == Binding(to=frozenset(), reuse="refuse")
    (rule,) = identity.workloads["github"].rules
    assert rule.when["repository"].match("acme/shop")
    assert not rule.when["repository"].match("acme-evil/shop")
    assert rule.when["run_attempt"].match("1")
    assert rule.when["protected"].match("true")
    assert (rule.scope, rule.person) == ({"shop": {Effect.READ}}, "actor_email")
    assert identity.workloads["cluster"].keys == "file:/etc/jwks.json"


def test_a_file_without_it_trusts_nobody_else() -> None:
    assert read("").identity.providers == {}
    assert read("").identity.workloads == {}
    assert read("").identity.people == ()


BY_BOTH = [
    ("remembered: 6h", "remembered: 6", "a duration"),
    ("    okta:\n", "    Okta_1:\n", "use a-z, 0-9 and -"),
    ("oidc: https://shop.okta.com", "oidc: shop.okta.com", "cannot be an issuer"),
    ("oidc: https://shop.okta.com", "oidc: https://shop.okta.com?x=1", "cannot be an issuer"),
    ("oidc: https://shop.okta.com", "oidc: https://user@shop.okta.com", "cannot be an issuer"),
    ("oidc: https://shop.okta.com", "oidc: https://ѕhop.okta.com", "cannot be an issuer"),
    ("oidc: https://shop.okta.com", "oidc: ftp://shop.okta.com", "cannot be an issuer"),
    ("      client_id: 0oa1\n", "", "`client_id` is missing"),
    ("client_secret: env:OKTA_SECRET", "client_secret: hunter2", "must not stand in the policy"),
    ("claims: {person: upn", "claims: {persons: upn", "unknown key `persons`"),
    ("      domains: [corp.example]\n", "", "`domains` is missing"),
    ("attributes: {person: mail", "attributes: {persons: mail", "unknown key `persons`"),
    ("entity_id: https://login.corp.example/", "client_id: x", "unknown key `client_id`"),
    (
        "saml: https://login.corp.example/metadata.xml",
        "saml: /etc/corp.xml #",
        "cannot be the place of metadata",
    ),
    ("saml: https://login.corp.example/metadata.xml?appid=7", "saml: 'file:'", "needs a path"),
    ("scope: {shop: read}}", "scop: {shop: read}}", "did you mean `scope`?"),
    ("max_depth: 2", "max_depth: 0", "out of range"),
    ("bound: [address, session]", "bound: addres", "did you mean `address`?"),
    ("reuse: revoke", "reuse: kill", "what can become of it"),
    ("bound: [address, session], reuse", "reuse", "add `bound: address`"),
    ("bound: [address, session], reuse", "bound: proof, reuse", "add `bound: address`"),
    ("bound: [address, session]", "bound: [address, dpop]", "what a token can be bound to"),
    ("audience: countersign\n      once", "once", "`audience` is missing"),
    ("agent: release-pipeline\n", "agnet: release-pipeline\n", "did you mean `agent`?"),
    ("keys: file:/etc/jwks.json", "keys: /etc/jwks.json", "cannot be the place of keys"),
    ("keys: file:/etc/jwks.json", "keys: 'file:'", "needs a path"),
    ("once: true", "once: yes please", "true or false"),
    ("repository: acme/*", "repository: []", "this list is empty"),
    ("{kubernetes.io/namespace: [ci, cd]}", "{iss: https://kubernetes.default.svc}", "does not tell"),
    ("{kubernetes.io/namespace: [ci, cd]}", "{aud: countersign, sub: x}", "does not tell"),
    ("{kubernetes.io/namespace: [ci, cd]}", "{}", "every token of this issuer"),
    ("rules: [{when", "rules: [] # [{when", "list is empty"),
]
BY_CHECK = [
    ("saml: https://login", "saml: http://login", "write https://"),
    ("oidc: https://shop.okta.com", "oidc: http://shop.okta.com", "write https://"),
    ("oidc: https://shop.okta.com", "oidc: https://shop.okta.com:99999", "cannot be an issuer"),
    ("domains: [Example.com]", "domains: ['@example.com']", "no domain"),
    ("groups: dba", "groups: dbas", "did you mean `dba`?"),
    ("{shop: [read, ddl]}", "{shp: [read, ddl]}", "did you mean `shop`?"),
    ("agent: release-pipeline\n", "agent: release\n", "did you mean `release-pipeline`?"),
    ("{shop: read}\n          person", "{shop: [read, ddl]}\n          person", "itself has less on shop"),
    (
        "issuer: https://kubernetes.default.svc",
        "issuer: https://token.actions.githubusercontent.com",
        "has this",
    ),
    ("{kubernetes.io/namespace: [ci, cd]}", "{kubernetes.io/namespace: '*'}", "every token of this issuer"),
    ("{kubernetes.io/namespace: [ci, cd]}", "{sub: ['?*', ci]}", "every token of this issuer"),
]


@pytest.mark.parametrize(("old", "new", "says"), BY_BOTH + BY_CHECK)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, says: str) -> None:
    assert old in IDENTITY
    with pytest.raises(PolicyFileError) as refused:
        read(IDENTITY.replace(old, new, 1))
    told = [fault for fault in refused.value.errors if says in fault.message]
    assert told, refused.value
    assert all(fault.line > WHERE and fault.key.startswith("identity.") for fault in told)


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, new, _ in BY_BOTH])
def test_the_schema_refuses_it_too(old: str, new: str) -> None:
    assert not valid(IDENTITY.replace(old, new, 1))


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:4010", "http://localhost:4010/tenant", "http://[::1]:4010"]
)
def test_a_provider_on_this_machine_needs_no_tls(host: str) -> None:
    changed = IDENTITY.replace("https://shop.okta.com", host)
    assert read(changed).identity.providers["okta"].issuer == host
    assert valid(changed)


def test_an_agent_is_not_called_as_a_person_is() -> None:
    with pytest.raises(PolicyFileError, match="a person's address"):
        parse(WHOLE.replace("  release-pipeline:", "  maria@example.com:"), "policies.yaml", known())


def test_a_group_may_be_what_identity_providers_say() -> None:
    changed = HEAD.replace('{slack: "@dba", members: [ana.silva@example.com]}', "{claim: [db-admins, dba]}")
    policy = parse(changed + IDENTITY, "policies.yaml", known())
    assert policy.groups["dba"].claim == ("db-admins", "dba")
    assert not [each for each in warnings(policy) if "dba" in str(each)]
    (doubt,) = [each for each in warnings(parse(changed, "policies.yaml", known())) if "dba" in str(each)]
    assert "nobody can log in" in str(doubt)


def test_grants_without_a_provider_are_doubtful() -> None:
    people = "identity: {people: {all: {scope: {shop: read}}}}\n"
    assert [str(each) for each in warnings(read(people)) if "identity.people.all" in str(each)]


def test_a_grant_to_whoever_logs_in_anywhere_is_doubtful() -> None:
    def doubts(identity: str) -> list[str]:
        return [str(each) for each in warnings(read(identity)) if "vouches for" in str(each)]

    assert doubts(IDENTITY) == []
    (doubt,) = doubts(IDENTITY.replace("      domains: [Example.com]\n", ""))
    assert "identity.people.all" in doubt


def test_an_agent_needs_no_secret_where_a_workload_s_token_will_do() -> None:
    bare = HEAD.replace("    secret: env:RELEASE_PIPELINE_SECRET\n", "")
    assert [each for each in warnings(parse(bare, "policies.yaml", known())) if "no secret" in str(each)]
    policy = parse(bare + IDENTITY, "policies.yaml", known())
    assert not [each for each in warnings(policy) if "no secret" in str(each)]


def test_check_says_what_it_means(tmp_path, capsys) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(HEAD + IDENTITY)
    assert main(["check", str(path)]) == 0
    out = capsys.readouterr().out
    for line in (
        "provider okta: vouches for addresses of example.com",
        "people all (whoever logs in): shop: read",
        "people dbas (dba): shop: ddl, read",
        "workload github with repository acme/* and run_attempt 1 and protected true is release-pipeline: shop: read",
        "workload cluster with kubernetes.io/namespace ci or cd is release-pipeline",
    ):
        assert f"  {line}\n" in out
    assert main(["check", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["identity"]["workloads"][0]["agents"] == ["release-pipeline"]
    assert said["identity"]["people"][1]["groups"] == ["dba"]


def test_the_shipped_file_shows_one_that_holds() -> None:
    text = (Path(__file__).parents[2] / "policies.yaml").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    at = lines.index("# identity:\n")
    until = lines.index("\n", at)
    shown = [line.removeprefix("# ") for line in lines[at:until]]
    policy = parse("".join([*lines[:at], *shown, *lines[until:]]), "policies.yaml", known())
    assert set(policy.identity.providers) == {"okta"}
    assert {each.agent for each in policy.identity.workloads["github"].rules} == {"release-pipeline"}
    assert warnings(policy) == warnings(parse(text, "policies.yaml", known()))
