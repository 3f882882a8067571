from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.identity.keys import KeyRing, SignatureRefused, public_keys, signed_by
from gateway.identity.private_files import KeysUnsafe


def ring(path: Path, now: float = 1000.0) -> KeyRing:
    return KeyRing.open(path / "keys", clock=lambda: now)


def b64(data: object) -> str:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_what_it_signs_it_verifies(tmp_path):
    keys = ring(tmp_path)
    assert keys.verify(keys.sign({"sub": "ada"})) == {"sub": "ada"}


def test_the_same_directory_gives_the_same_keys(tmp_path):
    token = ring(tmp_path).sign({"sub": "ada"})
    assert ring(tmp_path).verify(token) == {"sub": "ada"}


def test_directory_and_private_files_are_the_owners_alone(tmp_path):
    ring(tmp_path)
    directory = tmp_path / "keys"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    private = [path for path in directory.iterdir() if path.suffix == ".jwk" or path.name == "seed"]
    assert len(private) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_nothing_half_written_stays(tmp_path):
    keys = ring(tmp_path)
    keys.rotate(keep=10)
    assert not [path for path in (tmp_path / "keys").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("open_to_others", ["", "*.jwk", "seed"])
def test_keys_that_others_can_read_are_not_used(tmp_path, open_to_others):
    ring(tmp_path)
    directory = tmp_path / "keys"
    path = next(directory.glob(open_to_others)) if open_to_others else directory
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(KeysUnsafe, match="chmod"):
        ring(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"d": "AA", "iat": 1}', b"\xff"])
def test_a_damaged_key_is_named(tmp_path, content):
    ring(tmp_path)
    path = next((tmp_path / "keys").glob("*.jwk"))
    path.write_bytes(content)
    with pytest.raises(KeysUnsafe, match=path.name):
        ring(tmp_path)


def test_a_key_under_another_keys_name_is_refused(tmp_path):
    ring(tmp_path)
    path = next((tmp_path / "keys").glob("*.jwk"))
    path.rename(path.with_name("other.jwk"))
    with pytest.raises(KeysUnsafe, match=r"other\.jwk"):
        ring(tmp_path)


def test_jwks_holds_no_private_half(tmp_path):
    keys = ring(tmp_path)
    keys.rotate(keep=10)
    jwks = keys.jwks()["keys"]
    assert len(jwks) == 2
    assert all(set(jwk) == {"kty", "crv", "x", "kid", "use", "alg"} for jwk in jwks)
    assert jwks[0]["kid"] == keys.key_id


def test_jwks_verifies_a_token_with_a_standard_library(tmp_path):
    keys = ring(tmp_path)
    token = keys.sign({"sub": "ada"})
    found = jwt.PyJWKSet.from_dict(keys.jwks())[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, found, algorithms=["EdDSA"]) == {"sub": "ada"}


def test_after_rotation_the_new_key_signs_and_the_old_one_verifies_until_its_end(tmp_path):
    now = 1000.0
    keys = KeyRing.open(tmp_path / "keys", clock=lambda: now)
    old, token = keys.key_id, keys.sign({"sub": "ada"})
    keys.rotate(keep=60)
    assert keys.key_id != old
    now = 1059.0
    assert keys.verify(token)
    now = 1060.0
    with pytest.raises(SignatureRefused):
        keys.verify(token)
    assert [jwk["kid"] for jwk in keys.jwks()["keys"]] == [keys.key_id]
    assert not (tmp_path / "keys" / f"{old}.jwk").exists()


def test_keep_nothing_disowns_every_token_at_once(tmp_path):
    keys = ring(tmp_path)
    token = keys.sign({})
    keys.rotate(keep=0)
    with pytest.raises(SignatureRefused):
        keys.verify(token)


def test_a_second_rotation_does_not_lengthen_an_old_keys_life(tmp_path):
    now = 1000.0
    keys = KeyRing.open(tmp_path / "keys", clock=lambda: now)
    token = keys.sign({})
    keys.rotate(keep=60)
    keys.rotate(keep=6000)
    now = 1061.0
    with pytest.raises(SignatureRefused):
        keys.verify(token)


def test_a_rotation_cut_by_a_crash_is_finished_at_the_next_start(tmp_path):
    before = ring(tmp_path).key_id
    path = tmp_path / "keys" / f"{before}.jwk"
    path.write_text(json.dumps({**json.loads(path.read_text()), "exp": 2000.0}))
    again = ring(tmp_path)
    assert again.key_id != before
    assert len(again.jwks()["keys"]) == 2


def test_another_process_that_rotates_is_noticed(tmp_path):
    ours, theirs = ring(tmp_path), ring(tmp_path)
    theirs.rotate(keep=60)
    assert ours.verify(theirs.sign({"sub": "ada"})) == {"sub": "ada"}
    assert ours.key_id == theirs.key_id


def test_with_the_clock_set_back_the_new_key_still_signs(tmp_path):
    now = 1000.0
    keys = KeyRing.open(tmp_path / "keys", clock=lambda: now)
    now = 10.0
    new = keys.rotate(keep=60)
    assert keys.key_id == new


def test_a_seal_outlives_the_key_that_made_it(tmp_path):
    keys = ring(tmp_path)
    sealed_by, seal = keys.key_id, keys.sign_bytes(b"head")
    keys.rotate(keep=0)
    known = public_keys(tmp_path / "keys")
    assert set(known) == {sealed_by, keys.key_id}
    assert signed_by(known[sealed_by], b"head", seal)
    assert not signed_by(known[sealed_by], b"other", seal)
    assert not signed_by(known[keys.key_id], b"head", seal)


def test_secrets_are_stable_and_apart(tmp_path):
    keys = ring(tmp_path)
    masks = keys.secret("masks")
    keys.rotate(keep=0)
    assert ring(tmp_path).secret("masks") == masks
    assert ring(tmp_path).secret("minted users") != masks
    assert ring(tmp_path / "elsewhere").secret("masks") != masks


def signed(header: dict[str, object], private: Ed25519PrivateKey) -> str:
    content = f"{b64(header)}.{b64({'sub': 'ada'})}"
    return f"{content}.{b64(private.sign(content.encode()))}"


def attacks(keys: KeyRing, directory: Path) -> dict[str, str]:
    """Well-known ways to have a token accepted that nobody here has signed as it stands."""
    kid = keys.key_id
    jwk = json.loads((directory / f"{kid}.jwk").read_text())
    own = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(jwk["d"] + "="))
    stranger = Ed25519PrivateKey.generate()
    stranger_jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(stranger.public_key().public_bytes_raw())}
    good = {"alg": "EdDSA", "typ": "at+jwt", "kid": kid}
    honest = keys.sign({"sub": "ada"})
    head, body, signature = honest.split(".")
    hs_content = f"{b64({**good, 'alg': 'HS256'})}.{body}"
    hmac_with_public = hmac.digest(
        base64.urlsafe_b64decode(jwk["x"] + "="), hs_content.encode(), hashlib.sha256
    )
    return {
        "no algorithm": f"{b64({**good, 'alg': 'none'})}.{body}.",
        "no algorithm, odd case": f"{b64({**good, 'alg': 'nOnE'})}.{body}.",
        "public key as HMAC secret": f"{hs_content}.{b64(hmac_with_public)}",
        "a stranger's key under our kid": signed(good, stranger),
        "a key brought along": signed({**good, "jwk": stranger_jwk}, stranger),
        "our own signature, jku beside it": signed({**good, "jku": "http://127.0.0.1/jwks"}, own),
        "our own signature, unknown crit": signed({**good, "crit": ["exp"], "exp": 1}, own),
        "our own signature, b64 crit": signed({**good, "crit": ["b64"], "b64": True}, own),
        "our own signature, another type": signed({**good, "typ": "JWT"}, own),
        "our own signature, the newer algorithm name": signed({**good, "alg": "Ed25519"}, own),
        "our own signature, no kid": signed({"alg": "EdDSA", "typ": "at+jwt"}, own),
        "kid is a path": signed({**good, "kid": f"../keys/{kid}"}, own),
        "kid is a list": signed({**good, "kid": [kid]}, own),
        "kid is SQL": signed({**good, "kid": "' OR 1=1 --"}, own),
        "payload changed": f"{head}.{b64({'sub': 'eve'})}.{signature}",
        "signature cut": honest[:-1],
        "signature gone": f"{head}.{body}.",
        "fourth segment": honest + ".x",
        "space before": " " + honest,
        "newline after": honest + "\n",
        "padding after": honest + "=",
        "padding that fits": honest + "==",
        "empty": "",
        "dots": "..",
        "very long": "a" * 1_000_000,
        "not ASCII": honest + "é",
        "header is a list": f"{b64([])}.{body}.{signature}",
        "deep header": f"{b64(b'[' * 4000)}.{body}.{signature}",
    }


