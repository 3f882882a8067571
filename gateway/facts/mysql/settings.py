"""What setting a variable does: most only shape the session; some are guards, some change how later text reads."""

from __future__ import annotations

from gateway.model import Effect, Effects

_SESSION = frozenset({Effect.SESSION})
_GUARD = frozenset({Effect.SESSION, Effect.PRIVILEGE})
_GLOBAL = frozenset({Effect.PRIVILEGE})

GUARDS = frozenset(
    [
        "sql_log_bin",
        "sql_log_off",
        "foreign_key_checks",
        "unique_checks",
        "check_constraint_checks",
        "sql_safe_updates",
        "max_statement_time",
        "general_log",
        "slow_query_log",
        "log_output",
        "read_only",
        "super_read_only",
        "secure_file_priv",
        "local_infile",
        "secure_auth",
        "init_connect",
        "init_file",
        "event_scheduler",
        "server_audit_logging",
        "audit_log_policy",
        "gtid_next",
        "gtid_mode",
        "pseudo_thread_id",
        "pseudo_slave_mode",
        "pseudo_replica_mode",
        "binlog_format",
        "default_authentication_plugin",
        "old_passwords",
        "session_track_gtids",
        "require_secure_transport",
        "validate_password",
        "password_history",
        "skip_grant_tables",
        "tx_read_only",
        "transaction_read_only",
        "binlog_row_image",
        "log_bin_trust_function_creators",
        "server_id",
        "sql_require_primary_key",
    ]
)
"""Turning one of these may take a guard away, whoever's session it is in."""
READING = frozenset({"sql_mode", "character_set_client", "character_set_connection", "collation_connection"})
"""They decide how later texts are cut and what they mean."""
_PLAIN_CHARSETS = frozenset(
    {"utf8", "utf8mb3", "utf8mb4", "latin1", "ascii", "binary", "default", "null", "utf8mb4_unicode_ci"}
)
_MODES_THAT_READ = (
    "ansi",
    "no_backslash_escapes",
    "pipes_as_concat",
    "ignore_space",
    "oracle",
    "mssql",
    "db2",
    "postgresql",
    "maxdb",
)


def effects_of(name: str, scope: str, value: str | None) -> Effects:
    """`scope` is `GLOBAL`, `PERSIST` or "" for the session; `value` is `None` where it is no plain word or string."""
    name = name.lower()
    if scope in {"GLOBAL", "PERSIST", "PERSIST_ONLY"}:
        return _GLOBAL
    if name in READING:
        return _SESSION if _reads_alike(name, value) else _SESSION | {Effect.UNKNOWN}
    if name in GUARDS:
        safe = (value or "").lower() in {"1", "on", "true"} and name.endswith(
            ("_checks", "_safe_updates", "_log_bin", "read_only")
        )
        return _SESSION if safe else _GUARD
    return _SESSION


def _reads_alike(name: str, value: str | None) -> bool:
    if value is None:
        return False
    if name == "sql_mode":
        return not any(mode in value.lower() for mode in _MODES_THAT_READ)
    return value.lower().split("_")[0] in _PLAIN_CHARSETS or value.lower() in _PLAIN_CHARSETS


def charset_reads_alike(name: str) -> bool:
    """Whether a client character set cuts tokens where UTF-8 does: gbk, sjis and big5 hide quotes in characters."""
    return name.lower() in _PLAIN_CHARSETS
