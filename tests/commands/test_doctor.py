"""`countersign doctor` asks those whose word is taken for who somebody is."""

from __future__ import annotations

import dataclasses
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.__main__ import main
from gateway.commands.answering import answering, too_weak
from gateway.identity import saml_metadata
from gateway.identity.keys import KeyRing
from gateway.model import StepUp
from gateway.policy.file import parse
from gateway.policy.model import AskedGroup, Holding
from gateway.vocabulary import known
from tests.identity.saml_idp import SamlIdp
from tests.policy.house import MINIMAL, WHOLE

HEAD = WHOLE.partition("examples:")[0]
JWKS = {
    "keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]
}


def policy(identity, **changed):
    text = HEAD + "identity:\n" + identity
    for old, new in changed.items():
        text = text.replace(old, new)
    return parse(text, "policies.yaml", known())


@pytest.fixture
def metadata(tmp_path):
    own = saml_metadata.write(entity_id="https://gate.example/login/saml/corp", acs="https://gate.example/x")
    path = tmp_path / "corp.xml"
    path.write_bytes(SamlIdp(tmp_path / "idp", sp_metadata=own).metadata)
    return path


async def test_who_answers_is_said_with_what(metadata, tmp_path):
    (tmp_path / "jwks.json").write_text(json.dumps(JWKS))
    told = await answering(
        policy(
            f"  providers: {{corp: {{saml: 'file:{metadata}', domains: [example.com]}}}}\n"
            "  workloads:\n"
            f"    ci: {{issuer: https://ci.example, audience: c, keys: 'file:{tmp_path}/jwks.json',\n"
            "         rules: [{when: {sub: x}, agent: release-pipeline}]}\n"
        )
    )
    assert [advice for _, advice in told] == ["", "", ""]
    assert [what.partition(" ")[0] for what, _ in told] == [
        "identity.providers.corp",
        "identity.workloads.ci",
        "people",
    ]
    assert "1 signing certificates" in told[0][0]
    assert "1 keys" in told[1][0]


async def test_who_does_not_answer_is_said_with_what_to_do(tmp_path):
    async def metadata(request):
        return web.json_response({"issuer": "https://other.example"})

    application = web.Application()
    application.router.add_get("/.well-known/openid-configuration", metadata)
    async with TestServer(application) as server:
        told = await answering(
            policy(
                "  providers:\n"
                f"    corp: {{saml: 'file:{tmp_path}/none.xml', domains: [example.com]}}\n"
                f"    okta: {{oidc: '{str(server.make_url('')).rstrip('/')}', client_id: x}}\n",
                **{"public_url: https:": "public_url: http:"},
            )
        )
    assert all(advice for _, advice in told)
    assert [
        words in what
        for words, (what, _) in zip(
            ("cannot be read", "another issuer", "cannot come back"), told, strict=True
        )
    ] == [True] * 3


@pytest.mark.parametrize(
    ("supported", "acr", "told"),
    [
        (["phr", "mfa"], "phr", 0),
        (["mfa"], "phr", 1),
        ([], "phr", 1),
        (None, "phr", 0),
        ("phr", "phr", 0),
        ("mfa", "phr", 0),
    ],
)
async def test_a_strength_that_no_provider_supports_is_said(supported, acr, told):
    """One that does not say what it supports may know any."""
    base = ""

    async def metadata(request):
        said = {} if supported is None else {"acr_values_supported": supported}
        return web.json_response({"issuer": base, **said})

    application = web.Application()
    application.router.add_get("/.well-known/openid-configuration", metadata)
    async with TestServer(application) as server:
        base = str(server.make_url("")).rstrip("/")
        found = policy(f"  providers: {{okta: {{oidc: '{base}', client_id: x}}}}\n")
        asking = AskedGroup(approvers="dba", step_up=StepUp(max_age=300.0, acr=acr))
        found = dataclasses.replace(found, default=Holding(asks=(asking,)))
        said = await too_weak(found)
    assert len(said) == told
    assert all("default needs logins with acr phr" in what for what, _ in said)


def test_the_doctor_names_a_provider_that_does_not_answer(tmp_path, capsys, monkeypatch):
    path = tmp_path / "policies.yaml"
    path.write_text(
        f"{HEAD}identity:\n  providers: {{corp: {{saml: 'file:{tmp_path}/none.xml', domains: [a.example]}}}}\n"
    )
    assert main(["doctor", "--policy", str(path), "--state", str(tmp_path / "state"), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)
    (found,) = [each for each in findings if "identity.providers.corp" in each["what"]]
    assert (found["state"], bool(found["advice"])) == ("error", True)


def test_the_doctor_tells_of_a_seed_that_is_lost_changed_or_not_marked(tmp_path, capsys):
    path, state = tmp_path / "none.yaml", tmp_path / "state"
    state.mkdir(mode=0o700)
    seed, mark = state / "keys" / "seed", state / "seed.mark"

    def found():
        assert main(["doctor", "--policy", str(path), "--state", str(state), "--json"]) == 1  # no policy
        (finding,) = [each for each in json.loads(capsys.readouterr().out) if str(seed) in each["what"]]
        return finding["state"], finding["what"] + finding["advice"]

    assert found()[0] == "ok"
    assert not seed.exists()
    KeyRing.open(state / "keys")
    assert found()[0] == "ok"
    kept, marked = seed.read_bytes(), mark.read_bytes()
    mark.unlink()
    told, words = found()
    assert (told, "restart" in words, mark.exists()) == ("warning", True, False)
    mark.write_bytes(marked)
    mark.chmod(0o600)
    seed.unlink()
    told, words = found()
    assert (told, "Restore it from a backup" in words, seed.exists()) == ("error", True, False)
    seed.write_bytes(kept[::-1])
    seed.chmod(0o600)
    told, words = found()
    assert (told, "not the seed that this gateway had" in words) == ("error", True)


@pytest.mark.parametrize(("protocol", "warned"), [("kubernetes", True), ("http", False)])
def test_the_doctor_names_clients_that_would_show_no_credential(tmp_path, capsys, protocol, warned):
    path = tmp_path / "policies.yaml"
    path.write_text(
        MINIMAL.replace("protocol: postgres", f"protocol: {protocol}").replace(
            "postgresql://db.internal/shop", "https://127.0.0.1:9"
        )
    )
    main(["doctor", "--policy", str(path), "--state", str(tmp_path / "state"), "--json"])
    told = [each for each in json.loads(capsys.readouterr().out) if "in clear" in each["what"]]
    assert [each["state"] for each in told] == ["warning"] * warned
