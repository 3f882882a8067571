from __future__ import annotations

from gateway.facts.postgres.catalogue import ONLY_READ
from gateway.facts.postgres.functions import DOES, RUNS_MORE_SQL, RUNS_SQL, effects_of
from gateway.model import Effect


def test_what_only_computes_is_found_in_the_catalogue_schema_and_nowhere_else():
    assert effects_of("", "upper") == frozenset()
    assert effects_of("pg_catalog", "upper") == frozenset()
    assert effects_of("public", "upper") is None
    assert effects_of("", "UPPER") is None


def test_what_does_more_is_known_in_any_schema():
    assert effects_of("", "dblink") == {Effect.EXEC, Effect.EXFIL}
    assert effects_of("extensions", "dblink") == {Effect.EXEC, Effect.EXFIL}
    assert effects_of("elsewhere", "dblink") == {Effect.EXEC, Effect.EXFIL, Effect.UNKNOWN}


def test_a_function_of_ones_own_is_not_known():
    assert effects_of("", "tidy_up") is None
    assert effects_of("app", "tidy_up") is None


def test_no_function_is_both_harmless_and_not():
    assert not ONLY_READ & (DOES.keys() | RUNS_SQL.keys() | RUNS_MORE_SQL.keys() | {"set_config"})
