"""Who calls: credentials, what they allow, and where they are kept."""
