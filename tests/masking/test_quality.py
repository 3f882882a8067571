"""The texts of benchmarks/masking_quality.py: what must be found is, and what only looks alike is left."""

from __future__ import annotations

from collections import defaultdict

import pytest
from masking_quality import CONFIGURATIONS, LOOKALIKES, PEOPLE, VALUES, Score, judge, mask, total
from masking_texts import texts


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_values_are_found_and_little_else(seed: int) -> None:
    scores: dict[str, Score] = defaultdict(Score)
    found = mask()
    wrong = [
        line
        for path in (VALUES, LOOKALIKES, CONFIGURATIONS)
        for line in judge(found, texts(path, seed), scores)
    ]
    every = total(scores.values())
    assert every.recall >= 0.985, wrong
    assert every.precision >= 0.99, wrong


def test_names_and_addresses_are_mostly_found_and_little_else() -> None:
    scores: dict[str, Score] = defaultdict(Score)
    wrong = judge(mask(("person_name", "postal_address")), texts(PEOPLE, seed=7, each=5), scores)
    every = total(scores.values())
    assert every.recall >= 0.93, wrong
    assert every.precision >= 0.95, wrong
