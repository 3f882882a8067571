"""How the operators' verbs speak to a running gateway: the contract over HTTP, with nothing but the library.

The credential goes to loopback or over TLS alone, through no proxy, and no redirect takes it elsewhere.
"""

from __future__ import annotations

import argparse
import os
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from gateway.commands.options import state_option
from gateway.commands.proving import bound, credential
from gateway.commands.token_client import (
    DEFAULT_URL,
    OPERATOR_TOKEN,
    URL,
    Misused,
    Refused,
    TokenClient,
    Unreachable,
    loopback,
    operator_credential,
    readable,
)
from gateway.contract import Refusal, decode, encode

PERSON = "COUNTERSIGN_PERSON"
WITHIN = 15.0
ANSWER_BYTES = 64 * 1024 * 1024

T = TypeVar("T")


class Client:
    """The gateway at one address, as its operators see it."""

    def __init__(self, url: str, credential: str, *, gateway: TokenClient | None = None) -> None:
        """`gateway` proves the key of a credential that is a token bound to one.

        Raises `Unreachable` for an address that the credential may not be sent to.
        """
        self._url = url
        self._credential = credential
        self._gateway = gateway
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Unreachable(f"{url} is no address of a gateway: set {URL} or --url to http://HOST:PORT")
        if parts.scheme == "http" and not loopback(parts.hostname):
            raise Unreachable(f"{url} is not encrypted, and the credential may not cross it: use https")
        self._parts = parts

    def get(self, path: str, shape: type[T], **query: str) -> T:
        """The answer at `path` as a contract shape. Raises `Refused` and `Unreachable`."""
        return self._ask("GET", path, shape, query=query)

    def post(self, path: str, body: object, shape: type[T]) -> T:
        """The answer to a contract shape. Raises `Refused` and `Unreachable`."""
        return self._ask("POST", path, shape, body=body)

    def _ask(
        self,
        method: str,
        path: str,
        shape: type[T],
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        nonce: str = "",
    ) -> T:
        given = {name: value for name, value in (query or {}).items() if value}
        target = self._parts.path.rstrip("/") + path + (f"?{urlencode(given)}" if given else "")
        headers = {**self._shown(method, path, nonce), "Content-Type": "application/json"}
        connection = self._connection()
        try:
            connection.request(
                method, target, body=encode(body) if body is not None else None, headers=headers
            )
            response = connection.getresponse()
            status, content = response.status, response.read(ANSWER_BYTES)
            wanted = response.getheader("DPoP-Nonce", "")
        except (OSError, HTTPException) as error:
            raise Unreachable(
                f"no gateway answers at {self._url} ({error}): start `countersign serve`, or set {URL}"
            ) from None
        finally:
            connection.close()
        try:
            if status >= 300:
                refusal = decode(content, Refusal)
                if refusal.error == "use_dpop_nonce" and wanted and not nonce:
                    return self._ask(method, path, shape, query=query, body=body, nonce=wanted)
                raise Refused(readable(" ".join(filter(None, (refusal.message, refusal.url)))))
            return decode(content, shape)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unreachable(f"what answers at {self._url} is no gateway (HTTP {status})") from None

    def _shown(self, method: str, path: str, nonce: str) -> Mapping[str, str]:
        if self._gateway is None or not bound(self._credential):
            return {"Authorization": f"Bearer {self._credential}"}
        address = self._gateway.address(path)
        return credential(method, address, self._credential, key=self._gateway.key, nonce=nonce)

    def _connection(self) -> HTTPConnection:
        host, port = self._parts.hostname, self._parts.port
        assert host is not None
        if self._parts.scheme == "https":
            return HTTPSConnection(host, port, timeout=WITHIN, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=WITHIN)


def part(name: str) -> str:
    """An id as one segment of a path."""
    return quote(name, safe="")


def connection_options(parser: argparse.ArgumentParser) -> None:
    """`--url`, `--state` and `--json`."""
    parser.add_argument(
        "--url", default="", metavar="URL", help=f"the gateway's API; default: ${URL} or {DEFAULT_URL}"
    )
    state_option(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def person_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as",
        dest="person",
        default="",
        metavar="PERSON",
        help=f"who does this (e-mail); default: ${PERSON}",
    )


def person(arguments: argparse.Namespace) -> str:
    """Who acts. Raises `Misused`."""
    name = str(arguments.person or os.environ.get(PERSON, "")).strip()
    if not name:
        raise Misused(f"say who does this: --as name@example.com, or set {PERSON}")
    return name


def client(arguments: argparse.Namespace) -> Client:
    """The gateway that the options name. Raises `Misused` and `Unreachable`."""
    operators = operator_credential(arguments.state)
    if not operators:
        raise Misused(
            f"no operator credential: set {OPERATOR_TOKEN}, or --state to the gateway's state directory"
        )
    return Client(arguments.url or os.environ.get(URL, "") or DEFAULT_URL, operators)
