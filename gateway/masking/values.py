"""What stands behind a name: where the value ends, and whether it is one.

A value is quoted or runs to the next blank. It is none if it stands for one (`${X}`, `<secret>`, `****`), if it is
code that fetches one (`os.environ["X"]`, `user.password`), or if it goes on with a sentence (`password: must be ...`).
"""

from __future__ import annotations

import re

from gateway.masking.linear import linear
from gateway.masking.shapes import ALNUM_BYTES, LOOK_BEHIND, Span

LONGEST_VALUE = 64 * 1024
MARK = "[redacted]"
"""What stands in place of a secret; never itself taken for one."""

_WORDS = rb"password|passwd|passphrase|passcode|pass|pwd|secret|token|key|credentials?|apikey"
_PLACEHOLDER = linear(
    # words for nothing, types, and what stands where a value was taken out
    rb"(?i)(?:null|nil|none|true|false|undefined|yes|no|[01]|(?:str(?:ing)?|text)[?!]?|varchar\S*|char|bool(?:ean)?|int(?:eger)?|number|bytes|any|object|optional\S*"
    rb"|wpa[123]?(?:[-_/](?:psk|personal|enterprise|eap|sae|wpa[23]))*|n/a|tbd|todo|prompt|redacted|hidden|masked|filtered|omitted|sensitive|placeholder|dummy|secretstr|securestring"
    # the rules of a form
    rb"|(?:required|optional|nullable|sometimes|confirmed)(?:[|,][\w:,|]*)?"
    rb"|not[ _-]?(?:set|shown|provided|available|found|required|applicable)"
    # where the system looks people up
    rb"|(?:files|compat|sss|db|cache|altfiles)(?:[ \t]+[\w\[\]!=]+)*"
    rb"|\+?[0-9]{0,4}(?:\*{3,}[\w.@*()+-]*|\*+@[\w.-]*)|x{3,}(?:[-_]x+)*|[.*\xc2\xa0\xe2\x80\xa2\xe2\x97\x8f_x-]*"
    # variables and references to where the value is kept
    rb"|%\(?\w*\)?s?|(?:%s[:/@]?){1,4}|0x[0-9a-f]{1,8}|[0-9]{1,5}/(?:tcp|udp)|(?:basic|bearer|digest) ?|(?:null|undefined|true|false|void 0|![01])[,;)}].*|\^[\[(.\\].*|(?-i:(?:[A-Z0-9]{2,}_)+(?:KEY|TOKEN|SECRET|PASSWORD|ID))|%env\(.*|\$\d+|:\w+|@[\w.-]+(?:\(.*)?|[&*][\w.]+|[$%#@!]?\{.*|\$__\w+\{.*|\$\(.*|\$[A-Za-z_][\w:]*(?:-(?:>.*)?)?|%[A-Z_][A-Z0-9_]*%|<[%?$!#/-].*|<[\w .,:/'|{}()@-]*>?|\[.*|\(.*|![A-Z]\w*.*"
    rb"|(?:env|file|vault|secret|ref\+\w+|op|ssm|sops|awsssm|gcpsm|azkv|keyvault|secretsmanager|doppler|infisical):[\w./:+@#-]+"
    rb"|__\w+__|@@[\w.-]+@@|%%[\w.-]+%%|##[\w.-]+##|#\{.*"
    # what only the cluster or a key that is kept elsewhere can decrypt
    rb"|Ag[A-D][A-Za-z0-9+/]{120,}={0,2}|AQ[EI]CAH[A-Za-z0-9+/]{60,}={0,2}|vault:v[0-9]+:[A-Za-z0-9+/=]+"
    rb"|ENC[\[(].*|enc:.*|(?:secret|configmap)s?/[\w./-]+|projects/[\w-]+/secrets/.*|/(?:var/)?run/secrets/.*|arn:aws.*"
    # what a reader is to replace
    rb"|change(?:[ _-]?(?:me|this)|[ _-]it)(?:[ _-]?(?:now|please|later|[0-9]{1,3})|(?:[ _-][a-z]{1,12}){1,5})?!*|(?:your|enter|insert|replace|put|paste|example)[a-z]{0,12}(?:[ _-][a-z]{1,12}){0,6}"
    rb"|(?:[a-z]{1,12}[ _-]){0,4}(?:" + _WORDS + rb")[ _-](?:here|placeholder|goes[ _-]here))"
)
_SEALED = linear(
    rb"\{[A-Za-z0-9+/]{20,}={1,2}\}|\{(?i:aes[0-9]{0,3}|3des|rc4|xor|cipher|noop|bcrypt|des(?:ede)?|cleartext|plain|sha-?[0-9]{1,3}|md5)\}[^\s{}]{3,}"
)
"""What Maven, Jenkins and WebLogic have encrypted: their key is in the next file. Spring says in braces how a value is read."""
_NAME = rb"[A-Za-z_$][A-Za-z_$]*[0-9]{0,3}"
_MEMBER = rb"(?:\.|::|->|\?\.)"
_CODE = linear(
    # a command of PowerShell; a call or an index; a member of what programs call such things; a name that says what it holds
    rb"(?:(?:ConvertTo|ConvertFrom|Get|Read|New)-[A-Z][A-Za-z]+|[&*!]{0,2}"
    + _NAME
    + rb"(?:"
    + _MEMBER
    + _NAME
    + rb")*[!?]?(?:\((?:[^)]|\)[^A-Za-z0-9])*\)?|\[.*)"
    rb"|(?:os|process|self|this|cls|config|cfg|conf|settings|env|args|opts?|options|params|req|request|res|response|body|data|user|account|secrets|var|local|module"
    rb"|vault|ctx|context|props|state|form|input|model|event|values|kwargs|session|client|auth|credentials?|row|record|item|obj|db|app|each|std)"
    + _MEMBER
    + rb"[A-Za-z_$][\w.$>?:!-]*"
    rb"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\(.*|[A-Za-z_]\w*\(|[a-z_]+![rsa]|[a-z_]{1,24}(?:\.[a-z_][a-z0-9_]{0,20})+\.[A-Z][A-Za-z]+|[A-Za-z_]\w*\)+[.;,].*|[a-z_][a-z0-9_]*\.[A-Z][A-Za-z0-9]*(?:Key|Token|Secret|Password)|_?[a-z]+\.[A-Z_]{3,}|[A-Za-z_$]+(?:\.[A-Za-z_$]+)+=.*"
    rb"|"
    + _NAME
    + rb"(?:"
    + _MEMBER
    + _NAME
    + rb")*"
    + _MEMBER
    + rb"(?i:_?(?:"
    + _WORDS
    + rb"|value|text|env|get)\w*)"
    rb"|[a-z]+(?:_[a-z]+)+(?:\.[a-z_]+)+|[A-Za-z_]+(?:\.[A-Za-z_]+){2,}|_?[A-Z][A-Za-z]+\.[A-Za-z_]+|[a-z]+[0-9]{1,3}[a-z]+\(.*|\.{1,2}/[A-Za-z0-9_./-]+|(?i:(?:(?:[a-z]+[_-])+(?:secret|token|key|credentials?|apikey)|(?:[a-z]+_)*(?:"
    + _WORDS
    + rb"))(?:[_-]?(?:value|field|text|input|str|name|\d))?))"
)
SENTENCE = linear(
    rb"(?i)(?:requires?|needs|takes|allows|specif(?:y|ies|ied)|properties|portion|stripped|included|separated|callbacks?|val|options?|flags?|arguments?|parameters?|params?|entr(?:y|ies)|fields|values|settings?|requests?|managers?|combinations?|pairs?|strings?|dialogs?|variables?|headers?|handling|checks?|checking|verification|validation|commands?|must|should|shall|can(?:not|'t)?|could|may|might|will|would|is|isn't|are|was|were|be|been|has|have|had|do|does|did|not|the|an?|this|that|these|it|its|you|your"
    rb"|we|our|my|their|his|her|at|in|on|of|to|for|from|by|with|and|or|if|when|while|as|than|then|so|but|too|very|only|also|please|enter|type|choose|use|using|used|see|check"
    rb"|click|reset|change[ds]?|updat(?:e|ed)|set|unset|required|optional|invalid|incorrect|wrong|valid|expired|expires|missing|empty|blank|short|long|weak|strong|min(?:imum)?|max(?:imum)?"
    rb"|length|fail(?:ed|ure)?|success(?:ful)?|accepted|rejected|denied|mismatch|matches|match|ok|new|old|same|different|default|disabled|enabled|auth|authentication|rotation|rotated|policy|field"
    rb"|column|prompt|file|hash(?:ed|ing)?|encrypted|stored|sent|received|generated|created|deleted|revoked|found|unknown|error|expected|unexpected|got|never|always|every|each|all|both|either|basic|bearer"
    rb"|await|async|new|return|lambda|function|no|per|via|about|what|who|why|how|where|there|here|just|still|already|again|once|now|today|soon|until|after|before|during|between|provided|given|supplied|against|without|within)[.,;:!?]*"
)
"""Words that a sentence goes on with."""
_QUOTED = {
    quote: re.compile(rb"(?:[^\\\r\n\0" + quote + rb"]|\\(?:[^\r\n\0]|\r?\n)){0,%d}" % LONGEST_VALUE)
    for quote in (b'"', b"`")
} | {
    # YAML and SQL write a quote within as two, a shell closes and opens again round it
    b"'": re.compile(
        rb"(?:(?:[^\\\r\n\0']|\\[^\r\n\0]|'\\''|'\"'\"')(?:''(?=\w|[^\r\n\0'=,:]{1,64}'))?){0,%d}"
        % LONGEST_VALUE
    )
}
_HERE = re.compile(rb"<<[-~]?[\"']?[A-Z][A-Z_]{1,15}[\"']?\r?\n[ \t]{0,16}([^\r\n\0]{1,256})")
_XML_QUOTED = re.compile(rb"&quot;((?:[^&\r\n\0\"]|&(?!quot;))+)&quot;")
_VERBATIM = re.compile(rb"@\"((?:[^\"\r\n\0]|\"\")+)\"")
"""A string of C# in which a quote is written as two."""
_TRIPLED = re.compile(
    rb"\"{3}(?:\r?\n)?((?:[^\r\n\0\"]|\"(?!\"\"))+)|'{3}(?:\r?\n)?((?:[^\r\n\0']|'(?!''))+)"
)
_ESCAPED_QUOTED = re.compile(rb"(?:[^\\\"'\r\n\0]|\\\\[^\r\n\0]){0,%d}" % LONGEST_VALUE)
_BARE = re.compile(
    # An ampersand ends it only where another parameter, an entity or another command follows.
    rb"(?:[^\s\0\"'<>;&`]+|&(?:amp;(?![A-Za-z_]\w{0,24}=)|[lg]t;(?!/?[a-z]))|&(?![&\s\0]|\Z|(?:#[0-9A-Za-z]{1,7}|amp|[lg]t|quot|apos|nbsp);|[A-Za-z_][\w.\[\]%-]{0,40}=))*"
)
_STRING_PREFIX = re.compile(
    rb"(?:[NnEeUuBbRrFf]|@|\$(?=')|&[A-Za-z0-9_-]{1,32} {1,4}|!!(?:str|binary) {1,4}|string\([0-9]{1,5}\) )(?=[\"'])"
)
_BLOCK = re.compile(rb"[|>][0-9]?[+-]?[ \t]*(\r?\n|\\n)([ \t]+)(?=\S)")
_LINE = re.compile(rb"[^\r\n\0]+")
_ARMOURED = (b"-----BEGIN", b"$ANSIBLE_VAULT")
_MOST_LINES = 8
"""Of a block: what goes on is no password."""
_NEXT_PAIR = re.compile(
    rb",[\"']?[A-Za-z_][\w.-]*[\"']?[=:]|,\Z|\\[nrt\"']|\\u00|\xe3\x80\x82|\xef\xbc[\x8c\x9b]"
)
_JSON_NAME = re.compile(rb"\":[ \t]{0,2}\Z")
_JSON_SCALAR = re.compile(rb"(?:-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?=[,}\]])")
"""What may stand in JSON without quotes: more of the document may follow without a blank."""
_CRYPT = re.compile(rb"\$[a-z0-9][a-z0-9-]{0,15}\$[A-Za-z0-9./$=,+-]+")
"""A hash as `crypt(3)` writes it, with parameters between commas."""
_CLOSERS = b",.)]}|\\:"
_CODE_TYPE = linear(rb"(?:[A-Z][a-z]+){1,5}(?:\[\w*\])?\??")
_PLAIN = linear(
    rb"_?(?:[A-Z]?[a-z]+|[A-Z]+)(?:[ _.:/-]+(?:[A-Z]?[a-z]+|[A-Z]+|\d{1,2}))*|[a-z]+(?:[A-Z][a-z]+)+|_?(?:[A-Z][a-z]+){1,4}|\d{1,5}"
)
"""Words, joined as in names: no generator makes such keys."""
_ALGORITHM = linear(
    rb"(?i)(?:(?:hs|rs|es|ps|ed|x)[0-9]{3,5}|(?:hmac|rsa|ecdsa|dsa|pbkdf2?|scram|oaep|ssh|cram|digest|crypt|p)?[_-]?(?:sha|md|aes|mschapv?|ntlmv?|blake|wpa|tls|ssl|des|rc|chacha)[_-]?[0-9]{1,4}"
    rb"(?:[_-]?(?:sha|cbc|gcm|ctr|etm|crypt|plus|ccm)?[0-9]{0,4}){0,3})"
)
"""`MSCHAPV2`, `HS256`, `scram-sha-256`: how something is kept secret."""
_METHOD = linear(
    rb"(?i)(?:base|sha|md|aes|rsa|hs|rs|es|utf|bcrypt|argon|oauth|http|tls|ssl|wpa|iso|rfc|ipv|x)[ _-]?[0-9]{1,4}(?:[._-]?[a-z]+|[._-][a-z0-9]+)*|[0-9]+(?:-[0-9]+)?-(?:[a-z]+-?)+"
)
"""`SHA-256`, `base64-encoded`, `16-character`: what a sentence says of a secret has digits in it as well."""
_DATE_OR_VERSION = linear(
    rb"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})|[A-Za-z]+/\d+(?:\.\d+)*|\d{4}-\d\d-\d\d\S*|(?:\d+:|[\^~]|[<>=]{1,2} ?)?v?\d+(?:\.\d+){1,4}(?:[-+~.a-z]\S{0,40})?|\d{1,3}(?:[.,]\d+)?[%a-z]{0,2}"
)
_PATH_OR_ADDRESS = linear(
    rb"(?:[A-Za-z]:|[~.]{0,2})(?:[/\\][A-Za-z]?[a-z0-9._@ -]*)+|[a-z][a-z0-9+.-]*://[^\s@]*|[\w.-]+\.(?:json|ya?ml|pem|key|txt|env|crt|p12|jks|js|ts|py|go|rb|java|html)"
)


