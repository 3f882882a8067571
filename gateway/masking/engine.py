"""The masks of a policy, ready to use.

`Masks` turns the names that a verdict carries into one mask: detectors united, of the rules for a column the
strictest, exceptions only where every mask that detects makes them. All wires, cards, recordings and logs hide
values through this one class. Anything that goes wrong raises; nothing is ever handed back unmasked instead.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from gateway.masking.colours import Plain, coloured, without
from gateway.masking.columns import ColumnPattern, all_surely
from gateway.masking.detectors import READ, expand
from gateway.masking.paths import JsonPath, json_path
from gateway.masking.scanner import Hit, Scanner, scanner
from gateway.masking.strategies import STRATEGIES, STRICTEST_FIRST, UnknownStrategy, apply, strictest
from gateway.masking.tokens import stream
from gateway.masking.values import MARK
from gateway.model import Reveal
from gateway.policy.model import MaskPolicy
from gateway.wire import MaskedStream

_BLANKS = b" \t\r\n"
_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_RECOGNISABLE = re.compile(r"@|%40|::|(?:[0-9][^0-9]{0,3}){4}")
"""What a value must have for a detector of personal data to take it for its own."""
_SHOWN = {"payment_card": 4, "iban": 4, "ssn": 4, "phone": 2}


class UnknownMask(Exception):
    """A verdict names a mask that the policy does not have."""


class CompiledMask:
    """What one verdict's masks hide; fulfils `gateway.wire.Mask`."""

    def __init__(self, policies: Sequence[MaskPolicy], key: bytes) -> None:
        self._key = key
        self._keeps_length = any(policy.keep_length for policy in policies)
        own = frozenset(each for policy in policies for each in policy.custom)
        named = tuple(each.name for each in own)
        wanted = [
            frozenset(expand(policy.detect, named)) - frozenset(expand(policy.except_detect, named))
            for policy in policies
        ]
        self.detectors = expand(frozenset[str]().union(*wanted), named)
        self._scanner: Scanner = scanner(self.detectors, own)
        self._rules: list[tuple[ColumnPattern, str, tuple[ColumnPattern, ...]]] = []
        self._paths: list[tuple[ColumnPattern | None, JsonPath, str, tuple[ColumnPattern, ...]]] = []
        self._exceptions: list[tuple[ColumnPattern, ...]] = []
        for policy in policies:
            spared = tuple(ColumnPattern(pattern) for pattern in policy.except_)
            for pattern, strategy in policy.columns.items():
                if strategy not in STRATEGIES:
                    raise UnknownStrategy(
                        f"mask {policy.name!r}, column {pattern!r}: no strategy {strategy!r}"
                    )
                column, sign, path = pattern.partition("$")
                if sign:
                    where = ColumnPattern(column.rstrip(".")) if column else None
                    self._paths.append((where, json_path(sign + path), strategy, spared))
                    continue
                self._rules.append((ColumnPattern(pattern), strategy, spared))
            if policy.detect:
                self._exceptions.append(spared)
        self.empty = not (self._rules or self._paths or self.detectors)

    @property
    def detects(self) -> bool:
        return bool(self.detectors)

    def rule(self, names: Collection[str], *, label: str = "") -> str | None:
        """The strategy for a column with these sources (dotted names) that the answer calls `label`, or None."""
        found = [
            strategy
            for pattern, strategy, spared in self._rules
            if _reaches(pattern, names, label) and not all_surely(spared, names or (label,))
        ]
        return strictest(found)

    def paths(self, names: Collection[str], *, label: str = "") -> tuple[tuple[JsonPath, str], ...]:
        """What is hidden inside the JSON documents of such a column, and how; the least that shows comes first."""
        found = [
            (path, strategy)
            for where, path, strategy, spared in self._paths
            if (where is None or _reaches(where, names, label)) and not all_surely(spared, names or (label,))
        ]
        return tuple(sorted(found, key=lambda each: STRICTEST_FIRST.index(each[1])))

    def opens(self, names: Collection[str], *, label: str = "") -> bool:
        """Whether a rule names such a column and a path into it: what is taken out of it may be what the path means."""
        return any(
            where is not None and _reaches(where, names, label) and not all_surely(spared, names or (label,))
            for where, _, _, spared in self._paths
        )

    def spares(self, names: Collection[str], *, label: str = "") -> bool:
        """Whether such a column is not to be searched: every mask that detects makes an exception of it."""
        return all(all_surely(spared, names or (label,)) for spared in self._exceptions)

    def find(self, data: bytes) -> list[Hit]:
        """Sorted, disjoint `(start, end, detector)` of what has to be hidden; of a value with too many, all of it."""
        hits = self._scanner.find_in_value(data)
        if coloured(data):
            plain = Plain(data)
            hits = plain.hits(self._scanner.find_in_value(plain.data), hits)
        return hits

    @property
    def bare(self) -> Callable[[bytes], bool]:
        """Says of a value whether `find` has nothing to look at in it."""
        return self._scanner.bare

    def find_in_fields(self, data: bytes) -> list[Hit]:
        """As `find` in each of the fields that zeros end; no hit goes over a zero."""
        return self._scanner.find_in_fields(data)

    @property
    def reads(self) -> bool:
        """Whether a model reads texts as well, passage by passage."""
        return self._scanner.reads

    def find_from(self, data: bytes, start: int, read: tuple[int, int] | None = None) -> list[Hit]:
        """As many as there are from `start` on; what is before it is context. A model reads the passages of `read`."""
        hits = self._scanner.find(data, start, read=read)
        if coloured(data):
            plain = Plain(data)
            passages = (plain.place(read[0]), plain.place(read[1])) if read is not None else None
            hits = plain.hits(self._scanner.find(plain.data, plain.place(start), read=passages), hits)
        return hits

    def replace(self, value: str, *, strategy: str | None = None, detector: str | None = None) -> str:
        """One whole value, or one hit of a detector, hidden. A detector's own strategy is `partial`."""
        if detector is None and strategy == "partial" and _RECOGNISABLE.search(value):
            detector = _kind(value)
        return self._sized(value, apply(value, strategy or "partial", self._key, detector))

    def _sized(self, value: str, hidden: str) -> str:
        """What stands for `value`; where lengths are kept, cut or filled up to it."""
        if not self._keeps_length or len(hidden) == len(value):
            return hidden
        return "*" * len(value) if hidden == MARK else hidden[: len(value)].ljust(len(value), "*")

    def cover(self, data: bytes, hits: Iterable[Hit]) -> bytes:
        """`data` with these hits hidden. A bare number that is a JSON value stays a number."""
        out: list[bytes] = []
        at = 0
        for start, end, detector in hits:
            out += data[at:start], self.stand_in(data, start, end, detector)
            at = end
        out.append(data[at:])
        return b"".join(out)

    def stand_in(self, data: bytes, start: int, end: int, detector: str) -> bytes:
        """What to put in place of one hit in `data`."""
        value = data[start:end]
        if coloured(value):
            looks, sequences = without(value)
            return self._instead(looks, detector) + sequences
        if _NUMBER.fullmatch(value) and _is_json_value(data, start, end):
            return number_for(value, detector)
        return self._instead(value, detector)

    def _instead(self, value: bytes, detector: str) -> bytes:
        return self.replace(value.decode("utf-8", "surrogateescape"), detector=detector).encode(
            "utf-8", "surrogateescape"
        )

    def text(self, value: str) -> str:
        """Free text with every hit hidden."""
        data = value.encode("utf-8", "surrogatepass")
        hits = self.find(data)
        return self.cover(data, hits).decode("utf-8", "surrogatepass") if hits else value

    def stream(self, *, binary: bool = False) -> MaskedStream:
        """A text that begins. `binary`: chance does not count, and no length changes."""
        from gateway.masking.amid import AmidBinary
        from gateway.masking.stream import StreamMask

        return StreamMask(AmidBinary(self, starred=True) if binary else self)

    def noise(self, value: bytes, length: int) -> bytes:
        """`length` bytes that only `value` and the key decide: for stand-ins of types that are not text."""
        return stream(value, self._key, length)


