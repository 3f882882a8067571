"""JSON-RPC 2.0 and the Model Context Protocol: methods, tools, batches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.facts.http.calls import plainly_reads
from gateway.facts.http.credentials import is_credential, secret_file
from gateway.facts.http.reading import Reading
from gateway.facts.http.secrets import leads_inside
from gateway.facts.http.statements import is_sql, only_selects
from gateway.facts.http.vocabulary import DELETING, EXECUTING
from gateway.facts.http.words import hinted, parts, words
from gateway.model import Effect

BATCH_MOST = 1_000
_KNOWN = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
MCP_READS = frozenset(
    {
        "initialize",
        "ping",
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "prompts/list",
        "prompts/get",
        "completion/complete",
        "rpc.discover",
        "server/discover",
    }
)
MCP_SESSION = frozenset({"logging/setLevel", "resources/subscribe", "resources/unsubscribe"})
_RUN = "sql statement command cmd script code query shell exec expression program args argv"
_A_CODE = re.compile(r"[A-Za-z0-9-]{1,24}")
_RUNNING = frozenset(_RUN.split())
"""Arguments that a tool runs."""
_ALSO_ASKING = frozenset({"query", "expression", "args", "program"})
"""Those of them that a tool which only looks has as well."""
_OF_STATEMENTS = _ALSO_ASKING | {"sql", "statement"}
_OF_CHAINS = """
    eth_blocknumber eth_call eth_chainid eth_estimategas eth_gasprice eth_feehistory eth_syncing eth_accounts eth_maxpriorityfeepergas
    net_version net_listening net_peercount web3_clientversion web3_sha3
"""
_LOOKING_NAMES = frozenset(_OF_CHAINS.split())
"""Methods of blockchain nodes that only look, and do not say so by a verb."""


def read_request(reading: Reading, value: Any) -> None:
    """One message, or a batch: everything that any of them does."""
    if isinstance(value, list):
        if not value or len(value) > BATCH_MOST:
            reading.doubt("the batch is empty, or too large")
        for each in value[:BATCH_MOST]:
            _message(reading, each)
        return
    _message(reading, value)


def is_rpc(value: Any) -> bool:
    each = value if isinstance(value, list) else [value]
    return any(
        isinstance(message, Mapping) and ("jsonrpc" in message or {"method", "params"} <= message.keys())
        for message in each
    )


def only_looks(name: str) -> bool:
    return plainly_reads(name) or name.lower() in _LOOKING_NAMES


def read_call(reading: Reading, kind: str, name: str) -> None:
    """A call that only its name tells about: a SOAP action, an AWS target."""
    if name.isprintable():
        _judged(reading, kind, name, None)
    else:
        reading.doubt("the name of an action is not text")


def _message(reading: Reading, value: Any) -> None:
    if not isinstance(value, Mapping) or value.get("jsonrpc") != "2.0" or not value.keys() <= _KNOWN:
        reading.doubt("a message is no JSON-RPC 2.0")
        if isinstance(value, Mapping) and isinstance(name := value.get("method"), str):
            read_call(reading, "rpc", name)  # as versions before it have it
        return
    method = value.get("method")
    if method is None and ("result" in value or "error" in value):
        reading.does(Effect.SESSION)  # the answer to what the server asked
        return
    if not isinstance(method, str) or not method.isprintable():
        reading.doubt("a message has no method")
        return
    known = str(reading.attributes.get("http.rpc", ""))
    reading.attributes["http.rpc"] = ", ".join(filter(None, [known, method]))[:1_000]
    if method in MCP_READS:
        reading.does(Effect.READ, *_reached(value.get("params")))
        reading.touches("rpc", method, Effect.READ)
    elif method in MCP_SESSION or method.startswith("notifications/"):
        reading.does(Effect.SESSION)
        reading.touches("rpc", method, Effect.SESSION)
    elif method == "tools/call":
        _tool(reading, value.get("params"))
    else:
        _judged(reading, "rpc", method, value.get("params"))


def _tool(reading: Reading, params: Any) -> None:
    name = params.get("name") if isinstance(params, Mapping) else None
    if not isinstance(params, Mapping) or not isinstance(name, str) or not name.isprintable():
        reading.doubt("a call names no tool")
        return
    known = str(reading.attributes.get("http.tools", ""))
    reading.attributes["http.tools"] = ", ".join(filter(None, [known, name]))[:1_000]
    _judged(reading, "tool", name, params.get("arguments"))


def _judged(reading: Reading, kind: str, name: str, arguments: Any) -> None:
    """By its name: one that only looks reads; any other may do what its words say, and more."""
    found = set(words(name))
    runs = _RUNNING & {word for key in _keys(arguments) for word in parts(key)}
    harmless = _OF_STATEMENTS if _selects(arguments) else _ALSO_ASKING
    if isinstance(arguments, Mapping) and _A_CODE.fullmatch(str(arguments.get("code", ""))):
        harmless |= {"code"}  # of a coupon, a country
    if only_looks(name) and not runs - harmless:
        effects = {Effect.READ}
    else:
        effects = {Effect.WRITE} | hinted(found)
        if found & DELETING:
            effects.add(Effect.DESTRUCTIVE)
        if is_credential(name):
            effects.add(Effect.EXFIL)
        if runs or found & EXECUTING:
            effects.add(Effect.EXEC)
        reading.doubt(f"what the {kind} does is known to its server alone")
    if any(is_sql(text) and not only_selects(text) for text in _texts(arguments)):
        reading.doubt("an argument is a statement in a language of its own")
    effects |= _reached(arguments)
    reading.does(*effects)
    reading.touches(kind, name, *sorted(effects))


def _selects(arguments: Any) -> bool:
    statements = [text for text in _texts(arguments) if is_sql(text)]
    return bool(statements) and all(map(only_selects, statements))


def _texts(value: Any) -> list[str]:
    waiting, found = [value], []
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            found.append(each[:4_096])
        elif isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return found


def _reached(value: Any) -> set[Effect]:
    """Whether an argument names a file or place that holds secrets."""
    return {Effect.EXFIL} if any(secret_file(each) or leads_inside(each) for each in _texts(value)) else set()


def _keys(value: Any) -> list[str]:
    return [str(key) for key in value] if isinstance(value, Mapping) else []
