"""docker, podman and their like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import D, E, P, R, U, W, X, judge, table
from gateway.facts.shell.values import static, words

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
_NAMES_ONLY = words("-q --quiet --services --images --volumes --profiles --no-interpolate --hash")
GROUPS = "container image volume network compose system"
MORE_GROUPS = (
    "builder buildx config context manifest node plugin secret service stack swarm trust pod machine"
)
"""They have subcommands too, whose second word does not stand alone."""
OWN_TAKES = "Hclna"
OWN_LONG = """
    host context config log-level namespace address tlscacert tlscert tlskey connection url identity root runroot
    runtime storage-driver storage-opt tmpdir cgroup-manager conmon events-backend hooks-dir imagestore module
    network-config-dir snapshotter
"""
COMPOSE_LONG = "file project-name env-file profile project-directory ansi parallel progress"
_DOCKER_EXEC = {"run": "acehlmpuvw", "exec": "euw"}
_DOCKER_LONG = """
    add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile
    cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems
    detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops dns
    dns-opt dns-option dns-search domainname entrypoint env env-file expose gpus group-add health-cmd
    health-interval health-retries health-start-interval health-start-period health-timeout hostname ip ip6 ipc
    isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory
    memory-reservation memory-swap memory-swappiness mount name net net-alias network network-alias oom-score-adj
    pid pids-limit platform publish pull restart runtime security-opt shm-size stop-signal stop-timeout storage-opt
    sysctl tmpfs ulimit user userns uts volume volume-driver volumes-from workdir
"""
"""Every option that takes a value: the value of one that is missed here would be taken for the image."""


def _docker(call: Call) -> str | None:
    own = options(call.args, takes=OWN_TAKES, long=OWN_LONG, until_operand=True)
    if own.has("H", "host"):
        call.doubt("which engine is meant is not known")
    if own.has("config"):
        call.execute("docker runs programs of its settings")
    args = own.operands
    if call.name == "docker-compose":
        args = ("compose", *call.args)
    if args[:1] == ("compose",):
        project = options(args[1:], takes="fp", long=COMPOSE_LONG, until_operand=True)
        args = ("compose", *project.operands)
    named = [arg for arg in args if not arg.startswith("-")]
    grouped = named[:1] in (["container"], ["compose"]) and len(named) > 1
    if not all(map(static, named[: 2 if named and named[0] in words(GROUPS) else 1])):
        call.doubt("a subcommand is not known")
        return None
    verb = named[1] if grouped else "".join(named[:1])
    if verb in _DOCKER_EXEC:
        _inside(call, verb, args[args.index(verb) + 1 :])
        return None
    found = judge(call, _DOCKER, *named)
    if U in found:
        call.execute()
    if named[:2] == ["compose", "config"] and not _NAMES_ONLY.intersection(args):
        call.add(E)  # shows what is put in for variables
    if "inspect" in named[:2] and any("Env" in arg for arg in args):
        call.add(E)
    return None


def _inside(call: Call, verb: str, args: Sequence[str]) -> None:
    """`run` and `exec`: a command in a container, with what of the host the container is given."""
    given = options(args, takes=_DOCKER_EXEC[verb], long=_DOCKER_LONG, until_operand=True)
    call.resource("container", given.operands[0] if given.operands else "", X)
    if (
        given.has("privileged", "cap-add", "device", "security-opt", "userns")
        or any(
            space == "host" or space.startswith("container:")
            for space in given.values("pid", "ipc", "network", "net", "uts")
        )
        or any(
            mount.startswith("/") or "source=/" in mount or "src=/" in mount
            for mount in given.values("v", "volume", "mount")
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


HANDLERS: Mapping[str, Handler] = {
    **each("docker podman nerdctl docker-compose", _docker),
}
