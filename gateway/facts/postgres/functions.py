"""What calling a function does, by its name.

Three tables: functions of the catalogue that only compute or look (`catalogue.py`), functions known to do more,
and functions of common extensions that only compute. What is in none has a body nobody here can see: unknown.
A function that does more is known by its last name in any schema, since extensions may be installed in any.
"""

from __future__ import annotations

from gateway.facts.postgres.catalogue import ONLY_READ
from gateway.model import Effect, Effects

_READ, _WRITE, _DDL = Effect.READ, Effect.WRITE, Effect.DDL
_LOSE, _PRIVILEGE = Effect.DESTRUCTIVE, Effect.PRIVILEGE
_EXEC, _EXFIL, _SESSION = Effect.EXEC, Effect.EXFIL, Effect.SESSION

_LOOKING = """
    clock_timestamp timeofday random random_normal array_sample array_shuffle gen_random_uuid uuidv4 uuidv7
    currval lastval current_query pg_sequence_last_value pg_get_sequence_data pg_partition_tree pg_partition_ancestors
    pg_relation_size pg_table_size pg_total_relation_size pg_indexes_size pg_database_size pg_tablespace_size
    pg_collation_actual_version pg_database_collation_actual_version pg_is_in_recovery pg_is_wal_replay_paused
    pg_get_wal_replay_pause_state pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn
    pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_last_committed_xact
    pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status txid_status pg_get_multixact_members
    pg_lock_status pg_blocking_pids pg_safe_snapshot_blocking_pids pg_prepared_xact pg_jit_available
    pg_isolation_test_session_is_blocked pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system
    pg_notification_queue_usage pg_get_wait_events pg_get_aios pg_get_backend_memory_contexts
    pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_loaded_modules pg_show_replication_origin_status
    pg_replication_origin_progress pg_replication_origin_session_progress pg_replication_origin_session_is_setup
    pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_available_wal_summaries pg_wal_summary_contents
    pg_stat_get_io pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_recovery_prefetch pg_stat_have_stats
    pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls
    pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans
    pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated
    pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_newpage_updated pg_stat_get_xact_tuples_returned
    pg_stat_get_xact_tuples_updated pg_current_logfile amvalidate lo_lseek lo_lseek64 lo_tell lo_tell64
    array_agg xml_is_well_formed pg_replication_origin_oid
"""

_EXTENSIONS = """
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil uuid_ns_url
    uuid_ns_dns digest hmac crypt gen_salt gen_random_bytes armor dearmor encrypt decrypt encrypt_iv decrypt_iv
    pgp_sym_encrypt pgp_sym_decrypt pgp_sym_encrypt_bytea pgp_sym_decrypt_bytea pgp_pub_encrypt pgp_pub_decrypt
    similarity word_similarity strict_word_similarity show_trgm show_limit unaccent levenshtein
    levenshtein_less_equal soundex difference metaphone dmetaphone dmetaphone_alt daitch_mokotoff
    hstore akeys avals skeys svals each hstore_to_json hstore_to_jsonb slice exist defined nlevel subpath subltree lca
    text2ltree ltree2text earth_distance ll_to_earth earth_box cube cube_distance normal_rand
    cosine_distance l2_distance inner_product vector_dims l2_normalize
    time_bucket time_bucket_gapfill locf interpolate first last histogram
    st_area st_asbinary st_asewkt st_asgeojson st_asmvt st_asmvtgeom st_astext st_azimuth st_boundary st_buffer
    st_centroid st_closestpoint st_collect st_contains st_convexhull st_coveredby st_covers st_crosses
    st_difference st_dimension st_disjoint st_distance st_distancesphere st_dwithin st_envelope st_equals st_extent
    st_geogfromtext st_geohash st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb st_intersection
    st_intersects st_isempty st_isvalid st_length st_linemerge st_makeenvelope st_makeline st_makepoint
    st_makepolygon st_makevalid st_npoints st_overlaps st_perimeter st_point st_pointonsurface st_setsrid
    st_simplify st_srid st_tileenvelope st_touches st_transform st_union st_within st_x st_y st_z
"""

