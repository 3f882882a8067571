"""Texts with known values in them, made from templates: nobody's data, but every checksum is right.

A template is one line. `⏎` and `⇥` are a line's end and a tab. `«type¦value»` marks what a mask has to hide, and
`‹name argument›` stands for a value made up here: `‹A 36›` 36 letters and digits, `‹card visa›`, `‹iban DE›`.
`⟪...⟫` is the base64 of what is inside. Fixed seeds give the same texts on every machine.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MAKER = re.compile(r"‹([^‹›]*)›")
_ENCODED = re.compile(r"⟪([^⟪⟫]*)⟫")
_MARK = re.compile(r"«([a-z0-9_]+)¦([^«»]*)»")

_ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "a": string.ascii_lowercase + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "B": string.ascii_uppercase + "234567",
    "l": string.ascii_lowercase,
    "L": string.ascii_uppercase,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "d": string.digits,
    "b": string.ascii_letters + string.digits + "+/",
    "u": string.ascii_letters + string.digits + "-_",
}
_CARDS = {
    "visa": (("4",), 16),
    "visa13": (("4",), 13),
    "visa19": (("4",), 19),
    "mastercard": (("51", "52", "55", "2221", "2720"), 16),
    "amex": (("34", "37"), 15),
    "discover": (("6011", "644", "65"), 16),
    "jcb": (("3528", "3589"), 16),
    "diners": (("300", "305", "36", "38"), 14),
    "unionpay": (("622126", "6229"), 16),
    "maestro": (("5018", "6304", "6759"), 18),
}
_IBANS = {
    "DE": "d18",
    "GB": "L4 d14",
    "FR": "d10 U11 d2",
    "NL": "L4 d10",
    "ES": "d20",
    "IT": "L1 d10 U12",
    "CH": "d5 U12",
    "AT": "d16",
    "BE": "d12",
    "PL": "d24",
    "SE": "d20",
    "NO": "d11",
    "DK": "d14",
    "FI": "d14",
    "PT": "d21",
    "IE": "L4 d14",
    "CZ": "d20",
    "GR": "d7 U16",
    "TR": "d6 U16",
    "SA": "d2 U18",
    "AE": "d19",
    "BR": "d23 L1 U1",
    "MT": "L4 d5 U18",
    "LU": "d3 U13",
    "HU": "d24",
    "RO": "L4 U16",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text, and `(start, end, type)` of every value in it, in characters."""

    text: str
    values: tuple[tuple[int, int, str], ...]
    template: str


