"""The section `detectors`: an operator's own detectors, beside those that are built in."""

from __future__ import annotations

import re

from gateway.policy.model import CustomDetector
from gateway.policy.reader import Look
from gateway.policy.values import given
from gateway.policy.vocabulary import Vocabulary

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def detectors(look: Look, vocabulary: Vocabulary) -> dict[str, CustomDetector]:
    found: dict[str, CustomDetector] = {}
    for name, entry in look.pairs().items():
        if not NAME.fullmatch(name):
            entry.fault_at_key(
                f"`{name[:60]}` cannot name a detector; use small letters, digits and `_`, at most 40"
            )
        elif name in vocabulary.detectors:
            entry.fault_at_key(f"there is a detector `{name}` already; choose another name")
        else:
            found[name] = _detector(name, entry, vocabulary)
    return found


def _detector(name: str, look: Look, vocabulary: Vocabulary) -> CustomDetector:
    before = len(look.faults)
    keys = look.fields(
        ("pattern", "validator", "words", "matches", "misses"), required=("pattern", "matches")
    )
    made = CustomDetector(
        name=name,
        pattern=given(keys, "pattern", Look.text, ""),
        validator=given(
            keys, "validator", lambda look: look.choice(vocabulary.validators, "a validator"), ""
        ),
        words=given(keys, "words", lambda look: look.each(Look.text), ()),
        matches=given(keys, "matches", lambda look: look.each(Look.text), ()),
        misses=given(keys, "misses", lambda look: look.each(Look.text), ()),
    )
    if len(look.faults) == before:
        for key, index, message in vocabulary.detector_faults(made):
            keys[key].items()[index].fault(message)
    return made
