"""Tools with subcommands: git, containers, Kubernetes, infrastructure, clouds, secrets, databases."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.postgres import read as read_postgres
from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.values import WILD, static
from gateway.model import Effect

R, W, D, P, X, E, S = (
    Effect.READ,
    Effect.WRITE,
    Effect.DESTRUCTIVE,
    Effect.PRIVILEGE,
    Effect.EXEC,
    Effect.EXFIL,
    Effect.SESSION,
)
_Table = Mapping[str, tuple[Effect, ...]]


def _table(*rows: tuple[str, tuple[Effect, ...]]) -> _Table:
    return {word: effects for words, effects in rows for word in words.split()}


def _judge(call: Call, table: _Table, *words: str) -> tuple[Effect, ...]:
    """The longest of the subcommand's words that the table knows decides; none is unknown."""
    for length in range(min(len(words), 3), 0, -1):
        key = "/".join(words[:length])
        if key in table:
            call.add(*table[key])
            return table[key]
    if not words:
        call.add(R)
    else:
        call.doubt("a subcommand is not known")
    return ()


_GIT = _table(
    ("log diff status show blame shortlog describe rev-parse rev-list ls-files ls-tree ls-remote cat-file name-rev merge-base for-each-ref show-ref count-objects whatchanged cherry diff-tree diff-index diff-files var version help check-ignore check-attr grep range-diff fsck verify-commit verify-tag show-branch reflog annotate remote/show remote/get-url remote/-v stash/list stash/show submodule/status worktree/list notes/show notes/list bundle/verify bisect/log config/--get config/--list config/-l config/--get-all config/--get-regexp config/get config/list ls get-tar-commit-id interpret-trailers stripspace symbolic-ref lfs/ls-files lfs/status lfs/env sparse-checkout/list maintenance/run diff-pairs fetch-pack upload-pack", (R,)),
    ("add commit mv restore checkout switch merge rebase cherry-pick revert am apply stash stash/push stash/pop stash/apply tag branch init pull clone fetch submodule submodule/update submodule/init submodule/add worktree worktree/add notes notes/add bisect gc repack pack-refs prune-packed read-tree update-index write-tree commit-tree hash-object mktag format-patch archive bundle sparse-checkout rerere remote remote/add remote/rename remote/set-url remote/update replace lfs lfs/pull lfs/fetch update-ref fast-import rm", (R, W)),
    ("reset clean stash/drop stash/clear prune remote/remove remote/rm reflog/expire reflog/delete worktree/remove branch/-D filter-branch filter-repo update-ref/-d", (W, D)),
    ("push send-email request-pull svn p4 lfs/push receive-pack", (W, E)),
    ("difftool mergetool instaweb daemon credential credential-store credential-cache http-backend shell web--browse gui citool gitk remote-ext remote-http submodule/foreach bisect/run", (X, Effect.UNKNOWN)),
    ("config", (W, P)),
)  # fmt: skip
_GIT_READ_LISTS = {
    "branch": {
        "-a",
        "-r",
        "-v",
        "-vv",
        "--list",
        "-l",
        "--all",
        "--show-current",
        "--contains",
        "--merged",
        "--no-merged",
        "--remotes",
    },
    "tag": {"-l", "--list", "-n", "--contains", "--points-at", "--sort"},
    "remote": {"-v", "--verbose"},
    "stash": set(),
    "notes": set(),
    "worktree": set(),
    "submodule": set(),
}


