"""What happens to each column of a result: what the statement says of it, what the server says of it, and the mask, together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.masking.paths import JsonPath
from gateway.model import Effect, Facts, Output
from gateway.wire import Mask

_REDACTED_WHEN_COMPUTED = "redact"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """What happens to one column: `strategy` replaces every value, `searched` has detectors look into it."""

    strategy: str | None = None
    searched: bool = True
    paths: tuple[tuple[JsonPath, str], ...] = ()
    """What is hidden inside its JSON documents, and how."""
    named: bool = False
    """A rule names the column and a path into it, so that text in it is read as JSON too."""


def column_rules(
    names: Sequence[str | None],
    outputs: Sequence[Output] | None,
    mask: Mask,
    *,
    origins: Sequence[str | None] = (),
    read: Collection[str] = (),
    complete: bool = True,
) -> tuple[ColumnRule, ...]:
    """The rule for each column of a result, in order.

    `names` are the columns' labels, None where the server gives none (COPY). `outputs` is what the statement was
    read to give; where it is None every column may be any of the stored columns in `read`, and where it cannot be
    laid over the columns, any of its sources. `origins` are stored columns that the server itself vouches for. Where
    the reading was not `complete`, what is neither vouched for nor a stored column as it is may be made of any.
    """
    laid = _lay(names, outputs)
    if outputs is None and read:
        laid = _anything(names, [Output(name="*", sources=frozenset(read), exact=False)])
    rules = []
    for place, (name, meant) in enumerate(zip(names, laid, strict=True)):
        origin = origins[place] if origins else None
        stored = meant is not None and all(_is_stored(output) for output in meant)
        doubted = not complete and origin is None and not stored
        rules.append(_rule(name, (*(meant or ()), _ANY) if doubted else meant, origin, mask))
    return tuple(rules)


_ANY = Output(name="*", sources=frozenset({"*"}), exact=False)


def _is_stored(output: Output) -> bool:
    return output.exact and bool(output.sources)


def columns_read(facts: Facts) -> frozenset[str]:
    """The stored columns that a command reads anywhere."""
    return frozenset(
        resource.name
        for resource in facts.resources
        if resource.kind == "column" and resource.effect is Effect.READ
    )


def reads_hidden(facts: Facts | None, mask: Mask) -> bool:
    """Whether a command may read a column that a rule names, so that its errors may quote one."""
    names = columns_read(facts) if facts is not None and facts.complete else frozenset({"*"})
    return any(mask.rule([name]) is not None or mask.opens([name]) for name in names)


def _rule(name: str | None, meant: tuple[Output, ...] | None, origin: str | None, mask: Mask) -> ColumnRule:
    label = name or ""
    if meant is None:  # nothing is known but the label: it may be the name of any table's column
        known = [origin or label or "*"]
        return ColumnRule(
            strategy=mask.rule(known, label=label),
            searched=not mask.spares(known, label=label),
            paths=mask.paths(known, label=label),
            named=mask.opens(known, label=label),
        )
    strategies = []
    sources: set[str] = {origin} if origin else set()
    for output in meant:
        narrowed = _narrowed(output, name)
        sources |= narrowed
        strategy = mask.rule(narrowed, label=label)
        if strategy is not None and (not output.exact or any(source.endswith("*") for source in narrowed)):
            strategy = strategy if strategy == "null" else _REDACTED_WHEN_COMPUTED
        if strategy is None and not output.exact and mask.opens(narrowed, label=label):
            strategy = _REDACTED_WHEN_COMPUTED
        strategies.append(strategy)
    if origin:
        strategies.append(mask.rule([origin], label=label))
    found = [strategy for strategy in strategies if strategy is not None]
    strategy = found[0] if len(set(found)) == 1 else (_strictest(found) if found else None)
    return ColumnRule(
        strategy=strategy,
        searched=not mask.spares(sorted(sources), label=label),
        paths=mask.paths(sorted(sources), label=label),
        named=mask.opens(sorted(sources), label=label),
    )


def _strictest(found: Sequence[str]) -> str:
    return "null" if "null" in found else "redact"


def _narrowed(output: Output, name: str | None) -> frozenset[str]:
    """The sources of one column: a star's `customers.*` is `customers.email` for the column called email."""
    if output.name != "*" or not output.exact or name is None:
        return output.sources
    column = name.lower()
    return frozenset(source[:-1] + column if source.endswith("*") else source for source in output.sources)


def _lay(names: Sequence[str | None], outputs: Sequence[Output] | None) -> list[tuple[Output, ...] | None]:
    """For each column the outputs that it may be; None where nothing is known of it."""
    if outputs is None:
        return [None] * len(names)
    stars = [place for place, output in enumerate(outputs) if output.name == "*"]
    if not stars:
        if len(outputs) == len(names):
            return [(output,) for output in outputs]
        return _anything(names, outputs)
    first, behind = stars[0], len(outputs) - 1 - stars[-1]
    middle = len(names) - first - behind
    if middle < 0:
        return _anything(names, outputs)
    between = tuple(outputs[first : stars[-1] + 1])
    return [
        *((output,) for output in outputs[:first]),
        *(_within(between, name) for name in names[first : first + middle]),
        *((output,) for output in outputs[len(outputs) - behind :] if behind),
    ]


def _within(between: tuple[Output, ...], name: str | None) -> tuple[Output, ...]:
    """Between the first star and the last a column's place says nothing: it is a star's, or called like it."""
    return tuple(
        output for output in between if output.name == "*" or name is None or output.name == name.lower()
    )


def _anything(names: Sequence[str | None], outputs: Sequence[Output]) -> list[tuple[Output, ...] | None]:
    everything = Output(name="*", sources=frozenset().union(*(o.sources for o in outputs)), exact=False)
    return [
        (everything, Output(name="*", sources=frozenset({name.lower()} if name else {"*"}))) for name in names
    ]
