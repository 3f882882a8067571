"""What the bot is told by its environment. The clear sentence about what is missing is made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SLACK_API = "https://slack.com/api/"
GATEWAY = "http://127.0.0.1:8480"
LISTEN = "127.0.0.1:3000"

VARIABLES: Mapping[str, str] = {
    "SLACK_BOT_TOKEN": "the app's bot token, xoxb-...",
    "SLACK_APP_TOKEN": "an app-level token with connections:write, xapp-...: Slack is reached over Socket Mode",
    "SLACK_SIGNING_SECRET": "instead of SLACK_APP_TOKEN: Slack calls us over HTTP and signs what it sends",
    "COUNTERSIGN_BOT_TOKEN": "the gateway's credential for the bot; the same value as the gateway has",
    "COUNTERSIGN_URL": f"where the gateway's API is (default {GATEWAY})",
    "BOT_LISTEN": f"where to listen with SLACK_SIGNING_SECRET, and for /healthz (default {LISTEN})",
    "SLACK_API_URL": f"where Slack's Web API is (default {SLACK_API})",
}


class SettingsError(Exception):
    """The environment is not complete; the message names the variable and what belongs in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A bot's environment. Exactly one of `app_token` and `signing_secret` decides how Slack is reached."""

    bot_token: str = field(repr=False)
    gateway_credential: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    gateway_url: str = GATEWAY
    slack_api: str = SLACK_API
    host: str = "127.0.0.1"
    port: int | None = None
    """None: nothing listens (Socket Mode without BOT_LISTEN)."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`. Raises SettingsError naming everything that is missing."""
    missing = [name for name in ("SLACK_BOT_TOKEN", "COUNTERSIGN_BOT_TOKEN") if not environment.get(name)]
    app_token = environment.get("SLACK_APP_TOKEN", "")
    signing_secret = environment.get("SLACK_SIGNING_SECRET", "")
    sentences = [f"{name} is not set: {VARIABLES[name].rstrip('.')}." for name in missing]
    if not app_token and not signing_secret:
        sentences.append(
            "Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set: set one of them."
        )
    for name, prefix in (("SLACK_BOT_TOKEN", "xoxb-"), ("SLACK_APP_TOKEN", "xapp-")):
        value = environment.get(name, "")
        if value and not value.startswith(prefix):
            sentences.append(f"{name} does not begin with {prefix}: it is another kind of token.")
    listen = environment.get("BOT_LISTEN", "") or (LISTEN if not app_token else "")
    host, port = "127.0.0.1", None
    if listen:
        host, _, number = listen.rpartition(":")
        if not host or not number.isdecimal() or int(number) > 65_535:
            sentences.append(f"BOT_LISTEN is {listen!r}: HOST:PORT is wanted, as {LISTEN}.")
        else:
            port = int(number)
    if sentences:
        raise SettingsError("\n".join(sentences))
    return Settings(
        bot_token=environment["SLACK_BOT_TOKEN"],
        gateway_credential=environment["COUNTERSIGN_BOT_TOKEN"],
        app_token=app_token,
        signing_secret=signing_secret,
        gateway_url=environment.get("COUNTERSIGN_URL", "") or GATEWAY,
        slack_api=_with_slash(environment.get("SLACK_API_URL", "") or SLACK_API),
        host=host.strip("[]"),
        port=port,
    )


def _with_slash(url: str) -> str:
    # slack_sdk joins method names to it.
    return url if url.endswith("/") else url + "/"
