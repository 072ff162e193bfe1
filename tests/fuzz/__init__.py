"""Requests that nobody would write, against a gateway that runs: no 500, no hang, no leak."""
