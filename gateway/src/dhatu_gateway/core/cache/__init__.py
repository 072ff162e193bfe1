"""A shared cache of services' answers, by RFC 9111."""
