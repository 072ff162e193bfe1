"""External providers of identities (OAuth 2.0, OpenID Connect), whose tokens are taken besides our own."""
