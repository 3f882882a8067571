"""Requests that change something: how much, and whether rights, code or everything at once."""

from __future__ import annotations

import re

from gateway.facts.http import bulk, rpc, xml
from gateway.facts.http.asks import only_asks, runs
from gateway.facts.http.bodies import AWS_JSON, Body
from gateway.facts.http.reading import Reading
from gateway.facts.http.request import Request
from gateway.facts.http.segments import ALL, deletes_one_item, told
from gateway.facts.http.vocabulary import DELETING
from gateway.facts.http.words import hinted, parts, words
from gateway.model import Effect

_CALLED_AT = frozenset({"rpc", "jsonrpc", "xmlrpc", "mcp", "soap"})
_HOOKS = frozenset({"webhook", "webhooks", "hook", "hooks"})
_EVERYDAY = frozenset({"post", "publish", "message", "share", "forward", "transfer", "sms"})
"""Sending words that services of messages use for what they are there for."""
_DATE = re.compile(r"20\d\d-\d\d-\d\d")
_ACTION = re.compile(r';\s*action="?([^";]*)', re.IGNORECASE)
"""Where SOAP 1.2 says what SOAP 1.1 says in a header."""
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
    if method == "DELETE" and last.lower() == "mcp" and request.values("mcp-session-id"):
        reading.does(Effect.SESSION)  # which the client ends so
        return
    found = told(request)
    quiet = _EVERYDAY
    if method == "POST" and not words(last) & _HOOKS:
        quiet |= _HOOKS  # the event that somebody else's hook brings, not the making of one
    reading.does(Effect.WRITE, *hinted(found - quiet))
    if (method == "DELETE" or found & DELETING) and not deletes_one_item(request):
        reading.does(Effect.DESTRUCTIVE)
    if isinstance(body.value, dict) and any(
        body.value.get(name) is True for name in ALL - {"all", "everything"}
    ):
        reading.does(Effect.DESTRUCTIVE)
    if _gives_rights(body):
        reading.does(Effect.PRIVILEGE)
    bulk.read(reading, request, body)
    xml.read(reading, body)
    if _calls_unread(request, body):
        reading.doubt("the call is in a form that is not read here")
    for action in _actions(request, body):
        rpc.read_call(reading, "action", action)
    runs(reading, request, body)


def _calls_unread(request: Request, body: Body) -> bool:
    """Whether something goes where calls go, in an encoding of which nobody here can read what it calls."""
    called_at = bool(request.segments) and not _CALLED_AT.isdisjoint(parts(request.segments[-1]))
    return called_at and body.kind != "" and not xml.is_xml(body)


def _gives_rights(body: Body) -> bool:
    """Whether the object itself, the one inside it, or an operation of a patch is about rights."""
    names = [name for name, _ in body.fields]
    lists = body.value.values() if isinstance(body.value, dict) else [body.value]
    for operations in lists:
        if isinstance(operations, list):
            paths = [str(each.get("path", "")) for each in operations if isinstance(each, dict)]
            names += [name for path in paths for name in path.split("/")]
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
        for value in (
            *request.values("soapaction"),
            *request.values("x-amz-target"),
            *_ACTION.findall(request.header("content-type")),
        )
    ]
    found += [value for name, value in (*request.parameters, *body.fields) if name == "Action"]
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
