"""What the segments of a path are: lists, items, titles, deeds. `/orders/7`, `/products/stop-sign`, `/orders/7/cancel`."""

from __future__ import annotations

import re

from gateway.facts.http.request import Request
from gateway.facts.http.vocabulary import CLEAR_DEEDS, DELETING, DESTROYING, PRIVILEGED
from gateway.facts.http.words import parts, words

_PROSE_WORDS = (
    "docs doc documentation help wiki blog kb faq static assets news articles manual reference search guides"
)
PROSE = frozenset(_PROSE_WORDS.split())
"""Below these stands text about things, not the things."""
_OTHER_DEEDS = """
    execute eval exec run cmd shell bash trigger deploy undeploy redeploy reload disable enable activate approve reject accept
    cancel pay submit install grant ban unban assign rotate publish unpublish logout unsubscribe restore resume apply create
    update insert rebuild reindex promote demote elevate impersonate add save send
"""
_DEEDS = (DESTROYING | DELETING | frozenset(_OTHER_DEEDS.split())) - {"archive", "trash"}
_ALSO_THINGS = frozenset({"stop", "run", "drop", "trigger", "seal"})
"""Deeds after which a thing may be called: `/stop/12/departures`."""
_FORMS = frozenset({"edit", "new"})
"""Pages on which a deed is prepared."""
_EVERY = frozenset({"all", "everything", "every", "bulk", "batch"})
_SWITCHES = frozenset({"settings", "configs", "policies", "options", "preferences", "features"})
"""Lists whose items are known by what they do."""
_PEOPLE = frozenset({"member", "members", "owner", "owners", "access"})
"""Rights where they are a part of something, `/teams/7/members`; else a collection like any other."""
_CONTAINERS = re.compile(
    r"(?:databases?|dbs?|schemas?|tables?|collections?|ind(?:ex|exes|ices)|buckets?|volumes?|topics?|queues?"
    r"|clusters?|namespaces?|tenants?|projects?|accounts?|orgs?|organi[sz]ations?|repos?|repositories|subscriptions?"
    r"|environments?|groups?|teams?|sites?|domains?|hosts?|nodes?|manifests?|models?|instances?|servers?|droplets?|vms"
    r"|snapshots?|backups?|zones?|apps?|workspaces?)",
    re.IGNORECASE,
)
"""Deleting one of these loses all that it holds."""
_ALL_WORDS = "all force cascade recursive recurse purge everything wipe drop permanent hard"
ALL = frozenset(_ALL_WORDS.split())
_MANY_WORDS = "data history content contents storage inventory log audit trail media messages"
_MANY = ALL | frozenset(_MANY_WORDS.split())
"""Singular, and yet many things."""
_YES = frozenset({"", "1", "true", "yes", "on"})
_NUMBER = re.compile(r"[0-9]+|[0-9a-f-]{16,}|me|self")
_AN_ID = re.compile(r".*[0-9].*|[0-9a-f]{8,}|[A-Za-z0-9_-]{20,}|.*[@:=].*|me|self|current")
_SCRIPT = re.compile(r"\.(?:php|aspx?|jspx?|do|action|cgi|pl|cfm)$", re.IGNORECASE)
_CALLED_AT = frozenset({"graphql", "gql", "rpc", "jsonrpc", "mcp", "sse"})
_A_KEY = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,}")
_VERSION = re.compile(r"v[0-9.]+|api", re.IGNORECASE)


def takes_calls(request: Request) -> bool:
    """Whether a path is one to which calls of GraphQL, JSON-RPC and MCP are sent: `/`, `/api/v1`, `/shop/graphql`, `/rpc`."""
    segments = request.segments
    while segments and _VERSION.fullmatch(segments[-1]):
        segments = segments[:-1]
    if not segments or set(parts(segments[-1])) & _CALLED_AT:
        return not names_a_deed(segments[:-1])
    if len(segments) < 3 and segments[-1] in {"message", "messages"}:  # of MCP over server-sent events
        return any(name.lower().replace("_", "") == "sessionid" for name, _ in request.query)
    return all(_VERSION.fullmatch(segment) or _A_KEY.fullmatch(segment) for segment in segments)


def names_a_deed(segments: tuple[str, ...]) -> bool:
    """Whether a segment says what is done: `/orders/7/cancel`, `/delete/7`, `/deleteUser`."""
    if not segments or PROSE & {segment.lower() for segment in segments[:-1]}:
        return False
    *above, last = segments
    last = _SCRIPT.sub("", last)
    for at, segment in enumerate(above):
        first = parts(segment)[:1]
        if set(first) & (_DEEDS & CLEAR_DEEDS) - _ALSO_THINGS and not _is_title(segments, at):
            return True
    found = parts(last)
    if len(found) > 3 or _is_title(segments, len(above)):
        return False
    of_an_item = bool(above) and _NUMBER.fullmatch(above[-1]) is not None
    called = len(found) > 1 and "-" not in last  # as programs name their calls: `addAdmin`
    if (of_an_item or called) and set(found[:1]) & CLEAR_DEEDS - _FORMS:
        return True
    return bool(({*found[:1], *found[-1:]} | (words(last) - set(found))) & _DEEDS)


def _is_title(segments: tuple[str, ...], at: int) -> bool:
    """Whether a segment is the name of one of many: several words behind a plural."""
    found = parts(segments[at])
    return (
        at > 0
        and "-" in segments[at]
        and len(found) > 1
        and segments[at - 1].lower().endswith("s")
        and segments[at - 1].lower() not in _SWITCHES
        and not _EVERY & set(found)
    )


def told(request: Request) -> set[str]:
    """What the words of path and bare parameters (`?delete`, `?acl`) tell about a deed.

    A title tells nothing (`/products/key-lime-pie/reviews`); of a long name only the noun tells what it is.
    """
    found: set[str] = set()
    segments = (*request.segments, *(name for name, value in request.query if not value))
    for at, segment in enumerate(segments):
        each = parts(segment)
        last_of_post = at == len(request.segments) - 1 and request.method == "POST"
        if not each or (_is_title(segments, at) and not last_of_post):
            continue
        said = set(words(segment))
        if len(each) > 3:
            said -= PRIVILEGED - {each[-1]}
        if at == 0 or _VERSION.fullmatch(segments[at - 1]):
            said -= _PEOPLE
        found |= said
    return found


def deletes_one_item(request: Request) -> bool:
    """Whether what is deleted is one item of a list, and not a list, a container or everything.

    It is by `DELETE /orders/7` and `POST /orders/7/delete`.
    """
    segments = request.segments
    if request.method != "DELETE":
        if not segments or not set(parts(segments[-1])) <= DELETING:
            return False
        segments = segments[:-1]
    if len(segments) < 2 or _asks_for_all(request):
        return False
    before, last = segments[-2:]
    if "*" in last or last.lower() in _MANY or last == "_all" or _VERSION.fullmatch(last):
        return False
    if _CONTAINERS.fullmatch(before) or (len(segments) > 2 and segments[-3] == "repos"):
        return False
    if _AN_ID.fullmatch(last) or _is_title(segments, len(segments) - 1):
        return True
    if last.endswith("s") or _CONTAINERS.fullmatch(last):
        return False
    return before.endswith("s") or _AN_ID.fullmatch(before) is not None


def _asks_for_all(request: Request) -> bool:
    return any(
        value in {"*", "_all"}
        or (name.lower() in ALL | DELETING and (value.lower() in _YES or value == "all"))
        or name.lower() == "force"
        for name, value in request.query
    )
