"""A page of a transcript as HTML. Pure.

All that stands in a recording is untrusted: it is made visible (`gateway.recorder.visible`), then escaped, and stands
between tags only, or in an attribute that was made from numbers. There is no script and nothing is loaded from
anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape

from gateway.api.replay_style import STYLE
from gateway.contract import Entry, LineageView, SessionView, Transcript
from gateway.recorder.read import Standing, Verified
from gateway.recorder.visible import visible

TONES: Mapping[str, str] = {
    "allow": "good",
    "approved": "good",
    "spent": "good",
    "hold": "wait",
    "pending": "wait",
    "expired": "bad",
    "withdrawn": "bad",
    "block": "bad",
    "denied": "bad",
}
"""Verdict, or state of an approval -> how it is coloured."""
KINDS = frozenset({"command", "decision", "answer", "notice", "end"})


def page(
    transcript: Transcript, verified: Verified | None, *, live: bool, after: int, size: int, query: str
) -> str:
    """The entries of `transcript` that come after number `after`, below what is known of their session.

    `live` says that the session is open now; `size` is how many entries a page has, and `query` the signed part of
    the address, which links to further pages carry on. `verified` is None where the recording was not checked.
    """
    session = transcript.session
    turning = _turning(transcript, after=after, size=size, query=query)
    shown = (*transcript.entries, *transcript.running)
    entries = "".join(_entry(entry, session) for entry in shown)
    listed = f"<ol class='entries'>{entries}</ol>" if entries else "<p class='empty'>No entries here.</p>"
    more = ""
    if live and transcript.next >= session.entries:
        more = "<p class='empty'>No more so far: load the page again to see what has happened since.</p>"
    return _document(
        f"Session {session.id}",
        f"{_heading(session, live=live)}<div class='cards'>"
        f"<div>{_facts(session)}{_lineage(session.lineage)}</div>"
        f"<div>{_counts(session, live=live)}{_integrity(session.id, verified)}</div></div>"
        f"<h2>Transcript</h2>{turning}{listed}{more}{turning}",
    )


def unreadable(session_id: str, verified: Verified | None) -> str:
    """The page of a recording that was changed into what cannot be read."""
    return _document(
        f"Session {session_id}",
        f"<header><h1>Session <code>{_line(session_id)}</code></h1></header>"
        f"<div class='cards'>{_integrity(session_id, verified)}</div>"
        "<p class='empty'>This recording cannot be shown: it is not as the gateway writes one.</p>",
    )


def _document(title: str, body: str) -> str:
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{_line(title)} · Countersign</title><style>{STYLE}</style></head><body><main>"
        f"<p class='brand'>Countersign<span> · replay</span></p>{body}"
        "<footer>Masked as the client saw it. Characters that nobody would see are written out, as in "
        "<code>⟦U+202E⟧</code>. Times are UTC.</footer></main></body></html>\n"
    )


def _heading(session: SessionView, *, live: bool) -> str:
    if live:
        standing = '<span class="pill wait">open</span>'
    else:
        standing = f'<span class="pill">{"ended" if session.closed_at is not None else "cut off"}</span>'
    agent = session.lineage.chain[-1].name if session.lineage.chain else "nobody"
    person = session.lineage.person or "no person"
    return (
        f"<header><h1>Session <code>{_line(session.id)}</code> {standing}</h1>"
        f"<p class='who'><b>{_line(agent)}</b> for <b>{_line(person)}</b> on <b>{_line(session.connection)}</b></p>"
        "</header>"
    )


def _facts(session: SessionView) -> str:
    rows = [
        ("Connection", f"{_line(session.connection)} <small>{_line(session.protocol)}</small>"),
        ("From", _line(session.client or "an unknown address")),
        ("Opened", _time(session.opened_at, "%Y-%m-%d %H:%M:%S UTC")),
    ]
    if session.closed_at is not None:
        rows += [
            ("Ended", _time(session.closed_at, "%Y-%m-%d %H:%M:%S UTC")),
            ("After", _duration(session.closed_at - session.opened_at)),
            ("Because", _line(session.close_reason or "nothing was said")),
        ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return f"<section><h2>Session</h2><dl>{listed}</dl></section>"


def _counts(session: SessionView, *, live: bool) -> str:
    if session.closed_at is None and not live:
        return "<section><h2>Counts</h2><p>They stand in the record that ends a session, and this one has none.</p></section>"
    numbers = [
        ("commands", session.commands, ""),
        ("held", session.held, "wait"),
        ("blocked", session.blocked, "bad"),
        ("masked", sum(session.masked.values()), ""),
    ]
    tiles = "".join(
        f"<li class='{tone if number else ''}'><b>{number:,}</b> {name}</li>"
        for name, number, tone in numbers
    )
    kinds = "".join(
        f"<li><b>{number:,}</b> {_line(kind)}</li>" for kind, number in sorted(session.masked.items())
    )
    masked = f"<ul class='chips'>{kinds}</ul>" if kinds else ""
    return f"<section><h2>Counts</h2><ul class='tiles'>{tiles}</ul>{masked}</section>"


def _lineage(lineage: LineageView) -> str:
    rows = [f"<b>{_line(lineage.person or 'no person: a service stands at the root')}</b>"]
    for actor in lineage.chain:
        said = f"<small>agent says: {_line(actor.task)}</small>" if actor.task else ""
        origin = f"<small>from {_line(actor.origin)}</small>" if actor.origin else ""
        rows.append(f"<b>{_line(actor.name)}</b> {said} {origin}")
    tree = "".join(f"<ul><li>{row}" for row in rows) + "</li></ul>" * len(rows)
    return f"<section class='lineage'><h2>Lineage</h2>{tree}</section>"


def _integrity(session_id: str, verified: Verified | None) -> str:
    tone, title, words = _standing(verified)
    head = ""
    if verified is not None and verified.standing is Standing.WHOLE:
        head = (
            "<p>Its last hash, to compare with the one in the session's thread:</p>"
            f"<p><code class='hash'>{_line(verified.head)}</code></p>"
        )
    return (
        f"<section class='integrity {tone}'><h2>Recording</h2><p class='standing'>{title}</p><p>{words}</p>{head}"
        f"<p class='hint'><code>countersign verify {_line(session_id)}</code></p></section>"
    )


def _standing(verified: Verified | None) -> tuple[str, str, str]:
    """Tone, title and sentence for what `verify` found."""
    if verified is None:
        return (
            "wait",
            "Not checked here",
            "It is still being written, and too long to be checked on every view.",
        )
    held, fault = f"{verified.held:,} {'record' if verified.held == 1 else 'records'}", _line(verified.fault)
    match verified.standing:
        case Standing.WHOLE:
            return (
                "good",
                "✓ It holds",
                f"{held} hold, sealed by the gateway's key <code>{_line(verified.key_id)}</code>.",
            )
        case Standing.OPEN:
            return (
                "wait",
                "Holds so far",
                f"The gateway is writing to it now; {held} hold. It is sealed when the session ends.",
            )
        case Standing.CUT:
            return "bad", "✗ Its end is missing", f"{held} hold, and then: {fault}."
        case Standing.BROKEN:
            return (
                "bad",
                f"✗ Record {verified.number} does not hold",
                f"{fault}. Believe nothing from there on; {held} before it hold.",
            )


def _entry(entry: Entry, session: SessionView) -> str:
    kind = entry.kind if entry.kind in KINDS else "notice"
    tone = TONES.get(entry.verdict, "")
    verdict = f"<span class='pill {tone}'>{_line(entry.verdict)}</span>" if entry.verdict else ""
    rules = "".join(f"<span class='rule'>{_line(rule)}</span>" for rule in entry.rules)
    # A notice that stands for a record which does not hold has no time.
    at = _time(entry.at, _clock_format(entry.at, session.opened_at)) if entry.at else ""
    return (
        f"<li id='e{entry.number}' class='{kind} {tone}'><p class='head'>"
        f"<a href='#e{entry.number}'>{entry.number}</a> {at} <span class='kind'>{_line(entry.kind)}</span> "
        f"{verdict} {rules}</p><pre>\n{escape(visible(entry.text))}</pre></li>"
    )


def _turning(transcript: Transcript, *, after: int, size: int, query: str) -> str:
    """Where this page stands among all, with links to the others; nothing where there is only this one."""
    total = max(transcript.session.entries, transcript.next)
    entries = transcript.entries
    if not after and transcript.next >= total:
        return ""
    shown = f"{entries[0].number:,} to {entries[-1].number:,}" if entries else "none"
    last = (total - 1) // size * size
    links = "".join(
        _turns(after=after, following=transcript.next, total=total, size=size, last=last, query=query)
    )
    return f"<nav><span>Entries {shown} of {total:,}</span>{links}</nav>"


def _turns(*, after: int, following: int, total: int, size: int, last: int, query: str) -> Iterator[str]:
    def to(number: int, words: str) -> str:
        address = escape(query + (f"&after={number}" if number else ""))
        return f"<a href='{address}'>{words}</a>"

    if after:
        yield to(0, "« First")
        yield to(max(0, min(after, total) - size), "‹ Earlier")
    if following < total:
        yield to(following, "Later ›")
        yield to(max(last, following), "Last »")


def _line(text: str) -> str:
    """Text of one line."""
    return escape(visible(text).replace("\n", "⟦U+000A⟧").replace("\t", " "))


def _clock_format(at: float, opened_at: float) -> str:
    """The time alone on the day that the session was opened, with the day on any other."""
    return "%H:%M:%S" if at // 86_400 == opened_at // 86_400 else "%Y-%m-%d %H:%M:%S"


def _time(at: float, form: str) -> str:
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (OverflowError, ValueError, OSError):
        return "at no time there is"  # a file that was changed may say anything
    return f"<time datetime='{moment.isoformat()}'>{moment.strftime(form)}</time>"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(round(min(seconds, 1e9)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


NOTHING = _document(
    "Nothing here",
    "<header><h1>Nothing here</h1></header><p class='empty'>This link is not one of this gateway's, or its time is over, or "
    "the recording is no longer kept. Operators read recordings with <code>countersign replay SESSION</code>.</p>",
)
"""The page for every link that opens nothing."""