def _git(call: Call) -> str | None:
    args = list(call.args)
    while args and args[0].startswith("-"):
        option = args.pop(0)
        if option in {"-c", "--config-env"} or option.startswith("--config-env"):
            setting = args.pop(0) if args else ""
            if not re.match(
                r"(?:color\.\w+|user\.(?:name|email)|core\.(?:quotepath|abbrev)|log\.\w+|diff\.(?:renames|noprefix)|advice\.\w+|safe\.directory|http\.sslVerify|core\.pager=(?:cat|less|)\Z)",
                setting,
                re.IGNORECASE,
            ):
                call.execute("git runs a program of its settings")
        elif option == "-C" and args:
            args.pop(0)
        elif option.startswith(("--exec-path=", "--git-dir", "--work-tree")) or option in {
            "--git-dir",
            "--work-tree",
        }:
            if "=" not in option and args:
                args.pop(0)
            if option.startswith(("--exec-path=", "--git-dir")) and option != "--git-dir=.git":
                call.execute("git reads settings of another folder")
        elif option in {"-p", "--paginate"}:
            continue
    if not args:
        call.add(R)
        return None
    verb, rest = args[0], args[1:]
    if not static(verb):
        call.doubt("a subcommand is not known")
        return None
    options_only = [a for a in rest if a.startswith("-")]
    operands = [a for a in rest if not a.startswith("-")]
    if (
        any(
            re.match(
                r"--(?:upload-pack|receive-pack|exec|ext-diff|open-files-in-pager|extcmd|tool-cmd|template|textconv-cmd)\b",
                a,
            )
            for a in options_only
        )
        or any(
            a.startswith(("-u", "-O")) and verb in {"clone", "fetch", "ls-remote", "grep"}
            for a in options_only
        )
        or any(a.startswith(("ext::", "fd::")) for a in rest)
    ):
        call.execute("git runs a program of its options")
    for option in options_only:
        if option.startswith("--output="):
            call.write(option.partition("=")[2], truncates=True)
        if option.startswith(("--no-index",)):
            for path in operands:
                call.read(path)
    if (
        verb == "config"
        and not ({"--get", "--list", "-l", "--get-all", "--get-regexp"} & set(rest))
        and not (len(operands) == 1 and not options_only)
        and operands[:1] not in (["get"], ["list"])
    ):
        key = operands[0] if operands else ""
        call.add(W)
        if re.match(
            r"(?:core\.(?:pager|editor|fsmonitor|sshcommand|hookspath|gitproxy|askpass|attributesfile|worktree)|alias\.|.*\.(?:cmd|textconv|command|helper|process|clean|smudge|driver|program)|credential|include|url|protocol|http\.proxy|gpg|uploadpack|remote\..*\.(?:vcs|uploadpack|receivepack))",
            key,
            re.IGNORECASE,
        ) or not static(key):
            call.execute("git will run a program of its settings")
        return None
    if verb == "config":
        call.add(R)
        return None
    if (
        verb in _GIT_READ_LISTS
        and (
            not rest
            or (
                verb in {"branch", "tag", "remote"}
                and all(
                    a in _GIT_READ_LISTS[verb] or a.partition("=")[0] in _GIT_READ_LISTS[verb]
                    for a in options_only
                )
                and (not operands or options_only)
            )
        )
        and (rest or verb in {"branch", "tag", "remote"})
    ):
        call.add(R)
        return None
    if (verb == "rebase" and any(a in {"-x", "--exec"} or a.startswith(("-x", "--exec")) for a in rest)) or (
        verb == "bisect" and operands[:1] == ["run"]
    ):
        call.execute("git runs a command")
    found = (
        _judge(call, _GIT, verb, *operands[:1]) if operands else _judge(call, _GIT, verb, *options_only[:1])
    )
    if Effect.UNKNOWN in found:
        call.execute("git runs a program")
    if verb == "push":
        for remote in operands[:1]:
            call.resource("remote", remote, E)
        if any(
            a in {"-f", "--force", "--mirror", "-d", "--delete", "--force-with-lease", "--prune"}
            or a.startswith("--force")
            for a in rest
        ) or any(o.startswith((":", "+")) for o in operands[1:]):
            call.add(D)
    if (
        (verb in {"branch", "tag"} and any(a in {"-d", "-D", "--delete"} for a in rest))
        or (verb in {"checkout", "restore"} and any(a in {"-f", "--force", "."} for a in rest))
        or (verb == "reset" and "--hard" in rest)
    ):
        call.add(D)
    if verb == "show" and any(".env" in o for o in operands):
        call.add(E)
    return "\ue013\n" if verb in {"ls-files", "ls-tree"} else None


def _git_server(call: Call) -> str | None:
    """git-upload-pack and git-receive-pack: what a client's git starts on the target."""
    call.add(R if call.name.endswith(("upload-pack", "upload-archive")) else W)
    operands = [arg for arg in call.args if not arg.startswith("-")]
    if len(operands) != 1 or any(
        a.startswith("-")
        and a
        not in {"--strict", "--timeout", "--stateless-rpc", "--advertise-refs", "--http-backend-info-refs"}
        for a in call.args
    ):
        call.doubt("a transfer's command line is not the one that git sends")
    for path in operands:
        call.resource("file", path, R if call.name.endswith(("upload-pack", "upload-archive")) else W)
    return None


