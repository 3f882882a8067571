"""`countersign mask`: rows in, rows out; a filter; one text explained."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gateway.commands.mask import in_characters, mask_line
from gateway.masking.detectors import DETECTORS, expand
from gateway.masking.engine import CompiledMask
from gateway.masking.explaining import near_misses
from gateway.masking.scanner import scanner
from tests.masking.test_engine import TEXTS

POLICY = """
connections:
  orders:
    protocol: postgres
    listen: 127.0.0.1:15432
    upstream: postgresql://127.0.0.1/orders
    credential: {user: gateway, password: env:ORDERS_PASSWORD}
agents:
  helper: {secret: env:HELPER_SECRET, scope: {orders: [read]}, person: ana@example.com}
groups:
  dba: {members: [ana@example.com]}
default: block
rules:
  - {name: reads, when: {effects: [read, session]}, then: {allow: true, mask: pii}}
masks:
  pii: {detect: [email, phone]}
  keys: {detect: [secrets]}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policies.yaml"
    path.write_text(POLICY)
    return path


def run(policy: Path, *arguments: str, given_input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "mask", "--policy", str(policy), *arguments],
        input=given_input, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_rows_come_back_masked_with_their_spans_in_characters(policy: Path) -> None:
    rows = [
        {"id": 1, "text": "héllo jane@example.com"},
        {"id": "two", "chunks": ["password=hun", "ter2 +1 555", " 123 4567"]},
        {"id": 3, "text": ""},
    ]
    done = run(policy, "--jsonl", given_input="\n".join(map(json.dumps, rows)).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"id": 1, "text": "héllo ****@example.com", "spans": [{"start": 6, "end": 22, "type": "email"}]},
        {
            "id": "two",
            "text": "password=[redacted] +1 *** *** **67",
            "spans": [{"start": 9, "end": 16, "type": "password"}, {"start": 17, "end": 32, "type": "phone"}],
        },
        {"id": 3, "text": "", "spans": []},
    ]


def test_one_mask_can_be_named_and_an_unknown_one_is_refused(policy: Path) -> None:
    assert (
        run(policy, "--mask", "pii", given_input=b"a@b.co password=hunter2\n").stdout
        == b"*@b.co password=hunter2\n"
    )
    done = run(policy, "--mask", "other")
    assert done.returncode == 2
    assert b"no mask 'other'" in done.stderr
    assert b"pii, keys" in done.stderr


def test_a_row_that_cannot_be_read_is_answered_and_not_repeated(policy: Path) -> None:
    done = run(policy, "--jsonl", given_input=b'secret nonsense\n{"id": 5}\n[1]\n{"id": 6, "text": "x"}\n')
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [None, 5, None, 6]
    assert all("error" in answer for answer in answers[:3])
    assert b"nonsense" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "row", [b"[" * 100_000, b'{"id": 1, "text": ' + b"[" * 100_000, b'{"id": ' + b"[" * 100_000]
)
def test_a_row_however_deep_is_answered(mask: CompiledMask, row: bytes) -> None:
    answer, bad = mask_line(mask, row)
    assert json.loads(answer) == {"id": None, "error": "the row is nested too deeply"}
    assert bad == 1


def test_text_as_windows_writes_it_is_read_by_its_mark(policy: Path) -> None:
    text = "\ufeffmail jané@example.com\r\n"
    done = run(policy, given_input=text.encode("utf-16-le"))
    assert done.stdout.decode("utf-16-le") == "\ufeffmail *****@example.com\r\n"
    cut = run(policy, given_input=text.encode("utf-16-le")[:-1])
    assert cut.returncode == 1
    assert b"withheld" in cut.stderr
    assert b"jan" not in cut.stdout.replace(b"\0", b"") + cut.stderr


def test_a_text_can_be_explained(policy: Path) -> None:
    found = json.loads(run(policy, "--explain", "mail é jane@example.com", "--json").stdout)
    assert found["text"] == "mail é ****@example.com"
    assert found["found"] == [
        {"type": "email", "start": 7, "end": 23, "value": "jane@example.com", "becomes": "****@example.com"}
    ]
    assert b"nothing found" in run(policy, "--explain", "plain").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("card 4111 1111 1111 1112", (5, 24, "payment_card", "its check digit is wrong (Luhn)")),
        ("card 9111 1111 1111 1111", (5, 24, "payment_card", "no issuer has cards of 16 digits that begin like that")),
        ("DE89370400440532013001", (0, 22, "iban", "its check digits are wrong (mod 97)")),
        ("password: ${PW}", (0, 11, "password", "it stands in place of a value")),
        ("ssh_key: ssh-ed25519 AAAA", (0, 10, "password", "it is a public key")),
        ("token = get_token()", (0, 9, "password", "it is code that fetches a value")),
        ("icon@2x.png", (3, 11, "email", "what stands around the @ is no name and domain of a mailbox")),
    ],
)  # fmt: skip
def test_what_is_nearly_found_is_explained_with_the_reason(
    text: str, said: tuple[int, int, str, str]
) -> None:
    data = text.encode()
    found = near_misses(
        list(DETECTORS.values()), data, scanner(expand(("secrets", "personal", "ip"))).find(data)
    )
    assert said in [(miss.start, miss.end, miss.detector, miss.reason) for miss in found]


