"""Definitions after which values that are stored already are read under another name: views, renames, inheritance."""

from __future__ import annotations

from gateway.facts.postgres.expressions import gather
from gateway.facts.postgres.queries import stored
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.tree import Node, dotted, strings
from gateway.facts.sources import Relation, Scope

QUERIES = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
"""Statements that have rows as their subject."""


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
        column = f"{name}.{command['AlterTableCmd'].get('name', '*')}".lower()
        scope = Scope(relations=[reading.relation(name, "")])
        for constraint in defined.get("ColumnDef", {}).get("constraints", ()):
            made_of = gather(reading, constraint["Constraint"].get("raw_expr"), scope)
            reading.carries(f"{name}.{defined['ColumnDef'].get('colname', '*')}".lower(), made_of)
        match command["AlterTableCmd"].get("subtype"):
            case "AT_AddInherit":
                parent, child = dotted(defined["RangeVar"]), name
            case "AT_AttachPartition":
                parent, child = name, dotted(defined["PartitionCmd"]["name"])
            case "AT_DropInherit":
                parent, child = name, dotted(defined["RangeVar"])
            case "AT_DetachPartition":
                parent, child = dotted(defined["PartitionCmd"]["name"]), name
            case "AT_AlterColumnType":
                reading.carries(
                    column, gather(reading, defined.get("ColumnDef", {}).get("raw_default"), scope)
                )
                continue
            case "AT_SetExpression":
                reading.carries(column, gather(reading, defined, scope))
                continue
            case _:
                continue
        # Those that leave a family take with them what was known of them as its part.
        reading.carries(f"{parent}.*", frozenset({f"{child}.*"}), exact=True)


def moved(reading: Reading, body: Node) -> None:
    """ALTER ... SET SCHEMA of what has columns."""
    if "relation" in body:
        name = dotted(body["relation"])
        to = f"{body.get('newschema', '')}.{name.rpartition('.')[2]}".lower()
        reading.carries(f"{to}.*", frozenset({f"{name}.*"}), exact=True)


def ruled(reading: Reading, body: Node) -> None:
    """CREATE RULE: what it does knows the row before and after."""
    row = reading.relation(dotted(body["relation"]), "")
    names = ("old", "new")
    scope = Scope(aside=[Relation(alias=name, known=row.known, rest=row.rest) for name in names])
    gather(reading, body.get("whereClause"), scope)
    for action in body.get("actions", ()):
        if next(iter(action)) in QUERIES:
            reading.query(reading, action, scope)
