"""Finds patterns in texts, draws them, and tells what is remarkable about them."""
