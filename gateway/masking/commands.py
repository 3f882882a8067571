"""Secrets on command lines, by the commands that are told them.

What a letter means (`-p`) and which word is the secret one only the command says, so each is known with the commands that
mean it so. The line may be a shell's, a list of words as processes are started with, or what the kernel's audit logs of one.
"""

from __future__ import annotations

import re

from gateway.masking.called import NOT_SECRET_BEFORE
from gateway.masking.shapes import ALNUM_BYTES, LOOK_BEHIND, Shape, Span, before, word
from gateway.masking.values import is_random, is_strong, is_value, looks_secret, quoted_at, value_at

_LETTERS = {
    # letter, and whether the value is glued to it -> commands that are told a password so
    (b"p", True): rb"mysql\w*|mariadb[\w-]*|mycli|sshpass|7za?|rar|unrar",
    (
        b"p",
        False,
    ): rb"sshpass|mongo\w*|cqlsh|login|check_\w+|7za?|cypher-shell|beeline|couchbase-cli|rabbitmqadmin|(?:nx|crackmapexe)c|ncftp\w*|rdesktop|evil-winrm|twine|psexec|az[ \t](?:sql|mysql|postgres|mariadb|synapse)",
    (b"P", True): rb"sqlcmd|bcp|osql|isql|ipmitool|zip|unzip",
    (b"P", False): rb"sqlcmd|bcp|osql|isql|ipmitool|zip|unzip|mosquitto_\w+|ssh-keygen|gpg-preset-passphrase",
    (b"a", False): rb"redis-cli|valkey-cli|ldapmodify",
    (b"w", False): rb"ldap\w+|security|kadmin",
    (b"s", False): rb"ldappasswd",
    (b"c", False): rb"snmp(?:get|walk|set|bulk\w*|trap|table|status)",
    (b"A", False): rb"snmp\w+",
    (b"X", False): rb"snmp\w+",
    (b"N", False): rb"ssh-keygen",
    (b"k", False): rb"openssl",
    (b"K", False): rb"openssl",
}
_TOLD_SO = {how: re.compile(rb"\b(?:" + names + rb")\b[^\r\n\0|]*\Z") for how, names in _LETTERS.items()}
_GAP = rb"(?:[ \t]{1,2}|=|\\?[\"'],\s{0,24}(?:[A-Za-z0-9]{1,4}=)?)"
"""Between an option and its value: blanks, or the quotes and commas of a list."""


def _value(data: bytes, _start: int, end: int) -> Span | None:
    """What the candidate ends with the first byte of, in quotes that stand before it or in none."""
    at = end - 1
    if data[at - 1 : at] in {b"'", b'"'}:
        at -= 2 if data[at - 2 : at - 1] == b"\\" else 1
    span = value_at(data, at)
    return span if span is not None and is_value(data, span, quoted=True) else None


def _secret_value(data: bytes, start: int, end: int) -> Span | None:
    """A URL is none: the password in it is found by itself."""
    span = _value(data, start, end)
    value = data[slice(*span)] if span is not None else b""
    return span if looks_secret(value, least=6) and b"://" not in value else None


def _strong_value(data: bytes, start: int, end: int) -> Span | None:
    span = _secret_value(data, start, end)
    return span if span is not None and is_strong(data[slice(*span)]) else None


def _letter(data: bytes, start: int, end: int) -> Span | None:
    """`mysql -pSECRET`, `sshpass -p SECRET`, `docker login -p SECRET`: the letter means it for some commands only."""
    glued = data[start + 3 : start + 4] not in {b" ", b"\t", b"="} and b"," not in data[start + 3 : end - 1]
    if (told := _TOLD_SO.get((data[start + 2 : start + 3], glued))) is None:
        return None
    if glued and data[start : start + 1] in {b"'", b'"'}:  # '-ptwo words'
        span = quoted_at(data, start, start + 3)
    else:
        span = _value(data, start, end)
    if span is None or not is_value(data, span, quoted=True):
        return None
    return span if told.search(data[max(0, start - LOOK_BEHIND) : start]) else None


_FETCHES = re.compile(
    rb"\b(?:curl|https?|wget|smbclient|rpcclient|lftp|ab|hey|siege|etcdctl|aria2c|nats|rabbitmqadmin)\b[^\r\n\0|]*\Z",
)


