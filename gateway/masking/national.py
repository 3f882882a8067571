"""Identity, tax, passport and bank numbers of many countries.

Some are written in a form of their own and carry a check digit: those are found wherever they stand. The others are
digits like any others, and are found behind the word that says what they are; the word also says which check digit
has to be right. A bare number without its word is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.masking import europe, overseas, vat
from gateway.masking.checksums import Valid
from gateway.masking.identifiers import FIELD_EDGES, otherwise_named
from gateway.masking.named import FOREIGN_BANK, FOREIGN_PASSPORT, FOREIGN_WORDS, PROOF, WORDS_OF, holds
from gateway.masking.shapes import (
    ALNUM_BYTES,
    LOOK_BEHIND,
    NEXT_CELL,
    WORD_BYTES,
    Check,
    Shape,
    Span,
    after,
    before,
    word,
)
from gateway.masking.spoken import in_sentences

_SEPARATORS = b" .-/()\xc2\xa0"


def plain(value: bytes) -> str:
    """The number's letters and digits, in capitals."""
    return value.translate(None, _SEPARATORS).decode("latin-1").upper()


def _alone(data: bytes, start: int, end: int) -> bool:
    """Whether no digit or letter goes on with what stands at `start:end`, not even behind a separator."""
    if after(data, end) in WORD_BYTES or before(data, start) in ALNUM_BYTES:
        return False
    if after(data, end) in b"-./" and after(data, end, by=1) in ALNUM_BYTES:
        return False
    return not (before(data, start) in b"-./+" and start > 1 and data[start - 2] in ALNUM_BYTES)


def _field(data: bytes, start: int, end: int) -> bool:
    """Whether it is a field, or a text, of its own."""
    return (not start or data[start - 1] in FIELD_EDGES) and after(data, end) in FIELD_EDGES


def _strong(
    pattern: bytes, valid: Valid, stands: Callable[[bytes, int, int], bool] = lambda *_: True
) -> Shape:
    def judged(data: bytes, start: int, end: int) -> Span | None:
        if not _alone(data, start, end) or not holds(valid, plain(data[start:end])):
            return None
        return (start, end) if stands(data, start, end) and not otherwise_named(data, start) else None

    return word(pattern + rb"\b", judged)


def _hetu(data: bytes, start: int, end: int) -> Span | None:
    return (start, end) if europe.fi_hetu(data[start:end].decode("ascii")) else None


def _hong_kong(data: bytes, start: int, end: int) -> Span | None:
    return (start, end) if overseas.hk_id(plain(data[start:end])) and _alone(data, start, end) else None


