"""One spelling for all that mean one host."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.hosts import LOOPBACK, canonical, found, is_address


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.255.0.3", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0", "::1", "[::1]", "::",
        "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1", "::1%lo", "localhost", "LOCALHOST",
        "localhost.", "db.localhost", "localhost.localdomain", "ip6-localhost", "",
    ],
)  # fmt: skip
def test_a_machine_itself_has_many_names(host: str) -> None:
    assert canonical(host) == LOOPBACK


@pytest.mark.parametrize(
    ("host", "same"),
    [
        ("DB.Internal.", "db.internal"), ("10.1", "10.0.0.1"), ("167772161", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:DB8:0::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"),
    ],
)  # fmt: skip
def test_other_spellings_of_one_host_are_the_same(host: str, same: str) -> None:
    assert canonical(host) == same == canonical(same)


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "127.example.com", "128.0.0.1", "nolocalhost", "::2", "10.0.0.1x"]
)
def test_what_is_somebody_else_stays_that(host: str) -> None:
    assert canonical(host) != LOOPBACK


@pytest.mark.parametrize(
    ("host", "says"),
    [("10.0.0.1", True), ("167772161", True), ("::1", True), ("localhost", True), ("db.internal", False), ("10.0.0.1x", False)],
)  # fmt: skip
def test_an_address_says_by_itself_where_it_is(host: str, *, says: bool) -> None:
    assert is_address(host) == says


async def test_a_name_is_found_in_the_one_spelling() -> None:
    async def resolve(name: str, port: int, **_: Any) -> list[Any]:
        if name != "db.internal":
            raise OSError("not known")
        return [(0, 0, 0, "", (place, port)) for place in ("10.0.0.5", "::ffff:10.0.0.6", "::1")]

    assert await found("db.internal", 5432, resolve) == {"10.0.0.5", "10.0.0.6", LOOPBACK}
    assert await found("other.internal", 5432, resolve) == frozenset()
