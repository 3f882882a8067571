"""How the gateway reaches targets and logs in to them."""