NATIONAL_FORMS = (
    _strong(rb"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D]", europe.gb_nino),
    _strong(rb"[0-9]{8}-?[A-HJ-NP-TV-Z]", europe.es_dni),
    _strong(rb"[XYZ]-?[0-9]{7}-?[A-HJ-NP-TV-Z]", europe.es_dni),
    _strong(rb"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", europe.fr_nir),
    _strong(rb"[0-9]{2} ?[0-9]{6} ?[A-Z] ?[0-9]{3}", europe.de_pension),
    _strong(
        rb"(?i:[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPRST][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z])", europe.it_codice
    ),
    _strong(rb"(?:19)?[0-9]{6}[-+][0-9]{4}", europe.se_personal),
    _strong(rb"[0-7][0-9]{5} [0-9]{5}", europe.no_personal),
    _strong(rb"[0-3][0-9][01][0-9]{3}-[0-9]{4}", europe.dk_cpr_checked),
    word(rb"[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]\b", _hetu),
    _strong(rb"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", overseas.br_cpf),
    _strong(rb"[2-9][0-9]{3} [0-9]{4} [0-9]{4}", overseas.in_aadhaar, _field),
    _strong(rb"[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx]", overseas.cn_resident),
    _strong(rb"[0-9]{6}-[0-9]{7}", overseas.kr_resident),
    _strong(rb"[STFGM][0-9]{7}[A-Z]", overseas.sg_nric),
    Shape(pattern=rb"\b[A-Z]{1,2}[0-9]{6}\([0-9A]\)", check=_hong_kong),
    _strong(rb"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", overseas.mx_curp),
    _strong(rb"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]", overseas.cl_rut),
    _strong(rb"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", europe.be_national),
    _strong(rb"756(?:\.[0-9]{4}){2}\.[0-9]{2}", europe.ch_ahv),
    _strong(rb"[0-9]{2}[0156][0-9][0-3][0-9]/[0-9]{4}", europe.cz_birth),
    _strong(rb"[0-9]{3}-[0-9]{3}-[0-9]{3}[ -][0-9]{2}", europe.ru_snils),
    _strong(rb"[1-8]-[0-9]{4}-[0-9]{5}-[0-9]{2}-[0-9]", overseas.th_id),
    _strong(rb"[0-9]{6}-[0-9]{2}-[0-9]{4}", overseas.my_card),
    _strong(rb"784-(?:19|20)[0-9]{2}-[0-9]{7}-[0-9]", lambda _: True),  # Emirates
    _strong(rb"[1-7][0-9]{4}-[0-9]{7}-[0-9]", lambda _: True),  # CNIC, Pakistan
    _strong(
        rb"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9][0-9]-[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9][0-9]-[AC-HJKMNP-RT-Y]{2}[0-9]{2}",
        lambda _: True,
    ),  # Medicare of the United States
)
_TAX_NEAR = re.compile(
    rb"(?i)(?<![a-z])(?:vat|ust|uid|tva|iva|p\.?iva|btw|mva|moms|nif|tax|intracom\w*|dph|pdv|alv)(?![a-z])[^\0]*\Z"
)


def _near_tax(data: bytes, start: int, _end: int) -> bool:
    """Whether what stands before speaks of taxes: the second number of a list has no word of its own."""
    return _TAX_NEAR.search(data, max(0, start - LOOK_BEHIND), start) is not None


TAX_FORMS = (
    _strong(
        rb"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)[A-Z0-9]?[0-9]{6,9}[A-Z0-9]{0,4}",
        vat.is_vat,
        _near_tax,
    ),
    _strong(rb"[A-Z]{3}[ABCFGHLJPT][A-Z][0-9]{4}[A-Z]", overseas.in_pan),
    _strong(rb"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}", overseas.br_cnpj),
    _strong(rb"(?:2[03-7]|3[034]|5[015])-[0-9]{8}-[0-9]", overseas.ar_cuit),
    _strong(rb"[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{3}", overseas.au_abn),
    _strong(rb"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]", overseas.in_gst),
    _strong(rb"CHE-?[0-9]{3}\.[0-9]{3}\.[0-9]{3}(?: (?:MWST|TVA|IVA))?", vat.is_vat),
)


_KIND = (
    r"\.?(?:[ _-]?\(?(?:number|pin|num(?:mer)?|n(?:ú|u)mero|nr|no|n(?:º|°)|№|серия|номер|id|card|code|#)\.?){0,2}"
    r"(?: \([A-Za-z .]{1,20}\))?"
)
_GAP = (
    r"[\"'\\]{0,2}(?:(?:[ \t](?:mitt|min|mój|moje|mio|mon|mein|meine|number|numero|still|now))?[ \t](?:is|was|still|now|e|é|è|est|es|ist|lautet|jest|to|er|är|on|je)[ \t]"
    r"|[ \t]{0,32}\|[ \t]{1,2}"
    rf"|{NEXT_CELL.decode()}"
    r"|[ \t]{0,2}(?::[ \t]{0,2}\{|,)\s{0,16}\"(?:number|value|no|id)\"[ \t]{0,2}:[ \t]{0,2}"
    r"|[ \t]{0,3}(?:=>|:=|[:=#>,|;]|：|是|为|為|は)?[ \t]{0,3}(?:(?:серия|номер|№)[ \t])?)[\"'\\]{0,2}"
)

_VALUE = r"(?:[A-Za-z]{0,5}[0-9]|[A-Z]{1,4}-[0-9]|[A-Z]{6,8}|[A-Z]{2,4} [0-9])"
"""How what stands behind such a word begins."""


