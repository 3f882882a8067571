"""Commands that were recorded, as a policy can be asked about them again.

A recording has effects and resources as they were judged, and the text with what is secret masked. Where the text
still reads as it did, it is read again, for attributes and result columns; where it does not, the record counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from gateway.model import Actor, Effect, Facts, Lineage, Resource
from gateway.policy.differences import Asked
from gateway.policy.moment import Moment
from gateway.policy.vocabulary import Vocabulary
from gateway.recorder.chain import ChainBroken, TornTail, records
from gateway.recorder.fields import SUFFIX

_Key: TypeAlias = tuple[str, str, Lineage, str, frozenset[str], tuple[Resource, ...], float | None]


@dataclass(slots=True, kw_only=True)
class Recorded:
    """What the recordings below a directory hold."""

    sessions: int = 0
    broken: list[str]

    def read(self, directory: Path, vocabulary: Vocabulary, *, by_time: bool) -> Iterator[Asked]:
        """Each command once, with how often it was asked; `by_time` where it matters when."""
        counted: Counter[_Key] = Counter()
        for path in sorted(directory.rglob(f"*{SUFFIX}")):
            counted.update(self._of(path, by_time=by_time))
        reader = _Reader(vocabulary)
        for (connection, protocol, lineage, text, effects, resources, at), times in counted.items():
            moment = Moment(at=at)
            yield Asked(
                connection=connection,
                lineage=lineage,
                facts=reader.facts(protocol, text, effects, resources),
                text=text,
                before=moment,
                after=moment,
                times=times,
            )

    def _of(self, path: Path, *, by_time: bool) -> Iterator[_Key]:
        try:
            with path.open("rb") as file:
                session: Mapping[str, Any] = {}
                lineage = Lineage(person="", chain=())
                told: dict[int, tuple[frozenset[str], tuple[Resource, ...]]] = {}
                for record in records(file):
                    if record.kind == "opened":
                        session = record.fields["session"]
                        lineage = _lineage(session)
                        self.sessions += 1
                    elif record.kind == "asked":
                        fields = record.fields
                        if "effects" in fields:
                            told[record.number] = frozenset(fields["effects"]), _resources(fields)
                        yield (
                            session["connection"],
                            session["protocol"],
                            lineage,
                            fields["text"],
                            *told[fields.get("facts", record.number)],
                            record.at if by_time else None,
                        )
        except TornTail:
            return  # a session that is open, or that a crash ended
        except (ChainBroken, KeyError, TypeError, ValueError, OSError) as error:
            self.broken.append(f"{path}: {error}")


class _Reader:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self._read: Callable[[str, Mapping[str, Any]], Facts] = vocabulary.read_facts
        self._protocols = vocabulary.protocols

    def facts(
        self, protocol: str, text: str, effects: frozenset[str], resources: tuple[Resource, ...]
    ) -> Facts:
        judged = frozenset(map(Effect, effects))
        kept = Facts(effects=judged, resources=resources, complete=Effect.UNKNOWN not in judged)
        if protocol not in self._protocols:
            return kept
        try:
            again = self._read(protocol, {"protocol": protocol, "command": text})
        except ValueError:
            return kept
        # `exfil` may have been the policy's finding, which each policy makes for itself.
        if again.effects in {judged, judged - {Effect.EXFIL}}:
            return again
        return replace(kept, attributes=again.attributes, outputs=again.outputs, carried=again.carried)


def _resources(fields: Mapping[str, Any]) -> tuple[Resource, ...]:
    return tuple(
        Resource(kind=each["kind"], name=each["name"], effect=Effect(each["effect"]))
        for each in fields["resources"]
    )


def _lineage(session: Mapping[str, Any]) -> Lineage:
    return Lineage(
        person=session["person"],
        chain=tuple(Actor(name=each["name"], token_id=each["token_id"]) for each in session["chain"]),
        groups=frozenset(session["groups"]),
    )
