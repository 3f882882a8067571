"""Names of credentials, and of files that are not meant to be served."""

from __future__ import annotations

import re

from gateway.facts.http.words import parts, words

_STRONG = """
    secret secrets credential credentials password passwords passwd passphrase privatekey masterkey apikey apikeys kubeconfig
    keystore heapdump threaddump configprops httptrace coredump shadow keytab pgpass netrc htpasswd
    vault env environ dotenv creds keyring
"""
_CARRYING = """
    value values data hash hashes store list file files version versions text plain dump backup scanning content
    json yml yaml xml txt ini toml properties cfg conf csv gz tgz tar zip 7z bz2 sql rdb
"""
_ASKING_FOR = frozenset({"forgot", "forgotten", "change", "reset", "update", "lost", "recover"})
_WEAK = "token tokens key keys jwt pat pats"
_QUALIFYING = """
    access api auth private secret session refresh bearer signing encryption master personal root admin client shared storage
    aws list oauth oauth2 service account
"""
STRONG = frozenset(_STRONG.split())
"""Nouns that are credentials, or hold some, whatever stands before them."""
_CARRYING_WORDS = frozenset(_CARRYING.split())
_WEAK_WORDS = frozenset(_WEAK.split())
_QUALIFYING_WORDS = frozenset(_QUALIFYING.split())
_KEPT_WHOLE = frozenset({"backup", "dump"})
_NAME_MOST = 4
"""A name of more words is a title: `how-to-reset-your-password`."""
_FILES = re.compile(
    r"(?:(?:^|/)\.(?:env|git|svn|hg|aws|ssh|kube|docker|htpasswd|htaccess|pgpass|netrc|npmrc|bash_history|ds_store)(?:/|$|\.)"
    r"|\.(?:pem|key|p12|pfx|jks|kdbx|bak|old|swp|sql|sqlite3?|db|dump|hprof|keytab|ppk)(?:\.(?:gz|zip|bz2|xz|zst))?$"
    r"|(?:^|/)(?:id_rsa|id_ed25519|id_ecdsa|wp-config\.php|web\.config|etc/passwd|etc/shadow|proc/self/environ|server-status|phpinfo\.php|(?:trace|elmah)\.axd|__debug__|_profiler|(?:web|meta)-inf)"
    r"(?:/|$))",
    re.IGNORECASE,
)


def secret_file(path: str) -> bool:
    """Whether a path names a file that is not meant to be served."""
    return _FILES.search(path) is not None


def is_credential(name: str) -> bool:
    """Whether a name is that of something that opens doors: `secrets`, `apiKey`, `password_hash`; not `password-policy`."""
    found = parts(name)
    if not found or len(found) > _NAME_MOST or found[0] in _ASKING_FOR:
        return False
    head = len(found) - 1
    while head and found[head] in _CARRYING_WORDS:
        head -= 1
    if found[head] in _KEPT_WHOLE and head < len(found) - 1:
        return True  # `backup.zip`, and not `backup-schedule`
    if found[head] in STRONG or not STRONG.isdisjoint(words(name) - set(found)):
        return True
    return found[head] in _WEAK_WORDS and head > 0 and not _QUALIFYING_WORDS.isdisjoint(found[:head])
