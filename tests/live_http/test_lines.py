"""What `countersign` prints and sets for clients gets them in."""

from __future__ import annotations

import os
import subprocess

from tests.live_http.house import HttpGateway
from tests.live_http.service import MASKED_PEOPLE, Service

READ = (
    """printf 'user = "%s:%s"\\n' "$COUNTERSIGN_HTTP_USER" "$COUNTERSIGN_HTTP_PASSWORD" | """
    """curl -sS --config - "$COUNTERSIGN_HTTP_URL/customers" """
)


def test_the_line_of_connect_gets_in_and_names_no_secret(gateway: HttpGateway, shop: Service) -> None:
    token = gateway.token()
    line = gateway.countersign("connect", "shop-api", COUNTERSIGN_TOKEN=token).stdout.strip()
    assert token not in line
    before = len(shop.seen)
    done = subprocess.run(
        ["sh", "-c", f"{line}customers"],
        env={**os.environ, "COUNTERSIGN_TOKEN": token},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == MASKED_PEOPLE
    assert shop.seen[before:] == [("GET", "/customers", b"")]


def test_a_program_that_is_run_finds_the_way_in(gateway: HttpGateway, shop: Service) -> None:
    before = len(shop.headers)
    child = ("--as", "reader", "--scope", "shop-api:read")
    done = gateway.countersign("run", *child, "--", "sh", "-c", READ, COUNTERSIGN_TOKEN=gateway.token())
    assert done.stdout == MASKED_PEOPLE, done.stderr
    assert (
        shop.headers[before]["x-countersign-lineage"] == "maria.lopez@example.com, release-pipeline, reader"
    )


def test_a_minted_pair_gets_in(gateway: HttpGateway) -> None:
    exports = gateway.countersign(
        "connect", "shop-api", "--minted", "--format", "env", COUNTERSIGN_TOKEN=gateway.token()
    ).stdout
    done = subprocess.run(["sh", "-c", f"{exports}\n{READ}"], capture_output=True, text=True, check=True)
    assert done.stdout == MASKED_PEOPLE
