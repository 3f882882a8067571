"""How fast text is searched and masked: text rows, JSON and logs, clean and with hits, beside `re` and Presidio; and PostgreSQL rows.

Rates are megabytes per second of the process's own CPU time, medians of interleaved rounds, so that a busy machine
distorts them little.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import struct
import time
from collections.abc import Callable

from masking_peers import presidio, stdlib

from gateway.masking.engine import CompiledMask, Masks
from gateway.masking.stream import StreamMask
from gateway.policy.model import MaskPolicy
from gateway.protocols.column_rules import ColumnRule
from gateway.protocols.postgres import rows
from gateway.protocols.postgres.copy import CopyMask
from gateway.protocols.postgres.copy_format import CopyFormat
from gateway.protocols.postgres.messages import Column
from gateway.protocols.postgres.results import ResultMask

DETECT = ("email", "phone", "payment_card", "iban", "secrets")
CHUNK = 64 * 1024
ROUNDS = 7
PEERS = ("re", "presidio")
HITS = (
    b"jane.doe@example.com",
    b"4111 1111 1111 1111",
    b"+49 30 1234567",
    b"DE89370400440532013000",
    b"password=hunter2",
)
WORDS = b"the quick brown fox jumps over a lazy dog while seven wizards box and nobody minds at all".split()
COLUMNS = [(20, "id"), (1114, "at"), (25, "note"), (25, "status"), (1700, "total"), (2950, "key")]


def fields(rng: random.Random, hits: float) -> list[bytes]:
    note = b" ".join(rng.choices(WORDS, k=7))
    if rng.random() < hits:
        note += b" " + rng.choice(HITS)
    key = rng.getrandbits(128).to_bytes(16, "big").hex()
    return [
        b"%d" % rng.randrange(10**9),
        b"2024-%02d-%02d 12:%02d:11.%06d"
        % (rng.randrange(1, 13), rng.randrange(1, 29), rng.randrange(60), rng.randrange(10**6)),
        note,
        rng.choice([b"shipped", b"open", b"paid"]),
        b"%d.%02d" % (rng.randrange(1000), rng.randrange(100)),
        f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}".encode(),
    ]


def text_row(rng: random.Random, hits: float) -> bytes:
    return b"\t".join(fields(rng, hits)) + b"\n"


def json_row(rng: random.Random, hits: float) -> bytes:
    return b'{"id": %b, "at": "%b", "note": "%b", "status": "%b", "total": %b, "key": "%b"}\n' % tuple(
        fields(rng, hits)
    )


def log_row(rng: random.Random, hits: float) -> bytes:
    _, at, note, status, total, key = fields(rng, hits)
    return b'%b INFO gateway[%d] request_id=%b GET /v1/orders/%b 200 %b "%b"\n' % (
        at,
        rng.randrange(9999),
        key,
        status,
        total,
        note,
    )


def data_row(rng: random.Random, hits: float) -> bytes:
    values = fields(rng, hits)
    body = struct.pack(">h", len(values)) + b"".join(
        struct.pack(">i", len(value)) + value for value in values
    )
    return b"D" + struct.pack(">i", len(body) + 4) + body


def sparse_row(rng: random.Random, hits: float) -> bytes:
    """NULL in nine notes of ten."""
    values = [None if at == 2 and rng.random() > 0.1 else value for at, value in enumerate(fields(rng, hits))]
    body = struct.pack(">h", len(values)) + b"".join(
        struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value for value in values
    )
    return b"D" + struct.pack(">i", len(body) + 4) + body


def copy_row(rng: random.Random, hits: float) -> bytes:
    payload = text_row(rng, hits)
    return b"d" + struct.pack(">i", len(payload) + 4) + payload


def chunks(make: Callable[[random.Random, float], bytes], hits: float, *, count: int = 24) -> list[bytes]:
    rng = random.Random(f"{make.__name__} {hits}")
    out = []
    for _ in range(count):
        parts, size = [], 0
        while size < CHUNK:
            parts.append(make(rng, hits))
            size += len(parts[-1])
        out.append(b"".join(parts))
    return out


def rate(work: Callable[[bytes], object], data: list[bytes]) -> float:
    began = time.process_time()
    for chunk in data:
        work(chunk)
    return sum(map(len, data)) / (time.process_time() - began) / 1e6


def measure(cases: dict[str, tuple[Callable[[bytes], object], list[bytes]]]) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (work, data) in cases.items():
            found[name].append(rate(work, data))
    return {name: statistics.median(rates) for name, rates in found.items()}


def engine(mask: CompiledMask) -> Callable[[bytes], object]:
    def work(data: bytes) -> bytes:
        hits = mask.find(data)
        return mask.cover(data, hits) if hits else data

    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    arguments = parser.parse_args()
    mask = Masks({"m": MaskPolicy(name="m", detect=DETECT)}, key=bytes(32)).mask(["m"])
    searched = [ColumnRule()] * len(COLUMNS)
    columns = [Column(name, 0, 0, oid, 0) for oid, name in COLUMNS]
    ruled = [ColumnRule(strategy="redact" if name == "note" else None) for _, name in COLUMNS]
    cases: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {}
    peer = presidio()
    for kind, make in (("text rows", text_row), ("JSON", json_row), ("logs", log_row)):
        for label, hits in (("clean", 0.0), ("1% hits", 0.01), ("10% hits", 0.1)):
            data = chunks(make, hits)
            cases[f"{kind}, {label}"] = (engine(mask), data)
            if hits <= 0.01:
                cases[f"{kind}, {label}, re"] = (stdlib(DETECT), data[:1])
                if peer is not None:
                    cases[f"{kind}, {label}, presidio"] = (peer, [data[0][: CHUNK // 8]])
    shipped = Masks({"m": MaskPolicy(name="m", detect=("personal", "secrets"))}, key=bytes(32)).mask(["m"])
    for label, hits in (("clean", 0.0), ("1% hits", 0.01)):
        cases[f"text rows, {label}, every detector"] = (engine(shipped), chunks(text_row, hits))
    cases["text rows, 1% hits, stream"] = (StreamMask(mask).feed, chunks(text_row, 0.01))
    cases["base64 (hostile)"] = (
        engine(mask),
        [random.Random(1).randbytes(CHUNK).hex().encode() for _ in range(8)],
    )
    for label, hits in (("clean", 0.0), ("1% hits", 0.01), ("10% hits", 0.1)):
        cases[f"DataRow, {label}"] = (ResultMask(columns, searched, mask).rows, chunks(data_row, hits))
        copied = CopyMask(len(columns), [], CopyFormat(), mask, columns=columns)
        cases[f"CopyData, {label}"] = (copied.data, chunks(copy_row, hits))
    cases["DataRow, a column redacted"] = (ResultMask(columns, ruled, mask).rows, chunks(data_row, 0.0))
    for strategy in ("partial", "hash", "tokenise"):
        rules = [ColumnRule(strategy=strategy if name == "note" else None) for _, name in COLUMNS]
        cases[f"DataRow, a column {strategy}"] = (
            ResultMask(columns, rules, mask).rows,
            chunks(data_row, 0.0, count=4),
        )
    tenth = [ColumnRule(strategy="tokenise" if name == "note" else None) for _, name in COLUMNS]
    cases["DataRow, one value in ten tokenise"] = (
        ResultMask(columns, tenth, mask).rows,
        chunks(sparse_row, 0.0, count=4),
    )
    rates = measure(cases)
    compiled = str(rows.__file__).endswith(".so")
    ratios = {
        other: {
            name: rates[name] / rates[f"{name}, {other}"] for name in rates if f"{name}, {other}" in rates
        }
        for other in PEERS
    }
    if arguments.json:
        print(
            json.dumps(
                {"mb_per_cpu_second": rates, "ratio_to": ratios, "row_walk_compiled": compiled}, indent=2
            )
        )
        return
    print(
        f"MB per second of CPU, {CHUNK // 1024} KiB chunks, medians of {ROUNDS}; row walk {'compiled' if compiled else 'in Python'}"
    )
    if peer is None:
        print("Presidio is not installed (pip install presidio-analyzer): its column is missing.")
    for name, found in rates.items():
        if not name.endswith(PEERS):
            beside = "".join(
                f"{rates[f'{name}, {other}']:9.2f} by {other}, x{of[name]:.0f}"
                for other, of in ratios.items()
                if name in of
            )
            print(f"{name:<38}{found:8.0f}  {beside}")


if __name__ == "__main__":
    main()
