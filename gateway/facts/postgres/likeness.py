"""Comparing expressions: the same but for casts, the same but for literals' values, or one the opposite of the other."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.facts.postgres.tree import Node, children, constant, strings, typed

_COMPLEMENTS = frozenset({("=", "<>"), ("<", ">="), (">", "<="), ("~~", "!~~"), ("~", "!~"), ("~~*", "!~~*")})
_LOOKED_UP = frozenset(
    {
        "ColumnRef",
        "ParamRef",
        "FuncCall",
        "SQLValueFunction",
        "SubLink",
        "SetToDefault",
        "A_ArrayExpr",
        "RowExpr",
    }
)
_NEUTRAL: dict[str, float | str] = {"+": 0.0, "-": 0.0, "*": 1.0, "/": 1.0, "||": "", "|": 0.0, "#": 0.0}


def columns(value: object) -> Iterator[str]:
    if isinstance(value, dict) and "ColumnRef" in value:
        names = strings(value["ColumnRef"].get("fields"))
        yield names[-1].lower() if names else "*"
        return
    for inner in children(value):
        yield from columns(inner)


def qualifier(reference: Node) -> list[str]:
    return [name.lower() for name in strings(reference["ColumnRef"].get("fields"))[-2:-1]]


def qualifiers(value: object) -> Iterator[str]:
    if isinstance(value, dict) and "ColumnRef" in value:
        yield from qualifier(value)
    for inner in children(value):
        yield from qualifiers(inner)


def written_out(value: object) -> bool:
    """Whether nothing but literals and operators stands here."""
    if isinstance(value, dict) and value.keys() & _LOOKED_UP:
        return False
    return all(written_out(inner) for inner in children(value))


def empty(array: Node) -> bool:
    if "A_ArrayExpr" in array:
        return not array["A_ArrayExpr"].get("elements")
    return (constant(array) or "").replace(" ", "") == "{}"


def column(reference: Node) -> str:
    names = strings(reference["ColumnRef"].get("fields"))
    return names[-1].lower() if names else ""


def bare(node: Node) -> Node:
    """The expression under casts and collations."""
    while node and ("TypeCast" in node or "CollateClause" in node):
        node = typed(node)[1].get("arg", {})
    return node


def same(one: object, other: object) -> bool:
    """Structurally the same expression: locations aside, and not volatile on the face of it."""
    if isinstance(one, dict) and isinstance(other, dict):
        if "ColumnRef" in one and "ColumnRef" in other:
            a, b = (strings(side["ColumnRef"].get("fields")) for side in (one, other))
            return bool(a) and bool(b) and a[-1] == b[-1] and (len(a) == 1 or len(b) == 1 or a[-2] == b[-2])
        a_keys, b_keys = one.keys() - {"location"}, other.keys() - {"location"}
        if a_keys != b_keys or not a_keys:
            return False
        return all(same(_unwrapped(one[key]), _unwrapped(other[key])) for key in a_keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            same(_unwrapped(a), _unwrapped(b)) for a, b in zip(one, other, strict=True)
        )
    return one == other


def _unwrapped(value: object) -> object:
    return bare(value) if isinstance(value, dict) else value


def scalar(node: Node) -> float | str | None:
    """A literal as a number where it is one, else as text."""
    sign = 1
    while (
        "A_Expr" in node
        and "lexpr" not in node["A_Expr"]
        and strings(node["A_Expr"].get("name")) in (["-"], ["+"])
    ):
        sign = -sign if strings(node["A_Expr"]["name"]) == ["-"] else sign
        node = bare(node["A_Expr"].get("rexpr", {}))
    text = constant(node)
    if text is None:
        return None
    try:
        return sign * float(text)
    except ValueError:
        return text


def boolean(node: Node) -> bool | None:
    return {"on": True, "true": True, "t": True, "off": False, "false": False, "f": False}.get(
        (constant(node) or "").lower()
    )


def logical(node: Node) -> bool:
    return bool({"BoolExpr", "NullTest", "BooleanTest", "A_Expr"} & node.keys())


def cancels(body: Node) -> bool:
    """`x - x`, `x * 0`, `x % 1`, `x ^ 0`: a value that no longer depends on the row."""
    operator = (strings(body.get("name")) or [""])[-1]
    left, right = bare(body.get("lexpr", {})), bare(body.get("rexpr", {}))
    match operator:
        case "-" | "/" | "#":
            return bool(left) and same(left, right)
        case "*" | "&":
            return 0.0 in {scalar(left), scalar(right)}
        case "%":
            return scalar(right) == 1.0 or (bool(left) and same(left, right))
        case "^":
            return scalar(right) == 0.0
        case _:
            return False


def plain(node: Node) -> Node:
    """The expression without what leaves its value as it is: `x + 0`, `x * 1`, `x || ''`, `coalesce(x, 0)`."""
    node = bare(node)
    while True:
        if "CoalesceExpr" in node and node["CoalesceExpr"].get("args"):
            node = bare(node["CoalesceExpr"]["args"][0])
            continue
        body = node.get("A_Expr", {})
        neutral = _NEUTRAL.get((strings(body.get("name")) or [""])[-1])
        if neutral is None or "lexpr" not in body or scalar(bare(body.get("rexpr", {}))) != neutral:
            return node
        node = bare(body["lexpr"])


def covers(one: Node, other: Node) -> bool:
    """`x < 10 OR x > 5`, `x <> 1 OR x <> 2`: two comparisons of one value that leave nothing out between them."""
    a, b = one.get("A_Expr", {}), other.get("A_Expr", {})
    if not a or not b or not same(bare(a.get("lexpr", {})), bare(b.get("lexpr", {}))):
        return False
    high, low = scalar(bare(a.get("rexpr", {}))), scalar(bare(b.get("rexpr", {})))
    below, above = ((strings(side.get("name")) or [""])[-1] for side in (a, b))
    if below == above == "<>":
        return high is not None and low is not None and high != low
    if not isinstance(high, float) or not isinstance(low, float) or below not in {"<", "<="}:
        return False
    return above in {">", ">="} and (low < high or (low == high and "=" in below + above))


def negates(one: Node, other: Node) -> bool:
    if "BoolExpr" in other and other["BoolExpr"].get("boolop") == "NOT_EXPR":
        return same(one, bare(other["BoolExpr"]["args"][0]))
    if "BooleanTest" in one and "BooleanTest" in other:
        kinds = (one["BooleanTest"].get("booltesttype"), other["BooleanTest"].get("booltesttype"))
        alike = same(one["BooleanTest"].get("arg"), other["BooleanTest"].get("arg"))
        return alike and kinds in {("IS_TRUE", "IS_NOT_TRUE"), ("IS_FALSE", "IS_NOT_FALSE")}
    if "NullTest" in one and "NullTest" in other:
        differ = one["NullTest"].get("nulltesttype") != other["NullTest"].get("nulltesttype")
        return differ and same(one["NullTest"].get("arg"), other["NullTest"].get("arg"))
    if "A_Expr" in one and "A_Expr" in other:
        a, b = one["A_Expr"], other["A_Expr"]
        operators = ((strings(a.get("name")) or [""])[-1], (strings(b.get("name")) or [""])[-1])
        sides = same(bare(a.get("lexpr", {})), bare(b.get("lexpr", {})))
        return (
            operators in _COMPLEMENTS and sides and same(bare(a.get("rexpr", {})), bare(b.get("rexpr", {})))
        )
    return False


def offset(node: Node) -> tuple[Node, float]:
    """`x + 1` as `x` and 1."""
    body = node.get("A_Expr", {})
    operator = (strings(body.get("name")) or [""])[-1]
    number = scalar(bare(body.get("rexpr", {})))
    if operator in {"+", "-"} and "lexpr" in body and isinstance(number, float):
        return bare(body["lexpr"]), number if operator == "+" else -number
    return node, 0.0
