"""Whatever a token is, it is read or refused, and nothing that was changed in it goes unnoticed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity.foreign import FITTING, ForeignRefused, check, keys_of, unverified, verify
from tests.identity import forge

GOOD = forge.forged({})
KEYS = keys_of(forge.published())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "iss", "aud", "exp", "nbf", "iat", "sub", "jti"])
OBJECTS = st.dictionaries(
    NAMES | st.text(max_size=5), JSON | st.sampled_from([*FITTING, "rsa", "JWT"]), max_size=6
)


def judged(token: str, keys=KEYS) -> str:
    """What becomes of a token; nothing but a refusal may be raised."""
    try:
        claims = verify(unverified(token), keys)
        check(claims, issuer=forge.ISSUER, audience="countersign", now=float(forge.NOW))
    except ForeignRefused:
        return "refused"
    return "taken"


@settings(deadline=None, max_examples=60)
@given(OBJECTS, OBJECTS, st.binary(max_size=70))
def test_nonsense_in_good_form_is_refused(header, claims, signature):
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    assert judged(".".join(map(forge.encoded, parts))) == "refused"


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_one_character_that_was_changed_is_enough(at, character):
    changed = GOOD[:at] + character + GOOD[at + 1 :]
    assert judged(changed) == ("taken" if changed == GOOD else "refused")


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200))
def test_a_text_that_is_no_token_is_refused(text):
    assert judged(text) == "refused"


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat"]), JSON, min_size=1))
def test_claims_of_any_shape_are_judged_and_not_stumbled_over(claims):
    changed = {**forge.CLAIMS, **claims}
    try:
        check(changed, issuer=forge.ISSUER, audience="countersign", now=float(forge.NOW))
    except ForeignRefused:
        return
    assert (changed["iss"], bool(changed["sub"])) == (forge.ISSUER, True)
    assert changed["exp"] > forge.NOW - 61


@settings(deadline=None, max_examples=50)
@given(JSON)
def test_a_set_of_keys_of_any_shape_has_some_or_none(document):
    for keys in (document, {"keys": document}, {"keys": [document]}):
        found = keys_of(keys) if isinstance(keys, dict) else ()
        assert judged(GOOD, found) == "refused"


@pytest.mark.parametrize("broken", [{"n": "AQ"}, {"n": 7}, {"e": "AA"}, {"n": ""}, {"kid": "rsa", "n": None}])
def test_a_key_that_is_none_verifies_nothing(broken):
    assert judged(GOOD, keys_of({"keys": [{**forge.public_jwk("rsa"), **broken}]})) == "refused"
