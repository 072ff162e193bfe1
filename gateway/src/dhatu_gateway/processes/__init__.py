"""The processes that the gateway runs in: how they start, take one another's place, and end."""
