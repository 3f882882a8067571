"""Infrastructure and service tools whose first words decide: a table of subcommands and their effects each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs import operations
from gateway.facts.shell.programs.subcommands import D, E, P, R, U, W, X, judge, table
from gateway.facts.shell.values import static

_CLI = {
    **operations.TABLES,
    "helm": table(
        (
            """
            list ls status history get show search template lint version env repo/list repo/update verify
            dependency/list   get/notes get/hooks  show/values show/chart
            """,
            (R,),
        ),
        (
            """
            install upgrade rollback repo/add repo/remove repo pull package push dependency test create dep
            plugin/list
            """,
            (W, X),
        ),
        ("get/values get/manifest get/all", (R, E)),
        ("uninstall delete del", (W, D)),
        ("plugin registry", (X, W)),
    ),
    "terraform": table(
        (
            """
            plan validate version -version --version -help providers graph state/list workspace/list
            workspace/show fmt get metadata test console/-help
            """,
            (R,),
        ),
        ("init import workspace/new workspace/select state/mv refresh force-unlock", (W,)),
        ("apply", (W, X)),
        ("destroy taint untaint state/rm state/push workspace/delete", (W, D)),
        ("output show state/show state/pull", (R, E)),
        ("console login logout", (X,)),
    ),
    "vault": table(
        (
            """
            status version policy/list policy/read secrets/list auth/list kv/list list path-help
            operator/members audit/list
            """,
            (R,),
        ),
        ("read kv/get token/lookup unwrap login print token/create operator/generate-root ssh", (E, P)),
        ("write kv/put kv/patch", (W,)),
        (
            """
            delete kv/delete kv/destroy kv/metadata lease/revoke operator/seal operator/step-down token/revoke
            """,
            (W, D),
        ),
        (
            """
            policy/write policy/delete auth/enable auth/disable secrets/enable secrets/disable audit/enable
            audit/disable operator/init operator/unseal
            """,
            (P,),
        ),
    ),
    "consul": table(
        ("members catalog info version kv/get operator", (R,)),
        ("kv/put", (W,)),
        ("kv/delete leave force-leave", (D,)),
        ("exec", (X,)),
        ("acl", (P,)),
    ),
    "systemd-tmpfiles": table(("--cat-config", (R,))),
    "crictl": table(
        ("ps pods images logs inspect inspecti inspectp stats info version", (R,)),
        ("rm rmi rmp stop stopp", (D,)),
        ("exec run runp", (X, U)),
    ),
    "minikube": table(
        ("status version ip profile/list service/list", (R,)), ("start", (W, X)), ("stop delete", (D,))
    ),
    "argocd": table(
        ("app/list app/get app/diff app/history version cluster/list", (R,)),
        ("app/sync app/set app/create", (W, X)),
        ("app/delete app/rollback", (D,)),
    ),
    "flux": table(
        ("get logs version check tree trace stats events", (R,)),
        ("reconcile resume create", (W,)),
        ("delete uninstall suspend", (D,)),
    ),
    "packer": table(("validate inspect version fmt", (R,)), ("build", (W, X))),
    "nomad": table(
        ("status node/status job/status alloc/status version logs alloc/logs server/members", (R,)),
        ("job/run run", (W, X)),
        ("job/stop stop", (D,)),
        ("exec alloc/exec", (X, U)),
    ),
    "gh": table(
        (
            """
            pr/list pr/view pr/diff pr/checks pr/status issue/list issue/view repo/view repo/list run/list
            run/view release/list release/view workflow/list auth/status search status
            """,
            (R,),
        ),
        (
            """
            pr/create pr/merge pr/close pr/comment issue/create issue/close issue/comment release/create
            run/rerun workflow/run
            """,
            (W,),
        ),
        ("repo/delete release/delete", (D,)),
        ("auth/token secret api", (E,)),
        ("auth/login ssh-key", (P,)),
    ),
    "etcdctl": table(
        ("member/list endpoint/health endpoint/status version alarm/list", (R,)),
        ("get snapshot", (E, R)),
        ("put", (W,)),
        ("del member/remove", (D,)),
        ("user role auth", (P,)),
    ),
    "rabbitmqctl": table(
        (
            """
            list_queues list_exchanges list_connections list_channels status cluster_status list_bindings ping
            version list_vhosts list_consumers node_health_check environment report
            """,
            (R,),
        ),
        ("list_users list_permissions", (R,)),
        ("add_user delete_user set_permissions change_password set_user_tags clear_permissions", (P,)),
        ("stop stop_app reset purge_queue delete_queue force_reset delete_vhost", (D,)),
        ("eval", (X, U)),
    ),
}
_CLI["tofu"] = _CLI["terraform"]
_CLI["terragrunt"] = _CLI["terraform"]
TAKES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(_CLI, ("", "")),
    **operations.TAKES,
    "helm": (
        "nfo",
        """
        namespace kube-context kubeconfig values set set-file version output filter post-renderer timeout
        burst-limit qps registry-config repository-cache repository-config kube-apiserver kube-as-group kube-as-user
        kube-ca-file kube-tls-server-name kube-token
        """,
    ),
    "vault": (
        "",
        "address namespace format field ca-cert ca-path client-cert client-key tls-server-name header",
    ),
    "consul": ("", "http-addr token token-file ca-file ca-path datacenter namespace partition"),
    "nomad": ("", "address region namespace ca-cert ca-path client-cert client-key token"),
    "argocd": ("ol", "server auth-token config project output selector header"),
    "flux": ("n", "namespace context kubeconfig cluster user server token timeout"),
    "etcdctl": (
        "w",
        "endpoints cacert cert key user password dial-timeout command-timeout write-out discovery-srv",
    ),
    "rabbitmqctl": ("nptl", "node vhost timeout formatter"),
    "crictl": ("rict", "runtime-endpoint image-endpoint timeout config"),
    "minikube": ("p", "profile"),
    "gh": ("RLBsf", "repo limit json jq state hostname"),
}
"""Options that take a value, by tool: letters, and names."""


def _cli(call: Call) -> str | None:
    takes, long = TAKES[call.name]
    given = options(call.args, takes=takes, long=long)
    words = given.operands or call.args[:1]
    if words and not static(words[0]):
        call.doubt("a subcommand is not known")
        return None
    if not words and call.name in operations.BARE:
        return call.execute("commands are read that the text does not show")
    found = judge(call, _CLI[call.name], *words)
    if U in found:
        call.execute()
    if given.has("post-renderer", "kubeconfig", "eval"):
        call.execute()
    if call.name in {"terraform", "tofu", "terragrunt"}:
        _terraform(call, words)
    if call.name == "helm":
        for path in (*given.values("f", "values"), *(v.partition("=")[2] for v in given.values("set-file"))):
            call.read(path)
    return None


def _terraform(call: Call, words: Sequence[str]) -> None:
    """Its options have one dash or two, and their values stand behind a `=` or apart."""
    dashed = [f"-{arg}" if arg.startswith("-") and not arg.startswith("--") else arg for arg in call.args]
    given = options(dashed, long="out state-out")
    if words[:1] == ("fmt",) and not given.has("check", "diff") and given.values("write") != ("false",):
        call.add(W)
    if given.has("destroy"):
        call.add(D)
    for path in given.values("out", "state-out"):
        call.write(path, truncates=True)


HANDLERS: Mapping[str, Handler] = {
    **each(_CLI, _cli),
}