def _reaches(pattern: ColumnPattern, names: Collection[str], label: str) -> bool:
    return any(pattern.may_be(name) for name in names) or (label != "" and pattern.is_label(label))


def number_for(digits: bytes, detector: str | None) -> bytes:
    """The number that stands for these digits where only a number may stand: what `partial` would show of them."""
    shown = _SHOWN.get(detector or "", 0) if digits.isdigit() else 0
    return b"%d" % int(digits[-shown:]) if shown and len(digits) > 2 * shown else b"0"


def _is_json_value(data: bytes, start: int, end: int) -> bool:
    before = data[max(0, start - 16) : start].rstrip(_BLANKS)
    behind = data[end : end + 16].lstrip(_BLANKS)
    if before.endswith((b'":', b'" :')):
        return not behind or behind[:1] in b",}"
    return before[-1:] in {b"[", b","} and behind[:1] in {b",", b"]"}


@functools.lru_cache(maxsize=1024)
def _kind(value: str) -> str | None:
    """The personal detector that takes the value as a whole for its own."""
    data = value.encode("utf-8", "surrogateescape")
    hits = scanner(expand(("personal", "ip"))).find(data)
    return hits[0][2] if len(hits) == 1 and hits[0][:2] == (0, len(data)) else None


def _less(policy: MaskPolicy, reveal: Reveal) -> MaskPolicy:
    """Columns are excepted as an exception of the mask's own would; a path into them, where the mask names it so."""
    return replace(
        policy,
        columns={name: strategy for name, strategy in policy.columns.items() if name not in reveal.columns},
        except_=(*policy.except_, *(name for name in reveal.columns if "$" not in name)),
        except_detect=(*policy.except_detect, *reveal.detect),
    )


class Masks:
    """Every mask of a policy, and every union of them that a verdict may name."""

    def __init__(self, policies: Mapping[str, MaskPolicy], key: bytes) -> None:
        self._policies = policies
        self._key = key
        self._made: dict[tuple[frozenset[str], Reveal | None], CompiledMask] = {}
        for name in policies:
            self.mask((name,))

    def mask(self, names: Iterable[str], reveal: Reveal | None = None) -> CompiledMask:
        """The union of the named masks; without names, one that hides nothing. Raises `UnknownMask`.

        `reveal` is what all of them leave alone, this once.
        """
        wanted = frozenset(names)
        made = self._made.get((wanted, reveal))
        if made is None:
            if missing := wanted - self._policies.keys():
                raise UnknownMask(f"the policy has no mask {', '.join(sorted(missing))}")
            policies = [self._policies[name] for name in sorted(wanted)]
            if reveal is not None:
                policies = [_less(policy, reveal) for policy in policies]
            made = CompiledMask(policies, self._key)
            self._made[wanted, reveal] = made
        return made

    def everything(self) -> CompiledMask:
        """All detectors of all masks but the slow ones, and those for secrets in any case: for what people and logs are shown."""
        detect = {name for mask in self._policies for name in self.mask((mask,)).detectors}
        own = {each for policy in self._policies.values() for each in policy.custom}
        everything = MaskPolicy(
            name="everything", detect=tuple(sorted((detect | {"secrets"}) - READ)), custom=tuple(own)
        )
        return CompiledMask([everything], self._key)
