"""SFTP's packets: cut anywhere they are the same; what is no packet is said to be none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Effect
from gateway.protocols.ssh import packets
from gateway.protocols.ssh.packets import Kind, Malformed, Packet, Packets


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def packet(kind: int, body: bytes, request: int = 7) -> bytes:
    whole = bytes([kind]) + request.to_bytes(4, "big") + body
    return len(whole).to_bytes(4, "big") + whole


framed = st.tuples(st.integers(0, 255), st.binary(max_size=60)).map(lambda each: packet(*each))


def whole(stream: bytes) -> list[Packet]:
    return list(Packets().feed(stream))


@given(st.lists(framed, max_size=6), st.lists(st.integers(1, 40), max_size=20))
def test_packets_are_the_same_wherever_the_stream_is_cut(sent: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(sent)
    cutter, at, found = Packets(), 0, []
    for cut in [*cuts, len(stream) + 1]:
        found += cutter.feed(stream[at : at + cut])
        at += cut
    assert found == whole(stream)
    assert [each.data for each in found] == sent


@given(framed)
def test_well_framed_nonsense_is_judged_or_malformed_and_nothing_else(sent: bytes) -> None:
    (one,) = whole(sent)
    try:
        asked = packets.asked(one, {})
    except Malformed:
        return
    assert asked is None or asked.facts.effects


@pytest.mark.parametrize("length", [0, packets.LONGEST + 1, 0xFFFF_FFFF])
def test_a_length_that_no_packet_has_is_malformed(length: int) -> None:
    with pytest.raises(Malformed):
        whole(length.to_bytes(4, "big") + b"\x03")


CASES = [
    (packet(3, string(b"/var/log/syslog") + (1).to_bytes(4, "big") + bytes(4)), {"read"}, "open /var/log/syslog for reading"),
    (packet(3, string(b"/srv/app/x") + (0x1A).to_bytes(4, "big") + bytes(4)), {"write"}, "open /srv/app/x for writing"),
    (packet(3, string(b"/etc/shadow") + (1).to_bytes(4, "big") + bytes(4)), {"exfil"}, "open /etc/shadow for reading"),
    (packet(13, string(b"/srv/app/x")), {"write"}, "remove /srv/app/x"),
    (packet(9, string(b"/srv/app/x") + (4).to_bytes(4, "big") + (0o4755).to_bytes(4, "big")), {"privilege"}, "set the mode of /srv/app/x to 4755"),
    (packet(18, string(b"/srv/a") + string(b"/etc/cron.d/b")), {"write"}, "rename /srv/a to /etc/cron.d/b"),
    (packet(200, string(b"posix-rename@openssh.com") + string(b"/srv/a") + string(b"/srv/b")), {"write"}, "rename /srv/a to /srv/b"),
    (packet(11, string(b"/srv")), {"read"}, "list /srv"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "effects", "text"), CASES, ids=[case[2] for case in CASES])
def test_an_operation_has_the_effects_of_the_shell_command_that_does_it(
    sent: bytes, effects: set[str], text: str
) -> None:
    (one,) = whole(sent)
    asked = packets.asked(one, {})
    assert asked is not None
    assert asked.text == text
    assert effects <= set(asked.facts.effects)


@pytest.mark.parametrize("name", [b"spawn@example.com", b"hardlink", b"", b"posix-rename@openssh.com\0"])
def test_an_extension_that_is_not_known_is_not_served(name: bytes) -> None:
    (one,) = whole(packet(200, string(name) + string(b"/srv/a")))
    asked = packets.asked(one, {})
    assert asked is not None
    assert asked.unknown
    assert Effect.UNKNOWN in asked.facts.effects


@pytest.mark.parametrize("path", [b"", b"/srv/\0x", b"/etc/\xff\xfe"])
def test_a_path_that_is_none_is_unknown(path: bytes) -> None:
    (one,) = whole(packet(13, string(path)))
    asked = packets.asked(one, {})
    assert asked is not None
    assert Effect.UNKNOWN in asked.facts.effects


def test_reads_are_announced_shorter_by_what_is_looked_at_around_them() -> None:
    reply = packet(201, b"".join(n.to_bytes(8, "big") for n in (262_144, 261_120, 261_120, 0)))
    (one,) = whole(reply)
    assert one.kind is Kind.EXTENDED_REPLY
    (changed,) = whole(packets.shorter_reads(one, by=4_096))
    assert changed.data == packet(201, b"".join(n.to_bytes(8, "big") for n in (262_144, 257_024, 261_120, 0)))
