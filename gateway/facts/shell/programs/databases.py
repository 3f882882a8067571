"""Clients of databases."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.mysql import read as read_mysql
from gateway.facts.postgres import read as read_postgres
from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import D, E, P, R, U, W, X, judge, table
from gateway.facts.shell.values import static, words
from gateway.model import Effect, Facts

_CLIENTS = """
    mysqladmin mysqldump mariadb-dump mongo mongosh mongodump mongoexport mongorestore
    sqlcmd sqlplus influx pg_dump pg_dumpall pg_restore pg_basebackup dropdb createdb dropuser
    createuser mysqlimport pgbench vacuumdb reindexdb pg_ctl pg_ctlcluster
"""


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
    if not texts and all(path == "-" for path in given.values("f", "file")):
        if call.stdin is None or not static(call.stdin):
            return call.execute("statements are read that the text does not show")
        if _interpolates(call.stdin, named=given.has("v", "set", "variable")):
            call.doubt("a statement holds what only the target knows")
        texts = [call.stdin]
    for text in texts:
        _sql(call, text)
    return None


_QUOTED = re.compile(r"(?<!:)'[^'\\]*'")
_INTERPOLATED = re.compile(r"(?<!:):['\"{]?[^\W\d]")
_INTERPOLATED_NAMED = re.compile(r"(?<!:):['\"{]?\w")


def _interpolates(text: str, *, named: bool) -> bool:
    """Whether psql may put variables into what it reads, `named` by options of its own or not. It does not into -c."""
    # Where a quote may be something else, strings are looked through as well.
    plain = not any(mark in text for mark in ("\\", "$", "--", "/*", '"'))
    bare = _QUOTED.sub("''", text) if plain else text
    return (_INTERPOLATED_NAMED if named else _INTERPOLATED).search(bare) is not None


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
    if not static(text) or re.search(r"(?<![:\w]):['\"]?[a-z]|\\[a-zA-Z!]|[`]", text):
        call.doubt("a statement holds what only the target knows")
    _taken(call, read_postgres(text))


_CLIENT_COMMAND = re.compile(
    r"(?:^|[;\n])\s*(?:system|source|tee|pager|edit|prompt|rehash|connect)\b|\\[^gGnNbrfv%_0]", re.IGNORECASE
)


def _mysql(call: Call) -> str | None:
    args = [arg for arg in call.args if not re.match(r"-p.", arg)]
    given = options(
        args,
        takes="eDhuPS",
        long="execute database host user port socket defaults-file tee pager init-command",
    )
    for text in given.values("init-command"):
        _mysql_text(call, text)
    if given.has("tee", "pager", "defaults-file", "defaults-extra-file", "plugin-dir"):
        call.execute("a program of the client's options is run")
    texts = given.values("e", "execute")
    if not texts:
        if call.stdin is None or not static(call.stdin):
            return call.execute("statements are read that the text does not show")
        texts = (call.stdin,)
    for text in texts:
        _mysql_text(call, text)
    return None


def _mysql_text(call: Call, text: str) -> None:
    if not static(text):
        call.doubt("a statement holds what only the target knows")
    if _CLIENT_COMMAND.search(text):
        call.execute("a command of the client may run or write what the text does not show")
        return
    _taken(call, read_mysql(re.sub(r"\\[gG]\s*\Z", "", text)))


def _taken(call: Call, facts: Facts) -> None:
    """Facts of statements count as the command's own."""
    call.add(*(facts.effects - {U}))
    if not facts.complete:
        call.doubt("a statement inside the command is not fully read")
    for resource in facts.resources:
        call.resource(resource.kind, resource.name, resource.effect)


_REDIS: Mapping[str, tuple[Effect, ...]] = table(
    (
        """
        ping echo info dbsize time lastsave role get mget getrange strlen exists type ttl pttl expiretime keys
        scan randomkey object dump hget hmget hgetall hkeys hvals hlen hexists hscan lrange llen lindex lpos
        smembers scard sismember smismember srandmember sscan sinter sunion sdiff zrange zrangebyscore
        zrevrange zcard zcount zscore zrank zscan xlen xrange xrevrange xinfo xpending bitcount getbit pfcount
        geopos geodist slowlog/get slowlog/len memory latency client/list client/info client/id client/getname
        config/get command cluster/info cluster/nodes cluster/slots cluster/shards acl/whoami acl/cat pubsub
        module/list wait subscribe sentinel/masters sentinel/master sentinel/replicas sentinel/slaves
        sentinel/get-master-addr-by-name
        """,
        (R,),
    ),
    (
        """
        set setex setnx mset append incr incrby decr decrby getset getdel hset hmset hdel hincrby lpush rpush
        lpop rpop ltrim lset sadd srem spop zadd zrem zincrby xadd xdel xtrim expire pexpire persist rename
        copy publish del unlink restore setbit pfadd geoadd touch bgsave save bgrewriteaof slowlog/reset
        latency/reset select multi exec watch
        """,
        (W,),
    ),
    (
        "flushall flushdb shutdown client/kill client/pause debug failover swapdb sentinel/failover cluster/reset",
        (W, D),
    ),
    (
        "config/set config/rewrite config/resetstat acl replicaof slaveof auth cluster sentinel migrate",
        (P, W),
    ),
    ("eval evalsha fcall function script module", (X, U)),
    ("monitor psync sync", (R, E)),
)


