from __future__ import annotations

import pytest

from gateway.facts.postgres.settings import effects_of, effects_of_reset
from gateway.model import Effect

SESSION = {Effect.SESSION}
GUARD = {Effect.SESSION, Effect.PRIVILEGE}
DOUBT = {Effect.SESSION, Effect.UNKNOWN}


@pytest.mark.parametrize(
    ("name", "values", "effects"),
    [
        ("statement_timeout", ["0"], SESSION),
        ("application_name", ["role"], SESSION),
        ("app.tenant", ["7"], SESSION),
        ("role", ["admin"], GUARD),
        ("ROLE", ["admin"], GUARD),
        ("role", ["none"], GUARD),
        ("standard_conforming_strings", ["on"], SESSION),
        ("standard_conforming_strings", ["TRUE"], SESSION),
        ("standard_conforming_strings", ["off"], GUARD),
        ("standard_conforming_strings", None, GUARD),
        ("client_encoding", ["UTF8"], SESSION),
        ("client_encoding", ["GBK"], GUARD),
        ("log_min_duration_statement", ["-1"], GUARD),
        ("session_preload_libraries", ["x"], GUARD | {Effect.EXEC}),
        ("search_path", [""], SESSION),
        ("search_path", ["pg_catalog", "public"], SESSION),
        ("search_path", ['"$user", public'], SESSION),
        ("search_path", ["public", "pg_catalog"], GUARD),
        ("search_path", ["pg_temp"], GUARD),
        ("search_path", ["sales"], DOUBT),
        ("search_path", None, DOUBT),
    ],
)
def test_a_setting_is_a_guard_by_its_name_and_value(name, values, effects):
    assert effects_of(name, values) == effects


def test_going_back_to_what_the_session_began_with_is_harmless_but_for_who_one_is():
    assert effects_of_reset("search_path") == SESSION
    assert effects_of_reset("row_security") == SESSION
    assert effects_of_reset("session_authorization") == GUARD
