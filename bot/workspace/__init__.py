"""A local stand-in for a Slack workspace, with a browser page: for the demo and for tests.

Start it with `python -m bot.workspace` (`--help` explains the seed file), or in a test with
`bot.workspace.server.start`. An app written for Slack works against it unchanged, and what Slack
rejects is rejected here too. `bot.workspace.client` does everything a person can do on the page.
"""
