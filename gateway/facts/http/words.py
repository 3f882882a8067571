"""What words in paths, methods and tool names tell: hints, so that they only ever make a request more than its verb."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.model import Effect

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = re.compile(r"[^A-Za-z0-9]+")

_DESTROYING = """
    purge wipe truncate drop flush destroy shutdown terminate kill stop restart reboot poweroff halt erase clear evict
    uninstall undeploy decommission failover reset nuke prune rollback suspend deactivate drain empty
    seal saferestart quitquitquit forcemerge
"""
_DELETING = "delete remove del rm unlink discard archive trash expunge"
_PRIVILEGED = """
    role roles permission permissions grant grants revoke acl acls policy policies iam rbac binding bindings member members
    membership memberships collaborator collaborators admin admins token tokens apikey apikeys apitoken key keys credential
    credentials password passwords passwd secret secrets sso saml oidc mfa 2fa totp webhook webhooks hook hooks audit
    impersonate sudo login logins signin auth oauth owner owners ownership privilege privileges firewall acme certificate
    certificates cert certs trust promote elevate authorize invitation invitations invite protection security entitlements
    unseal access
"""
_EXECUTING = """
    exec execute eval evaluate shell console cmd command commands script scripts scripttext run runs invoke invocations spawn
    bash sh powershell terminal deploy deployments build builds trigger dispatch dispatches rce code notebook job jobs pipeline
    pipelines dagruns
"""
_READING = """
    get list read search find describe show lookup count status head view ping version info tail stat stats summarize summary
    explain browse inspect check validate preview history schema tree glob grep diff fetch query scan retrieve select filter
    compare estimate calculate resolve whoami exists peek analyze suggest recommend
"""
_SENDING = "send email mail post publish upload export share forward notify tweet message sms transfer"
_CHANGING = """
    create update set put write edit add insert append patch replace rename move copy save merge close open approve cancel start
    enable disable activate pay refund assign comment reply commit push fork install register import sync apply migrate rewrite
    submit process mutate overwrite swap upsert revert restore load unload reload lock unlock mark toggle rotate renew generate
    regenerate issue sign ban unban block hide charge order buy sell withdraw deposit book schedule upgrade downgrade scale
    attach detach bind connect call emit pull clone checkout switch turn release fix modify change alter make accept reject
    convert repair refresh rebuild reindex resize delegate assume redeploy resume
"""
_THINGS = """
    issue order comment commit block release book schedule charge message post share process call lock run runs job jobs build
    builds code script scripts notebook pipeline pipelines command commands deployments trigger dispatches import export archive
    fork merge patch change pull email mail sms open load scale transfer refund deposit switch turn invocations console
    terminal schema history status version tree
"""
DELETING = frozenset(_DELETING.split())
DESTROYING = frozenset(_DESTROYING.split()) | {f"{verb}all" for verb in (*_DESTROYING.split(), *DELETING)}
PRIVILEGED = frozenset(_PRIVILEGED.split())
EXECUTING = frozenset(_EXECUTING.split())
READING = frozenset(_READING.split())
SENDING = frozenset(_SENDING.split())
VERBS = READING | frozenset(_CHANGING.split()) | DELETING | DESTROYING | EXECUTING | SENDING
CLEAR_DEEDS = VERBS - READING - frozenset(_THINGS.split())
"""Verbs that are hardly ever the name of a thing, as `issue` or `order` are."""
_LINKING = frozenset({"and", "or", "then"})
_LOOKED_AT = frozenset({"read", "get", "list", "search", "find", "describe", "lookup", "query"})

_STRONG = """
    secret secrets credential credentials password passwords passwd passphrase privatekey masterkey apikey apikeys kubeconfig
    keystore heapdump threaddump configprops httptrace dump dumps backup backups coredump shadow keytab pgpass netrc htpasswd
    vault env environ dotenv
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
_STRONG_WORDS = frozenset(_STRONG.split())
_CARRYING_WORDS = frozenset(_CARRYING.split())
_WEAK_WORDS = frozenset(_WEAK.split())
_QUALIFYING_WORDS = frozenset(_QUALIFYING.split())
_NAME_MOST = 4
"""A name of more words is a title: `how-to-reset-your-password`."""
_FILES = re.compile(
    r"(?:(?:^|/)\.(?:env|git|svn|hg|aws|ssh|kube|docker|htpasswd|htaccess|pgpass|netrc|npmrc|bash_history|ds_store)(?:/|$|\.)"
    r"|\.(?:pem|key|p12|pfx|jks|kdbx|bak|old|swp|sql|sqlite3?|db|dump|hprof|keytab|ppk)$"
    r"|(?:^|/)(?:id_rsa|id_ed25519|id_ecdsa|wp-config\.php|web\.config|etc/passwd|etc/shadow|proc/self/environ|server-status|phpinfo\.php|(?:trace|elmah)\.axd|__debug__|_profiler)"
    r"(?:/|$))",
    re.IGNORECASE,
)


def parts(name: str) -> tuple[str, ...]:
    """The lower-case words of a name in order: `deleteUser`, `delete-user` and `delete_user` are the same two."""
    return tuple(
        word.lower() for part in filter(None, _SPLIT.split(name)) for word in _CAMEL.split(part) if word
    )


def words(name: str) -> frozenset[str]:
    """The words of a name, and those that only a change of case cuts, whole as well: `ShutDown`, `pUrge`."""
    return frozenset(parts(name)) | {part.lower() for part in filter(None, _SPLIT.split(name))}


def hinted(found: Iterable[str]) -> set[Effect]:
    """What a request that changes something also does, going by its words."""
    known = frozenset(found)
    effects: set[Effect] = set()
    if known & DESTROYING:
        effects.add(Effect.DESTRUCTIVE)
    if known & PRIVILEGED:
        effects.add(Effect.PRIVILEGE)
    if known & EXECUTING:
        effects.add(Effect.EXEC)
    if known & SENDING:
        effects.add(Effect.EXFIL)
    return effects


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
    if found[head] in _STRONG_WORDS or not _STRONG_WORDS.isdisjoint(words(name) - set(found)):
        return True
    return found[head] in _WEAK_WORDS and head > 0 and not _QUALIFYING_WORDS.isdisjoint(found[:head])


def plainly_reads(name: str) -> bool:
    """Whether a method's or tool's name says that it only looks, and nothing in it says otherwise.

    The first verb decides (`get_issue`, `github_list_commits`), or the last where things come first (`issue_read`).
    """
    found = parts(name)
    everything = words(name)
    if everything & CLEAR_DEEDS or (everything & _LINKING and everything & VERBS - READING):
        return False
    if is_credential(name) or everything & _STRONG_WORDS or {"token", "tokens"} & set(found[-1:]):
        return False
    first = next((word for word in found[:3] if word in VERBS), "")
    return first in READING or (found[-1:] and found[-1] in _LOOKED_AT and first not in SENDING) is True
