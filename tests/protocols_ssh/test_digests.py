"""What is said of a file that went by: the digest of its very bytes, or that there is none."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.ssh.digests import Copies, Digest


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1), st.integers(0, 99))
def test_bytes_that_come_in_order_have_the_digest_of_the_whole(pieces: list[bytes], start: int) -> None:
    digest, at = Digest(), start
    for piece in pieces:
        digest.add(at, piece)
        at += len(piece)
    whole = b"".join(pieces)
    where = f" from byte {start} on" if start else ""
    assert str(digest) == f"{len(whole)} bytes{where}, sha256 {sha256(whole)}"


@pytest.mark.parametrize("second", [0, 2, 4, 99])
def test_bytes_in_another_order_have_none(second: int) -> None:
    digest = Digest()
    digest.add(0, b"one")
    digest.add(second, b"two")
    assert str(digest) == "6 bytes in no order"


def test_what_did_not_come_to_pass_has_none() -> None:
    digest = Digest()
    digest.add(0, b"one")
    digest.lost()
    assert str(digest) == "3 bytes in no order"


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\n", exclude_categories=["Cs"]), min_size=1, max_size=9
)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=4), st.lists(st.integers(1, 30)))
def test_each_file_of_a_copy_is_found_wherever_the_stream_is_cut(
    files: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    sent = [f"C0644 {len(data)} {name}\n".encode() + data + b"\0" for name, data in files]
    stream = b"\0T1 0 1 0\nD0755 0 dir\n\1scp: no such file\n" + b"".join(sent) + b"E\n"
    found: list[str] = []
    copies, at = Copies(found.append), 0
    for cut in [*cuts, len(stream) + 1]:
        copies.feed(stream[at : at + cut])
        at += cut
    assert found == [
        f"{name}: {len(data)} bytes, sha256 {sha256(data)}" if data else f"{name}: 0 bytes"
        for name, data in files
    ]


@given(st.binary(max_size=200))
def test_what_is_no_copy_is_looked_at_no_further(stream: bytes) -> None:
    found: list[str] = []
    copies = Copies(found.append)
    copies.feed(b"\2scp: lost\n" + stream)
    copies.feed(b"C0644 1 a\nx\0")
    assert not found


def test_a_line_that_does_not_end_is_not_kept() -> None:
    found: list[str] = []
    copies = Copies(found.append)
    for _ in range(100):
        copies.feed(b"C0644 " + b"1" * 1_000)
    copies.feed(b"\nC0644 1 a\nx\0")
    assert not found


@pytest.mark.parametrize(("size", "known"), [(3, True), (2, False), (4, False)])
def test_a_file_that_is_cut_elsewhere_than_where_it_ended_has_none(size: int, *, known: bool) -> None:
    digest = Digest()
    digest.add(0, b"abc")
    digest.cut(size)
    assert ("sha256" in str(digest)) == known
