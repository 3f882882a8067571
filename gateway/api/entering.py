"""How a person gets in by hand: a link that opens once, for minutes, and shows the credential once.

`GET /access/CODE` only asks whether to open it, so that whoever looks at links before people do (previews, scanners)
spends nothing; the button posts. What is shown may be kept by nobody between here and the person's eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from urllib.parse import urlsplit

from aiohttp import web

from gateway.api.access import CALLER, Caller, Forbidden
from gateway.api.answers import BadRequest, answer, body
from gateway.api.asking import ASKING, Askers, live_grant, person_in
from gateway.api.forms import refuse_cleartext
from gateway.api.login import page
from gateway.api.login_style import STYLE
from gateway.approvals import NotEligible, NotFound
from gateway.approvals.electorate import same
from gateway.contract import AccessView, CredentialView, RevokeRequest
from gateway.elevations import Grant, Grants
from gateway.elevations.access import Access, CodeUnknown
from gateway.elevations.showing import grant_view
from gateway.identity.minted import Credential
from gateway.identity.tokens import TokenRefused
from gateway.policy.model import Policy
from gateway.protocols import served
from gateway.store import Store

PATH = "/access"
_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on
GONE = "This link was opened before, or its time is over. Ask for another where you found it."


class Entering:
    """Handlers over one-time codes."""

    def __init__(
        self,
        access: Access,
        grants: Grants,
        *,
        addresses: Callable[[], Mapping[str, str]],
        policy: Callable[[], Policy],
        store: Store,
        askers: Askers,
    ) -> None:
        """`addresses()` says where each connection listens."""
        self._access = access
        self._grants = grants
        self._addresses = addresses
        self._policy = policy
        self._store = store
        self._askers = askers

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/grants/{id}/access", self._askers.too(self.begin)),
            web.post("/v1/access/{code}", self.spend),
            web.get(PATH + "/{code}", self.ask),
            web.post(PATH + "/{code}", self.show),
        ]

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/grants/{id}/access`: a new code, for the person whose own grant it is."""
        wish = await body(request, RevokeRequest)
        if ASKING not in request and request[CALLER] is not Caller.BOT:
            raise Forbidden(
                "only the person it was granted to may use it: after `countersign login`, or in Slack"
            )
        person = person_in(request, wish.person)
        grant = live_grant(request, self._grants)
        if not same(person, grant.person):
            raise NotEligible("only the person it was granted to may use it")
        if not grant.by_hand:
            raise NotEligible(f"{grant.agent} has its own credential, and needs no other")
        code = self._access.code(grant)
        base = self._policy().api.public_url.rstrip("/")
        address, line = self._way(request, grant, user="USER")
        return answer(
            AccessView(
                grant=grant_view(grant),
                code=code.text,
                link=f"{base}{PATH}/{code.text}" if base else "",
                expires_at=code.expires_at,
                address=address,
                line=line,
            )
        )

    async def spend(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/access/{code}`: the credential, once; the code is all that is asked for."""
        _only_over_tls(request)
        grant, credential = await self._spent(request)
        address, line = self._way(request, grant, user=credential.user)
        return answer(
            CredentialView(
                grant=grant_view(grant),
                user=credential.user,
                password=credential.password,
                expires_at=credential.expires_at,
                address=address,
                line=line,
            )
        )

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """The same page for every code, good or not."""
        del request
        return _page(
            "Your credential",
            "<section><p>What is behind this link is shown <b>once</b>. Have your terminal ready.</p>"
            "<form method='post'><button>Show it</button></form></section>",
        )

    async def show(self, request: web.Request) -> web.StreamResponse:
        try:
            _only_over_tls(request)
            grant, credential = await self._spent(request)
        except NotFound as gone:
            return _page("Nothing here", f"<section><p>{escape(str(gone))}</p></section>", status=404)
        address, line = self._way(request, grant, user=credential.user)
        rows = {
            "Connection": f"{grant.connection} at {address}",
            "User": credential.user,
            "Password": credential.password,
            "Command": self._ready(request, grant, credential),
            "Without the password": line,
        }
        listed = "".join(
            f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>" for name, value in rows.items()
        )
        return _page(
            "Your credential",
            f"<section><dl>{listed}</dl></section><p class='empty'>It ends with the grant, "
            f"{round((grant.ends_at - grant.starts_at) / 60)} minutes after that began, and nobody can show it again.</p>",
        )

    async def _spent(self, request: web.Request) -> tuple[Grant, Credential]:
        try:
            found = self._access.spend(request.match_info["code"])
        except (CodeUnknown, TokenRefused):
            raise NotFound(GONE) from None
        await self._store.commit()
        return found

    def _way(self, request: web.Request, grant: Grant, *, user: str) -> tuple[str, str]:
        """Address, and what to type, without the secret."""
        host, port, database, protocol = self._reach(request, grant)
        tls = self._policy().tls is not None
        line = served(protocol).client_line(
            host=host, port=port, database=database, user=user, asks=True, tls=tls
        )
        return f"{f'[{host}]' if ':' in host else host}:{port}", line

    def _ready(self, request: web.Request, grant: Grant, credential: Credential) -> str:
        """The same with the secret before it, where the usual client takes it."""
        host, port, database, protocol = self._reach(request, grant)
        module, tls = served(protocol), self._policy().tls is not None
        variables = module.environment(
            host=host, port=port, database=database, user=credential.user, secret=credential.password, tls=tls
        )
        secrets = [f"{name}={value}" for name, value in variables.items() if value == credential.password]
        line = module.client_line(host=host, port=port, database=database, user=credential.user, tls=tls)
        return " ".join([*secrets, line])

    def _reach(self, request: web.Request, grant: Grant) -> tuple[str, int, str, str]:
        policy = self._policy()
        target = policy.targets[grant.connection]
        listens = self._addresses().get(grant.connection, str(target.listen))
        host, _, port = listens.rpartition(":")
        host = host.strip("[]")
        if host in _ANYWHERE:
            # Wherever it listens, this is an address that the person has just reached it by.
            host = urlsplit(policy.api.public_url).hostname or request.url.host or "127.0.0.1"
        return host, int(port), target.upstream.database, target.connection.protocol


def _only_over_tls(request: web.Request) -> None:
    try:
        refuse_cleartext(request)
    except TokenRefused as refused:
        raise BadRequest(refused.message) from None


def _page(title: str, content: str, *, status: int = 200) -> web.Response:
    """A page without script, of which nothing is kept."""
    return page(
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{escape(title)} · Countersign</title><style>{STYLE}</style></head><body><main class='login'>"
        f"<p class='brand'>Countersign<span> · elevation</span></p><header><h1>{escape(title)}</h1></header>"
        f"{content}</main></body></html>\n",
        status=status,
    )