def _user_and_password(data: bytes, start: int, end: int) -> Span | None:
    """`curl -u user:SECRET`; elsewhere the two are numbers or names of accounts (`docker run -u 1000:1000`)."""
    opened = max(data.rfind(b"'", start + 1, end), data.rfind(b'"', start + 1, end))
    span = value_at(data, end - 1) if opened < 0 else quoted_at(data, opened, end - 1)
    if span is None or not is_value(data, span, quoted=True):
        return None
    fetches = _FETCHES.search(data[max(0, start - LOOK_BEHIND) : start]) is not None
    glued = data[start + 2 : start + 3] == b"u" and data[start + 3 : start + 4] not in {
        b" ",
        b"\t",
        b"=",
        b'"',
        b"'",
    }
    if not fetches and (glued or data[start + 2 : start + 3] == b"a" or b"," in data[start : span[0]]):
        return None
    return span if fetches or is_strong(data[span[0] : span[1]]) else None


def _told(data: bytes, start: int, end: int) -> Span | None:
    """`--password x`, `-storepass x`; what a manual calls the value is none."""
    if before(data, start) in ALNUM_BYTES or data[:start].endswith(_KEPT_BY_NAME):  # a three-token tuple
        return None
    if (other := _OTHERS_TOKEN.match(data, start, end)) is not None and NOT_SECRET_BEFORE.search(other[1]):
        return None  # --continuation-token
    span = _value(data, start, end)
    quoted = span is not None and data[span[0] - 1 : span[0]] in {b"'", b'"'}
    if span is None or _SOURCE.match(data, span[0]) or not is_value(data, span, quoted=quoted):
        return None
    # The next word of a list, or what a manual says below; MySQL asks for what does not follow at once.
    if b"\n" in data[start:end] or _ASKS.search(data[max(0, start - LOOK_BEHIND) : start]):
        return span if is_strong(data[slice(*span)]) else None
    return span


_OTHERS_TOKEN = re.compile(rb"-((?:[A-Za-z]{1,16}[_-]){1,2})(?i:token|key|secret)")
_KEPT_BY_NAME = b"config set -"
"""Of what is kept as `--secret` the name follows first."""
_ASKS = re.compile(rb"\b(?:mysql|mariadb)[\w-]*[ \t][^\r\n\0|]*\Z")
_SOURCE = re.compile(rb"(?:pass|env|file|fd):|stdin\b")


def _piped(data: bytes, start: int, end: int) -> Span | None:
    """`echo SECRET | docker login --password-stdin`, `echo user:SECRET | chpasswd`: the last word before the pipe."""
    if _READS.match(data, start) is None:
        return None
    said = _SAID.search(data, max(0, start - _LONGEST_SAID), start)
    if said is None:
        return None
    span = said.span(said.lastindex or 1)
    if b"base64" in data[start:end]:
        colon = data.find(b":", *span)
        return (colon + 1, span[1]) if colon > 0 and is_strong(data[colon + 1 : span[1]]) else None
    if b"chpasswd" in data[start : end + 2] and (colon := data.find(b":", *span)) >= 0:
        span = (colon + 1, span[1])
    return span if is_value(data, span, quoted=True) else None


