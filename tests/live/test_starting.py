"""`countersign serve` where it cannot begin: the last line says what to change, and the status is 2."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gateway.demo.postgres import Account
from tests.live import house


@pytest.mark.parametrize(("whose", "named"), [("api", "api.listen"), ("shop", "shop cannot listen")])
def test_an_address_that_is_taken_is_named(tmp_path: Path, upstream: Account, whose: str, named: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        gateway = house.Gateway(tmp_path, upstream, **({"api_port": port} if whose == "api" else {}))
        if whose == "shop":
            policy = gateway.policy_file.read_text()
            gateway.policy_file.write_text(policy.replace("127.0.0.1:0", f"127.0.0.1:{port}", 1))
        with pytest.raises(AssertionError, match="did not start"):
            gateway.start()
        assert gateway.stop() == 2
    last = gateway.log().splitlines()[-1]
    assert port in last
    assert named in last
