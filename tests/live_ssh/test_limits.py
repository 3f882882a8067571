"""What clients may make the gateway keep, one by one and all together."""

from __future__ import annotations

from pathlib import Path

from tests.live_ssh import house
from tests.live_ssh.house import Server


def test_what_all_clients_may_have_waiting_is_bounded_and_given_back(server: Server, tmp_path: Path) -> None:
    """A held command keeps 4 MiB of what its client sends behind it, and the window of a channel that is not read."""
    (tmp_path / "much").write_bytes(bytes(16_000_000))
    with house.gateway(tmp_path, server, limits="{waiting_bytes: 10MiB}") as gateway:
        waiting = gateway.start_ssh(f"cat > {tmp_path}/one", stdin=tmp_path / "much")
        first = gateway.api.pending(f"{tmp_path}/one")
        refused = gateway.start_ssh(f"cat > {tmp_path}/two", stdin=tmp_path / "much")
        _, said = refused.communicate(timeout=30)
        assert b"as much in memory for its clients as it may" in said
        assert refused.returncode != 0
        gateway.api.vote(first, "approve")
        waiting.communicate(timeout=30)
        assert waiting.returncode == 0
        assert (tmp_path / "one").read_bytes() == bytes(16_000_000)
        with gateway.api.deciding("approve", containing=f"{tmp_path}/three"):
            third = gateway.start_ssh(f"cat > {tmp_path}/three", stdin=tmp_path / "much")
            third.communicate(timeout=30)
        assert (tmp_path / "three").read_bytes() == bytes(16_000_000)
