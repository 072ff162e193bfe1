"""The request path: what every request crosses, in the order of `pipeline.py`."""
