"""Bodies: whatever the coding and the cuts, what went in comes out; what is damaged, endless or too much ends."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.masking.decoding import PIECE, BodyLimits, BodyUnreadable, Decoder


def raw_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


def chunked(data: bytes, size: int = 7) -> bytes:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"


CODINGS: dict[str, tuple[tuple[str, ...], Callable[[bytes], bytes]]] = {
    "identity": (("identity",), lambda data: data),
    "gzip": (("gzip",), gzip.compress),
    "two members": (("x-gzip",), lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:])),
    "zlib": (("deflate",), zlib.compress),
    "deflate": (("Deflate",), raw_deflate),
    "br": (("br",), brotli.compress),
    "zstd": (("zstd",), zstandard.compress),
    "two frames": (("zstd",), lambda data: zstandard.compress(data[:5]) + zstandard.compress(data[5:])),
    "chunked": (("chunked",), chunked),
    "gzip, chunked": (("gzip", " chunked"), lambda data: chunked(gzip.compress(data))),
    "br, gzip": (("br", "gzip"), lambda data: gzip.compress(brotli.compress(data))),
}


def decoded(codings: tuple[str, ...], parts: list[bytes], limits: BodyLimits | None = None) -> bytes:
    decoder = Decoder(codings, limits)
    out = [piece for part in parts for piece in decoder.feed(part)]
    decoder.close()
    assert all(len(piece) <= PIECE for piece in out)
    return b"".join(out)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = 0
    out = []
    for cut in cuts:
        out.append(data[at : at + cut])
        at += cut
    return [*out, data[at:]]


@settings(deadline=None)
@pytest.mark.parametrize("name", CODINGS)
@given(
    data=st.binary(max_size=200),
    times=st.sampled_from([1, 3000]),
    cuts=st.lists(st.integers(1, 50), max_size=12),
)
@example(data=b"\0" * 33, times=3000, cuts=[])
def test_whatever_the_cuts_what_went_in_comes_out(
    name: str, data: bytes, times: int, cuts: list[int]
) -> None:
    codings, encode = CODINGS[name]
    assert decoded(codings, pieces(encode(data * times), cuts)) == data * times


@pytest.mark.parametrize("name", [name for name in CODINGS if name != "identity"])
def test_a_body_that_is_cut_off_or_goes_on_ends_unreadable(name: str) -> None:
    codings, encode = CODINGS[name]
    body = encode(b"jane@example.com " * 50)
    for cut in (1, len(body) // 2, len(body) - 1):
        with pytest.raises(BodyUnreadable):
            decoded(codings, [body[:cut]])
    with pytest.raises(BodyUnreadable):
        decoded(codings, [body, b"!rest"])


@settings(deadline=None)
@given(st.sampled_from(sorted(CODINGS)), st.binary(max_size=200))
def test_any_bytes_are_read_or_are_unreadable(name: str, data: bytes) -> None:
    with contextlib.suppress(BodyUnreadable):
        decoded(CODINGS[name][0], [data])


@pytest.mark.parametrize("name", ["gzip", "zlib", "br", "zstd"])
def test_a_bomb_is_given_out_in_pieces_and_ends_at_its_limits(name: str) -> None:
    codings, encode = CODINGS[name]
    bomb = encode(bytes(64 * 1024 * 1024))
    with pytest.raises(BodyUnreadable, match="longer than 1000000"):
        decoded(codings, [bomb], BodyLimits(bytes=1_000_000))
    with pytest.raises(BodyUnreadable, match="grows to more than 100 times"):
        decoded(codings, [bomb], BodyLimits(growth=100, free=1_000_000))
    decoder = Decoder(codings)
    assert len(next(decoder.feed(bomb))) <= PIECE


def test_a_window_wider_than_http_allows_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    body = zstandard.ZstdCompressor(compression_params=parameters).compressobj().compress(b"x" * 100_000)
    made = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = made.compress(bytes(range(256)) * 4096) + made.flush()
    with pytest.raises(BodyUnreadable):
        decoded(("zstd",), [body])


@pytest.mark.parametrize("codings", [("compress",), ("aws-chunked",), ("gzip",) * 4, ("gzip;q=1",)])
def test_a_coding_that_is_not_known_is_refused(codings: tuple[str, ...]) -> None:
    with pytest.raises(BodyUnreadable, match="is not read"):
        Decoder(codings)


@pytest.mark.parametrize(
    "body",
    [
        b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"-1\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello!\r\n0\r\n\r\n", b"1" * 5000, b"fffffffffffffffff\r\n", b"\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
    ],
)  # fmt: skip
def test_chunks_are_read_as_strictly_as_they_are_defined(body: bytes) -> None:
    with pytest.raises(BodyUnreadable):
        decoded(("chunked",), [body])


def test_an_empty_body_is_whole_whatever_its_coding() -> None:
    assert decoded(("gzip",), []) == b""
