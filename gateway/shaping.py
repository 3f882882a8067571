"""Which commands a yes to a shape lets go, and how a card says so."""

from __future__ import annotations

from hashlib import sha256

from gateway.contract import ShapeView
from gateway.masking.scrub import Scrubber
from gateway.model import Command, Facts, Shape, measured

SHOWN = 400
"""Characters of each of a shape's texts on a card."""


def shape_key(found: Shape | None, command: Command, seen: Facts) -> str:
    """The same for commands of one shape in one name space that do the same to the same; "" where nobody can tell."""
    if found is None:
        return ""
    things = sorted(f"{each.kind} {each.effect} {each.name}" for each in found.things)
    parts = (found.key, *sorted(seen.effects), "", *things)
    return sha256(
        measured(command.around, *(part.encode("utf-8", "surrogatepass") for part in parts))
    ).hexdigest()


def shape_view(found: Shape | None, scrubber: Scrubber) -> ShapeView | None:
    """None where something in it has to be masked: what is left might look like another shape."""
    if found is None:
        return None
    texts = (found.words, found.passes, found.stops)
    if any(scrubber.text(text)[1] for text in texts):
        return None
    words, passes, stops = (text if len(text) <= SHOWN else f"{text[:SHOWN]} […]" for text in texts)
    return ShapeView(words=words, passes=passes, stops=stops)
