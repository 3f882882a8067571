from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
import termios
from dataclasses import replace

import pytest

from gateway.identity.tokens import TokenRefused
from tests.identity.house import R, target

SHOW = (sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))")
ORDERS = ("--scope", "orders:read", "--task", "look around")


def environment(done) -> dict[str, str]:
    assert done.code == 0, done.err
    return json.loads(done.out)


async def test_the_program_gets_a_narrower_token_and_its_clients_variables(countersign):
    house = countersign.house
    seen = environment(await countersign("run", "--as", "helper", *ORDERS, "--", *SHOW, token=house.root()))
    claims = house.issuer.own(seen["COUNTERSIGN_TOKEN"])
    assert [link.name for link in claims.chain] == ["release-pipeline", "helper"]
    assert (claims.scope, claims.chain[1].task) == ({"orders": {R}}, "look around")
    assert (seen["PGHOST"], seen["PGPORT"], seen["PGDATABASE"]) == ("127.0.0.1", "15432", "shop")
    assert (seen["PGUSER"], seen["PGPASSWORD"]) == ("helper", seen["COUNTERSIGN_TOKEN"])
    assert seen["COUNTERSIGN_URL"] == countersign.url


async def test_the_programs_token_ends_with_it_and_ours_does_not(countersign):
    house = countersign.house
    root = house.root()
    seen = environment(await countersign("run", "--as", "helper", *ORDERS, "--", *SHOW, token=root))
    with pytest.raises(TokenRefused, match="revoked"):
        house.issuer.verify(seen["COUNTERSIGN_TOKEN"])
    assert house.issuer.verify(root)


async def test_nothing_of_ours_reaches_the_program(countersign):
    root = countersign.house.root()
    ours = {
        "PGPASSWORD": root,
        "DATABASE_URL": f"postgresql://me:{root}@127.0.0.1/shop",
        "COUNTERSIGN_OPERATOR_TOKEN": "operator-credential",
        "COUNTERSIGN_BOT_TOKEN": "bot-credential",
        "PGUSER": "outer-user",
        "PGHOST": "outer-host",
        "KEPT": "kept",
    }
    for scope in ("orders:read", "orders:read shop:read"):
        seen = environment(
            await countersign("run", "--as", "helper", "--scope", scope, "--", *SHOW, token=root, **ours)
        )
        text = json.dumps(seen)
        assert seen["KEPT"] == "kept"
        for secret in (root, "operator-credential", "bot-credential", "outer-user", "outer-host"):
            assert secret not in text
        assert "RELEASE_PIPELINE_SECRET" not in seen


async def test_a_run_inside_a_run_is_a_grandchild(countersign):
    house = countersign.house
    inner = ("--", sys.executable, "-m", "gateway", "run", "--as", "migrator", "--scope", "orders:read")
    seen = environment(
        await countersign(
            *("run", "--as", "planner", "--scope", "orders:read,write", "--minted", *inner, "--", *SHOW),
            token=house.root(),
        )
    )
    claims = house.issuer.own(seen["COUNTERSIGN_TOKEN"])
    assert [link.name for link in claims.chain] == ["release-pipeline", "planner", "migrator"]
    assert seen["PGUSER"] == "migrator"


async def test_a_minted_pair_is_given_where_wanted(countersign):
    seen = environment(
        await countersign(
            "run", "--as", "helper", *ORDERS, "--minted", "--", *SHOW, token=countersign.house.root()
        )
    )
    assert seen["PGUSER"].startswith("cs_")
    assert countersign.house.minted.proves(seen["PGUSER"], seen["PGPASSWORD"])


async def test_where_the_way_is_open_a_minted_pair_takes_the_tokens_place(countersign):
    house = countersign.house
    house.policy = replace(house.policy, targets={"orders": target("orders", host="10.9.8.7")})
    seen = environment(await countersign("run", "--as", "helper", *ORDERS, "--", *SHOW, token=house.root()))
    assert seen["PGHOST"] == "10.9.8.7"
    assert seen["PGUSER"].startswith("cs_")
    assert seen["COUNTERSIGN_TOKEN"] not in seen["PGPASSWORD"]


