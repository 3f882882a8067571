"""What watches and tends storage, queues, backups and machines: tables of their subcommands."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import D, E, P, R, Table, U, W, X, table
from gateway.facts.shell.values import words
from gateway.model import Effect

TABLES: Mapping[str, Table] = {
    "ceph": table(
        (
            """
            -s -w status health df version versions features quorum_status report mon/stat mon/dump mgr/stat mgr/dump
            mgr/services osd/tree osd/df osd/stat osd/dump osd/ls osd/perf osd/find osd/pool/ls osd/pool/get osd/pool/stats
            pg/stat pg/dump pg/ls pg/query fs/ls fs/status fs/dump orch/ls orch/ps orch/status orch/host/ls
            crash/ls crash/info device/ls time-sync-status
            """,
            (R,),
        ),
        ("osd/in osd/reweight osd/pool/create osd/pool/set osd/set osd/unset orch/apply fs/new tell", (W,)),
        (
            """
            osd/out osd/down osd/rm osd/purge osd/destroy osd/lost osd/pool/rm osd/pool/delete fs/rm fs/fail mon/remove
            mon/rm orch/rm orch/stop orch/restart orch/host/rm mgr/fail mds/fail
            """,
            (W, D),
        ),
        ("auth config config-key dashboard", (P, E)),
    ),
    "rados": table(("df lspools ls stat", (R,)), ("put create", (W,)), ("rm purge rmpool cppool", (W, D))),
    "rbd": table(
        ("ls list info du status showmapped snap/ls trash/ls", (R,)),
        ("create resize snap/create map clone", (W,)),
        ("rm remove snap/rm snap/purge snap/rollback trash/rm trash/purge unmap", (W, D)),
        ("export", (E,)),
    ),
    "coredumpctl": table(("list info -1", (R,)), ("dump", (E,)), ("debug gdb", (X, U))),
    "virsh": table(
        (
            """
            list dominfo domstate domstats domblklist domiflist domifaddr vcpuinfo nodeinfo nodememstats version
            capabilities hostname uri net-list net-info pool-list pool-info vol-list vol-info snapshot-list
            """,
            (R,),
        ),
        ("start define create resume attach-disk attach-interface snapshot-create setvcpus setmem", (W,)),
        (
            """
            destroy undefine shutdown reboot reset suspend managedsave detach-disk vol-delete vol-wipe pool-destroy
            pool-delete pool-undefine net-destroy net-undefine snapshot-delete snapshot-revert
            """,
            (W, D),
        ),
        ("dumpxml secret-get-value", (R, E)),
        ("console", (X, U)),
    ),
    "restic": table(
        ("snapshots stats list ls check diff find version", (R,)),
        ("backup copy", (W, E)),
        ("init unlock tag restore", (W,)),
        ("forget prune rewrite", (W, D)),
        ("dump cat mount", (R, E)),
        ("key", (P,)),
    ),
    "borg": table(
        ("list info check diff", (R,)),
        ("create init extract mount umount rename break-lock", (W,)),
        ("delete prune compact recreate", (W, D)),
        ("export-tar", (E,)),
        ("key", (P, E)),
    ),
    "pgbackrest": table(
        ("info version help check verify", (R,)),
        ("backup expire stanza-create stanza-upgrade start archive-push", (W,)),
        ("restore stop stanza-delete", (W, D)),
    ),
    "barman": table(
        (
            """
            list-backup list-backups list-server list-servers list-files check status show-backup show-server
            show-servers check-backup diagnose
            """,
            (R,),
        ),
        ("backup cron switch-wal switch-xlog keep", (W,)),
        ("delete recover restore", (W, D)),
    ),
    "patronictl": table(
        ("list topology history version dsn", (R,)),
        ("pause resume reload", (W,)),
        ("restart reinit failover switchover remove flush", (W, D)),
        ("show-config", (R, E)),
        ("edit-config", (P,)),
    ),
    "nodetool": table(
        (
            """
            status info ring netstats tpstats compactionstats compactionhistory cfstats tablestats describecluster
            describering gossipinfo version proxyhistograms tablehistograms getendpoints listsnapshots gcstats
            """,
            (R,),
        ),
        ("flush repair cleanup compact snapshot rebuild scrub refresh", (W,)),
        (
            """
            drain decommission removenode stopdaemon clearsnapshot assassinate truncatehints disablegossip
            disablebinary move
            """,
            (W, D),
        ),
    ),
    "promtool": table(("check query test tsdb/analyze tsdb/list", (R,))),
    "amtool": table(
        ("alert alert/query silence silence/query check-config config/routes cluster/show", (R,)),
        ("silence/add silence/expire silence/update alert/add", (W,)),
        ("config config/show", (R, E)),
    ),
    "istioctl": table(
        ("version proxy-status ps analyze describe experimental/describe x/describe validate", (R,)),
        ("install upgrade create-remote-secret", (W, X)),
        ("uninstall", (W, D)),
        ("proxy-config pc dashboard", (R, E)),
    ),
    "velero": table(
        (
            """
            version get backup/get backup/describe backup/logs restore/get restore/describe restore/logs schedule/get
            schedule/describe backup-location/get
            """,
            (R,),
        ),
        ("backup/create restore/create schedule/create create", (W,)),
        ("backup/delete restore/delete schedule/delete delete uninstall", (W, D)),
        ("backup/download", (E,)),
    ),
    "certbot": table(
        ("certificates plugins show_account", (R,)),
        ("renew run certonly install enhance reconfigure update_account", (W, X)),
        ("delete revoke rollback unregister", (W, D)),
        ("register", (P,)),
    ),
    "bpftool": table(
        (
            """
            prog prog/list prog/show map map/list map/show net net/list net/show link link/list link/show cgroup/tree
            feature feature/probe version btf/list perf/list
            """,
            (R,),
        ),
        ("map/dump map/lookup", (R, E)),
        (
            "prog/load prog/attach prog/detach prog/run map/update map/delete net/attach net/detach link/detach",
            (P,),
        ),
    ),
    "ctr": table(
        (
            """
            version images/ls images/list image/ls image/list containers/ls containers/list c/ls containers/info tasks/ls
            tasks/list t/ls namespaces/ls plugins/ls snapshots/ls
            """,
            (R,),
        ),
        ("images/pull image/pull images/tag", (W,)),
        (
            "images/rm image/rm containers/rm containers/delete tasks/kill tasks/rm tasks/delete namespaces/rm",
            (W, D),
        ),
        ("run tasks/exec t/exec tasks/attach", (X, U)),
    ),
    "lxc": table(
        ("list ls info version image/list network/list storage/list profile/list cluster/list", (R,)),
        ("start launch init copy snapshot config/set profile/assign", (W, X)),
        ("stop delete rm restart pause restore image/delete storage/delete network/delete", (W, D)),
        ("exec console shell", (X, U)),
    ),
    "skopeo": table(("inspect list-tags", (R,)), ("copy sync", (W, E)), ("delete", (W, D)), ("login", (P,))),
    "crane": table(
        ("ls catalog manifest digest config version validate", (R,)),
        ("copy cp tag append mutate push", (W, E)),
        ("delete", (W, D)),
        ("pull export blob", (W,)),
        ("auth", (P,)),
    ),
    "pulumi": table(
        ("version whoami about stack/ls stack/history stack/graph plugin/ls policy/ls", (R,)),
        ("up update refresh import new preview", (W, X, U)),
        ("destroy stack/rm cancel", (W, D)),
        ("stack/output stack/export config logs", (R, E)),
        ("login logout", (P,)),
    ),
    "tuned-adm": table(("active list recommend verify profile_info", (R,)), ("profile off", (P,))),
    "monit": table(
        ("summary status report validate -V", (R,)),
        ("start monitor reload", (X,)),
        ("stop restart unmonitor quit", (D,)),
    ),
    "rndc": table(
        ("status zonestatus", (R,)),
        ("reload refresh retransfer reconfig sign", (W,)),
        ("stop halt flush freeze", (D,)),
    ),
    "unbound-control": table(
        ("status stats stats_noreset lookup list_local_zones list_forwards get_option", (R,)),
        ("reload local_data local_zone forward_add set_option", (P,)),
        ("stop flush flush_zone dump_cache", (D,)),
    ),
    "tailscale": table(
        ("status ip version netcheck ping whois", (R,)),
        ("up down set login logout switch lock", (P,)),
        ("serve funnel file", (E,)),
        ("ssh", (X, U)),
    ),
    "cilium": table(
        ("status version endpoint/list endpoint/get service/list node/list identity/list policy/get", (R,)),
        ("install upgrade config", (W, X)),
        ("uninstall endpoint/disconnect", (W, D)),
    ),
    "calicoctl": table(
        ("get version node/status ipam/show", (R,)),
        ("create apply replace patch", (P,)),
        ("delete ipam/release", (P, D)),
    ),
    "linkerd": table(("version check viz/stat viz/top viz/edges viz/check", (R,))),
    **dict.fromkeys(
        ("qm", "pct"),
        table(
            ("list status config pending listsnapshot", (R,)),
            ("start create clone resume set snapshot resize", (W,)),
            ("stop shutdown destroy reset reboot suspend rollback delsnapshot", (W, D)),
            ("exec enter guest console terminal monitor", (X, U)),
        ),
    ),
    "nats": table(
        (
            """
            stream/ls stream/list stream/info stream/report consumer/ls consumer/list consumer/info consumer/report
            server/list server/ls server/info server/ping server/report account/info rtt
            """,
            (R,),
        ),
        ("pub publish stream/add stream/edit consumer/add kv/put", (W,)),
        ("stream/rm stream/purge stream/delete consumer/rm consumer/delete kv/del kv/purge", (W, D)),
    ),
    "wal-g": table(
        ("backup-list wal-show wal-verify", (R,)),
        ("backup-push wal-push", (W,)),
        ("backup-fetch wal-fetch delete", (W, D)),
    ),
    "cockroach": table(("version node/status node/ls", (R,)), ("node/decommission node/drain quit", (W, D))),
    "logcli": table(("query instant-query labels series stats volume", (R,))),
    "caddy": table(
        ("version list-modules build-info", (R,)), ("start run reload adapt validate", (X,)), ("stop", (D,))
    ),
    "kubeadm": table(
        ("version certs/check-expiration config/images/list upgrade/plan", (R,)),
        ("init join upgrade certs kubeconfig", (P, X)),
        ("token", (P, E)),
        ("reset", (P, D)),
    ),
}
TAKES: Mapping[str, tuple[str, str]] = {
    "ceph": ("cfnkim", "conf format id name keyring cluster connect-timeout"),
    "rados": ("pNnc", "pool namespace conf"),
    "rbd": ("pc", "pool conf namespace format image snap"),
    "restic": ("rpoH", "repo password-file password-command host path tag option cache-dir"),
    "virsh": ("cdekl", "connect debug keepalive-interval log"),
    "pgbackrest": ("", "stanza config log-level-console repo"),
    "patronictl": ("cdk", "config-file dcs-url"),
    "nodetool": ("hpuU", "host port username password-file"),
    "istioctl": ("nic", "namespace istioNamespace context kubeconfig"),
    "velero": ("n", "namespace kubeconfig kubecontext"),
    "tailscale": ("", "socket"),
    "calicoctl": ("cnorf", "config namespace output filename"),
    "cilium": ("nHD", "namespace context host"),
    "nats": ("s", "server context creds user password timeout"),
    "wal-g": ("", "config"),
    "logcli": ("", "addr username password limit since from to output org-id"),
    "ctr": ("an", "address namespace timeout connect-timeout"),
    "lxc": ("", "project"),
    "pulumi": ("Cs", "cwd stack color"),
    "certbot": ("cdm", "config-dir work-dir logs-dir domains email config"),
    "rndc": ("cksp", ""),
    "unbound-control": ("cs", ""),
}
"""Options of theirs that take a value: letters, and names."""
BARE = words("virsh ceph monit certbot")
"""Those that ask for commands, or begin to work, where none is given."""
_KAFKA = """
    kafka-topics kafka-consumer-groups kafka-configs kafka-acls kafka-log-dirs kafka-broker-api-versions
    kafka-get-offsets kafka-delegation-tokens
