"""How the verbs for token holders speak to the gateway: forms and bearer tokens over HTTP, with nothing but the library.

Tokens and secrets come from the environment, a file or standard input, never from arguments, which every process on
the machine can read. They leave only over TLS or to loopback, through no proxy unless the way is encrypted, and no
redirect takes them elsewhere.
"""

from __future__ import annotations

import argparse
import base64
import ipaddress
import json
import os
import re
import select
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import quote_plus, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

URL = "COUNTERSIGN_URL"
TOKEN = "COUNTERSIGN_TOKEN"  # noqa: S105 - a variable's name
OPERATOR_TOKEN = "COUNTERSIGN_OPERATOR_TOKEN"  # noqa: S105 - a variable's name
DEFAULT_URL = "http://127.0.0.1:8480"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the grant's name
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the type's name
WITHIN = 15.0
ANSWER_BYTES = 1024 * 1024
PIPED_WITHIN = 1.0

_DURATION = re.compile(r"(\d{1,9})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Unreachable(Exception):
    """The gateway did not answer, or may not be asked this way; the message names the fix."""


class Refused(Exception):
    """The gateway said no, in its own words; `error` is its code for why, where it has one."""

    def __init__(self, message: str, error: str = "") -> None:
        super().__init__(message)
        self.error = error


class Misused(Exception):
    """The verb was called without something that it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A root agent's name and secret."""

    name: str
    secret: str = field(repr=False)


class NoRedirect(HTTPRedirectHandler):
    """Takes nothing elsewhere."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        del req, fp, code, msg, headers, newurl
        return None


class TokenClient:
    """The gateway at one address."""

    def __init__(self, url: str, *, key: Path | None = None) -> None:
        """`key` is the file of the key that our token is bound to. Raises `Unreachable` for an address that secrets may
        not be sent to.
        """
        self.url = url.rstrip("/")
        self.key = key
        self._known_as = ""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Unreachable(f"{url} is no address of a gateway: set {URL} or --url to http://HOST:PORT")
        if parts.scheme == "http" and not loopback(parts.hostname):
            raise Unreachable(f"{self.url} is not encrypted, and tokens may not cross it: use https")
        encrypted = parts.scheme == "https"
        self._opener: OpenerDirector = build_opener(NoRedirect, *([] if encrypted else [ProxyHandler({})]))

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        bearer: str = "",
        agent: Credentials | None = None,
        proved: bool = False,
    ) -> dict[str, Any]:
        """The JSON answer to a form, `proved` by our key where we have one. Raises `Refused` or `Unreachable`."""
        request = Request(self.url + path, data=urlencode(form).encode(), method="POST")  # noqa: S310 - http(s) alone
        request.add_header("Content-Type", "application/x-www-form-urlencoded")
        if agent is not None:
            pair = f"{quote_plus(agent.name)}:{quote_plus(agent.secret)}"
            request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
        return self._answer(request, path, bearer, proved=proved)

    def get(self, path: str, *, bearer: str = "") -> dict[str, Any]:
        """The JSON at `path`. Raises `Refused` or `Unreachable`."""
        return self._answer(Request(self.url + path), path, bearer)  # noqa: S310 - http(s) alone, as checked above

    def derive(
        self, parent: str, *, name: str, scope: str, ttl: str, task: str, bound_to: str = ""
    ) -> dict[str, Any]:
        """A child's token (RFC 8693), as the token endpoint answers. Empty wishes are left to the gateway.

        `bound_to` is the thumbprint of the child's own key.
        """
        from gateway.commands.proving import bound

        wishes = {"name": name, "scope": scope, "expires_in": ttl, "task": task, "dpop_jkt": bound_to}
        return self.post(
            "/oauth/token",
            {
                "grant_type": TOKEN_EXCHANGE,
                "subject_token": parent,
                "subject_token_type": ACCESS_TOKEN,
                **{key: value for key, value in wishes.items() if value},
            },
            proved=bound(parent),
        )

    def address(self, path: str) -> str:
        """Where `path` is, by the name that the gateway goes by: proofs are made for that (RFC 9449 §4.2).

        Its own word for it is taken on this machine alone: elsewhere another could say it, and pass our proofs on.
        """
        if not self._known_as:
            local = loopback(urlsplit(self.url).hostname or "")
            told = self.get("/.well-known/oauth-authorization-server").get("issuer") if local else ""
            self._known_as = str(told or self.url)
        return self._known_as + path

    def _shown(self, request: Request, path: str, bearer: str, *, proved: bool, nonce: str) -> None:
        """Adds the token that a request shows, and the proof of its key."""
        from gateway.commands.proving import Key, bound, credential

        method = request.get_method()
        if bearer:
            address = self.address(path) if bound(bearer) else ""
            for name, value in credential(method, address, bearer, key=self.key, nonce=nonce).items():
                request.add_header(name, value)
        elif proved and self.key is not None:
            request.add_header("DPoP", Key(self.key).proof(method, self.address(path), nonce=nonce))

    def _answer(
        self, request: Request, path: str, bearer: str, *, proved: bool = False, nonce: str = ""
    ) -> dict[str, Any]:
        self._shown(request, path, bearer, proved=proved, nonce=nonce)
        request.add_header("Accept", "application/json")
        try:
            with self._opener.open(request, timeout=WITHIN) as response:
                answer = _object(response)
        except HTTPError as error:
            with error:
                refusal = _object(error)
            wanted = error.headers.get("DPoP-Nonce", "")
            if refusal.get("error") == "use_dpop_nonce" and wanted and not nonce:
                return self._answer(request, path, bearer, proved=proved, nonce=wanted)
            message = refusal.get("error_description") or refusal.get("message") or f"HTTP {error.code}"
            raise Refused(readable(str(message)), str(refusal.get("error", ""))) from None
        except (URLError, OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(
                f"no gateway answers at {self.url} ({reason}): start `countersign serve`, or set {URL}"
            ) from None
        return answer


def run_verb(verb: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """`verb`, its failures as a sentence on stderr: 1 where the gateway said no, 2 where it could not be asked."""
    try:
        return verb(arguments)
    except Refused as refused:
        print(f"countersign: {refused}", file=sys.stderr)
        return 1
    except (Unreachable, Misused) as failure:
        print(f"countersign: {failure}", file=sys.stderr)
        return 2


def url_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url", default="", metavar="URL", help=f"the gateway's API; default: ${URL} or {DEFAULT_URL}"
    )


def client(arguments: argparse.Namespace) -> TokenClient:
    from gateway.commands.proving import own_key

    return TokenClient(arguments.url or os.environ.get(URL, "") or DEFAULT_URL, key=own_key())


def own_token(url: str) -> str:
    """The token that this process was started with, else the one on standard input, else that of a login at `url`."""
    token = os.environ.get(TOKEN, "").strip()
    if not token and sys.stdin is not None and not sys.stdin.isatty():
        token = sys.stdin.readline(65_536).strip()
    return token or login_token(url)


def spoken_of(url: str, given: str, *, undecided: Literal["own", "none"] = "own") -> str:
    """The token that a verb is about: `-` is the one on standard input, nothing is `own_token`'s.

    Where our own is set and another one is piped in, neither is taken for the other. `undecided` is what is meant
    where nothing has come, but still may.
    """
    if given == "-":
        token = sys.stdin.readline(65_536).strip()
        if not token:
            raise Misused("standard input has no token")
        return token
    if os.environ.get(TOKEN, "").strip():
        piped = _piped()
        if piped or (piped is None and undecided == "none"):
            raise Misused(
                f"both {TOKEN} and standard input may have a token: write - for the one on standard input, "
                f"or < /dev/null for that of {TOKEN}"
            )
    return own_token(url)


def _piped() -> bool | None:
    """Whether somebody has written to our standard input; `None` where nothing came, and it is not at its end."""
    if sys.stdin is None:
        return False
    kind = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind) or stat.S_ISSOCK(kind)):
        return False
    ready, _, _ = select.select([sys.stdin], [], [], PIPED_WITHIN)
    return bool(sys.stdin.readline(65_536).strip()) if ready else None


def login_token(url: str) -> str:
    """The token of a login that is kept here. Raises `Misused`."""
    from gateway.commands import kept_login

    token = kept_login.token(url)
    if not token:
        raise Misused(
            f"no token: log in with `countersign login`, set {TOKEN} (`export {TOKEN}=$(countersign token mint "
            "AGENT)`), or pipe one in"
        )
    return token


def operator_credential(state: Path) -> str:
    """The operators' credential, from the environment or the gateway's state directory; "" where there is none."""
    credential = os.environ.get(OPERATOR_TOKEN, "")
    if credential:
        return credential
    try:
        return (state / "operator.token").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def duration(text: str) -> str:
    """`90`, `90s`, `15m`, `2h`, `1d` as seconds, for `expires_in`; an argparse type."""
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 90s, 15m, 2h or 1d")
    return str(int(match[1]) * _SECONDS[match[2]])


def left(seconds: float) -> str:
    """A time span for people: `2h 5m`, `40s`, `ended`."""
    if seconds <= 0:
        return "ended"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}h {minutes}m" if hours else f"{minutes}m"


def readable(text: str) -> str:
    """Untrusted text on one line, its control characters and direction marks escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def loopback(host: str) -> bool:
    """Whether `host` is this machine by name or address, without asking a resolver."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _object(response: HTTPResponse | HTTPError) -> dict[str, Any]:
    try:
        answer = json.loads(response.read(ANSWER_BYTES))
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
