"""In which encoding the text of a column comes: each column definition names a collation by its number, and that a character set.

The numbers are those of both servers: MariaDB has its own from 576 on, MySQL from 255 to 323.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BINARY = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    name: str
    codec: str
    """Python's name of it; "" for UTF-8, ASCII and bytes of no encoding."""
    widest: int
    """Bytes of a character, at most."""

    @property
    def wide(self) -> bool:
        """Whether not even ASCII is written as such."""
        return self.codec.startswith(("utf_16", "utf_32"))

    def read(self, value: bytes) -> tuple[bytes, str]:
        """`value` in UTF-8, and the codec that gives it back: that of single bytes where it cannot be read so."""
        if not self.codec or (value.isascii() and not self.wide):
            return value, ""
        try:
            return value.decode(self.codec).encode(), self.codec
        except UnicodeError:
            return value.decode("latin_1").encode(), "latin_1"

    def written(self, value: bytes) -> bytes:
        """Text of ours, in UTF-8, as a value of a column."""
        return back(value, self.codec)


def back(value: bytes, codec: str) -> bytes:
    """What was read with this codec, changed, as it has to be written again."""
    return value.decode("utf-8", "replace").encode(codec, "replace") if codec else value


def _span(*parts: int | tuple[int, int]) -> Iterable[int]:
    for part in parts:
        yield from range(part[0], part[1] + 1) if isinstance(part, tuple) else (part,)


_CODECS: dict[str, tuple[str, int, tuple[int | tuple[int, int], ...]]] = {
    # Byte by byte where Python has no codec: no byte of theirs but ASCII's own looks like ASCII.
    "armscii8": ("latin_1", 1, (32, 64, 1056, 1088)),
    "ascii": ("", 1, (11, 65, 1035, 1089)),
    "big5": ("big5", 2, (1, 84, 1025, 1108)),
    "binary": ("", 1, (BINARY,)),
    "cp1250": ("cp1250", 1, (26, 34, 44, 66, 99, 1050, 1090)),
    "cp1251": ("cp1251", 1, (14, 23, 50, 51, 52, 1074, 1075)),
    "cp1256": ("cp1256", 1, (57, 67, 1081, 1091)),
    "cp1257": ("cp1257", 1, (29, 58, 59, 1082, 1083)),
    "cp850": ("cp850", 1, (4, 80, 1028, 1104)),
    "cp852": ("cp852", 1, (40, 81, 1064, 1105)),
    "cp866": ("cp866", 1, (36, 68, 1060, 1092)),
    "cp932": ("cp932", 2, (95, 96, 1119, 1120)),
    "dec8": ("latin_1", 1, (3, 69, 1027, 1093)),
    "eucjpms": ("euc_jp", 3, (97, 98, 1121, 1122)),
    "euckr": ("euc_kr", 2, (19, 85, 1043, 1109)),
    "gb18030": ("gb18030", 4, ((248, 250),)),
    "gb2312": ("gb2312", 2, (24, 86, 1048, 1110)),
    "gbk": ("gbk", 2, (28, 87, 1052, 1111)),
    "geostd8": ("latin_1", 1, (92, 93, 1116, 1117)),
    "greek": ("iso8859_7", 1, (25, 70, 1049, 1094)),
    "hebrew": ("iso8859_8", 1, (16, 71, 1040, 1095)),
    "hp8": ("latin_1", 1, (6, 72, 1030, 1096)),
    "keybcs2": ("latin_1", 1, (37, 73, 1061, 1097)),
    "koi8r": ("koi8_r", 1, (7, 74, 1031, 1098)),
    "koi8u": ("koi8_u", 1, (22, 75, 1046, 1099)),
    "latin1": ("cp1252", 1, (5, 8, 15, 31, 47, 48, 49, 94, 1032, 1071)),
    "latin2": ("iso8859_2", 1, (2, 9, 21, 27, 77, 1033, 1101)),
    "latin5": ("iso8859_9", 1, (30, 78, 1054, 1102)),
    "latin7": ("iso8859_13", 1, (20, 41, 42, 79, 1065, 1103)),
    "macce": ("mac_latin2", 1, (38, 43, 1062, 1067)),
    "macroman": ("mac_roman", 1, (39, 53, 1063, 1077)),
    "sjis": ("cp932", 2, (13, 88, 1037, 1112)),
    "swe7": ("", 1, (10, 82, 1034, 1106)),
    "tis620": ("tis_620", 1, (18, 89, 1042, 1113)),
    "ucs2": ("utf_16_be", 2, (35, 90, (128, 151), 159, (640, 642), 1059, 1114, 1152, 1174, (2560, 2815))),
    "ujis": ("euc_jp", 3, (12, 91, 1036, 1115)),
    "utf16": ("utf_16_be", 4, (54, 55, (101, 124), (672, 674), 1078, 1079, 1125, 1147, (2816, 3071))),
    "utf16le": ("utf_16_le", 4, (56, 62, 1080, 1086)),
    "utf32": ("utf_32_be", 4, (60, 61, (160, 183), (736, 738), 1084, 1085, 1184, 1206, (3072, 3327))),
    "utf8mb3": ("", 3, (33, 76, 83, (192, 223), (576, 578), 1057, 1107, 1216, 1238, (2048, 2303))),
    "utf8mb4": ("", 4, (45, 46, (224, 247), (255, 323), (608, 610), 1069, 1070, 1248, 1270, (2304, 2559))),
}  # fmt: skip
_NAMED = {
    name: Charset(name=name, codec=codec, widest=widest) for name, (codec, widest, _) in _CODECS.items()
} | {"utf8": Charset(name="utf8", codec="", widest=3)}
_BY_COLLATION = {
    number: _NAMED[name] for name, (_, _, numbers) in _CODECS.items() for number in _span(*numbers)
}
UNKNOWN = Charset(name="", codec="latin_1", widest=4)
"""Of a collation that is not listed here. Its text is read byte by byte, and once more without the zeros in it."""


def of_collation(number: int) -> Charset:
    return _BY_COLLATION.get(number, UNKNOWN)


def named(name: str) -> Charset:
    return _NAMED.get(name.lower(), UNKNOWN)