_LONGEST_SAID = 320
_SAID = re.compile(
    rb"\b(?:echo|printf)[ \t](?:[^\r\n\0|]{0,64}[ \t])?(?:'([^'\r\n\0]{1,256})'|\"([^\"\r\n\0]{1,256})\"|([^\s\0'\"|]{1,256}))[ \t]*\Z"
)
_READS = re.compile(
    rb"\|[ \t]*(?:[^\r\n\0|]{0,160}(?:--?password-stdin|--with-token|--pass(?:phrase)?-fd[ =]?0|--stdin|-pass(?:in|out)?[ \t]stdin|--key-file[ =]?-)"
    rb"|(?:sudo[ \t]+(?:-[A-Za-z]+[ \t]+){0,3})?(?:chpasswd|passwd|cryptsetup|kinit|smbpasswd|vncpasswd|su|base64)\b"
    rb"|sudo[ \t]+(?:-[A-Za-z]+[ \t]+){0,3}-[A-Za-z]*S"
    rb"|(?:docker|podman)[ \t]secret[ \t]create|gcloud[ \t]secrets|(?:npx[ \t])?wrangler[ \t]secret|gh[ \t]secret[ \t]set|vercel[ \t]env[ \t]add|pass[ \t]insert|vault[ \t]login)"
)
"""Commands that read a secret from their input."""
_READERS = rb"sudo|docker|podman|nerdctl|buildah|skopeo|helm|oras|crane|chpasswd|passwd|cryptsetup|kinit|smbpasswd|vncpasswd|su|openssl|gpg2?|gh|glab|vault|gcloud|npx|wrangler|vercel|pass|az|oc|argocd|base64"
_TOLD_TO_READ = rb"(?:--?password-stdin|--with-token|--pass(?:phrase)?-fd[ =]?0|--stdin|--password|-pass(?:in|out)?[ \t]stdin|\b(?:chpasswd|passwd|kinit|cryptsetup|smbpasswd|reset-password)|\b(?:pass[ \t]insert|vercel[ \t]env[ \t]add|secret[ \t]set|secret[ \t]put)|\bsudo[ \t](?:-[A-Za-z]{1,4}[ \t]){0,3}-[A-Za-z]{0,3}S|\bread[ \t]-[a-z]{0,3}s[a-z]{0,3})"


def _source(data: bytes, start: int, end: int) -> Span | None:
    colon = data.index(b"pass:", start + 5, end)
    quote = data[colon - 1 : colon]
    span = quoted_at(data, colon - 1, end - 1) if quote in {b"'", b'"'} else value_at(data, colon + 5)
    return span if span is not None and is_value(data, span, quoted=True) else None


_SECRET_MADE = re.compile(
    rb"\bsecrets?[ \t]{1,3}(?:generic|tls|docker-registry)\b(?:(?!configmap)[^\0|;])*\Z"
)


def _literal(data: bytes, start: int, end: int) -> Span | None:
    """Of a Secret of Kubernetes what looks like one; a ConfigMap is made with the same option."""
    made = _SECRET_MADE.search(data[max(0, start - 4 * LOOK_BEHIND) : start])
    return _secret_value(data, start, end) if made is not None else None


def _sent(data: bytes, start: int, end: int) -> Span | None:
    if not _ASKED.search(data[max(0, start - LOOK_BEHIND) : start]):
        return None
    match = _TO_ESCAPE.match(data, end - 1)
    return match.span() if match is not None and is_value(data, match.span(), quoted=True) else None


_ASKED = re.compile(rb"assword[^\r\n\0]{0,40}(?:\r?\n[ \t]{0,16})?\Z")
_TO_ESCAPE = re.compile(rb"[^\\\"'}\r\n\0]{3,128}")


def _user_alone(data: bytes, start: int, end: int) -> Span | None:
    """`curl -u TOKEN:`, with an empty password."""
    if not _FETCHES.search(data[max(0, start - LOOK_BEHIND) : start]):
        return None
    token = _TOKEN_ALONE.search(data, start, end)
    return token.span() if token is not None and is_random(token.group(), least=16) else None


_TOKEN_ALONE = re.compile(rb"[A-Za-z0-9_-]{16,128}(?=:)")


