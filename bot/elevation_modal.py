"""The modal in which a person asks for more: what policy offers this person, and no more. Pure, both ways.

Which fields there are hangs on the offer that is chosen, so choosing draws it again; what is read at the end is held
against the offers of that moment, and decided by the gateway from its own policy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks import Block, Element, bold, code, lines, quiet, rich, text
from bot.card_ids import ELEVATE_OFFER, ELEVATE_VIEW, ModalState
from bot.elevations import budget, lasting, offer_line
from bot.modals import LONGEST_REASON, View, modal, note, option, plain
from bot.safe_text import inline
from gateway.contract import ElevationRequest, OfferView

TITLE = "Ask for more"
HAND = "by-hand"
OFFERS = 100
"""Options of one list; Slack shows no more."""
TICKET = 100
TIMES = (300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)
USUAL = 1_800.0

OFFER_BLOCK, WHOM_BLOCK, EFFECTS_BLOCK, TIME_BLOCK, COMMANDS_BLOCK, ROWS_BLOCK, TICKET_BLOCK, WHY_BLOCK = (
    f"countersign.elevate.{name}"
    for name in ("offer", "whom", "effects", "time", "commands", "rows", "ticket", "why")
)
OF_OFFER: Mapping[str, str] = {
    "agent": WHOM_BLOCK,
    "effects": EFFECTS_BLOCK,
    "seconds": TIME_BLOCK,
    "commands": COMMANDS_BLOCK,
    "rows": ROWS_BLOCK,
}
"""Fields of a request whose blocks are another offer's once another is chosen."""
WHOM, EFFECTS, TIME, COMMANDS, ROWS, TICKET_INPUT, WHY = (
    f"countersign.elevate_{name}" for name in ("whom", "effects", "time", "commands", "rows", "ticket", "why")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What the modal begins with, where it was opened from something that was refused or goes on."""

    connection: str = ""
    effects: tuple[str, ...] = ()
    token_id: str = ""
    """The agent's; "" for by hand."""
    template: str = ""

    def best(self, offers: Sequence[OfferView]) -> OfferView:
        """The offer that fits most of it; one that breaks the glass never by itself."""

        def fit(offer: OfferView) -> tuple[bool, ...]:
            return (
                bool(self.template) and offer.template == self.template,
                not offer.break_glass,
                bool(self.connection) and offer.connection == self.connection,
                bool(self.token_id) and self.token_id in {each.token_id for each in offer.holders},
                bool(self.effects) and set(self.effects) <= set(offer.effects),
            )

        return max(offers, key=fit)


def key_of(offer: OfferView) -> str:
    """An offer as the value of an option: names may be longer than Slack lets a value be."""
    return hashlib.sha256(f"{offer.template}\0{offer.connection}".encode()).hexdigest()[:16]


def form(offers: Sequence[OfferView], chosen: OfferView, state: ModalState, meant: Meant) -> View:
    """The form for one offer among those that there are."""
    key = key_of(chosen)
    options = [option(offer_line(offer), key_of(offer)) for offer in offers]
    offered = _select(ELEVATE_OFFER, options, key)
    blocks: list[Block] = [
        _input(OFFER_BLOCK, "What for", offered, dispatch=True),
        rich(lines(_about(chosen))),
        _input(f"{WHOM_BLOCK}:{key}", "For whom", _whom(chosen, meant)),
        _input(f"{EFFECTS_BLOCK}:{key}", "What should no longer be held", _effects(chosen, meant)),
        _input(f"{TIME_BLOCK}:{key}", "How long", _times(chosen)),
        _input(
            f"{COMMANDS_BLOCK}:{key}",
            "Budget in commands",
            _number(COMMANDS, chosen.commands),
            optional=True,
            hint=f"At most {chosen.commands:,}; empty for all of them.",
        ),
        _input(
            f"{ROWS_BLOCK}:{key}",
            "Budget in rows",
            _number(ROWS, chosen.rows or 1_000_000_000),
            optional=True,
            hint=f"At most {chosen.rows:,}."
            if chosen.rows
            else "Rows that come back or are changed; empty for no limit.",
        ),
        _input(TICKET_BLOCK, "Ticket", _line(TICKET_INPUT, TICKET), optional=not chosen.ticket),
        _input(
            WHY_BLOCK,
            "Why",
            _line(WHY, LONGEST_REASON, multiline=True),
            hint="Approvers read it, and it is kept.",
        ),
    ]
    submit = "Break the glass" if chosen.break_glass else "Ask"
    return modal(TITLE, blocks, callback_id=ELEVATE_VIEW, submit=submit, state=state)


def nothing(person: str) -> View:
    return note(TITLE, f"policies.yaml offers {inline(person)} no elevation now.")


def chosen_of(view: Mapping[str, Any], offers: Sequence[OfferView]) -> OfferView | None:
    """The offer that is chosen in the form, if it is offered still."""
    key = _key(view)
    return next((offer for offer in offers if key_of(offer) == key), None)


def so_far(view: Mapping[str, Any]) -> Meant:
    """Whom and what a form speaks of before another offer is chosen: kept as far as that has it, too."""
    whom, effects = "", tuple[str, ...]()
    for block_id, held in ((view.get("state") or {}).get("values") or {}).items():
        if block_id.startswith(WHOM_BLOCK):
            whom = str(((held.get(WHOM) or {}).get("selected_option") or {}).get("value") or "")
        elif block_id.startswith(EFFECTS_BLOCK):
            chosen = (held.get(EFFECTS) or {}).get("selected_options") or []
            effects = tuple(str(each.get("value")) for each in chosen)
    return Meant(token_id="" if whom == HAND else whom, effects=effects)


def read(
    view: Mapping[str, Any], offer: OfferView, *, person: str, groups: tuple[str, ...], extends: str
) -> ElevationRequest:
    """The request that a submitted form makes; what is missing is for the gateway to refuse."""
    key = key_of(offer)
    whom = str((_held(view, f"{WHOM_BLOCK}:{key}", WHOM).get("selected_option") or {}).get("value") or "")
    effects = _held(view, f"{EFFECTS_BLOCK}:{key}", EFFECTS).get("selected_options") or []
    time = (_held(view, f"{TIME_BLOCK}:{key}", TIME).get("selected_option") or {}).get("value") or "0"
    return ElevationRequest(
        connection=offer.connection,
        effects=tuple(str(each.get("value")) for each in effects),
        seconds=float(time),
        commands=_whole(_held(view, f"{COMMANDS_BLOCK}:{key}", COMMANDS)),
        rows=_whole(_held(view, f"{ROWS_BLOCK}:{key}", ROWS)),
        reason=str(_held(view, WHY_BLOCK, WHY).get("value") or "").strip(),
        ticket=str(_held(view, TICKET_BLOCK, TICKET_INPUT).get("value") or "").strip(),
        template=offer.template,
        person=person,
        agent="" if whom == HAND else whom,
        groups=groups,
        extends=extends,
    )


def errors(view: Mapping[str, Any], field: str, sentence: str) -> Mapping[str, str]:
    """What is wrong, at the block of the form that a field of the request is read from."""
    if field in OF_OFFER:
        return {f"{OF_OFFER[field]}:{_key(view)}": sentence}
    return {{"ticket": TICKET_BLOCK, "reason": WHY_BLOCK}.get(field, OFFER_BLOCK): sentence}


def _about(offer: OfferView) -> list[list[Element]]:
    asked = " and ".join(f"{ask.quorum} of {inline(ask.approvers, limit=40)}" for ask in offer.asks)
    rows: list[list[Element]] = []
    if offer.break_glass:
        rows.append([bold("🚨 At once, and loud. "), text("Two others look at it afterwards.")])
    elif asked:
        rows.append([text("Decided by "), bold(asked)])
    rows.append([text(f"At most {lasting(offer.longest)}, {budget(offer.commands, offer.rows)}.")])
    if offer.resources:
        rows.append([text("Only for "), code(inline(", ".join(offer.resources), limit=200))])
    if offer.message:
        rows.append([quiet(inline(offer.message, limit=300))])
    return rows


def _whom(offer: OfferView, meant: Meant) -> Element:
    options = [option("Me, by hand", HAND)] if offer.by_hand else []
    twice = {
        each.name for each in offer.holders if sum(other.name == each.name for other in offer.holders) > 1
    }
    for holder in offer.holders:
        own = f" ({holder.token_id[:6]})" if holder.name in twice else ""
        options.append(option(f"{inline(holder.name, limit=40)}{own} and what it starts", holder.token_id))
    values = [str(each["value"]) for each in options]
    return _select(WHOM, options, meant.token_id if meant.token_id in values else values[0])


def _effects(offer: OfferView, meant: Meant) -> Element:
    options = [option(effect, effect) for effect in offer.effects]
    wanted = [each for each in options if each["value"] in meant.effects] or options
    return {"type": "checkboxes", "action_id": EFFECTS, "options": options, "initial_options": wanted}


def _times(offer: OfferView) -> Element:
    times = [each for each in TIMES if each < offer.longest] + [int(offer.longest)]
    usual = max((each for each in times if each <= USUAL), default=times[0])
    return _select(TIME, [option(lasting(each), f"{each}") for each in times], f"{usual}")


def _select(action_id: str, options: Sequence[Element], initial: str) -> Element:
    first = next(each for each in options if each["value"] == initial)
    shown = list(options[:OFFERS])
    if first not in shown:
        shown[-1] = first  # what is chosen is always one of those that there are to choose
    return {
        "type": "static_select",
        "action_id": action_id,
        "options": shown,
        "initial_option": first,
    }


def _number(action_id: str, most: int) -> Element:
    return {
        "type": "number_input",
        "action_id": action_id,
        "is_decimal_allowed": False,
        "min_value": "1",
        "max_value": f"{most}",
    }


def _line(action_id: str, most: int, *, multiline: bool = False) -> Element:
    return {
        "type": "plain_text_input",
        "action_id": action_id,
        "multiline": multiline,
        "max_length": most,
    }


def _input(
    block_id: str,
    label: str,
    element: Element,
    *,
    optional: bool = False,
    dispatch: bool = False,
    hint: str = "",
) -> Block:
    made: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element,
        "optional": optional,
        "dispatch_action": dispatch,
    }
    return made | ({"hint": plain(hint)} if hint else {})


def _key(view: Mapping[str, Any]) -> str:
    return str((_held(view, OFFER_BLOCK, ELEVATE_OFFER).get("selected_option") or {}).get("value") or "")


def _held(view: Mapping[str, Any], block_id: str, action_id: str) -> Mapping[str, Any]:
    values = (view.get("state") or {}).get("values") or {}
    found: Mapping[str, Any] = (values.get(block_id) or {}).get(action_id) or {}
    return found


def _whole(held: Mapping[str, Any]) -> int | None:
    value = str(held.get("value") or "").strip()
    return int(value) if value.isdecimal() else None
