"""Whether a WHERE restricts anything: a condition that every row meets protects none."""

from __future__ import annotations

from enum import Enum

from sqlglot import exp


class Truth(Enum):
    """`ALL` and `NONE` hold whatever the data; `EITHER` is the same for all rows; `SOME` depends on the row."""

    ALL = "all"
    NONE = "none"
    EITHER = "either"
    SOME = "some"


_OPPOSITE = {Truth.ALL: Truth.NONE, Truth.NONE: Truth.ALL}
_KEYS = frozenset({"id", "uuid", "guid", "pk", "rowid", "_rowid", "_id"})
_WHOLE = frozenset({"", "%", "%%", "_%", ".*", "^", "$", "^.*$", ".+"})
_HUGE = 999_999_999
_ALWAYS_SAME = (exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ, exp.Like, exp.RegexpLike)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.Like, exp.RegexpLike)


def restricts(where: exp.Expr | None, table: str) -> bool:
    """Whether `where` keeps some rows of `table` out whatever the data."""
    return where is not None and truth(where, table) in {Truth.SOME, Truth.NONE}


def truth(node: exp.Expr, table: str) -> Truth:
    match node:
        case exp.Paren() | exp.Where():
            return truth(node.this, table)
        case exp.Boolean():
            return Truth.ALL if node.this else Truth.NONE
        case exp.Null():
            return Truth.NONE
        case exp.Literal():
            return _literal(node)
        case exp.Neg():
            return truth(node.this, table)
        case exp.Not():
            inner = truth(node.this, table)
            if isinstance(node.this, exp.Is) and _is_key(node.this.this, table):
                return Truth.ALL
            return _OPPOSITE.get(inner, inner)
        case exp.And():
            return _and(truth(node.left, table), truth(node.right, table))
        case exp.Or():
            if _complementary(node.left, node.right):
                return Truth.ALL
            return _or(truth(node.left, table), truth(node.right, table))
        case exp.Is():
            if isinstance(node.expression, exp.Not):
                return Truth.ALL if _is_key(node.this, table) else _varying(node)
            return _varying(node)
        case exp.Between():
            return _between(node)
        case exp.In():
            return _in(node, table)
        case exp.Exists():
            return Truth.SOME if _correlated(node) else Truth.EITHER
        case _ if isinstance(node, _COMPARISONS):
            return _compared(node, table)
        case _:
            return _varying(node)


def _literal(node: exp.Literal) -> Truth:
    if node.is_string:
        return Truth.EITHER
    try:
        return Truth.ALL if float(node.this) else Truth.NONE
    except ValueError:
        return Truth.EITHER


def _and(one: Truth, other: Truth) -> Truth:
    for each in (Truth.NONE, Truth.SOME, Truth.EITHER):
        if each in {one, other}:
            return each
    return Truth.ALL


def _or(one: Truth, other: Truth) -> Truth:
    for each in (Truth.ALL, Truth.EITHER, Truth.SOME):
        if each in {one, other}:
            return each
    return Truth.NONE


def _complementary(one: exp.Expr, other: exp.Expr) -> bool:
    def bare(node: exp.Expr) -> exp.Expr:
        while isinstance(node, exp.Paren):
            node = node.this
        return node

    one, other = bare(one), bare(other)
    for left, right in ((one, other), (other, one)):
        if isinstance(left, exp.Not) and bare(left.this) == right:
            return True
        pairs: dict[type[exp.Expr], type[exp.Expr]] = {
            exp.EQ: exp.NEQ,
            exp.GT: exp.LTE,
            exp.LT: exp.GTE,
            exp.GTE: exp.LT,
            exp.LTE: exp.GT,
        }
        if not isinstance(left, exp.Binary) or not isinstance(right, exp.Binary):
            continue
        wanted = pairs.get(type(left))
        if (
            wanted is not None
            and isinstance(right, wanted)
            and (left.left, left.right) == (right.left, right.right)
        ):
            return True
    return False


def _compared(node: exp.Expr, table: str) -> Truth:
    left, right = node.this, node.expression
    if left == right and left.find(exp.Rand, exp.Anonymous) is None:
        return Truth.ALL if isinstance(node, _ALWAYS_SAME) else Truth.NONE
    if _varying(left) is Truth.EITHER and _varying(right) is Truth.EITHER:
        return Truth.EITHER
    if isinstance(node, exp.Like | exp.RegexpLike):
        pattern = right.this if isinstance(right, exp.Literal) and right.is_string else None
        return Truth.ALL if pattern in _WHOLE else Truth.SOME
    number = _number(right)
    if number is not None and _is_key(left, table):
        low = isinstance(node, exp.GT | exp.GTE | exp.NEQ) and number <= 0
        high = isinstance(node, exp.LT | exp.LTE) and number >= _HUGE
        if low or high:
            return Truth.ALL
    if isinstance(node, exp.NEQ) and isinstance(right, exp.Literal) and right.is_string and right.this == "":
        return Truth.ALL if _is_key(left, table) else Truth.SOME
    number = _number(left)
    if (
        number is not None
        and _is_key(right, table)
        and isinstance(node, exp.LT | exp.LTE | exp.NEQ)
        and number <= 0
    ):
        return Truth.ALL
    return Truth.SOME


def _between(node: exp.Between) -> Truth:
    low, high = _number(node.args.get("low")), _number(node.args.get("high"))
    if low is not None and high is not None and low <= 1 and high >= _HUGE:
        return Truth.ALL
    return _varying(node)


def _in(node: exp.In, table: str) -> Truth:
    query = node.args.get("query")
    if query is not None:
        inner = query.find(exp.Select)
        tables = {each.name.lower() for each in query.find_all(exp.Table)}
        if (
            inner is not None
            and table.rpartition(".")[2].lower() in tables
            and inner.args.get("where") is None
        ):
            return Truth.ALL
    if any(each == node.this for each in node.expressions):
        return Truth.ALL
    return _varying(node)


def _correlated(node: exp.Expr) -> bool:
    inner = {each.alias_or_name.lower() for each in node.find_all(exp.Table)}
    return any(column.table and column.table.lower() not in inner for column in node.find_all(exp.Column))


def _varying(node: exp.Expr | None) -> Truth:
    """Whether it looks at the row at all; a query inside only where it looks outside of itself."""
    if node is None:
        return Truth.EITHER
    for column in node.find_all(exp.Column):
        query = column.find_ancestor(exp.Select)
        if query is None or not _is_inside(query, node) or _correlated(query):
            return Truth.SOME
    return Truth.EITHER


def _is_inside(inner: exp.Expr, outer: exp.Expr) -> bool:
    node: exp.Expr | None = inner
    while node is not None:
        if node is outer:
            return True
        node = node.parent
    return False


def _is_key(node: exp.Expr | None, table: str) -> bool:
    """A column that by its name is a key: never null, never negative."""
    if not isinstance(node, exp.Column):
        return False
    name, last = node.name.lower(), table.rpartition(".")[2].lower()
    return name in _KEYS or name in {f"{last}_id", f"{last.removesuffix('s')}_id"}


def _number(node: exp.Expr | None) -> float | None:
    sign = 1.0
    while isinstance(node, exp.Neg | exp.Paren):
        sign, node = (-sign if isinstance(node, exp.Neg) else sign), node.this
    if isinstance(node, exp.Literal) and not node.is_string:
        try:
            return sign * float(node.this)
        except ValueError:
            return None
    return None