_SIGN_FIRST = linear(rb"[$%@&*:,!<({\[][A-Za-z0-9!@#$%^&*?~+=-]{6,64}")
_PAIRED = {0x24: b"$", 0x25: b"%", 0x3C: b">", 0x28: b")", 0x7B: b"}", 0x5B: b"]", 0x40: b"@"}
"""What a sign at the beginning of a reference is closed by."""
_OF_REFERENCE = linear(
    rb"[A-Za-z_]{0,32}[0-9]{0,2}|[A-Z0-9]{1,32}"
    rb"|(?i:[a-z-]{0,24}(?:k8s|s3|ec2|oauth[12]|i18n|l10n|base(?:32|64)|sha[0-9]{1,3}|md5|utf8|p12|x509|pkcs[0-9]{1,2}|ipv[46]|http2|pg[0-9]{1,2}|db[0-9]|v[0-9])[a-z-]{0,24})"
    rb"|(?i:[a-z0-9-]*(?:" + _WORDS + rb"|pwd)[a-z0-9-]*)|[0-9]{1,6}[$@].*|[^A-Za-z]+"
    # how a text is formatted, and what an address has encoded
    rb"|[-+#0-9.]{0,6}[sdxXfrqv]\b.*|[^0-9]+|[a-z_]+=.*|[0-9A-F]{2}(?:%[0-9A-F]{2})*"
)
"""Names with few digits or with a word for what they hold."""


