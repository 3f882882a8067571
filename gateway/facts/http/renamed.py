"""What an answer will call things that a request asks for by another name: masks go by what they are stored as.

GraphQL's aliases are taken by `gateway.facts.http.graphql`; here are those of queries in URLs: PostgREST's
`select=alias:column` and what its functions and OData's `as` make of a column.
"""

from __future__ import annotations

import re

from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request

_MOST = 64 * 1024
_ALIAS = re.compile(r"(?:^|[,(])\s*\"?([\w$]{1,128})\"?\s*:\s*\"?([\w$]{1,128})")
_MADE = re.compile(r"(?:^|[,(:])\s*\"?([\w$]{1,128})\"?\s*\.\s*(sum|avg|min|max|count)\(\)")
_NESTED = re.compile(r"([\w$]{1,128})\s*(?:->>?\s*[\w$'\"]{1,128}\s*)*->>?\s*['\"]?([\w$]{1,128})")
_AS = re.compile(r"([\w/$]{1,128})(?:\s+with\s+[\w.]{1,64})?\s+as\s+([\w$]{1,128})", re.IGNORECASE)


def renamed(reading: Reading, request: Request) -> None:
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
