"""The names that PostgreSQL gives to result columns without a label."""

from __future__ import annotations

from gateway.facts.postgres.tree import Node, strings, typed


def named(node: Node) -> str:
    """The name of the column that is computed by `node` (parse_target.c, FigureColname)."""
    if not node:
        return "?column?"
    kind, body = typed(node)
    match kind:
        case "ColumnRef" | "FuncCall":
            names = strings(body.get("fields") or body.get("funcname"))
            return names[-1].lower() if names else "?column?"
        case "A_Indirection":
            names = strings(body.get("indirection"))
            return names[-1].lower() if names else named(body.get("arg", {}))
        case "CollateClause":
            return named(body.get("arg", {}))
        case "A_Expr" if body.get("kind") == "AEXPR_NULLIF":
            return "nullif"
        case "TypeCast":
            inner = named(body.get("arg", {}))
            return inner if inner != "?column?" else strings(body["typeName"].get("names"))[-1].lower()
        case "CaseExpr":
            inner = named(body.get("defresult", {}))
            return inner if inner != "?column?" else "case"
        case "SubLink":
            return {"EXISTS_SUBLINK": "exists", "ARRAY_SUBLINK": "array"}.get(
                body.get("subLinkType", ""), "?column?"
            )
        case "SQLValueFunction":
            return str(body.get("op", "")).removeprefix("SVFOP_").lower()
        case "MinMaxExpr":
            return "greatest" if body.get("op") == "IS_GREATEST" else "least"
        case "CoalesceExpr" | "A_ArrayExpr" | "RowExpr" | "GroupingFunc":
            return {"CoalesceExpr": "coalesce", "A_ArrayExpr": "array", "RowExpr": "row"}.get(
                kind, "grouping"
            )
        case _:
            return "?column?"
