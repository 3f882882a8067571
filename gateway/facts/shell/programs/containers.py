"""docker, podman and their like."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import D, E, P, R, U, W, X, judge, table
from gateway.facts.shell.values import static

_DOCKER = table(
    (
        """
        ps images logs inspect stats top version info port diff search history events image/ls image/inspect
        image/history container/ls container/ps container/inspect container/logs container/stats container/top
        container/port container/diff network/ls network/inspect volume/ls volume/inspect system/df
        system/info system/events compose/ps compose/logs compose/config compose/images compose/top compose/ls
        compose/version node/ls node/inspect node/ps service/ls service/inspect service/ps service/logs
        stack/ls stack/ps stack/services swarm/ca context/ls context/show context/inspect manifest/inspect
        plugin/ls buildx/ls secret/ls secret/inspect config/ls ls pods
        """,
        (R,),
    ),
    (
        """
        pull tag create start unpause rename commit load import image/pull image/tag image/load network/create
        network/connect volume/create container/start container/create container/unpause container/rename
        compose/pull compose/create context/use secret/create config/create
        """,
        (W,),
    ),
    (
        """
        build buildx/build image/build compose/build compose/up compose/start service/create service/update
        stack/deploy compose/run compose/exec builder/build
        """,
        (W, X),
    ),
    (
        """
        rm rmi stop kill pause restart prune down system/prune container/rm container/stop container/kill
        container/restart container/pause container/prune image/rm image/prune network/rm network/prune
        network/disconnect volume/rm volume/prune compose/down compose/rm compose/stop compose/kill
        compose/restart compose/pause service/rm service/scale stack/rm swarm/leave node/rm builder/prune
        service/rollback secret/rm config/rm
        """,
        (W, D),
    ),
    (
        """
        push save export cp login logout image/push image/save container/cp container/export compose/push
        """,
        (W, E),
    ),
    ("attach container/attach", (X, U)),
    (
        """
        swarm/init swarm/join swarm/join-token swarm/unlock-key swarm/update node/update plugin/install
        plugin/enable context/create context/update update container/update trust
        """,
        (P,),
    ),
)
_NAMES_ONLY = {
    "-q",
    "--quiet",
    "--services",
    "--images",
    "--volumes",
    "--profiles",
    "--no-interpolate",
    "--hash",
}
_DOCKER_EXEC = {"run": "aehlmpuvw", "exec": "euw"}
_DOCKER_LONG = """
    env env-file name network volume mount publish user workdir label entrypoint memory cpus hostname restart
    platform cap-add cap-drop device security-opt pid ipc userns add-host dns expose gpus link log-driver
    log-opt pull runtime shm-size stop-signal tmpfs ulimit volumes-from group-add cgroupns annotation cidfile
    detach-keys health-cmd ip net
"""


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
    found = judge(call, _DOCKER, *words)
    if words[:2] == ["compose", "config"] and not any(a in _NAMES_ONLY for a in args):
        call.add(E)  # shows what is put in for variables
    if U in found:
        call.execute()
    if (
        "inspect" in words[:2]
        and not any("State" in a or "Network" in a or "Health" in a for a in call.args if "{{" in a)
        and any("Env" in a for a in call.args)
    ):
        call.add(E)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each("docker podman nerdctl docker-compose", _docker),
}
