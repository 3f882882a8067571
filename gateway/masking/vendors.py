"""Keys and tokens that services hand out, by the marks their makers put on them.

Lengths are lower bounds, and a token is hidden to its end however long it is: makers lengthen their tokens
without telling anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.masking.shapes import Shape, Span, word

_REST = re.compile(rb"[A-Za-z0-9_-]{0,4096}")
_REST_BASE64 = re.compile(rb"[A-Za-z0-9+/=_-]{0,4096}")
_REST_DOTTED = re.compile(rb"[A-Za-z0-9_.~-]{0,4096}")


def _to_end(rest: re.Pattern[bytes], data: bytes, start: int, end: int) -> Span:
    match = rest.match(data, end)
    assert match is not None
    return start, match.end()


def _token(pattern: bytes, rest: re.Pattern[bytes] = _REST) -> Shape:
    return word(pattern, lambda data, start, end: _to_end(rest, data, start, end))


def _valued(pattern: bytes, rest: re.Pattern[bytes]) -> Shape:
    """A value behind a name that its maker fixed (`AccountKey=...`): the name stays."""

    def value(data: bytes, start: int, end: int) -> Span:
        start = data.index(b"=", start, end) + 1
        return _to_end(rest, data, start, end)

    return word(pattern, value)


# Where the mark stands inside a token, the scan looks for the mark, and the token's beginning is found from there.


def _client_secret(data: bytes, start: int, end: int) -> Span | None:
    """Microsoft Entra ID: three signs stand before the mark."""
    first = start - 3
    if first < 0 or re.fullmatch(rb"[A-Za-z0-9_~.]{3}", data[first:start]) is None:
        return None
    return _to_end(re.compile(rb"[A-Za-z0-9_~.-]{0,64}"), data, first, end)


def _telegram(data: bytes, start: int, end: int) -> Span | None:
    """The number before the colon is the bot's public id."""
    known = re.search(rb"(?<![0-9A-Za-z])[0-9]{8,10}\Z", data[max(0, start - 11) : start]) is not None
    return (start + 1, end) if known else None


def _terraform(data: bytes, start: int, end: int) -> Span | None:
    first = start - 14
    if first < 0 or not data[first:start].isalnum():
        return None
    return _to_end(_REST_BASE64, data, first, end)


