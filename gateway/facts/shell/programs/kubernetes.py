"""kubectl."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.facts.shell.call import Call, Handler, Options, each, options
from gateway.facts.shell.programs.subcommands import D, E, P, R, U, W, X, judge, table
from gateway.facts.shell.values import WILD, static

_KUBECTL = table(
    (
        """
        get describe logs top explain api-resources api-versions version cluster-info diff wait events
        auth/can-i auth/whoami config/view config/get-contexts config/current-context rollout/status
        rollout/history config/get-clusters config/get-users options completion plugin
        """,
        (R,),
    ),
    (
        """
        apply create patch edit label annotate expose run set autoscale rollout/resume rollout/pause replace
        set/image set/resources scale
        """,
        (W,),
    ),
    ("delete drain cordon uncordon rollout/restart rollout/undo evict", (W, D)),
    (
        """
        taint certificate auth/reconcile set/serviceaccount set/subject create/rolebinding
        create/clusterrolebinding create/role create/clusterrole create/token certificate/approve
        certificate/deny config/set-context config/use-context config/set config/set-credentials
        config/set-cluster config/unset config/delete-context config/rename-context create/serviceaccount
        """,
        (P,),
    ),
    ("port-forward proxy cp", (E,)),
    ("attach debug set/env kustomize", (X, U)),
    ("create/secret", (W, P)),
)
TAKES = "nfolcspt"
LONG = """
    namespace context kubeconfig cluster user server token as as-group as-uid output selector filename
    container field-selector replicas image type patch tail since sort-by timeout template kustomize
    grace-period chunk-size label-columns certificate-authority client-key client-certificate request-timeout
    cache-dir profile v overrides from-file from-env-file from-literal port to-revision revision limits requests for
"""


def _kubectl(call: Call) -> str | None:
    given = options(call.args, takes=TAKES, long=LONG)
    if given.has("as", "as-group", "token", "kubeconfig", "server", "s"):
        call.add(P)
    if not given.operands:
        call.add(R)
        return None
    verb, rest = given.operands[0], given.operands[1:]
    if not static(verb):
        call.doubt("a subcommand is not known")
        return None
    namespace = (given.values("n", "namespace") or ("default",))[-1]
    if verb == "exec":
        call.resource("k8s", f"{namespace}/pods/{rest[0] if rest else ''}", X)
        _inside(call, rest)
        return None
    if U in judge(call, _KUBECTL, *given.operands[:2]):
        call.execute()
    for path in given.values("f", "filename"):
        if path.startswith(("http:", "https:")):
            call.host(path.split("/")[2] if path.count("/") > 1 else path, R)
        else:
            call.read(path)
    for path in given.values("from-file", "from-env-file"):
        call.read(path.rpartition("=")[2])
    _shown(call, verb, rest, given, namespace)
    _changed(call, verb, given)
    if verb in {"delete", "get"}:
        kinds = rest[0].lower() if rest else ""
        call.resource("k8s", f"{namespace}/{kinds}", D if verb == "delete" else R)
    return None


def _inside(call: Call, rest: Sequence[str]) -> None:
    """What runs in a pod: `rest` is the pod and, where no `--` sets it apart, the command."""
    if "--" in call.args:
        call.run(call.args[call.args.index("--") + 1 :])
    elif len(rest) > 1:
        call.run(rest[1:])
    else:
        call.execute("a shell in a container reads what the text does not show")


def _shown(call: Call, verb: str, rest: Sequence[str], given: Options, namespace: str) -> None:
    """Secrets among what is shown, by name or by a raw path."""
    if verb == "get" and rest:
        if rest[0].startswith(WILD):
            call.doubt("which resource is read is not known")
        kinds = [kind for word in rest if word is rest[0] or "/" in word for kind in word.lower().split(",")]
        if any(re.match(r"secrets?(?:[./]|\Z)", kind) for kind in kinds):
            call.resource("k8s", f"{namespace}/secrets/{rest[1] if len(rest) > 1 else '*'}", E)
    if (verb in {"get", "describe", "config"} and given.has("raw")) or (
        verb == "cluster-info" and rest[:1] == ("dump",)
    ):
        call.add(E)


def _changed(call: Call, verb: str, given: Options) -> None:
    """What options and files make of a change."""
    if verb == "run":
        call.add(X)
        if "--" in call.args:
            call.run(call.args[call.args.index("--") + 1 :])
    if verb == "get" and given.has("f", "filename", "k", "kustomize"):
        call.doubt("a manifest decides what is shown")
    if verb in {"apply", "create", "replace", "patch", "edit"} and given.has(
        "f", "filename", "k", "kustomize"
    ):
        call.doubt("a manifest decides what is changed")
    none_left = any(value in {"0", "00"} or not static(value) for value in given.values("replicas"))
    if (verb == "scale" and none_left) or (verb == "replace" and given.has("force")) or given.has("prune"):
        call.add(D)


HANDLERS: Mapping[str, Handler] = {
    **each("kubectl k oc", _kubectl),
}