def test_no_known_attack_on_tokens_gets_through(tmp_path):
    keys = ring(tmp_path)
    taken = []
    for name, token in attacks(keys, tmp_path / "keys").items():
        try:
            keys.verify(token)
        except SignatureRefused:
            continue
        taken.append(name)
    assert taken == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ", "x"]), inner)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def keys_of_the_module(tmp_path_factory):
    return ring(tmp_path_factory.mktemp("ring"))


# However busy the machine is.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(header=json_values, payload=json_values, signature=st.binary(max_size=70), known=st.booleans())
def test_well_framed_nonsense_is_refused_and_nothing_else(
    keys_of_the_module, header, payload, signature, known
):
    if known and isinstance(header, dict):
        header = {"alg": "EdDSA", "typ": "at+jwt", **header, "kid": keys_of_the_module.key_id}
    with pytest.raises(SignatureRefused):
        keys_of_the_module.verify(f"{b64(header)}.{b64(payload)}.{b64(signature)}")


@patient
@given(st.text(st.characters(codec="ascii")))
def test_any_text_is_refused_and_nothing_else(keys_of_the_module, text):
    with pytest.raises(SignatureRefused):
        keys_of_the_module.verify(text)


def test_a_key_ring_shows_no_secret(tmp_path):
    keys = ring(tmp_path)
    d = json.loads(next((tmp_path / "keys").glob("*.jwk")).read_text())["d"]
    assert d not in repr(keys) + repr(vars(keys))
