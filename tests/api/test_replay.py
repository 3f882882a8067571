"""The replay page: only for who has its link, nothing but what its link is for, and harmless whatever it shows."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.api.links import LIFETIME, Links
from gateway.api.replay import PAGE
from gateway.api.replay_page import NOTHING
from gateway.contract import SessionView
from gateway.model import Actor
from gateway.recorder.chain import records
from tests.approvals.conftest import LINEAGE_VIEW, session
from tests.recorder.conftest import ask, finish, make_session

from .conftest import PUBLIC

HOSTILE = (
    "\n\n<script>alert(1)</script><img src=x onerror=alert(2)></pre></style><a href='javascript:alert(3)'>"
    "\"'&amp; &lt; \x1b[2J\x00\x07\r \u202egnp.exe\u2066 \u200b\U000e0041 \ud800".encode(
        "utf-8", "replace"
    ).decode()
)
TAGS = {
    *(
        "html",
        "div",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "h1",
        "h2",
        "section",
        "nav",
        "footer",
    ),
    *("p", "span", "b", "small", "code", "pre", "a", "ul", "ol", "li", "dl", "dt", "dd", "time"),
}
ATTRIBUTES = {"lang", "charset", "name", "content", "class", "href", "id", "datetime"}


class Seen(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.hrefs, self.pres, self.entries = set(), set(), [], [], []
        self.text, self.style, self.open = "", "", []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        self.hrefs += [given["href"]] if "href" in given else []
        if tag == "li" and "id" in given:
            self.entries.append(int(given["id"].removeprefix("e")))
        if tag == "pre":
            self.pres.append("")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["style"]:
            self.style += data
        elif self.open[-1:] == ["pre"]:
            # A line feed right behind <pre> is not part of it, as HTML has it.
            self.pres[-1] += data if self.pres[-1] else data.removeprefix("\n")
        self.text += data


def record(gate, session_id="s1", **changes):
    return gate.recorder.open(replace(make_session(session_id), opened_at=gate.house.now, **changes))


def path_of(link):
    assert link.startswith(f"{PUBLIC}/replay/")
    return link.removeprefix(PUBLIC)


async def get(gate, path, *, status=200, method="GET"):
    async with gate.client.request(method, path) as answer:
        content = await answer.text()
        assert answer.status == status, content
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.content_type == "text/html"
        policy = answer.headers["Content-Security-Policy"]
    return content, policy


async def seen(gate, path):
    return Seen((await get(gate, path))[0])


async def test_a_link_opens_the_masked_transcript_and_what_verify_says_of_it(gate):
    recording = record(gate)
    ask(recording, "c1", "SELECT email FROM customers")
    recording.answer("c1", b"an*@*.com")
    finish(recording, "c1", masked={"email": 12})
    ask(recording, "c2", "DROP TABLE orders", "block", rules=("destructive-never",))
    recording.close("the client left")
    page = await seen(gate, path_of(gate.links.link("s1")))
    for words in (
        "s1",
        "dana@example.com",
        "migrator",
        "release-pipeline",
        "agent says: release 7",
        "orders",
    ):
        assert words in page.text
    for words in ("12 email", "2 commands", "1 blocked", "the client left", "destructive-never", "block"):
        assert words in page.text
    assert page.pres[1:4] == [
        "SELECT email FROM customers",
        "an*@*.com\nSELECT 1\nmasked: 12 × email",
        "DROP TABLE orders",
    ]
    assert "6 records hold, sealed by the gateway's key k" in page.text
    with recording.path.open("rb") as file:
        *_, last = records(file)
    assert last.hash in page.text


async def test_the_page_loads_nothing_and_runs_nothing(gate):
    record(gate).close("over")
    content, policy = await get(gate, path_of(gate.links.link("s1")))
    page = Seen(content)
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert not re.search(r"url\(|@import|//", page.style)


async def test_hostile_text_is_shown_and_does_nothing(gate):
    lineage = replace(
        make_session().lineage,
        person=HOSTILE,
        chain=(Actor(name=HOSTILE, token_id="t", origin=HOSTILE, task=HOSTILE),),
    )
    recording = record(gate, lineage=lineage, client=HOSTILE)
    ask(recording, "c1", HOSTILE, "block", rules=(HOSTILE,), message=HOSTILE, parameters=(HOSTILE, None))
    recording.answer("c1", HOSTILE.encode())
    finish(recording, "c1", outcome=HOSTILE, masked={HOSTILE: 1})
    recording.noted(HOSTILE)
    recording.close(HOSTILE)
    content, _ = await get(gate, path_of(gate.links.link("s1")))
    page = Seen(content)
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert all(re.fullmatch(r"#e\d+", href) for href in page.hrefs)
    drawn = (
        "\n\n<script>alert(1)</script><img src=x onerror=alert(2)></pre></style><a href='javascript:alert(3)'>"
        "\"'&amp; &lt; ⟦U+001B⟧[2J⟦U+0000⟧⟦U+0007⟧⟦U+000D⟧ ⟦U+202E⟧gnp.exe⟦U+2066⟧ ⟦U+200B⟧⟦U+E0041⟧ ?"
    )
    assert page.pres[1].startswith(drawn + "\n-- $1 = ")
    assert drawn in page.pres
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", content)


@pytest.mark.parametrize(
    "forge",
    [
        lambda link, other: link[:-1] + ("0" if link[-1] != "0" else "1"),
        lambda link, other: link[:-2],
        lambda link, other: re.sub("sig=.*", "sig=", link),
        lambda link, other: re.sub("&sig=.*", "", link),
        lambda link, other: re.sub("sig=.*", "sig=%FF%ED%A0%80é", link),
        lambda link, other: re.sub("sig=.*", lambda sig: sig[0].upper(), link),
        lambda link, other: re.sub(r"until=\d+", lambda until: f"{until[0]}0", link),
        lambda link, other: re.sub(r"until=", "until=%20", link),
        lambda link, other: re.sub(r"until=", "until=0", link),
        lambda link, other: re.sub(r"until=\d+", "until=never", link),
        lambda link, other: re.sub(r"until=\d+&", "", link),
        lambda link, other: link + link[link.index("&sig=") :],
        lambda link, other: link + "&until=99999999999",
        lambda link, other: link.replace("/s1?", "/s2?"),
        lambda link, other: link.replace("/s1?", "/s1%00?"),
        lambda link, other: link.replace("/s1?", "/..%2fs1?"),
        lambda link, other: link.partition("?")[0] + "?" + other.partition("?")[2],
        lambda link, other: link + "&after=-1",
        lambda link, other: link + "&after=x",
        lambda link, other: link + "&after=" + "9" * 400,
        lambda link, other: link + "&after=1&after=2",
    ],
)
async def test_a_link_that_is_not_exactly_the_gateways_opens_nothing(gate, forge):
    record(gate, "s1").close("over")
    record(gate, "s2").close("over")
    link, other = (path_of(gate.links.link(each)) for each in ("s1", "s2"))
    await get(gate, link)
    assert (await get(gate, forge(link, other), status=404))[0] == NOTHING


async def test_a_link_ends_after_thirty_days(gate):
    record(gate).close("over")
    link = path_of(gate.links.link("s1"))
    (until,) = parse_qs(urlsplit(link).query)["until"]
    assert LIFETIME == 30 * 24 * 60 * 60
    gate.house.now = float(until) - 1
    await get(gate, link)
    gate.house.now = float(until)
    assert (await get(gate, link, status=404))[0] == NOTHING
    await get(gate, path_of(gate.links.link("s1")))


async def test_a_key_of_another_purpose_or_gateway_signs_no_link(gate):
    record(gate).close("over")
    other = Links(b"o" * 32, public_url=lambda: PUBLIC, clock=gate.house.clock)
    assert (await get(gate, path_of(other.link("s1")), status=404))[0] == NOTHING


async def test_a_session_that_was_never_or_is_no_longer_looks_like_a_forged_link(gate):
    recording = record(gate)
    recording.close("over")
    link = path_of(gate.links.link("s1"))
    await get(gate, link)
    recording.path.unlink()
    for each in (link, path_of(gate.links.link("nobody")), path_of(gate.links.link("../s1"))):
        assert (await get(gate, each, status=404))[0] == NOTHING


async def test_a_link_opens_nothing_else_of_the_gateway(gate):
    record(gate).close("over")
    query = urlsplit(gate.links.link("s1")).query
    for path in ("/v1/sessions/s1", "/v1/sessions/s1/transcript", "/v1/sessions", "/metrics"):
        async with gate.client.get(f"{path}?{query}") as answer:
            assert answer.status == 401


async def test_head_answers_as_get_does_and_no_other_method_does(gate):
    record(gate).close("over")
    link = path_of(gate.links.link("s1"))
    assert (await get(gate, link, method="HEAD"))[0] == ""
    await get(gate, link[:-1], method="HEAD", status=404)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        async with gate.client.request(method, link) as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET,HEAD"


async def test_ten_thousand_entries_are_turned_page_by_page_with_the_same_link(gate):
    recording = record(gate)
    for number in range(5_000):
        ask(recording, f"c{number}", f"SELECT {number}")
        finish(recording, f"c{number}")
    recording.close("over")
    link = path_of(gate.links.link("s1"))
    found, query = [], urlsplit(link).query
    address = f"?{query}"
    while address:
        page = await seen(gate, f"/replay/s1{address}")
        assert len(page.entries) <= PAGE
        found += page.entries
        turns = list(dict.fromkeys(href for href in page.hrefs if href.startswith("?")))
        assert all(href.startswith(f"?{query}") for href in turns)
        later = [href for href in turns if f"&after={page.entries[-1]}" in href]
        address = later[0] if later else ""
    assert found == list(range(1, 10_003))
    assert "Entries 10,001 to 10,002 of 10,002" in page.text
    first, earlier = turns
    assert first == f"?{query}"
    assert (await seen(gate, f"/replay/s1{earlier}")).entries == list(range(9_801, 10_001))


async def test_a_page_ends_early_where_entries_are_long_and_none_is_lost(gate):
    recording = record(gate)
    for number in range(150):
        ask(recording, f"c{number}", "x" * 20_000)
    recording.close("over")
    link = path_of(gate.links.link("s1"))
    page = await seen(gate, link)
    found = page.entries
    assert len(found) < PAGE
    while len(found) < 152:
        page = await seen(gate, f"{link}&after={found[-1]}")
        found += page.entries
    assert found == list(range(1, 153))


async def test_beyond_the_end_there_are_no_entries_and_a_way_back(gate):
    record(gate).close("over")
    link = path_of(gate.links.link("s1"))
    page = await seen(gate, f"{link}&after=5000")
    assert page.entries == []
    assert f"?{urlsplit(link).query}" in page.hrefs


async def test_an_open_session_is_read_while_it_goes_on(gate):
    recording = record(gate)
    gate.sessions.views["s1"] = SessionView(
        id="s1",
        connection="orders",
        protocol="postgres",
        lineage=LINEAGE_VIEW,
        client="127.0.0.1:1",
        opened_at=gate.house.now,
        commands=1,
        entries=2,
    )
    ask(recording, "c1", "SELECT 1")
    link = path_of(gate.links.link("s1"))
    page = await seen(gate, link)
    assert page.entries == [1, 2]
    for words in ("open", "2 records hold", "load the page again", "1 commands"):
        assert words in page.text
    finish(recording, "c1")
    gate.sessions.views.clear()
    recording.close("over")
    page = await seen(gate, link)
    assert page.entries == [1, 2, 3, 4]
    assert "5 records hold, sealed" in page.text


async def test_a_recording_that_was_changed_says_where_also_after_it_was_seen_whole(gate):
    recording = record(gate)
    ask(recording, "c1", "SELECT 1")
    finish(recording, "c1")
    recording.close("over")
    link = path_of(gate.links.link("s1"))
    assert "It holds" in (await seen(gate, link)).text
    before = recording.path.stat()
    whole = recording.path.read_bytes()
    recording.path.write_bytes(whole.replace(b"SELECT 1", b"SELECT 2", 1))
    os.utime(recording.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    text = (await seen(gate, link)).text
    assert "Record 2 does not hold" in text
    assert "It holds" not in text


async def test_a_recording_without_its_end_says_so_and_counts_nothing(gate):
    recording = record(gate)
    ask(recording, "c1", "SELECT 1")
    recording.close("over")
    whole = recording.path.read_bytes()
    recording.path.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
    page = await seen(gate, path_of(gate.links.link("s1")))
    assert page.entries == [1, 2]
    for words in ("Its end is missing", "2 records hold", "cut off", "this one has none"):
        assert words in page.text


async def test_a_recording_too_long_to_check_on_every_view_is_checked_once_sealed(gate, monkeypatch):
    monkeypatch.setattr("gateway.api.replay.CHECKED_UNSEALED", 10)
    recording = record(gate)
    ask(recording, "c1", "SELECT 1")
    link = path_of(gate.links.link("s1"))
    assert "Not checked here" in (await seen(gate, link)).text
    recording.close("over")
    assert "It holds" in (await seen(gate, link)).text


def opening(**session):
    given = {"id": "s1", "person": "", "chain": [], "groups": [], "connection": "c", "protocol": "p"}
    whole = {**given, "opened_at": 1.0, "client": "", **session}
    header = {"n": 0, "at": 1.0, "kind": "opened", "prev": "0" * 64, "size": 0, "session": whole}
    return json.dumps(header).encode() + b"\n"


@pytest.mark.parametrize(
    "content",
    [
        opening(person=7, connection=[], opened_at="x"),
        opening(opened_at=1e300),
        opening(chain=7),
        b"not json at all\n",
        b"",
    ],
    ids=["types", "times", "chain", "text", "empty"],
)
async def test_a_file_that_no_gateway_wrote_is_not_believed(gate, content):
    recording = record(gate)
    recording.close("over")
    recording.path.write_bytes(content)
    page = await seen(gate, path_of(gate.links.link("s1")))
    assert "It holds" not in page.text
    assert page.tags <= TAGS


async def test_where_there_are_no_pages_there_are_no_links(gate):
    recording = gate.recorder.open(replace(session("s1"), opened_at=gate.house.now))
    recording.close("over")
    gate.public_url = ""
    assert (await gate.call("GET", "/v1/sessions/s1", shape=SessionView)).link == ""
