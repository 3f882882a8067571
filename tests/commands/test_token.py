from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.identity.tokens import TokenRefused
from tests.identity.gateway_app import OPERATOR
from tests.identity.house import ADA, BOB, SECRET, House


async def test_mint_prints_the_token_and_nothing_else(countersign):
    done = await countersign(
        "token", "mint", "release-pipeline", "--scope", "orders:read", "--ttl", "2m", "--task", "r 42"
    )
    assert (done.code, done.err) == (0, "")
    claims = countersign.house.issuer.verify(done.out.strip())
    assert (claims.person, claims.chain[0].task) == (ADA, "r 42")
    assert 118 <= claims.expires_at - claims.issued_at <= 120
    assert list(claims.scope) == ["orders"]


async def test_a_secret_comes_from_a_variable_a_file_or_standard_input(countersign, tmp_path):
    (tmp_path / "secret").write_text(SECRET + "\n")
    plain = ("token", "mint", "release-pipeline", "--person", BOB)
    del countersign.environment["RELEASE_PIPELINE_SECRET"]
    for done in (
        await countersign(*plain, "--secret-env", "ELSEWHERE", ELSEWHERE=SECRET),
        await countersign(*plain, "--secret-file", str(tmp_path / "secret")),
        await countersign(*plain, "--secret-stdin", stdin=SECRET + "\n"),
    ):
        assert done.code == 0, done.err
        assert countersign.house.issuer.verify(done.out.strip()).person == BOB
    done = await countersign(*plain)
    assert done.code == 2
    assert "RELEASE_PIPELINE_SECRET" in done.err


async def test_a_wrong_secret_is_told_without_showing_it(countersign):
    done = await countersign("token", "mint", "release-pipeline", RELEASE_PIPELINE_SECRET="not-the-secret")
    assert (done.code, done.out) == (1, "")
    assert "name and secret" in done.err
    assert "not-the-secret" not in done.err


async def test_derive_narrows_the_token_at_hand(countersign):
    root = countersign.house.root()
    done = await countersign(
        "token", "derive", "--as", "planner", "--scope", "shop:read", "--json", token=root
    )
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    claims = countersign.house.issuer.verify(answer["access_token"])
    assert (claims.agent, answer["scope"]) == ("planner", "shop:read")
    wider = await countersign(
        "token", "derive", "--as", "x", "--scope", "shop:write", stdin=answer["access_token"]
    )
    assert (wider.code, wider.out) == (1, "")
    assert "the token of planner does not have shop:write" in wider.err


async def test_inspect_shows_the_lineage_and_that_the_token_holds(countersign):
    house = countersign.house
    child = house.child(house.root(task="release 42"), "planner", ttl=600)
    done = await countersign("token", "inspect", token=child)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == ADA
    assert lines[1].startswith("└─ release-pipeline  ")
    assert lines[1].endswith("“release 42”")
    assert lines[2].startswith("   └─ planner  ")
    assert "orders:read,write shop:read" in done.out
    assert "signature  good" in done.out
    assert "holds      yes" in done.out
    assert child not in done.out


async def test_inspect_reads_a_token_from_standard_input(countersign):
    done = await countersign("token", "inspect", "--json", stdin=countersign.house.root() + "\n")
    report = json.loads(done.out)
    assert (report["holds"], report["signature"], report["claims"]["sub"]) == (True, "good", ADA)


@pytest.mark.parametrize("verb", ["inspect", "revoke"])
async def test_a_token_that_is_piped_in_is_never_taken_for_our_own(countersign, verb):
    house = countersign.house
    ours = house.root()
    piped = house.child(ours, "planner")
    done = await countersign("token", verb, token=ours, stdin=piped + "\n")
    assert done.code == 2
    assert "write - for the one on standard input" in done.err
    assert house.issuer.verify(ours)
    done = await countersign("token", verb, "-", token=ours, stdin=piped + "\n")
    assert done.code == 0, done.err
    assert house.issuer.verify(ours)
    if verb == "revoke":
        with pytest.raises(TokenRefused):
            house.issuer.verify(piped)


