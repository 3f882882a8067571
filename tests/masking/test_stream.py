"""Text in pieces: the same as in one, and nothing kept longer than it must be."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.masking.amid import AmidBinary
from gateway.masking.detectors import expand
from gateway.masking.engine import CompiledMask
from gateway.masking.stream import StreamMask
from tests.masking.test_detectors import FOUND, LEFT_ALONE
from tests.masking.test_engine import TEXTS

PERSONAL = frozenset(expand(("personal", "ip")))
CUTS = st.lists(st.integers(1, 400), max_size=30)
SAMPLE = "\n".join(
    [re.sub(r"<((?:[^<>])*?)>", r"\1", text) for texts in FOUND.values() for text in texts] + LEFT_ALONE
).encode()


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    out, at = [], 0
    for cut in cuts:
        out.append(data[at : at + cut])
        at += cut
    return [*out, data[at:]]


def streamed(mask: CompiledMask, parts: list[bytes]) -> tuple[bytes, list[tuple[int, int, str]]]:
    stream = StreamMask(mask)
    out = b"".join(stream.feed(part) for part in parts) + stream.close()
    return out, stream.hits


def whole(mask: CompiledMask, data: bytes) -> tuple[bytes, list[tuple[int, int, str]]]:
    hits = mask.find(data)
    return mask.cover(data, hits), hits


@settings(max_examples=300, deadline=None)
@given(TEXTS, CUTS)
@example("jane.doe@example.comélan@пример.рф:", [])
def test_any_cut_gives_what_one_piece_gives(mask: CompiledMask, text: str, cuts: list[int]) -> None:
    data = text.encode()
    assert streamed(mask, pieces(data, cuts)) == whole(mask, data)


@settings(max_examples=100, deadline=None)
@given(CUTS)
def test_every_example_survives_any_cut(mask: CompiledMask, cuts: list[int]) -> None:
    assert streamed(mask, pieces(SAMPLE, cuts)) == whole(mask, SAMPLE)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_every_example_survives_pieces_of_one_size(mask: CompiledMask, size: int) -> None:
    parts = [SAMPLE[at : at + size] for at in range(0, len(SAMPLE), size)]
    assert streamed(mask, parts) == whole(mask, SAMPLE)


@pytest.mark.parametrize(
    "prompt",
    [
        "Password: ", "Password:", "$ ", "root@db1:~# ", "postgres=> ", "mysql> ", ">>> ", "In [3]: ", "Continue? [y/N] ",
        "127.0.0.1:6379> ", "(venv) $ ", "Enter 2 or 3: ", "45% ",
    ],
)  # fmt: skip
def test_a_prompt_appears_at_once(mask: CompiledMask, prompt: str) -> None:
    stream = StreamMask(mask)
    assert stream.feed(b"some line\n" + prompt.encode()) == b"some line\n" + prompt.encode()
    assert stream.pending == 0


def test_a_line_appears_when_it_ends(mask: CompiledMask) -> None:
    stream = StreamMask(mask)
    assert stream.feed(b"mail to jane@exam") == b"mail to "
    assert stream.feed(b"ple.com") == b""
    assert stream.feed(b"\n") == b"****@example.com\n"


def test_a_secret_is_hidden_although_its_name_was_already_shown(mask: CompiledMask) -> None:
    stream = StreamMask(mask)
    assert stream.feed(b"password: ") == b"password: "
    assert stream.feed(b"hun") == b""
    assert stream.feed(b"ter2\n") == b"[redacted]\n"


def test_what_is_kept_is_bounded(mask: CompiledMask) -> None:
    stream = StreamMask(mask)
    for _ in range(200):
        stream.feed(b"A" * 1000)
        assert stream.pending < 2000
    key = StreamMask(mask)
    key.feed(b"-----BEGIN PRIVATE KEY-----\n")
    for _ in range(400):
        key.feed(b"A" * 1000)
        assert key.pending < 150_000


def test_a_quiet_stream_can_be_asked_for_what_it_keeps(mask: CompiledMask) -> None:
    stream = StreamMask(mask)
    assert stream.feed(b"Retries 3 ") == b"Retries "
    assert stream.flush() == b"3 "
    assert stream.feed(b"password=abc") == b""
    assert stream.flush() == b"password=", "a value that has begun is never given out"
    assert stream.close() == b"[redacted]"


def test_a_prompt_that_ends_with_personal_data_appears_when_the_stream_is_quiet(mask: CompiledMask) -> None:
    stream = StreamMask(mask)
    assert stream.feed(b"Log in as jane@example.com") == b"Log in as "
    assert stream.flush() == b"****@example.com"
    assert stream.feed(b"\nnext ") == b"\nnext "
    assert stream.hits == [(10, 26, "email")]


@pytest.mark.parametrize("cut", range(3, 26))
def test_what_was_given_out_of_a_value_is_not_given_out_again_and_lengths_stay(
    mask: CompiledMask, cut: int
) -> None:
    text = b"to john.doe@example.com now\n"
    stream = StreamMask(AmidBinary(mask, starred=True))
    first = stream.feed(text[:cut]) + stream.flush()
    shown = first + stream.feed(text[cut:]) + stream.close()
    assert len(shown) == len(text)
    assert shown.startswith(first)
    assert cut >= 22 or text[cut:23] not in shown


@settings(max_examples=100, deadline=None)
@given(TEXTS, CUTS)
def test_a_stream_that_is_always_quiet_delays_nothing_but_secrets(
    mask: CompiledMask, text: str, cuts: list[int]
) -> None:
    stream = StreamMask(mask)
    fed = 0
    for part in pieces(text.encode(), cuts):
        stream.feed(part)
        stream.flush()
        fed += len(part)
        if stream.pending:
            kept = mask.find(text.encode()[:fed])
            assert any(end > fed - stream.pending and name not in PERSONAL for _, end, name in kept)


def test_without_a_mask_the_same_object_comes_back(mask: CompiledMask) -> None:
    from gateway.masking.engine import Masks

    data = b"jane@example.com"
    assert StreamMask(Masks({}, key=b"k").mask(())).feed(data) is data


VALUES = sorted(
    {value for texts in FOUND.values() for text in texts for value in re.findall(r"<([^<>]{1,60})>", text)}
)


@pytest.mark.parametrize("lead", [r"\n", r"\u003c", r"\x41", "%0A", "_", "x ", '"', ""])
def test_a_value_behind_an_escape_survives_a_cut_anywhere(mask: CompiledMask, lead: str) -> None:
    for value in VALUES:
        data = f"{lead}{value} ".encode()
        wanted = whole(mask, data)
        for cut in range(1, len(data)):
            assert streamed(mask, [data[:cut], data[cut:]]) == wanted, (data, cut)


@pytest.mark.parametrize(
    "tail",
    [
        "ghp_abcdefg", "password is hunter", "API_KEY=abc", "jane@exam", "4111 1111", "4111", "https://user:pa$", "Bearer abc",
        "eyJhbGci", "-----BEGIN", '"open', "219-09-", "+49 30", "password: correct", "mail jane.doe",
    ],
)  # fmt: skip
def test_what_may_be_the_beginning_of_something_stays_however_long_it_is_quiet(
    mask: CompiledMask, tail: str
) -> None:
    stream = StreamMask(mask)
    shown = stream.feed(b"some line\n" + tail.encode())
    assert stream.pending
    assert stream.pause() == b""
    assert (shown + stream.feed(b"\n")).startswith(b"some line\n")


SECRETS = frozenset(expand(("secrets",)))


@pytest.mark.parametrize("detector", sorted(SECRETS & FOUND.keys()))
def test_a_secret_that_is_cut_by_a_pause_shows_the_half_of_a_word_at_most(
    mask: CompiledMask, detector: str
) -> None:
    for text in FOUND[detector]:
        data = re.sub(r"<((?:[^<>])*?)>", r"\1", text).encode()
        for start, end, _ in mask.find(data):
            for cut in range(start + 1, min(end, start + 24)):
                stream = StreamMask(mask)
                stream.feed(data[:cut])
                shown = stream.pause()
                rest = stream.feed(data[cut:]) + stream.close()
                assert not shown or cut - start <= 6, (data[start:cut], shown)
                assert end - cut < 6 or data[cut:end] not in rest


@pytest.mark.parametrize(
    "around",
    ["password: {}\n", '{{"client_secret": "{}"}}', "Cookie: session={}\n", "Authorization: Bearer {}\n", "x=ghp_{}\n"],
)  # fmt: skip
def test_a_secret_is_hidden_to_its_end_however_long_it_is(mask: CompiledMask, around: str) -> None:
    value = "aB3dE5gH7jK9mN1p" * 2000
    data = around.format(value).encode()
    out, _ = streamed(mask, [data[at : at + 4096] for at in range(0, len(data), 4096)])
    assert b"aB3dE5gH7" not in out
    assert b"[redacted]" in out


def test_cookies_that_set_one_another_cost_what_their_length_costs(mask: CompiledMask) -> None:
    """Each is judged by its first value: what follows is not walked through again for every one."""
    seen = 0
    data = b"Set-Cookie: x=" * 2000
    for start, end, name in mask.find(data):
        assert name == "cookie"
        seen += end - start
    assert seen > len(data) // 4


@pytest.mark.parametrize("size", [100_000, 1_000_000, 3_000_000])
def test_however_large_pieces_are_what_is_over_is_given_out(mask: CompiledMask, size: int) -> None:
    line = b"nothing is sensitive in this line\n"
    piece = line * (size // len(line))
    stream = StreamMask(mask)
    out = b""
    for _ in range(4):
        out += stream.feed(piece)
        assert stream.pending < 100
    assert out + stream.close() == 4 * piece


@pytest.mark.parametrize(
    "lead", [b"Authorization: Digest ", b"Cookie: id=", b"password: |\n  ", b'"token": "']
)
def test_a_value_that_never_ends_is_not_searched_anew_with_each_of_its_pieces(
    mask: CompiledMask, monkeypatch: pytest.MonkeyPatch, lead: bytes
) -> None:
    searched = 0
    find_from = mask.find_from

    def counted(data: bytes, start: int, read: tuple[int, int] | None = None) -> list[tuple[int, int, str]]:
        nonlocal searched
        searched += len(data) - start
        return find_from(data, start, read)

    data = lead + b"".join(b"kQ7x%06d" % number for number in range(6_000)) + b"\n"
    expected, _ = whole(mask, data)
    stream = StreamMask(mask)
    monkeypatch.setattr(mask, "find_from", counted)
    shown = b"".join([stream.feed(data[at : at + 64]) for at in range(0, len(data), 64)])
    shown += stream.close()
    assert searched < 60 * len(data)
    assert shown == expected


@pytest.mark.parametrize(
    "line",
    [
        "curl -u mei.doe@mail.test.io:r6sX5TYiSDIe2z https://api.example.com",
        "curl -u mei.doe@mail.test.io:r6sX5TYiSDIe2z https://api.example.com/v1 -d x\n",
        'x --user ada.b@example.org:"hunter2 x" https://api.example.com',
    ],
)
def test_a_password_behind_an_address_survives_any_cut(mask: CompiledMask, line: str) -> None:
    """What leads to it stands before the address, and may have been given out with that."""
    data = line.encode()
    for cut in range(1, len(data)):
        assert streamed(mask, [data[:cut], data[cut:]]) == whole(mask, data), cut
