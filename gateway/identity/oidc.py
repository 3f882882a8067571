"""OpenID Connect providers at which people log in: authorisation code with PKCE (RFC 7636) and a nonce.

The code is redeemed over the gateway's own connection, and the ID token is verified like any other issuer's
(`gateway.identity.foreign`). Claims that it leaves out are asked for at the provider's userinfo endpoint.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from gateway.identity import foreign
from gateway.identity.authorities import Authority
from gateway.identity.claimed import texts
from gateway.identity.fetching import Ask, Unavailable
from gateway.identity.foreign import ForeignRefused
from gateway.identity.logins import LoginRefused, Proven, Started, Wishes
from gateway.identity.people import PersonUnclear, person_of
from gateway.policy.credentials import SecretMissing, SecretRef
from gateway.policy.identities import OidcProvider

ID_TOKEN_AGE = 600.0
"""Seconds for which an ID token may have been on its way."""
ANSWER_CHARACTERS = 8_192

log = logging.getLogger(__name__)


class Oidc:
    """One provider of policies.yaml (`gateway.identity.logins.Provider`)."""

    def __init__(
        self,
        declared: OidcProvider,
        authority: Authority,
        *,
        base: str,
        clock: Callable[[], float],
        secret: Callable[[SecretRef], str],
    ) -> None:
        """`base` is the address of the gateway's pages; `secret(ref)` raises `SecretMissing`."""
        self._read = secret
        self.name = declared.name
        self._declared = declared
        self._authority = authority
        self._redirect = f"{base}/login/back/{declared.name}"
        self._clock = clock

    async def start(self, state: str, wishes: Wishes) -> Started:
        """RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1."""
        try:
            endpoint = await self._authority.endpoint("authorization_endpoint")
        except Unavailable as failure:
            raise self._silent(failure) from None
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": self._declared.client_id,
            "redirect_uri": self._redirect,
            "scope": " ".join(dict.fromkeys(("openid", *self._declared.scopes))),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        kept = {"nonce": nonce, "verifier": verifier}
        if wishes.max_age is not None:
            query["max_age"] = kept["max_age"] = f"{int(wishes.max_age)}"
        if wishes.acr:
            query["acr_values"] = wishes.acr
        joint = "&" if "?" in endpoint else "?"
        return Started(url=f"{endpoint}{joint}{urlencode(query)}", kept=kept)

    async def finish(self, values: Mapping[str, str], kept: Mapping[str, str]) -> Proven:
        if values.get("error"):
            log.info("%s refused a login: %s", self.name, values["error"][:200])
            raise LoginRefused(f"{self.name} did not log you in. You may begin again.")
        code = values.get("code", "")
        if not code or len(code) > ANSWER_CHARACTERS:
            raise LoginRefused(
                f"{self.name} sent you back without what shows who you are. Begin the login again."
            )
        try:
            await self._came_from_here(values)
            answer = await self._redeemed(code, kept["verifier"])
            claims = await self._id_token(answer.get("id_token"), kept)
            claims = await self._completed(claims, answer.get("access_token"))
        except Unavailable as failure:
            raise self._silent(failure) from None
        except ForeignRefused as refused:
            log.warning("what %s said of a login does not count: %s", self.name, refused)
            raise LoginRefused(
                f"What {self.name} says of you is not in order, so it does not count."
            ) from None
        return self._proven(claims)

    async def _came_from_here(self, values: Mapping[str, str]) -> None:
        """RFC 9207: a provider that says who it is with each answer is held to it."""
        metadata = await self._authority.metadata()
        told = values.get("iss")
        if told != self._declared.issuer and (
            told is not None or metadata.get("authorization_response_iss_parameter_supported") is True
        ):
            raise ForeignRefused("the answer came from another provider")

    async def _redeemed(self, code: str, verifier: str) -> Mapping[str, Any]:
        """RFC 6749 §4.1.3, authenticated as the provider says it understands."""
        declared = self._declared
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": declared.client_id,
            "code_verifier": verifier,
        }
        authorization = ""
        if declared.client_secret is not None:
            secret = self._secret()
            methods = (await self._authority.metadata()).get("token_endpoint_auth_methods_supported")
            if isinstance(methods, list) and "client_secret_basic" not in methods:
                form["client_secret"] = secret
            else:
                pair = f"{quote_plus(declared.client_id)}:{quote_plus(secret)}"
                authorization = "Basic " + base64.b64encode(pair.encode()).decode()
        url = await self._authority.endpoint("token_endpoint")
        answer = await self._authority.ask(
            Ask(url=url, ca=declared.ca, form=form, authorization=authorization, refusals=True)
        )
        if "error" in answer:
            # The provider's own word, which never repeats a secret.
            raise ForeignRefused(f"the code was not taken: {str(answer['error'])[:200]}")
        return answer

    def _secret(self) -> str:
        assert self._declared.client_secret is not None
        try:
            return self._read(self._declared.client_secret)
        except SecretMissing as missing:
            raise Unavailable(f"the client secret of {self.name} is not there: {missing}") from None

    async def _id_token(self, text: object, kept: Mapping[str, str]) -> Mapping[str, Any]:
        """OpenID Connect Core §3.1.3.7."""
        if not isinstance(text, str):
            raise ForeignRefused("there is no ID token")
        token = foreign.unverified(text)
        claims = foreign.verify(token, await self._authority.keys(token))
        client = self._declared.client_id
        foreign.check(
            claims,
            issuer=self._declared.issuer,
            audience=client,
            now=self._clock(),
            max_age=ID_TOKEN_AGE,
        )
        if claims.get("azp", client) != client or (
            isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims
        ):
            raise ForeignRefused("the ID token was issued to another client")
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not secrets.compare_digest(nonce.encode(), kept["nonce"].encode()):
            raise ForeignRefused("the ID token is of another login")
        if "max_age" in kept and "auth_time" not in claims:
            raise ForeignRefused("the ID token does not say when the person logged in")
        return claims

    async def _completed(self, claims: Mapping[str, Any], access_token: object) -> Mapping[str, Any]:
        """The claims, with what the ID token leaves out from the userinfo endpoint (OpenID Connect Core §5.3)."""
        wanted = {self._declared.person, self._declared.groups}
        if all(texts(claims, each) for each in wanted) or not isinstance(access_token, str):
            return claims
        if "userinfo_endpoint" not in await self._authority.metadata() or not access_token.isascii():
            return claims
        url = await self._authority.endpoint("userinfo_endpoint")
        said = await self._authority.ask(
            Ask(url=url, ca=self._declared.ca, authorization=f"Bearer {access_token}")
        )
        if said.get("sub") != claims["sub"]:
            raise ForeignRefused("the userinfo is of somebody else")
        # What is said of an address has to be said of the same one.
        person = self._declared.person
        if person in said and person in claims and said[person] != claims[person]:
            raise ForeignRefused("the userinfo names the person otherwise than the ID token")
        return {**said, **claims}

    def _proven(self, claims: Mapping[str, Any]) -> Proven:
        declared = self._declared
        verified = claims.get("email_verified", declared.verified)
        # Some providers write all claims as text.
        if declared.person == "email" and verified is not True and verified != "true":
            raise LoginRefused(
                f"{self.name} has not verified your e-mail address, so nobody knows that it is yours."
            )
        named = texts(claims, declared.person)
        try:
            person = person_of(named, declared.domains)
        except PersonUnclear as unclear:
            raise LoginRefused(f"{self.name} {unclear}") from None
        at, acr = claims.get("auth_time", claims["iat"]), claims.get("acr")
        if isinstance(at, bool) or not isinstance(at, int | float):
            raise LoginRefused(f"{self.name} does not say when you logged in.")
        return Proven(
            person=person,
            groups=frozenset(texts(claims, declared.groups)),
            provider=self.name,
            at=float(at),
            acr=acr if isinstance(acr, str) else "",
        )

    def _silent(self, failure: Unavailable) -> LoginRefused:
        log.warning("%s cannot be asked: %s", self.name, failure)
        return LoginRefused(f"{self.name} cannot be asked at the moment. Try again later.")
