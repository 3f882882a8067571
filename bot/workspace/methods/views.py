"""views.*: modals and the Home tab."""

from __future__ import annotations

from bot.workspace.blockkit import Surface
from bot.workspace.limits import Tier
from bot.workspace.payloads import view_json
from bot.workspace.records import Json, View
from bot.workspace.tickets import TicketError, Trigger
from bot.workspace.validate import Refused, check_view
from bot.workspace.webapi import Call, Method, invalid


def _body(call: Call, surface: Surface) -> Json:
    view = call.structure("view", broken="invalid_arguments")
    if view is None:
        raise invalid("missing required field: view")
    return check_view(view, surface)


def _trigger(call: Call) -> Trigger:
    name = call.string("trigger_id") or call.string("interactivity_pointer")
    if not name:
        raise invalid("missing required field: trigger_id")
    try:
        return call.workspace.tickets.redeem_trigger(name)
    except TicketError as error:
        raise Refused(error.code) from None


def _shown(call: Call, view: View) -> Json:
    return {"view": view_json(call.workspace, view)}


def open_(call: Call) -> Json:
    # The view is checked first: a rejected view does not use up the trigger.
    body = _body(call, Surface.MODAL)
    trigger = _trigger(call)
    return _shown(call, call.workspace.modals.open(trigger.user, body))


def push(call: Call) -> Json:
    body = _body(call, Surface.MODAL)
    trigger = _trigger(call)
    if not trigger.from_view or not call.workspace.modals.stack(trigger.user):
        raise Refused("invalid_trigger_id")
    return _shown(call, call.workspace.modals.push(trigger.user, body))


def update(call: Call) -> Json:
    modals = call.workspace.modals
    view_id, external_id = call.string("view_id"), call.string("external_id")
    if bool(view_id) == bool(external_id):
        raise invalid("give one of view_id and external_id")
    view = modals.find(view_id) if view_id else modals.by_external_id(external_id)
    if view is None:
        raise Refused("not_found")
    body = _body(call, Surface.HOME if view.kind == "home" else Surface.MODAL)
    modals.update(view, body, expected_hash=call.string("hash"))
    return _shown(call, view)


def publish(call: Call) -> Json:
    person = call.workspace.people.get(call.needed("user_id"))
    if person is None or person.is_bot:
        raise invalid("user_id is nobody")
    if person.deleted:
        raise Refused("not_enabled")
    body = _body(call, Surface.HOME)
    return _shown(call, call.workspace.modals.publish(person.id, body, expected_hash=call.string("hash")))


BOT = frozenset({"bot"})
METHODS = (
    Method(name="views.open", run=open_, tier=Tier.T4, kinds=BOT),
    Method(name="views.push", run=push, tier=Tier.T4, kinds=BOT),
    Method(name="views.update", run=update, tier=Tier.T4, kinds=BOT),
    Method(name="views.publish", run=publish, tier=Tier.T4, kinds=BOT),
)
