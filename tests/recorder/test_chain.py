from __future__ import annotations

import hashlib
import io
import os
from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.recorder.chain import ORIGIN, ChainBroken, ChainWriter, TornTail, records

FIELDS = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).map(lambda key: "f_" + key),
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    max_size=4,
)
MADE = st.lists(st.tuples(st.sampled_from(["asked", "answer"]), FIELDS, st.binary(max_size=40)), max_size=6)


def written(made):
    read, write = os.pipe()
    with os.fdopen(read, "rb") as file:
        writer = ChainWriter(write)
        for kind, fields, payload in made:
            writer.append(kind, 1.5, fields, payload)
        writer.flush()
        os.close(write)
        return file.read(), writer


@given(MADE)
def test_what_is_written_is_read_again(made):
    data, writer = written(made)
    found = list(records(io.BytesIO(data)))
    assert [(each.kind, each.payload) for each in found] == [(kind, payload) for kind, _, payload in made]
    assert all(
        each.fields.items() >= fields.items() for each, (_, fields, _) in zip(found, made, strict=True)
    )
    assert (found[-1].hash if found else ORIGIN) == writer.head
    assert (found[-1].end if found else 0) == len(data)


@settings(max_examples=300)
@given(MADE.filter(bool), st.data())
def test_no_byte_can_be_changed_unseen(made, data):
    whole, writer = written(made)
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    forged = whole[:place] + bytes([other]) + whole[place + 1 :]
    try:
        found = list(records(io.BytesIO(forged)))
    except (ChainBroken, TornTail):
        return
    # Only the last record can still read well: its hash, which the seal signs, cannot be the same.
    assert not found or found[-1].hash != writer.head


@given(MADE.filter(bool), st.data())
def test_no_record_can_be_dropped_doubled_or_moved(made, data):
    whole, _ = written(made)
    ends = [0, *(each.end for each in records(io.BytesIO(whole)))]
    pieces = [whole[begin:end] for begin, end in pairwise(ends)]
    order = data.draw(st.lists(st.sampled_from(range(len(pieces))), max_size=len(pieces) + 1))
    forged = b"".join(pieces[number] for number in order)
    prefix = order == list(range(len(order)))
    if prefix:
        assert len(list(records(io.BytesIO(forged)))) == len(order)
    else:
        with pytest.raises(ChainBroken):
            list(records(io.BytesIO(forged)))


@given(MADE.filter(bool), st.data())
def test_a_file_that_was_cut_keeps_its_whole_records_and_says_where_it_is_torn(made, data):
    whole, _ = written(made)
    ends = [0, *(each.end for each in records(io.BytesIO(whole)))]
    cut = data.draw(st.integers(0, len(whole) - 1))
    kept = []

    def read():
        kept.extend(record.end for record in records(io.BytesIO(whole[:cut])))

    if cut in ends:
        read()
    else:
        with pytest.raises(TornTail) as torn:
            read()
        assert torn.value.offset == max(end for end in ends if end <= cut)
    assert kept == [end for end in ends[1:] if end <= cut]


def test_a_chain_that_goes_on_in_another_file_names_what_it_follows():
    data, first = written([("asked", {}, b"")])
    read, write = os.pipe()
    writer = ChainWriter(write, head=first.head, number=first.number)
    writer.append("asked", 2.0, {}, b"x")
    writer.flush()
    os.close(write)
    with os.fdopen(read, "rb") as file:
        more = file.read()
    assert [each.number for each in records(io.BytesIO(more), head=first.head, number=1)] == [1]
    with pytest.raises(ChainBroken, match="does not follow"):
        list(records(io.BytesIO(more), head=hashlib.sha256(b"").hexdigest(), number=1))
    assert len(list(records(io.BytesIO(data + more)))) == 2


def test_text_that_is_not_unicode_is_kept_escaped():
    data, _ = written([("asked", {"text": "a\udce4b", "list": ["\ud800"]}, b"")])
    (record,) = records(io.BytesIO(data))
    assert record.fields["text"] == "a\\udce4b"
    assert record.fields["list"] == ["\\ud800"]


@pytest.mark.parametrize(
    "header",
    [
        b"nonsense\n",
        b"[]\n",
        b'{"n":0}\n',
        orjson.dumps({"n": 1, "at": 1, "kind": "x", "prev": ORIGIN, "size": 0}) + b"\n",
        orjson.dumps({"n": 0, "at": 1, "kind": "x", "prev": ORIGIN, "size": -1}) + b"\n",
    ],
)
def test_what_is_no_header_does_not_hold(header):
    with pytest.raises(ChainBroken) as broken:
        list(records(io.BytesIO(header)))
    assert broken.value.number == 0
