"""HTTP for the bot, operators and token holders."""
