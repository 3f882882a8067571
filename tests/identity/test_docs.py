from __future__ import annotations

import json
import re
from pathlib import Path

from gateway.api import tokens
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
    assert tokens.TOKEN_EXCHANGE in DOC
    assert tokens.ACCESS_TOKEN in DOC


def test_the_claims_that_are_shown_are_the_claims_that_are_made():
    shown = json.loads(DOC.split("```json")[1].split("```")[0])
    assert to_payload(from_payload(shown)) == shown


def test_the_numbers_are_those_of_the_code():
    assert f"{TOKEN_CHARACTERS:,} characters" in DOC
    assert f"at most {TASK_CHARACTERS} characters" in DOC
    assert FAILURES == 10
    assert "After ten wrong" in DOC
