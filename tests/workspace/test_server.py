from __future__ import annotations

import asyncio
import json
import signal
import sys

import aiohttp
import pytest

from bot.workspace.guard import host_is_ours
from bot.workspace.seed import Rate, SeedError, parse_seed, read_seed
from bot.workspace.server import ListenError, running


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost:80", "[::1]:80", "127.0.0.1"])
def test_our_own_hosts_are_known(host):
    assert host_is_ours(host, port=80, loopback_only=True)


@pytest.mark.parametrize(
    "host",
    ["evil.example:80", "127.0.0.1:81", "", "127.0.0.1.evil.example:80", "192.0.2.1:80", "a:b:c", "[::1"],
)
def test_other_host_headers_are_not_ours(host):
    assert not host_is_ours(host, port=80, loopback_only=True)


async def test_a_rebound_name_is_refused_everywhere(server):
    async with aiohttp.ClientSession(headers={"Host": "evil.example"}) as session:
        for path in ("/", "/api/auth.test", "/_control/state", "/page/app.js"):
            async with session.get(server.url + path) as answer:
                assert answer.status == 421


async def test_the_control_api_needs_the_token_or_our_own_page(server):
    url = server.url + "/_control/state"
    async with aiohttp.ClientSession() as session:
        for headers, status in (
            ({}, 403),
            ({"Authorization": "Bearer wrong"}, 403),
            ({"Authorization": f"Bearer {server.control_token}"}, 200),
            ({"Sec-Fetch-Site": "same-origin"}, 200),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"}, 403),
            ({"Origin": server.url}, 200),
            ({"Origin": "http://evil.example", "Referer": server.url + "/"}, 403),
            ({"Referer": server.url + "/"}, 200),
            ({"Referer": server.url + ".evil.example/"}, 403),
        ):
            async with session.get(url, headers=headers) as answer:
                assert answer.status == status, headers


async def test_the_page_is_closed_to_other_sources(server):
    async with aiohttp.ClientSession() as session:
        async with session.get(server.url + "/") as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with session.get(server.url + "/page/app.js") as answer:
            assert answer.content_type == "text/javascript"
        for path in ("/page/..%2Fserver.py", "/page/server.py", "/page/nothing.js"):
            async with session.get(server.url + path) as answer:
                assert answer.status == 404


async def test_files_need_a_token_that_may_read_them(server, slack):
    sent = await slack.files_upload_v2(channel="C0AUDIT", content="x", filename="a.txt")
    async with aiohttp.ClientSession() as session:
        async with session.get(sent["file"]["url_private"]) as answer:
            assert answer.status == 403
        async with session.get(
            sent["file"]["url_private"], headers={"Authorization": f"Bearer {slack.token}"}
        ) as answer:
            assert (answer.status, await answer.text()) == (200, "x")


async def test_only_loopback_is_listened_on_unless_told_so():
    with pytest.raises(ListenError, match="--insecure-listen"):
        async with running(host="0.0.0.0"):
            pass
    async with running(host="0.0.0.0", insecure_listen=True) as server:
        assert server.url.startswith("http://0.0.0.0:")


def test_a_seed_file_replaces_parts(tmp_path):
    file = tmp_path / "seed.json"
    person = {"id": "U1", "name": "eva", "real_name": "Eva", "email": "eva@example.com"}
    file.write_text(
        json.dumps(
            {"people": [person], "groups": [], "tokens": [], "rate": "strict", "timings": {"ack_seconds": 1}}
        )
    )
    seed = read_seed(file)
    assert [one.name for one in seed.people] == ["eva"]
    assert (seed.rate, seed.timings.ack_seconds, seed.team.name) == (Rate.STRICT, 1.0, "Countersign demo")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "an object is wanted"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"people": {}}, r"seed\.people: a list is wanted"),
        ({"people": [{"id": "U1"}]}, r"seed\.people\[0\]"),
        ({"rate": "fast"}, "one of off, normal, strict"),
        ({"team": {"id": 3}}, r"seed\.team\.id: str is wanted"),
        ({"groups": [{"id": "S1", "handle": "x", "name": "X", "users": ["U9"]}]}, "nobody in seed.people"),
        ({"tokens": [{"token": "x", "kind": "root"}]}, "none of bot, app, user"),
    ],
)
def test_a_seed_that_is_not_usable_says_where(given, said):
    with pytest.raises(SeedError, match=said):
        parse_seed(given)


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.workspace",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_command_says_when_it_is_ready_and_stops_on_sigterm():
    process = await start("--listen", "127.0.0.1:0", "--json")
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    async with aiohttp.ClientSession() as session, session.get(ready["page"]) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_the_command_refuses_what_it_cannot_use(tmp_path):
    broken = tmp_path / "seed.json"
    broken.write_text("{")
    for arguments, said in (
        (("--listen", "0.0.0.0:0"), b"--insecure-listen"),
        (("--listen", "here"), b"ADDRESS:PORT"),
        (("--seed", str(broken)), b"not a readable JSON file"),
    ):
        process = await start(*arguments)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 2
        assert said in errors
