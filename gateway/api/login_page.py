"""The pages of a login as HTML. Pure.

What stands on them may have been written by whoever began the login: it is made visible (`gateway.recorder.visible`),
then escaped. Nothing is loaded from anywhere, and the one script sends a form that stands on its page; how they look is in
`gateway.api.login_style`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape

from gateway.api.login_style import STYLE, hash_of
from gateway.recorder.visible import visible

SENDS = "document.forms[0].submit()"
SENDS_SOURCE = hash_of(SENDS)
"""Its source expression, so that no other script runs."""


def choice(
    title: str, details: Collection[tuple[str, str]], providers: Collection[str], *, address: str
) -> str:
    """What a login is for, and a button for each provider, which POSTs to `address`."""
    rows = "".join(f"<dt>{_line(name)}</dt><dd>{_line(value)}</dd>" for name, value in details)
    buttons = "".join(
        f"<button name='provider' value='{_line(name)}'>Continue with {_line(name)}</button>"
        for name in providers
    )
    return _document(
        title,
        f"<section>{f'<dl>{rows}</dl>' if rows else ''}"
        f"<form method='post' action='{escape(address)}'>{buttons}</form></section>"
        "<p class='empty'>If you did not ask for this, close the page: nothing happens without you.</p>",
    )


def away(title: str, url: str) -> str:
    """Takes the browser to a provider. A redirection would not do: `form-action` would stop it in some browsers."""
    address = escape(url)
    return _document(
        title,
        f"<section><p class='standing'>Going to your identity provider</p><p><a href='{address}'>Go on</a></p></section>",
        head=f"<meta http-equiv='refresh' content='0;url={address}'>",
    )


def sent(title: str, url: str, form: Mapping[str, str]) -> str:
    """Has the browser POST to a provider, by itself or, where scripts do not run, by a button."""
    fields = "".join(
        f"<input type='hidden' name='{escape(name)}' value='{escape(value)}'>" for name, value in form.items()
    )
    return _document(
        title,
        "<section><p class='standing'>Going to your identity provider</p>"
        f"<form method='post' action='{escape(url)}'>{fields}<button>Go on</button></form></section>",
        foot=f"<script>{SENDS}</script>",
    )


def code(*, address: str, given: str = "", wrong: str = "") -> str:
    """Asks for the code that a terminal shows."""
    fault = f"<p class='fault' role='alert'>{_line(wrong)}</p>" if wrong else ""
    return _document(
        "Log in a terminal",
        f"<section>{fault}<form method='post' action='{escape(address)}'>"
        "<label for='code'>The code that your terminal shows</label>"
        f"<input id='code' name='user_code' value='{_line(given)}' autocomplete='off' autocapitalize='characters' "
        "spellcheck='false' maxlength='32' placeholder='XXXX-XXXX' required autofocus>"
        "<button>Continue</button></form></section>"
        "<p class='empty'>Only type a code from a terminal in front of you. With a code that somebody sent "
        "you, <em>they</em> would act as you.</p>",
    )


def done(title: str, sentence: str) -> str:
    return _document(
        title,
        f"<section class='integrity good'><p class='standing'>✓ Done</p><p>{_line(sentence)}</p></section>"
        "<p class='empty'>You may close this page.</p>",
    )


def refused(sentence: str) -> str:
    return _document(
        "Not logged in",
        f"<section class='integrity bad'><p class='standing'>✗ Nothing was done</p><p>{_line(sentence)}</p></section>",
    )


def _document(title: str, body: str, *, head: str = "", foot: str = "") -> str:
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta name='color-scheme' content='light dark'>{head}"
        f"<title>{_line(title)} · Countersign</title><style>{STYLE}</style></head><body><main class='login'>"
        f"<p class='brand'>Countersign<span> · login</span></p><header><h1>{_line(title)}</h1></header>{body}"
        f"</main>{foot}</body></html>\n"
    )


def _line(text: str) -> str:
    """Text of one line, in an attribute or between tags."""
    return escape(visible(text).replace("\n", "⟦U+000A⟧").replace("\t", " "))
