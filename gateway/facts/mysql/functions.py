"""What functions do: the many that only compute, those that do more, and the rest, whose bodies nobody sees."""

from __future__ import annotations

from gateway.model import Effect

_PLAIN = """
abs acos add_months adddate addtime aes_decrypt aes_encrypt any_value ascii asin atan atan2 avg bin bin_to_uuid
binlog_gtid_pos bit_and bit_count bit_length bit_or bit_xor cast ceil ceiling char char_length character_length
charset chr coalesce coercibility collation column_add column_check column_create column_delete column_exists
column_get column_json column_list compress concat concat_operator_oracle concat_ws connection_id conv convert
convert_tz cos cot count crc32 crc32c cume_dist curdate current_date current_role current_time current_timestamp
current_user curtime database date date_add date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear
decode decode_histogram decode_oracle default degrees dense_rank des_decrypt des_encrypt elt encode encrypt exists exp
export_set extract extractvalue field find_in_set first_value floor format format_bytes format_pico_time found_rows
from_base64 from_days from_unixtime geomcollection geometrycollection get_format greatest group_concat grouping
gtid_subset gtid_subtract hex hour icu_version if ifnull in inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr
interval is_free_lock is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_used_lock is_uuid isnull json_array
json_array_append json_array_insert json_arrayagg json_compact json_contains json_contains_path json_depth
json_detailed json_equals json_exists json_extract json_insert json_keys json_length json_loose json_merge
json_merge_patch json_merge_preserve json_normalize json_object json_objectagg json_overlaps json_pretty json_query
json_quote json_remove json_replace json_schema_valid json_schema_validation_report json_search json_set
json_storage_free json_storage_size json_table json_type json_unquote json_valid json_value kdf key lag last_day
last_insert_id last_value lcase lead least left length lengthb linestring ln localtime localtimestamp locate log log10
log2 lower lpad lpad_oracle ltrim ltrim_oracle make_set makedate maketime match max mbrcontains mbrcoveredby mbrcovers
mbrdisjoint mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin md5 median microsecond mid min minute mod month
monthname multipoint multipolygon name_const nanosecond natural_sort_key now nth_value ntile nullif nvl nvl2 oct
octet_length old_password ord password percent_rank percentile_cont percentile_disc period_add period_diff pi point
polygon position pow power ps_current_thread_id ps_thread_id quarter quote radians rand random_bytes rank regexp_instr
regexp_like regexp_replace regexp_substr repeat replace replace_oracle reverse right roles_graphml round row row_count
row_number rpad rpad_oracle rtrim rtrim_oracle schema schemas sec_to_time second session_user sformat sha sha1 sha2
sign sin soundex space sqrt st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_boundary st_buffer
st_buffer_strategy st_centroid st_collect st_contains st_convexhull st_crosses st_difference st_dimension st_disjoint
st_distance st_distance_sphere st_endpoint st_envelope st_equals st_exteriorring st_frechetdistance st_geohash
st_geomcollfromtext st_geomcollfromtxt st_geomcollfromwkb st_geometrycollectionfromtext st_geometrycollectionfromwkb
st_geometryfromtext st_geometryfromwkb st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb
st_hausdorffdistance st_interiorringn st_intersection st_intersects st_isclosed st_isempty st_isring st_issimple
st_isvalid st_latfromgeohash st_latitude st_length st_linefromtext st_linefromwkb st_lineinterpolatepoint
st_lineinterpolatepoints st_linestringfromtext st_linestringfromwkb st_longfromgeohash st_longitude st_makeenvelope
st_mlinefromtext st_mlinefromwkb st_mpointfromtext st_mpointfromwkb st_mpolyfromtext st_mpolyfromwkb
st_multilinestringfromtext st_multilinestringfromwkb st_multipointfromtext st_multipointfromwkb
st_multipolygonfromtext st_multipolygonfromwkb st_numgeometries st_numinteriorring st_numinteriorrings st_numpoints
st_overlaps st_point st_pointatdistance st_pointfromgeohash st_pointfromtext st_pointfromwkb st_pointn
st_pointonsurface st_polyfromtext st_polyfromwkb st_polygonfromtext st_polygonfromwkb st_relate st_simplify st_srid
st_startpoint st_swapxy st_symdifference st_touches st_transform st_union st_validate st_within st_x st_y
statement_digest statement_digest_text std stddev stddev_pop stddev_samp str_to_date strcmp subdate substr
substr_oracle substring substring_index subtime sum sys_guid sysdate system_user tan time time_format time_to_sec
timediff timestamp timestampadd timestampdiff to_base64 to_char to_date to_days to_number to_seconds trim trim_oracle
truncate ucase uncompress uncompressed_length unhex unix_timestamp updatexml upper user utc_date utc_time
utc_timestamp uuid uuid_short uuid_to_bin uuid_v4 uuid_v7 validate_password_strength values var_pop var_samp variance
vec_distance vec_fromtext vec_totext version week weekday weekofyear weight_string wsrep_last_seen_gtid
wsrep_last_written_gtid year yearweek
"""
PLAIN = frozenset(_PLAIN.split())
"""They compute, or tell of the session."""
SESSION = frozenset(
    {
        "sleep",
        "get_lock",
        "release_lock",
        "release_all_locks",
        "benchmark",
        "master_pos_wait",
        "source_pos_wait",
        "master_gtid_wait",
        "wait_for_executed_gtid_set",
        "wsrep_sync_wait_upto_gtid",
        "lastval",
        "previous",
    }
)
MORE: dict[str, frozenset[Effect]] = {
    "load_file": frozenset({Effect.EXFIL}),
    "nextval": frozenset({Effect.WRITE}),
    "setval": frozenset({Effect.WRITE}),
    "sys_exec": frozenset({Effect.EXEC}),
    "sys_eval": frozenset({Effect.EXEC}),
    "sys_get": frozenset({Effect.EXFIL}),
    "sys_set": frozenset({Effect.PRIVILEGE}),
    "lib_mysqludf_sys_info": frozenset({Effect.EXEC}),
    "asynchronous_connection_failover_add_source": frozenset({Effect.PRIVILEGE}),
    "keyring_key_fetch": frozenset({Effect.EXFIL}),
    "keyring_key_generate": frozenset({Effect.PRIVILEGE}),
    "keyring_key_remove": frozenset({Effect.DESTRUCTIVE}),
    "keyring_key_store": frozenset({Effect.PRIVILEGE}),
    "group_replication_set_as_primary": frozenset({Effect.DESTRUCTIVE, Effect.PRIVILEGE}),
    "audit_log_filter_remove_user": frozenset({Effect.PRIVILEGE}),
    "audit_log_filter_set_user": frozenset({Effect.PRIVILEGE}),
    "version_tokens_set": frozenset({Effect.PRIVILEGE}),
}
_IN_ERRORS = """
bin_to_uuid extractvalue gtid_subset gtid_subtract st_latfromgeohash st_longfromgeohash st_pointfromgeohash st_transform
updatexml uuid_to_bin vec_fromtext
"""
TELLING = frozenset({*SESSION, *MORE, *_IN_ERRORS.split(), "last_insert_id"})
"""What goes in comes out elsewhere than in the result: as time, a lock, a file, an error's text, what is asked for later."""
_NOT_CALLS = """
add against all and any array as auto_increment between bigint binary bit blob bool boolean by case char check collate
column columns constraint cross date datetime dec decimal default delete distinct div double dual else end enum escape
except exists explain fixed float for force foreign from fulltext geometry group having ignore in index inner insert
int integer intersect interval into is join json key lateral left like limit long mediumint mod natural nchar nested
not numeric nvarchar of offset on or order outer over partition point primary range recursive references regexp
replace returning right rlike rows select set signed smallint some sounds spatial straight_join table text then time
timestamp tinyint union unique unsigned update use using values varbinary varchar when where window with xor year
zerofill
"""
NOT_CALLS = frozenset(_NOT_CALLS.split())
"""Words that may stand before a parenthesis and are no functions there."""


def effects_of(name: str) -> frozenset[Effect] | None:
    """What calling it does beside returning a value; `None` where nobody knows."""
    name = name.lower()
    if name in MORE:
        return MORE[name]
    if name in SESSION:
        return frozenset({Effect.SESSION})
    if name in PLAIN:
        return frozenset()
    return None
