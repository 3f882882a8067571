"""The clouds' own command lines."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import D, E, P, R, W
from gateway.facts.shell.values import static

_CLOUDS = """
    aws gcloud az gsutil doctl linode-cli hcloud oci ibmcloud s3cmd azcopy eksctl heroku flyctl vercel netlify
"""


def _any_of(names: str) -> str:
    return "|".join(names.split())


_CLOUD_READS = re.compile(
    "(?:"
    + _any_of(
        """
        describe list get show ls head lookup search query scan filter batch-get estimate validate test check wait version
        info tail status help diff preview view read count current sts history detect whoami availability
        """
    )
    + r")(?:-|\Z)"
)
_CLOUD_DESTROYS = re.compile(
    "(?:"
    + _any_of(
        """
        delete terminate stop remove rm rb destroy purge deregister disable reboot cancel abort reset release detach revoke
        kill suspend deallocate restart drain empty schedule-key-deletion shutdown clear evict
        """
    )
    + r")(?:-|\Z)"
)
_CLOUD_PRIVILEGE = re.compile(
    _any_of(
        """
        iam policy policies role permission acl grant binding authorize identity user login-profile assume sts sso ad mfa
        auth credential password access-key ssh-key key-pair kms keyvault service-account organizations configure
        security-group firewall nsg waf public-access cloudtrail trail guardduty config-recorder logging flow-logs
        """
    )
)
_CLOUD_SECRETS = re.compile(
    _any_of(
        r"""
        secret parameter password credential token private-key keys list-keys admin-key access-key decrypt kubeconfig
        connection-string appsettings publishing console-output user-data export get-object(?:/|\Z) lambda/get-function
        get-session get-authorization get-login get-federation get-value get-credentials assume-role
        auth/print print-identity print-access access\Z sas\Z
        """
    )
)
_CLOUD_EXEC = re.compile(
    _any_of(
        r"""
        ssh ssm run-command send-command invoke start-session execute exec\Z cloud-shell run-job extension call\Z
        """
    )
)


def _cloud(call: Call) -> str | None:
    given = options(
        call.args,
        takes="gnto",
        long="""
            region profile output query endpoint-url project zone resource-group name subscription format
            filters instance-ids bucket key function-name cluster table-name secret-id log-group-name role-arn
            group-name filter limit location account vault-name namespace cli-input-json
            db-instance-identifier stack-name max-items start-time end-time dimensions metric-name statistics
            period names ids owners path
        """,
    )
    words = [word for word in given.operands if not word.startswith("-")]
    if any(not static(word) for word in words[:2]):
        call.doubt("a subcommand is not known")
        return None
    if given.has("endpoint-url"):
        call.add(E)
    if not words:
        call.add(R)
        return None
    if (
        (call.name == "aws" and words[0] == "s3")
        or call.name in {"gsutil", "s3cmd", "mc-n", "azcopy"}
        or (words[:1] == ["storage"] and call.name == "gcloud")
    ):
        return _storage(
            call, words[1:] if call.name == "aws" else words[1:] if call.name == "gcloud" else words
        )
    if call.name == "aws" and words[:2] == ["sts", "get-caller-identity"]:
        call.add(R)
        return None
    path = "/".join(words[:4])
    verb = next(
        (word for word in reversed(words[:5]) if _CLOUD_READS.match(word) or _CLOUD_DESTROYS.match(word)),
        words[1] if len(words) > 1 else words[0],
    )
    if call.name == "aws" and len(words) > 1:
        verb = words[1]
    if _CLOUD_EXEC.search(path) and not _CLOUD_READS.match(verb):
        call.execute("a program elsewhere is run")
    if _CLOUD_READS.match(verb):
        call.add(R)
        if (
            _CLOUD_SECRETS.search(path)
            and not verb.startswith(("describe", "list-s", "list-a", "list-r"))
            and verb != "list"
        ) or any(
            word in path
            for word in (
                "list-keys",
                "keys/list",
                "connection-string",
                "list-connection",
                "get-credentials",
                "publishing",
                "appsettings",
            )
        ):
            call.add(E)
    elif _CLOUD_SECRETS.search(path) and verb not in {"create", "update", "put"}:
        call.add(E, P)
    else:
        call.add(D if _CLOUD_DESTROYS.match(verb) else W)
        if _CLOUD_PRIVILEGE.search(path):
            call.add(P)
    for arg in call.args:
        if arg.startswith(("file://", "fileb://")):
            call.read(arg.partition("://")[2])
    return None


def _storage(call: Call, words: list[str]) -> str | None:
    words = [w for w in words if w not in {"objects", "buckets"}]
    verb, operands = (words[0], words[1:]) if words else ("ls", [])
    if verb in {"ls", "du", "list", "stat", "cat", "info", "describe", "hash", "version", "presign-n"}:
        call.add(R)
    elif verb in {"rm", "rb", "del", "delete", "remove"}:
        call.add(W, D)
    elif verb in {"presign", "signurl", "acl", "iam", "setacl", "website", "policy", "setpolicy"}:
        call.add(P, E)
    elif verb in {"cp", "mv", "sync", "rsync", "put", "get", "copy", "mb"}:
        remote = re.compile(r"(?:s3|gs|https?)://")
        call.add(W)
        if operands and (remote.match(operands[-1]) or not static(operands[-1])) and verb != "mb":
            call.add(E)
        for path in operands[:-1]:
            if not remote.match(path):
                call.read(path, deep=True)
        if operands and not remote.match(operands[-1]):
            call.write(operands[-1])
        if "--delete" in call.args or verb == "mv":
            call.add(D)
    else:
        call.doubt("a subcommand is not known")
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_CLOUDS, _cloud),
}
