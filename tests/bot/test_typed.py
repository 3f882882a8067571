"""What people typed behind a command, out of what Slack makes of it."""

from __future__ import annotations

import pytest

from bot.typed import typed_text

WRITTEN = {
    "": "",
    "  kill ses-1 ": "kill ses-1",
    "a &lt; b &amp;&amp; c &gt; d": "a < b && c > d",
    "&amp;lt;": "&lt;",
    "&lt;!channel&gt;": "<!channel>",
    "<@U0ANA|ana> said": "@ana said",
    "<@U0ANA>": "@U0ANA",
    "in <#C0GENERAL|general>": "in #general",
    "in <#C0GENERAL|>": "in #C0GENERAL",
    "<!here>": "@here",
    "<!subteam^S0DBA|@dba>": "@dba",
    "<mailto:ana@example.com|ana@example.com>": "ana@example.com",
    "see <https://tickets.example/7?a=1&amp;b=2>": "see https://tickets.example/7?a=1&b=2",
    "<http://example.com|example.com>": "example.com",
    "<mailto:ana@example.com>": "ana@example.com",
    "a < b": "a < b",
}


@pytest.mark.parametrize("written", WRITTEN)
def test_what_was_typed_is_read_out_of_what_slack_writes(written: str) -> None:
    assert typed_text(written) == WRITTEN[written]