_DOCKER = _table(
    ("ps images logs inspect stats top version info port diff search history events image/ls image/inspect image/history container/ls container/ps container/inspect container/logs container/stats container/top container/port container/diff network/ls network/inspect volume/ls volume/inspect system/df system/info system/events compose/ps compose/logs compose/config compose/images compose/top compose/ls compose/version node/ls node/inspect node/ps service/ls service/inspect service/ps service/logs stack/ls stack/ps stack/services swarm/ca context/ls context/show context/inspect manifest/inspect plugin/ls buildx/ls secret/ls secret/inspect config/ls ls pods", (R,)),
    ("pull tag create start unpause rename commit load import image/pull image/tag image/load network/create network/connect volume/create container/start container/create container/unpause container/rename compose/pull compose/create context/use secret/create config/create", (W,)),
    ("build buildx/build image/build compose/build compose/up compose/start service/create service/update stack/deploy compose/run compose/exec builder/build", (W, X)),
    ("rm rmi stop kill pause restart prune down system/prune container/rm container/stop container/kill container/restart container/pause container/prune image/rm image/prune network/rm network/prune network/disconnect volume/rm volume/prune compose/down compose/rm compose/stop compose/kill compose/restart compose/pause service/rm service/scale stack/rm swarm/leave node/rm builder/prune service/rollback secret/rm config/rm", (W, D)),
    ("push save export cp login logout image/push image/save container/cp container/export compose/push", (W, E)),
    ("attach container/attach", (X, Effect.UNKNOWN)),
    ("swarm/init swarm/join swarm/join-token swarm/unlock-key swarm/update node/update plugin/install plugin/enable context/create context/update update container/update trust", (P,)),
)  # fmt: skip
_DOCKER_EXEC = {"run": "aehlmpuvw", "exec": "euw"}
_DOCKER_LONG = "env env-file name network volume mount publish user workdir label entrypoint memory cpus hostname restart platform cap-add cap-drop device security-opt pid ipc userns add-host dns expose gpus link log-driver log-opt pull runtime shm-size stop-signal tmpfs ulimit volumes-from group-add cgroupns annotation cidfile detach-keys health-cmd ip net"


def _docker(call: Call) -> str | None:
    args = list(call.args)
    while args and args[0].startswith("-"):
        option = args.pop(0)
        if (
            option
            in {
                "-H",
                "--host",
                "--context",
                "-c",
                "--config",
                "-l",
                "--log-level",
                "-n",
                "--namespace",
                "--address",
                "-a",
            }
            and args
        ):
            args.pop(0)
            if option in {"-H", "--host"}:
                call.doubt("which engine is meant is not known")
    if call.name == "docker-compose":
        args = ["compose", *args]
    words = [a for a in args if not a.startswith("-")]
    if args[:1] == ["compose"]:
        rest = list(args[1:])
        while rest and rest[0].startswith("-"):
            option = rest.pop(0)
            if (
                option
                in {"-f", "--file", "-p", "--project-name", "--env-file", "--profile", "--project-directory"}
                and rest
            ):
                rest.pop(0)
        words = ["compose", *[a for a in rest if not a.startswith("-")]]
        args = ["compose", *rest]
    if words and not static(
        "".join(
            words[:2]
            if words[0] in {"container", "image", "volume", "network", "compose", "system"}
            else words[:1]
        )
    ):
        call.doubt("a subcommand is not known")
        return None
    verb = (
        words[1]
        if words[:1] in (["container"], ["compose"]) and len(words) > 1
        else words[0]
        if words
        else ""
    )
    if verb in _DOCKER_EXEC:
        at = args.index(verb)
        given = options(args[at + 1 :], takes=_DOCKER_EXEC[verb], long=_DOCKER_LONG, until_operand=True)
        call.resource("container", given.operands[0] if given.operands else "", X)
        if (
            given.has("privileged", "cap-add", "device", "security-opt", "userns")
            or any(
                v == "host" or v.startswith("container:")
                for v in given.values("pid", "ipc", "network", "net", "uts")
            )
            or any(
                v.startswith("/") or "source=/" in v or "src=/" in v
                for v in given.values("v", "volume", "mount")
            )
        ):
            call.add(P)
        for path in given.values("env-file"):
            call.read(path)
        if given.has("entrypoint"):
            call.run((*given.values("entrypoint")[-1:], *given.operands[1:]))
        elif len(given.operands) > 1:
            call.run(given.operands[1:])
        if verb == "run":
            call.add(X)
            call.doubt("an image decides what runs")
        elif len(given.operands) < 2:
            call.execute("a shell in a container reads what the text does not show")
        return None
    found = _judge(call, _DOCKER, *words)
    if Effect.UNKNOWN in found:
        call.execute()
    if (
        "inspect" in words[:2]
        and not any("State" in a or "Network" in a or "Health" in a for a in call.args if "{{" in a)
        and any("Env" in a for a in call.args)
    ):
        call.add(E)
    return None


