"""Four small real services behind the gateway, so that a newcomer has something true to call."""