_CHAOS = linear(rb"[^A-Za-z0-9\s\0\"'`\\\x80-\xff][^\s\0\"'`\\\x80-\xff]{8,128}")
_WORDLIKE = re.compile(
    # words, ranges and other signs of a pattern, variables and calls
    rb"[a-z]{5}|[A-Z]{5}|[A-Z][a-z]{4}|[0-9A-Za-z]-[0-9A-Za-z]\]|\{[0-9]+,?[0-9]*\}|\(\?|[$%#@{]\{|[$%]\(|\}\}|\(\)|://|__"
)
_OF_CODE = re.compile(rb"[(){}\[\],;|]")


def begins_with_sign(value: bytes, *, quoted: bool) -> bool:
    """Whether this is a password that begins as variables and references do (`$ecret9Zk`, `(x7!Kq2`), and goes on as none of them.

    What is in quotes may have any signs then, as long as there is no word in it.
    """
    if value[:1] not in b"$%@&*:!,<({[" or value[-1:] == _PAIRED.get(value[0], b""):
        return False
    rest = value[1:]
    if (
        (quoted or value[:1] not in b"({[<")
        and _SIGN_FIRST.fullmatch(value) is not None
        and is_strong(rest)
        and _OF_REFERENCE.fullmatch(rest) is None
    ):
        return True
    return (
        _CHAOS.fullmatch(value) is not None
        and _WORDLIKE.search(value) is None
        and all(re.search(kind, rest) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]"))
        and (quoted or _OF_CODE.search(value) is None)
    )


