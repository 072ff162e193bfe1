"""Schema containment: every value that one schema accepts is accepted by another."""
