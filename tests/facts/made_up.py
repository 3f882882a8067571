"""Made-up queries over tables with a column that may not be told: joins by name, subqueries, WITHs, set operations."""

from __future__ import annotations

import random
from collections.abc import Sequence

TABLES = {"a": ("id", "ssn", "name"), "b": ("id", "ssn", "note"), "c": ("id", "name")}
SECRET = "SECRET"
Names = Sequence[str]
Seen = list[tuple[str, Names]]
"""Aliases, and the columns that each has."""


def filling(schema: str, *, turn: int) -> list[str]:
    """The tables in a schema, which differ from those of another `turn` in what may not be told alone."""
    made = []
    for table, columns in TABLES.items():
        made.append(f"CREATE TABLE {schema}.{table} ({', '.join(f'{each} VARCHAR(40)' for each in columns)})")
        for row in (1, 2, 3):
            cells = {"id": str(row), "ssn": f"{SECRET}{turn}{(7 * row + 3 * turn) % 5}"}
            values = ", ".join(f"'{cells.get(each, f'{each}{row}')}'" for each in columns)
            made.append(f"INSERT INTO {schema}.{table} VALUES ({values})")
    return made


class Queries:
    """All values are texts, so that most of what is made up has a meaning."""

    def __init__(self, seed: int, *, joins: Names, outer: bool) -> None:
        self._random = random.Random(seed)
        self._joins = joins
        self._outer = outer
        """Whether subqueries in FROM's place may use what stands around them."""
        self._numbers = 0
        self._with: list[tuple[str, Names]] = []

    def statement(self) -> str:
        self._with = []
        head = ""
        if self._chance(0.25):
            text, names = self._query(1, [], self._random.randint(1, 2))
            name = self._one("w", "a")
            self._with = [(name, names)]
            head = f"WITH {name} AS ({text}) "
        text, names = self._query(2, [], self._random.randint(1, 3))
        if self._chance(0.1):
            other, _ = self._query(1, [], len(names))
            return f"{head}{text} {self._one('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT')} {other}"
        return head + text + (f" ORDER BY {self._one(*names)}" if self._chance(0.1) else "")

    def _one(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _fresh(self) -> str:
        self._numbers += 1
        return f"t{self._numbers}"

    def _query(self, depth: int, around: Seen, width: int) -> tuple[str, Names]:
        text, seen = self._from(depth)
        within = seen + (around if self._chance(0.3) else [])
        names: list[str] = []
        for _ in range(width):
            name = self._one("ssn", "id", "name", "note", "x")
            names.append(self._fresh() if name in names else name)
        items = ", ".join(f"{self._value(within, depth)} AS {name}" for name in names)
        where = f" WHERE {self._condition(within, 1)}" if self._chance(0.3) else ""
        return f"SELECT {'DISTINCT ' if self._chance(0.1) else ''}{items} FROM {text}{where}", names

    def _from(self, depth: int) -> tuple[str, Seen]:
        text, first = self._relation(depth)
        seen = [first]
        for _ in range(self._random.choice((0, 0, 1, 1, 2))):
            other, (alias, columns) = self._relation(depth)
            if alias in {each for each, _ in seen}:
                continue
            shared = sorted({each for each in columns if any(each in known for _, known in seen)})
            kind = self._random.random()
            if shared and kind < 0.4:
                using = self._random.sample(shared, self._random.randint(1, min(2, len(shared))))
                text += f" {self._one(*self._joins)} {other} USING ({', '.join(using)})"
            elif kind < 0.6:
                text += f" NATURAL {self._one(*self._joins)} {other}"
            else:
                met = [*seen, (alias, columns)]
                text += f" {self._one(*self._joins)} {other} ON {self._condition(met, 1)}"
            seen.append((alias, columns))
        return text, seen

    def _relation(self, depth: int) -> tuple[str, tuple[str, Names]]:
        alias = self._fresh()
        if self._with and self._chance(0.2):
            name, columns = self._with[0]
            return f"{name} {alias}", (alias, columns)
        if depth > 0 and self._chance(0.4):
            text, columns = self._query(depth - 1, [], self._random.randint(1, 2))
            return f"({text}) {alias}", (alias, columns)
        table = self._one(*TABLES)
        return (
            (f"{table} {alias}", (alias, TABLES[table]))
            if self._chance(0.8)
            else (table, (table, TABLES[table]))
        )

    def _value(self, seen: Seen, depth: int) -> str:
        if depth <= 0 or self._chance(0.45):
            alias, columns = self._random.choice(seen)
            column = self._one(*columns)
            return self._one(
                f"{alias}.{column}", column, f"{alias}.{column}", "'k'" if self._chance(0.3) else column
            )
        a, b = self._value(seen, depth - 1), self._value(seen, depth - 1)
        inner, (name,) = self._query(depth - 1, seen if self._outer else [], 1)
        return self._one(
            f"concat({a}, {b})",
            f"coalesce({a}, {b})",
            f"nullif({a}, {b})",
            f"substr({a}, 2, 9)",
            f"max({a}) OVER (PARTITION BY {b})",
            f"CASE WHEN {self._condition(seen, depth - 1)} THEN {a} ELSE {b} END",
            f"CASE WHEN {a} IN ({inner}) THEN 'y' END",
            f"CASE WHEN EXISTS ({inner}) THEN 'y' END",
            f"(SELECT max({name}) FROM ({inner}) {self._fresh()})",
        )

    def _condition(self, seen: Seen, depth: int) -> str:
        a, b = self._value(seen, depth - 1), self._value(seen, depth - 1)
        if depth > 0 and self._chance(0.2):
            return f"({self._condition(seen, depth - 1)} {self._one('AND', 'OR')} {a} = {b})"
        return self._one(f"{a} {self._one('=', '<', '<>', 'LIKE')} {b}", f"{a} = '2'", f"{a} IS NOT NULL")