_KUBECTL = _table(
    ("get describe logs top explain api-resources api-versions version cluster-info diff wait events auth/can-i auth/whoami config/view config/get-contexts config/current-context rollout/status rollout/history config/get-clusters config/get-users options completion plugin", (R,)),
    ("apply create patch edit label annotate expose run set autoscale rollout/resume rollout/pause replace set/image set/resources scale", (W,)),
    ("delete drain cordon uncordon rollout/restart rollout/undo evict", (W, D)),
    ("taint certificate auth/reconcile set/serviceaccount set/subject create/rolebinding create/clusterrolebinding create/role create/clusterrole create/token certificate/approve certificate/deny config/set-context config/use-context config/set config/set-credentials config/set-cluster config/unset config/delete-context config/rename-context create/serviceaccount", (P,)),
    ("port-forward proxy cp", (E,)), ("attach debug set/env kustomize", (X, Effect.UNKNOWN)),
    ("create/secret", (W, P)),
)  # fmt: skip
_KUBE_TAKES = "nfolcspt"
_KUBE_LONG = "namespace context kubeconfig cluster user server token as as-group as-uid output selector filename container field-selector replicas image type patch tail since sort-by timeout template kustomize grace-period chunk-size label-columns certificate-authority client-key client-certificate request-timeout cache-dir profile v overrides from-file from-literal port to-revision revision limits requests for"


def _kubectl(call: Call) -> str | None:
    given = options(call.args, takes=_KUBE_TAKES, long=_KUBE_LONG, until_operand=False)
    words = given.operands
    if any(flag in given.flags for flag in ("as", "as-group", "token", "kubeconfig", "server", "s")):
        call.add(P)
    if not words:
        call.add(R)
        return None
    verb, rest = words[0], words[1:]
    if not static(verb):
        call.doubt("a subcommand is not known")
        return None
    namespace = (given.values("n", "namespace") or ("default",))[-1]
    if verb == "exec":
        call.resource("k8s", f"{namespace}/pods/{rest[0] if rest else ''}", X)
        if "--" in call.args:
            call.run(call.args[call.args.index("--") + 1 :])
        elif len(rest) > 1:
            call.run(rest[1:])
        else:
            call.execute("a shell in a container reads what the text does not show")
        return None
    found = _judge(call, _KUBECTL, *words[:2])
    if Effect.UNKNOWN in found:
        call.execute()
    kinds = rest[0].lower() if rest else ""
    if verb in {"get", "describe", "explain", "logs", "top"} and verb in {"get", "describe"}:
        if not static(kinds) and kinds.startswith(WILD):
            call.doubt("which resource is read is not known")
        if any(
            kind.partition("/")[0].partition(".")[0] in {"secret", "secrets"} for kind in kinds.split(",")
        ) and (verb == "get"):
            call.resource("k8s", f"{namespace}/secrets/{rest[1] if len(rest) > 1 else '*'}", E)
        if given.has("raw") or any(a.startswith("--raw") for a in call.args):
            call.add(E)
    if (verb == "cluster-info" and rest[:1] == ("dump",)) or (verb == "config" and given.has("raw")):
        call.add(E)
    for path in given.values("f", "filename"):
        if path.startswith(("http:", "https:")):
            call.host(path.split("/")[2] if path.count("/") > 1 else path, R)
        else:
            call.read(path)
    if verb == "scale" and any(
        value in {"0", "00"} or not static(value) for value in given.values("replicas")
    ):
        call.add(D)
    if (verb == "replace" and given.has("force")) or given.has("prune"):
        call.add(D)
    if verb in {"run", "create", "apply", "replace", "patch", "edit", "set"}:
        if verb == "run":
            call.add(X)
        if verb in {"apply", "create", "replace", "patch", "edit"} and given.has(
            "f", "filename", "k", "kustomize"
        ):
            call.doubt("a manifest decides what is changed")
    if verb in {"delete", "get"}:
        call.resource("k8s", f"{namespace}/{kinds}", D if verb == "delete" else R)
    return None


