"""What setting a variable does: most only shape the session; some are guards, some change how later text reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.facts.mysql.lexer import Modes, Token, cuts_alike
from gateway.model import Effect, Effects

_SESSION = frozenset({Effect.SESSION})
_GUARD = frozenset({Effect.SESSION, Effect.PRIVILEGE})
_GLOBAL = frozenset({Effect.PRIVILEGE})

_GUARDS = """
sql_log_bin sql_log_off foreign_key_checks unique_checks check_constraint_checks sql_safe_updates general_log slow_query_log
log_output read_only super_read_only secure_file_priv local_infile secure_auth init_connect init_file event_scheduler
server_audit_logging audit_log_policy gtid_next gtid_mode gtid_domain_id gtid_seq_no server_id pseudo_thread_id
pseudo_slave_mode pseudo_replica_mode binlog_format binlog_row_image default_authentication_plugin old_passwords
session_track_gtids require_secure_transport validate_password password_history skip_grant_tables skip_replication wsrep_on
wsrep_osu_method log_bin_trust_function_creators sql_require_primary_key system_versioning_alter_history
system_versioning_insert_history secure_timestamp
"""
GUARDS = frozenset(_GUARDS.split())
"""Turning one of these may take a guard away, whoever's session it is in."""
_GUARDING = (
    "audit_", "binlog_", "debug", "gtid_", "immediate_", "log_slow_", "original_", "pseudo_", "server_audit", "sql_log_",
    "validate_password", "wsrep_",
)  # fmt: skip
"""Families of settings for those who replicate, audit and debug."""
_WAITS = frozenset({"wsrep_sync_wait", "wsrep_causal_reads"})
_RAISED = ("_checks", "_safe_updates", "_log_bin", "read_only")
"""Guards that `1` raises."""
_ANSI = frozenset({"ANSI", "ANSI_QUOTES", "ORACLE", "MSSQL", "DB2", "MAXDB", "POSTGRESQL"})
_PIPES = frozenset({"PIPES_AS_CONCAT", *_ANSI}) - {"ANSI_QUOTES"}
_UNREAD = frozenset({"ORACLE", "MSSQL", "HIGH_NOT_PRECEDENCE"})
"""Modes with a grammar of their own."""
_MODES_THAT_READ = frozenset({"NO_BACKSLASH_ESCAPES", "IGNORE_SPACE", *_PIPES, *_ANSI, *_UNREAD})
_OTHER_MODES = """
ALLOW_INVALID_DATES ERROR_FOR_DIVISION_BY_ZERO NO_AUTO_CREATE_USER NO_AUTO_VALUE_ON_ZERO NO_DIR_IN_CREATE
NO_ENGINE_SUBSTITUTION NO_FIELD_OPTIONS NO_KEY_OPTIONS NO_TABLE_OPTIONS NO_UNSIGNED_SUBTRACTION NO_ZERO_DATE NO_ZERO_IN_DATE
ONLY_FULL_GROUP_BY PAD_CHAR_TO_FULL_LENGTH REAL_AS_FLOAT SIMULTANEOUS_ASSIGNMENT STRICT_ALL_TABLES STRICT_TRANS_TABLES
TIME_ROUND_FRACTIONAL TIME_TRUNCATE_FRACTIONAL TRADITIONAL DEFAULT EMPTY_STRING_IS_NULL MYSQL323 MYSQL40
"""
_KNOWN_MODES = frozenset(_OTHER_MODES.split())


def effects_of(name: str, scope: str, value: str | None) -> Effects:
    """`scope` is `GLOBAL`, `PERSIST` or "" for the session; `value` is `None` where it is not written out."""
    name = name.lower()
    if scope in {"GLOBAL", "PERSIST", "PERSIST_ONLY"}:
        return _GLOBAL
    if name == "sql_mode":
        alike = value is not None and not _modes(value) & _MODES_THAT_READ and not value.isdigit()
        return _SESSION if alike else _SESSION | {Effect.UNKNOWN}
    if name == "character_set_client":
        return _SESSION if value is not None and cuts_alike(value) else _SESSION | {Effect.UNKNOWN}
    if name in GUARDS or (name.startswith(_GUARDING) and name not in _WAITS):
        raised = (value or "").lower() in {"1", "on", "true"} and name.endswith(_RAISED)
        return _SESSION if raised else _GUARD
    return _SESSION


def _modes(value: str) -> frozenset[str]:
    return frozenset(mode.strip().upper() for mode in value.split(","))


def modes_of(value: str) -> tuple[Modes, str]:
    """What a value of sql_mode makes of later texts, and why they cannot be read at all, or ""."""
    modes = _modes(value)
    unclear = "sql_mode has a grammar of its own" if modes & _UNREAD or value.isdigit() else ""
    return (
        Modes(
            ansi_quotes=bool(modes & _ANSI),
            no_backslash_escapes="NO_BACKSLASH_ESCAPES" in modes,
            pipes_as_concat=bool(modes & _PIPES),
        ),
        unclear,
    )


def keeps_modes(strings: Iterable[str], value: Sequence[Token]) -> bool:
    """Whether an expression only adds modes to, or takes them from, those there are, none of which decides reading."""
    words = {token.upper for token in value if token.kind == "word"}
    kept = {token.text.lower() for token in value if token.kind == "variable"}
    known = all(_modes(string) <= _KNOWN_MODES | {""} for string in strings)
    return (
        known and words <= {"CONCAT", "CONCAT_WS", "REPLACE", "SELECT"} and kept <= _OWN_MODE and bool(kept)
    )


_OWN_MODE = frozenset({"@@sql_mode", "@@session.sql_mode", "@@local.sql_mode"})
