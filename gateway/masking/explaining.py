"""What was nearly found, and why it was left alone: for people who ask, never for the way of an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.masking.checksums import luhn
from gateway.masking.detectors import Detector
from gateway.masking.identifiers import IBAN_LENGTHS, is_barcode, known_card_length, mod_97_holds
from gateway.masking.linear import linear
from gateway.masking.scanner import Hit
from gateway.masking.shapes import digits
from gateway.masking.values import why_no_value

_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A stretch that one detector looked at and left alone; offsets in bytes."""

    start: int
    end: int
    detector: str
    reason: str


def near_misses(detectors: Sequence[Detector], data: bytes, hits: Collection[Hit]) -> list[NearMiss]:
    """The candidates that no hit covers, the longest of each detector at one place, at most fifty."""
    best: dict[tuple[str, int], NearMiss] = {}
    for detector in detectors:
        for start, end in _left_alone(detector, data):
            if any(start < hit[1] and end > hit[0] for hit in hits):
                continue
            kept = best.get((detector.name, start))
            if kept is None or kept.end < end:
                best[detector.name, start] = NearMiss(
                    start=start,
                    end=end,
                    detector=detector.name,
                    reason=_reason(detector.name, data, start, end),
                )
    return sorted(best.values(), key=lambda miss: (miss.start, miss.detector))[:_MOST]


def _left_alone(detector: Detector, data: bytes) -> Iterator[tuple[int, int]]:
    for shape in detector.shapes:
        for match in linear(shape.pattern).finditer(data):
            if shape.judge(data, *match.span()) is None:
                yield match.span()


def _card(value: bytes) -> str:
    number = digits(value)
    if not known_card_length(number):
        return f"no issuer has cards of {len(number)} digits that begin like that"
    if not luhn(number):
        return "its check digit is wrong (Luhn)"
    return "it is a barcode (EAN-13)" if is_barcode(number) else "it is part of something longer"


def _iban(value: bytes) -> str:
    account = value.translate(None, b" -").decode("latin-1").upper()
    if (length := IBAN_LENGTHS.get(account[:2])) != len(account):
        return f"accounts of {account[:2]} have {length} letters and digits"
    return (
        "it is part of something longer" if mod_97_holds(account) else "its check digits are wrong (mod 97)"
    )


def _text(reason: str) -> Callable[[bytes], str]:
    return lambda _value: reason


_REASONS: Mapping[str, Callable[[bytes], str]] = {
    "payment_card": _card,
    "iban": _iban,
    "email": _text("what stands around the @ is no name and domain of a mailbox"),
    "phone": _text("no numbering plan has it, or nothing says that it is a phone number"),
    "ssn": _text("such a number is not issued, or it is part of something longer"),
    "national_id": _text("its check digits are wrong, or it is called something else"),
    "tax_id": _text("its check digits are wrong, or it is called something else"),
    "passport": _text("its check digits are wrong, or it has too few digits"),
    "bank_account": _text("its check digits are wrong, or its length is"),
    "jwt": _text("its first part is no JSON that names an algorithm"),
    "basic_auth": _text("it does not decode to user:password"),
    "encoded_secret": _text("it is not base64 of text in which there is a secret"),
    "ip": _text("it is no address, or a loopback one, or a version"),
}


def _reason(name: str, data: bytes, start: int, end: int) -> str:
    if name in _REASONS:
        return _REASONS[name](data[start:end].lstrip(b"_"))
    return why_no_value(data, end - 1) or "it does not look like one where it stands"
