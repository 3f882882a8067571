"""Where a workload finds the token that its own issuer gave it: a file, standard input, or a CI runner that hands one out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from gateway.commands.token_client import ANSWER_BYTES, WITHIN, Misused, NoRedirect, Unreachable, loopback

ASSERTION_BYTES = 64 * 1024
GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - a variable's name


def of_file(path: Path) -> str:
    """As Kubernetes and clouds put it there, renewed in place. Raises `Misused`."""
    try:
        with path.open(encoding="ascii") as file:
            return file.read(ASSERTION_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'no token'}") from None


def of_standard_input() -> str:
    return "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.readline(ASSERTION_BYTES).strip()


def of_github(audience: str) -> str:
    """As GitHub's runner hands it to a job with `permissions: {id-token: write}`. Raises `Misused` and `Unreachable`."""
    url, token = os.environ.get(GITHUB_URL, ""), os.environ.get(GITHUB_TOKEN, "")
    if not url or not token:
        raise Misused(f"{GITHUB_URL} is not set: give the job `permissions: {{id-token: write}}`")
    parts = urlsplit(url)
    here = loopback(parts.hostname or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise Misused(f"{GITHUB_URL} is not encrypted, and the runner's token may not cross it")
    joint = "&" if parts.query else "?"
    request = Request(f"{url}{joint}{urlencode({'audience': audience})}")  # noqa: S310 - http(s) alone
    request.add_header("Authorization", f"Bearer {token}")
    opener = build_opener(NoRedirect, *([ProxyHandler({})] if here else []))
    try:
        with opener.open(request, timeout=WITHIN) as answer:
            said = json.loads(answer.read(ANSWER_BYTES))
    except HTTPError as error:
        raise Unreachable(f"the runner hands out no token: HTTP {error.code}") from None
    except (URLError, OSError, ValueError) as error:
        raise Unreachable(f"the runner cannot be asked for a token: {error}") from None
    value = said.get("value") if isinstance(said, dict) else None
    if not isinstance(value, str):
        raise Unreachable("the runner answered without a token")
    return value
