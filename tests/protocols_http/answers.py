"""Bodies through `BodyMask`, whole and in pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.masking.engine import CompiledMask, Masks
from gateway.model import Effect, Facts, Output
from gateway.policy.model import MaskPolicy
from gateway.protocols.http.body_mask import BodyMask
from gateway.protocols.http.naming import Names
from gateway.wire import Limits

SECRET = b"upstream-s3cr3t/T0ken+9"
NAMED = {
    "*.ssn": "redact",
    "customers.name": "partial",
    "$.items[*].token": "null",
    "$..deep": "redact",
    "orders.payload$.card": "redact",
    "header.x-customer": "redact",
}


def compiled(
    *detect: str, columns: Mapping[str, str] | None = None, keep_length: bool = False
) -> CompiledMask:
    policy = MaskPolicy(name="m", detect=detect, columns=dict(columns or {}), keep_length=keep_length)
    return Masks({"m": policy}, key=b"k" * 32).mask(["m"])


DETECTING = compiled("personal", "secrets")
NAMING = compiled(columns=NAMED)
BOTH = compiled("personal", "secrets", columns=NAMED)
NOTHING = Masks({}, key=b"k" * 32).mask([])


@dataclass(frozen=True)
class Given:
    headers: list[tuple[bytes, bytes]]
    body: bytes
    masked: Mapping[str, int]


def facts(path: str = "/v1/orders/7", **renamed: str) -> Facts:
    """Of a request that has an answer call things otherwise: `called=stored`."""
    outputs = tuple(Output(name=called, sources=frozenset({stored})) for called, stored in renamed.items())
    return Facts(effects=frozenset({Effect.READ}), attributes={"http.path": path}, outputs=outputs or None)


def opened(
    mask: CompiledMask,
    kind: str = "application/json",
    *,
    path: str = "/v1/orders/7",
    status: int = 200,
    head: bool = False,
    headers: Sequence[tuple[bytes, bytes]] = (),
    limits: Limits | None = None,
) -> BodyMask:
    said = [(b"Content-Type", kind.encode())] if kind else []
    return BodyMask(
        mask=mask,
        names=Names(mask, facts(path)),
        status=status,
        headers=[*said, *headers],
        secrets=[SECRET],
        limits=limits or Limits(),
        head=head,
    )


def given(body: BodyMask, parts: Sequence[bytes]) -> Given:
    out = b"".join([body.receive(part) for part in parts] + [body.finish()])
    return Given(headers=body.headers, body=out, masked=dict(body.masked))


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """`data` cut behind so many bytes, again and again."""
    at, out = 0, []
    for cut in cuts:
        out.append(data[at : at + cut])
        at += cut
    return [*out, data[at:]]


def cut_anywhere(data: bytes) -> list[list[bytes]]:
    """In two at every place, and byte by byte."""
    return [[data[:at], data[at:]] for at in range(len(data) + 1)] + [[bytes([each]) for each in data]]
