"""The words that numbers stand behind, in many languages, and what such a number has to be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.masking import europe, overseas, vat
from gateway.masking.checksums import Valid


def holds(valid: Valid, number: str) -> bool:
    """Whether the number is valid; it is not if it is too short for its check, or has a letter where the check has a digit."""
    try:
        return valid(number)
    except (ValueError, IndexError):
        return False


def _any(*valid: Valid) -> Valid:
    return lambda number: any(holds(each, number) for each in valid)


def _form(pattern: str) -> Valid:
    compiled = re.compile(pattern)
    return lambda number: compiled.fullmatch(number) is not None and len(set(number)) > 1


_PASSPORT = _form(r"(?=(?:.*\d){4})[A-Z0-9]{6,10}")
_LICENCE = _form(r"(?=(?:.*\d){4})[A-Z0-9]{6,18}")
_ACCOUNT = _form(r"\d{6,18}|\d{24}|\d{26}")

WORDS_OF: Mapping[str, tuple[tuple[str, Valid], ...]] = {
    "national_id": (
        ("pesel", europe.pl_pesel),
        ("bsn|burgerservicenummer|sofinummer", europe.nl_bsn),
        ("nino|national insurance|ni (?:number|no)", _form(r"[A-Z]{2}\d{6}[A-D]")),
        ("nhs", europe.gb_nhs),
        ("dni|nie|d\\.n\\.i\\.?|n\\.i\\.e\\.?|documento nacional", _any(europe.es_dni, _form(r"\d{7,8}"))),
        ("nir|s(?:\u00e9|e)curit(?:\u00e9|e) sociale|num(?:\u00e9|e)ro de s(?:\u00e9|e)cu|insee", europe.fr_nir),
        ("rvnr|rentenversicherungsnummer|(?:sozial)?versicherungsnummer|svnr|sv-nummer",
         _any(europe.de_pension, europe.at_svnr)),
        ("personalausweis(?:nummer)?|ausweisnummer", _form(r"[A-Z0-9]{9,10}")),
        ("codice fiscale|cod\\.? fiscale", europe.it_codice),
        ("personnummer|samordningsnummer", _any(europe.se_personal, europe.no_personal)),
        ("f(?:\u00f8|o)dselsn(?:ummer(?:et)?|r)|fnr|d-nummer", europe.no_personal),
        ("cpr|cpr-nummer", europe.dk_cpr),
        ("hetu|henkil\u00f6tunnus", lambda number: len(number) in {10, 11}),
        ("cpf|c\\.p\\.f\\.?", overseas.br_cpf),
        ("aadhaar|aadhar|uidai", overseas.in_aadhaar),
        ("sin|s\\.i\\.n\\.?|social insurance|nas", overseas.ca_sin),
        ("medicare", overseas.au_medicare),
        ("mbi|medicare (?:beneficiary )?(?:identifier|id|number|no)", _form(r"[1-9][A-Z][A-Z0-9]\d[A-Z][A-Z0-9]\d[A-Z]{2}\d\d")),
        ("my ?number|individual number|mynumber", overseas.jp_my_number),
        ("rrn|resident registration", overseas.kr_resident),
        ("nric|fin", _any(overseas.sg_nric, overseas.my_card)),
        ("(?:tw|taiwan) id", overseas.tw_id),
        ("hkid", overseas.hk_id),
        ("curp", overseas.mx_curp),
        ("rut|run", _any(overseas.cl_rut, _form(r"\d{12}"))),
        ("(?:tc )?kimlik(?: numara\\w{0,4})?|tckn", europe.tr_id),
        ("teudat zehut", overseas.il_id),
        ("rijksregisternummer|num(?:\u00e9|e)ro national|national register|nn|insz|niss", europe.be_national),
        ("ahv|avs|ahv-nummer", europe.ch_ahv),
        ("rodn(?:\u00e9|e) (?:\u010d|c)(?:\u00ed|i)slo|rc", europe.cz_birth),
        ("cnp", europe.ro_cnp),
        ("egn", europe.bg_egn),
        ("oib", europe.hr_oib),
        ("isikukood|asmens kodas", europe.baltic),
        ("amka", europe.gr_amka),
        ("snils", europe.ru_snils),
        ("pps|ppsn", europe.ie_pps),
        ("jmbg|embg|umcn|emso|em(?:š|Š)o", europe.yu_jmbg),
        ("kennitala", _form(r"\d{10}")),
        ("personas kods", _form(r"\d{11}")),
        ("idn[op]", _form(r"\d{13}")),
        ("phn", _form(r"9\d{9}")),
        ("cart(?:\u00e3|a)o de cidad(?:\u00e3|a)o", _form(r"\d{9}[A-Z0-9]{2}\d")),
        ("carn(?:\u00e9|e) de identidad|n(?:\u00fa|u)mero de identidad|c(?:\u00e9|e)dula de (?:identidad|ciudadan(?:\u00ed|i)a)", _form(r"\d{7,13}")),
        ("voter|epic", _form(r"[A-Z]{3}\d{7}")),
        ("thai", overseas.th_id),
        ("cnic|nik|ktp|c(?:\u00e9|e)dula|curp", _form(r"\d{8,16}")),
        ("mykad|my kad", overseas.my_card),
        ("(?:sa|rsa|south african) id|id (?:number|no|nr)", _any(overseas.za_id, overseas.il_id)),
        ("driver'?s? licen[cs]e|driving licen[cs]e|dl(?: (?:number|no)|#)|f(?:ü|u)hrerschein(?:nummer)?|permis de conduire", _LICENCE),
        (
            "national id(?:entity)?|carte (?:nationale )?d'identit(?:é|e)|cni|carta d'identit(?:à|a)|documento de identidad|c(?:é|e)dula|identiteitskaart|identiteitsbewijs|dow(?:ó|o)d osobisty|ob(?:č|c)ansk(?:ý|y) pr(?:ů|u)kaz|rg|identity (?:card|number|no)|id card|citizen id|personal id"  # noqa: ISC004
            "|personal identification|identification (?:number|no)|social security",
            _form(r"(?=(?:.*\d){5})[A-Z0-9]{7,18}"),
        ),
    ),
    "tax_id": (
        ("steuer-?id|steueridentifikationsnummer|identifikationsnummer|idnr|steuer-?identnr", europe.de_steuer_id),
        ("steuernummer", _form(r"\d{9,13}")),
        ("tfn|tax file", overseas.au_tfn),
        ("abn", overseas.au_abn),
        ("nip", europe.pl_nip),
        ("nif|n\\.i\\.f\\.?", _any(europe.pt_nif, europe.es_dni, europe.es_cif, vat.is_vat)),
        ("cif|c\\.i\\.f\\.?", _any(europe.es_cif, lambda number: vat.is_vat("RO" + number.removeprefix("RO")))),
        ("cnpj", overseas.br_cnpj),
        ("cuit|cuil", overseas.ar_cuit),
        ("siren|siret", _any(europe.fr_siren)),
        ("utr|unique taxpayer", europe.gb_utr),
        ("inn", europe.ru_inn),
        ("pan card|pan|permanent account", overseas.in_pan),
        ("ein|employer identification|fein", _form(r"\d{9}")),
        ("rfc", _form(r"[A-Z&]{3,4}\d{6}[A-Z0-9]{3}")),
        ("vat|ust-?id(?:-?nr)?|umsatzsteuer-?id(?:ent(?:ifikations)?)?(?:-?n(?:r|ummer))?|(?:num(?:é|e)ro de |n° )?tva(?: intracommunautaire)?|btw(?:-nummer)?|partita iva|p\\.? iva|moms(?:reg)?", _any(vat.may_be_vat, _form(r"\d{9,12}"))),
        ("vat (?:reg(?:istration)?|number|no|id)", _any(vat.may_be_vat, _form(r"(?=(?:.*\d){8})[A-Z0-9]{8,15}"))),
        ("di(?:č|c)|i(?:č|c) dph", _form(r"(?:CZ|SK)?\d{8,10}")),
        ("(?:atu|uid)(?:-?nr|-?nummer)?", _form(r"(?:AT)?U\d{8}")),
        ("contribuinte|n(?:ú|u)mero de contribuinte", europe.pt_nif),
        ("pib", _form(r"\d{9}")),
        ("organisationsnummer|org\\.?-?nr|organisasjonsnummer", _form(r"\d{9,10}")),
        ("uen", _form(r"\d{8,9}[A-Z]|[TSR]\d\d[A-Z]{2}\d{4}[A-Z]")),
        ("gstin?|gst", overseas.in_gst),
        ("nit", _form(r"\d{6,10}[0-9K]")),
        ("ruc", _form(r"\d{6,13}")),
        ("rif", _form(r"[VEJPGC]\d{9}")),
        ("npwp", _form(r"\d{15,16}")),
        ("ird", _form(r"\d{8,9}")),
        ("cui", _form(r"\d{8,9}")),
        ("vkn|vergi (?:kimlik )?no", _form(r"\d{10}")),
        ("unp|afm", _form(r"\d{9}")),
        ("regon", _form(r"\d{9}|\d{14}")),
        ("v(?:\u00f6|o)en", _form(r"\d{10}")),
        ("ad(?:\u00f3|o)sz(?:\u00e1|a)m|ad(?:\u00f3|o)azonos(?:\u00ed|i)t(?:\u00f3|o)", _form(r"\d{8,11}")),
        ("dav(?:\u010d|c)na (?:\u0161|s)tevilka|id za ddv", _form(r"\d{8}")),
        ("num(?:\u00e9|e)ro fiscal|nif fiscal", _form(r"\d{13}")),
        ("ptin", _form(r"P\d{8}")),
        ("kra", _form(r"[AP]\d{9}[A-Z]")),
        ("mst|m(?:\u00e3|a) s(?:\u1ed1|o) thu(?:\u1ebf|e)", _form(r"\d{10}(?:\d{3})?")),
        ("tax id|tax (?:number|no|nr|ref(?:erence)?)|taxpayer|taxpayer id|tax identification|tin", _form(r"(?=(?:.*\d){7})[A-Z0-9]{8,15}")),
    ),
    "passport": (
        ("passport|passeport|pasaporte|passaporto|paspoort|reisepass(?:nummer)?|pass-?nr|paszport|pasaport(?:ul)?|passnummer|passinumero|putovnica|cestovn(?:í|i) pas|(?:ú|u)tlev(?:é|e)l(?:sz(?:á|a)m)?", _PASSPORT),
    ),
    "bank_account": (
        ("routing|aba|rtn|transit routing", overseas.us_routing),
        ("routing|aba", overseas.us_routing_digit),
        ("blz|bankleitzahl", _form(r"[1-8]\d{7}")),
        ("clabe", overseas.mx_clabe),
        ("cbu", _form(r"\d{22}")),
        ("sort code", _form(r"\d{6}")),
        ("bsb", _form(r"\d{6}")),
        ("(?:bank|beneficiary|payee|settlement|checking|savings|giro) account(?: (?:number|no))?|account (?:number|no|nr|num|#)|acct|a/c|(?:bank)?kontonummer|bankkonto|rekening(?:nummer)?|nr konta|numer konta|n(?:ume)?r rachunku|rachunek bankowy|broj ra(?:č|c)una|(?:bank)?sz(?:á|a)mlasz(?:á|a)m|tilinumero|bankgiro|plusgiro|n(?:ú|u)mero da conta|numero di conto|conto corrente|cuenta (?:corriente|bancaria|de ahorros)|conta (?:corrente|banc(?:á|a)ria|poupan(?:ç|c)a)|compte (?:bancaire|courant)|(?:č|c)(?:í|i)slo (?:ú|u)(?:č|c)tu|hesap(?: no| numaras(?:ı|i))?|konto-?nr|kto(?:-?nr)?|num(?:é|e)ro de compte|n(?:ú|u)mero de cuenta", _ACCOUNT),
        ("bic|bicfi|swift|bic/swift|swift/bic", _form(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")),
        ("ifsc", _form(r"[A-Z]{4}0[A-Z0-9]{6}")),
    ),
}  # fmt: skip
"""Detector -> the words behind which its numbers stand, and what they have to be."""

FOREIGN_WORDS = (
    ("身份证(?:号)?(?:码)?", overseas.cn_resident),
    ("身分證(?:字號)?(?:號碼)?", overseas.tw_id),
    ("マイナンバー", overseas.jp_my_number),
    ("주민등록번호", overseas.kr_resident),
    ("СНИЛС|снилс", europe.ru_snils),
    ("ИНН|инн", europe.ru_inn),
    ("ЕГН", europe.bg_egn),
    ("ΑΜΚΑ", europe.gr_amka),
    ("Α\\.?Φ\\.?Μ\\.?", _form(r"\d{9}")),
    ("ЕМБГ|ЈМБГ", europe.yu_jmbg),
    ("РНОКПП|РНУКПН|ІПН", _form(r"\d{10}")),
    ("УНП", _form(r"\d{9}")),
    ("사업자등록번호", _form(r"\d{10}")),
    ("統一編號", _form(r"\d{8}")),
    ("เลขประจำตัวประชาชน", overseas.th_id),
    ("תעודת זהות|ת\\.ז\\.?", overseas.il_id),
)
FOREIGN_BANK = (
    ("(?:[рР]асч(?:ё|е)тный )?[сС]ч(?:ё|е)т(?:а)?|[рР]/[сС]|[рР]/счет", _form(r"\d{20}")),
    ("БИК|бик", _form(r"04\d{7}")),
    ("口座番号", _form(r"\d{7}")),
    ("(?:银行)?(?:账|帐)(?:号|户)|銀行帳號|帳號", _form(r"\d{12,19}")),
    ("계좌(?:번호)?", _form(r"\d{10,14}")),
    ("رقم الحساب", _form(r"\d{8,24}")),
)
FOREIGN_PASSPORT = (
    (
        "[пП]аспорт(?:а)?|护照(?:号)?(?:码)?|護照(?:號碼)?|パスポート(?:番号)?|여권(?:번호)?|جواز(?: السفر)?|דרכון|διαβατήριο",
        _PASSPORT,
    ),
)
"""Words whose letters are none to the scan, so that no word can be seen to begin with them."""

PROOF: frozenset[Valid] = frozenset(
    {europe.pl_pesel, europe.nl_bsn, europe.gb_nhs, europe.fr_nir, europe.it_codice, europe.se_personal, europe.no_personal,
     europe.tr_id, europe.be_national, europe.ch_ahv, europe.ro_cnp, europe.bg_egn, europe.hr_oib, europe.baltic, europe.ru_snils,
     europe.de_steuer_id, europe.pl_nip, europe.pt_nif, overseas.br_cpf, overseas.br_cnpj, overseas.in_aadhaar, overseas.au_abn,
     overseas.ar_cuit, overseas.us_routing, overseas.mx_clabe, overseas.mx_curp, overseas.cn_resident, overseas.kr_resident}
)  # fmt: skip
"""Checks that few numbers pass by chance."""
