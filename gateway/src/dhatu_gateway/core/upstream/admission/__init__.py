"""How many requests a service works on at once, and who waits meanwhile."""
