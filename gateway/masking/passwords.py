"""Values behind a name that says they are secret: `password=x`, `"api_key": "x"`, `--token x`, `IDENTIFIED BY 'x'`.

The name may be part of a longer one and may be followed by its value in the ways of JSON, YAML, environment files,
connection strings, command lines, SQL, XML and prose. What is called a password is one, whatever it looks like; what
is called a key, token or secret has to look like one, since programs name so much else like that. What stands for
a value (`${PASSWORD}`, `$1`, `<secret>`, `null`, `os.environ[...]`) is no secret. The name always stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.masking.answers import ANSWERS
from gateway.masking.apart import NO_BREAK
from gateway.masking.assigned import LABEL, assigned, says_something
from gateway.masking.called import (
    IS_PASSWORD,
    NAMES,
    NOT_SECRET_BEFORE,
    PASSWORD_NAMES,
    SECRET_NAMES,
)
from gateway.masking.codes import CODES
from gateway.masking.connections import CONNECTIONS
from gateway.masking.lines import CDATA, in_cdata, of_element, of_entities
from gateway.masking.shapes import ALNUM_BYTES, LOOK_BEHIND, NEXT_CELL, Shape, Span, before, whole, word
from gateway.masking.values import (
    SENTENCE,
    is_method,
    is_strong,
    is_value,
    looks_secret,
    value_at,
)

_BETWEEN = (
    rb"\\?[\"'`*]{0,2}(?:\]|\}|%5[Dd])?(?:\xe6\x98\xaf|\xe4\xb8\xba)?(?:"
    + NO_BREAK
    + rb"|[ \t]{0,32})(?:=>|:=|<-|(?:\?|\|\||\?\?)=|!?={1,3}|::[ \t]|:|\xef\xbc\x9a|\xe2\x86\x92)(?:"
    + NO_BREAK
    + rb"|[ \t]{0,32})"
)
_TYPED = rb"[?!]?[ \t]{0,2}:[ \t]{0,2}[&*]?(?:'[a-z]{1,8}[ \t])?[A-Za-z\[][A-Za-z0-9_.:<>\[\]|?]{0,24}|[ \t](?:string|String|\[\]byte|str|(?i:as[ \t]string))|\[[0-9]{0,4}\]|[ \t](?i:(?:as[ \t])?n?(?:var)?char)\([0-9A-Za-z]{1,4}\)|[ \t]{0,2}\{[ \t]?get;[a-z; \t]{0,24}\}"
"""The type that a name is declared with, between it and its value."""
_MADE_OF = (
    rb"(?:\([ \t]{0,4}|(?:new[ \t])?(?:String|SecretStr(?:ing)?|Secret|SecureString|std::string|Zeroizing|Sensitive|bytes|bytearray|Buffer|Some|\[\]byte|(?:aws|pulumi|proto)\.String|Encoding\.[A-Za-z0-9]{3,8})"
    rb"(?:::from|::new|\.from|\.of|\.GetBytes)?\([ \t]{0,4})"
)
"""What makes a value of a literal, and fetches none."""


def _told(data: bytes, start: int, end: int) -> Span | None:
    """`password is x`, `with password x`, `login x password y`: in prose only what cannot be a word."""
    span = value_at(data, end - 1)
    if span is None or not is_value(data, span, quoted=span[0] != end - 1):
        return None
    if NOT_SECRET_BEFORE.search(data[max(0, start - 16) : start]) or data[span[0] : span[0] + 1] == b"-":
        return None
    if _OBJECT.search(data, max(0, start - 24), start) is not None:
        return None
    value = data[span[0] : span[1]]
    if _FURTHER_COLUMN.match(data, span[1]) and _COLUMN_BEFORE.search(data, max(0, start), end - 1):
        return None
    if _PAIR.match(value) or _KEY_OF_ITS_OWN.match(value):  # "signing key kid=2026-11"
        return None
    if (
        span[0] != end - 1
        and (
            _JOINED.fullmatch(value)  # set to 'anvil-badger-velvet'
            or (
                b"phrase" in data[start:end].lower() and _WORDS.fullmatch(value) and not says_something(value)
            )
        )
    ):
        return span
    return span if is_strong(value) and not is_method(value) else None


_COLUMN_BEFORE = re.compile(rb"[ \t]{3}\Z")
_FURTHER_COLUMN = re.compile(rb"[ \t]")
"""A table of more than two columns says in its first line what they are, and that is not read here."""
_PAIR = re.compile(rb"[A-Za-z_][A-Za-z_.:-]{0,32}=(?:[^=]|\Z)")
_KEY_OF_ITS_OWN = re.compile(rb"A[KS]IA[A-Z0-9]{16}")
"""The id of a key of AWS is found by itself, and with it the secret in its line."""
_JOINED = re.compile(rb"[A-Za-z0-9]{3,12}(?:-[A-Za-z0-9]{3,12}){2,9}")
_WORDS = re.compile(rb"[a-z]{3,12}(?: [a-z]{3,12}){3,23}")
"""Three words or more, quoted."""


_OBJECT = re.compile(rb"(?:get|describe|delete|edit|patch|annotate|label|create)[ \t]{1,4}\Z")
"""`kubectl describe secret NAME`"""


_OF_SQL = re.compile(
    rb"(?i)\b(?:(?:create|alter)\s+(?:user|role|profile)|grant|connect\s+to|set\s+role)\b[^;\0]*\Z"
)
_IDENTIFIED = re.compile(rb"(?i)\bidentified[ \t]+by[ \t]+[^\0;]{1,80}\Z")
_SAID_OF_IT = re.compile(rb"(?i)(?:values|password|random|externally|globally)\Z")


def _identified(data: bytes, start: int, end: int) -> Span | None:
    """`IDENTIFIED BY tiger`: in SQL whatever stands there."""
    span = value_at(data, end - 1)
    if span is None or not _OF_SQL.search(data, max(0, start - LOOK_BEHIND), start):
        return _told(data, start, end)
    if _SAID_OF_IT.match(data[slice(*span)]) or SENTENCE.fullmatch(data[slice(*span)]):
        return None
    return span


def _replaced(data: bytes, start: int, end: int) -> Span | None:
    """`IDENTIFIED BY new REPLACE old` of Oracle."""
    told = _IDENTIFIED.search(data, max(0, start - LOOK_BEHIND), start)
    return value_at(data, end - 1) if told is not None else None


_LINE_ENDS = re.compile(rb"\Z|[\r\n\0\"'#;]|\\\\[nr]")


def _directed(data: bytes, start: int, end: int) -> Span | None:
    """`requirepass x` on a line of its own; with more behind it, it may be prose."""
    span = value_at(data, end - 1)
    if span is None or not is_value(data, span, quoted=span[0] != end - 1):
        return None
    return span if _LINE_ENDS.match(data, span[1]) else _told(data, start, end)


def _spoken(data: bytes, start: int, end: int) -> Span | None:
    """`PASSWORD 'x'`, `IDENTIFIED BY 'x'`, `--password x`, `<password>x`."""
    span = value_at(data, end - 1)
    if span is None or (data[span[0] : span[0] + 1] == b"-" and not is_strong(data[span[0] + 1 : span[1]])):
        return None
    if data[start : start + 1] == b"-" and before(data, start) in ALNUM_BYTES:  # a three-token tuple
        return None
    if LABEL.fullmatch(data[slice(*span)].rstrip()):
        return None
    return span if is_value(data, span, quoted=span[0] != end - 1 or data[end - 1 : end] in b"\"'") else None


def _element(data: bytes, start: int, end: int) -> Span | None:
    """`<db:password>x</db:password>`, `<entry key="password">x</entry>`."""
    opened = re.search(rb"<[^<>\r\n\0]{0,64}\Z", data[max(0, start - 65) : start])
    span = assigned(data, start, end) if opened is not None else None
    if span is not None and data[end - 1 : end] == b"@" and data[span[1] : span[1] + 1] != b"<":
        return None  # https://<token>@host: the name stands in place of a value
    return span


_OF_TYPE = re.compile(rb"(?:[A-Z]+[a-z]+)+(?:Key|Token|Secret|Password)")
"""What a program calls its own types: `'RSAPrivateKey', 'RSAPublicKey'`."""
_SETS = re.compile(
    rb"(?i)(?:\b(?:define|setx?|put|env|get_?env|putenv|append|add|param(?:eter)?|with|option|property)|(?:\b|_|[a-z])(?:set|put|get|with|add)_?(?:env|property|parameter|param|option|attribute|item|value|string|default|variable|environmentvariable|secret|password|config)s?)\(\\?[\"'][A-Za-z0-9_.-]*\Z"
)
"""What is called with a name and its value."""


def _listed(data: bytes, start: int, end: int) -> Span | None:
    """`define('DB_PASSWORD', 'x')`: in a list of names the next one is no value."""
    span = value_at(data, end - 1)
    if (
        span is not None
        and _SETS.search(data, max(0, start - 80), start) is not None
        and data[span[1] + 1 : span[1] + 2] in {b")", b",", b" "}
    ):
        return assigned(data, start, end)
    if span is None or not is_value(data, span, quoted=True) or data[span[0] : span[0] + 1] == b"-":
        return None
    if says_something(data[slice(*span)]) or _OF_TYPE.fullmatch(data[slice(*span)]):
        return None
    return span if looks_secret(data[span[0] : span[1]], least=6) else None


_LISTED = re.compile(rb"[\"'][ \t]*,[ \t]*\\?[\"']\Z")


_CELLS = re.compile(NEXT_CELL + rb"[^\s\0<]\Z")
_WITHIN = re.compile(rb"<(?i:(?:[a-z]{1,12}-)?(?:value|string))>\Z")
"""`<Password><Value>x`, `<key>Password</key><string>x`."""


def _behind_name(data: bytes, start: int, end: int) -> Span | None:
    if _CELLS.search(data, start, end):
        return _told(data, start, end)
    if _WITHIN.search(data, start, end - 1):
        return of_element(data, assigned(data, start, end))
    if data[end - 2 : end - 1] == b">" and data[end - 3 : end - 2] not in b"=-":
        return of_element(data, _element(data, start, end)) or of_entities(data, start, end)
    if data.startswith(CDATA, end - 1 - len(CDATA)):
        return in_cdata(data, end - 1)
    return (_listed if _LISTED.search(data, start, end) else assigned)(data, start, end)


_DEFAULT = re.compile(
    rb"(?:[ \t]{1,16}\"?[A-Za-z]{3,16}\"?:[ \t][^\r\n\0]{0,80}\r?\n){0,4}[ \t]{1,16}\"?(?i:default)\"?:[ \t]{1,4}(?=[^\s\0])"
)


def _default_below(data: bytes, start: int, end: int) -> Iterator[Span]:
    """The default of a parameter that is called so."""
    if (told := _DEFAULT.match(data, end)) is None or (first := value_at(data, told.end())) is None:
        return
    quoted = first[0] != told.end()
    secret = IS_PASSWORD.match(data, start) or looks_secret(data[slice(*first)], least=6)
    if secret and is_value(data, first, quoted=quoted):
        yield first


PASSWORD = (
    # name = "x"; {"name": "DB_PASSWORD", "value": "x"}, <add key="Password" value="x"/>; define('NAME', 'x'); <name>x</name>; const NAME: &str = "x"
    Shape(
        pattern=NAMES
        + b"(?:"
        + NEXT_CELL
        + rb"[^\s\0<]|(?:(?:"
        + _TYPED
        + rb")[ \t]{0,4}=[ \t]{0,4}(?:"
        + _MADE_OF
        + b")?|"
        + _BETWEEN
        + _MADE_OF
        + rb")[bBuUrRfNL@$]?[\"'`]|\\?[\"'\])]{0,3}[ \t]{0,2}(?:\|\||\?\?|\?:|\bor\b|\|[ \t]{0,2}default\(|->)[ \t]{0,2}[\"'`]|"
        + _BETWEEN
        + rb"(?:[A-Za-z_$][\w.$]{0,48}(?:\([\"']?[\w.]{0,40}[\"']?\))?[ \t]{1,2}(?:\?:|\?\?|\|\||or)[ \t]{1,2}[\"'`]|[^\s\0])"
        + rb"|\\?[\"']?(?:[ \t]{0,4},)?\s{0,24}\\?[\"']?(?i:value|newvalue|content)\\?[\"']?[ \t]{0,4}[:=][ \t]{0,4}[^\s\0]"
        + rb"|\\?[\"'][ \t]{0,4},[ \t]{0,16}\\?[\"']"
        + rb"|\{[ \t]{0,2}\"|\\?[\"']?[ \t]{1,2}-(?i:value)[ \t]{1,2}[^\s\0]"
        + rb"|\\?[\"']?(?:[ \t][A-Za-z:_.-]{1,24}=\\?[\"'][^\"'<>\0]{0,32}[\"'])?>(?:[^\s\0<]|<!\[CDATA\[[^\s\0\]])"
        + rb"|(?:\\?[\"']?(?:[ \t]serializeAs=\"String\"[ \t]?)?>|</(?i:(?:[a-z]{1,12}-)?(?:key|name))>)\s{0,24}<(?i:(?:[a-z]{1,12}-)?(?:value|string))>(?:<string>)?[^\s\0<])",
        check=_behind_name,
    ),
    # {"password": {"type": "string", "value": "x"}}
    Shape(
        pattern=NAMES
        + rb"\"\s{0,4}:\s{0,4}\{\s{0,24}(?:\"(?:sensitive|type|description|name|key|id)\"\s{0,4}:\s{0,4}[^,{}\0]{1,48},\s{0,24}){0,3}\"(?:value|default)\"\s{0,4}:\s{0,4}\"",
        check=assigned,
    ),
    # the parameters of CloudFormation, of OpenAPI
    Shape(pattern=NAMES + rb"\"?:[ \t]{0,4}\r?\n", check=whole, spans=_default_below),
    Shape(
        pattern=rb"(?i:password|passwd|identified(?:[ \t]{1,4}with[ \t]{1,4}['\"`]?[a-z0-9_]{1,32}['\"`]?)?[ \t]{1,4}(?:by(?:[ \t]{1,4}values)?|as))(?:[ \t]{1,4}|\()[NE]?['\"]",
        check=_spoken,
    ),
    Shape(pattern=rb"(?i:identified[ \t]{1,4}by)[ \t]{1,4}[A-Za-z0-9_$#]", check=_identified),
    word(rb"(?i:replace)[ \t]{1,4}[A-Za-z0-9_$#\"']", _replaced),
    word(
        rb"(?:machine\s{1,8}[^\s\0]{1,80}\s{1,8}(?:(?:login|user|account)\s{1,8}[^\s\0]{1,64}\s{1,8}){0,2}|default\s{1,8}(?:(?:login|user|account)\s{1,8}[^\s\0]{1,64}\s{1,8}){1,2})password\s{1,8}[^\s\0]",
        _spoken,
    ),
    Shape(
        pattern=rb"(?i:set[ \t]{1,4}password[ \t]{1,4}for)[ \t]{1,4}[^\s\0=]{1,80}[ \t]{0,4}=[ \t]{0,4}(?i:password\()?'",
        check=_spoken,
    ),
    word(
        rb"(?i:user(?:name)?|login|u)[ \t]?:?[ \t]{1,2}[^\s\0:]{1,48}[ \t]?[,;/|]?[ \t]{1,2}(?:and[ \t])?(?i:pass|pw|pwd|p)[ \t]?:?[ \t]{1,2}[^\s\0]",
        _told,
    ),
    Shape(
        pattern=rb"(?i:\bcreds?|\bcredentials?|\blog[ -]?in|\bsign[ -]?in|\bwi-?fi|\bwlan)\"?(?:[ \t](?:with|as|are|is|were|remain)|[ \t](?:for|to|on|in)(?:[ \t][^\s\0:]{1,24}){1,3})?:?[ \t]{1,2}[A-Za-z0-9._@+-]{1,64}[ \t]?[/:|][ \t]?[^\s\0/]",
        check=_told,
    ),
    word(
        rb"(?i:net[ \t]user|rabbitmqctl[ \t]{1,4}(?:add_user|change_password)|htpasswd[ \t]{1,4}-[a-zA-Z]{0,3}b[a-zA-Z]{0,3}(?:[ \t]{1,4}[^\s\0-][^\s\0]{0,60})?)"
        rb"[ \t]{1,4}[A-Za-z0-9._@-]{1,32}[ \t]{1,4}[^\s\0/]",
        _told,
    ),
    # what elasticsearch-setup-passwords prints
    word(rb"PASSWORD[ \t][a-z_]{2,32}[ \t]=[ \t][^\s\0]", _spoken),
    # the configurations of redis, keepalived and routers
    Shape(
        pattern=rb"(?i:\b(?:requirepass|insecure-password|bindpw|masterauth|auth_pass|snmp-server community)|\b(?:password|secret)[ \t][0-9])[ \t]{1,4}[^\s\0]",
        check=_directed,
    ),
    Shape(
        pattern=rb"(?i:"
        + PASSWORD_NAMES
        + rb"|"
        + SECRET_NAMES
        + rb"|\bpw)(?:[ \t](?:for|f\xc3\xbcr|pour|para|per|of|to|on)(?:[ \t][^\s\0:@0-9]{1,24}){1,3}(?::|[ \t](?:is|was|ist|est|es)(?:[ \t]now)?:?)|[ \t](?:you|we|i|that|which|below|generated|issued|used)(?:[ \t][a-z']{1,12}){0,5}:)?(?:[ \t](?:is|was|set to|to|from)(?:[ \t](?:now|still|currently|just|actually))?:?)?(?:[ \t]{1,4}(?:\||->?|\xe2\x80[\x93\x94]))?[ \t]{1,24}[^\s\0|]",
        check=_told,
    ),
    Shape(
        pattern=rb"(?i:\bauth|credentials?)[ \t]?=[ \t]?\([\"'][^\"'\s\0]{1,48}[\"'],[ \t]?[\"']",
        check=_spoken,
    ),
    Shape(
        pattern=rb"#define[ \t]{1,4}[A-Za-z0-9_]{0,40}(?i:pass(?:word|wd)?|pwd|secret|token|api_?key)[A-Za-z0-9_]{0,12}[ \t]{1,16}[\"']",
        check=_spoken,
    ),
    # the sasl_passwd of Postfix, HAProxy's statistics, a share of Windows
    Shape(pattern=rb"(?:\]:[0-9]{2,5}|(?i:stats[ \t]auth))[ \t]{1,8}[^\s\0:]{1,64}:[^\s\0]", check=_spoken),
    Shape(pattern=rb"/(?i:user):[^\s\0/]{1,64}[ \t]{1,4}[^\s\0/]", check=_told),
    Shape(
        pattern=rb"(?i:convertto-securestring)[ \t]{1,4}(?i:-(?:string|asplaintext|force)[ \t]{1,4}){0,3}['\"]",
        check=_spoken,
    ),
    # as people say it
    word(
        rb"(?i:wi-?fi|wlan|ssid)[^\r\n\0]{1,60}[ ,;/](?i:key|pass|pw|schl(?:ue|\xc3\xbc)ssel|cl(?:e|\xc3\xa9)|clave)[ \t]?[:=]?[ \t]{1,2}[^\s\0]",
        _told,
    ),
    Shape(
        pattern=rb"(?i:\bssid)[ \t]{0,2}=[^\r\n\0]{1,40}\r?\n(?:[^\r\n\0]{0,60}\r?\n){0,2}[ \t]{0,4}(?i:key|pass|psk)[ \t]{0,2}=[ \t]{0,2}[^\s\0]",
        check=_told,
    ),
    *ANSWERS,
    *CONNECTIONS,
    *CODES,
)
