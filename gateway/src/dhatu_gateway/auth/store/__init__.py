"""Where keys, users and refresh tokens are kept."""