COMMANDS = (
    Shape(
        pattern=rb"[ \t]-(?:u|-user)[ \t=]{0,2}[\"']?[A-Za-z0-9_-]{16,128}:[\"' \t\r\n]", check=_user_alone
    ),
    Shape(
        pattern=rb"[ \t\"']-[pPawscAXkKN]"
        + _GAP
        + rb"?\\?(?:[\"']?[A-Za-z0-9!#$%^&*+=_~@.,]|[\"'][(){}\[\]<>:;?/|])",
        check=_letter,
    ),
    Shape(
        pattern=rb"[ \t\"']-(?:u|(?:-user|-?(?:proxy-)?auth|-proxy-user|-creds|[uUaA])"
        + _GAP
        + rb")\\?[\"']?[^\s\0:'\"/%,]{1,64}[:%,][\"']?[^\s\0'\":/]",
        check=_user_and_password,
    ),
    Shape(
        pattern=rb"-(?i:(?:[a-z]{1,12}-){0,2}[a-z]{0,12}password|passwd|passphrase|(?:root|db|admin|user|bind|key|smtp|proxy|http|https|ftp|tls|require|master|auth)?pass|token|secret|api-?key|secret-string|oauth2-bearer"
        rb"|(?:src|dest|new)?(?:storepass|keypass)|(?:private|master|access|secret|encryption|signing|account|storage|hmac)[_-]key"
        rb"|[a-z]{2,12}[_-](?:pass|secret|token))(?:(?:[ \t]{1,4}|\r?\n(?:[ \t]{1,24}|[ \t]{0,24}-[ \t]))\\?[\"']?|\\?[\"'],\s{0,24}(?:[A-Za-z0-9]{1,4}=)?\\?[\"'])[^\s\0\"'-]",
        check=_told,
    ),
    # openssl: the source that is the secret itself
    Shape(pattern=rb"-pass(?:in|out|word)?" + _GAP + rb"[\"']?pass:[\"']?[^\s\0\"']", check=_source),
    # a substitution or a command in the place of a file
    Shape(
        pattern=rb"(?:-(?i:pass(?:word|phrase)?|secret|token|key)-?(?i:file|command)|\bsshpass[ \t]-f)[ =][\"']?(?:<\()?[ \t]{0,2}(?:echo|printf)(?:[ \t]-n)?(?:[ \t][\"']?%s(?:\\n)?[\"']?)?[ \t]{1,2}[\"']?[^\s\0\"'%]",
        check=_value,
    ),
    Shape(pattern=rb"\|[ \t]{0,4}(?:" + _READERS + rb")\b", check=_piped),
    Shape(pattern=_TOLD_TO_READ + rb"[^\r\n\0|<]{0,80}<<<[ \t]{0,2}[\"']?[^\s\0\"']", check=_value),
    # commands that are told it by its place
    word(
        rb"(?:wpa_passphrase|plink|pscp|psftp|putty|neo4j-admin(?:[ \t]dbms)?|mosquitto_passwd|ipmitool|samba-tool|redis-cli|valkey-cli|vncpasswd)[ \t]"
        rb"(?:[^\r\n\0|]{0,80}[ \t])?(?:-pw|set-initial-password|-b[ \t]{1,2}[^\s\0]{1,60}[ \t]{1,2}[^\s\0]{1,40}|set[ \t]password[ \t][0-9]{1,2}|user[ \t](?:create|add)[ \t][^\s\0]{1,40}|(?i:auth)(?:[ \t][A-Za-z0-9._-]{1,32})?)[ \t]{1,2}[\"']?[^\s\0\"'-]",
        _value,
    ),
    word(
        rb"wpa_passphrase[ \t]{1,2}(?:\"[^\"\r\n\0]{1,32}\"|'[^'\r\n\0]{1,32}'|[^\s\0\"']{1,32})[ \t]{1,2}[\"']?[^\s\0\"']",
        _value,
    ),
    word(
        rb"(?:openssl[ \t]passwd(?:[ \t]-[a-z0-9]{1,5}){0,3}|mkpasswd(?:[ \t]-m[ \t][a-z0-9-]{1,12})?|cargo[ \t]login|bw[ \t]login[ \t][^\s\0]{1,64}"
        rb"|poetry[ \t]config[ \t]http-basic\.[^\s\0]{1,40}[ \t][^\s\0]{1,64}|mc[ \t](?:alias[ \t]set|config[ \t]host[ \t]add)(?:[ \t][^\s\0]{1,80}){3}|iwconfig[ \t][a-z0-9]{1,12}[ \t]key[ \t]s"
        rb"|pdftk[ \t][^\r\n\0]{1,120}[ \t](?:input|user|owner)_pw|smbclient[ \t]{1,2}[\"']?(?://|\\\\)[^\s\0]{1,80}|openssl[ \t](?:dgst|mac)[ \t](?:[^\r\n\0|]{0,60}[ \t])?-hmac)(?:[ \t]{1,2}|:)[\"']?[^\s\0\"'-]",
        _value,
    ),
    word(
        rb"htpasswd[ \t]{1,4}(?:-[a-mo-zA-Z]{0,4}b[a-mo-zA-Z]{0,4}(?:[ \t]{1,4}-C[ \t]?[0-9]{1,2})?[ \t]{1,4}[^\s\0|<>&;-][^\s\0]{0,60}|-(?:[a-zA-Z]{0,2}n[a-zA-Z]{0,2}b|[a-zA-Z]{0,2}b[a-zA-Z]{0,2}n)[a-zA-Z]{0,2}(?:[ \t]{1,4}-C[ \t]?[0-9]{1,2})?)[ \t]{1,4}[A-Za-z0-9._@-]{1,32}[ \t]{1,4}[\"']?[^\s\0\"'|<>&;-]",
        _value,
    ),
    word(rb"net[ \t]use[ \t](?:[A-Za-z*]:[ \t])?\\{2,4}[^\s\0]{1,80}[ \t][\"']?[^\s\0\"'/*]", _secret_value),
    Shape(pattern=rb"-(?:-cert|E)[ =][\"']?[^\s\0:\"']{1,80}:[^\s\0\"'/]", check=_secret_value),
    word(rb"(?i:schtasks)[ \t](?:[^\r\n\0|]{0,200}[ \t])?/(?i:rp)[ \t]{1,2}[\"']?[^\s\0\"'*]", _value),
    Shape(
        pattern=rb"(?i:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key)[\"']?[ \t]{1,2}/t[ \t]{1,2}REG_[A-Z_]{2,12}[ \t]{1,2}/d[ \t]{1,2}[\"']?[^\s\0\"']",
        check=_value,
    ),
    # what programs take where nothing is told
    Shape(
        pattern=rb"-(?i:[a-z-]{0,24}(?:password|passwd|passphrase|secret|token|api-?key))[\"'],[^\r\n\0]{0,80}[ (,]default[ \t]?=[ \t]?[\"'][^\s\0\"']",
        check=_value,
    ),
    word(
        rb"nmcli[ \t](?:[^\r\n\0|]{0,120}[ \t])?(?:password|wifi-sec\.psk|802-1x\.password)[ \t]{1,2}[\"']?[^\s\0\"'-]",
        _value,
    ),
    # expect: what is sent when a password is asked for
    Shape(pattern=rb"\bsend(?:[ \t]--)?[ \t][\"'{][^\s\0\"'$\\]", check=_sent),
    word(rb"(?i:[wx]freerdp3?|mstsc)[ \t](?:[^\r\n\0|]{0,120}[ \t])?/p:[\"']?[^\s\0\"']", _value),
    word(rb"ansible-vault[ \t]encrypt_string[ \t](?:[^\r\n\0|\"']{0,80}[ \t])?[\"'][^\s\0\"']", _value),
    # commands that keep secrets, whatever those are called
    Shape(
        pattern=rb"--from-literal" + _GAP + rb"[\"']?[A-Za-z0-9._-]{1,64}=[\"']?[^\s\0\"']", check=_literal
    ),
    word(
        rb"(?:az[ \t]keyvault[ \t]secret[ \t]set|aws[ \t](?:ssm[ \t]put-parameter|secretsmanager[ \t][a-z-]{8,24}))[ \t](?:[^\r\n\0|]{0,300}[ \t])?--(?:value|secret-string)[ =][\"']?[^\s\0\"'{-]",
        _secret_value,
    ),
    word(
        rb"(?:(?:gh|doppler|fly|flyctl|supabase|dotnet[ \t]user-)[ \t]?secrets?[ \t](?:set|put)|pulumi[ \t]config[ \t]set|heroku[ \t]config:set|netlify[ \t]env:set|glab[ \t]variable[ \t]set|chamber[ \t]write[ \t][^\s\0]{1,60}|credstash[ \t]put|vault[ \t](?:kv[ \t])?(?:put|write)[ \t][^\s\0]{1,100}|etcdctl[ \t]put|consul[ \t]kv[ \t]put)"
        rb"[ \t](?:--secret[ \t])?[\"']?[A-Za-z0-9._:/-]{1,64}[\"']?(?:[ \t]{1,2}(?:--?b(?:ody)?[ =])?|=)[\"']?[^\s\0\"'-]",
        _strong_value,
    ),
)
