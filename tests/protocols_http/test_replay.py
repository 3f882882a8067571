"""Recorded answers as a person reads them: nothing hidden, nothing that a terminal obeys, and what was cut is said."""

from __future__ import annotations

import gzip

import pytest

from gateway.protocols.http.replay import MOST_SHOWN, render

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_an_answer_is_shown() -> None:
    assert render(HEAD + b'Content-Length: 8\r\n\r\n{"a": 1}', b"GET") == (
        'HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 8\n\n{"a": 1}'
    )


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "\n\nabcde"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde", "\n\nabcde\n(cut: the last chunk has not come)"),
        (HEAD + b"Content-Length: 9\r\n\r\nabc", "\n\nabc\n(cut: 6 more bytes did not come)"),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"abc"), "\n\nabc"),
        (HEAD + b"Content-Encoding: gzip\r\n\r\nabc", "(cut: a body is damaged: Error -3 while decompressing data: incorrect header check)"),
        (HEAD + b"Content-Encoding: pack\r\n\r\nabc", "(3 bytes: the coding 'pack' is not read; gzip, deflate, br, zstd are)"),
        (HEAD, "(cut: the head does not end)"),
        (b"", "(no answer)"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\0\0\0\r", "\n\n(12 bytes that are no text)"),
        (b"HTTP/1.1 200 OK\r\n\r\nplain\r\nlines\r\n", "\n\nplain\nlines"),
        (HEAD + b"\r\n\x1b[2Jx\x07\xe2\x80\xae\xff", "\n\n\\x1b[2Jx\\x07\\u{202e}\\xff"),
        (HEAD + b"\r\n" + b"x" * (MOST_SHOWN + 1), f"\n({MOST_SHOWN + 1} bytes, the first {MOST_SHOWN} are shown)"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\nX: y\r\n\r\n", "Link: a\n\nHTTP/1.1 204 No Content\nX: y"),
    ],
)  # fmt: skip
def test_what_bodies_are_shown_as(answer: bytes, ends: str) -> None:
    assert render(answer, b"GET").endswith(ends)


def test_head_has_no_body() -> None:
    assert render(HEAD + b"Content-Length: 8\r\n\r\n", b"HEAD").endswith("Content-Length: 8")
