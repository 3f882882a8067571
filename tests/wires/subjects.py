"""The wires that the conformance checks are run over."""

from __future__ import annotations

import os

from hypothesis import strategies as st

from gateway.protocols.postgres import messages
from gateway.wire import Login, Opening, Side, Wire
from tests.wires.conformance import Exchange, Subject
from tests.wires.echo import EchoWire
from tests.wires.playbook import (
    BOUND,
    COPIED,
    FLUSH,
    NO_DATA,
    PARSED,
    SYNC,
    bind,
    copy_response,
    describe,
    done,
    execute,
    parse,
    play,
    query,
    ready,
    row,
    row_description,
)
from tests.wires.pump import SESSION


def _echo() -> Wire:
    wire = EchoWire(Opening(random=os.urandom))
    wire.receive(Side.CLIENT, b"login alice token\n")
    wire.admit(SESSION, Login(user="gateway"))
    return wire


ECHO = Subject(
    name="echo",
    admitted=_echo,
    exchanges=[Exchange(client=f"line {n}\n".encode(), server=b"done\n") for n in range(3)],
    repeated=Exchange(client=b"again\n", server=b"done\n"),
    nonsense=dict.fromkeys(Side, st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"") + b"\n")),
    refused=lambda said: said.endswith(b"no: Not through here.\n"),
)


def _framed(known: bytes) -> st.SearchStrategy[bytes]:
    """Messages with right lengths: tags mostly known, bodies of anything, or pieces that make sense elsewhere."""
    pieces = st.sampled_from(
        [b"", b"\0", b"S\0", b"P\0", b"I", b"s\0", b"select 1\0", b"\0\0\0\1", b"\xff\xff", b"\0\0\0\0\0\0"]
    )
    bodies = st.one_of(st.binary(max_size=30), st.lists(pieces, max_size=6).map(b"".join))
    tags = st.one_of(st.sampled_from([bytes((tag,)) for tag in known]), st.binary(min_size=1, max_size=1))
    return st.lists(st.tuples(tags, bodies), min_size=1, max_size=6).map(
        lambda frames: b"".join(messages.frame(tag, body) for tag, body in frames)
    )


POSTGRES = Subject(
    name="postgres",
    admitted=lambda: play().wire,
    exchanges=[
        Exchange(
            client=query("select 1"),
            server=row_description("n") + row("1") + row("2") + done("SELECT 2") + ready(),
        ),
        Exchange(
            client=parse("update t set n = $1") + bind(b"5") + describe("P") + execute() + SYNC,
            server=PARSED + BOUND + NO_DATA + done("UPDATE 3") + ready(),
        ),
        Exchange(client=query("begin"), server=done("BEGIN") + ready("T")),
        Exchange(
            client=parse("select n from t", "s")
            + describe("S", "s")
            + FLUSH
            + bind(statement="s")
            + execute()
            + SYNC,
            server=PARSED
            + messages.frame(b"t", b"\0\0")
            + row_description("n")
            + BOUND
            + row("1")
            + done("SELECT 1")
            + ready("T"),
        ),
        Exchange(
            client=query("copy t to stdout"),
            server=copy_response("H")
            + messages.frame(b"d", b"1\n") * 3
            + COPIED
            + done("COPY 3")
            + ready("T"),
        ),
        Exchange(
            client=query("select x"),
            server=messages.notice("hm") + messages.error("42703", "no x") + ready("E"),
        ),
        Exchange(client=query("rollback"), server=done("ROLLBACK") + ready()),
    ],
    prepare=[Exchange(client=parse("delete from t", "d") + SYNC, server=PARSED + ready())],
    repeated=Exchange(
        client=bind(statement="d") + execute() + SYNC, server=BOUND + done("DELETE 1") + ready()
    ),
    nonsense={Side.CLIENT: _framed(b"QPBEDCHSXdcfF"), Side.UPSTREAM: _framed(b"TDCIEZ123stnGHdcNAS")},
    refused=lambda said: b"MNot through here.\0" in said and said[-6:-1] == b"Z\0\0\0\5",
)

SUBJECTS = [ECHO, POSTGRES]
