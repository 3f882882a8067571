"""How the pages of a login look: as the replay page does, with what forms need beside."""

from __future__ import annotations

import base64
import hashlib

from gateway.api import replay_style

STYLE = (
    replay_style.STYLE
    + """
main.login { max-width: 34rem; padding-top: 12vh; }
.login section { margin-top: 1.1rem; }
.login form { display: grid; gap: .7rem; }
.login dl + form { margin-top: 1.1rem; }
.login label { font-weight: 600; }
.login button { font: 600 1rem/1.4 var(--sans); color: var(--surface); background: var(--accent); border: 0; border-radius: 8px;
  padding: .6rem 1rem; cursor: pointer; }
.login button:hover { filter: brightness(1.08); }
.login button:focus-visible, .login input:focus-visible, .login a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.login input { font: 600 1.5rem/1.4 var(--mono); letter-spacing: .12em; text-align: center; color: var(--ink); background: var(--sunken);
  border: 1px solid var(--line); border-radius: 8px; padding: .45rem .6rem; min-width: 0; }
.login .fault { color: var(--bad); background: var(--bad-soft); border-radius: 8px; padding: .45rem .7rem; margin-bottom: .8rem; }
"""
)


def hash_of(text: str) -> str:
    """The source expression of a style or script (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


SOURCE = hash_of(STYLE)