VENDORS: Mapping[str, tuple[Shape, ...]] = {
    "aws_key": (
        word(rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
        _token(rb"(?:bedrock-api-key-|ABSK)[A-Za-z0-9+/=]{40}", _REST_BASE64),
    ),
    "gcp_key": (
        _token(rb"AIza[A-Za-z0-9_-]{30}"),
        _token(rb"ya29\.[A-Za-z0-9_-]{20}", _REST_DOTTED),
        _token(rb"GOCSPX-[A-Za-z0-9_-]{20}"),
        _token(rb"1//0[A-Za-z0-9_-]{30}"),
    ),
    "azure_key": (
        _valued(
            rb"(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[A-Za-z0-9+/%]{20}",
            re.compile(rb"[A-Za-z0-9+/=%]{0,512}"),
        ),
        _valued(rb"sig=[A-Za-z0-9+/%]{40}", re.compile(rb"[A-Za-z0-9+/=%]{0,512}")),
        Shape(pattern=rb"[0-9]Q~[A-Za-z0-9_~.-]{31}", check=_client_secret),
    ),
    "github_token": (_token(rb"gh[pousr]_[A-Za-z0-9]{30}"), _token(rb"github_pat_[A-Za-z0-9_]{30}")),
    "gitlab_token": (
        _token(rb"gl(?:pat|ptt|dt|rt|rtr|cbt|ft|soat|agent|imt|oas|ffct)-[A-Za-z0-9_-]{16}", _REST_DOTTED),
    ),
    "slack_token": (
        _token(rb"xox[a-z]-[A-Za-z0-9-]{10}"),
        _token(rb"xox[a-z]\.xox[a-z]-[A-Za-z0-9-]{10}"),
        _token(rb"xapp-[0-9]-[A-Za-z0-9-]{10}"),
        word(
            rb"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9_/]{20}",
            lambda data, start, end: (
                data.index(b"/", data.index(b"/", start) + 1) + 1,
                _to_end(re.compile(rb"[A-Za-z0-9_/]{0,128}"), data, start, end)[1],
            ),
        ),
    ),
    "stripe_key": (
        _token(rb"[rs]k_(?:live|test)_[A-Za-z0-9]{10}"),
        _token(rb"whsec_[A-Za-z0-9+/=]{20}", _REST_BASE64),
    ),
    "anthropic_key": (_token(rb"sk-ant-[A-Za-z0-9_-]{20}"),),
    "openai_key": (
        _token(rb"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20}"),
        _token(rb"sk-[A-Za-z0-9]{32}"),
        _token(rb"sk-[A-Za-z0-9_-]{4,80}T3BlbkFJ[A-Za-z0-9_-]{10}"),
    ),
    "npm_token": (_token(rb"npm_[A-Za-z0-9]{30}"),),
    "pypi_token": (_token(rb"pypi-[A-Za-z0-9_-]{16}"),),
    "vendor_key": (
        _token(rb"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}"),  # SendGrid
        word(rb"SK[0-9a-f]{32}\b"),  # Twilio
        word(rb"key-[0-9a-f]{32}\b"),  # Mailgun
        _token(rb"do[opr]_v1_[a-f0-9]{40}"),  # DigitalOcean
        _token(rb"shp(?:at|ca|pa|ss|tka)_[A-Fa-f0-9]{32}"),  # Shopify
        _token(rb"hf_[A-Za-z0-9]{30}"),  # Hugging Face
        _token(rb"dapi[a-f0-9]{32}"),  # Databricks
        _token(rb"hv[sbr]\.[A-Za-z0-9_-]{20}"),  # Vault
        Shape(pattern=rb":AA[A-Za-z0-9_-]{33}", check=_telegram),
        _token(rb"lin_api_[A-Za-z0-9]{20}"),  # Linear
        _token(rb"ntn_[A-Za-z0-9]{40}"),  # Notion
        _token(rb"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{20}"),  # Square
        _token(rb"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{20}", _REST_DOTTED),  # Doppler
        _token(rb"glsa_[A-Za-z0-9]{20}"),  # Grafana
        _token(rb"PMAK-[A-Za-z0-9-]{40}"),  # Postman
        _token(rb"ATATT3[A-Za-z0-9_=-]{40}", _REST_BASE64),  # Atlassian
        _token(rb"AGE-SECRET-KEY-1[A-Z0-9]{50}"),  # age
        _token(rb"dckr_[a-z]{2,4}_[A-Za-z0-9_-]{20}"),  # Docker
        _token(rb"sb[pt]_[A-Za-z0-9]{30}"),  # Supabase
        _token(rb"NRAK-[A-Z0-9]{20}"),  # New Relic
        _token(rb"pul-[a-f0-9]{40}"),  # Pulumi
        _token(rb"rubygems_[a-f0-9]{40}"),
        Shape(pattern=rb"\.atlasv1\.[A-Za-z0-9_=-]{40}", check=_terraform),
        _token(rb"pplx-[A-Za-z0-9]{32}"),
        _token(rb"gsk_[A-Za-z0-9]{32}"),
        _token(rb"xai-[A-Za-z0-9]{40}"),
        _token(rb"r8_[A-Za-z0-9]{30}"),  # Replicate
        _token(rb"tskey-[a-z]{3,8}-[A-Za-z0-9-]{16}"),  # Tailscale
        _token(rb"EAA[A-Za-z0-9]{80}"),  # Meta
        _token(rb"AQ[A-Za-z0-9_-]{80}"),  # LinkedIn
    ),
}