_DOING: tuple[tuple[frozenset[Effect], str], ...] = (
    (
        frozenset({_SESSION}),
        """setseed pg_sleep pg_sleep_for pg_sleep_until pg_export_snapshot pg_stat_clear_snapshot pg_stat_force_next_flush
        pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
        pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
        pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared lo_open lo_close set_limit pg_prewarm currtid2""",
    ),
    (
        frozenset({_WRITE}),
        """nextval setval pg_nextoid pg_notify lo_creat lo_create lo_from_bytea lo_put lowrite lo_truncate lo_truncate64
        pg_logical_emit_message pg_switch_wal pg_create_restore_point pg_log_standby_snapshot
        pg_log_backend_memory_contexts brin_summarize_new_values brin_summarize_range brin_desummarize_range
        gin_clean_pending_list pg_clear_attribute_stats pg_clear_relation_stats pg_restore_attribute_stats
        pg_restore_relation_stats pg_stat_reset pg_stat_reset_shared pg_stat_reset_slru pg_stat_reset_backend_stats
        pg_stat_reset_single_table_counters pg_stat_reset_single_function_counters pg_stat_reset_replication_slot
        pg_stat_reset_subscription_stats pg_replication_slot_advance pg_sync_replication_slots pg_buffercache_evict
        pg_truncate_visibility_map""",
    ),
    (
        frozenset({_WRITE, _LOSE}),
        "lo_unlink pg_drop_replication_slot heap_force_kill heap_force_freeze pg_file_unlink drop_chunks",
    ),
    (
        frozenset({_LOSE}),
        """pg_terminate_backend pg_cancel_backend pg_promote pg_wal_replay_pause pg_wal_replay_resume pg_backup_start
        pg_backup_stop pg_start_backup pg_stop_backup""",
    ),
    (
        frozenset({_PRIVILEGE}),
        """pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_stat_statements_reset pg_replication_origin_create
        pg_replication_origin_drop pg_replication_origin_advance pg_replication_origin_session_setup
        pg_replication_origin_session_reset pg_replication_origin_xact_setup pg_replication_origin_xact_reset""",
    ),
    (
        frozenset({_DDL, _PRIVILEGE}),
        """pg_import_system_collations pg_extension_config_dump pg_stop_making_pinned_objects
        binary_upgrade_add_sub_rel_state binary_upgrade_create_empty_extension binary_upgrade_replorigin_advance
        binary_upgrade_set_missing_value binary_upgrade_set_record_init_privs binary_upgrade_set_next_pg_type_oid
        binary_upgrade_set_next_pg_authid_oid binary_upgrade_set_next_heap_pg_class_oid""",
    ),
    (
        frozenset({_EXFIL}),
        """pg_read_file pg_read_file_old pg_read_binary_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir
        pg_ls_archive_statusdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir
        pg_logdir_ls pg_stat_file pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings
        pg_logical_slot_peek_changes pg_logical_slot_peek_binary_changes get_raw_page heap_page_items
        heap_page_item_attrs bt_page_items tuple_data_split pg_get_wal_record_info pg_get_wal_records_info
        pg_get_wal_block_info page_header schema_to_xml schema_to_xml_and_xmlschema database_to_xml
        database_to_xml_and_xmlschema dblink_connect dblink_connect_u dblink_get_result dblink_open dblink_fetch
        lo_get loread http_get http_head aws_s3_query_export query_export_to_s3""",
    ),
    (
        frozenset({_WRITE, _EXFIL}),
        """lo_import lo_export pg_logical_slot_get_changes pg_logical_slot_get_binary_changes
        pg_create_logical_replication_slot pg_create_physical_replication_slot pg_copy_logical_replication_slot
        pg_copy_physical_replication_slot pg_file_write pg_file_sync pg_file_rename http_post http_put http_patch
        http_delete http table_import_from_s3""",
    ),
    (
        frozenset({_EXEC, _EXFIL}),
        "dblink dblink_exec dblink_send_query xpath_table sys_eval sys_exec sys_bineval sys_fileread",
    ),
    (
        frozenset({_EXEC}),
        """pg_background_launch plpgsql_call_handler plpgsql_inline_handler plpgsql_validator plpython3_call_handler
        plperlu_call_handler add_job run_job alter_job create_distributed_function run_command_on_workers
        run_command_on_shards master_run_on_worker""",
    ),
)

