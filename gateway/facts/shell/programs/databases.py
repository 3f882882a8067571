"""Clients of databases."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.postgres import read as read_postgres
from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.subcommands import D, E, R, U, W, X
from gateway.facts.shell.values import static

_CLIENTS = """
    mysql mariadb mysqladmin mysqldump mariadb-dump sqlite3 mongo mongosh mongodump mongoexport mongorestore cqlsh
    sqlcmd sqlplus clickhouse-client influx pg_dump pg_dumpall pg_restore pg_basebackup dropdb createdb dropuser
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
    call.add(*(facts.effects - {U}))
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


HANDLERS: Mapping[str, Handler] = {
    "psql": _psql,
    "pg_isready": _pg_isready,
    **each(_CLIENTS, _database),
}
