"""What changed between two documents, and whom it breaks.

`schema` decides by one routine whether all values of one schema are values of another; `rules` compares
everything around the schemas; `compare` runs them all in one order.
"""