async def test_inspect_says_why_a_token_does_not_hold(countersign, tmp_path):
    house = countersign.house
    token = house.root()
    house.issuer.revoke(token)
    done = await countersign("token", "inspect", token=token)
    assert done.code == 1
    assert "holds      no: the token was revoked" in done.out
    forged = House(tmp_path / "forger")
    done = await countersign("token", "inspect", token=forged.root())
    assert done.code == 1
    assert "signature  bad" in done.out
    done = await countersign("token", "inspect", token="nonsense")
    assert done.code == 2


async def test_inspect_without_a_gateway_says_that_nothing_was_checked(countersign):
    house = countersign.house
    done = await countersign("token", "inspect", "--url", "http://127.0.0.1:9", token=house.root())
    assert done.code == 0
    assert "signature  not checked" in done.out
    assert "no gateway answers" in done.out


async def test_what_a_forged_token_says_cannot_move_the_cursor(countersign, tmp_path):
    forger = House(tmp_path / "forger")
    said = forger.keys.sign(
        {"person": "\x1b[2J", "lineage": [{"name": "\x9bm", "task": "\u202e"}, 7], "exp": "\r"}
    )
    done = await countersign("token", "inspect", token=said)
    assert done.code == 1
    assert all(character.isprintable() or character == "\n" for character in done.out)


async def test_revoke_ends_the_token_at_hand(countersign):
    house = countersign.house
    root = house.root()
    child = house.child(root)
    done = await countersign("token", "revoke", "--json", token=root)
    assert (done.code, set(json.loads(done.out)["revoked"])) == (
        0,
        {house.token_id(root), house.token_id(child)},
    )
    with pytest.raises(TokenRefused):
        house.issuer.verify(child)


async def test_revoke_ends_a_descendant_by_id_and_nobody_else(countersign):
    house = countersign.house
    root = house.root()
    child, other = house.child(root), house.root()
    done = await countersign("token", "revoke", house.token_id(child), token=root)
    assert done.code == 0, done.err
    done = await countersign("token", "revoke", house.token_id(other), token=root)
    assert done.code == 1
    assert house.issuer.verify(other)
    done = await countersign("token", "revoke", house.token_id(other))
    assert done.code == 2
    assert "COUNTERSIGN_TOKEN" in done.err
    done = await countersign("token", "revoke", other)
    assert done.code == 2
    assert "seen by every process" in done.err


async def test_an_operator_revokes_by_id_and_rotates(countersign, tmp_path):
    house = countersign.house
    token = house.root()
    (tmp_path / "operator.token").write_text(OPERATOR + "\n")
    done = await countersign("token", "revoke", house.token_id(token), "--reason", "left open")
    assert done.code == 0, done.err
    assert house.lineages.get(house.token_id(token)).reason == "left open"
    unknown = await countersign("token", "revoke", "0123456789abcdef")
    assert (unknown.code, unknown.out) == (1, "revoked nothing: nobody has such a token\n")
    before = house.keys.key_id
    done = await countersign("token", "rotate")
    assert done.code == 0, done.err
    assert house.keys.key_id != before
    assert house.keys.key_id in done.out
    done = await countersign("token", "rotate", "--disown", COUNTERSIGN_OPERATOR_TOKEN="wrong")
    assert done.code == 1


async def test_secrets_do_not_leave_in_the_clear(countersign):
    for url in ("http://gate.example:8480", "http://10.0.0.9", "ftp://127.0.0.1", "gate.example"):
        done = await countersign("token", "mint", "release-pipeline", "--url", url)
        assert done.code == 2
        assert SECRET not in done.err


@pytest.mark.parametrize("ttl", ["0", "-1m", "1w", "soon", "1.5h"])
async def test_a_time_that_is_none_is_a_usage_error(countersign, ttl):
    done = await countersign("token", "mint", "release-pipeline", f"--ttl={ttl}")
    assert done.code == 2
    assert "90s, 15m, 2h or 1d" in done.err


async def test_without_a_gateway_the_fix_is_named(countersign):
    done = await countersign("token", "mint", "release-pipeline", "--url", "http://127.0.0.1:9")
    assert done.code == 2
    assert "countersign serve" in done.err


def test_no_option_takes_a_secret():
    text = (Path(__file__).parents[2] / "gateway/commands/token.py").read_text()
    assert '"--secret"' not in text
    assert '"--token"' not in text