_IN_SCHEMA: dict[str, Effects] = {
    "cron": frozenset({_EXEC, _PRIVILEGE}),
    "net": frozenset({_EXFIL}),
    "aws_s3": frozenset({_EXFIL, _WRITE}),
    "aws_lambda": frozenset({_EXEC, _EXFIL}),
    "aws_commons": frozenset({_READ}),
    "dblink": frozenset({_EXEC, _EXFIL}),
    "vault": frozenset({_EXFIL}),
}
"""Extensions that are called by the schema they own."""

DOES: dict[str, Effects] = {name: effects for effects, names in _DOING for name in names.split()}
_PLAIN = ONLY_READ | frozenset(_LOOKING.split())
_COMMON = frozenset(_EXTENSIONS.split())

COLUMNS: dict[str, tuple[str, ...]] = {
    "generate_series": ("",),
    "generate_subscripts": ("",),
    "regexp_split_to_table": ("",),
    "regexp_matches": ("",),
    "string_to_table": ("",),
    "json_object_keys": ("",),
    "jsonb_object_keys": ("",),
    "jsonb_path_query": ("",),
    "json_array_elements": ("value",),
    "json_array_elements_text": ("value",),
    "jsonb_array_elements": ("value",),
    "jsonb_array_elements_text": ("value",),
    "json_each": ("key", "value"),
    "json_each_text": ("key", "value"),
    "jsonb_each": ("key", "value"),
    "jsonb_each_text": ("key", "value"),
}
"""What functions in FROM call their columns; "" stands for the alias."""

MULTIPLIES = frozenset({*COLUMNS, "unnest"})
"""Functions whose argument decides how many rows come back."""

RUNS_SQL: dict[str, int] = {
    "query_to_xml": 0,
    "query_to_xmlschema": 0,
    "query_to_xml_and_xmlschema": 0,
    "ts_stat": 0,
    "crosstab": 0,
    "crosstab2": 0,
    "crosstab3": 0,
    "crosstab4": 0,
    "crosstabn": 0,
}
"""Functions that run the SQL text in that argument here, with the caller's rights."""
RUNS_MORE_SQL: dict[str, tuple[int, ...]] = {"crosstab": (1,), "ts_rewrite": (1,)}
"""Further arguments that are SQL where they are given."""
READS_TABLE: dict[str, int] = {
    "table_to_xml": 0,
    "table_to_xml_and_xmlschema": 0,
    "table_to_xmlschema": 0,
    "connectby": 0,
}
"""Functions that read the table named in that argument."""
READS_NAMED = {"connectby": 4}
"""Of these, how many arguments at the beginning stand as they are in the SQL that is made of them, where all are given."""
CASTS_TO: dict[str, int] = {"pg_input_is_valid": 1, "pg_input_error_info": 1}
"""Functions that try their text as a value of the type named in that argument."""


def effects_of(schema: str, name: str) -> Effects | None:
    """The effects of calling `name`, `None` where nobody can tell. Names are lower-case."""
    if name in DOES:
        known = DOES[name]
        return known if schema in {"", "pg_catalog", "public", "extensions"} else known | {Effect.UNKNOWN}
    if schema in _IN_SCHEMA:
        return _IN_SCHEMA[schema] | {Effect.UNKNOWN}
    if schema in {"", "pg_catalog", "information_schema"} and name in _PLAIN:
        return frozenset()
    if schema in {"", "public", "extensions"} and name in _COMMON:
        return frozenset()
    return None
