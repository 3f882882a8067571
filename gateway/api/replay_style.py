"""How the replay page looks, and the hash by which its Content-Security-Policy lets exactly this style in."""

from __future__ import annotations

import base64
import hashlib

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --surface: #ffffff; --sunken: #f4f2ec; --line: #e3dfd5; --ink: #1c2425; --soft: #5c6662;
  --accent: #0f6b61; --good: #12703f; --good-soft: #e2f3e8; --wait: #855a00; --wait-soft: #fdf1d3;
  --bad: #b3261e; --bad-soft: #fcebe9;
  --sans: "Inter", "Segoe UI", "Helvetica Neue", "Noto Sans", system-ui, sans-serif;
  --mono: "JetBrains Mono", "Cascadia Code", "SF Mono", "DejaVu Sans Mono", ui-monospace, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14191a; --surface: #1b2223; --sunken: #111617; --line: #2d3738; --ink: #e6ebe8; --soft: #9aa7a2;
    --accent: #4fc0af; --good: #6fd19a; --good-soft: #15321f; --wait: #f0c66b; --wait-soft: #33280f;
    --bad: #f28d85; --bad-soft: #3a1f1d;
  }
}
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 var(--sans); overflow-wrap: anywhere; }
main { max-width: 68rem; margin: 0 auto; padding: 1.6rem 1.25rem 3rem; }
h1, h2, p, ul, ol, dl, dd, pre { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: 1.55rem; line-height: 1.25; letter-spacing: -.01em; display: flex; flex-wrap: wrap; align-items: center; gap: .15em .45em; }
h1 code { font-size: .9em; }
h2 { font-size: .74rem; font-weight: 650; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin-bottom: .6rem; }
main > h2 { margin: 2rem 0 .7rem; }
a { color: var(--accent); }
small { color: var(--soft); font-size: .86em; }
code, pre { font-family: var(--mono); font-size: .86em; }
.brand { font-weight: 700; color: var(--accent); margin-bottom: 1rem; }
.brand span { font-weight: 400; color: var(--soft); }
.who { margin-top: .35rem; color: var(--soft); }
.who b { color: var(--ink); font-weight: 600; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: .9rem; margin-top: 1.3rem; }
.cards > div { display: grid; gap: .9rem; align-content: start; min-width: 0; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.15rem; min-width: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.1rem; }
dt { color: var(--soft); }
time { font-variant-numeric: tabular-nums; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.2rem, 1fr)); gap: .5rem; }
.tiles li { background: var(--sunken); border-radius: 8px; padding: .55rem .7rem; font-size: .82rem; color: var(--soft); line-height: 1.3; }
.tiles b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; color: var(--ink); }
.tiles .wait b { color: var(--wait); }
.tiles .bad b { color: var(--bad); }
.chips { display: flex; flex-wrap: wrap; gap: .35rem; margin-top: .7rem; }
.chips li { border: 1px solid var(--line); border-radius: 99px; padding: .05rem .65rem; font-size: .82rem; color: var(--soft); }
.chips b { color: var(--ink); font-weight: 600; }
.lineage small { display: inline-block; margin-left: .35rem; }
.lineage ul ul { margin-left: .35rem; padding-left: 1.15rem; position: relative; }
.lineage ul ul::before { content: ""; position: absolute; left: 0; top: 0; width: .85rem; height: .8em;
  border: solid var(--line); border-width: 0 0 2px 2px; border-bottom-left-radius: 6px; }
.lineage ul ul ul ul ul ul ul { margin-left: 0; padding-left: 0; }
.lineage ul ul ul ul ul ul ul::before { content: none; }
.lineage b { font-weight: 600; }
.integrity { border-left-width: 4px; }
.integrity p + p { margin-top: .35rem; }
.standing { font-size: 1.1rem; font-weight: 650; }
.integrity.good { border-left-color: var(--good); } .good .standing { color: var(--good); }
.integrity.wait { border-left-color: var(--wait); } .wait .standing { color: var(--wait); }
.integrity.bad { border-left-color: var(--bad); } .bad .standing { color: var(--bad); }
.hash { font-size: .74rem; }
.hint { color: var(--soft); }
.pill { display: inline-block; border-radius: 99px; padding: .05rem .6rem; font: 600 .76rem/1.5 var(--sans); background: var(--sunken); color: var(--soft); }
.pill.good { background: var(--good-soft); color: var(--good); }
.pill.wait { background: var(--wait-soft); color: var(--wait); }
.pill.bad { background: var(--bad-soft); color: var(--bad); }
.entries > li { background: var(--surface); border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 8px;
  margin-top: .55rem; padding: .5rem .8rem .6rem; overflow: hidden; overflow: clip; scroll-margin-top: 1rem; }
.entries > li.good { border-left-color: var(--good); }
.entries > li.wait { border-left-color: var(--wait); }
.entries > li.bad { border-left-color: var(--bad); }
.entries > li.answer, .entries > li.decision { margin-left: 1.6rem; }
.entries > li.answer { background: var(--sunken); }
.entries > li.notice, .entries > li.end { background: none; border-style: dashed; border-left-style: solid; }
.entries > li:target { outline: 2px solid var(--accent); outline-offset: 1px; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .15rem .6rem; font-size: .82rem; color: var(--soft); }
.head a { color: var(--soft); text-decoration: none; font-variant-numeric: tabular-nums; }
.head a::before { content: "#"; }
.head a:hover { color: var(--accent); text-decoration: underline; }
.kind { font-weight: 600; color: var(--ink); }
.rule { font-family: var(--mono); font-size: .92em; }
.entries pre { margin-top: .3rem; line-height: 1.5; white-space: pre-wrap; direction: ltr; unicode-bidi: isolate; tab-size: 4; }
.entries .answer pre { white-space: pre; overflow-wrap: normal; overflow-x: auto; }
.entries .command pre { font-size: .92em; }
nav { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .5rem; margin: .9rem 0; color: var(--soft); font-size: .9rem; }
nav span { margin-right: auto; }
nav a { border: 1px solid var(--line); background: var(--surface); border-radius: 8px; padding: .25rem .75rem; text-decoration: none; }
nav a:hover { border-color: var(--accent); }
.empty { color: var(--soft); margin: 1rem 0; }
footer { margin-top: 2rem; padding-top: .9rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem; }
@media (max-width: 40rem) {
  main { padding: 1.1rem .8rem 2rem; }
  h1 { font-size: 1.25rem; }
  section { padding: .85rem .9rem; }
  .lineage ul ul { padding-left: .8rem; }
  .entries > li.answer, .entries > li.decision { margin-left: .7rem; }
}
@media print {
  :root { --paper: #fff; --surface: #fff; --sunken: #fff; --line: #bbb; --ink: #000; --soft: #444; --accent: #000; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav a { display: none; }
  section, .head { break-inside: avoid; }
  .head { break-after: avoid; }
  .entries .answer pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
"""

SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
"""The source expression of `STYLE` (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
