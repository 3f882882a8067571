"""The clouds' own command lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import zip_longest

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import D, E, P, R, W
from gateway.facts.shell.values import static, words

CLOUDS = """
    aws gcloud az gsutil doctl linode-cli hcloud oci ibmcloud s3cmd azcopy eksctl heroku flyctl vercel netlify
"""


def _any_of(names: str, *, verb: bool = False) -> re.Pattern[str]:
    """Any of the names, anywhere; of a `verb`, at its beginning and up to a hyphen."""
    found = "|".join(names.split())
    return re.compile(rf"(?:{found})(?:-|\Z)" if verb else found)


_READS = _any_of(
    """
    describe list get show ls head lookup search query scan filter batch-get estimate validate test check wait version
    info tail status help diff preview view read count current sts history detect whoami availability
    """,
    verb=True,
)
_DESTROYS = _any_of(
    """
    delete terminate stop remove rm rb destroy purge deregister disable reboot cancel abort reset release detach revoke
    kill suspend deallocate restart drain empty schedule-key-deletion shutdown clear evict
    """,
    verb=True,
)
_CHANGES = _any_of(
    """
    create update add set start deploy run resize ssh scp enable attach import patch apply put restore move upgrade
    rotate promote failover invoke publish submit clone insert write replace tag untag label assign grant undelete
    resume scale link unlink register install configure connect execute send rename init migrate activate deactivate
    sign encrypt decrypt copy cp edit modify allow authorize bind lock unlock mount login logout use power rebuild
    rollback redeploy reimage swap transfer upload download sync up save push pull generate regenerate renew poweron
    poweroff reboot shutdown snapshot backup fork join approve reject call open close stage convert change
    """,
    verb=True,
)
_NOUNS = words("snapshot backup tag lock link transfer sync image run deploy search test restore-point")
"""What is a group of commands as well, where a verb follows."""
_VERB_FIRST = words("eksctl heroku flyctl vercel netlify")
_PRIVILEGE = _any_of(
    """
    iam policy policies role permission acl grant binding authorize identity user login-profile assume sts sso ad mfa
    auth credential password access-key ssh-key key-pair kms keyvault service-account organizations configure
    security-group firewall nsg waf public-access cloudtrail trail guardduty config-recorder logging flow-logs
    """
)
_SECRETS = _any_of(
    r"""
    secret parameter password credential token private-key keys list-keys admin-key access-key decrypt kubeconfig
    connection-string appsettings publishing console-output user-data export get-object(?:/|\Z) lambda/get-function
    get-session get-authorization get-login get-federation get-value get-credentials assume-role
    auth/print print-identity print-access access\Z sas\Z
    """
)
_LISTED_SECRETS = _any_of(
    "list-keys keys/list connection-string list-connection get-credentials publishing appsettings env:list env/list"
)
"""Secrets that are shown by a verb that only describes and lists elsewhere."""
_EXEC = _any_of(
    r"""
    ssh ssm run-command send-command invoke start-session execute exec\Z cloud-shell run-job extension call\Z
    """
)
_STORAGE = words("gsutil s3cmd azcopy")
_STORED_ELSEWHERE = re.compile(r"(?:s3|gs|https?)://")
TAKES = "gnto"
LONG = """
    region profile output query endpoint-url project zone resource-group name subscription format filters instance-ids
    bucket key function-name cluster table-name secret-id log-group-name role-arn group-name filter limit location
    account vault-name namespace cli-input-json db-instance-identifier stack-name max-items start-time end-time
    dimensions metric-name statistics period names ids owners path