_CLI = {
    "helm": _table(("list ls status history get show search template lint version env repo/list repo/update verify dependency/list get/values get/manifest get/notes get/hooks get/all show/values show/chart", (R,)), ("install upgrade rollback repo/add repo/remove repo pull package push dependency test create dep plugin/list", (W, X)), ("uninstall delete del", (W, D)), ("plugin registry", (X, W))),
    "terraform": _table(("plan show validate version providers graph state/list workspace/list workspace/show fmt/-check get metadata test console/-help", (R,)), ("fmt init import workspace/new workspace/select state/mv refresh force-unlock", (W,)), ("apply", (W, X)), ("destroy taint untaint state/rm state/push workspace/delete", (W, D)), ("output state/show state/pull", (R, E)), ("console login logout", (X,))),
    "vault": _table(("status version token/lookup policy/list policy/read secrets/list auth/list kv/list list path-help operator/members audit/list", (R,)), ("read kv/get unwrap login print token/create operator/generate-root ssh", (E, P)), ("write kv/put kv/patch", (W,)), ("delete kv/delete kv/destroy kv/metadata lease/revoke operator/seal operator/step-down token/revoke", (W, D)), ("policy/write policy/delete auth/enable auth/disable secrets/enable secrets/disable audit/enable audit/disable operator/init operator/unseal", (P,))),
    "consul": _table(("members catalog info version kv/get operator", (R,)), ("kv/put", (W,)), ("kv/delete leave force-leave", (D,)), ("exec", (X,)), ("acl", (P,))),
    "redis-cli": _table(("ping info dbsize --version PING INFO DBSIZE get GET keys KEYS scan SCAN ttl TTL type TYPE exists EXISTS llen LLEN hgetall HGETALL hget HGET lrange LRANGE smembers SMEMBERS scard SCARD zrange ZRANGE mget MGET strlen STRLEN slowlog SLOWLOG memory MEMORY time TIME lastsave LASTSAVE --stat --latency --bigkeys", (R,)), ("set SET incr INCR lpush LPUSH rpush RPUSH hset HSET sadd SADD expire EXPIRE del DEL unlink UNLINK publish PUBLISH", (W,)), ("flushall FLUSHALL flushdb FLUSHDB shutdown SHUTDOWN", (D, W))),
    "systemd-tmpfiles": _table(("--cat-config", (R,))),
    "crictl": _table(("ps pods images logs inspect inspecti inspectp stats info version", (R,)), ("rm rmi rmp stop stopp", (D,)), ("exec run runp", (X, Effect.UNKNOWN))),
    "minikube": _table(("status version ip profile/list service/list", (R,)), ("start", (W, X)), ("stop delete", (D,))),
    "argocd": _table(("app/list app/get app/diff app/history version cluster/list", (R,)), ("app/sync app/set app/create", (W, X)), ("app/delete app/rollback", (D,))),
    "flux": _table(("get logs version check tree trace stats events", (R,)), ("reconcile resume create", (W,)), ("delete uninstall suspend", (D,))),
    "packer": _table(("validate inspect version fmt", (R,)), ("build", (W, X))), "nomad": _table(("status node/status job/status alloc/status version logs alloc/logs server/members", (R,)), ("job/run run", (W, X)), ("job/stop stop", (D,)), ("exec alloc/exec", (X, Effect.UNKNOWN))),
    "gh": _table(("pr/list pr/view pr/diff pr/checks pr/status issue/list issue/view repo/view repo/list run/list run/view release/list release/view workflow/list auth/status search status", (R,)), ("pr/create pr/merge pr/close pr/comment issue/create issue/close issue/comment release/create run/rerun workflow/run", (W,)), ("repo/delete release/delete", (D,)), ("auth/token secret api", (E,)), ("auth/login ssh-key", (P,))),
    "etcdctl": _table(("member/list endpoint/health endpoint/status version alarm/list", (R,)), ("get snapshot", (E, R)), ("put", (W,)), ("del member/remove", (D,)), ("user role auth", (P,))),
    "rabbitmqctl": _table(("list_queues list_exchanges list_connections list_channels status cluster_status list_bindings ping version list_vhosts list_consumers node_health_check environment report", (R,)), ("list_users list_permissions", (R,)), ("add_user delete_user set_permissions change_password set_user_tags clear_permissions", (P,)), ("stop stop_app reset purge_queue delete_queue force_reset delete_vhost", (D,)), ("eval", (X, Effect.UNKNOWN))),
}  # fmt: skip
_CLI["tofu"] = _CLI["terraform"]
_CLI["terragrunt"] = _CLI["terraform"]
_CLI_TAKES = {
    "helm": (
        "nf",
        "namespace kube-context kubeconfig values set version output filter post-renderer timeout",
    ),
    "vault": ("", "address namespace format field"),
    "redis-cli": ("hpansu", "user pass"),
    "gh": ("RLBsf", "repo limit json jq state"),
}


