"""A token as `countersign token inspect` reads it: what it says, who signed it, and its lineage as a tree.

A token that is inspected may be anybody's forgery, so nothing in it is trusted, and its texts are shown with control
characters escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt

from gateway.commands.token_client import readable
from gateway.identity import scopes
from gateway.identity.keys import ALGORITHM, TOKEN_CHARACTERS, public_key

_JWS = jwt.PyJWS(algorithms=[ALGORITHM])


class TokenUnreadable(Exception):
    """Not a token at all."""


def decode(token: str) -> dict[str, Any]:
    """What a token says of itself, unverified. Raises `TokenUnreadable`."""
    if len(token) > TOKEN_CHARACTERS:
        raise TokenUnreadable("this is too long to be a token")
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise TokenUnreadable(
            "this is not a token: it should be three parts with dots between them"
        ) from None
    return claims


def check(token: str, jwks: Mapping[str, Any]) -> str:
    """`good` where one of the published keys has signed it, otherwise `bad`."""
    for jwk in jwks.get("keys", []):
        try:
            _JWS.decode(token, public_key(jwk), algorithms=[ALGORITHM])
        except (jwt.InvalidTokenError, ValueError, KeyError, TypeError):
            continue
        return "good"
    return "bad"


def tree(claims: Mapping[str, Any]) -> str:
    """The lineage as a tree, the scope, and the token's id."""
    lines = [readable(str(claims.get("person") or "nobody in particular"))]
    chain = claims.get("lineage")
    links = [link for link in chain if isinstance(link, Mapping)] if isinstance(chain, list) else []
    for depth, link in enumerate(links):
        name, token_id, task = (readable(str(link.get(key, ""))) for key in ("name", "jti", "task"))
        lines.append(f"{'   ' * depth}└─ {name}  {token_id}" + (f"  “{task}”" if task else ""))
    try:
        scope = scopes.text(scopes.from_details(claims.get("authorization_details")))
    except scopes.ScopeMalformed:
        scope = "unreadable"
    lines.append(f"scope      {scope}")
    match claims.get("cnf"):
        case {"jkt": str(key)}:
            lines.append(f"bound to   the key {readable(key)}")
    lines.append(f"depth      {readable(str(claims.get('depth_left')))} more below")
    return "\n".join(lines)