def _alternatives(words: str) -> str:
    """In bytes `(?i)` knows of ASCII alone: what a word has of other letters stands in both sizes."""
    spaced = words.replace(" ", "[ _-]?").replace("-?", "[ _-]?")
    return _ACCENTED.sub(lambda match: f"(?:{match[0]}|{match[0].upper()})", spaced)


_ACCENTED = re.compile("[à-öø-ÿāąăćčďęěėęğīłńňőœřśšşťůűųźżžș-ț]")


def _within_name(rows: tuple[tuple[str, Valid], ...]) -> Callable[[bytes, Check], Shape]:
    """The same words as the last part of a name: `customerTaxId`, `ownerPassportNumber`."""
    plain_words = [
        each for words, _ in rows for each in words.split("|") if re.fullmatch(r"[a-z ]{3,30}", each)
    ]
    parts = {"".join(map(str.capitalize, each.split())) for each in plain_words}
    parts |= {
        "AccountNumber",
        "AccountNo",
        "IdNumber",
        "IdNo",
        "TaxNumber",
        "VatNumber",
        "DriversLicense",
        "DriverLicense",
        "NationalIdentity",
    }
    parts |= {each.upper() for each in plain_words if len(each) < 6}
    names = "|".join(sorted(parts, key=len, reverse=True))

    def begin(pattern: bytes, judged: Check) -> Shape:
        behind = pattern[pattern.rindex(_KIND.encode()) :]
        return Shape(
            pattern=f"[a-z](?:{names})(?i:".encode() + behind,
            check=lambda data, start, end: judged(data, start + 1, end),
        )

    return begin


def _spoken_numbers(
    rows: tuple[tuple[str, Valid], ...], begin: Callable[[bytes, Check], Shape] = word
) -> Shape:
    """One shape for all words of a detector: the scan sees one pattern, the check asks which word it was."""
    led = [
        (re.compile(f"(?i)(?:{_alternatives(words)}){_KIND}{_GAP}(?=(?-i:{_VALUE}))".encode()), valid)
        for words, valid in rows
    ]
    longest = re.compile(
        rb"(?:[A-Za-z]{0,5}|[A-Z]{1,4}-)[0-9](?:[ ./-]?[0-9A-Z]|[a-z]){2,30}|[A-Z]{4,8}[A-Z0-9]{2,7}|[A-Z]{2,4} [0-9](?:[ ./-]?[0-9A-Z]){2,20}"
    )

    def judged(data: bytes, start: int, end: int) -> Span | None:
        for head, valid in led:
            if (match := head.match(data, start, end)) is None:
                continue
            value = longest.match(data, match.end())
            if before(data, match.end()) in ALNUM_BYTES:  # `rg3` is no word and its number
                continue
            if value is not None and (span := _shrunk(data, value.start(), value.end(), valid)) is not None:
                return span
        return None

    words = "|".join(f"(?:{_alternatives(words)})" for words, _ in rows)
    return begin(f"(?i:(?:{words}){_KIND}{_GAP}){_VALUE}".encode(), judged)


_TOO_SHORT = re.compile(
    r"(?:\A|\|)(?:ein|fin|nas|sin|run|inn|pan|rc|nn|rg|nit|rif|rut|uid|ird|kra|mst|ruc|cui|pib|unp|afm|uen|gst|rfc|nik|ktp|thai|voter|epic|cnic|iva|avs|phn|rtn|medicare)(?=\||\Z)"
)
"""What other words are called as well: a sentence does not say of them which."""


def _said_numbers(rows: tuple[tuple[str, Valid], ...], proof: frozenset[Valid]) -> Shape:
    """The numbers of these words behind others of a sentence."""
    told = [(_TOO_SHORT.sub("", words).strip("|"), valid) for words, valid in rows]
    heads = [
        (re.compile(f"(?i)(?:{_alternatives(words)}){_KIND}".encode()), valid, valid in proof)
        for words, valid in told
        if words
    ]
    words = "|".join(f"(?:{_alternatives(words)})" for words, _ in told if words)
    return in_sentences(
        f"(?i:(?:{words}){_KIND})".encode(), heads, lambda valid, value: holds(valid, plain(value))
    )


