"""Questions inside an expression: what is computed from a column and a value that the asker chose, and may then fail.

`sqrt((ssn < '5')::int - 1)` fails, or does not; its value is hidden, and that is not. So such a question counts as a
condition does. A comparison whose result is only shown asks nothing: a mask hides that.
"""

from __future__ import annotations

from gateway.facts.postgres.likeness import bare
from gateway.facts.postgres.tree import Node, children, strings
from gateway.facts.sources import TAKES_ROW

_COMPARING = "= <> != < > <= >= ~ !~ ~* !~* ~~ !~~ ~~* !~~* ^@ @> <@ &&"
_COMPARES = frozenset(_COMPARING.split())
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "<<", ">>", "&", "|", "#"})
"""Operators that fail where the result is out of range, which the other side decides."""
_WRITING = """
    concat_ws format string_agg coalesce substr substring left right split_part to_char date_trunc date_part extract
    age lpad rpad btrim ltrim rtrim trim round trunc overlay encode decode convert_to convert_from digest hmac crypt
    timezone jsonb_build_object jsonb_build_array json_object jsonb_object json_object_agg jsonb_object_agg
    row_to_json jsonb_set jsonb_insert jsonb_extract_path jsonb_extract_path_text json_extract_path
    json_extract_path_text array_to_string string_to_array regexp_split_to_array xmlforest
"""
_SHOWS = TAKES_ROW | frozenset(_WRITING.split())
"""Functions of several arguments that cut and write values, and compare nothing."""
_LOOKED_AT = 60
"""Nodes of an argument that are looked at for a column; a longer one counts as chosen."""


def asks(node: Node) -> bool:
    """Whether a value that goes into something else may have been picked by comparing a column with a chosen value."""
    node = bare(node)
    if node.keys() & {"MinMaxExpr", "BooleanTest"}:
        return True
    if "A_Expr" in node:
        body = node["A_Expr"]
        return body.get("kind") != "AEXPR_OP" or _last(body.get("name")) in _COMPARES
    if "FuncCall" in node:
        args = node["FuncCall"].get("args", ())
        return (
            len(args) > 1
            and _last(node["FuncCall"].get("funcname")) not in _SHOWS
            and any(map(_chosen, args))
        )
    return False


def weighs(body: Node) -> bool:
    """Whether an operator fails where its result is out of range, which either side may decide."""
    if body.get("kind") != "AEXPR_OP" or _last(body.get("name")) not in _ARITHMETIC:
        return False
    left = bare(body.get("lexpr", {}))  # `to_jsonb(c) - 'ssn'` leaves out a key
    return _last(left.get("FuncCall", {}).get("funcname")) not in _SHOWS


def _last(name: list[Node] | None) -> str:
    return "".join(strings(name)[-1:])


def _chosen(arg: object) -> bool:
    """No column stands in it."""
    ahead = [arg]
    for _ in range(_LOOKED_AT):
        if not ahead:
            return True
        each = ahead.pop()
        if isinstance(each, dict) and each.keys() & {"ColumnRef", "SubLink"}:
            return False
        ahead += children(each)
    return True
