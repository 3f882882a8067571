"""What changing a setting means: most are the session's own affair, some are guards.

A guard is a setting that decides who one is, what one may see, what is logged, which code is loaded, or how the text
of later statements reads. Setting a guard to the value that it has anyway (drivers and dump tools do) is harmless.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.model import Effect, Effects

_SESSION: Effects = frozenset({Effect.SESSION})
_GUARD: Effects = frozenset({Effect.SESSION, Effect.PRIVILEGE})
_LOADS: Effects = frozenset({Effect.SESSION, Effect.PRIVILEGE, Effect.EXEC})

ON = frozenset({"on", "true", "t", "tr", "tru", "yes", "y", "ye", "1"})
_OFF = frozenset({"off", "of", "false", "f", "fa", "fal", "fals", "no", "n", "0"})

_HARMLESS: dict[str, frozenset[str]] = {
    "standard_conforming_strings": ON,
    "row_security": ON,
    "default_transaction_read_only": ON,
    "transaction_read_only": ON,
    "session_replication_role": frozenset({"origin", "local"}),
    "backslash_quote": frozenset({"safe_encoding"}) | _OFF,
    "client_encoding": frozenset({"utf8", "utf-8", "unicode", "sql_ascii"}),
    "allow_system_table_mods": _OFF,
    "lo_compat_privileges": _OFF,
    "zero_damaged_pages": _OFF,
    "ignore_checksum_failure": _OFF,
    "ignore_invalid_pages": _OFF,
    "ignore_system_indexes": _OFF,
    "quote_all_identifiers": ON | _OFF,
}
"""Guards, and the values that leave them standing."""

_ALWAYS = frozenset(
    {
        "role",
        "session_authorization",
        "is_superuser",
        "password_encryption",
        "event_triggers",
        "restrict_nonsystem_relation_kind",
        "createrole_self_grant",
        "primary_conninfo",
        "ssl",
        "hba_file",
        "ident_file",
        "track_activities",
        "track_functions",
        "track_counts",
    }
)
_ALWAYS_PREFIXES = (
    "log_",
    "pgaudit.",
    "auto_explain.",
    "pg_stat_statements.",
    "debug_",
    "anon.",
    "supautils.",
    "ssl_",
)
_CODE = frozenset(
    {
        "session_preload_libraries",
        "local_preload_libraries",
        "shared_preload_libraries",
        "dynamic_library_path",
        "extension_control_path",
        "jit_provider",
        "archive_command",
        "archive_library",
        "archive_cleanup_command",
        "restore_command",
        "recovery_end_command",
        "ssl_passphrase_command",
        "plperl.on_init",
        "plperl.on_plperl_init",
        "plperl.on_plperlu_init",
        "pltcl.start_proc",
        "pltclu.start_proc",
    }
)
_OWN_SCHEMAS = frozenset({"", "public", "pg_catalog", "$user"})


def effects_of(name: str, values: Sequence[str] | None) -> Effects:
    """What setting `name` to `values` does; `values` is `None` for DEFAULT and RESET, and for what is not a literal."""
    name = name.lower()
    if name in _CODE:
        return _LOADS
    if name in _ALWAYS or name.startswith(_ALWAYS_PREFIXES):
        return _GUARD
    if name == "search_path":
        return _of_path(values)
    if name in _HARMLESS:
        kept = values is not None and len(values) == 1 and values[0].strip().lower() in _HARMLESS[name]
        return _SESSION if kept else _GUARD
    return _SESSION


def effects_of_reset(name: str) -> Effects:
    """RESET brings back what the session began with, which the gateway has seen; who one is stays a guard."""
    return _GUARD if name.lower() in _ALWAYS else _SESSION


def _of_path(values: Sequence[str] | None) -> Effects:
    """Names keep their meaning with the user's own schema, `public`, and built-ins first.

    Elsewhere a bare name in a later text may mean another table or function: unknown. A path that puts built-ins, or
    the temporary schema, behind another lets that one replace functions and operators: a guard.
    """
    if values is None:
        return _SESSION | {Effect.UNKNOWN}
    path = [part.strip().strip('"').lower() for value in values for part in value.split(",")]
    if "pg_temp" in path or ("pg_catalog" in path and path[0] != "pg_catalog"):
        return _GUARD
    return _SESSION if _OWN_SCHEMAS.issuperset(path) else _SESSION | {Effect.UNKNOWN}