def value_at(data: bytes, start: int) -> Span | None:
    """The value that begins at `start`, quoted or not, without its quotes."""
    if (block := _BLOCK.match(data, start)) is not None:
        return _block_at(data, block)
    if (here := _HERE.match(data, start)) is not None:
        return here.span(1)
    if (escaped := _XML_QUOTED.match(data, start, start + LONGEST_VALUE)) is not None:
        return escaped.span(1)
    if (verbatim := _VERBATIM.match(data, start, start + LONGEST_VALUE)) is not None:
        return verbatim.span(1)
    if (prefix := _STRING_PREFIX.match(data, start)) is not None:
        start = prefix.end()
    if (tripled := _TRIPLED.match(data, start, start + LONGEST_VALUE)) is not None:
        return tripled.span(tripled.lastindex or 0)
    if data[start : start + 1] == b"\\" and data[start + 1 : start + 2] in {b'"', b"'"}:
        match = _ESCAPED_QUOTED.match(data, start + 2)
    elif (quote := _QUOTED.get(data[start : start + 1])) is not None:
        match = quote.match(data, start + 1)
    else:
        return _bare_at(data, start + 6 if data.startswith(b"!!str ", start) else start)
    assert match is not None
    return match.span() if match.end() > match.start() else None


def _block_at(data: bytes, block: re.Match[bytes]) -> Span | None:
    """The lines of a block of YAML that are as far to the right as the first."""
    start = end = block.end()
    if block[1] == b"\\n" or data.startswith(_ARMOURED, start):
        return _bare_at(data, start)
    line = re.compile(rb"\r?\n" + block[2] + rb"[^\r\n\0]{1,256}")
    first = _LINE.match(data, start, start + LONGEST_VALUE)
    assert first is not None
    end = first.end()
    for _ in range(_MOST_LINES):
        if (more := line.match(data, end)) is None:
            break
        end = more.end()
    return start, start + len(data[start:end].rstrip(b" \t"))


