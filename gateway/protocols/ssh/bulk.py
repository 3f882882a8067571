"""Much data over SSH with few copies of it: the library moves each byte some twenty times between its two sockets.

Private parts of it are replaced: what reads packets, what puts the data of a channel into some, and AES-GCM. What comes out
is what the library would give, and whatever is no data of an open channel goes the library's own way.
"""
# ruff: noqa: SLF001

from __future__ import annotations

import contextlib
import os
import struct
from typing import Any

from asyncssh import ProtocolError
from asyncssh.connection import SSHConnection
from asyncssh.constants import MSG_CHANNEL_DATA
from asyncssh.encryption import GCMEncryption
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DATA = struct.Struct(">BBII")
"""What stands before the data of a channel: how much padding follows it, what kind of packet, which channel, how much data."""
LENGTH = struct.Struct(">I")
LEAST_PADDING = 4


def takes_in_bulk(connection: SSHConnection) -> None:
    """From when its client has proved who it is, the data that come over this connection are taken where they lie."""
    own: Any = connection
    theirs = own._recv_pkthdr

    def read_packets() -> bool:
        return _read(own) if own._auth_complete and own._decompressor is None else theirs()

    own._recv_pkthdr = read_packets


def _read(own: Any) -> bool:
    """In place of the library's reading of a packet's length; false once more has to come first."""
    came = own._inpbuf
    view = memoryview(came)
    encryption = own._recv_encryption = _quick(own._recv_encryption)
    block, mac = own._recv_blocksize, own._recv_macsize
    at = 0
    while len(came) >= at + block:
        behind = at + block
        first, length = encryption.decrypt_header(own._recv_seq, came[at:behind], LENGTH.size)
        size = int.from_bytes(length)
        if size > own._max_recv_pktlen:
            raise ProtocolError("Max packet size exceeded")
        end = at + LENGTH.size + size + mac
        if not behind + mac <= end <= len(came):
            return _left(own, first, size, came[behind:])
        rest, code = view[behind : end - mac], came[end - mac : end]
        packet = encryption.decrypt_packet(own._recv_seq, first, rest, LENGTH.size, code)
        data = _data(own, packet)
        if data is None:
            own._recv_encryption = _Opened(own, encryption, packet)
            return _left(own, first, size, came[behind:])
        own._recv_seq = (own._recv_seq + 1) & 0xFFFF_FFFF
        at = end
        channel, sent = data
        channel._accept_data(sent)
        if own._inpbuf is not came:
            return False  # the connection ended with it
    own._inpbuf = came[at:]
    return False


def _left(own: Any, first: bytes, size: int, came: bytes) -> bool:
    """The library goes on behind the beginning of a packet of that size."""
    own._packet, own._pktlen, own._inpbuf = first, size, came
    own._recv_handler = own._recv_packet
    return True


def _data(own: Any, packet: bytes | None) -> tuple[Any, bytes] | None:
    """Which channel's data these are, and the data; None for anything else, well-formed or not."""
    if packet is None or len(packet) < DATA.size:
        return None
    padding, kind, number, size = DATA.unpack_from(packet)
    if kind != MSG_CHANNEL_DATA or DATA.size + size + padding != len(packet):
        return None
    channel = own._channels.get(number)
    if channel is None or channel._recv_state != "open" or size > channel._recv_window:
        return None
    return channel, packet[DATA.size : DATA.size + size]


class _Opened:
    """Gives the library a packet that is decrypted already, and steps aside."""

    def __init__(self, own: Any, encryption: Any, packet: bytes | None) -> None:
        self._own = own
        self._encryption = encryption
        self._packet = packet

    def decrypt_packet(self, *_: object) -> bytes | None:
        self._own._recv_encryption = self._encryption
        return self._packet


def gives_in_bulk(channel: Any) -> None:
    """What is written to the channel from now on is put into packets where it lies."""
    own = channel
    theirs = own._flush_send_buf

    def flush() -> None:
        while own._send_window and own._send_buf and own._send_buf[0][1] is None and _steady(own._conn):
            data, _ = own._send_buf[0]
            sent = _send(own, own._conn, data)
            own._send_window -= sent
            own._send_buf_len -= sent
            if sent == len(data):
                del own._send_buf[0]
            else:
                del data[:sent]
        theirs()

    own._flush_send_buf = flush


def _steady(own: Any) -> bool:
    """Keys are not being exchanged, nor is it time to."""
    return (
        own._kex_complete
        and own._transport is not None
        and own._compressor is None
        and own._rekey_bytes_sent < own._rekey_bytes
        and not (own._rekey_seconds and own._loop.time() >= own._rekey_time)
    )


def _send(channel: Any, own: Any, data: bytearray) -> int:
    """Send as much of the data as the window lets; how much that was."""
    encryption = own._send_encryption = _quick(own._send_encryption)
    block, around = own._send_blocksize, own._send_enchdrlen + DATA.size - 1
    out: list[bytes] = []
    at, end = 0, min(len(data), channel._send_window)
    with memoryview(data) as view:
        while at < end:
            size = min(end - at, channel._send_pktsize)
            padding = -(around + size) % block
            if padding < LEAST_PADDING:
                padding += block
            head = DATA.pack(padding, MSG_CHANNEL_DATA, channel._send_chan, size)
            packet = b"".join((head, view[at : at + size], os.urandom(padding)))
            out += encryption.encrypt_packet(own._send_seq, LENGTH.pack(len(packet)), packet)
            own._send_seq = (own._send_seq + 1) & 0xFFFF_FFFF
            own._rekey_bytes_sent += len(packet)
            at += size
    with contextlib.suppress(ConnectionError):
        own._transport.writelines(out)
    return at


def _quick(encryption: Any) -> Any:
    return _Gcm(encryption) if type(encryption) is GCMEncryption else encryption


class _Gcm(GCMEncryption):
    """The library's AES-GCM (RFC 5647) from where it stands, which makes the key anew and joins what it seals for each packet."""

    def __init__(self, theirs: GCMEncryption) -> None:
        cipher: Any = theirs._cipher
        self._key = AESGCM(cipher._key)
        self._fixed: bytes = cipher._iv[:4]
        self._counted = int.from_bytes(cipher._iv[4:])

    def encrypt_packet(self, seq: int, header: bytes, packet: bytes) -> tuple[bytes, bytes]:
        del seq
        return header, self._key.encrypt(self._nonce(), packet, header)

    def decrypt_packet(
        self, seq: int, first: bytes, rest: bytes, header_len: int, mac: bytes
    ) -> bytes | None:
        del seq
        sealed = b"".join((first[header_len:], rest, mac))
        try:
            return self._key.decrypt(self._nonce(), sealed, first[:header_len])
        except InvalidTag:
            return None

    def _nonce(self) -> bytes:
        counted, self._counted = self._counted, (self._counted + 1) & 0xFFFF_FFFF_FFFF_FFFF
        return self._fixed + counted.to_bytes(8)
