"""The Home tab: what waits for a person, what they asked for, what holds and runs, and who started whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot import elevations
from bot.blocks import (
    Block,
    Element,
    actions,
    bold,
    button,
    code,
    date,
    divider,
    lines,
    quiet,
    rich,
    section,
    text,
)
from bot.card_ids import DENY, GRANT_END, HOME_REFRESH, KILL, KILL_SESSION, REVIEW
from bot.cards import agent_of, outcome, target_of
from bot.for_a_while import WORDS, lasts
from bot.modals import View, number
from bot.safe_text import inline, literal
from bot.votes import counted
from gateway.contract import Approval, GrantView, Home, LineageNode, SessionView, State

APPROVALS, REQUESTS, GRANTS, SESSIONS, NODES = 12, 8, 10, 12, 40
"""Of each at most: a tab has room for a hundred blocks."""
MINUTE = 60.0
_NONE = rich(section(quiet("none")))


def view(home: Home, *, now: float) -> View:
    blocks: list[Block] = [
        *_part(
            f"Waiting for you: {number(len(home.votes), 'approval')}",
            (block for approval in home.votes[:APPROVALS] for block in _vote(approval, now)),
            more=len(home.votes) - APPROVALS,
        ),
        *_part(
            "Your requests",
            [rich(lines(_request(each, now) for each in home.requests[:REQUESTS]))]
            if home.requests
            else [_NONE],
            more=len(home.requests) - REQUESTS,
        ),
        *_part(
            number(len(home.grants), "live grant"),
            (block for grant in home.grants[:GRANTS] for block in _grant(grant, now)),
            more=len(home.grants) - GRANTS,
        ),
        *_part(
            number(len(home.sessions), "open session"),
            (block for session in home.sessions[:SESSIONS] for block in _session(session)),
            more=len(home.sessions) - SESSIONS,
        ),
        *_part(
            "Who started whom",
            [rich(literal(tree(home.lineages[:NODES], now)))] if home.lineages else [_NONE],
            more=len(home.lineages) - NODES,
        ),
        rich(
            section(
                quiet(f"You are {inline(home.whoami.person)} to the gateway. "), text("/countersign help")
            )
        ),
        actions(button("Refresh", action_id=HOME_REFRESH, value="home")),
    ]
    return {"type": "home", "blocks": blocks}


def left(until: float, now: float) -> str:
    """`12 min left`"""
    seconds = until - now
    if seconds <= 0:
        return "over"
    return f"{lasts(max(MINUTE, seconds // MINUTE * MINUTE))} left"


def session_line(session: SessionView) -> list[Element]:
    """A session on one line: id, agent, person, connection, counts."""
    agent = agent_of(session.lineage)
    counts = f"{number(session.commands, 'command')}, {session.held:,} held, {session.blocked:,} blocked"
    return [
        code(inline(session.id, limit=64)),
        text(
            f" {agent} for {inline(session.lineage.person, limit=60)} on {inline(session.connection, limit=60)}: {counts}"
        ),
    ]


def tree(nodes: Sequence[LineageNode], now: float) -> str:
    """Person, then each agent below the one that started it, with what it has open."""
    there = {node.token_id: node for node in nodes}
    below: dict[str, list[LineageNode]] = {}
    for node in nodes:
        below.setdefault(node.parent if node.parent in there else "", []).append(node)
    people: dict[str, list[LineageNode]] = {}
    for root in below.get("", []):
        people.setdefault(root.person, []).append(root)
    rows: list[str] = []
    for person, roots in people.items():
        rows.append(inline(person, limit=80) if person else "no person: a service stands at the root")
        for root in roots:
            rows.extend(_branch(root, below, 0, now))
    return "\n".join(rows)


def _branch(
    node: LineageNode, below: Mapping[str, list[LineageNode]], depth: int, now: float
) -> Iterator[str]:
    does = [
        "revoked" if node.revoked else left(node.expires_at, now),
        *([number(node.sessions, "session")] if node.sessions else []),
        *([f"{node.held:,} held"] if node.held else []),
    ]
    yield "   " * depth + f"└─ {inline(node.name, limit=60)}   ({', '.join(does)})"
    for child in below.get(node.token_id, []):
        yield from _branch(child, below, depth + 1, now)


def _part(title: str, blocks: Iterable[Block], *, more: int) -> Iterator[Block]:
    yield rich(section(bold(title)))
    yield from blocks
    if more > 0:
        yield rich(section(quiet(f"and {more:,} more")))
    yield divider()


def _vote(approval: Approval, now: float) -> Iterator[Block]:
    asks = ", ".join(
        f"{have} of {ask.quorum} from {inline(ask.approvers, limit=40)}"
        for ask, have in counted(approval).items()
    )
    rows = [
        [
            bold(inline(approval.connection)),
            text(f" · {agent_of(approval.lineage)} for {inline(approval.lineage.person)} · {asks} · "),
            text(left(approval.expires_at, now)),
        ],
        [code(inline(approval.command.text, limit=150))],
    ]
    value = target_of(approval).value()
    which = f"{approval.id} {agent_of(approval.lineage)} on {approval.connection}"
    yield rich(lines(rows))
    yield actions(
        button("Review", action_id=REVIEW, value=value, style="primary", about=which),
        button("Deny", action_id=DENY, value=value, about=which),
        button("Deny and kill", action_id=KILL, value=value, style="danger", about=which),
        block_id=f"countersign:home:{approval.id[:64]}:{approval.version}",
    )


def _request(approval: Approval, now: float) -> list[Element]:
    mark, title = outcome(approval)
    standing = f"{title}, {left(approval.expires_at, now)}" if approval.state is State.PENDING else title
    return [
        text(f"{mark} {agent_of(approval.lineage)} on {inline(approval.connection, limit=60)}: "),
        code(inline(approval.command.text, limit=100)),
        text(f"  {standing}"),
    ]


def _grant(grant: GrantView, now: float) -> Iterator[Block]:
    reach = [text(f" · {WORDS[grant.what]}")] if grant.what is not None else []
    yield rich(section(*elevations.line_of(grant), *reach, text(f" · {left(grant.ends_at, now)}")))
    yield actions(
        button("Revoke", action_id=GRANT_END, value=grant.id, style="danger", about=f"grant {grant.id}"),
        block_id=f"countersign:home:grant:{grant.id[:64]}",
    )


def _session(session: SessionView) -> Iterator[Block]:
    yield rich(section(*session_line(session), text(" · since "), date(session.opened_at)))
    yield actions(
        button(
            "Kill", action_id=KILL_SESSION, value=session.id, style="danger", about=f"session {session.id}"
        ),
        block_id=f"countersign:home:session:{session.id[:64]}",
    )
