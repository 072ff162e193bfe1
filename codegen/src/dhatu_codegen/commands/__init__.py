"""One module for each command; the command line itself is `cli.py`."""