def _cli(call: Call) -> str | None:
    takes, long = _CLI_TAKES.get(call.name, ("", ""))
    given = options(call.args, takes=takes, long=long)
    words = given.operands or call.args[:1]
    if words and not static(words[0]):
        call.doubt("a subcommand is not known")
        return None
    found = _judge(call, _CLI[call.name], *words)
    if Effect.UNKNOWN in found:
        call.execute()
    if given.has("post-renderer", "kubeconfig", "eval"):
        call.execute()
    if call.name in {"terraform", "tofu", "terragrunt"}:
        if any(a.startswith(("-destroy",)) for a in call.args):
            call.add(D)
        for arg in call.args:
            if arg.startswith(("-out=", "-state-out=")):
                call.write(arg.partition("=")[2])
    return None


_CLOUD_READS = re.compile(
    r"(?:describe|list|get|show|ls|head|lookup|search|query|scan|filter|batch-get|estimate|validate|test|check|wait|version|info|tail|status|help|diff|preview|view|read|count|current|sts|history|detect|whoami|availability)(?:-|\Z)"
)
_CLOUD_DESTROYS = re.compile(
    r"(?:delete|terminate|stop|remove|rm|rb|destroy|purge|deregister|disable|reboot|cancel|abort|reset|release|detach|revoke|kill|suspend|deallocate|restart|drain|empty|schedule-key-deletion|undelete|shutdown|clear|evict)(?:-|\Z)"
)
_CLOUD_PRIVILEGE = re.compile(
    r"iam|policy|policies|role|permission|acl|security-group|firewall|kms|keyvault|access-key|user|login-profile|assume|sts|organizations|cloudtrail|guardduty|config-recorder|authorize|service-account|credential|sso|ad|public-access|password|ssh-key|key-pair|identity|grant|nsg|logging|waf|auth|flow-logs|configure|binding|mfa|trail"
)
_CLOUD_SECRETS = re.compile(
    r"secret|parameter|password|credential|token|access-key|decrypt|kubeconfig|get-session|export|get-authorization|auth/print|keys|get-login|connection-string|console-output|user-data|get-federation|get-object\Z|private-key|print-identity|sas\Z|list-keys|admin-key|assume-role|get-value|print-access|access\Z|get-credentials"
)
_CLOUD_EXEC = re.compile(
    r"ssh|run-command|send-command|invoke|start-session|execute|exec\Z|cloud-shell|run-job|extension|ssm|start-query-n|call\Z"
)


def _cloud(call: Call) -> str | None:
    given = options(
        call.args,
        takes="gnto",
        long="region profile output query endpoint-url project zone resource-group name subscription format filters instance-ids bucket key function-name cluster table-name secret-id log-group-name role-arn group-name filter limit location account vault-name namespace cli-input-json db-instance-identifier stack-name max-items start-time end-time dimensions metric-name statistics period names ids owners path",
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
        ) or any(word in path for word in ("list-keys", "keys/list", "list-connection", "get-credentials")):
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


def _psql(call: Call) -> str | None:
    given = options(
        call.args,
        takes="cdfhpUvFoLPRT",
        long="command dbname file host port username set variable field-separator output log-file pset",
    )
    for path in given.values("f", "file"):
        if path != "-":
            call.read(path)
            call.execute("a script is run that the text does not show")
    for path in given.values("o", "output", "L", "log-file"):
        if path.startswith("|"):
            call.script(path[1:])
        call.write(path, truncates=True)
    texts = list(given.values("c", "command"))
    if given.has("l", "list", "V", "version"):
        call.add(R)
        return None
    if not texts and not given.has("f", "file"):
        if call.stdin is None or not static(call.stdin):
            return call.execute("statements are read that the text does not show")
        texts = [call.stdin]
    for text in texts:
        _sql(call, text)
    return None


