from __future__ import annotations

import json
import shlex
import stat
from dataclasses import replace

import pytest

from gateway.policy.model import TlsPolicy
from tests.identity.house import R, target


@pytest.fixture
def token(countersign) -> str:
    house = countersign.house
    return house.child(house.root(), "helper", scope={"orders": frozenset({R})})


async def test_the_client_line_holds_no_secret_and_can_be_pasted(countersign, token):
    done = await countersign("connect", "orders", token=token)
    assert (done.code, done.err) == (0, "")
    assert token not in done.out
    words = shlex.split(done.out)
    assert words[0] == "PGPASSWORD=$COUNTERSIGN_TOKEN"
    assert words[1] == "psql"
    assert "127.0.0.1" in done.out
    assert "15432" in done.out


async def test_exports_refer_to_the_token(countersign, token):
    done = await countersign("connect", "orders", "--format", "env", token=token)
    lines = done.out.splitlines()
    assert 'export PGPASSWORD="$COUNTERSIGN_TOKEN"' in lines
    assert "export PGPORT=15432" in lines
    assert "export PGUSER=helper" in lines
    assert token not in done.out


async def test_a_url_names_the_user_and_no_password(countersign, token):
    done = await countersign("connect", "orders", "--format", "url", token=token)
    assert done.out.split("://")[1] == "helper@127.0.0.1:15432/shop\n"


async def test_json_says_where_the_password_is(countersign, token):
    for way in (("--json",), ("--format", "json")):
        answer = json.loads((await countersign("connect", "orders", *way, token=token)).out)
        assert (answer["host"], answer["port"], answer["user"]) == ("127.0.0.1", 15432, "helper")
        assert (answer["effects"], answer["password_in"]) == (["read"], "COUNTERSIGN_TOKEN")


async def test_a_minted_pair_is_printed_only_when_asked_for(countersign, token):
    answer = json.loads((await countersign("connect", "orders", "--json", "--minted", token=token)).out)
    assert countersign.house.minted.proves(answer["user"], answer["password"])
    done = await countersign("connect", "orders", "--format", "url", "--minted", token=token)
    user, password = done.out.split("://")[1].split("@")[0].split(":")
    assert countersign.house.minted.proves(user, password)
    done = await countersign("connect", "orders", "--format", "env", "--minted", token=token)
    values = dict(line.removeprefix("export ").split("=", 1) for line in done.out.splitlines())
    assert countersign.house.minted.proves(values["PGUSER"], values["PGPASSWORD"])


async def test_a_file_is_written_for_its_owner_alone(countersign, token, tmp_path):
    path = tmp_path / "orders.env"
    path.write_text("old")
    path.chmod(0o644)
    done = await countersign(
        "connect", "orders", "--format", "env", "--minted", "--out", str(path), token=token
    )
    assert (done.code, done.out) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("export PG")
    (tmp_path / "link").symlink_to(path)
    done = await countersign("connect", "orders", "--out", str(tmp_path / "link"), token=token)
    assert done.code == 2


async def test_a_connection_outside_the_scope_is_refused(countersign, token):
    done = await countersign("connect", "shop", token=token)
    assert (done.code, done.out) == (1, "")
    assert "helper does not reach shop; it reaches orders" in done.err


async def test_where_the_way_is_open_the_token_is_not_recommended(countersign, token):
    house = countersign.house
    house.policy = replace(house.policy, targets={"orders": target("orders", host="10.9.8.7")})
    done = await countersign("connect", "orders", token=token)
    assert "--minted" in done.err


async def test_a_host_that_would_run_as_a_command_is_quoted(countersign, token):
    house = countersign.house
    hostile = replace(
        target("orders"), upstream=replace(target("orders").upstream, database="x; $(touch /tmp/y) `z` '\"")
    )
    house.policy = replace(house.policy, targets={"orders": hostile})
    for form in ("psql", "env"):
        done = await countersign("connect", "orders", "--format", form, token=token)
        words = shlex.split(done.out)
        assert any(
            word.endswith(hostile.upstream.database) or hostile.upstream.database in word for word in words
        )


async def test_a_protocol_without_host_keys_has_none_to_tell(countersign, token):
    done = await countersign("connect", "orders", "--known-host", token=token)
    assert (done.code, done.out) == (2, "")
    assert "knows no host keys" in done.err


@pytest.mark.parametrize(
    ("way", "line"), [((), 'MYSQL_PWD="$COUNTERSIGN_TOKEN" mysql --'), (("--format", "env"), "export MYSQL_")]
)
async def test_mysql_is_connected_to_by_its_own_client(countersign, token, way, line):
    house = countersign.house
    house.policy = replace(house.policy, targets={"orders": target("orders", protocol="mysql")})
    done = await countersign("connect", "orders", *way, token=token)
    assert done.code == 0
    assert done.out.startswith(line), done.out
    if not way:
        assert token not in done.out
        assert "--protocol=TCP" in done.out


@pytest.mark.parametrize(
    "way", [(), ("--format", "env"), ("--json",), ("--minted",)], ids=["line", "env", "json", "minted"]
)
async def test_a_protocol_that_only_the_gateway_knows_has_no_clients(countersign, token, way):
    house = countersign.house
    house.policy = replace(house.policy, targets={"orders": target("orders", protocol="gopher")})
    done = await countersign("connect", "orders", *way, token=token)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("countersign: orders: protocol 'gopher' is not served here; ")
    assert done.err.endswith("; use a countersign as new as the gateway\n")


@pytest.mark.parametrize("tls", [True, False])
async def test_a_service_is_met_by_curl_with_the_password_on_its_input(countersign, token, tls):
    house = countersign.house
    files = TlsPolicy(certificate="c.pem", key="k.pem") if tls else None
    service = target("orders", protocol="http")
    service = replace(service, upstream=replace(service.upstream, database=""))
    house.policy = replace(house.policy, targets={"orders": service}, tls=files)
    scheme = "https" if tls else "http"
    done = await countersign("connect", "orders", token=token)
    assert done.out.startswith('COUNTERSIGN_HTTP_PASSWORD="$COUNTERSIGN_TOKEN" sh -c ')
    assert done.out.endswith(f" helper {scheme}://127.0.0.1:15432/\n")
    assert token not in done.out
    url = await countersign("connect", "orders", "--format", "url", token=token)
    assert url.out == f"{scheme}://helper@127.0.0.1:15432/\n"
    given = await countersign("connect", "orders", "--format", "env", token=token)
    assert f"export COUNTERSIGN_HTTP_URL={scheme}://127.0.0.1:15432\n" in given.out


async def test_clients_that_need_no_file_get_none(countersign, token, tmp_path):
    done = await countersign("connect", "orders", "--config", str(tmp_path / "config"), token=token)
    assert (done.code, done.out) == (1, "")
    assert "clients of 'postgres' need no file" in done.err
    assert not (tmp_path / "config").exists()
