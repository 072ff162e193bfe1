"""The HTTP clients that send."""