def quoted_at(data: bytes, quote: int, start: int) -> Span | None:
    """The value from `start` to the end of the quotes that were opened at `quote`."""
    match = _QUOTED[data[quote : quote + 1]].match(data, start)
    return match.span() if match is not None and match.end() > match.start() else None


def _bare_at(data: bytes, start: int) -> Span | None:
    if _JSON_NAME.search(data, max(0, start - 4), start) and (scalar := _JSON_SCALAR.match(data, start)):
        return scalar.span()
    if (hashed := _CRYPT.match(data, start, start + LONGEST_VALUE)) is not None:
        return hashed.span()
    match = _BARE.match(data, start, start + LONGEST_VALUE)
    assert match is not None
    end = match.end()
    if (pair := _NEXT_PAIR.search(data, start, end)) is not None:
        end = pair.start()
    elif data[end : end + 1] == b"<" and end > start:  # an element's: brackets at its end are its own
        return start, start + len(data[start:end].rstrip(b",.:"))
    while end > start and data[end - 1] in _CLOSERS:
        end -= 1
    return (start, end) if end > start else None


_ENTITY = re.compile(rb"&#?[A-Za-z0-9]{1,8}\Z")
_LISTED_NAME = re.compile(rb"([,;|\t])[\w.-]{0,40}\Z")


