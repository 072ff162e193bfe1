"""Signing in at an external provider, by authorization code with PKCE; it ends in tokens of our own."""
