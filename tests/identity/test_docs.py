from __future__ import annotations

import json
import re
from pathlib import Path

from gateway.api import grants
from gateway.identity import authorities, devices, foreign, logins, proofs, saml_response
from gateway.identity.claims import from_payload, to_payload
from gateway.identity.failures import FAILURES
from gateway.identity.keys import TOKEN_CHARACTERS
from gateway.identity.tokens import TASK_CHARACTERS
from tests.identity.gateway_app import app

DOC = (Path(__file__).parents[2] / "docs" / "identity.md").read_text()


def test_every_endpoint_is_described_and_every_described_one_is_there(house):
    served = {
        f"{route.method} {route.resource.canonical}"
        for route in app(house).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == set(re.findall(r"`((?:GET|POST) /[^`]*)`", DOC))
    for name in (*grants.GRANTS, grants.ACCESS_TOKEN, grants.ID_TOKEN):
        assert f"{name}`" in DOC, name


def test_the_claims_that_are_shown_are_the_claims_that_are_made():
    shown = json.loads(DOC.split("```json")[1].split("```")[0])
    assert to_payload(from_payload(shown)) == shown


def test_the_numbers_are_those_of_the_code():
    assert f"{TOKEN_CHARACTERS:,} characters" in DOC
    assert f"at most {TASK_CHARACTERS} characters" in DOC
    assert FAILURES == 10
    assert "After ten wrong" in DOC
    assert logins.LIFETIME == devices.LIFETIME == 600
    assert "ten minutes" in DOC
    assert (authorities.RENEWED, authorities.AGAIN, authorities.STALE) == (600, 10, 6 * 3_600)
    assert "at most ten minutes old" in DOC
    assert "every ten seconds at most" in DOC
    assert "six hours" in DOC
    assert f"{foreign.TOKEN_CHARACTERS:,} characters" in DOC
    assert f"{foreign.CLOCKS_APART:g} seconds" in DOC
    assert saml_response.LARGEST == 256 * 1024
    assert "more than 256 KiB" in DOC
    assert saml_response.CLOCKS_APART == foreign.CLOCKS_APART
    assert proofs.LASTS == 60
    assert "`iat` is within 60 seconds" in DOC
    assert proofs.NONCE_LASTS == 120
    assert "lasts two minutes" in DOC
    assert f"`{grants.CHILD_KEY}`" in DOC
    assert all(f"`{name}`" in DOC for name in foreign.FITTING)
    assert all(f"`{name}`" in DOC for name in foreign.UNREAD)
