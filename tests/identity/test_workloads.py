"""Whose a token of a trusted issuer is: GitHub's, GitLab's, Kubernetes', Google's, as they look."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.identity.claimed import texts
from gateway.identity.fetching import Ask, Unavailable
from gateway.policy.globs import Globs
from gateway.policy.identities import IdentityPolicy, Workload, WorkloadRule
from tests.identity import forge
from tests.identity.gateway_app import served
from tests.identity.house import ADA, BOB, R, W
from tests.identity.test_attacks import Asked, presented

GITHUB = {
    "iss": "https://token.actions.githubusercontent.com",
    "sub": "repo:acme/shop:environment:prod",
    "repository": "acme/shop",
    "repository_id": "74",
    "ref": "refs/heads/main",
    "ref_protected": "true",
    "run_attempt": "1",
    "actor": "octocat",
    "actor_email": ADA,
}
CLUSTER = {
    "iss": "https://kubernetes.default.svc.cluster.local",
    "aud": ["countersign"],
    "sub": "system:serviceaccount:ci:deploy",
    "kubernetes.io": {
        "namespace": "ci",
        "pod": {"name": "job-1", "uid": "u1"},
        "serviceaccount": {"name": "deploy", "uid": "u2"},
    },
    "jti": "d0",
}
GOOGLE = {
    "iss": "https://accounts.google.com",
    "sub": "1122",
    "email": "ci@acme.iam.gserviceaccount.com",
    "email_verified": True,
    "google": {"compute_engine": {"project_id": "acme", "project_number": 12}},
}


def rule(agent: str = "release-pipeline", *, scope=None, person: str = "", **when: object) -> WorkloadRule:
    globs = {
        name.replace("__", "/"): Globs(tuple(value) if isinstance(value, list) else (str(value),))
        for name, value in when.items()
    }
    return WorkloadRule(when=globs, agent=agent, scope=scope, person=person)


class Network(Asked):
    """Every issuer publishes the same keys."""

    down = False

    async def __call__(self, ask: Ask):
        self.urls.append(ask.url)
        if self.down:
            raise Unavailable("nobody answers")
        suffix = "/.well-known/openid-configuration"
        if ask.url.endswith(suffix):
            issuer = ask.url.removesuffix(suffix)
            return {"issuer": issuer, "jwks_uri": issuer + "/jwks"}
        return forge.published()


@pytest.fixture
async def desk(house):
    house.now = float(forge.NOW)
    network = Network()

    def trust(issuer: str, *rules: WorkloadRule, **more: object) -> None:
        workload = Workload(name="w", issuer=issuer, audience="countersign", rules=rules, **more)
        house.policy = replace(house.policy, identity=IdentityPolicy(workloads={"w": workload}))

    async with served(house, network) as client:

        async def ask(claims, **form: str):
            token = forge.forged({"claims": {"ref": None, "repository": None, **claims}})
            data = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": token, **form}
            async with client.post("/oauth/token", data=data) as answer:
                return answer.status, await answer.json()

        ask.trust, ask.network, ask.client = trust, network, client
        yield ask


@pytest.mark.parametrize(
    ("claims", "when"),
    [
        (GITHUB, {"repository": "acme/shop", "ref": "refs/heads/*", "ref_protected": "true"}),
        (GITHUB, {"sub": "repo:acme/shop:environment:prod"}),
        (GITHUB, {"repository": ["acme/other", "acme/shop"], "run_attempt": 1}),
        (CLUSTER, {"kubernetes.io__namespace": "ci", "kubernetes.io__serviceaccount__name": "deploy"}),
        (CLUSTER, {"sub": "system:serviceaccount:ci:*"}),
        (GOOGLE, {"email": "ci@acme.iam.gserviceaccount.com", "email_verified": "true"}),
        (GOOGLE, {"google__compute_engine__project_number": "12"}),
    ],
)
async def test_a_token_is_whose_the_rule_says(desk, house, claims, when):
    desk.trust(claims["iss"], rule(**when))
    status, body = await desk(claims)
    assert status == 200, body
    said = house.issuer.verify(body["access_token"])
    assert (said.root, said.person, said.scope) == (
        "release-pipeline",
        ADA,
        {"orders": {R, W}, "shop": {R}},
    )
    assert said.lineage.chain[0].origin == f"w: {claims['sub']}"[:64]


@pytest.mark.parametrize(
    ("claims", "when"),
    [
        (GITHUB, {"repository": "acme/shop", "ref": "refs/tags/*"}),
        (GITHUB, {"repository": "acme"}),
        (GITHUB, {"nothing": "*"}),
        (CLUSTER, {"kubernetes.io__namespace": "prod"}),
        (CLUSTER, {"namespace": "ci"}),
        ({**CLUSTER, "kubernetes.io/namespace": "prod"}, {"kubernetes.io__namespace": "*"}),
        ({**CLUSTER, "kubernetes.io": "ci"}, {"kubernetes.io__namespace": "ci"}),
        ({**CLUSTER, "kubernetes.io": {"namespace": {"ci": 1}}}, {"kubernetes.io__namespace": "ci"}),
        ({**GOOGLE, "email_verified": False}, {"email_verified": "true", "email": "*"}),
    ],
)
async def test_a_token_that_no_rule_is_for_is_nobody_s(desk, claims, when):
    desk.trust(claims["iss"], rule(**when))
    status, body = await desk(claims)
    assert (status, body["error"]) == (400, "invalid_grant")
    assert "no rule of `identity.workloads.w`" in body["error_description"]


async def test_what_rules_grant_adds_up_and_the_request_may_ask_for_less(desk, house):
    desk.trust(
        GITHUB["iss"],
        rule(repository="acme/*", scope={"shop": frozenset({R})}),
        rule(ref="refs/heads/main", scope={"orders": frozenset({R})}),
        rule(ref="refs/heads/evil", scope={"orders": frozenset({W})}),
    )
    _, body = await desk(GITHUB)
    assert house.issuer.verify(body["access_token"]).scope == {"shop": {R}, "orders": {R}}
    _, body = await desk(GITHUB, scope="shop:read", expires_in="60", task="deploy")
    assert (body["scope"], body["expires_in"]) == ("shop:read", 60)
    status, body = await desk(GITHUB, scope="orders:write")
    assert (status, body["error"]) == (400, "invalid_scope")


async def test_a_rule_never_grants_more_than_the_agent_has_now(desk, house):
    desk.trust(GITHUB["iss"], rule(repository="acme/shop", scope={"orders": frozenset({R, W})}))
    house.change_agent(scope={"orders": frozenset({R})})
    status, body = await desk(GITHUB)
    assert (status, body["error"]) == (400, "invalid_scope")


async def test_a_token_that_may_be_several_agents_says_which(desk, house):
    desk.trust(GITHUB["iss"], rule(repository="acme/*"), rule("workload", ref="*main"))
    status, body = await desk(GITHUB)
    assert (status, body["error"]) == (400, "invalid_request")
    assert "release-pipeline or workload" in body["error_description"]
    _, body = await desk(GITHUB, client_id="workload")
    assert house.issuer.verify(body["access_token"]).root == "workload"
    status, body = await desk(GITHUB, client_id="nightly")
    assert (status, body["error"]) == (400, "invalid_grant")


async def test_the_person_is_who_the_claim_names_if_the_agent_may_act_for_them(desk, house):
    desk.trust(GITHUB["iss"], rule(repository="acme/shop", person="actor_email"))
    _, body = await desk({**GITHUB, "actor_email": BOB})
    assert house.issuer.verify(body["access_token"]).person == BOB
    for email in ("eve@evil.example", "not an address", "Ada@shop.example\u0000"):
        status, body = await desk({**GITHUB, "actor_email": email})
        assert (status, body["error"]) == (400, "invalid_request"), body
    for email in (None, [ADA, BOB], []):
        status, body = await desk({**GITHUB, "actor_email": email})
        assert (status, body["error"]) == (400, "invalid_grant"), body


@pytest.mark.parametrize("more", [{"person": BOB}, {"client_secret": "x"}, {"name": "child"}])
async def test_the_request_adds_nothing_to_who_it_is(desk, more):
    desk.trust(GITHUB["iss"], rule(repository="acme/shop"))
    status, body = await desk(GITHUB, **more)
    assert (status, body["error"]) == (400, "invalid_request")


async def test_a_token_that_counts_once_counts_once_also_after_a_restart(desk, house):
    desk.trust(GITHUB["iss"], rule(repository="acme/shop"), once=True)
    assert (await desk(GITHUB))[0] == 200
    status, body = await desk(GITHUB)
    assert (status, body["error_description"]) == (
        400,
        "the token was used before: get a new one for each use",
    )
    house.restart()
    async with served(house, Network()) as client:
        token = forge.forged({"claims": {"ref": None, "repository": None, **GITHUB}})
        assert (await presented(client, token, "assertion"))[0] == 400
    assert (await desk({**GITHUB, "jti": "another"}))[0] == 200
    for jti in (None, "", 7, "x" * 600):
        assert (await desk({**GITHUB, "jti": jti}))[1]["error_description"] == (
            "the token has no `jti`, and is to be used once"
        )


async def test_what_was_spent_is_forgotten_when_it_could_not_be_used_any_more(desk, house):
    desk.trust(GITHUB["iss"], rule(repository="acme/shop"), once=True)
    await desk(GITHUB)
    house.now += 600
    await desk({**GITHUB, "jti": "two", "iat": house.now, "nbf": house.now, "exp": house.now + 60})
    assert len(house.store.all("spent_tokens")) == 1


async def test_a_token_may_be_too_old(desk, house):
    desk.trust(GITHUB["iss"], rule(repository="acme/shop"), max_age=60)
    assert (await desk(GITHUB))[0] == 200
    for claims in ({"iat": forge.NOW - 121}, {"iat": None}):
        status, body = await desk({**GITHUB, **claims})
        assert (status, body["error"]) == (400, "invalid_grant")
        assert "too long ago" in body["error_description"]


async def test_an_issuer_that_cannot_be_asked_is_another_answer(desk):
    desk.trust(GITHUB["iss"], rule(repository="acme/shop"))
    desk.network.down = True
    status, body = await desk(GITHUB)
    assert (status, body["error"]) == (503, "temporarily_unavailable")


async def test_the_gateway_s_own_tokens_are_no_workload_s(desk, house):
    desk.trust(house.issuer.name, rule(sub="*a*"))
    status, body = await presented(desk.client, house.root(), "assertion")
    assert (status, body["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("claims", "path", "said"),
    [
        ({"a": "x"}, "a", ("x",)),
        ({"a": ["x", 1, "y"]}, "a", ("x", "y")),
        ({"a": {"b": "x"}}, "a/b", ("x",)),
        ({"https://acme.example/roles": ["x"]}, "https://acme.example/roles", ("x",)),
        ({"a": {"b": "x"}, "a/b": "y"}, "a/b", ()),
        ({"a": True}, "a", ("true",)),
        ({"a": 7}, "a", ("7",)),
        ({"a": 7.5}, "a", ()),
        ({"a": None}, "a", ()),
        ({"a": {}}, "a", ()),
        ({}, "a/b/c", ()),
    ],
)
def test_what_a_claim_says(claims, path, said):
    assert texts(claims, path) == said