_META_READS = re.compile(
    r"\\(?:d\w*\+?|l\+?|conninfo|x|timing|pset|t|a|encoding|z|sf\+?|sv\+?|q|echo|dn|dt|du)(?:\s+[\w.*\"]*)*\s*\Z"
)


def _sql(call: Call, text: str) -> None:
    """A statement for PostgreSQL, or a meta-command of psql."""
    if text.lstrip().startswith("\\"):
        if _META_READS.match(text.strip()):
            call.add(R)
        else:
            call.execute("a command of psql may run or write what the text does not show")
        return
    if not static(text) or (re.search(r"(?<![:\w]):['\"]?[a-z]|\\[a-zA-Z!]|[`]", text) and "::" not in text):
        call.doubt("a statement holds what only the target knows")
    facts = read_postgres(text)
    call.add(*(facts.effects - {Effect.UNKNOWN}))
    if not facts.complete:
        call.doubt("a statement inside the command is not fully read")
    for resource in facts.resources:
        call.resource(resource.kind, resource.name, resource.effect)


def _database(call: Call) -> str | None:
    """Clients whose statements are not read here."""
    if call.args in {("--version",), ("-V",)}:
        call.add(R)
        return None
    if call.name == "mysqladmin" and all(
        a.startswith("-") or a in {"status", "ping", "processlist", "version", "extended-status", "variables"}
        for a in call.args
    ):
        call.add(R)
        return None
    call.doubt("statements for a database are not read here")
    if call.name in {
        "mysqldump",
        "pg_dump",
        "pg_dumpall",
        "mongodump",
        "mongoexport",
        "mariadb-dump",
        "pg_basebackup",
    }:
        call.add(R, E)
    if call.name in {"dropdb", "dropuser", "pg_restore", "mysqlimport", "mongorestore", "createuser"}:
        call.add(D, W)
    text = " ".join(call.args).lower()
    if re.search(r"\b(?:drop|truncate|shutdown|flushall)\b", text):
        call.add(D)
    if re.search(r"\bsystem\b|\\!|\.shell|\.system|into\s+(?:outfile|dumpfile)|load_file|load\s+data", text):
        call.add(X)
    return None


def _pg_isready(call: Call) -> str | None:
    call.add(R)
    return None


def _secrets(call: Call) -> str | None:
    """gpg, pass, ssh-keyscan: key material."""
    if call.name == "ssh-keyscan" or call.args[:1] in {
        ("--list-keys",),
        ("-k",),
        ("--fingerprint",),
        ("--verify",),
    }:
        call.add(R)
        return None
    call.add(E, W)
    for arg in call.args:
        if not arg.startswith("-"):
            call.read(arg)
    return None


HANDLERS: Mapping[str, Handler] = {
    "git": _git, **dict.fromkeys(("git-upload-pack", "git-receive-pack", "git-upload-archive"), _git_server), **dict.fromkeys(("docker", "podman", "nerdctl", "docker-compose"), _docker),
    "kubectl": _kubectl, "k": _kubectl, "oc": _kubectl, **dict.fromkeys(_CLI, _cli), **dict.fromkeys(("aws", "gcloud", "az", "gsutil", "doctl", "linode-cli", "hcloud", "oci", "ibmcloud", "s3cmd", "azcopy", "eksctl", "heroku", "flyctl", "vercel", "netlify"), _cloud),
    "psql": _psql, "pg_isready": _pg_isready,
    **dict.fromkeys(("mysql", "mariadb", "mysqladmin", "mysqldump", "mariadb-dump", "sqlite3", "mongo", "mongosh", "mongodump", "mongoexport", "mongorestore", "cqlsh", "sqlcmd", "sqlplus", "clickhouse-client", "influx", "pg_dump", "pg_dumpall", "pg_restore", "pg_basebackup", "dropdb", "createdb", "dropuser", "createuser", "mysqlimport", "pgbench", "vacuumdb", "reindexdb", "pg_ctl", "pg_ctlcluster"), _database),
    **dict.fromkeys(("gpg", "gpg2", "pass", "op", "bw", "ssh-keyscan", "age", "sops", "keytool", "security", "secret-tool", "chamber"), _secrets),
}  # fmt: skip
