"""Secrets of which a sentence says what they are: `the password for the staging box is x`, `das Kennwort der Datenbank lautet x`.

A few words of any language may stand between the noun and the value, as long as a word that says "is" leads to it. Only
what can be no word of a sentence counts then, or digits where the noun is that of a code. What the value is decides
itself as soon as it ends: nothing behind it is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gateway.masking.called import FOREIGN, NOT_SECRET_BEFORE
from gateway.masking.linear import linear
from gateway.masking.shapes import Shape, Span, word
from gateway.masking.values import SENTENCE, is_method, is_random, is_strong, is_value

_PASSWORD = (
    rb"\bpass|pass(?:[ -]?(?:word|phrase|code)|wd)s?|pwds?|\bpw|\bcreds?|credentials?|logins?|kodeord|wagwoord|parool|salas(?:ana|\xc3\xb5na)|geslo|codice segreto|wi-?fi key|\bclave|\bchave|chiave segreta|cl(?:\xc3\xa9|e) (?:wi-?fi|du wi-?fi|r(?:\xc3\xa9|e)seau)|"
    b"(?:" + FOREIGN + rb")(?:[a-z]{1,3}|\xec\x9d\x98|\xd0\xb0|\xd1\x83)?"
)
_SECRET = rb"(?:client |shared |webhook |api |app )?secret|token|(?:api|access|private|encryption|signing|license|licence|master|auth|shared|activation|secret|ssh|recovery|deploy|admin)[ -]?key|schl(?:\xc3\xbc|ue)ssel|cl(?:\xc3\xa9|e) (?:d'api|api|secr(?:\xc3\xa8|e)te)|clave de api|chave de api|chiave api|(?:api|toegangs)-?sleutel"
_CODE = (
    rb"(?:door|gate|entry|entrance|access|alarm|security|garage|lock|safe|pin|unlock|verification|reset|confirmation|login|recovery|sms|2fa|mfa|two[ -]factor|keypad|elevator|building|activation|registration|invite|invitation"
    rb"|authori[sz]ation|authentication|one[ -]time)[ -]?(?:code|combination)s?|pins?(?:[ -]?(?:code|number|nummer))?|puk[12]?|cvv2?|cvc2?|otp|one[ -]time pin"
    rb"|(?:zugangs|t(?:\xc3\xbc|ue)r|sicherheits|best(?:\xc3\xa4|ae)tigungs|verifizierungs|aktivierungs|freischalt|entsperr|einmal|anmelde)-?code"
    rb"|code (?:pin|secret|d'acc(?:\xc3\xa8|e)s|d'activation|de (?:s(?:\xc3\xa9|e)curit(?:\xc3\xa9|e)|v(?:\xc3\xa9|e)rification|confirmation|la porte))"
    rb"|c(?:\xc3\xb3|o)digo(?: (?:pin|secreto|de (?:acceso|acesso|seguridad|seguran\xc3\xa7a|verificaci(?:\xc3\xb3|o)n|verifica\xc3\xa7(?:\xc3\xa3|a)o|confirmaci(?:\xc3\xb3|o)n|confirma\xc3\xa7(?:\xc3\xa3|a)o|activaci(?:\xc3\xb3|o)n|ativa\xc3\xa7(?:\xc3\xa3|a)o)))?"
    rb"|codice(?: (?:pin|di (?:sicurezza|accesso|verifica|conferma|attivazione)))?|(?:verificatie|bevestigings|toegangs|beveiligings)code|(?:verifierings|bekr(?:\xc3\xa4|a)ftelse|eng\xc3\xa5ngs|aktiverings|d\xc3\xb8r|adgangs)kod(?:en|e)?"
    rb"|kod (?:weryfikacyjny|pin|dost(?:\xc4\x99|e)pu|aktywacyjny)|ov(?:\xc4\x9b|e)\xc5\x99ovac(?:\xc3\xad|i) k(?:\xc3\xb3|o)d|do(?:\xc4\x9f|g)rulama kodu|onay kodu|vahvistuskoodi|ellen\xc5\x91rz\xc5\x91 k\xc3\xb3d|cod(?:ul)? de verificare"
)
_CODE_ELSEWHERE = "[кК]од(?: (?:подтверждения|доступа|из смс|активации))?|验证码|驗證碼|校验码|認証コード|確認コード|暗証番号|인증 ?(?:번호|코드)|κωδικός επαλήθευσης".encode()
"""Words whose letters are none to the scan, so that no word can be seen to begin with them."""
_MARKS = rb"[ \t,'\xe2\xe3\xe6\xe7\xeb\xec\xef]"
"""What follows the noun: a blank, an apostrophe, or a letter of a script without blanks."""

_OR_SIGN = rb"[ \t:=\xe2\xe3\xe6\xe7\xeb\xec\xef]"

_SENTENCE = re.compile(rb"[^\r\n\0.!?;<>={}|]*(?:[.!?](?=[^\s\0])[^\r\n\0.!?;<>={}|]*)*")
_LONGEST = 160
"""Bytes of a sentence in which a value is looked for, from the noun on."""
_MOST_WORDS = 10
_MOST_TRIED = 6
_SIGN = rb"(?:[!#$%&()*+,./0-9:=?@A-Z\[\\\]^_`a-z{|}~'\"-]|[\xc3-\xdf][\x80-\xbf])"
"""Of a word: a letter of a script without blanks ends it, and so do typographic quotes."""
_WORD = re.compile(_SIGN + rb"+")
_PROMISES = re.compile(rb"[0-9!@#$%^&*?~+=\"]|[a-z][A-Z]|(?<![A-Za-z])'")
"""What a word has in it that may be a value: one of letters alone cannot be told from others."""
_TOKEN = re.compile(rb"(?:[!#$%&()*+,./0-9:=?@A-Z\[\\\]^_a-z{|}~-]|[\xc3-\xdf][\x80-\xbf])+")
_QUOTED = re.compile(rb"([\"'])([^\"'\r\n\0]{1,128})(?:\1|\Z)")
_OPENERS = b"([*`_"
_TYPOGRAPHIC = tuple(sign.encode() for sign in "\u201c\u201e\u2018\u201a\u2039\u00ab\u300c\u300e\uff08")
_TRAILING = b".,;:)]}*`_|\\"


def _words(text: str) -> frozenset[bytes]:
    return frozenset(word.encode() for word in text.split())


_IS = _words(
    "is was are be type enter try remains became reads being equals it's lautet ist war hei\u00dft heisst est \u00e9tait etait sera es era fue ser\u00e1 s\u00e3o \u00e9 \u00e8 foi \u00e4r er blir jest je este"
    " adalah olan dir \u044d\u0442\u043e \u044f\u0432\u043b\u044f\u0435\u0442\u0441\u044f \u0442\u0435\u043f\u0435\u0440\u044c \u03b5\u03af\u03bd\u03b1\u03b9 l\u00e0"
)
_IS_SIGNS = tuple(
    sign.encode()
    for sign in (
        "\u306f",
        "\u662f",
        "\u4e3a",
        "\u70ba",
        "\ub294",
        "\uc740",
        ":",
        "\uff1a",
        "\u2192",
        "->",
        "=>",
        "\u2014",
    )
)
_FILLERS = _words(
    "now still just simply currently again actually probably literally always as the follows following this one nun jetzt nach wie vor maintenant toujours ahora siempre agora"
    " adesso ora nu nyt teraz le la el il o der die das het de"
)
_INTO = _words("to into auf zu \u00e0 a en na till til naar")
"""Where a verb says that the secret was changed; `to` is the word for "is" in Polish, `on` that of Finnish."""
_FROM = _words("from von de da van fr\u00e5n fra z")
"""Where such a verb says what the secret was before."""
_TO_OF_OTHERS = _words("to on")
_POLISH_OR_FINNISH = re.compile(rb"(?i)has(?:\xc5\x82|l)o|kod |salasana|parool")
_CHANGED = re.compile(
    rb"(?i)\b(?:re-?set|set|change[ds]?|changing|update[ds]?|rotated?|switch(?:ed)?|turn(?:ed)?|ge(?:\xc3\xa4ndert|setzt)|geaendert|\xc3\xa4ndert?|setzt?|chang(?:\xc3\xa9|e|er)|mis|cambi(?:\xc3\xa9|\xc3\xb3|ado|ada|ata|ato|a)"
    rb"|alter(?:ei|ou|ada|ado)|gewijzigd|\xc3\xa4ndrat|endret|\xc3\xa6ndret|zmienion[eo]|default(?:s|ed)?)\b"
)
_PREPOSITIONS = _words(
    "for of to on in at from you we i that which below issued generated f\u00fcr zu zum zur von vom der des du de del della pour pra para da do per di voor van f\u00f6r till til av af dla"
    " \u043e\u0442 \u0434\u043b\u044f \u043a \u043d\u0430 pro k untuk"
)
_OTHERS = _words(
    "name names id ids user username type length policy file field format hash hint manager expiry lifetime ttl version rotation count size prefix suffix url endpoint path header headers"
    " owner algorithm strength minimum maximum host account email address error status code reason result date time request page column index row line variable parameter issuer audience"
    " scope subject layout diagram assignment mapping bundle limit limits usage box nutzer benutzer usuario usu\u00e1rio utilisateur utente"
)
"""What is said of something else: the name of a secret, the length of a password."""
_PARTS = _words(
    "name names id ids length type size count version url path policy hash algorithm status code reason date time expiry lifetime ttl limit limits"
)
_SAID_OF_IT = linear(
    rb"(?i)(?:v[0-9]+(?:[._-][a-z0-9]+)*|[0-9]+(?:[-/.][0-9]+)*[-]?[a-z]*(?:-[a-z]+)*"
    rb"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[0-9]+[.,][0-9]+[%\w]*|#[0-9]+|[A-Z]{2,8}-[0-9]{1,8}|[a-z]+(?:/[a-z0-9_-]+)+|(?:[$]|\xe2\x82\xac|\xc2\xa3)[0-9.,]+|[0-9,.]+%|(?:[a-z0-9-]+\.)+[a-z]{2,})"
)
"""A version, an address, a ticket, a host."""
_THING = linear(rb"(?i)[a-z]+(?:[._-][a-z]+)*[._-]?[0-9]{1,4}|[a-z]+[0-9]?(?:-[a-z]+[0-9]?)+")
"""`db-credentials-2`: an object is called so."""
_DIRECT_CODE = re.compile(
    rb"(?<=code)[ \t]([0-9]{4,8})(?=[.,;)]?(?:[\r\n\0]|\Z|[ \t](?:and|to|for|at|on|or)\b))"
)
_DIGIT = re.compile(rb"[0-9]")
_DIGITS = re.compile(rb"[0-9]{3,8}(?:[ -][0-9]{3,4})?[#*]?")


def _promising(data: bytes, at: int, stop: int) -> re.Match[bytes] | None:
    """The next word that may be a value."""
    first = _PROMISES.search(data, at, stop)
    if first is None:
        return None
    words = _WORD.finditer(data, at, stop)
    return next((word for word in words if _PROMISES.search(data, *word.span())), None)


def _value(data: bytes, at: int) -> tuple[Span, bool] | None:
    """What stands there without signs round it, and whether quotes do."""
    while data[at : at + 1] and data[at] in _OPENERS:
        at += 1
    if (quoted := _QUOTED.match(data, at)) is not None:
        return quoted.span(2), True
    token = _TOKEN.match(data, at)
    if token is None:
        return None
    finish = token.end()
    while finish > at and data[finish - 1] in _TRAILING:
        finish -= 1
    return ((at, finish), False) if finish > at else None


def _led(between: bytes, noun: bytes, changed: Callable[[], bool]) -> bytes:
    """How the words between the noun and a value lead to it: `is`, `was` where another follows, `:` where a colon alone does, or not at all."""
    lead = between.rstrip(b" \t\"'" + _OPENERS)
    for sign in _TYPOGRAPHIC:
        lead = lead.removesuffix(sign).rstrip()
    words = lead.lower().split()
    if len(words) > _MOST_WORDS:
        return b""
    if lead.endswith(_IS_SIGNS):
        for sign in _IS_SIGNS:
            lead = lead.removesuffix(sign)
        said = lead.lower().split()
        if not said or said[-1] in _IS or said[-1] in _FILLERS or said[0] in _PREPOSITIONS:
            return b"" if said and said[-1] in _OTHERS else b"is"
        return b"" if said[-1] in _OTHERS or _DIGIT.search(said[-1]) or b"--" in lead else b":"
    dropped = 0
    while words and words[-1].rstrip(b",") in _FILLERS and dropped < 3:
        words.pop()
        dropped += 1
    if not words:
        return b""
    last = words[-1]
    if last not in _IS and not last.endswith((b"'s", b"\xe2\x80\x99s")):
        told = (last in _TO_OF_OTHERS and _POLISH_OR_FINNISH.match(noun)) or (
            last in (_INTO | _FROM) and changed()
        )
        if not told:
            return b""
        if last in _FROM:
            return b"was"
    of_another = len(words) > 1 and words[-2] in _OTHERS
    return b"" if of_another and (words[0] not in _PREPOSITIONS or words[-2] in _PARTS) else b"is"


def _of_password(value: bytes) -> bool:
    return is_strong(value) and not is_method(value) and _SAID_OF_IT.fullmatch(value) is None


def _of_secret(value: bytes) -> bool:
    return len(value) >= 8 and _of_password(value) and _THING.fullmatch(value) is None


def _of_code(value: bytes) -> bool:
    return _DIGITS.fullmatch(value) is not None or (len(value) >= 5 and _of_secret(value))


def _is_phrase(value: bytes) -> bool:
    """Words between quotes."""
    words = value.split(b" ")
    return len(words) > 1 and not any(SENTENCE.fullmatch(each) for each in words) and len(words) <= 10


def _said(data: bytes, start: int, end: int, kind: bytes) -> Iterator[Span]:
    end -= 1  # the sign behind the noun
    if (sentence := _SENTENCE.match(data, end, end + _LONGEST)) is None:
        return
    tried = _promising(data, end, sentence.end())
    if tried is None or NOT_SECRET_BEFORE.search(data[max(0, start - 16) : start]):
        return
    if kind == b"code" and (direct := _DIRECT_CODE.match(data, end)) is not None:
        yield direct.span(1)
        return
    first = data[end : sentence.end()].split(maxsplit=1)[:1]
    if first and first[0].strip(b":").lower() in _OTHERS:
        return
    for _ in range(_MOST_TRIED):
        between = data[end : tried.start()]
        if not between.strip() and kind != b"secret" and data[tried.start()] in b"([":
            led = b"is"
        elif not between.strip() and is_strong(tried.group()):
            return  # what directly follows the noun is found by itself
        else:
            led = _led(
                between,
                data[start:end],
                lambda: _CHANGED.search(data[max(0, start - 48) : sentence.end()]) is not None,
            )
        if led and (span := _of_kind(data, tried.start(), kind, drawn=led == b":")) is not None:
            yield span
            if led != b"was":
                return
        tried = _promising(data, tried.end(), sentence.end())
        if tried is None:
            return


def _of_kind(data: bytes, at: int, kind: bytes, *, drawn: bool) -> Span | None:
    """The value that stands there, if one of this kind may look like it; `drawn` if it has to have been drawn by lot."""
    if (found := _value(data, at)) is None:
        return None
    span, quoted = found
    value = data[slice(*span)]
    if drawn:
        good = is_random(value, least=16)
    else:
        good = _GOOD[kind](value) or (quoted and kind == b"password" and _is_phrase(value))
    return span if good and is_value(data, span, quoted=quoted) else None


_GOOD = {b"password": _of_password, b"secret": _of_secret, b"code": _of_code}


def _said_of_key(data: bytes, start: int, end: int) -> Iterator[Span]:
    """`the key you asked for is x`: of all that is called a key, one that was drawn by lot."""
    for span in _said(data, start, data.index(data[end - 1 : end], start) + 1, b"secret"):
        if is_random(data[slice(*span)], least=20):
            yield span


_OTHER_CODES = re.compile(
    rb"(?i)your (?:zip|postal|area|country|error|status|exit|promo|discount|order|booking|product|voucher|coupon|source|dial\w*|referral|gift|tax|dress|response|return|qr) "
)


def _said_of_code(data: bytes, start: int, end: int) -> Iterator[Span]:
    """`your Acme code is 4821`"""
    if (noun := _YOUR.search(data, start, end)) is not None and _OTHER_CODES.match(
        data, noun.start()
    ) is None:
        yield from _said(data, start, end, b"code")


_YOUR = re.compile(rb"(?i)your ")


def _of(kind: bytes, nouns: bytes) -> Shape:
    return Shape(
        pattern=b"(?i:" + nouns + b")" + _MARKS,
        check=lambda _data, _start, _end: None,
        spans=lambda data, start, end: _said(data, start, end, kind),
    )


PROSE = (
    _of(b"password", _PASSWORD),
    _of(b"secret", _SECRET),
    word(rb"(?i:keys?)(?:[ ](?i:you|we|i|for|is|was|to|below))[ ]", spans=_said_of_key),
    word(
        b"(?i:" + _CODE + b")" + _OR_SIGN,
        spans=lambda data, start, end: _said(data, start, end, b"code"),
    ),
    word(rb"(?i:your[ ][a-z]{2,16}[ ]code)[ :]", spans=_said_of_code),
    Shape(
        pattern=b"(?:" + _CODE_ELSEWHERE + b")" + _OR_SIGN,
        check=lambda _data, _start, _end: None,
        spans=lambda data, start, end: _said(data, start, end, b"code"),
    ),
)
