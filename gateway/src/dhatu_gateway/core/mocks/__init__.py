"""Answers from the specification's examples, for operations whose service does not exist yet."""
