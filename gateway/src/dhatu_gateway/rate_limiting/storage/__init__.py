"""Where the buckets are kept."""
