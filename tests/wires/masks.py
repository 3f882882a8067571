"""Masks for tests that are about wires, not about masking."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


class _Stream:
    """Keeps a line until it is whole."""

    def __init__(self, mask: _Nothing) -> None:
        self.hits: list[tuple[int, int, str]] = []
        self._mask = mask
        self._kept = b""

    def feed(self, data: bytes) -> bytes:
        whole, end, self._kept = (self._kept + data).rpartition(b"\n")
        return self._hidden(whole + end)

    def flush(self) -> bytes:
        return self.close()

    def close(self) -> bytes:
        rest, self._kept = self._kept, b""
        return self._hidden(rest)

    def _hidden(self, data: bytes) -> bytes:
        self.hits += self._mask.find(data)
        return self._mask.text(data.decode("latin-1")).encode("latin-1")


@dataclass(frozen=True)
class _Nothing:
    empty: bool = True
    detects: bool = False

    def rule(self, names: Collection[str], *, label: str = "") -> str | None:
        return None

    def paths(self, names: Collection[str], *, label: str = "") -> tuple[tuple[object, str], ...]:
        return ()

    def opens(self, names: Collection[str], *, label: str = "") -> bool:
        return False

    def spares(self, names: Collection[str], *, label: str = "") -> bool:
        return True

    def find(self, data: bytes) -> list[tuple[int, int, str]]:
        return []

    def find_in_fields(self, data: bytes) -> list[tuple[int, int, str]]:
        return []

    def replace(self, value: str, *, strategy: str | None = None, detector: str | None = None) -> str:
        return value

    def stream(self, *, binary: bool = False) -> _Stream:
        return _Stream(self)

    def text(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Word(_Nothing):
    """Hides one word, wherever it stands, without changing any length."""

    empty: bool = False
    detects: bool = True
    word: str = "secret"

    def spares(self, names: Collection[str], *, label: str = "") -> bool:
        return False

    def find(self, data: bytes) -> list[tuple[int, int, str]]:
        found, start = [], data.find(self.word.encode())
        while start >= 0:
            found.append((start, start + len(self.word), "word"))
            start = data.find(self.word.encode(), start + 1)
        return found

    def find_in_fields(self, data: bytes) -> list[tuple[int, int, str]]:
        return self.find(data)

    def replace(self, value: str, *, strategy: str | None = None, detector: str | None = None) -> str:
        return "*" * len(value)

    def cover(self, data: bytes, hits: list[tuple[int, int, str]]) -> bytes:
        return data.replace(self.word.encode(), b"*" * len(self.word))

    def text(self, value: str) -> str:
        return value.replace(self.word, "*" * len(self.word))


NOTHING = _Nothing()
