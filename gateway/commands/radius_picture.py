"""The picture of a blast radius: lineage, connections and effects from left to right, as one SVG that stands alone.

Names are hostile text: they are made harmless, cut to the room there is, and escaped. What colour says, a word and
the kind of line say as well; light and dark follow the reader's settings.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from gateway.commands.terminal import harmless
from gateway.model import Connection
from gateway.policy.radius import Radius, Reached

WIDTH = 1160
MARGIN = 32
LEFT, MIDDLE, RIGHT = (MARGIN, 260), (400, 230), (740, 388)
"""Columns: where each begins, and how wide it is."""
EFFECTS = 124
"""Where effects begin in the last column, behind the word for their verdict."""
LINE, CARD, GAP = 24, 60, 18
HEAD, FOOT = 96, 56
PLACE = {"name": 8.8, "soft": 7.0, "title": 13.0, "effect": 7.8}
"""How wide a usual letter is."""
_WIDE = frozenset("mwMW@%—")
GROUPS = (("allow", "now"), ("hold", "with approval"), ("block", "never"))
STYLE = """
  svg { --paper: #fbfbfd; --ink: #1c2430; --soft: #566072; --card: #ffffff; --edge: #d5dae3;
        --allow: #116d3b; --hold: #8a5200; --block: #b3261e; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #12161d; --ink: #e9edf4; --soft: #a4adbd; --card: #1b212b; --edge: #38414f;
          --allow: #62d394; --hold: #f0b45a; --block: #ff8a80; }
  }
  .paper { fill: var(--paper); } .card { fill: var(--card); stroke: var(--edge); stroke-width: 1.2; }
  text { fill: var(--ink); font: 14px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
  .title { font-size: 22px; font-weight: 650; } .name { font-weight: 600; } .soft { fill: var(--soft); font-size: 12.5px; }
  .column { fill: var(--soft); font-size: 12px; font-weight: 600; letter-spacing: .08em; }
  .allow { fill: var(--allow); font-weight: 600; } .hold { fill: var(--hold); font-weight: 600; }
  .block { fill: var(--block); font-weight: 600; }
  path { fill: none; stroke-width: 1.8; } .way { stroke: var(--edge); }
  .way-allow { stroke: var(--allow); } .way-hold { stroke: var(--hold); stroke-dasharray: 7 4; }
  .way-block { stroke: var(--block); stroke-dasharray: 1.5 4; stroke-linecap: round; }
"""


def picture(radii: Sequence[Radius]) -> str:
    """One picture of all of them, below each other."""
    body: list[str] = []
    top = HEAD
    for radius in radii:
        drawn, bottom = _chain(radius, top)
        body += drawn
        top = bottom + GAP * 2
    height = max(top + FOOT, HEAD + FOOT + CARD)
    agents = ", ".join(radius.chain[-1] for radius in radii) or "nobody"
    title = f"What {agents} can reach"
    said = " ".join(_sentence(radius) for radius in radii) or "No agent is declared."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" role="img"',
            f'  viewBox="0 0 {WIDTH} {height}" aria-labelledby="title said">',
            f'<title id="title">{_safe(title)}</title>',
            f'<desc id="said">{_safe(said)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            _text(MARGIN, 46, title, "title", room=WIDTH - 2 * MARGIN),
            *(
                _text(column[0], HEAD - 18, words, "column")
                for column, words in ((LEFT, "WHO ASKS"), (MIDDLE, "CONNECTION"), (RIGHT, "EFFECTS"))
            ),
            *body,
            *_legend(height - 24),
            "</svg>\n",
        ]
    )


def _chain(radius: Radius, top: int) -> tuple[list[str], int]:
    """Everything about one chain, and where it ends."""
    drawn: list[str] = []
    at = top
    ports: list[tuple[int, str]] = []
    for connection, reached in radius.connections:
        shown, port, at = _connection(connection, reached, at)
        drawn += shown
        ports.append((port, _best(reached)))
        at += GAP
    lines = [*([radius.person] if radius.person else []), *radius.chain]
    high = CARD - LINE + LINE * len(lines) + 6
    bottom = max(at - GAP, top + high)
    begins = top + (bottom - top - high) // 2
    ways = [
        f'<path class="way way-{best}" d="{_curve(LEFT[0] + LEFT[1], begins + high // 2, MIDDLE[0], port)}"/>'
        for port, best in ports
    ]
    return [*ways, *_lineage(radius, lines, begins, high), *drawn], bottom


def _lineage(radius: Radius, lines: Sequence[str], top: int, high: int) -> list[str]:
    left, wide = LEFT
    drawn = [_card(left, top, wide, high)]
    for at, name in enumerate(lines):
        base = top + 26 + LINE * at
        is_person = bool(radius.person) and at == 0
        mark = "" if at == 0 else "↳ "
        indent = 14 * min(at, 5)
        drawn.append(
            _text(
                left + 14 + indent,
                base,
                mark + name,
                "soft" if is_person else "name",
                room=wide - 28 - indent,
            )
        )
    deeper = f"may put {radius.deeper} more below itself" if radius.deeper else "may start nobody"
    drawn.append(_text(left + 14, top + 26 + LINE * len(lines), deeper, "soft", room=wide - 28))
    return drawn


def _connection(connection: Connection, reached: Sequence[Reached], top: int) -> tuple[list[str], int, int]:
    """A connection's card and its effects: what to draw, where ways arrive, where it ends."""
    groups = [
        (verdict, words, [each for each in reached if each.cell.verdict == verdict])
        for verdict, words in GROUPS
    ]
    rows = [
        (verdict, words, line, first) for verdict, words, each in groups for first, line in _wrapped(each)
    ]
    high = max(CARD, LINE * len(rows) + 12)
    middle = top + high // 2
    left, wide = MIDDLE
    labels = ", ".join(f"{key}={value}" for key, value in connection.labels.items())
    drawn: list[str] = []
    for at, (verdict, words, line, first) in enumerate(rows):
        base = middle - LINE * len(rows) // 2 + LINE * at + LINE // 2
        if first:
            drawn.append(
                f'<path class="way-{verdict}" d="{_curve(left + wide, middle, RIGHT[0] - 8, base)}"/>'
            )
            drawn.append(_text(RIGHT[0], base + 5, words, verdict))
        drawn.append(_text(RIGHT[0] + EFFECTS, base + 5, line, "effect", room=RIGHT[1] - EFFECTS))
    drawn += [
        _card(left, middle - CARD // 2, wide, CARD),
        _text(left + 14, middle - 4, connection.name, "name", room=wide - 28),
        _text(
            left + 14,
            middle + 17,
            " · ".join(filter(None, (connection.protocol, labels))),
            "soft",
            room=wide - 28,
        ),
    ]
    return drawn, middle, top + high


def _wrapped(reached: Sequence[Reached]) -> Iterable[tuple[bool, str]]:
    """The effects of one verdict in lines, with who has to say yes; whether it is the first line."""
    by_need: dict[str, list[str]] = {}
    for each in reached:
        need = " and ".join(
            f"{ask.quorum} of {'any' if ask.approvers == '*' else ask.approvers}" for ask in each.asks
        )
        mark = "~" if each.cell.may else ""
        by_need.setdefault(need, []).append(f"{each.cell.effect}{mark}")
    for at, (need, effects) in enumerate(by_need.items()):
        yield at == 0, ", ".join(effects) + (f"  ({need})" if need else "")


def _best(reached: Iterable[Reached]) -> str:
    """The most that comes of any effect but keeping a session."""
    found = {each.cell.verdict for each in reached if each.cell.effect != "session"}
    return next((verdict for verdict, _ in GROUPS if verdict in found), "block")


def _legend(base: int) -> list[str]:
    drawn: list[str] = []
    left = MARGIN
    for verdict, words in (*GROUPS, ("", "~ under further conditions, something else")):
        if verdict:
            drawn.append(f'<path class="way-{verdict}" d="M{left} {base - 5} h34"/>')
            left += 42
        drawn.append(_text(left, base, words, verdict or "soft"))
        left += 9 * len(words) + 32
    return drawn


def _sentence(radius: Radius) -> str:
    """What the picture shows, for who hears it."""
    parts = [
        f"{connection.name}: "
        + "; ".join(
            f"{words} {', '.join(shown)}"
            for verdict, words in GROUPS
            if (shown := [str(each.cell.effect) for each in reached if each.cell.verdict == verdict])
        )
        for connection, reached in radius.connections
    ]
    return f"{' → '.join(radius.chain)} reaches {'. '.join(parts) or 'nothing'}."


def _card(left: int, top: int, wide: int, high: int) -> str:
    return f'<rect class="card" x="{left}" y="{top}" width="{wide}" height="{high}" rx="9"/>'


def _curve(left: int, top: int, right: int, bottom: int) -> str:
    middle = (left + right) // 2
    return f"M{left} {top} C{middle} {top} {middle} {bottom} {right} {bottom}"


def _text(left: int, base: int, words: str, kind: str, *, room: int = 0) -> str:
    """One line, cut to the `room` that there is; the whole of it is what a pointer finds."""
    if not room:
        return f'<text x="{left}" y="{base}" class="{kind}">{_safe(words)}</text>'
    whole = harmless(words)
    shown = _cut(whole, room / PLACE[kind])
    title = f"<title>{_safe(whole)}</title>" if shown != whole else ""
    # A picture in the picture keeps what is drawn within its room, whatever the reader's font.
    return (
        f'<svg x="{left}" y="{base - LINE}" width="{room}" height="{LINE + 8}">'
        f'<text y="{LINE}" class="{kind}">{title}{_safe(shown)}</text></svg>'
    )


def _cut(words: str, places: float) -> str:
    taken = 0.0
    for at, each in enumerate(words):
        taken += 2 if unicodedata.east_asian_width(each) in {"W", "F"} else 1.6 if each in _WIDE else 1
        if taken > places:
            return words[: max(at - 1, 0)] + "…"
    return words


def _safe(words: str) -> str:
    return escape(harmless(words), {'"': "&quot;"})
