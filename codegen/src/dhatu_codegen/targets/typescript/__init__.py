"""The TypeScript target: the generated half of the JavaScript SDK.

`types.py` writes `types.ts`, an interface or an alias for each component; `shapes.py` writes `shapes.ts`,
which answers are checked against. Both read `components.py`; `identifiers.py` spells all names.
"""
