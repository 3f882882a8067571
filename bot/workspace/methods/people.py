"""auth.*, users.*, usergroups.*, team.*, bots.*, apps.*: who is who."""

from __future__ import annotations

from bot.workspace.limits import Tier
from bot.workspace.methods.conversations import page
from bot.workspace.records import Json, Person
from bot.workspace.validate import Refused
from bot.workspace.webapi import Call, Method

ANYBODY = frozenset({"bot", "user", "app"})


def auth_test(call: Call) -> Json:
    team, app = call.workspace.seed.team, call.workspace.seed.app
    body: Json = {"url": f"{call.workspace.base_url}/", "team": team.name, "team_id": team.id}
    if call.token.kind == "app":
        return body | {"app_id": app.id, "app_name": app.name}
    body |= {"user": call.me.name, "user_id": call.me.id, "is_enterprise_install": False}
    return body | ({"bot_id": app.bot_id} if call.me.is_bot else {})


def connections_open(call: Call) -> Json:
    if call.delivery.request_url:
        raise Refused("socket_mode_not_enabled")
    base = call.workspace.base_url.replace("http", "ws", 1)
    return {
        "url": f"{base}/link/?ticket={call.delivery.sockets.ticket()}&app_id={call.workspace.seed.app.id}"
    }


def _shown(call: Call, person: Person) -> Json:
    return person.to_slack(call.workspace.seed.team.id, with_email="users:read.email" in call.token.scopes)


def users_info(call: Call) -> Json:
    return {"user": _shown(call, call.person())}


def users_list(call: Call) -> Json:
    everybody = [_shown(call, one) for one in call.workspace.people.values()]
    items, meta = page(call, everybody, default=1000, most=1000)
    return {"members": items, "cache_ts": int(call.workspace.clock()), **meta}


def lookup_by_email(call: Call) -> Json:
    email = call.needed("email").lower()
    found = next(
        (one for one in call.workspace.people.values() if one.email.lower() == email and email), None
    )
    if found is None or found.deleted:
        raise Refused("users_not_found")
    return {"user": _shown(call, found)}


def usergroups_list(call: Call) -> Json:
    groups = []
    for group in call.workspace.groups.values():
        body = group.to_slack(call.workspace.seed.team.id)
        if call.flag("include_users"):
            body["users"] = list(group.users)
        if not call.flag("include_count"):
            del body["user_count"]
        groups.append(body)
    return {"usergroups": groups}


def usergroup_users(call: Call) -> Json:
    group = call.workspace.groups.get(call.needed("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": list(group.users)}


def team_info(call: Call) -> Json:
    team = call.workspace.seed.team
    return {"team": {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {}}}


def bots_info(call: Call) -> Json:
    app = call.workspace.seed.app
    if call.string("bot", default=app.bot_id) != app.bot_id:
        raise Refused("bot_not_found")
    bot = {"id": app.bot_id, "app_id": app.id, "name": app.name, "user_id": app.bot_user_id}
    return {"bot": {**bot, "deleted": False, "updated": 0, "icons": {}}}


METHODS = (
    Method(name="auth.test", run=auth_test, tier=Tier.T4, kinds=ANYBODY),
    Method(
        name="apps.connections.open",
        run=connections_open,
        tier=Tier.T3,
        scope="connections:write",
        kinds=frozenset({"app"}),
    ),
    Method(name="users.info", run=users_info, tier=Tier.T4, scope="users:read"),
    Method(name="users.list", run=users_list, tier=Tier.T2, scope="users:read"),
    Method(name="users.lookupByEmail", run=lookup_by_email, tier=Tier.T3, scope="users:read.email"),
    Method(name="usergroups.list", run=usergroups_list, tier=Tier.T2, scope="usergroups:read"),
    Method(name="usergroups.users.list", run=usergroup_users, tier=Tier.T2, scope="usergroups:read"),
    Method(name="team.info", run=team_info, tier=Tier.T3, scope="team:read"),
    Method(name="bots.info", run=bots_info, tier=Tier.T3, scope="users:read"),
)
