"""Who watches calls, and what they are told."""
