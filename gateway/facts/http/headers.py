"""What headers may say: what servers would read differently, and what the gateway does not pass on."""

from __future__ import annotations

import re

HEADERS_MOST = 200
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,18}")
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

Headers = tuple[tuple[str, str], ...]

_OF_THIS_HOP = "connection keep-alive proxy-connection te trailer transfer-encoding upgrade http2-settings"
HOP_BY_HOP = frozenset(_OF_THIS_HOP.split())
"""RFC 9110 §7.6.1: they speak of this hop alone."""
_WHO_ASKS = """
    authorization cookie forwarded via
    x-api-key api-key apikey x-apikey x-auth-token x-access-token x-token private-token job-token x-vault-token x-consul-token
    x-goog-api-key x-functions-key x-amz-security-token ocp-apim-subscription-key
    x-real-ip x-client-ip true-client-ip cf-connecting-ip fastly-client-ip x-cluster-client-ip x-original-forwarded-for
    x-envoy-external-address
    x-user x-user-id x-userid x-username x-email x-groups x-roles x-userinfo x-ms-client-principal
    x-host x-original-host x-http-host-override
    x-auth x-auth-email x-auth-user x-auth-key dpop x-countersign
"""
OURS = frozenset(_WHO_ASKS.split())
"""Who asks, from where and with which credential is the gateway's to say."""
OUR_PREFIXES = tuple(
    f"{each}-"
    for each in [
        "proxy",
        "x-forwarded",
        "x-remote",
        "remote",
        "impersonate",
        "x-auth-request",
        "x-authenticated",
        "x-webauth",
        "x-consumer",
        "x-credential",
        "x-goog-authenticated-user",
        "x-goog-iap",
        "x-ms-client-principal",
        "x-amzn-oidc",
        "x-ssl",
        "ssl-client",
        "x-client-cert",
        "x-countersign",
    ]
)
_CREDENTIAL = re.compile(
    r".*(?:token|jwt|password|passwd|secret|api-?keys?|(?:access|auth|app|application|account|subscription|functions|service)-key)"
)
_NO_CREDENTIAL = re.compile(
    r".*(?:csrf|xsrf|continuation|page|cursor|sync|consistency|cancel|idempotency)-?(?:token|key)"
)
"""Marks against forgery and places in a list: they open nothing by themselves."""
_REWRITING = frozenset(
    {
        "x-original-url",
        "x-rewrite-url",
        "x-original-method",
        "x-original-uri",
        "x-override-url",
        "x-original-path",
        "x-envoy-original-path",
    }
)
"""Some servers take these for the request itself."""
OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Some servers take these for the method."""
_FRAMING = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "authorization",
        "cookie",
    }
)
"""What `Connection` may not name: it would be dropped on the way."""
_ONCE = frozenset({"host", "content-length", "content-type", "content-encoding", "transfer-encoding"})


def is_token(text: str) -> bool:
    """RFC 9110 §5.6.2."""
    return _TOKEN.fullmatch(text) is not None


def is_length(text: str, data: bytes) -> bool:
    """Whether a Content-Length is written as everybody reads it, and is that of `data`."""
    return _LENGTH.fullmatch(text) is not None and int(text) == len(data)


def fault(headers: Headers, body: bytes) -> str:
    """Why servers might read these headers differently, or "". Names are in lower case."""
    if len(headers) > HEADERS_MOST:
        return f"there are more than {HEADERS_MOST} headers"
    names = [name for name, _ in headers]
    for name, value in headers:
        if not is_token(name):
            return "the name of a header is no token"
        if not value.isprintable() and not _VALUE.fullmatch(value):
            return f"the header {name} holds a control character"
        if name in _REWRITING:
            return f"{name} may stand for another target"
        if "_" in name and name.replace("_", "-") in _ONCE | _REWRITING | OVERRIDES:
            return "a header is spelled with _ where some servers read -"
    for name in _ONCE:
        if names.count(name) > 1:
            return f"{name} stands there twice"
    values = dict(headers)
    if "host" in values and not _HOST.fullmatch(values["host"]):
        return "Host is no host"
    if "transfer-encoding" in values and (
        "content-length" in values or values["transfer-encoding"].lower() != "chunked"
    ):
        return "Transfer-Encoding stands beside Content-Length, or is not just chunked"
    if "content-length" in values and not is_length(values["content-length"], body):
        return "the body is not as long as Content-Length says"
    if _named(headers) & (_FRAMING | OVERRIDES):
        return "Connection names a header that must not be dropped"
    return ""


def _named(headers: Headers) -> set[str]:
    """What `Connection` names: it ends at this hop."""
    return {
        word.strip().lower() for name, value in headers if name == "connection" for word in value.split(",")
    }


def sanitised(headers: Headers) -> tuple[str, ...]:
    """Names of the headers that the gateway does not pass on."""
    named = _named(headers)
    found: dict[str, None] = {}
    for name, value in headers:
        plain = name.replace("_", "-")
        of_this_hop = name in HOP_BY_HOP and (name, value.lower()) != ("te", "trailers")
        if of_this_hop or name in named or _says_who_asks(plain):
            found[name] = None
    return tuple(found)


def _says_who_asks(name: str) -> bool:
    if name in OURS or name.startswith(OUR_PREFIXES):
        return True
    return _CREDENTIAL.fullmatch(name) is not None and _NO_CREDENTIAL.fullmatch(name) is None
