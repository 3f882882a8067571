"""What a client's encoding is called in Python: masks read UTF-8, so that values in another are read by it first.

Encodings that are not here (EUC_TW, MULE_INTERNAL, whatever is to come) are read byte by byte: no byte of their longer
characters looks like ASCII, and a detector takes any other byte for a letter.
"""

from __future__ import annotations

import re

_CODECS = {
    "big5": "big5", "eucjp": "euc_jp", "eucjis2004": "euc_jis_2004", "euccn": "gb2312", "euckr": "euc_kr",
    "gb18030": "gb18030", "gbk": "gbk", "iso88595": "iso8859_5", "iso88596": "iso8859_6", "iso88597": "iso8859_7",
    "iso88598": "iso8859_8", "johab": "johab", "koi8r": "koi8_r", "koi8": "koi8_r", "koi8u": "koi8_u", "latin1": "latin_1",
    "latin2": "iso8859_2", "latin3": "iso8859_3", "latin4": "iso8859_4", "latin5": "iso8859_9", "latin6": "iso8859_10",
    "latin7": "iso8859_13", "latin8": "iso8859_14", "latin9": "iso8859_15", "latin10": "iso8859_16", "sjis": "cp932",
    "mskanji": "cp932", "shiftjis": "cp932", "win932": "cp932", "windows932": "cp932", "shiftjis2004": "shift_jis_2004",
    "uhc": "cp949", "win949": "cp949", "windows949": "cp949", "win936": "gbk", "windows936": "gbk", "win950": "cp950",
    "windows950": "cp950", "win866": "cp866", "alt": "cp866", "win874": "cp874", "win": "cp1251", "abc": "cp1258",
    "tcvn": "cp1258", "tcvn5712": "cp1258", "vscii": "cp1258",
}  # fmt: skip
_WINDOWS = re.compile(r"win(?:dows)?(125[0-8])")
_ASCII_ALIKE = frozenset(
    {"big5", "gbk", "gb18030", "cp932", "shift_jis_2004", "cp949", "cp950", "johab"},
)


def codec_of(encoding: str) -> str:
    """Python's name of a PostgreSQL encoding; "" for UTF-8 and for bytes of no known encoding."""
    name = re.sub(r"[^a-z0-9]", "", encoding.lower())
    if name in {"", "utf8", "unicode", "sqlascii"}:
        return ""
    if name in _CODECS:
        return _CODECS[name]
    windows = _WINDOWS.fullmatch(name)
    return f"cp{windows[1]}" if windows is not None else "latin_1"


def looks_like_ascii(codec: str) -> bool:
    """Whether a byte of a longer character may look like ASCII, so that even rows can only be told apart decoded."""
    return codec in _ASCII_ALIKE


def to_utf8(value: bytes, codec: str) -> tuple[bytes, str]:
    """`value` in UTF-8, and the codec that gives it back: that of single bytes where `codec` cannot read it."""
    try:
        return value.decode(codec).encode(), codec
    except UnicodeDecodeError:
        return value.decode("latin_1").encode(), "latin_1"


def from_utf8(value: bytes, codec: str) -> bytes:
    return value.decode("utf-8", "replace").encode(codec, "replace")