def test_an_explanation_says_what_was_left_alone_and_why(policy: Path) -> None:
    said = run(policy, "--explain", "é icon@2x.png, ann@example.com").stdout.decode()
    assert "15-30     email            ann@example.com  ->  ***@example.com" in said
    assert "left alone:\n     5-13     email" in said
    left = json.loads(run(policy, "--explain", "é icon@2x.png", "--json").stdout)["left"]
    assert [(miss["start"], miss["value"]) for miss in left] == [(5, "n@2x.png")]


def test_a_policy_that_is_not_in_order_is_said_to_be_so(policy: Path) -> None:
    policy.write_text("rules: 5\n")
    assert run(policy, "--jsonl").returncode == 1


@given(TEXTS, st.lists(st.integers(1, 60), max_size=8))
def test_chunks_give_what_the_text_gives_and_spans_say_what_was_hidden(
    mask: CompiledMask, text: str, cuts: list[int]
) -> None:
    chunks, at = [], 0
    for cut in cuts:
        chunks.append(text[at : at + cut])
        at += cut
    chunks.append(text[at:])
    whole, _ = mask_line(mask, json.dumps({"id": 0, "text": text}).encode())
    cut_up, _ = mask_line(mask, json.dumps({"id": 0, "chunks": chunks}).encode())
    assert json.loads(whole) == json.loads(cut_up)
    data = text.encode()
    for (start, end, _), (begin, finish, _) in zip(
        in_characters(data, mask.find(data)), mask.find(data), strict=True
    ):
        assert text[start:end].encode() == data[begin:finish]


@pytest.mark.parametrize(
    "prompt",
    ["root@db1:~$", "(venv) [me@db1 ~]$", "Continue [y/N]", "Are you sure?", "Press ENTER", "Password", "50%", "Working...", "Choose 1-3"],
)  # fmt: skip
def test_a_prompt_appears_while_the_other_side_waits_however_it_ends(policy: Path, prompt: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "mask", "--policy", str(policy)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as filtering:  # fmt: skip
        assert filtering.stdin is not None
        assert filtering.stdout is not None
        wanted = f"last login by ***@example.com\n{prompt}".encode()
        filtering.stdin.write(f"last login by ann@example.com\n{prompt}".encode())
        filtering.stdin.flush()
        shown = b""
        while shown != wanted:
            ready, _, _ = select.select([filtering.stdout], [], [], 60)
            assert ready, f"only {shown!r} was shown"
            shown += os.read(filtering.stdout.fileno(), 4096)
            assert wanted.startswith(shown)
        filtering.stdin.write(b" yes\n")
        filtering.stdin.close()
        assert filtering.stdout.read() == b" yes\n"


@pytest.mark.parametrize(
    ("pack", "unpack"),
    [
        (gzip.compress, gzip.decompress),
        (zstandard.compress, lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)),
    ],
    ids=["gzip", "zstd"],
)
def test_what_comes_compressed_is_read_and_goes_out_compressed(
    policy: Path, pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]
) -> None:
    lines = b"mail ann@example.com\n" * 20_000
    packed = pack(lines)
    done = run(policy, given_input=packed)
    assert (done.returncode, done.stderr) == (0, b"")
    assert unpack(done.stdout) == lines.replace(b"ann@", b"***@")
    for bad in (packed[:-5], packed[:-9] + b"\xff" + packed[-8:], packed + b"trailing"):
        done = run(policy, given_input=bad)
        assert done.returncode == 1
        assert b"the rest is withheld" in done.stderr
        assert b"ann@" not in done.stdout


def test_bytes_that_are_no_text_pass_as_they_are(policy: Path) -> None:
    data = bytes(range(256)) * 300 + b"\xff\xc3 ann@example.com \xf0\x9f" + b"\0" * 100
    assert run(policy, given_input=data).stdout == data.replace(b"ann@", b"***@")
    assert run(policy, given_input=b"\x1f\x8b").stdout == b"\x1f\x8b", "too little of it to be gzip"


def test_a_reader_that_leaves_ends_it_quietly(policy: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "mask", "--policy", str(policy)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as filtering:  # fmt: skip
        assert filtering.stdin is not None
        assert filtering.stdout is not None
        assert filtering.stderr is not None
        filtering.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            for _ in range(1000):
                filtering.stdin.write(b"a line\n" * 1000)
        with contextlib.suppress(BrokenPipeError):
            filtering.stdin.close()
        assert filtering.stderr.read() == b""
        assert filtering.wait(60) == 1


def test_json_is_for_what_is_explained(policy: Path) -> None:
    done = run(policy, "--json", given_input=b"x")
    assert done.returncode == 2
    assert b"--jsonl" in done.stderr
