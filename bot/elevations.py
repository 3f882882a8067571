"""How elevations read: on cards, in lists, and to the person who got one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.blocks import Element, Message, actions, bold, button, code, date, lines, quiet, rich, text
from bot.card_ids import GRANT_ACCESS, GRANT_END, GRANT_EXTEND
from bot.safe_text import inline
from gateway.contract import ElevationView, GrantView, OfferView, PastView, PossibleView, TablesView

EVENT = "countersign_grant"
REVIEW = "review"
VOTES = "votes"
_BECOMES: Mapping[str, str] = {
    "": "out of reach",
    "allow": "runs",
    "hold": "held",
    "block": "blocked",
}
_HOW: Mapping[str, str] = {"unasked": "nobody was asked", "break-glass": "by breaking the glass"}


def title(elevation: ElevationView, *, pending: bool) -> tuple[str, str]:
    """A mark and a title for a card."""
    if elevation.how == REVIEW:
        return ("🚨", "The glass was broken: two others look at it") if pending else ("✅", "Looked at")
    return ("⏳", "Waiting for a decision") if pending else ("✅", "Granted")


def choices(elevation: ElevationView | None) -> tuple[str, str]:
    """What the two buttons of a card say."""
    if elevation is not None and elevation.how == REVIEW:
        return "I looked: in order", "Object"
    return "Approve", "Deny"


def rows(elevation: ElevationView, *, most: int) -> Iterator[Sequence[Element]]:
    """What approvers weigh: what becomes possible that was not, for how long, and what was before."""
    if elevation.how == REVIEW:
        yield [text("It was had without asking. Say whether what was done under it is in order.")]
        return
    yield [bold("Becomes possible  "), *_scope(elevation.resources, most)]
    for possible in elevation.possible[:most]:
        yield [text("    "), *_possible(possible)]
    yield [bold("Reach  "), text(_reach(elevation, most))]
    if elevation.tables is not None or elevation.how == VOTES:
        yield [bold("Tables  "), text(_tables(elevation.tables))]
    if elevation.reveal:
        shown = ", ".join(inline(each, limit=60) for each in elevation.reveal[:most])
        yield [bold("⚠️ Shows unmasked  "), text(shown)]
    yield [
        bold("For  "),
        text(f"{lasting(elevation.seconds)} · {budget(elevation.commands, elevation.rows)}"),
    ]
    if elevation.ticket:
        yield [bold("Ticket  "), text(inline(elevation.ticket, limit=100))]
    if elevation.extends:
        yield [bold("Goes on from  "), text(f"grant {inline(elevation.extends, limit=64)}")]
    yield [
        bold("Until it ends  "),
        text("these are not held. What is blocked stays blocked"),
        text("." if elevation.reveal else ", masks stay."),
    ]
    yield [bold("Earlier  "), *_earlier(elevation)]
    for past in elevation.past[: min(most, 3)]:
        yield [text("    "), *_past(past)]


def _scope(resources: Sequence[str], most: int) -> list[Element]:
    if not resources:
        return [text("on all that the connection has")]
    more = f" and {len(resources) - most} more" if len(resources) > most else ""
    return [text("only on "), code(", ".join(inline(each, limit=60) for each in resources[:most]) + more)]


def _possible(possible: PossibleView) -> Iterator[Element]:
    before, after = (_BECOMES.get(word, inline(word, limit=20)) for word in (possible.before, possible.after))
    yield bold(inline(possible.effect, limit=20))
    yield text(f": {before} → {after}" if before != after else f": stays {before}")
    if possible.blocked_by:
        blocking = ", ".join(inline(rule, limit=60) for rule in possible.blocked_by[:3])
        yield quiet(f"  (still blocked where {blocking} says so)")


def _reach(elevation: ElevationView, most: int) -> str:
    before, after = (
        ", ".join(inline(each, limit=20) for each in names[:most]) or "nothing"
        for names in (elevation.freely_before, elevation.freely_after)
    )
    return f"without asking before: {before}; after: {after}"


def _tables(tables: TablesView | None) -> str:
    """The blast radius in numbers, now and while it is granted."""
    if tables is None:
        return "not counted: the gateway knows no catalogue of this target"
    before, after, total = tables.before, tables.after, f"{tables.total:,}"
    return (
        f"read without asking {before.read:,} → {after.read:,} of {total} · written {before.written:,} → {after.written:,} "
        f"of {total} · columns that masks hide by name {before.masked:,} of {before.columns:,} → "
        f"{after.masked:,} of {after.columns:,}"
    )


def _earlier(elevation: ElevationView) -> Iterator[Element]:
    if not elevation.past_count:
        yield text("none of the same person's")
        return
    noun = "elevation" if elevation.past_count == 1 else "elevations"
    yield text(f"{elevation.past_count:,} {noun} of the same person's")


def _past(past: PastView) -> Iterator[Element]:
    yield date(past.at)
    effects = inline(", ".join(past.effects), limit=60)
    how = f", {_HOW[past.how]}" if past.how in _HOW else ""
    used = "1 command" if past.used == 1 else f"{past.used:,} commands"
    yield text(f" {effects} on {inline(past.connection, limit=60)}{how}: {used}, ")
    yield text(inline(past.ended, limit=80) if past.ended else "holds still")


def granted(grant: GrantView) -> Message:
    """To the person who has it: what it is, how to use it, and its end. Nothing secret."""
    ends = grant.ended_at is not None
    head = [
        [
            text("⏹️ " if ends else "✅ "),
            bold("Elevation ended" if ends else "Elevation granted"),
            *_asked(grant),
        ],
        list(line_of(grant)),
        [text(f"Reason: {inline(grant.reason, limit=300)}")],
    ]
    if ends:
        head.append([text(f"Ended: {inline(grant.ended, limit=200)}. What comes next is held again.")])
    elif not grant.by_hand:
        head.append(
            [text("Nothing has to be done: what the agent sends runs, in the sessions it has open, too.")]
        )
    head.append([quiet(f"Grant {inline(grant.id, limit=64)} · approval {inline(grant.approval, limit=64)}")])
    blocks = [rich(lines(head))]
    if not ends:
        blocks.append(actions(*buttons(grant)))
    return Message(
        text="Countersign: an elevation ended." if ends else "Countersign: an elevation was granted.",
        blocks=tuple(blocks),
        event=EVENT,
        payload={"grant": grant.id},
    )


def _asked(grant: GrantView) -> list[Element]:
    how = _HOW.get(grant.how, "")
    return [text(f" · {how}")] if how else []


def buttons(grant: GrantView) -> Iterator[Element]:
    if grant.by_hand:
        yield button("How to connect", action_id=GRANT_ACCESS, value=grant.id, style="primary")
    yield button("Ask for more time", action_id=GRANT_EXTEND, value=grant.id)
    yield button("End it now", action_id=GRANT_END, value=grant.id, style="danger")


def line_of(grant: GrantView) -> Iterator[Element]:
    """Who may do what, until when, and how much is used."""
    whom = inline(grant.person if grant.by_hand else grant.agent, limit=60)
    yield bold(whom)
    yield text(
        f" may {inline(', '.join(grant.effects), limit=100)} on {inline(grant.connection, limit=60)}"
        f"{' by hand' if grant.by_hand else ''} until "
    )
    yield date(grant.ends_at)
    yield text(f" · {grant.used:,} of {grant.commands:,} commands")
    if grant.rows is not None:
        yield text(f", {grant.rows_used:,} of {grant.rows:,} rows")


def offer_line(offer: OfferView) -> str:
    """One offer as an option of a list."""
    mark = "🚨 " if offer.break_glass else ""
    effects = ", ".join(offer.effects)
    return inline(f"{mark}{offer.connection}: {effects} ({offer.template})", limit=75)


def lasting(seconds: float) -> str:
    """`90 s`, `30 min`, `2 h`"""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200 or seconds % 3_600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.0f} h"


def budget(commands: int, most_rows: int | None) -> str:
    said = f"at most {commands:,} commands"
    return said if most_rows is None else f"{said} and {most_rows:,} rows"
