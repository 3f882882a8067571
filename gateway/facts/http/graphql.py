"""GraphQL requests (the GraphQL over HTTP specification): kind and fields of the operation that would run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    parse,
)

from gateway.facts.http.bodies import Body
from gateway.facts.http.credentials import is_credential
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.facts.http.vocabulary import DELETING, DESTROYING
from gateway.facts.http.words import hinted, parts, words
from gateway.model import Effect

TEXT_MOST = 64 * 1024
TOKENS_MOST = 10_000
BATCH_MOST = 200
_KNOWN = frozenset({"query", "operationName", "variables", "extensions"})
_STORED = frozenset(
    {"id", "extensions", "doc_id", "docid", "documentid", "query_id", "queryid", "operationid", "hash"}
)
"""Parameters by which services find a query that they keep, in lower case."""
_DOCUMENT = re.compile(r"(?:[\s,\ufeff]|#[^\n\r]*[\n\r])*(?:query|mutation|subscription|fragment|\{)")
_MUTATION = re.compile(r"\b(?:mutation|subscription)\b")


def is_one(request: Request, body: Body) -> bool:
    """Whether a request is a GraphQL request, by its type, its path or by what it holds."""
    if body.kind == "graphql":
        return True
    if request.segments and request.segments[-1].lower().startswith(("graphql", "gql")):
        return bool(body.kind or request.query)
    if any(
        name == "query" and "{" in value and _MUTATION.search(value) for name, value in request.parameters
    ):
        return True
    return any(
        isinstance(each, dict) and isinstance(each.get("query"), str) and _DOCUMENT.match(each["query"])
        for each in (body.value if isinstance(body.value, list) else [body.value])
    )


def names_a_stored_query(request: Request) -> bool:
    return any(name.lower() in _STORED for name, _ in request.parameters)


def read_query(reading: Reading, request: Request) -> None:
    """A GraphQL request in the query of a URL."""
    found = [value for name, value in request.parameters if name == "query"]
    names = [value for name, value in request.parameters if name == "operationName"]
    if len(found) > 1 or len(names) > 1:
        reading.doubt("a parameter stands there twice")
    if (not found and not request.body) or names_a_stored_query(request):
        reading.doubt("the GraphQL request names a query that stands elsewhere")
    for text in found:
        read_text(reading, text, names[0] if len(names) == 1 else "")


def read_body(reading: Reading, body: Body) -> None:
    match body.kind:
        case "json":
            read_request(reading, body.value)
        case "graphql":
            read_text(reading, body.data.decode("utf-8", "replace"))
        case "form":
            fields = dict(body.fields)
            if len(fields) != len(body.fields):
                reading.doubt("a parameter stands there twice")
            read_request(
                reading, {"query": fields.get("query"), "operationName": fields.get("operationName")}
            )
        case _:
            reading.doubt("the GraphQL request is in a form that is not read here")


def read_request(reading: Reading, value: Any) -> None:
    """One request, or a batch of them."""
    if isinstance(value, list):
        if not value or len(value) > BATCH_MOST:
            reading.doubt("the GraphQL batch is empty, or too large")
        for each in value[:BATCH_MOST]:
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
    if not _spreads(operation, fragments) <= fragments.keys():
        reading.doubt("a fragment of the GraphQL document is missing")
    reading.attributes["http.graphql"] = kind
    for each in _selections(operation, fragments):
        if isinstance(each, FieldNode) and each.alias is not None:
            reading.renames(each.name.value, each.alias.value)
    fields = sorted(_fields(operation.selection_set, fragments, set()))
    known = str(reading.attributes.get("http.fields", ""))
    reading.attributes["http.fields"] = ", ".join(filter(None, [known, *fields]))[:1_000]
    effects: set[Effect] = {Effect.READ}
    if operation.operation is OperationType.MUTATION:
        effects.add(Effect.WRITE)
        for name in fields:
            found = words(name) - {"post", "message", "share", "comment"}
            effects |= hinted(found)
            if found & DELETING:
                effects.add(Effect.DESTRUCTIVE)
        # Some schemas put mutations below a field that names the thing: `user { delete(id: 7) }`.
        if any(set(parts(name)[:1]) & (DELETING | DESTROYING) for name in _every_name(operation, fragments)):
            effects.add(Effect.DESTRUCTIVE)
    if any(is_credential(name) or name.lower() == "token" for name in _every_name(operation, fragments)):
        effects.add(Effect.EXFIL)
    reading.does(*effects)
    for name in fields:
        reading.touches("field", f"{kind}.{name}", *sorted(effects))


def _selections(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[SelectionNode]:
    """What is selected at any depth, with that of all fragments: one may be spread from anywhere."""
    waiting = [operation.selection_set, *(each.selection_set for each in fragments.values())]
    while waiting:
        for each in waiting.pop().selections:
            yield each
            if isinstance(each, FieldNode | InlineFragmentNode) and each.selection_set is not None:
                waiting.append(each.selection_set)


def _every_name(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> set[str]:
    return {each.name.value for each in _selections(operation, fragments) if isinstance(each, FieldNode)}


def _spreads(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> set[str]:
    return {
        each.name.value for each in _selections(operation, fragments) if isinstance(each, FragmentSpreadNode)
    }


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
