"""Definitions after which values that are stored already are read under another name: views, renames, inheritance."""

from __future__ import annotations

from gateway.facts.postgres.expressions import gather
from gateway.facts.postgres.queries import stored
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.tree import Node, dotted, strings
from gateway.facts.sources import Scope


def viewed(reading: Reading, body: Node) -> None:
    """CREATE VIEW: its query is read here."""
    outputs = reading.query(reading, body["query"], Scope())
    stored(reading, dotted(body["view"]), strings(body.get("aliases")), outputs)


def renamed(reading: Reading, body: Node) -> None:
    """ALTER ... RENAME of a column, or of what has columns."""
    if "relation" not in body:
        return
    name, new = dotted(body["relation"]), body.get("newname", "").lower()
    if body.get("renameType") == "OBJECT_COLUMN":
        reading.carries(f"{name}.{new}", frozenset({f"{name}.{body.get('subname', '')}".lower()}), exact=True)
    else:
        schema = name.rpartition(".")[0]
        to = f"{schema}.{new}" if schema else new
        reading.carries(f"{to}.*", frozenset({f"{name}.*"}), exact=True)


def altered(reading: Reading, body: Node) -> None:
    """ALTER TABLE: a column that is generated from others, a parent that shows its children's rows."""
    name = dotted(body["relation"])
    for command in body.get("cmds", ()):
        defined = command["AlterTableCmd"].get("def", {})
        for constraint in defined.get("ColumnDef", {}).get("constraints", ()):
            scope = Scope(relations=[reading.relation(name, "")])
            made_of = gather(reading, constraint["Constraint"].get("raw_expr"), scope)
            reading.carries(f"{name}.{defined['ColumnDef'].get('colname', '*')}".lower(), made_of)
        match command["AlterTableCmd"].get("subtype"):
            case "AT_AddInherit":
                parent, child = dotted(defined["RangeVar"]), name
            case "AT_AttachPartition":
                parent, child = name, dotted(defined["PartitionCmd"]["name"])
            case _:
                continue
        reading.carries(f"{parent}.*", frozenset({f"{child}.*"}), exact=True)