async def test_two_connections_that_would_share_variables_set_none_unless_one_is_picked(countersign):
    root = countersign.house.root()
    done = await countersign("run", "--as", "helper", "--", *SHOW, token=root)
    assert not [name for name in environment(done) if name.startswith("PG")]
    assert "--connection" in done.err
    picked = await countersign("run", "--as", "helper", "--connection", "shop", "--", *SHOW, token=root)
    assert environment(picked)["PGPORT"] == "15433"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--scope", "orders:ddl", "--", "true"), 1, "does not have orders:ddl"),
        (("--scope", "shop:read", "--connection", "orders", "--", "true"), 1, "does not reach orders"),
        (("--scope", "orders:read"), 2, "name the program"),
        (("--scope", "orders:read", "--", "no-such-program-here"), 127, "not found"),
        (("--scope", "orders:read", "--", "/etc/passwd"), 126, "ermission"),
        (("--scope", "orders:read", "--", "sh", "-c", "exit 7"), 7, ""),
        (("--scope", "orders:read", "--", "sh", "-c", "kill -9 $$"), 137, ""),
    ],
)
async def test_the_exit_status_is_the_programs_and_no_token_stays_behind(countersign, arguments, code, says):
    house = countersign.house
    done = await countersign("run", "--as", "helper", *arguments, token=house.root())
    assert done.code == code, done.err
    assert says in done.err
    alive = [link.name for link in house.lineages.links().values() if link.revoked_at is None]
    assert alive == ["release-pipeline"]


async def test_without_a_token_nothing_starts(countersign):
    done = await countersign("run", "--as", "helper", "--", "true")
    assert done.code == 2
    assert "set COUNTERSIGN_TOKEN" in done.err


@pytest.fixture
def number(request):
    """A signal that is not ignored here, as SIGHUP is below nohup: what is ignored stays so in every child."""
    before = signal.getsignal(request.param)
    if before is signal.SIG_IGN:
        signal.signal(request.param, signal.SIG_DFL)
    yield request.param
    if before is signal.SIG_IGN:
        signal.signal(request.param, before)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT], indirect=True
)
async def test_signals_are_passed_on_and_the_token_still_ends(countersign, number):
    house = countersign.house
    program = (
        "import signal, sys; "
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}]); "
        f"print('ready', flush=True); signal.sigwait([{int(number)}]); sys.exit(42)"
    )
    process = await countersign.start(
        "run", "--as", "helper", *ORDERS, "--", sys.executable, "-c", program, token=house.root()
    )
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        await process.communicate()
    assert process.returncode == 42
    alive = [link.name for link in house.lineages.links().values() if link.revoked_at is None]
    assert alive == ["release-pipeline"]


async def test_the_program_has_our_standard_input(countersign):
    done = await countersign(
        "run", "--as", "helper", *ORDERS, "--", "cat", token=countersign.house.root(), stdin="hello"
    )
    assert (done.code, done.out) == (0, "hello")


async def test_what_was_derived_is_told_as_json_on_request(countersign):
    house = countersign.house
    done = await countersign(
        "run", "--as", "helper", "--scope", "orders:read,write", "--json", "--", "true", token=house.root()
    )
    told = json.loads(done.err)
    assert told["scope"] == "orders:read,write"
    assert house.lineages.get(told["token_id"]).name == "helper"
    assert "PGPASSWORD" in told["variables"]


async def test_an_interrupt_typed_at_the_terminal_reaches_the_program_once(countersign):
    program = (
        "import signal, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
        "print('ready', flush=True)\n"
        "signal.sigwait([signal.SIGINT])\n"
        "sys.exit(42 if signal.sigtimedwait([signal.SIGINT], 0.3) is None else 43)\n"
    )
    master, terminal = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "gateway",
                "run",
                "--as",
                "helper",
                *ORDERS,
                "--",
                sys.executable,
                "-c",
                program,
            ),
            env={**countersign.environment, "COUNTERSIGN_TOKEN": countersign.house.root()},
            stdin=terminal,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
            os.write(master, b"\x03")
            await process.communicate()
    finally:
        os.close(master)
        os.close(terminal)
    assert process.returncode == 42


async def test_connections_that_only_the_gateway_knows_are_left_out_of_the_programs_variables(countersign):
    house = countersign.house
    both = {"orders": target("orders"), "shop": target("shop", protocol="gopher")}
    house.policy = replace(house.policy, targets=both)
    scope = ("--scope", "orders:read shop:read")
    done = await countersign("run", "--as", "helper", *scope, "--", *SHOW, token=house.root())
    assert environment(done)["PGPORT"] == "15432"
    assert "no variables are set: shop: protocol 'gopher' is not served here" in done.err
    named = ("--connection", "shop", "--", *SHOW)
    done = await countersign("run", "--as", "helper", *scope, *named, token=house.root())
    assert (done.code, done.out) == (1, "")
    assert "protocol 'gopher' is not served here" in done.err
