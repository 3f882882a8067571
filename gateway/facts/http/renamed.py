"""What an answer will call things that a request asks for by another name: masks go by what they are stored as.

GraphQL's aliases are taken by `gateway.facts.http.graphql`; here are those of queries in URLs, PostgREST's
`select=alias:column` and what its functions and OData's `as` make of a column, and the result columns of statements.
"""

from __future__ import annotations

import re

from gateway.facts import postgres
from gateway.facts.http.bodies import Body
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.facts.http.statements import STATEMENTS_MOST, TEXT_MOST, statements_of

_MOST = 64 * 1024
_ALIAS = re.compile(r"(?:^|[,(])\s*\"?([\w$]{1,128})\"?\s*:\s*\"?([\w$]{1,128})")
_MADE = re.compile(r"(?:^|[,(:])\s*\"?([\w$]{1,128})\"?\s*\.\s*(sum|avg|min|max|count)\(\)")
_NESTED = re.compile(r"([\w$]{1,128})\s*(?:->>?\s*[\w$'\"]{1,128}\s*)*->>?\s*['\"]?([\w$]{1,128})")
_AS = re.compile(r"([\w/$]{1,128})(?:\s+with\s+[\w.]{1,64})?\s+as\s+([\w$]{1,128})", re.IGNORECASE)


def renamed(reading: Reading, request: Request, body: Body) -> None:
    for text in statements_of(request, body)[:STATEMENTS_MOST]:
        for output in (postgres.read(text).outputs if len(text) <= TEXT_MOST else None) or ():
            for source in output.sources:
                reading.renames(source, output.name)
    for name, value in request.query:
        text = value[:_MOST]
        match name:
            case "select" | "returning":
                for alias, column in _ALIAS.findall(text):
                    reading.renames(column, alias)
                for column, function in _MADE.findall(text):
                    reading.renames(column, function)
                for column, key in _NESTED.findall(text):
                    reading.renames(column, key)
            case "$compute" | "$apply":
                for column, alias in _AS.findall(text):
                    reading.renames(column.rpartition("/")[2], alias)
            case _:
                pass
