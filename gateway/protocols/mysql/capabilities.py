"""What both sides of a connection say they can, and which of it goes through the gateway.

One set holds for both legs, so that nothing has to be translated between them. Never offered: compression, LOCAL INFILE,
CLIENT_DEPRECATE_EOF, session tracking, query attributes, optional metadata, several factors, IGNORE_SPACE (it changes what
is a function), and what MariaDB alone has.
"""

from __future__ import annotations

from typing import Final

LONG_PASSWORD: Final = 1
"""MariaDB reads its absence as: more of MariaDB's own follows."""
FOUND_ROWS: Final = 1 << 1
LONG_FLAG: Final = 1 << 2
CONNECT_WITH_DB: Final = 1 << 3
ODBC: Final = 1 << 6
PROTOCOL_41: Final = 1 << 9
INTERACTIVE: Final = 1 << 10
SSL: Final = 1 << 11
TRANSACTIONS: Final = 1 << 13
SECURE_CONNECTION: Final = 1 << 15
MULTI_STATEMENTS: Final = 1 << 16
MULTI_RESULTS: Final = 1 << 17
PS_MULTI_RESULTS: Final = 1 << 18
PLUGIN_AUTH: Final = 1 << 19
CONNECT_ATTRS: Final = 1 << 20
PLUGIN_AUTH_LENENC: Final = 1 << 21

_NEEDED: Final = PROTOCOL_41 | SECURE_CONNECTION
_BEHAVIOUR: Final = FOUND_ROWS | ODBC | INTERACTIVE | MULTI_STATEMENTS | MULTI_RESULTS | PS_MULTI_RESULTS
"""What a client chooses, and the server then does otherwise."""
OFFERED: Final = (
    _NEEDED
    | _BEHAVIOUR
    | LONG_PASSWORD
    | LONG_FLAG
    | CONNECT_WITH_DB
    | TRANSACTIONS
    | PLUGIN_AUTH
    | CONNECT_ATTRS
    | PLUGIN_AUTH_LENENC
)
_NAMES: Final = {
    FOUND_ROWS: "found rows",
    MULTI_STATEMENTS: "several statements in one text",
    MULTI_RESULTS: "several results of one statement",
    PS_MULTI_RESULTS: "several results of a prepared statement",
}


def needed(capabilities: int) -> bool:
    return capabilities & _NEEDED == _NEEDED


def upstream(client: int, server: int, *, database: bool) -> int:
    """What the gateway says to a server for a client, among what that server has."""
    wanted = (
        _NEEDED
        | (client & _BEHAVIOUR)
        | LONG_PASSWORD
        | LONG_FLAG
        | TRANSACTIONS
        | PLUGIN_AUTH
        | CONNECT_ATTRS
        | PLUGIN_AUTH_LENENC
        | (CONNECT_WITH_DB if database else 0)
    )
    return wanted & server


def missing(client: int, server: int) -> str:
    """What a client was promised and uses, and the server has not; "" for nothing."""
    return ", ".join(name for flag, name in _NAMES.items() if client & flag and not server & flag)