def in_list(data: bytes, start: int, span: Span) -> Span:
    """In a row of CSV (`7,password=x,ok`) the value ends where its field does: with another comma it would be quoted."""
    led = _LISTED_NAME.search(data, max(0, start - 41), start)
    stop = data.find(led[1], *span) if led is not None else -1
    while stop > 0 and led is not None and led[1] == b";" and _ENTITY.search(data, span[0], stop):
        stop = data.find(led[1], stop + 1, span[1])
    return (span[0], stop) if stop > span[0] else span


def is_value(data: bytes, span: Span, *, quoted: bool) -> bool:
    """Whether what stands there is a value, and not in place of one."""
    value = data[span[0] : span[1]]
    if _SEALED.fullmatch(value):
        return True
    if not any(byte in ALNUM_BYTES for byte in value) and not any(
        map(str.isalnum, value.decode("utf-8", "replace"))
    ):
        return False
    if _OF_OPENSSH.fullmatch(value):
        return False
    tagged = quoted and value[:1] == b"!"  # `!vault` is a tag of YAML, "!vault" is none
    if begins_with_sign(value, quoted=quoted) and not closes(data, span[0] - 1):
        return True
    if value == MARK.encode() or (not tagged and _PLACEHOLDER.fullmatch(value.strip(b"'\"")) is not None):
        return False
    if value.startswith(b"-----BEGIN") and b"END" not in value:  # an armour goes on behind its first line
        return False
    if value[:1] in b" \t:,;" and (quoted <= (value[:1] in b":,") or closes(data, span[0] - 1)):
        return False  # the quote before it closes something: read -p "Password: " PASSWORD
    if quoted:
        return data[span[0] - 1 : span[0]] != b"`" or b" " not in value
    if _CODE.fullmatch(value) is not None:
        return False
    led = data[max(0, span[0] - 2) : span[0]]
    if SENTENCE.fullmatch(value) is not None:
        return False
    return len(value) > 2 and not (_is_type(value) and led == b": ")


def _is_type(value: bytes) -> bool:
    """`password: SecretStr`: of a type's words hardly one has no vowel, of letters drawn by lot many."""
    words = re.findall(rb"[A-Z][a-z]+", value)
    return _CODE_TYPE.fullmatch(value) is not None and sum(not _VOWEL.search(word) for word in words) < 2


_VOWEL = re.compile(rb"[aeiouyAEIOUY]")


def closes(data: bytes, at: int) -> bool:
    """Whether the quote at `at` ends what one before it on its line began."""
    begin = max(data.rfind(sign, max(0, at - LOOK_BEHIND), at) for sign in (b"\n", b"\0")) + 1
    return data.count(data[at : at + 1], max(begin, at - LOOK_BEHIND), at) % 2 == 1


