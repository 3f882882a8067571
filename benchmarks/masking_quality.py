"""How well values are found: recall, precision and exactness by type, on texts made from templates with a fixed seed.

`found` is recall: the share of values that are hidden to their last character. `exact` is the share of which nothing
more is hidden. `right` is precision: the share of hits that touch a value; a hit in a text that holds none counts
for the type that was seen there. Every text is also masked in pieces, cut at every boundary, and must come out the same.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from masking_texts import Text, texts

from gateway.commands.mask import in_characters
from gateway.masking.detectors import READ
from gateway.masking.engine import CompiledMask
from gateway.masking.scanner import Hit
from gateway.masking.stream import StreamMask
from gateway.policy.model import MaskPolicy

TEXTS = Path(__file__).parent / "texts"
VALUES = TEXTS / "values.txt"
LOOKALIKES = TEXTS / "lookalikes.txt"
CONFIGURATIONS = TEXTS / "configurations.txt"
"""Both, from configuration files and source code."""
PEOPLE = TEXTS / "people.txt"
_TYPES = {
    "bearer": "header",
    "basic_auth": "header",
    "auth_header": "header",
    "encoded_secret": "secret_data",
    **dict.fromkeys(
        ("aws_key", "gcp_key", "azure_key", "github_token", "gitlab_token", "slack_token", "stripe_key", "openai_key",
         "anthropic_key", "npm_token", "pypi_token"),
        "vendor_key",
    ),
}  # fmt: skip
"""Detector -> the type under which its false hits are counted; others count under their own name."""


@dataclass(slots=True)
class Score:
    values: int = 0
    found: int = 0
    exact: int = 0
    hits: int = 0
    false: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.values if self.values else 1.0

    @property
    def precision(self) -> float:
        return self.hits / (self.hits + self.false) if self.hits + self.false else 1.0


def mask(detect: tuple[str, ...] = ("secrets", "personal")) -> CompiledMask:
    return CompiledMask([MaskPolicy(name="all", detect=detect)], key=bytes(32))


def judge(found: CompiledMask, made: Iterable[Text], scores: dict[str, Score]) -> list[str]:
    """Adds to `scores` by type; the texts in which something went wrong, each with what did."""
    wrong: list[str] = []
    for text in made:
        data = text.text.encode()
        hits = in_characters(data, found.find(data))
        touched: set[Hit] = set()
        for start, end, kind in text.values:
            over = [hit for hit in hits if hit[0] < end and hit[1] > start]
            touched.update(over)
            hidden = {at for hit in over for at in range(max(start, hit[0]), min(end, hit[1]))}
            score = scores[kind]
            score.values += 1
            score.found += len(hidden) == end - start
            score.exact += any(hit[:2] == (start, end) for hit in over)
            score.hits += len(over)
            if len(hidden) < end - start:
                wrong.append(f"missed {kind}: {text.text[start:end]!r} in {text.text!r}")
        for hit in hits:
            if hit not in touched:
                scores[_TYPES.get(hit[2], hit[2])].false += 1
                wrong.append(f"false {hit[2]}: {text.text[hit[0] : hit[1]]!r} in {text.text!r}")
    return wrong


def differs_in_pieces(found: CompiledMask, text: Text) -> bool:
    """Whether any cut of the text, or single bytes, give something else than the text in one piece."""
    data = text.text.encode()
    hits = found.find(data)
    whole = (found.cover(data, hits), hits)
    every = range(1, len(data))
    return any(_in_pieces(found, data, cuts) != whole for cuts in (*((cut,) for cut in every), every))


def _in_pieces(found: CompiledMask, data: bytes, cuts: Iterable[int]) -> tuple[bytes, list[Hit]]:
    stream = StreamMask(found)
    out, at = [], 0
    for cut in (*cuts, len(data)):
        out.append(stream.feed(data[at:cut]))
        at = cut
    out.append(stream.close())
    return b"".join(out), stream.hits


def total(scores: Iterable[Score]) -> Score:
    every = list(scores)
    return Score(
        values=sum(score.values for score in every),
        found=sum(score.found for score in every),
        exact=sum(score.exact for score in every),
        hits=sum(score.hits for score in every),
        false=sum(score.false for score in every),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--seed", type=int, default=1, help="other seeds make other values")
    parser.add_argument("--each", type=int, default=1, help="how often every template is made")
    parser.add_argument(
        "--wrong", action="store_true", help="list what was missed, and what was found wrongly"
    )
    parser.add_argument(
        "--names", action="store_true", help="measure the model that finds names and addresses"
    )
    parser.add_argument("--texts", type=Path, nargs="*", help="files of templates")
    parser.add_argument("--whole", action="store_true", help="do not try every cut")
    arguments = parser.parse_args()
    found = mask(tuple(READ)) if arguments.names else mask()
    files = arguments.texts or ([PEOPLE] if arguments.names else [VALUES, LOOKALIKES, CONFIGURATIONS])
    scores: dict[str, Score] = defaultdict(Score)
    made = [text for path in files for text in texts(path, arguments.seed, arguments.each)]
    wrong = judge(found, made, scores)
    cut_up = 0 if arguments.whole else sum(differs_in_pieces(found, text) for text in made)
    rows = {**dict(sorted(scores.items())), "all": total(scores.values())}
    if arguments.json:
        ratios = {name: {"recall": row.recall, "precision": row.precision} for name, row in rows.items()}
        print(json.dumps({**ratios, "texts": len(made), "differ_in_pieces": cut_up}))
        return
    print(
        f"{len(made)} texts, {sum(not text.values for text in made)} of them without a value; seed {arguments.seed}"
    )
    print(f"{'':<16}{'values':>7}{'found':>8}{'exact':>8}{'right':>8}{'false':>7}")
    for name, row in rows.items():
        exact = row.exact / row.values if row.values else 1.0
        print(f"{name:<16}{row.values:>7}{row.recall:>8.3f}{exact:>8.3f}{row.precision:>8.3f}{row.false:>7}")
    if not arguments.whole:
        print(f"texts that come out otherwise in pieces: {cut_up}")
    if arguments.wrong:
        print(*wrong, sep="\n")


if __name__ == "__main__":
    main()
