"""What words in paths, methods and tool names tell: hints, so that they only ever make a request more than its verb."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.model import Effect

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = re.compile(r"[^A-Za-z0-9]+")

DESTROYING = frozenset(
    [
        "purge",
        "wipe",
        "truncate",
        "drop",
        "flush",
        "destroy",
        "shutdown",
        "terminate",
        "kill",
        "stop",
        "restart",
        "reboot",
        "poweroff",
        "halt",
        "erase",
        "clear",
        "evict",
        "deleteall",
        "removeall",
        "uninstall",
        "decommission",
        "failover",
        "reset",
        "nuke",
        "prune",
        "rollback",
        "suspend",
        "deactivate",
        "drain",
        "empty",
    ]
)
DELETING = frozenset(["delete", "remove", "del", "rm", "unlink", "discard", "archive", "trash", "expunge"])
PRIVILEGED = frozenset(
    [
        "role",
        "roles",
        "permission",
        "permissions",
        "grant",
        "grants",
        "revoke",
        "acl",
        "acls",
        "policy",
        "policies",
        "iam",
        "rbac",
        "member",
        "members",
        "membership",
        "memberships",
        "collaborator",
        "collaborators",
        "admin",
        "admins",
        "token",
        "tokens",
        "apikey",
        "apikeys",
        "apitoken",
        "key",
        "keys",
        "credential",
        "credentials",
        "password",
        "passwords",
        "passwd",
        "secret",
        "secrets",
        "sso",
        "saml",
        "oidc",
        "mfa",
        "2fa",
        "totp",
        "webhook",
        "webhooks",
        "hook",
        "hooks",
        "audit",
        "impersonate",
        "sudo",
        "login",
        "logins",
        "signin",
        "auth",
        "oauth",
        "owner",
        "owners",
        "privilege",
        "privileges",
        "firewall",
        "acme",
        "certificate",
        "certificates",
        "cert",
        "certs",
        "trust",
        "promote",
        "elevate",
        "authorize",
        "invitation",
        "invitations",
        "invite",
    ]
)
EXECUTING = frozenset(
    [
        "exec",
        "execute",
        "eval",
        "evaluate",
        "shell",
        "console",
        "cmd",
        "command",
        "commands",
        "script",
        "scripts",
        "scripttext",
        "run",
        "runs",
        "invoke",
        "spawn",
        "bash",
        "sh",
        "powershell",
        "terminal",
        "deploy",
        "deployments",
        "build",
        "builds",
        "trigger",
        "dispatch",
        "rce",
        "code",
        "notebook",
        "job",
        "jobs",
        "pipeline",
        "pipelines",
    ]
)
SECRET = frozenset(
    [
        "secret",
        "secrets",
        "credential",
        "credentials",
        "password",
        "passwords",
        "passwd",
        "apikey",
        "apikeys",
        "privatekey",
        "masterkey",
        "kubeconfig",
        "keystore",
        "vault",
        "heapdump",
        "threaddump",
        "configprops",
        "dump",
        "dumps",
        "backup",
        "backups",
        "coredump",
        "shadow",
        "keytab",
        "pgpass",
        "netrc",
        "htpasswd",
    ]
)
READING = frozenset(
    [
        "get",
        "list",
        "read",
        "search",
        "find",
        "describe",
        "show",
        "lookup",
        "count",
        "status",
        "head",
        "view",
        "ping",
        "version",
        "info",
        "tail",
        "stat",
        "stats",
        "query_status",
        "summarize",
        "summary",
        "explain",
        "browse",
        "inspect",
        "check",
        "validate",
        "preview",
        "history",
        "schema",
        "tree",
        "glob",
        "grep",
        "diff",
    ]
)
SENDING = frozenset(
    [
        "send",
        "email",
        "mail",
        "post",
        "publish",
        "upload",
        "export",
        "share",
        "forward",
        "notify",
        "tweet",
        "message",
        "sms",
        "transfer",
    ]
)
CHANGING = frozenset(
    [
        "create",
        "update",
        "set",
        "put",
        "write",
        "edit",
        "add",
        "insert",
        "append",
        "patch",
        "replace",
        "rename",
        "move",
        "copy",
        "save",
        "merge",
        "close",
        "open",
        "approve",
        "cancel",
        "start",
        "enable",
        "disable",
        "pay",
        "refund",
        "assign",
        "comment",
        "reply",
        "commit",
        "push",
        "fork",
        "install",
        "register",
        "import",
        "sync",
        "apply",
        "migrate",
        "rewrite",
        "submit",
        "process",
        "mutate",
        "overwrite",
        "swap",
        "upsert",
        "revert",
        "restore",
        "load",
        "unload",
        "lock",
        "unlock",
        "mark",
        "toggle",
        "rotate",
        "renew",
        "generate",
        "regenerate",
        "issue",
        "sign",
        "ban",
        "block",
        "hide",
        "charge",
        "order",
        "buy",
        "sell",
        "withdraw",
        "deposit",
        "book",
        "schedule",
        "upgrade",
        "downgrade",
        "scale",
        "attach",
        "detach",
        "bind",
        "connect",
        "call",
        "emit",
        "pull",
        "clone",
        "checkout",
        "switch",
        "turn",
        "release",
        "fix",
        "modify",
        "change",
        "alter",
        "make",
        "resolve",
        "accept",
        "reject",
        "convert",
        "repair",
        "refresh",
        "rebuild",
        "reindex",
        "resize",
    ]
)
VERBS = READING | CHANGING | DELETING | DESTROYING | EXECUTING | SENDING
_FILES = re.compile(
    r"(?:\.(?:env|git|svn|hg|aws|ssh|kube|docker|htpasswd|htaccess|pgpass|netrc|npmrc|bash_history|ds_store)(?:/|$|\.)"
    r"|\.(?:pem|key|p12|pfx|jks|kdbx|bak|old|swp|sql|sqlite3?|db|dump|hprof|keytab|ppk)$"
    r"|(?:^|/)(?:id_rsa|id_ed25519|id_ecdsa|wp-config\.php|web\.config|etc/passwd|etc/shadow|proc/self/environ|server-status|phpinfo\.php)"
    r"(?:/|$))",
    re.IGNORECASE,
)


def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a name: `deleteUser`, `delete-user` and `delete_user` are the same two, and one more when run together."""
    found: dict[str, None] = {}
    for part in filter(None, _SPLIT.split(name)):
        found |= dict.fromkeys(word.lower() for word in _CAMEL.split(part))
        found[part.lower()] = None  # whole as well: `ShutDown`, `pUrge`
    return tuple(found)


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


def plainly_reads(name: str) -> bool:
    """Whether a method's or tool's name says that it only looks, and nothing in it says otherwise."""
    found = words(name)
    verbs = set(found) & VERBS
    return bool(set(found[:3]) & verbs) and verbs <= READING and not set(found) & (SECRET | PRIVILEGED)