_WORD_BEHIND = re.compile(rb"[0-9] [A-Z]{3}")
"""Where a number ends and the next word begins."""


def _shrunk(data: bytes, start: int, end: int, valid: Valid) -> Span | None:
    """The longest run of groups from `start` that is such a number."""
    while end > start:
        value = data[start:end]
        if (
            after(data, end) not in ALNUM_BYTES
            and not _WORD_BEHIND.search(value)
            and holds(valid, plain(value))
        ):
            return start, end
        cut = max(data.rfind(sign, start, end) for sign in (b" ", b".", b"-", b"/"))
        end = max(start, cut)
    return None


def _mrz(data: bytes, start: int, end: int) -> Span | None:
    """The second line of a passport's machine-readable zone (ICAO 9303-4), by the check digit of its number."""
    line = data[start:end].decode("ascii")
    return (start, end) if _icao(line[:9]) == line[9] and _icao(line[13:19]) == line[19] else None


def _icao(value: str) -> str:
    total = sum((0 if sign == "<" else int(sign, 36)) * (7, 3, 1)[at % 3] for at, sign in enumerate(value))
    return str(total % 10)


NATIONAL_ID = (
    *NATIONAL_FORMS,
    _spoken_numbers(WORDS_OF["national_id"]),
    _spoken_numbers(WORDS_OF["national_id"], _within_name(WORDS_OF["national_id"])),
    _said_numbers(WORDS_OF["national_id"], PROOF),
    _spoken_numbers(FOREIGN_WORDS, lambda pattern, judged: Shape(pattern=pattern, check=judged)),
)
TAX_ID = (
    *TAX_FORMS,
    _spoken_numbers(WORDS_OF["tax_id"]),
    _spoken_numbers(WORDS_OF["tax_id"], _within_name(WORDS_OF["tax_id"])),
    _said_numbers(WORDS_OF["tax_id"], PROOF),
)
PASSPORT = (
    _spoken_numbers(WORDS_OF["passport"]),
    _spoken_numbers(WORDS_OF["passport"], _within_name(WORDS_OF["passport"])),
    _said_numbers(WORDS_OF["passport"], PROOF),
    _spoken_numbers(FOREIGN_PASSPORT, lambda pattern, judged: Shape(pattern=pattern, check=judged)),
    word(rb"[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{7}[MFX<][0-9]{7}[A-Z0-9<]{14}[0-9<][0-9]", _mrz),
    Shape(
        pattern=rb"P[A-Z<][A-Z]{3}[A-Z]{1,38}<<[A-Z<]{1,37}<", check=lambda _data, start, end: (start, end)
    ),
)
_BANK = re.compile(
    rb"(?i)(?<![a-z])(?:sort[ _-]?code|bsb|routing|aba|blz|bankleitzahl|bic|swift|ifsc|transit|institution|bank|banco|ag(?:\xc3\xaa|\xc3\x8a|e)ncia)(?![a-z])[^\n\0]*\Z"
)


def _beside_bank(data: bytes, start: int, end: int) -> Span | None:
    """`account 31926819`: a bank's behind what names the bank, and anybody's elsewhere."""
    number = re.search(rb"[0-9]+(?:-[0-9Xx])?\Z", data[start:end])
    assert number is not None
    return (end - len(number[0]), end) if _BANK.search(data[max(0, start - LOOK_BEHIND) : start]) else None


BANK_ACCOUNT = (
    _spoken_numbers(WORDS_OF["bank_account"]),
    _spoken_numbers(WORDS_OF["bank_account"], _within_name(WORDS_OF["bank_account"])),
    _said_numbers(WORDS_OF["bank_account"], PROOF),
    _spoken_numbers(FOREIGN_BANK, lambda pattern, judged: Shape(pattern=pattern, check=judged)),
    word(
        rb"(?i:acc(?:oun)?t?|a/c|konto|compte|cuenta|conto|conta)\\?[\"']?[ \t]{0,2}[:=#]?[ \t]{0,2}\\?[\"']?(?:[0-9]{4,12}-[0-9Xx]|[0-9]{6,18})\b",
        _beside_bank,
    ),
)
