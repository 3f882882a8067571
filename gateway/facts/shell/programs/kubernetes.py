"""kubectl."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
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
_KUBE_TAKES = "nfolcspt"
_KUBE_LONG = """
    namespace context kubeconfig cluster user server token as as-group as-uid output selector filename
    container field-selector replicas image type patch tail since sort-by timeout template kustomize
    grace-period chunk-size label-columns certificate-authority client-key client-certificate request-timeout
    cache-dir profile v overrides from-file from-literal port to-revision revision limits requests for
"""


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
    found = judge(call, _KUBECTL, *words[:2])
    if U in found:
        call.execute()
    kinds = rest[0].lower() if rest else ""
    if verb in {"get", "describe", "explain", "logs", "top"} and verb in {"get", "describe"}:
        if verb == "get" and not static(kinds) and kinds.startswith(WILD):
            call.doubt("which resource is read is not known")
        kinds_named = [
            kind for word in rest for kind in word.lower().split(",") if word is rest[0] or "/" in word
        ]
        if verb == "get" and any(re.match(r"secrets?(?:[./]|\Z)", kind) for kind in kinds_named):
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


HANDLERS: Mapping[str, Handler] = {
    **each("kubectl k oc", _kubectl),
}
