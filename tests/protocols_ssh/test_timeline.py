"""What players and people see of a recorded answer."""

from __future__ import annotations

from gateway.protocols.ssh.timeline import ERR, OUT, RESIZE, SIZE, head, render, timed

E_ACUTE = "é".encode()


def answer(*entries: tuple[bytes, float, bytes]) -> bytes:
    return b"".join(head(stream, seconds, len(data)) + data for stream, seconds, data in entries)


def test_a_character_that_comes_in_two_pieces_is_one() -> None:
    cut = answer((OUT, 0.1, b"caf" + E_ACUTE[:1]), (ERR, 0.2, b"oops\n"), (OUT, 0.3, E_ACUTE[1:] + b"\n"))
    assert list(timed(cut, b"")) == [(0.1, "o", "caf"), (0.2, "o", "oops\r\n"), (0.3, "o", "é\r\n")]
    assert render(cut, b"") == "caf! oops\né\n"


def test_one_that_never_ends_is_shown_as_none() -> None:
    assert list(timed(answer((OUT, 0.5, b"x" + E_ACUTE[:1])), b"")) == [(0.5, "o", "x"), (0.5, "o", "�")]


def test_a_terminal_says_itself_how_lines_end() -> None:
    shown = answer((RESIZE, 0, b"80x24"), (OUT, 0.1, b"a\nb\r\n"))
    assert list(timed(shown, b"")) == [(0.0, "r", "80x24"), (0.1, "o", "a\nb\r\n")]


def test_where_the_client_alone_has_one_lines_end_as_a_player_needs_it() -> None:
    shown = answer((SIZE, 0, b"80x24"), (OUT, 0.1, b"a\nb\r\n"), (SIZE, 0.2, b"90x24"))
    assert list(timed(shown, b"")) == [(0.0, "r", "80x24"), (0.1, "o", "a\r\nb\r\n"), (0.2, "r", "90x24")]
    assert render(shown, b"") == "a\nb\n"


def test_without_one_lines_begin_at_the_left() -> None:
    assert list(timed(answer((OUT, 0.1, b"a\nb\r\n")), b"")) == [(0.1, "o", "a\r\nb\r\n")]


def test_nothing_is_nothing() -> None:
    assert list(timed(b"", b"")) == []
