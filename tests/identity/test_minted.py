from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from gateway.identity import minted as module
from gateway.identity.tokens import TokenRefused


def scram_accepts(verifier: str, password: str) -> bool:
    """The server's side of SCRAM-SHA-256, from RFC 5802 §3 alone: does a client with `password` prove it?"""
    scheme, iterations_salt, keys = verifier.split("$")
    assert scheme == "SCRAM-SHA-256"
    iterations, salt = iterations_salt.split(":")
    stored_key, server_key = (base64.b64decode(part) for part in keys.split(":"))
    assert (len(stored_key), len(server_key)) == (32, 32)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    message = b"n=,r=nonce"
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    recovered = bytes(a ^ b for a, b in zip(proof, hmac.digest(stored_key, message, "sha256"), strict=True))
    server_proves = hmac.digest(salted, b"Server Key", "sha256") == server_key
    return hashlib.sha256(recovered).digest() == stored_key and server_proves


def test_a_minted_password_satisfies_scram_and_no_other_does(house):
    pair = house.minted.mint(house.root())
    verifier = house.minted.verifiers(pair.user)["scram-sha-256"]
    assert scram_accepts(verifier, pair.password)
    assert not scram_accepts(verifier, pair.password[:-1])
    assert len(pair.password) >= 52
    assert pair.password.isalnum()


def test_a_minted_password_is_known_to_the_plugins_of_mysql_hashed_twice(house):
    pair = house.minted.mint(house.root())
    known = house.minted.verifiers(pair.user)
    for plugin, kind in module.HASHES.items():
        once = hashlib.new(kind, pair.password.encode()).digest()
        assert known[plugin] == hashlib.new(kind, once).hexdigest()
    nobody = house.minted.verifiers("cs_" + "a" * 16)
    assert {scheme: len(value) for scheme, value in nobody.items()} == {
        scheme: len(value) for scheme, value in known.items()
    }
    house.restart()
    assert house.minted.verifiers(pair.user) == known


def test_the_example_of_rfc_7677():
    """RFC 7677 §3: user `user`, password `pencil`."""
    made = module.verifier("pencil", salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    stored, server = (base64.b64decode(part) for part in made.split("$")[2].split(":"))
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(a ^ b for a, b in zip(proof, hmac.digest(stored, message, "sha256"), strict=True))
    assert hashlib.sha256(client_key).digest() == stored
    signature = base64.b64encode(hmac.digest(server, message, "sha256"))
    assert signature == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_pair_stands_for_its_token(house):
    child = house.child(house.root())
    pair = house.minted.mint(child)
    assert house.minted.claims(pair.user).lineage == house.issuer.verify(child).lineage
    assert pair.expires_at == house.issuer.verify(child).expires_at


def test_a_pair_ends_with_its_token(house):
    pair = house.minted.mint(house.root(ttl=100))
    house.now += 100
    with pytest.raises(TokenRefused, match="expired"):
        house.minted.claims(pair.user)


def test_a_pair_dies_with_any_ancestor(house):
    root = house.root()
    pair = house.minted.mint(house.child(root))
    house.issuer.revoke(root)
    with pytest.raises(TokenRefused, match="revoked"):
        house.minted.claims(pair.user)


def test_nothing_is_minted_for_a_token_that_does_not_hold(house):
    token = house.root()
    house.issuer.revoke(token)
    with pytest.raises(TokenRefused):
        house.minted.mint(token)


def test_names_cannot_be_told_apart_by_asking(house):
    known = house.minted.mint(house.root()).user
    unknown = "cs_" + "a" * 16
    one, other = (house.minted.verifiers(user)["scram-sha-256"] for user in (known, unknown))
    shape = [len(part) for part in one.replace(":", "$").split("$")]
    assert shape == [len(part) for part in other.replace(":", "$").split("$")]
    assert one.split(":")[0] == other.split(":")[0]
    assert house.minted.verifiers(unknown) == house.minted.verifiers(unknown)
    assert house.minted.verifiers("cs_" + "b" * 16) != house.minted.verifiers(unknown)
    house.restart()
    assert house.minted.verifiers(unknown)["scram-sha-256"] == other
    house.keys.rotate(keep=0)
    house.restart()
    assert house.minted.verifiers(unknown)["scram-sha-256"] == other


@pytest.mark.parametrize(
    "user", ["", "ada", "postgres", "cs_", "cs_short", "cs_" + "A" * 16, "cs_" + "a" * 16 + "\n"]
)
def test_a_name_that_is_not_of_our_form_has_no_verifier(house, user):
    assert house.minted.verifiers(user) is None
    assert not house.minted.proves(user, "anything")


def test_a_password_that_is_handed_over_is_checked_too(house):
    pair = house.minted.mint(house.root())
    assert house.minted.proves(pair.user, pair.password)
    assert not house.minted.proves(pair.user, pair.password + "x")
    assert not house.minted.proves(pair.user, "\udcff")
    assert not house.minted.proves("cs_" + "a" * 16, pair.password)


def test_pairs_survive_a_restart_and_neither_password_nor_token_is_kept(house):
    token = house.root()
    pair = house.minted.mint(token)
    house.restart()
    assert house.minted.claims(pair.user).agent == "release-pipeline"
    kept = json.dumps(house.store.tables)
    assert pair.password not in kept + repr(pair)
    assert token not in kept
    assert token.rsplit(".", 1)[1] not in kept


def test_one_token_cannot_fill_the_store_with_pairs(house, monkeypatch):
    monkeypatch.setattr(module, "LIVE_PER_TOKEN", 2)
    token = house.root(ttl=100)
    for _ in range(2):
        house.minted.mint(token)
    with pytest.raises(TokenRefused, match="already has 2"):
        house.minted.mint(token)


def test_ended_pairs_are_forgotten(house):
    house.minted.mint(house.root(ttl=100))
    house.now += 200
    revoked = house.root()
    house.minted.mint(revoked)
    house.issuer.revoke(revoked)
    pair = house.minted.mint(house.root())
    assert house.store.all(module.TABLE).keys() == {pair.user}
