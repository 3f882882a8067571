"""Everything that can be found in free text, by name.

The order matters where two detectors could begin at the same byte: the earlier one is asked first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.masking import (
    addresses,
    calls,
    commands,
    credentials,
    directives,
    encoded,
    hashes,
    identifiers,
    listed,
    national,
    passwords,
    phones,
    printed,
    prose,
    settings,
    transcripts,
)
from gateway.masking.names import ADDRESS, PERSON
from gateway.masking.shapes import Shape
from gateway.masking.vendors import VENDORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    name: str
    shapes: tuple[Shape, ...]
    """Empty where a model reads the text and no pattern is looked for."""


# What columns are called whose values nothing else shows.
_PASSWORD = rb"pass(?:word|wd|wort|phrase|code)?|pwd|kennwort|senha|contrase(?:n|\xc3\xb1)a|secret|token|api[_ -]?key|secret[_ -]?key"
_CARD_CODE = rb"cvv2?|cvc2?|security[ _-]?code"
_PHONE = rb"(?:tele|mobile[_ -]?|cell[_ -]?|home[_ -]?|work[_ -]?)?phone|mobile?|cell|fax|tel(?:efon[oe]?|_no)?|handy|whatsapp|msisdn|celular"
_SSN = rb"ssn|social_security"
_NATIONAL_ID = (
    rb"national[_ -]?id|dni|nie|cpf|pesel|bsn|burgerservicenummer|nino|nhs|personnummer|cnp|egn|oib|curp|aadhaar|nir|cpr|fnr|f(?:\xc3\xb8|o)dselsnummer|sin|rut|isikukood|asmens[_ ]kodas|codice_fiscale|id[_ -]?number|identity"
    rb"|svnr|ahv|ppsn?|(?:tc[_ ])?kimlik|tckn|teudat[_ ]zehut|amka|jmbg|embg|emso|umcn|kennitala|hetu|henkil(?:\xc3\xb6|o)tunnus|rodn(?:\xc3\xa9|e)[_ ](?:\xc4\x8d|c)(?:\xc3\xad|i)slo|nric|hkid|rrn|snils|cnic|nik|ktp"
    rb"|c(?:\xc3\xa9|e)dula|voter[_ ]id|mykad|thai[_ ]id|insz|niss|rijksregisternummer|mbi|medicare|driver'?s?[_ ]licen[cs]e|driving[_ ]licen[cs]e|licen[cs]e[_ ](?:no|number)|my_?number"
)
_TAX_ID = rb"vat|tax[_ -]?id|nif|cnpj|steuer[_ -]?id|steuernummer|utr|ein|gstin|pan|rfc|cuit|nip|tin|abn|tfn|inn|ruc|rif|nit|npwp|ird|uen|pib|regon|vkn|ust[_ -]?id|partita_?iva"
_BANK_ACCOUNT = rb"account[_ -]?(?:no|number|nr)|acct(?:[_ ](?:no|number|nr))?|bank_account|routing|aba|sort[_ -]?code|bsb|clabe|blz|ifsc|kontonummer|cbu|bic|swift"
_PASSPORT = rb"passports?|passeport|pasaporte|passaporto|reisepass|paszport"

_SECRETS: Mapping[str, tuple[Shape, ...]] = {
    "private_key": credentials.PRIVATE_KEY,
    "jwt": credentials.JWT,
    **VENDORS,
    "bearer": credentials.BEARER,
    "basic_auth": credentials.BASIC,
    "auth_header": credentials.HEADER,
    "cookie": credentials.COOKIE,
    "password_hash": hashes.PASSWORD_HASH,
    "password": (
        *passwords.PASSWORD,
        *commands.COMMANDS,
        *calls.CALLS,
        *directives.DIRECTIVES,
        *transcripts.TRANSCRIPTS,
        *printed.PRINTED,
        *prose.PROSE,
        listed.columns(_PASSWORD, passwords.PASSWORD[:1], strong=True),
        listed.columns(_CARD_CODE, passwords.PASSWORD[:1]),
        *settings.SETTINGS,
    ),
    "encoded_secret": encoded.ENCODED,
}
_PERSONAL: Mapping[str, tuple[Shape, ...]] = {
    "email": addresses.EMAIL,
    "payment_card": identifiers.PAYMENT_CARD,
    "iban": identifiers.IBAN,
    "ssn": (*identifiers.SSN, listed.columns(_SSN, identifiers.SSN)),
    "national_id": (*national.NATIONAL_ID, listed.columns(_NATIONAL_ID, national.NATIONAL_ID)),
    "tax_id": (*national.TAX_ID, listed.columns(_TAX_ID, national.TAX_ID)),
    "passport": (*national.PASSPORT, listed.columns(_PASSPORT, national.PASSPORT)),
    "bank_account": (*national.BANK_ACCOUNT, listed.columns(_BANK_ACCOUNT, national.BANK_ACCOUNT)),
    "phone": (*phones.PHONE, listed.columns(_PHONE, phones.PHONE)),
    "ip": addresses.IP,
}

DETECTORS: Mapping[str, Detector] = {
    name: Detector(name=name, shapes=shapes)
    for name, shapes in {**_SECRETS, **_PERSONAL, PERSON: (), ADDRESS: ()}.items()
}
READ = frozenset({PERSON, ADDRESS})
"""Detectors that have to be named: their engine is an extra, and reads some thousand times slower than patterns do."""
SECRETS = frozenset(_SECRETS)
GROUPS: Mapping[str, frozenset[str]] = {
    "secrets": SECRETS,
    "personal": frozenset(_PERSONAL) - {"ip"},
}
"""Names that stand for several detectors."""
NAMES = frozenset(DETECTORS) | frozenset(GROUPS)
"""Every name that a mask's `detect` may hold."""


class UnknownDetector(Exception):
    """A mask names a detector that does not exist."""


def expand(names: Iterable[str], custom: Iterable[str] = ()) -> tuple[str, ...]:
    """The detectors that these names of detectors and groups mean, in the order in which they are asked; `custom` last."""
    own = sorted(set(custom))
    wanted: set[str] = set()
    for name in names:
        if name not in NAMES and name not in own:
            raise UnknownDetector(
                f"there is no detector {name!r}; the detectors are {', '.join(sorted([*NAMES, *own]))}"
            )
        wanted |= GROUPS.get(name, frozenset({name}))
    return tuple(name for name in (*DETECTORS, *own) if name in wanted)
