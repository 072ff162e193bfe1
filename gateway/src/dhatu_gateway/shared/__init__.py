"""What the processes of a gateway share: one connection to a Redis or Valkey server."""