_REDIS_PLAIN = re.compile(r"(?!.*(?:pass|auth|user))[\w-]+\*?", re.IGNORECASE)
"""Settings that hold no password, though a star stands for the end of their name."""


REDIS_TAKES = "hpsanuridDX"
REDIS_LONG = (
    "user pass eval pattern count quoted-pattern rdb functions-rdb tls-ca-cert cacert cert key interval"
)


def _redis(call: Call) -> str | None:
    given = options(
        call.args,
        takes=REDIS_TAKES,
        long=REDIS_LONG,
        until_operand=True,
    )
    if given.has("eval", "x", "X", "functions-rdb", "rdb", "pipe", "replica", "slave"):
        return call.execute("redis is given what the text does not show")
    if given.has(
        "scan", "stat", "latency", "latency-history", "bigkeys", "memkeys", "hotkeys", "version", "v"
    ):
        call.add(R)
        return None
    if not given.operands:
        return call.execute("commands are read that the text does not show")
    found = judge(call, _REDIS, *(word.lower() for word in given.operands[:2]))
    if U in found:
        call.execute("redis runs a script")
    if [word.lower() for word in given.operands[:2]] == ["config", "get"] and not all(
        _REDIS_PLAIN.fullmatch(name) for name in given.operands[2:]
    ):
        call.add(E)
    return None


def _sqlite(call: Call) -> str | None:
    given = options(call.args, long="cmd init separator nullvalue newline mmap vfs")
    dotted = [text.strip() for text in given.operands[1:]]
    texts = [text for text in dotted if not _SQLITE_LOOKS.match(text)]
    if not dotted or given.has("cmd", "init") or any(text.startswith(".") for text in texts):
        return _database(call)
    call.read(given.operands[0])
    for text in texts:
        _plain_sql(call, text)
    return None


def _clickhouse(call: Call) -> str | None:
    given = options(
        call.args, takes="hudqfC", long="host port user password database query format config config-file"
    )
    return _queried(call, given.values("q", "query"), settings=given.has("C", "config", "config-file"))


def _cqlsh(call: Call) -> str | None:
    given = options(call.args, takes="upkef", long="username password keyspace execute file cqlshrc encoding")
    return _queried(call, given.values("e", "execute"), settings=given.has("f", "file", "cqlshrc"))


def _queried(call: Call, texts: tuple[str, ...], *, settings: bool) -> str | None:
    if not texts or settings:
        return _database(call)
    for text in texts:
        _plain_sql(call, text)
    return None


def _plain_sql(call: Call, text: str) -> None:
    """A statement of another dialect, where all that is in it means the same in PostgreSQL's."""
    if _LISTS.match(text):
        call.add(R)
    elif not static(text) or _OTHERWISE.search(text):
        call.doubt("statements for a database are not read here")
    else:
        _taken(call, read_postgres(text))


_OTHERWISE = re.compile(r"[\\$`\[\]@#{}]|/\*|\*/|\bU&|\bE'|\bB'|\bX'|//", re.IGNORECASE)
"""What dialects quote, comment or fill in differently."""
_LISTS = re.compile(
    r"""\s*(?:show\ (?:tables|databases|keyspaces|processlist|version|host|create\ table)
    |desc(?:ribe)?|exists|pragma\ (?:table_x?info|index_list|index_info|database_list|integrity_check|quick_check
        |foreign_key_list|foreign_key_check|page_count|table_list|compile_options))\b[\w\s.()"']*;?\s*\Z
    |\s*pragma\ (?:user_version|page_size|journal_mode|foreign_keys)\s*;?\s*\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_SQLITE_LOOKS = re.compile(
    r"\.(?:tables|schema|databases|indexes|indices|dbinfo|show|version)(?:\s+[\w%]+)?\Z"
)
_DUMPING = words("mysqldump pg_dump pg_dumpall mongodump mongoexport mariadb-dump pg_basebackup")
_REPLACING = words("dropdb dropuser pg_restore mysqlimport mongorestore createuser")
_ADMIN_LOOKS = words("status ping processlist version extended-status variables")


def _database(call: Call) -> str | None:
    """Clients whose statements are not read here."""
    admin = options(
        [a for a in call.args if not re.match(r"-p.", a)], takes="uhPSi", long="user host port socket sleep"
    )
    if call.name == "mysqladmin" and _ADMIN_LOOKS.issuperset(admin.operands):
        call.add(R)
        return None
    call.doubt("statements for a database are not read here")
    if call.name in _DUMPING:
        call.add(R, E)
    if call.name in _REPLACING:
        call.add(D, W)
    text = " ".join(call.args).lower()
    if re.search(r"\b(?:drop|truncate|shutdown|flushall)|deletemany|\bremove\(", text):
        call.add(D)
    if re.search(r"\bsystem\b|\\!|\.shell|\.system|into\s+(?:outfile|dumpfile)|load_file|load\s+data", text):
        call.add(X)
    return None


def _pg_isready(call: Call) -> str | None:
    call.add(R)
    return None


HANDLERS: Mapping[str, Handler] = {
    "psql": _psql,
    "pg_isready": _pg_isready,
    **each("mysql mariadb", _mysql),
    "redis-cli": _redis,
    "sqlite3": _sqlite,
    "clickhouse-client": _clickhouse,
    "cqlsh": _cqlsh,
    **each(_CLIENTS, _database),
}
