"""How the gateway logs in at a target: as one and the same, or as a role that is made for each session."""

from __future__ import annotations

from gateway.model import Effect
from gateway.policy import tree
from gateway.policy.credentials import RoleTemplate, StoredCredential
from gateway.policy.reader import Look
from gateway.policy.secrets import secret
from gateway.policy.values import EFFECTS, given

LONGEST_VALID = 3_600.0
"""A role that may be logged in with for longer is no session's own."""


def credential(look: Look, *, makes_roles: bool) -> StoredCredential:
    keys = look.fields(("user", "password", "key", "token", "roles"))
    if not keys.keys() & {"user", "token"} and isinstance(look.node, tree.Mapping):
        look.fault_at_key("`user` is missing; say as whom the gateway logs in, or give it a `token`")
    if "roles" in keys and not makes_roles:
        keys["roles"].fault_at_key(
            "this protocol has no roles that could be made for a session; remove `roles`"
        )
    elif "roles" in keys and "user" not in keys:
        keys["roles"].fault_at_key("`user` is missing; say who makes the roles")
    return StoredCredential(
        user=given(keys, "user", Look.text, ""),
        password=given(keys, "password", secret, None),
        key=given(keys, "key", secret, None),
        token=given(keys, "token", secret, None),
        roles=given(keys, "roles", _roles, None),
    )


def _roles(look: Look) -> RoleTemplate:
    keys = look.fields(("schemas", "member_of", "owner", "valid"))
    own = RoleTemplate()
    if not keys.keys() & {"schemas", "member_of"} and isinstance(look.node, tree.Mapping):
        look.fault_at_key("such a role may do nothing; give it `schemas` or `member_of`")
    valid = given(keys, "valid", Look.duration, own.valid)
    if valid > LONGEST_VALID:
        keys["valid"].fault("nobody logs in for that long; an hour is the most")
    return RoleTemplate(
        schemas=given(keys, "schemas", lambda look: look.each(_identifier), ()),
        member_of=given(keys, "member_of", _member_of, {}),
        owner=given(keys, "owner", _identifier, ""),
        valid=valid,
    )


def _member_of(look: Look) -> dict[Effect, tuple[str, ...]]:
    found: dict[Effect, tuple[str, ...]] = {}
    for name, each in look.fields(EFFECTS).items():
        found[Effect(name)] = each.each(_identifier)
    if not found and isinstance(look.node, tree.Mapping) and not look.node.entries:
        look.fault("this says no roles; write it as in {read: orders_reader}")
    return found


def _identifier(look: Look) -> str:
    """A name at the target, as it is spelt there, without quotes; never one that everybody or the system has."""
    value = look.text()
    if "\0" in value or len(value.encode()) > 63:
        look.fault("no role or schema has such a name; it has at most 63 bytes")
        return ""
    if value.lower() == "public" and look.path.partition(".member_of")[1]:
        look.fault("everybody is a member of public; name another role")
        return ""
    return value