"""
_LISTING: Mapping[str, tuple[frozenset[str], Effect]] = {
    "multipath": (words("-l -ll"), D),
    "iscsiadm": (words("-m session node -P 1 2 3"), P),
    "conntrack": (words("-L -C -S --dump --count --stats -p tcp udp -n -o extended"), D),
    "exportfs": (words("-v -s"), P),
    "faillog": (words("-a"), P),
    "smbstatus": (words("-b -p -S -L -j --json"), U),
}
"""Programs that look where they are given no other words than these, and what they do else."""
_BARE = words("exportfs faillog smbstatus")
"""Those of them that look where they are given nothing."""


def _kafka(call: Call) -> str | None:
    given = options(
        call.args,
        long="""
            bootstrap-server bootstrap-controller command-config topic group entity-type entity-name partitions
            replication-factor config zookeeper
        """,
    )
    changes = given.has(
        "create", "alter", "add", "execute", "add-config", "delete-config", "producer", "consumer"
    )
    loses = given.has("delete", "remove", "reset-offsets", "delete-offsets", "expire", "renew")
    call.add(D if loses else W if changes else R)
    if "acls" in call.name or "tokens" in call.name:
        call.add(P if loses or changes else R)
    for path in given.values("command-config"):
        call.read(path)
    return None


def _looking(call: Call) -> str | None:
    known, otherwise = _LISTING[call.name]
    looks = known.issuperset(call.args) and (bool(call.args) or call.name in _BARE)
    if looks or otherwise is not U:
        call.add(R if looks else otherwise)
    else:
        call.doubt("what it is asked for is not known")
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_KAFKA, _kafka),
    **each([f"{name}.sh" for name in _KAFKA.split()], _kafka),
    **each(_LISTING, _looking),
}