def why_no_value(data: bytes, start: int) -> str:
    """What `is_value` has against the value that begins at `start`, for people; empty if nothing."""
    if (span := value_at(data, start)) is None:
        return "there is no value"
    value = data[span[0] : span[1]]
    if _PLACEHOLDER.fullmatch(value):
        return "it stands in place of a value"
    if span[0] == start and _CODE.fullmatch(value):
        return "it is code that fetches a value"
    if _OF_OPENSSH.fullmatch(value):
        return "it is a public key"
    if not is_value(data, span, quoted=span[0] != start):
        return "a sentence goes on, or a type is named"
    return ""


def looks_secret(value: bytes, *, least: int) -> bool:
    """Whether the value looks like something made up to be secret, and not like a name, a date, a path or a number."""
    if len(value) < least or _ALGORITHM.fullmatch(value):
        return False
    if value.isalpha() and 3 * sum(byte < 0x60 for byte in value) <= len(value):  # NSPersistentHistoryToken
        return False
    return not any(shape.fullmatch(value) for shape in (_PLAIN, _DATE_OR_VERSION, _PATH_OR_ADDRESS))


_UUID = linear(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST = linear(rb"(?:[0-9a-f]{32,}|[0-9A-F]{32,})")
PUBLIC_KEY = re.compile(rb"AAAA[A-Z](?:[A-Za-z0-9](?:NzaC1|VjZHNh|NrL[WX])|Gc2st)")
"""How RFC 4253 begins the base64 of a public key, and OpenSSH that of a certificate or of one on a device."""
OPENSSH_KIND = (
    rb"(?:sk-)?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp[0-9]{3})(?:-cert-v01)?(?:@openssh\.com)?"
)
_OF_OPENSSH = linear(OPENSSH_KIND + rb"(?:[ \t]+AAAA[A-Za-z0-9+/]+={0,2}(?:[ \t]+[\w.@+-]*)?)?")
"""A public key as OpenSSH writes it, or the word for its kind with which it begins."""
KEY_ID = linear(rb"[0-9A-F]{16}|[0-9A-F]{40}")
"""What OpenPGP calls a key by."""
_DRAWN = linear(rb"[A-Za-z0-9+/_-]+={0,2}")
_SEGMENT = linear(rb"[A-Z]?[a-z]{4,}[0-9]{0,4}|[A-Z]{5,}|(?:19|20)[0-9]{2,6}")


def is_random(value: bytes, *, least: int) -> bool:
    """Whether the value was drawn by lot, so that its letters and digits are in no order that a name would have.

    A UUID is drawn by lot as well, and names things.
    """
    if len(value) < least or not _DRAWN.fullmatch(value) or _UUID.fullmatch(value):
        return False
    if _DIGEST.fullmatch(value):
        return True
    if any(_SEGMENT.fullmatch(part) for part in re.split(rb"[/_+-]", value)):
        return False
    kinds = sum(bool(re.search(kind, value)) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]"))
    return kinds == 3 or (kinds == 2 and len(re.findall(rb"[0-9]", value)) >= 4)


def is_method(value: bytes) -> bool:
    """Whether this says how a secret is made or kept."""
    return _METHOD.fullmatch(value) is not None or _ALGORITHM.fullmatch(value) is not None


def is_strong(value: bytes) -> bool:
    """Whether no word of a sentence looks like that: letters and digits, or a sign that passwords are told to have."""
    if len(value) < 6 or _PATH_OR_ADDRESS.fullmatch(value) or _DATE_OR_VERSION.fullmatch(value):
        return False
    kinds = sum(bool(re.search(kind, value)) for kind in (rb"[a-z]", rb"[A-Z]", rb"\d", rb"[!@#$%^&*?~+=]"))
    return kinds >= 3 or (
        kinds == 2
        and (re.search(rb"\d", value) is not None or (len(value) >= 12 and not _PLAIN.fullmatch(value)))
    )
