"""GraphQL requests (the GraphQL over HTTP specification): kind and fields of the operation that would run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
)

from gateway.facts.http.reading import Reading
from gateway.facts.http.words import DELETING, SECRET, hinted, words
from gateway.model import Effect

TEXT_MOST = 64 * 1024
TOKENS_MOST = 10_000
_KNOWN = frozenset({"query", "operationName", "variables", "extensions"})


def read_request(reading: Reading, value: Any) -> None:
    """One request, or a batch of them."""
    if isinstance(value, list):
        if not value:
            reading.doubt("the GraphQL batch is empty")
        for each in value:
            read_request(reading, each)
        return
    if not isinstance(value, Mapping) or not isinstance(value.get("query"), str):
        reading.doubt("the GraphQL request names a query that stands elsewhere, or none")
        return
    if not value.keys() <= _KNOWN:
        reading.doubt("the GraphQL request has members that are not known")
    extensions = value.get("extensions")
    if isinstance(extensions, Mapping) and "persistedQuery" in extensions:
        reading.doubt("the GraphQL request may run a query that stands elsewhere")
    name = value.get("operationName")
    read_text(reading, value["query"], name if isinstance(name, str) else "")


def read_text(reading: Reading, text: str, operation: str = "") -> None:
    """A document, of which the operation called `operation` runs, or its only one."""
    if len(text) > TEXT_MOST:
        reading.doubt("the GraphQL document is too long")
        return
    try:
        document = parse(text, no_location=True, max_tokens=TOKENS_MOST)
    except (GraphQLError, RecursionError):
        reading.doubt("the GraphQL document cannot be read")
        return
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    chosen = [each for each in operations if not operation or (each.name and each.name.value == operation)]
    if len(chosen) != 1:
        reading.doubt("nobody can tell which operation of the document runs")
        chosen = chosen or operations
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    for each in chosen:
        _operation(reading, each, fragments)


def _operation(
    reading: Reading, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> None:
    kind = operation.operation.value
    reading.attributes["http.graphql"] = kind
    fields = sorted(_fields(operation.selection_set, fragments, set()))
    known = str(reading.attributes.get("http.fields", ""))
    reading.attributes["http.fields"] = ", ".join(filter(None, [known, *fields]))[:1_000]
    effects: set[Effect] = {Effect.READ}
    if operation.operation is OperationType.MUTATION:
        effects.add(Effect.WRITE)
        for name in fields:
            found = set(words(name)) - {"post", "message", "share", "comment"}
            effects |= hinted(found)
            if found & DELETING:
                effects.add(Effect.DESTRUCTIVE)
    if any(set(words(name)) & SECRET for name in _every_name(operation, fragments)):
        effects.add(Effect.EXFIL)
    reading.does(*effects)
    for name in fields:
        reading.touches("field", f"{kind}.{name}", *sorted(effects))


def _every_name(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> set[str]:
    """The names of all fields at any depth, with those of all fragments: one may be spread from anywhere."""
    found: set[str] = set()
    waiting = [operation.selection_set, *(each.selection_set for each in fragments.values())]
    while waiting:
        for each in waiting.pop().selections:
            if isinstance(each, FieldNode):
                found.add(each.name.value)
            if isinstance(each, FieldNode | InlineFragmentNode) and each.selection_set is not None:
                waiting.append(each.selection_set)
    return found


def _fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> set[str]:
    """The top fields that run, through fragments and under their own names, not their aliases."""
    found: set[str] = set()
    for each in selections.selections:
        match each:
            case FieldNode():
                found.add(each.name.value)
            case InlineFragmentNode():
                found |= _fields(each.selection_set, fragments, seen)
            case FragmentSpreadNode() if each.name.value not in seen:
                seen.add(each.name.value)
                fragment = fragments.get(each.name.value)
                if fragment is not None:
                    found |= _fields(fragment.selection_set, fragments, seen)
    return found
