"""`countersign doctor` asks the issuers of policies.yaml as the gateway would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.commands import doctor
from gateway.policy.file import parse
from gateway.vocabulary import known
from tests.identity import forge
from tests.policy.house import WHOLE

IDENTITY = """
identity:
  providers:
    gone: {{oidc: "http://127.0.0.1:1", client_id: x, domains: [example.com]}}
  workloads:
    ci: {{issuer: "https://ci.example", audience: x, keys: "file:{keys}", rules: [{{when: {{sub: x}}, agent: release-pipeline}}]}}
"""


@pytest.mark.parametrize(
    ("keys", "state", "says"),
    [
        (forge.published(), "ok", "has keys that sign tokens: 6"),
        ({"keys": []}, "error", "has no key that signs tokens"),
        (None, "error", "cannot be had"),
    ],
)
async def test_issuers_are_asked_for_their_keys(tmp_path: Path, keys, state: str, says: str) -> None:
    path = tmp_path / "jwks.json"
    if keys is not None:
        path.write_text(json.dumps(keys))
    text = WHOLE.partition("examples:")[0] + IDENTITY.format(keys=path)
    provider, workload = await doctor._issuers(parse(text, "policies.yaml", known()))
    assert (provider.state, "identity.providers.gone" in provider.what) == ("error", True)
    assert workload.state == state
    assert workload.what.startswith("identity.workloads.ci: ")
    assert says in workload.what