class Maker:
    """Makes values; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def text(self, template: str) -> Text:
        line = template.replace("⏎", "\n").replace("⇥", "\t")
        line = _MAKER.sub(lambda match: self.value(match[1]), line)
        while _ENCODED.search(line):
            line = _ENCODED.sub(lambda match: base64.b64encode(match[1].encode()).decode(), line)
        text = ""
        values: list[tuple[int, int, str]] = []
        seen = 0
        for match in _MARK.finditer(line):
            text += line[seen : match.start()]
            values.append((len(text), len(text) + len(match[2]), match[1]))
            text += match[2]
            seen = match.end()
        return Text(text=text + line[seen:], values=tuple(values), template=template)

    def value(self, asked: str) -> str:
        name, *arguments = asked.split()
        if name in _ALPHABETS:
            return self.letters(name, int(arguments[0]))
        made: str = getattr(self, name)(*arguments)
        return made

    def letters(self, alphabet: str, length: int) -> str:
        return "".join(self._random.choices(_ALPHABETS[alphabet], k=length))

    def pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def card(self, brand: str, separator: str = "") -> str:
        prefixes, length = _CARDS[brand]
        prefix = self._random.choice(prefixes)
        body = prefix + self.letters("d", length - len(prefix) - 1)
        number = body + _luhn(body)
        groups = [4, 6, 5] if length == 15 else [4, 6, 4] if length == 14 else [4] * 5
        return _grouped(number, groups, {"_": " "}.get(separator, separator))

    def badcard(self, brand: str, separator: str = "") -> str:
        """Digits that begin as a card's do and fail its check."""
        good = self.card(brand, separator)
        return good[:-1] + str((int(good[-1]) + self._random.randint(1, 9)) % 10)

    def iban(self, country: str, separator: str = "") -> str:
        parts = re.findall(r"([dLU])(\d+)", _IBANS[country])
        body = "".join(self.letters(alphabet, int(length)) for alphabet, length in parts)
        number = country + _mod97(country, body) + body
        return _grouped(number, [4] * 9, {"_": " "}.get(separator, separator))

    def badiban(self, country: str) -> str:
        good = self.iban(country)
        return f"{good[:2]}{(int(good[2:4]) + 11) % 97 + 2:02d}{good[4:]}"

    def ssn(self, separator: str = "-") -> str:
        area = self._random.choice([*range(1, 665), *range(667, 900)])
        return f"{area:03d}{separator}{self._random.randint(1, 99):02d}{separator}{self._random.randint(1, 9999):04d}"

    def uuid(self) -> str:
        digits = self.letters("h", 32)
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{self.pick(*'89ab')}{digits[17:20]}-{digits[20:]}"
        )

    def number(self, low: str, high: str) -> str:
        return str(self._random.randint(int(low), int(high)))

    def word(self) -> str:
        return self.pick(
            "orders", "billing", "atlas", "falcon", "ledger", "harbor", "pixel", "metrics", "vault"
        )

    def first(self) -> str:
        return self.pick("jane", "omar", "lena", "kofi", "mei", "igor", "ana", "tomas", "ruth", "sven")

    def last(self) -> str:
        return self.pick("doe", "haddad", "fischer", "mensah", "chen", "petrov", "silva", "novak", "okafor")

    def given(self) -> str:
        return self.pick(
            "Jane",
            "Omar",
            "Lena",
            "Kofi",
            "Mei",
            "Igor",
            "Ana",
            "Tomás",
            "Ruth",
            "Sven",
            "Priya",
            "Jean-Luc",
            "Aisha",
            "Hiroshi",
        )

    def family(self) -> str:
        return self.pick(
            "Doe", "Haddad", "Fischer", "Mensah", "Chen", "Petrov", "Silva", "Nováková", "Okafor", "O'Brien", "Müller", "Tanaka", "van den Berg", "García López"
        )  # fmt: skip

    def person(self) -> str:
        return f"{self.given()} {self.family()}"

    def street(self) -> str:
        number = self.number("1", "999")
        return self.pick(
            f"{number} Maple Street", f"{number} High Road", f"Hauptstraße {number}", f"{number} rue de Rivoli", f"Via Garibaldi {number}", f"Calle Mayor {number}"
        )  # fmt: skip

    def town(self) -> str:
        code = self.letters("d", 5)
        return self.pick(
            f"Springfield, IL {code}",
            f"{code} Berlin",
            f"{code} Paris",
            f"{code} Roma",
            "Leeds LS1 4AP",
            f"{code} Madrid",
        )

    def host(self) -> str:
        return (
            self.pick("db", "pg", "cache", "mq", "api", "web")
            + "-"
            + self.letters("d", 2)
            + "."
            + self.domain()
        )

    def domain(self) -> str:
        return self.pick("example.com", "example.org", "corp.example.net", "shop.example", "mail.test.io")

    def address(self) -> str:
        return f"{self.first()}.{self.last()}@{self.domain()}"

    def password(self) -> str:
        """As people and generators choose them: letters, digits, and signs that need no quotes."""
        kind = self._random.randrange(4)
        if kind == 0:
            return self.word().title() + self.letters("d", 4) + self.pick("!", "#", "?", "*")
        if kind == 1:
            return self.letters("A", 16)
        if kind == 2:
            return "-".join((self.word(), self.word(), self.letters("a", 4)))
        return self.letters("A", 6) + self.pick("!", "^", "*", "~", "+") + self.letters("A", 7)

    def jwt(self, algorithm: str = "HS256") -> str:
        header = json.dumps({"alg": algorithm, "typ": "JWT"}, separators=(",", ":"))
        claims = json.dumps({"sub": self.letters("d", 9), "iat": 1_700_000_000}, separators=(",", ":"))
        return f"{_url64(header)}.{_url64(claims)}.{self.letters('u', 43)}"

    def ghp(self, prefix: str = "ghp") -> str:
        body = self.letters("A", 30)
        return f"{prefix}_{body}{_base62(zlib.crc32(body.encode()))}"

    def pem(self, *kind: str) -> str:
        name = " ".join(kind)
        body = "\n".join(self.letters("b", 64) for _ in range(5))
        return f"-----BEGIN {name}-----\n{body}\n{self.letters('b', 34)}==\n-----END {name}-----"

    def pemjson(self, *kind: str) -> str:
        return self.pem(*kind).replace("\n", "\\n") + "\\n"


def _luhn(body: str) -> str:
    total = 0
    for index, digit in enumerate(reversed(body)):
        value = int(digit) * (1 if index % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _mod97(country: str, body: str) -> str:
    digits = "".join(str(int(letter, 36)) for letter in f"{body}{country}00")
    return f"{98 - int(digits) % 97:02d}"


def _grouped(number: str, groups: Iterable[int], separator: str) -> str:
    if not separator:
        return number
    parts: list[str] = []
    for length in groups:
        parts.append(number[:length])
        number = number[length:]
    return separator.join(part for part in parts if part)


def _url64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _base62(value: int) -> str:
    digits = ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[digit] + digits
    return digits


def texts(path: Path, seed: int, each: int = 1, maker: Callable[[int], Maker] = Maker) -> Iterator[Text]:
    """Every template of the file, made `each` times; empty lines and lines with `#` at the start are passed over."""
    made = maker(seed)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            for _ in range(each):
                yield made.text(line)
