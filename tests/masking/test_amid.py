"""What counts amid bytes that are no text, and what comes up by chance there."""

from __future__ import annotations

import gzip
import random
import struct

import pytest

from gateway.masking.amid import AmidBinary
from gateway.masking.engine import CompiledMask
from gateway.masking.stream import StreamMask
from gateway.policy.model import MaskPolicy

ADDRESS = b"ana.silva@example.com"
NOISE = random.Random(7).randbytes(4_000_000)


@pytest.fixture(scope="module")
def mask() -> AmidBinary:
    policy = MaskPolicy(name="pii", detect=("email", "phone", "payment_card", "iban", "secrets"))
    return AmidBinary(CompiledMask([policy], b"k" * 32), starred=True)


@pytest.mark.parametrize(
    "data",
    [NOISE, gzip.compress(NOISE[:999] + b"".join(b"%d text %d\n" % (n, n * n) for n in range(200_000)))],
    ids=["noise", "gzip"],
)
def test_what_is_no_text_stays_byte_for_byte(mask: AmidBinary, data: bytes) -> None:
    stream = StreamMask(mask)
    assert b"".join([*map(stream.feed, (data[:70_000], data[70_000:])), stream.close()]) == data


TEXTS = {
    "plain": b"write to ",
    "the first bytes": b"",
    "names that zeros end": b"ana\0ben\0",
    "an environment": b"PATH=/bin\0MAIL=",
    "a cyrillic text in UTF-8": "пишите сюда: ".encode() * 9,
    "a cyrillic text in CP1251": "пишите сюда: ".encode("cp1251") * 9,
    "a japanese text in Shift JIS": "こちらへどうぞ: ".encode("shift_jis") * 9,
    "a japanese text in UTF-8 in a record": struct.pack(">IHB", 9, 2, 7) + "こちらへ".encode() * 4,
    "records": b"".join(struct.pack(">IHB", 70_000 + n, n, 7) + b"Lisboa, Rua Augusta" for n in range(9)) + b"\x15",
    "padding": bytes(512),
    "a terminal": b"\x1b[1;31mwrite\x1b[0m to \x07",
    "text after an image": NOISE[:300] + b"\nendstream\nendobj\n5 0 obj\n<< /Type /Info /Producer (x) /Title (Offer for you) /Author (",
}  # fmt: skip


@pytest.mark.parametrize("before", TEXTS.values(), ids=TEXTS)
def test_a_value_in_a_text_is_found_whatever_surrounds_the_text(mask: AmidBinary, before: bytes) -> None:
    stream = StreamMask(mask)
    shown = stream.feed(before + ADDRESS + b" \0\xff\x01" * 50) + stream.close()
    assert ADDRESS not in shown
    assert shown.startswith(before)
    assert mask.find(before + ADDRESS)
