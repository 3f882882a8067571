"""Which servers a text may be meant for, and where they read its executable comments differently.

`/*! ... */` is a comment to nobody: its content is part of the statement. `/*!50700 ... */` runs where the server is of
that version or later; MariaDB skips numbers from 50700 to 99999, which MySQL runs. `/*M! ... */` runs in MariaDB alone.
Nobody here knows the server's version, so a text counts as each that is in use would read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Server(Enum):
    MYSQL = "mysql"
    MARIADB = "mariadb"


@dataclass(frozen=True, slots=True)
class Version:
    """A server as far as it matters for cutting text."""

    server: Server
    number: int
    digits: int = 6
    """How many digits of a version it reads at most: MySQL 5.7 reads five and takes the sixth for text."""

    def runs(self, comment: re.Match[str]) -> int | None:
        """Where the content begins of an executable comment that this server runs; `None` where it is skipped."""
        mariadb = self.server is Server.MARIADB
        if comment[1] and not mariadb:
            return None
        if not comment[2]:
            return comment.end(1) + 1
        written = comment[2][: self.digits]
        number = int(written)
        if mariadb and not comment[1] and 50_700 <= number <= 99_999:
            return None
        return comment.start(2) + len(written) if number <= self.number else None


EXECUTABLE = re.compile(r"/\*(M?)!([0-9]{5,6})?")
_OLDEST = {Server.MYSQL: 50_700, Server.MARIADB: 100_200}
_VERSIONS_MOST = 12


def versions(text: str, servers: Iterable[Server]) -> list[Version]:
    """One version for each way in which `text` may be read, the newest first; none where these are too many."""
    comments = list(EXECUTABLE.finditer(text))
    if not comments:
        return [Version(next(iter(servers)), 0)]
    numbers = {int(each[2]) for each in comments if each[2]}
    numbers |= {int(each[2][:5]) for each in comments if each[2]}
    found: list[Version] = []
    for server in servers:
        oldest = _OLDEST[server]
        steps = sorted({number for number in numbers if number > oldest} | {oldest}, reverse=True)
        found += [Version(server, number) for number in steps]
        if server is Server.MYSQL and any(len(each[2] or "") == 6 for each in comments):
            found.append(Version(server, oldest, digits=5))
    return found if len(found) <= _VERSIONS_MOST else []
