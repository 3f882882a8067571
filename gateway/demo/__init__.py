"""The main job on embedded defaults: a small shop, a chain of agents, the gateway, the bot, and people who decide."""