"""


def _cloud(call: Call) -> str | None:
    given = options(call.args, takes=TAKES, long=LONG)
    named = [word for word in given.operands if not word.startswith("-")]
    if not all(map(static, named[:2])):
        call.doubt("a subcommand is not known")
        return None
    if given.has("endpoint-url"):
        call.add(E)
    if not named:
        call.add(R)
    elif call.name in _STORAGE:
        _storage(call, named)
    elif (call.name, named[0]) in {("aws", "s3"), ("gcloud", "storage")}:
        _storage(call, named[1:])
    elif call.name == "aws" and named[:2] == ["sts", "get-caller-identity"]:
        call.add(R)
    else:
        _judged(call, named)
    return None


def _judged(call: Call, named: list[str]) -> None:
    path, verb = "/".join(named[:4]), _verb(call.name, named)
    if _EXEC.search(path) and not _READS.match(verb):
        call.execute("a program elsewhere is run")
    if _READS.match(verb):
        call.add(R)
        only_listed = verb == "list" or verb.startswith(("describe", "list-s", "list-a", "list-r"))
        if _LISTED_SECRETS.search(path) or (_SECRETS.search(path) and not only_listed):
            call.add(E)
        if any(arg.lower() == "userdata" for arg in call.args):
            call.add(E)  # what a machine is set up with, passwords among it
    elif _SECRETS.search(path) and verb not in {"create", "update", "put"}:
        call.add(E, P)
    else:
        call.add(D if _DESTROYS.match(verb) else W)
        if _PRIVILEGE.search(path):
            call.add(P)
    for arg in call.args:
        if arg.startswith(("file://", "fileb://")):
            call.read(arg.partition("://")[2])


def _verb(cloud: str, named: list[str]) -> str:
    """The word that says what is done: aws has it second, the others behind their groups and before what it is done to.

    What it is done to may be called like a verb (`delete test-1`), and so may a group (`search service delete`).
    """
    second = named[1] if len(named) > 1 else named[0]
    if cloud == "aws":
        return second
    parts = [part for word in named[:5] for part in word.split(":")]
    behind = parts if cloud in _VERB_FIRST else parts[1:]
    likely = [
        part
        for part, following in zip_longest(behind, behind[1:], fillvalue="")
        if _is_verb(part) and not (part in _NOUNS and _is_verb(following, whole=True))
    ]
    if not likely:
        return parts[0] if _is_verb(parts[0]) else second
    worse = (part for part in likely[1:] if _is_verb(part, whole=True) and not _READS.match(part))
    return next(worse, likely[0]) if _READS.match(likely[0]) else likely[0]


def _is_verb(word: str, *, whole: bool = False) -> bool:
    return any(
        pattern.fullmatch(word) if whole else pattern.match(word) for pattern in (_READS, _DESTROYS, _CHANGES)
    )


def _storage(call: Call, named: list[str]) -> None:
    """Files in the cloud: what goes up is read here, what comes down is written here."""
    named = [word for word in named if word not in {"objects", "buckets"}]
    verb, operands = (named[0], named[1:]) if named else ("ls", [])
    if verb in {"ls", "du", "list", "stat", "cat", "info", "describe", "hash", "version"}:
        call.add(R)
    elif verb in {"rm", "rb", "del", "delete", "remove"}:
        call.add(W, D)
    elif verb in {"presign", "signurl", "acl", "iam", "setacl", "website", "policy", "setpolicy"}:
        call.add(P, E)
    elif verb in {"cp", "mv", "sync", "rsync", "put", "get", "copy", "mb"}:
        _copied(call, verb, operands)
    else:
        call.doubt("a subcommand is not known")


def _copied(call: Call, verb: str, operands: list[str]) -> None:
    call.add(W)
    *sources, last = operands or [""]
    stored = _STORED_ELSEWHERE.match(last) is not None
    if (stored or not static(last)) and verb != "mb":
        call.add(E)
    for path in sources:
        if not _STORED_ELSEWHERE.match(path):
            call.read(path, deep=True)
    if operands and not stored:
        call.write(last)
    if "--delete" in call.args or verb == "mv":
        call.add(D)


HANDLERS: Mapping[str, Handler] = {
    **each(CLOUDS, _cloud),
}
