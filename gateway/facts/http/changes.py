"""Requests that change something: how much, and whether rights, code or everything at once."""

from __future__ import annotations

import re

from gateway.facts.http import bulk, rpc
from gateway.facts.http.asks import only_asks, runs
from gateway.facts.http.bodies import AWS_JSON, Body
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.facts.http.words import DELETING, PRIVILEGED, hinted, parts, words
from gateway.model import Effect

_HOOKS = frozenset({"webhook", "webhooks", "hook", "hooks"})
_EVERYDAY = frozenset({"post", "publish", "message", "share", "forward", "transfer", "sms"})
"""Sending words that services of messages use for what they are there for."""
_PEOPLE = frozenset({"member", "members", "owner", "owners", "access"})
"""Rights where they are a part of something, `/teams/7/members`; else a collection like any other."""
_ALL = frozenset("all force cascade recursive recurse purge everything wipe drop permanent hard".split())  # noqa: SIM905
_CONTAINERS = re.compile(
    r"(?:databases?|dbs?|schemas?|tables?|collections?|ind(?:ex|exes|ices)|buckets?|volumes?|topics?|queues?"
    r"|clusters?|namespaces?|tenants?|projects?|accounts?|orgs?|organi[sz]ations?|repos?|repositories|subscriptions?"
    r"|environments?|groups?|teams?|sites?|domains?|hosts?|nodes?|manifests?|models?|instances?|servers?|droplets?|vms|snapshots?|backups?|zones?|apps?|workspaces?)",
    re.IGNORECASE,
)
"""Deleting one of these loses all that it holds."""
_MANY = _ALL | frozenset(
    [
        "data",
        "history",
        "content",
        "contents",
        "storage",
        "inventory",
        "log",
        "audit",
        "trail",
        "media",
        "messages",
    ]
)
"""Singular, and yet many things."""
_YES = frozenset({"", "1", "true", "yes", "on"})
_AN_ID = re.compile(r".*[0-9].*|[0-9a-f]{8,}|[A-Za-z0-9_-]{20,}|.*[@:=].*|me|self|current")
_VERSION = re.compile(r"v[0-9.]+|api", re.IGNORECASE)
_DATE = re.compile(r"20\d\d-\d\d-\d\d")
_RIGHTS = """
    role roles permission permissions privileges isadmin admin superuser issuperuser isstaff isowner accesslevel password
    newpassword grants policy acl
"""
_RIGHTS_NAMES = frozenset(_RIGHTS.split())
"""Members of an object that say what its subject may do, or how it proves who it is."""


def changes(reading: Reading, request: Request, body: Body, method: str) -> None:
    if method == "POST" and (only_asks(reading, request, body) or _plain_action(reading, request, body)):
        return
    if method == "DELETE" and request.path.lower() in {"/_search/scroll", "/_pit"}:
        reading.does(Effect.SESSION)
        return
    last = request.segments[-1] if request.segments else ""
    found = _told(request)
    quiet = _EVERYDAY
    if method == "POST" and not words(last) & _HOOKS:
        quiet |= _HOOKS  # the event that somebody else's hook brings, not the making of one
    reading.does(Effect.WRITE, *hinted(found - quiet))
    if method == "DELETE":
        if not _one_item(request):
            reading.does(Effect.DESTRUCTIVE)
    elif found & DELETING and not (
        words(last) & DELETING and len(request.segments) > 2 and _AN_ID.fullmatch(request.segments[-2])
    ):
        reading.does(Effect.DESTRUCTIVE)
    if _gives_rights(body):
        reading.does(Effect.PRIVILEGE)
    bulk.read(reading, request, body)
    for action in _actions(request, body):
        rpc.read_call(reading, "action", action)
    runs(reading, request, body)


def _told(request: Request) -> set[str]:
    """What the words of path and bare parameters (`?delete`, `?acl`) tell about the deed.

    A title tells nothing (`/products/key-lime-pie/reviews`), of a long name only the noun tells what it is.
    """
    found: set[str] = set()
    segments = [*request.segments, *(name for name, value in request.query if not value)]
    for at, segment in enumerate(segments):
        each = parts(segment)
        titled = (
            0 < at < len(segments) - 1 and "-" in segment and segments[at - 1].endswith("s") and len(each) > 1
        )
        if titled or not each:
            continue
        told = set(words(segment))
        if len(each) > 3:
            told -= PRIVILEGED - {each[-1]}
        if at == 0 or _VERSION.fullmatch(segments[at - 1]):
            told -= _PEOPLE
        found |= told
    return found


def _one_item(request: Request) -> bool:
    """Whether a DELETE names one item of a collection, and not a collection, a container or everything."""
    if len(request.segments) < 2:
        return False
    before, last = request.segments[-2:]
    asked = {
        name.lower()
        for name, value in request.query
        if value.lower() in _YES or value in {"*", "all"} or name.lower() == "force"
    }
    if asked & (_ALL | DELETING) or any(value in {"*", "_all"} for _, value in request.query):
        return False
    if "*" in last or last.lower() in _MANY or last == "_all" or _VERSION.fullmatch(last):
        return False
    if _CONTAINERS.fullmatch(before) or (len(request.segments) > 2 and request.segments[-3] == "repos"):
        return False
    if _AN_ID.fullmatch(last):
        return True
    if last.endswith("s") or _CONTAINERS.fullmatch(last):
        return False
    return before.endswith("s") or _AN_ID.fullmatch(before) is not None


def _gives_rights(body: Body) -> bool:
    """Whether the object itself, or the one inside it, has a member that is about rights."""
    names = [name for name, _ in body.fields]
    if isinstance(body.value, dict):
        names += body.value
        for each in body.value.values():
            if isinstance(each, dict):
                names += each
    return any("".join(parts(name)) in _RIGHTS_NAMES for name in names)


def _actions(request: Request, body: Body) -> list[str]:
    """What SOAP, the AWS protocols and their like call the deed."""
    found = [
        value.strip(' "').rpartition("/")[2].rpartition(".")[2].rpartition("#")[2]
        for name in ("soapaction", "x-amz-target")
        for value in request.values(name)
    ]
    found += [value for name, value in (*request.query, *body.fields) if name == "Action"]
    return [each for each in found if each]


def _plain_action(reading: Reading, request: Request, body: Body) -> bool:
    """Whether the one action of an AWS protocol only looks. Only of requests that no other service would read as theirs.

    SOAP is not among them: its body names the deed as well, and may name another one.
    """
    actions = _actions(request, body)
    if request.path != "/" or len(actions) != 1 or not rpc.only_looks(actions[0]):
        return False
    of_json = request.values("x-amz-target") and request.header("content-type").lower().startswith(AWS_JSON)
    of_form = body.kind == "form" and any(
        name == "Version" and _DATE.fullmatch(value) for name, value in body.fields
    )
    if not of_json and not of_form:
        return False
    if "withdecryption" in {name.lower() for name, _ in body.members()}:
        reading.does(Effect.EXFIL)
    rpc.read_call(reading, "action", actions[0])
    return True
